"""One JSON object a line, so that nothing a client or an upstream says can forge a line; secrets are blotted out."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Sequence
from typing import Literal

from dragoman.core.call import Call
from dragoman.core.errors import DragomanError
from dragoman.wire.json import encode

Level = Literal["INFO", "WARN", "ERROR"]
Value = str | int | float | None
_SECRET = re.compile(r"(?i)\b(sk-|dg-|bearer\s+)[A-Za-z0-9._~+/=-]{6,}")


class Log:
    """Writes lines to `sink`; `secrets` are texts that must never be seen in one."""

    def __init__(
        self,
        secrets: Sequence[str] = (),
        sink: Callable[[str], object] = sys.stderr.write,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._secrets = [secret for secret in secrets if len(secret) >= 4]
        self._sink = sink
        self._now = now

    def write(self, level: Level, event: str, **fields: Value) -> None:
        """Write one line; never called on the path of a call that goes well."""
        told = {name: self._redact(value) for name, value in fields.items() if value not in ("", None)}
        line = {"time": round(self._now(), 3), "level": level, "event": event, **told}
        self._sink(encode(line).decode() + "\n")

    def _redact(self, value: Value) -> Value:
        if not isinstance(value, str):
            return value
        value = value.encode(errors="replace").decode()  # half a surrogate pair cannot be written
        for secret in self._secrets:
            value = value.replace(secret, "***")
        return _SECRET.sub("***", value)


def write_fault(log: Log, call: Call, error: DragomanError) -> None:
    """Write the line that tells what an upstream did to `call`; an error that no upstream has caused needs none."""
    if call.attempts and error.fault != "internal":
        level: Level = "ERROR" if error.fault == "auth" else "WARN"  # a key that is refused is for us to mend
        upstream = call.served_by.partition("/")[0]
        log.write(level, "upstream_error", request=call.id, upstream=upstream, fault=error.fault, detail=error.detail)
