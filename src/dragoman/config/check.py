"""A document against the Structs: the configuration, or every mistake with its path."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import NoneType, UnionType
from typing import Annotated, Literal, TypeGuard, Union, get_args, get_origin

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from dragoman.config.hidden import read_header, read_hidden, read_key, read_proxy
from dragoman.config.keys import hash_key
from dragoman.config.known import KNOWN, REGIONAL
from dragoman.config.schema import (
    Alias,
    ClientKey,
    Config,
    Document,
    Server,
)
from dragoman.config.upstreams import KINDS, Upstream
from dragoman.config.values import CaFile, HeaderValue, Proxy, Secret, Target, Url

Table = dict[str, object]
At = tuple[str | int, ...]
"""Where a value stands: `("models", "fast", 1)` is `models.fast[1]`."""

Judge = Callable[[str], object]
"""Raises `ValueError`, whose message says what is wrong with a text that only the network layer understands."""

MAX_TARGETS = 3
"""How often one call is tried at most, over all its targets."""
_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


class ConfigErrors(Exception):
    """Everything that is wrong with a configuration; no message shows a secret."""

    def __init__(self, errors: Iterable[str]) -> None:
        self.errors = list(errors)
        """Each as `path: reason`."""
        super().__init__("\n".join(self.errors))


class Given(Struct, frozen=True):
    """What an environment variable put into the document."""

    variable: str
    text: str


def check_document(
    document: Table,
    environ: Mapping[str, str],
    given: Mapping[At, Given],
    judges: Mapping[object, Judge] | None = None,
) -> Config:
    """Return the configuration that `document` describes, its secrets read; raises `ConfigErrors` with all mistakes.

    `given` says which of its values come from the environment; secrets are read from `environ` and from files.
    `judges` are asked about the values of a type, `Proxy` or `CaFile`.
    """
    upstreams = document.get("upstreams")
    check = _Check(environ, given, list(upstreams) if is_table(upstreams) else [], judges or {})
    checked = check.table(Document, document, ())
    if not document.get("keys"):
        check.loopback(checked.get("server"))
    if check.errors:
        raise ConfigErrors(check.errors)
    return msgspec.convert({**checked, "warnings": check.warnings}, Config)


def is_table(value: object) -> TypeGuard[Table]:
    """Say whether `value` is a table; TOML knows no keys but strings."""
    return isinstance(value, dict)


def is_struct(kind: object) -> TypeGuard[type[Struct]]:
    """Say whether the type `kind` is one of the Structs."""
    return isinstance(kind, type) and issubclass(kind, Struct)


def bare_type(kind: object) -> object:
    """Return `kind` without what TOML cannot say: absent is not a value, and there is no null."""
    if get_origin(kind) not in (Union, UnionType):
        return kind
    rest = [arm for arm in get_args(kind) if arm not in (NoneType, UnsetType)]
    return rest[0] if len(rest) == 1 else kind


def write_path(at: At) -> str:
    """Return `at` in TOML's own way: `models."gpt-4.1"[0]`."""
    text = ""
    for step in at:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            name = step if step and _BARE.issuperset(step) else msgspec.json.encode(step).decode()
            text += f".{name}" if text else name
    return text


class _Check:
    """Goes down a document and its Structs side by side; what is wrong is noted and left out."""

    def __init__(
        self,
        environ: Mapping[str, str],
        given: Mapping[At, Given],
        upstreams: list[str],
        judges: Mapping[object, Judge],
    ) -> None:
        self.errors: list[str] = []
        self.warnings: list[str] = []
        self._environ = environ
        self._given = given
        self._upstreams = upstreams
        self._judges = judges
        self._hashes: dict[object, At] = {}
        self._special: dict[object, Callable[[object, At], object]] = {
            Secret: self._secret,
            Proxy: self._proxy,
            CaFile: self._authorities,
            HeaderValue: self._header,
            Upstream: self._upstream,
            Alias: self._alias,
            Target: self._target,
            Url: self._url,
            ClientKey: self._client_key,
        }

    def fail(self, at: At, reason: str) -> UnsetType:
        """Note what is wrong at `at`, and the environment variable that put it there."""
        given = next((self._given[at[:size]] for size in range(len(at), 0, -1) if at[:size] in self._given), None)
        self.errors.append(f"{write_path(at)}: {reason}" + (f" (set by {given.variable})" if given else ""))
        return UNSET

    def table(self, kind: type[Struct], value: object, at: At) -> Table:
        """Return what is right in the table `value`, a `kind`."""
        if not is_table(value):
            self.fail(at, f"expected table, got {_type_name(value)}")
            return {}
        fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
        checked: Table = {}
        for key, item in value.items():
            if key not in fields:
                self.fail((*at, key), f"unknown key{_suggest(key, fields)}")
            elif (found := self._value(fields[key].type, item, (*at, key))) is not UNSET:
                checked[key] = found
        for key, field in fields.items():
            if field.required and key not in value:
                self.fail((*at, key), "missing")
        return checked

    def loopback(self, server: object) -> None:
        """Note it when the host of the checked table `server` is not loopback; for want of a client key it must be."""
        host = server.get("host") if is_table(server) else None
        if not _is_loopback(str(host or Server().host)):
            self.fail(("server", "host"), "without any client key the server binds loopback only")

    def _value(self, kind: object, value: object, at: At) -> object:
        kind = bare_type(kind)
        if special := self._special.get(kind):
            return special(value, at)
        if is_struct(kind):
            return self.table(kind, value, at)
        if get_origin(kind) is dict:
            return self._named(get_args(kind), value, at)
        if get_origin(_plain(kind)) is tuple:
            return self._list(get_args(_plain(kind))[0], value, at)
        return self._leaf(kind, value, at)

    def _named(self, kinds: tuple[object, ...], value: object, at: At) -> object:
        if not is_table(value):
            return self.fail(at, f"expected table, got {_type_name(value)}")
        checked: Table = {}
        for name, item in value.items():
            inner = (*at, name)
            found = self._value(kinds[1], item, inner)
            if self._leaf(kinds[0], name, inner) is not UNSET and found is not UNSET:
                checked[name] = found
        return checked

    def _list(self, kind: object, value: object, at: At) -> object:
        if not _is_list(value):
            return self.fail(at, f"expected list, got {_type_name(value)}")
        return [self._value(kind, item, (*at, index)) for index, item in enumerate(value)]

    def _leaf(self, kind: object, value: object, at: At) -> object:
        if _plain(kind) is str and at in self._given and not isinstance(value, str | dict | list):
            value = self._given[at].text  # a text that happens to look like a number
        try:
            found = msgspec.convert(value, kind, strict=True)
        except msgspec.ValidationError as error:
            return self.fail(at, _explain(kind, str(error)))
        if isinstance(found, str) and not found.isprintable():  # in a pattern, `$` lets a last line break pass
            return self.fail(at, "expected printable characters only")
        return found

    def _secret(self, value: object, at: At) -> object:
        return self._hidden(read_key, value, at, lambda text: "a key in plain sight")

    def _proxy(self, value: object, at: At) -> object:
        found = self._hidden(read_proxy, value, at, lambda text: "a password in plain sight" if "@" in text else "")
        return found if isinstance(found, Secret) and self._stands(Proxy, found.reveal(), at) else UNSET

    def _header(self, value: object, at: At) -> object:
        return self._hidden(read_header, value, at, lambda text: "")

    def _hidden(self, read: Callable[[str], str], value: object, at: At, plain: Callable[[str], str]) -> object:
        """Return a text that may be named instead of written; `plain` says what is wrong with one that is written."""
        text = self._leaf(str, value, at)
        if not isinstance(text, str):
            return UNSET
        try:
            found = read_hidden(text, self._environ)
            if found == text and at not in self._given and (warning := plain(text)):
                self.warnings.append(f'{write_path(at)}: {warning}; better "$NAME" or "$file:/path"')
            return Secret(read(found))
        except ValueError as error:
            return self.fail(at, str(error))

    def _authorities(self, value: object, at: At) -> object:
        path = self._leaf(CaFile, value, at)
        return path if isinstance(path, str) and self._stands(CaFile, path, at) else UNSET

    def _stands(self, kind: object, text: str, at: At) -> bool:
        """Tell whether nobody has anything against `text`, a `kind`."""
        try:
            if judge := self._judges.get(kind):
                judge(text)
        except ValueError as error:
            self.fail(at, str(error))
            return False
        return True

    def _upstream(self, value: object, at: At) -> object:
        if not is_table(value):
            return self.fail(at, f"expected table, got {_type_name(value)}")
        name = str(at[-1])
        known = KNOWN.get(name)
        kind = value.get("kind", known.kind if known else None)
        if kind is None:
            return self.fail((*at, "kind"), f"missing; expected {' or '.join(KINDS)}{_suggest(name, KNOWN)}")
        if not isinstance(kind, str) or kind not in KINDS:
            return self.fail((*at, "kind"), f"expected {' or '.join(KINDS)}")
        checked = self.table(KINDS[kind], {key: item for key, item in value.items() if key != "kind"}, at)
        if kind in REGIONAL and "base_url" not in value:
            regions = REGIONAL[kind]
            checked["base_url"] = regions[str(checked.get("region", next(iter(regions))))]
        if {"key", "keys"} <= value.keys():
            return self.fail((*at, "keys"), "expected key or keys, not both")
        if known and not {"key", "keys"} & value.keys() and checked.get("base_url") in known.homes:
            self.warnings.append(f"{write_path((*at, 'key'))}: missing, and {known.key_variable} is not set")
        return {"kind": kind, **checked}

    def _url(self, value: object, at: At) -> object:
        url = self._leaf(Url, value, at)
        if not isinstance(url, str):
            return UNSET
        port = url.split("/")[2].rpartition("]")[2].partition(":")[2]
        return self.fail(at, "expected a port up to 65535") if int(port or 0) > 65535 else url.rstrip("/")

    def _alias(self, value: object, at: At) -> object:
        if isinstance(value, str):
            return {"targets": [self._target(value, at)]}
        if not is_table(value) and not _is_list(value):
            return self.fail(at, f"expected upstream/model, list or table, got {_type_name(value)}")
        checked = self.table(Alias, value, at) if is_table(value) else {"targets": self._list(Target, value, at)}
        targets = checked.get("targets")
        if _is_list(targets) and len(targets) > MAX_TARGETS:
            self.warnings.append(f"{write_path(at)}: only the first {MAX_TARGETS} targets are ever asked for one call")
        return self.fail(at, "expected at least one target") if targets == [] else checked

    def _target(self, value: object, at: At) -> object:
        target = self._leaf(Target, value, at)
        if not isinstance(target, str):
            return UNSET
        name = target.partition("/")[0]
        if name in self._upstreams:
            return target
        hint = f"; add [upstreams.{name}]" if name in KNOWN else _suggest(name, self._upstreams)
        return self.fail(at, f"no upstream is named {name}{hint}")

    def _client_key(self, value: object, at: At) -> object:
        checked = self.table(ClientKey, value, at)
        if is_table(value) and ("hash" in value) == ("key" in value):
            return self.fail(at, "expected hash or key, not both" if "key" in value else "expected hash or key")
        key = checked.pop("key", None)
        if isinstance(key, Secret):
            checked["hash"] = hash_key(key.reveal())
        if (twin := self._hashes.setdefault(checked.get("hash", at), at)) != at:
            return self.fail(at, f"the same key as {write_path(twin)}")
        return checked


def _plain(kind: object) -> object:
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _explain(kind: object, message: str) -> str:
    """Return msgspec's `message` in the words of TOML, without the value."""
    if get_origin(kind) is Literal and message.startswith("Invalid"):
        return f"expected {' or '.join(get_args(kind))}"
    if "regex" in message:
        return "expected " + next(str(meta.description) for meta in get_args(kind) if isinstance(meta, Meta))
    message = message.replace("`", "").replace("got array", "got list").replace("got object", "got table")
    return message[0].lower() + message[1:]


def _suggest(word: str, words: Iterable[str]) -> str:
    import difflib  # only a mistake needs it

    return "".join(f"; did you mean {close}?" for close in difflib.get_close_matches(word, list(words), n=1))


def _type_name(value: object) -> str:
    return "table" if is_table(value) else type(value).__name__


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)


def _is_loopback(host: str) -> bool:
    import ipaddress  # a millisecond and a half, and only for a server without client keys

    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
