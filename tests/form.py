"""Forms as clients send them."""

from collections.abc import Sequence

TYPE = "multipart/form-data; boundary=b"
"""The content type of every form made here."""


def form(**fields: str | Sequence[str] | Sequence[str | bytes]) -> bytes:
    """Return a form: texts, lists of texts, and files, which are pairs of a name and bytes."""
    pieces: list[bytes] = []
    for name, value in fields.items():
        match value:
            case (str() as file, bytes() as data):
                pieces.append(_part(name, data, f'; filename="{file}"\r\nContent-Type: application/octet-stream'))
            case str():
                pieces.append(_part(name, value.encode()))
            case _:
                pieces += [_part(name, str(text).encode()) for text in value]
    return b"".join(pieces) + b"--b--\r\n"


def _part(name: str, data: bytes, more: str = "") -> bytes:
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode() + data + b"\r\n"
