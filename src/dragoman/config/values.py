"""What a single value of the configuration may be: each type with the words in which a mistake is told."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from msgspec import Meta

Port = Annotated[int, Meta(ge=0, le=65535, description="port, 0 to 65535")]
Count = Annotated[int, Meta(ge=1, description="whole number above 0")]
Size = Annotated[int, Meta(ge=1, description="bytes")]
Seconds = Annotated[float, Meta(gt=0, le=86_400, description="seconds")]
Delay = Annotated[float, Meta(ge=0, le=86_400, description="seconds")]
Lifetime = Annotated[float, Meta(gt=0, le=3_153_600_000, description="seconds")]
Rate = Annotated[float, Meta(gt=0, le=1_000_000, description="number above 0")]
Host = Annotated[str, Meta(pattern=r"^[0-9A-Za-z_.:%-]+$", description="host name or IP address")]
Url = Annotated[
    str,
    Meta(
        pattern=r"^https?://([0-9A-Za-z_.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[!-\"$->@-~]*)?$",
        description="http or https URL without user, query and fragment",
    ),
]
StoreUrl = Annotated[
    str, Meta(pattern=r"^sqlite://(/[ -~]+)?$", description="sqlite:/// and a path, or sqlite:// alone")
]
Name = Annotated[str, Meta(pattern=r"^[0-9A-Za-z_.-]{1,64}$", description="name of 1 to 64 letters, digits, _ . -")]
ModelName = Annotated[
    str, Meta(pattern=r"^[!-~]{1,256}$", description="model name of 1 to 256 printable ASCII characters without spaces")
]
Served = Annotated[str, Meta(pattern=r"^([!-)+-~]{1,256}|\*)$", description="model name, or * alone")]
Target = Annotated[str, Meta(pattern=r"^[0-9A-Za-z_.-]{1,64}/[!-~]{1,256}$", description="upstream/model")]
Pattern = Annotated[str, Meta(pattern=r"^([!-)+-~]{1,256}\*?|\*)$", description="model name that may end in *")]
Hash = Annotated[str, Meta(pattern=r"^sha256:[0-9a-f]{64}$", description="sha256: and 64 hexadecimal digits")]
Version = Annotated[str, Meta(pattern=r"^[0-9]+(\.[0-9]+)*$", description="digits and dots")]
Origin = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9+.-]*://[!-)+-~]*\*?$", description="origin that may end in *")]
MicroUsd = Annotated[int, Meta(ge=0, description="micro-USD, 0 or more")]
HeaderName = Annotated[str, Meta(pattern=r"^[0-9A-Za-z_-]{1,64}$", description="name of a header")]
CaFile = Annotated[str, Meta(min_length=1, description="path of a PEM file")]
Endpoint = Literal["chat", "responses", "completions", "embeddings", "images", "videos", "audio", "moderations"]


class Secret:
    """A text that no message, log line or dump shows; `reveal` gives it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself, for the one header it is meant for."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


Proxy = Annotated[Secret, Meta(description="http://, socks5:// or socks5h:// URL, or a secret")]
"""Where a proxy is, perhaps with user and password."""
HeaderValue = Annotated[Secret, Meta(description="text of one line, or a secret")]
PROXY = re.compile(r"(http|socks5h?)://([^\s/@]*@)?([0-9A-Za-z_.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?")
"""What the URL of a proxy looks like; its user and password are percent-encoded."""
