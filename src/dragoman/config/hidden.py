"""Texts that nobody else is to read: named instead of written, `$NAME` for a variable and `$file:/path` for a file.

What is wrong with one is told by `ValueError`, in words that show nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dragoman.config.values import PROXY

_FILE = "$file:"
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


def read_hidden(text: str, environ: Mapping[str, str]) -> str:
    """Return what `text` names, without the white space around it if that is a file; else `text` itself.

    Raises `ValueError` for what is not there. Reads files.
    """
    if text.startswith(_FILE):
        return _read_file(Path(text.removeprefix(_FILE)))
    return _read_variable(text[1:], environ) if text.startswith("$") else text


def read_key(text: str) -> str:
    """Return `text` if a key may look like it; raises `ValueError`."""
    if not text or not (text.isascii() and text.isprintable()) or " " in text:
        raise ValueError("expected printable ASCII without spaces")
    return text


def read_proxy(text: str) -> str:
    """Return `text` if the URL of a proxy may look like it; raises `ValueError`."""
    if not PROXY.fullmatch(text):
        raise ValueError("expected http://, socks5:// or socks5h:// and a host, perhaps with user and port")
    return text


def read_header(text: str) -> str:
    """Return the value of a header without the white space around it; raises `ValueError`."""
    if not (text.isascii() and text.isprintable()):
        raise ValueError("expected printable ASCII")
    return text.strip()


def _read_variable(name: str, environ: Mapping[str, str]) -> str:
    if not name or not _NAME.issuperset(name):
        raise ValueError("expected $NAME or $file:/path")
    if not environ.get(name):
        raise ValueError(f"the environment variable {name} is not set")
    return environ[name]


def _read_file(path: Path) -> str:
    if not path.is_absolute():
        raise ValueError(f"expected an absolute path after {_FILE}")
    try:
        return path.read_text("utf-8").strip()
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from None
    except ValueError:  # not UTF-8, or a null character in the path
        raise ValueError("the file is not text") from None
