"""Forms with files (``multipart/form-data``), without I/O: read strictly, edited without touching any other byte.

What two readers might read differently is refused: text before the first boundary or behind the last, folded header
lines, a boundary that goes on, a parameter that is there twice.
Source: RFC 7578, RFC 2046 §5.1; WHATWG HTML, "multipart form data" (names hold ``%22``, ``%0D`` and ``%0A``).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from msgspec import Struct

from dragoman.core.errors import BadRequest

MAX_PARTS = 256
"""Fields and files of one form."""
MAX_HEAD = 8 * 1024
"""Bytes of the header lines of one part."""
MAX_TEXT = 1024 * 1024
"""Bytes of a field that is no file."""
_BOUNDARY = re.compile(
    r'[^;]+;(?:[^;"]*;)*[ \t]*boundary=(?:"([^"]{1,70})"|([^\s";,]{1,70}))[ \t]*(?:;.*)?', re.IGNORECASE
)
_ALLOWED = re.compile(r"[0-9A-Za-z'()+_,./:=? -]*[0-9A-Za-z'()+_,./:=?-]")
_LINE = re.compile(r"([!#-'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\r\n\0]*)")
_PARAMETER = re.compile(r'[ \t]*;[ \t]*([0-9A-Za-z_*-]+)=("(?:[^"\\]|\\.)*"|[^\s";]+)')
_ESCAPED = re.compile(r'\\(["\\])|%(22|0D|0A)', re.IGNORECASE)


class Part(Struct, frozen=True):
    """One field or file: where it stands in its form."""

    name: str
    file: str | None
    """The name of the file; None for a field."""
    media_type: str
    begin: int
    """Where its boundary begins."""
    start: int
    """Where its content begins."""
    stop: int


class Form(Struct, frozen=True):
    """A whole form."""

    body: bytes
    parts: list[Part]
    end: int
    """Where the last boundary begins."""

    def data(self, part: Part) -> bytes:
        """Return the content of a part."""
        return self.body[part.start : part.stop]

    def text(self, part: Part) -> str:
        """Return a field as text; raises `BadRequest` when it is none, or too long."""
        if part.stop - part.start > MAX_TEXT:
            raise BadRequest(f"invalid '{part.name}': too long", param=part.name, code="invalid_value")
        try:
            return self.data(part).decode()
        except UnicodeDecodeError:
            raise BadRequest(f"invalid '{part.name}': not UTF-8", param=part.name, code="invalid_value") from None

    def edit(self, values: Mapping[str, str], without: Collection[str]) -> bytes:
        """Return the form with the content of some fields set and others left out, every other byte as it was."""
        pieces: list[bytes | memoryview] = []
        whole, at = memoryview(self.body), 0
        ends = [*(part.begin for part in self.parts[1:]), self.end]
        for part, end in zip(self.parts, ends, strict=True):
            if part.name in without:
                pieces.append(whole[at : part.begin])
                at = end
            elif part.name in values:
                pieces += (whole[at : part.start], values[part.name].encode())
                at = part.stop
        return b"".join([*pieces, whole[at:]])


def read_form(body: bytes, content_type: str) -> Form:
    """Return the parts of a form, given its content type; raises `BadRequest`."""
    mark = b"--" + _read_boundary(content_type)
    if not body.startswith(mark):
        raise _broken("it does not begin with its boundary")
    parts: list[Part] = []
    begin = 0
    while True:
        after = begin + len(mark)
        if body[after : after + 2] == b"--":
            if body[after + 2 :] not in (b"", b"\r\n"):
                raise _broken("something follows its end")
            return Form(body, parts, begin)
        if len(parts) == MAX_PARTS:
            raise _broken(f"more than {MAX_PARTS} parts")
        part = _read_part(body, mark, begin, after)
        parts.append(part)
        begin = part.stop + 2


def _read_part(body: bytes, mark: bytes, begin: int, after: int) -> Part:
    """Read the part whose boundary stands from `begin` to `after`."""
    if body[after : after + 2] != b"\r\n":
        raise _broken("a boundary is not alone on its line")
    head = body.find(b"\r\n\r\n", after, after + MAX_HEAD + 6)
    if head < 0:
        raise _broken(f"a part without header lines, or more than {MAX_HEAD} bytes of them")
    stop = body.find(b"\r\n" + mark, head + 4)
    if stop < 0:
        raise _broken("it ends before its last boundary")
    name, file, media_type = _read_head(body[after + 2 : head])
    return Part(name, file, media_type, begin, head + 4, stop)


def _read_head(head: bytes) -> tuple[str, str | None, str]:
    """Return name, file name and media type."""
    headers: dict[str, str] = {}
    try:
        lines = head.decode().split("\r\n")
    except UnicodeDecodeError:
        raise _broken("a header line is not UTF-8") from None
    for line in lines:
        found = _LINE.fullmatch(line)
        if found is None or found[1].lower() in headers:
            raise _broken("a header line is malformed, or there twice")
        headers[found[1].lower()] = found[2].strip()
    kind, parameters = _read_disposition(headers.get("content-disposition", ""))
    if kind != "form-data" or not parameters.get("name"):
        raise _broken("a part has no name")
    file = parameters.get("filename", parameters.get("filename*"))
    return parameters["name"], file, headers.get("content-type", "")


def _read_disposition(text: str) -> tuple[str, dict[str, str]]:
    kind, semicolon, rest = text.partition(";")
    parameters: dict[str, str] = {}
    rest = semicolon + rest
    while rest:
        found = _PARAMETER.match(rest)
        if found is None or found[1].lower() in parameters:
            raise _broken("a content-disposition is malformed")
        parameters[found[1].lower()] = _unquote(found[2])
        rest = rest[found.end() :].rstrip(" \t")
    return kind.strip().lower(), parameters


def _unquote(value: str) -> str:
    if value[:1] != '"':
        return value
    return _ESCAPED.sub(lambda found: found[1] or chr(int(found[2], 16)), value[1:-1])


def _read_boundary(content_type: str) -> bytes:
    found = _BOUNDARY.fullmatch(content_type)
    boundary = (found[1] or found[2]) if found is not None else ""
    if not _ALLOWED.fullmatch(boundary):
        raise _broken("its content type names no boundary")
    return boundary.encode()


def _broken(reason: str) -> BadRequest:
    return BadRequest(f"the form cannot be read: {reason}", code="invalid_form")
