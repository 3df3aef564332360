"""How many requests an upstream still takes, as the headers of its responses tell.

Two families of headers say the same: ``x-ratelimit-{limit,remaining,reset}-requests`` and
``anthropic-ratelimit-requests-{limit,remaining,reset}``. They differ in what `reset` looks like:

- Poe writes seconds (``37``): a window ends then, and all requests come back at once;
- OpenAI writes a duration (``1s``, ``6m0s``, ``20ms``), Anthropic a time (RFC 3339): a bucket is full again then, and
  requests come back one by one until it is.

Only `remaining` is needed. Whatever cannot be read counts as not told. Sources: Poe API guide, "Rate limits"; OpenAI
API reference, "Rate limits"; Anthropic API reference, "Rate limits" (all 2026).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from msgspec import Struct

MINUTE = 60.0
"""Seconds to which a rate refers where no `reset` says otherwise."""
_FAMILIES = (
    ("x-ratelimit-remaining-requests", "x-ratelimit-limit-requests", "x-ratelimit-reset-requests"),
    (
        "anthropic-ratelimit-requests-remaining",
        "anthropic-ratelimit-requests-limit",
        "anthropic-ratelimit-requests-reset",
    ),
)
_COUNT = re.compile(r"[0-9]{1,9}")
_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_NUMBER = r"([0-9]{1,9}(?:\.[0-9]{1,9})?)"
_DURATION = re.compile(rf"(?:{_NUMBER}d)?(?:{_NUMBER}h)?(?:{_NUMBER}m)?(?:{_NUMBER}s)?(?:{_NUMBER}ms)?")
_UNITS = (86_400.0, 3_600.0, 60.0, 1.0, 0.001)


class Quota(Struct, frozen=True):
    """What is left of a rate."""

    remaining: int
    """Requests that may be made before `seconds` are over."""
    limit: int = 0
    """Requests that may be made when all is there again; 0: not told."""
    seconds: float = MINUTE
    """Until all is there again."""
    drips: bool = False
    """Whether requests come back one by one until then, rather than all at the end."""


def read_quota(headers: Mapping[str, str], epoch: Callable[[], float]) -> Quota | None:
    """Return what is left, None when the headers (names in lower case) do not say; `epoch` gives seconds since 1970."""
    for remaining, limit, reset in _FAMILIES:
        told = headers.get(remaining)
        if told is not None and (count := _read_count(told)) is not None:
            seconds, drips = _read_reset(headers.get(reset, "").strip(), epoch)
            return Quota(count, _read_count(headers.get(limit, "")) or 0, seconds, drips)
    return None


def _read_count(text: str) -> int | None:
    text = text.strip()
    return int(text) if _COUNT.fullmatch(text) else None


def _read_reset(text: str, epoch: Callable[[], float]) -> tuple[float, bool]:
    """Return the seconds, and whether requests come back one by one."""
    if _SECONDS.fullmatch(text):
        return float(text), False
    if text and (parts := _DURATION.fullmatch(text)):
        return sum(float(part) * unit for part, unit in zip(parts.groups("0"), _UNITS, strict=True)), True
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return MINUTE, False
    if time.tzinfo is None:  # nobody knows whose time it is
        return MINUTE, False
    return max(0.0, time.timestamp() - epoch()), True
