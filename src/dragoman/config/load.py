"""Where a configuration comes from: a TOML file, the environment over it, the command line over both."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import structs

from dragoman.config.check import At, ConfigErrors, Given, Judge, Table, check_document, is_table
from dragoman.config.known import KNOWN, REGIONAL, Known
from dragoman.config.predecessors import Recognised, read_predecessors, tell_port
from dragoman.config.schema import Config, Server
from dragoman.config.write import write_toml

FILE_NAME = "dragoman.toml"
"""The file that is read from the working directory when none is named."""
PREFIX = "DRAGOMAN__"
"""How the environment variables begin that set a key of the configuration."""


def load_config(
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    settings: Mapping[str, object] | None = None,
    judges: Mapping[object, Judge] | None = None,
) -> Config:
    """Return the configuration of `file`, `environ` (default: the process's) and `settings`; the later win.

    Without `file` it is the one that `DRAGOMAN_CONFIG` names, else `dragoman.toml` in the working directory, else none.
    `settings` are those of the command line, by dotted path: `{"server.port": 9000}`; `judges` are
    those of `check_document`.
    Raises `ConfigErrors` with every mistake at once. Reads files; not for the event loop.
    """
    environ = os.environ if environ is None else environ
    found, document = _read_file(file, environ)
    recognised = read_predecessors(environ, document)
    toml = _lay_defaults(document, environ, recognised)
    given = recognised.given
    _lay_environment(document, environ, given)
    for path, value in (settings or {}).items():
        _lay(document, tuple(path.split(".")), value)
    _fill_known(document, environ, recognised)
    if document["upstreams"] == {}:
        document["upstreams"] = {"sim": {}}
    tell_port(recognised, document)
    try:
        config = check_document(document, environ, given, judges)
    except ConfigErrors as errors:
        raise ConfigErrors([*recognised.errors, *errors.errors]) from None
    if recognised.errors:
        raise ConfigErrors(recognised.errors)
    return structs.replace(config, file=str(found) if found else None, recognised=recognised.lines, toml=toml)


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


def _lay_defaults(document: Table, environ: Mapping[str, str], recognised: Recognised) -> str:
    """Set what the file does not: the upstreams whose keys are there, and what the predecessors' variables say.

    Returns the TOML that would have said the same; empty when those variables said nothing.
    """
    made = recognised.document
    if document.get("upstreams", {}) == {}:
        older = made.pop("upstreams", {})
        assert is_table(older)
        there = [name for name, known in KNOWN.items() if environ.get(known.sign) or name in older]
        made["upstreams"] = {name: older.get(name, {}) for name in there}
    toml = write_toml({name: table for name, table in made.items() if table != {}}) if recognised.given else ""
    document |= made
    return toml


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


def _fill_known(document: Table, environ: Mapping[str, str], recognised: Recognised) -> None:
    """Give each upstream with a known name what the name implies, where it does not say otherwise."""
    upstreams, ours = document["upstreams"], _own_address(document)
    if not is_table(upstreams):
        return
    for name, known in KNOWN.items():
        upstream = upstreams.get(name)
        if not known.variable or not is_table(upstream) or upstream.get("kind", known.kind) != known.kind:
            continue
        address = environ.get(known.url_variable)
        itself = bool(address and ours.match(known.read_url(address)))
        if itself and "base_url" not in upstream:
            recognised.lines.append(f"{known.url_variable}: not used, it is where this server listens")
            if known.host and upstream == {}:
                del upstreams[name]
                continue
        for key, value, given in _read_known(known, environ, itself=itself):
            if key not in upstream and not (key == "key" and "keys" in upstream):
                upstream[key] = value
                recognised.given["upstreams", name, key] = given
        if known.kind not in REGIONAL:
            upstream.setdefault("base_url", known.base_url)
            if known.endpoints and upstream["base_url"] == known.base_url:
                upstream.setdefault("endpoints", list(known.endpoints))


def _read_known(known: Known, environ: Mapping[str, str], *, itself: bool) -> Iterator[tuple[str, str, Given]]:
    """Yield what the variables of a known upstream say, by its key; not the address when that is this server's."""
    if environ.get(known.key_variable):
        yield "key", f"${known.key_variable}", Given(known.key_variable, "")
    if not itself and (text := environ.get(known.url_variable)):
        yield "base_url", known.read_url(text), Given(known.url_variable, text)
    for key, variable in known.others.items():
        if text := environ.get(variable):
            yield key, text, Given(variable, text)


def _own_address(document: Table) -> re.Pattern[str]:
    """Return what fits the URLs where this server listens: clients find it by the same variables as we our upstreams.

    An upstream that is ourselves would list its own models again with every refresh, under ever longer names.
    """
    server = document.get("server")
    port = server.get("port") if is_table(server) else None
    return re.compile(rf"http://(127\.0\.0\.1|localhost|\[::1\]):{Server().port if port is None else port}(/|$)")
