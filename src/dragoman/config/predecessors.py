"""Variables that the programs before us were configured with: what each means here.

Each is a default: where the configuration file has the table that it belongs to, the file alone counts; variables of
our own count more than theirs. Source: the documentation of those programs (docs/coming-from).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
from msgspec import Struct

from dragoman.config.check import At, Given, Table, is_table
from dragoman.config.schema import Server

POE = ("poe", "poe_bot")
"""The upstreams that have to do with a key of Poe's."""
PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy")
"""Where a bridge to Poe found its proxy, the first that is set; no other upstream is reached by it."""
OLD_PORT = 39527
"""Where the bridge listened."""
PORT = "DRAGOMAN__SERVER__PORT"
_DAY = 86_400
_UNUSED = {
    "CORE_NUM": "server.workers is not there yet, one process serves",
    "OPENAI_COMPAT_ENABLE": "OpenAI's dialect is always served",
    "OPENAI_COMPAT_MODEL_NAME": "there are no agents yet; [models] gives names to models",
    "OPENAI_COMPAT_MAX_CONTEXT_TOKENS": "a model's own context counts; [upstreams.NAME.about] may say another",
    "OPENAI_COMPAT_TOKEN_MODEL": "tokens are counted by the model that is asked",
}
"""What has no place here, and why."""
_NUMBERS = ("CORE_NUM", "OPENAI_COMPAT_MAX_CONTEXT_TOKENS")
_mapping = msgspec.json.Decoder(dict[str, str])


class Recognised(Struct):
    """What the variables say."""

    document: Table = {}
    """As the configuration file would say it."""
    given: dict[At, Given] = {}
    lines: list[str] = []
    """What each of them became."""
    errors: list[str] = []
    """What is wrong with them, each as `VARIABLE: reason`."""


def read_predecessors(environ: Mapping[str, str], document: Table) -> Recognised:
    """Return what those of the variables say that `document`, the configuration file, leaves room for."""
    reading = _Reading(environ, document)
    for name, read in _READERS.items():
        if environ.get(name, "").strip():
            read(reading, name)
    return reading.found


def tell_port(found: Recognised, document: Table) -> None:
    """Add a line when a bridge's clients would look for us at its port, and `document` says nothing of ours."""
    server = document.get("server", {})
    bridge = {"SYSTEM_TOKEN", "CUSTOM_TOKEN"} & {given.variable for given in found.given.values()}
    if bridge and is_table(server) and "port" not in server:
        found.lines.append(f"the port is {Server().port}, not {OLD_PORT}; {PORT}={OLD_PORT} keeps the old one")


class _Reading:
    """Goes through the variables; those of Poe's key come first."""

    def __init__(self, environ: Mapping[str, str], document: Table) -> None:
        self.found = Recognised({}, {}, [], [])
        self._environ = environ
        self._document = document
        self._poe = [name for name in POE if environ.get("POE_API_KEY") and self._free("upstreams")]

    def system_token(self, name: str) -> None:
        """The key of Poe's."""
        if self._poe:
            self.found.lines.append(f"{name}: not used, POE_API_KEY is set")
        elif self._free("upstreams"):
            self._poe = list(POE)
            self._lay_poe(name, ("key",), f"${name}")
            if proxy := next((proxy for proxy in PROXIES if self._environ.get(proxy)), None):
                self._lay_poe(proxy, ("proxy",), f"${proxy}")

    def custom_token(self, name: str) -> None:
        """The key of a client."""
        if self._free("keys"):
            self._lay(name, f"${name}", ("keys", "custom", "key"))

    def model_mapping(self, name: str) -> None:
        """Names of models, each with what it is called by Poe."""
        if not self._free("models"):
            return
        try:
            mapping = _mapping.decode(self._environ[name])
        except msgspec.DecodeError:
            self._fail(name, "expected a JSON object from names to names of Poe's models")
            return
        if not (self._poe or self._names_poe()):
            self.found.lines.append(f"{name}: not used, there is no key of Poe's")
            return
        self.found.document["models"] = {public: f"poe/{model}" for public, model in mapping.items()}
        self.found.given |= {("models", public): Given(name, "") for public in mapping}
        self.found.lines.append(f"{name} → models ({len(mapping)})")

    def time_out(self, name: str) -> None:
        """How long Poe may take, in seconds."""
        seconds = _number(self._environ[name])
        if not 0 < seconds <= _DAY:
            self._fail(name, f"expected seconds, above 0 and at most {_DAY}")
        elif self._poe:
            self._lay_poe(name, ("timeout", "total"), int(seconds) if seconds.is_integer() else seconds)

    def port(self, name: str) -> None:
        """The port to listen on."""
        text = self._environ[name].strip()
        if not (text.isdecimal() and text.isascii() and int(text[:6]) <= 65535):
            self._fail(name, "expected a port, 0 to 65535")
        elif self._free("server"):
            self._lay(name, int(text), ("server", "port"))

    def unused(self, name: str) -> None:
        """What has no place here."""
        number = _number(self._environ[name])
        if name in _NUMBERS and not (number >= 1 and number.is_integer()):
            self._fail(name, "expected a whole number above 0")
        else:
            self.found.lines.append(f"{name}: not used, {_UNUSED[name]}")

    def _free(self, table: str) -> bool:
        """Tell whether the file says nothing of `table`."""
        return self._document.get(table, {}) == {}

    def _names_poe(self) -> bool:
        upstreams = self._document.get("upstreams")
        return is_table(upstreams) and "poe" in upstreams

    def _lay_poe(self, name: str, steps: tuple[str, ...], value: object) -> None:
        paths = [("upstreams", upstream, *steps) for upstream in self._poe]
        self._lay(name, value, *paths)

    def _lay(self, name: str, value: object, *paths: tuple[str, ...]) -> None:
        for at in paths:
            table = self.found.document
            for step in at[:-1]:
                inner = table.setdefault(step, {})
                assert is_table(inner)
                table = inner
            table[at[-1]] = value
            self.found.given[at] = Given(name, "")
        self.found.lines.append(f"{name} → {', '.join('.'.join(at) for at in paths)}")

    def _fail(self, name: str, reason: str) -> None:
        self.found.errors.append(f"{name}: {reason}")


_READERS: dict[str, Callable[[_Reading, str], None]] = {
    "SYSTEM_TOKEN": _Reading.system_token,
    "CUSTOM_TOKEN": _Reading.custom_token,
    "MODEL_MAPPING": _Reading.model_mapping,
    "TIME_OUT": _Reading.time_out,
    "OPENAI_COMPAT_PORT": _Reading.port,
    **dict.fromkeys(_UNUSED, _Reading.unused),
}
"""In the order in which they are read: what belongs to Poe needs its key."""


def _number(text: str) -> float:
    """Return the number that `text` is, 0 when it is none."""
    try:
        return float(text)
    except ValueError:
        return 0.0
