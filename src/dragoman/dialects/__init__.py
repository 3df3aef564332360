"""Floor 2: the wire formats, a folder each; nothing here does I/O.

Registration is one line in `INBOUND` (faces clients) or `OUTBOUND` (faces upstreams): name → module and attribute.
"""

from __future__ import annotations

from importlib import import_module

from dragoman.core.ports import Inbound, Outbound

INBOUND = {
    "openai_chat": "dragoman.dialects.openai_chat.inbound",
    "openai_completions": "dragoman.dialects.openai_completions.inbound",
}
OUTBOUND = {
    "openai_chat": "dragoman.dialects.openai_chat.outbound",
    "openai_completions": "dragoman.dialects.openai_completions.outbound",
}


def inbound(name: str) -> Inbound:
    """Return the client side of dialect `name`, imported when first asked for."""
    side: Inbound = import_module(INBOUND[name]).INBOUND
    return side


def outbound(name: str) -> Outbound:
    """Return the upstream side of dialect `name`, imported when first asked for."""
    side: Outbound = import_module(OUTBOUND[name]).OUTBOUND
    return side
