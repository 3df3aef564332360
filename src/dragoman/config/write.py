"""The other way round: a document as TOML, in the order in which it stands.

Written here because the standard library only reads TOML, and what we write is no more than tables of texts, numbers,
truth values and lists of them.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from dragoman.config.check import Table, is_table, write_path


def write_toml(document: Table) -> str:
    """Return `document` as TOML; raises `TypeError` for a value that is none of the above."""
    return "\n".join(_write_tables(document, ()))


def _write_tables(table: Table, at: tuple[str, ...]) -> Iterator[str]:
    """Yield a table with its own keys, then each table in it; one that only holds tables needs no head."""
    plain = {key: value for key, value in table.items() if not is_table(value)}
    inner = {key: value for key, value in table.items() if is_table(value)}
    if at and (plain or not inner):
        lines = [f"[{write_path(at)}]", *(f"{write_path((key,))} = {_write(value)}" for key, value in plain.items())]
        yield "\n".join(lines) + "\n"
    for key, value in inner.items():
        yield from _write_tables(value, (*at, key))


def _write(value: object) -> str:
    """A text, number, truth value or list is written as JSON writes it, except for the one character of TOML's own."""
    if not isinstance(value, str | int | float | list):
        raise TypeError(f"cannot write {type(value).__name__}")
    return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")
