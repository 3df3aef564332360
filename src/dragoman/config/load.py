"""Where a configuration comes from: a TOML file, the environment over it, the command line over both."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from dragoman.config.check import At, ConfigErrors, Given, Table, check_document, is_table
from dragoman.config.known import KNOWN
from dragoman.config.schema import Config

FILE_NAME = "dragoman.toml"
"""The file that is read from the working directory when none is named."""
PREFIX = "DRAGOMAN__"
"""How the environment variables begin that set a key of the configuration."""


def load_config(
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    settings: Mapping[str, object] | None = None,
) -> Config:
    """Return the configuration of `file`, `environ` (default: the process's) and `settings`; the later win.

    Without `file` it is the one that `DRAGOMAN_CONFIG` names, else `dragoman.toml` in the working directory, else none.
    `settings` are those of the command line, by dotted path: `{"server.port": 9000}`.
    Raises `ConfigErrors` with every mistake at once. Reads files; not for the event loop.
    """
    environ = os.environ if environ is None else environ
    found, document = _read_file(file, environ)
    given: dict[At, Given] = {}
    if document.get("upstreams", {}) == {}:
        document["upstreams"] = {name: {} for name, known in KNOWN.items() if environ.get(known.key_variable)}
    _lay_environment(document, environ, given)
    for path, value in (settings or {}).items():
        _lay(document, tuple(path.split(".")), value)
    if document["upstreams"] == {}:
        document["upstreams"] = {"sim": {}}
    _fill_known(document.get("upstreams"), environ, given)
    return check_document(document, environ, given, str(found) if found else None)


def _read_file(file: Path | None, environ: Mapping[str, str]) -> tuple[Path | None, Table]:
    named = file or (Path(environ["DRAGOMAN_CONFIG"]) if environ.get("DRAGOMAN_CONFIG") else None)
    path = named or Path(FILE_NAME)
    try:
        return path, _read_toml(path.read_bytes().decode("utf-8-sig"), path)
    except FileNotFoundError:
        if named is None:
            return None, {}
        raise ConfigErrors([f"{path}: no such file"]) from None
    except OSError as error:
        raise ConfigErrors([f"{path}: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise ConfigErrors([f"{path}: not UTF-8"]) from None


def _read_toml(text: str, path: Path) -> Table:
    import tomllib  # 3 ms, only when there is a file

    try:
        return tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, or an integer of too many digits
        lines = text.split("\n")
        end = f"at line {len(lines)}, column {len(lines[-1]) + 1}"
        reason = str(error).replace("at end of document", end)
        raise ConfigErrors([f"{path}: {reason[:1].lower()}{reason[1:]}"]) from None


def _lay_environment(document: Table, environ: Mapping[str, str], given: dict[At, Given]) -> None:
    """Set what the `DRAGOMAN__` variables say, tables before their keys, and `DRAGOMAN_KEY`."""
    names = [name for name in environ if name.upper().startswith(PREFIX)]
    for name in sorted(names, key=lambda name: (name.count("__"), name)):
        steps = name[len(PREFIX) :].lower().split("__")
        given[_lay(document, tuple(steps), _read_value(environ[name]))] = Given(name, environ[name])
    if environ.get("DRAGOMAN_KEY"):
        given[_lay(document, ("keys", "env", "key"), "$DRAGOMAN_KEY")] = Given("DRAGOMAN_KEY", "")


def _read_value(text: str) -> object:
    """Return the TOML value that `text` is, or `text` itself when it is none."""
    import tomllib

    try:
        parsed = tomllib.loads(f"value = {text}")
    except ValueError:
        return text
    return parsed["value"] if len(parsed) == 1 else text  # a line break in it could begin another key


def _lay(document: Table, steps: tuple[str, ...], value: object) -> At:
    """Set the key at `steps`, whatever the case of its names, making the tables on the way; return where it is."""
    table = document
    at: list[str] = []
    for step in steps:
        at.append(next((key for key in table if key.lower() == step.lower()), step))
        if len(at) == len(steps):
            table[at[-1]] = value
        else:
            inner = table.get(at[-1])
            table[at[-1]] = table = inner if is_table(inner) else {}
    return tuple(at)


def _fill_known(upstreams: object, environ: Mapping[str, str], given: dict[At, Given]) -> None:
    """Give each upstream with a known name what the name implies, where it does not say otherwise."""
    for name, upstream in upstreams.items() if is_table(upstreams) else ():
        known = KNOWN.get(name)
        if (
            known is None
            or not known.variable
            or not is_table(upstream)
            or upstream.get("kind", known.kind) != known.kind
        ):
            continue
        if "key" not in upstream and environ.get(known.key_variable):
            upstream["key"] = f"${known.key_variable}"
            given["upstreams", name, "key"] = Given(known.key_variable, "")
        if "base_url" not in upstream and (url := environ.get(known.url_variable)):
            upstream["base_url"] = url
            given["upstreams", name, "base_url"] = Given(known.url_variable, url)
        upstream.setdefault("base_url", known.base_url)
