"""What a file is by its first bytes, whatever its name and its sender say of it."""

from __future__ import annotations

import re

IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
AUDIO = frozenset({"audio/wav", "audio/mpeg", "audio/mp4", "audio/ogg", "audio/flac"})
VIDEO = frozenset({"video/mp4", "video/webm", "video/ogg"})
DOCUMENTS = frozenset({"application/pdf"})

_MAGIC = [
    ("image/png", rb"\x89PNG\r\n\x1a\n"),
    ("image/jpeg", rb"\xff\xd8\xff"),
    ("image/gif", rb"GIF8[79]a"),
    ("image/webp", rb"RIFF.{4}WEBP"),
    ("application/pdf", rb"%PDF-[0-9]"),
    ("audio/wav", rb"RIFF.{4}WAVE"),
    # With a tag before it, or a frame of layer III with a version and a bit rate that exist.
    ("audio/mpeg", rb"ID3[\x02-\x04]|\xff[\xe2\xe3\xf2\xf3\xfa\xfb][\x10-\xef]"),
    ("audio/mp4", rb".{4}ftypM4[AB] "),
    # Not every file of this family: HEIC and AVIF are pictures, `qt` is QuickTime.
    ("video/mp4", rb".{4}ftyp(?:iso[m2-9]|mp4[12]|mp71|avc1|M4V |dash|MSNV)"),
    ("video/webm", rb"\x1a\x45\xdf\xa3.{0,40}?\x42\x82\x84webm"),
    ("audio/ogg", rb"OggS.{24}(?:OpusHead|\x01vorbis|\x7fFLAC|Speex   )"),
    ("video/ogg", rb"OggS.{24}\x80theora"),
    ("audio/flac", rb"fLaC"),
]
_KNOWN = [(media_type, re.compile(magic, re.DOTALL)) for media_type, magic in _MAGIC]


def sniff(data: bytes) -> str | None:
    """Return the media type of `data`, or None for anything but the types named above.

    Source: WHATWG MIME Sniffing; ISO 14496-12 for brands, RFC 3533 for Ogg pages, ISO 11172-3 for frames of MP3.
    """
    return next((media_type for media_type, magic in _KNOWN if magic.match(data)), None)
