"""Whom we believe on the other side of TLS."""

from __future__ import annotations

import ssl
from pathlib import Path


def make_context(ca: Path | None = None) -> ssl.SSLContext:
    """Return what checks the certificates of servers: by the system's authorities and those in the PEM file `ca`.

    The file adds to the system's authorities and replaces none: an upstream that moves from a private certificate to a
    public one goes on working. Reads files, so it belongs before the loop, or into it once.
    Raises `ValueError` for a file that cannot be read or holds no certificate.
    """
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    if ca is not None:
        try:
            context.load_verify_locations(ca)
        except ssl.SSLError:
            raise ValueError("the CA file holds no certificate in PEM form") from None
        except OSError as error:
            raise ValueError(f"the CA file cannot be read: {error.strerror}") from None
    return context
