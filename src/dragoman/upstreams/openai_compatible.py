"""Any server that speaks OpenAI's dialect: OpenAI itself, vLLM, llama.cpp, Poe, DashScope, OpenRouter, Groq, …"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from dragoman.dialects import outbound
from dragoman.net.reply import Patience
from dragoman.upstreams.http import Clock, HttpUpstream, Manners, Transport

ENDPOINTS = {"chat": "openai_chat", "completions": "openai_completions"}
"""The endpoints such a server may have → the dialect that speaks to each."""


class Options(Struct, frozen=True):
    """How one such server differs from the others."""

    key: str = ""
    """Sent as a bearer token when there is one."""
    endpoints: Sequence[str] = ("chat",)
    patience: Patience = Patience()
    plain_first: float | None = None
    """Seconds to the first byte of a plain answer; None: only the total counts."""


def build(name: str, transport: Transport, clock: Clock, options: Options) -> HttpUpstream:
    """Return the upstream `name`."""
    dialects = [outbound(ENDPOINTS[endpoint]) for endpoint in sorted(options.endpoints)]  # chat first: it serves all
    manners = Manners(dialects, write_headers(options.key), options.patience, options.plain_first)
    return HttpUpstream(name, transport, manners, clock)


def write_headers(key: str) -> bytes:
    """Return the header lines of every request."""
    lines = b"content-type: application/json\r\naccept: application/json, text/event-stream\r\n"
    return lines + b"authorization: Bearer " + key.encode() + b"\r\n" if key else lines
