"""Poe's errors, in its three envelopes. Source: Poe's guide and errors page; live bodies of 401 and 402, 2026."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

from dragoman.testing.simulator.script import Script, play_at_once
from dragoman.wire.json import encode

KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "insufficient_credits",
    403: "moderation_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "provider_error",
    502: "upstream_error",
    503: "overloaded_error",
    529: "overloaded_error",
}
"""Status → documented `type`."""
_OFTEN = frozenset({429, 503})
"""Those that say when to come back."""
_PAGE = b"<!doctype html><html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


class Detail(Struct, omit_defaults=True):
    """The error object."""

    message: str
    type: str
    param: str | UnsetType = UNSET
    code: str | int | UnsetType = UNSET


class _Body(Struct):
    error: Detail


class _AnthropicBody(Struct, tag="error", tag_field="type"):
    error: Detail


class Refused(Exception):
    """A request that Poe refuses."""

    def __init__(self, status: int, message: str, *, code: str | int | None = None, param: str = "", kind: str = ""):
        super().__init__(message)
        self.status = status
        self.detail = Detail(
            message, kind or KINDS.get(status, "api_error"), param or UNSET, UNSET if code is None else code
        )
        self.wait = 1 if status in _OFTEN else 0
        """Seconds after which to come back; 0 = Poe does not say."""
        self.page = False
        """Whether it is told by a proxy in front of Poe, as a web page."""


def refuse_key() -> Refused:
    """Return what is said to a wrong key."""
    message = "Incorrect API key provided. You can find your API key at https://poe.com/api/keys."
    return Refused(401, message, code="invalid_api_key")


def refuse_spent() -> Refused:
    """Return what is said to an account without points."""
    message = "You've used up your points! Visit https://poe.com/api/keys to get more."
    return Refused(402, message, code="insufficient_quota", kind="insufficient_quota")


def refuse_rate(wait: int) -> Refused:
    """Return what is said to a user with too many requests, `wait` seconds before there is room again."""
    refused = Refused(429, "Rate limit exceeded: too many requests per minute.", code="rate_limit_exceeded")
    refused.wait = wait
    return refused


def tell(refused: Refused, *, anthropic: bool = False) -> Script:
    """Return the response that says no."""
    if refused.page:
        return play_at_once(refused.status, [("content-type", "text/html; charset=utf-8")], _PAGE)
    body = encode(_AnthropicBody(refused.detail) if anthropic else _Body(refused.detail))
    headers = [("content-type", "application/json")]
    if refused.wait:
        headers.append(("retry-after", str(refused.wait)))
    return play_at_once(refused.status, headers, body)


def write_break(refused: Refused, *, named: bool) -> bytes:
    """Return the frame that breaks a stream of chat completions; `named`: as an event called ``error``."""
    return (b"event: error\n" if named else b"") + b"data: %b\n\n" % encode(_Body(refused.detail))
