"""A request with some members more than it needs."""

from __future__ import annotations

import msgspec

from dragoman.core.call import Call
from dragoman.core.ports import Limits
from dragoman.dialects.anthropic_messages.inbound import read_call

LEAST: dict[str, object] = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}


def ask(**members: object) -> Call:
    """Return the call of the least request, with these `members` in addition or instead."""
    return read_call(msgspec.json.encode(LEAST | members), Limits())
