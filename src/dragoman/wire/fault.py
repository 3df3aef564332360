"""What an upstream's failure means: one table from HTTP status to error, the same for every dialect.

Source: docs/errors.md (our rules for each fault); RFC 9110 §10.2.3 and OpenAI's `retry-after-ms` for the waits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from dragoman.core.errors import (
    DragomanError,
    ModelNotFound,
    Overloaded,
    RateLimited,
    UpstreamAuth,
    UpstreamError,
    UpstreamInvalid,
    UpstreamRejected,
    UpstreamTimeout,
)

MAX_DETAIL = 500
"""Characters of an upstream's own words that go to the log."""
_CODE = re.compile(r"[A-Za-z]+(?:[_.][A-Za-z]+)*|[0-9]{1,6}")
_PARAM = re.compile(r"[A-Za-z_]+[0-9]{0,3}(?:\.[A-Za-z_]+[0-9]{0,3}|\[[0-9]{1,5}\])*")
"""A path such as ``messages[0].content``; not the letters and digits of a key."""
_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{0,12})?")
_CODES = {"exceed_context_size_error": "context_length_exceeded"}
"""What some servers call by another name (llama.cpp); agents look for OpenAI's to shorten what they ask."""
_REJECTED = frozenset({400, 409, 413, 422})
_NO_MODEL = "model_not_found"
"""The code with which some servers refuse an unknown model as a wrong request."""
_AUTH = frozenset({401, 402, 403})
_TIMEOUT = frozenset({408, 504})
_NOT_IMPLEMENTED = 501
_OVERLOADED = frozenset({503, 529})


def read_fault(
    status: int, headers: Mapping[str, str], *, code: str = "", param: str = "", text: str = ""
) -> DragomanError:
    """Return the error that a response with `status` means; `code`, `param` and `text` are the upstream's words."""
    detail = f"{status} {text}"[:MAX_DETAIL]
    wait = read_retry_after(headers)
    if status == 404 or (status == 400 and code == _NO_MODEL):
        return ModelNotFound("the upstream does not know this model", param="model", detail=detail, fault="rejected")
    if status in _REJECTED:
        return _rejected(status, code, param, detail)
    if status in _AUTH:
        return UpstreamAuth(code="upstream_quota" if status == 402 else None, detail=detail)
    if status == 429:
        return RateLimited("the upstream's rate limit is reached", retry_after=wait, detail=detail)
    if status in _TIMEOUT:
        return UpstreamTimeout(detail=detail)
    if status in _OVERLOADED:
        return Overloaded(retry_after=wait, detail=detail)
    if status >= 500:
        error = UpstreamError(detail=detail)
        error.retry = "elsewhere" if status == _NOT_IMPLEMENTED else error.retry
        return error
    if status >= 400:
        return _rejected(400, code, param, detail)
    return UpstreamInvalid(
        f"the upstream answered with the unexpected status {status}", detail=detail, fault="protocol"
    )


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds an upstream asks us to wait, None when it does not say so clearly.

    `retry-after-ms` wins over `retry-after`, which is a number of seconds or a date (compared with the response's own
    `date`, so that no clock of ours is involved). Negative, infinite or unreadable values count as absent.
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        seconds = _read_number(headers.get(name))
        if seconds is not None:
            return seconds * unit
    return _read_date(headers.get("retry-after"), headers.get("date"))


def _rejected(status: int, code: str, param: str, detail: str) -> UpstreamRejected:
    """Keep the upstream's code and param when they look like a code and a path; all else stays in the log."""
    code = _CODES.get(code, "" if code == str(status) else code)  # a number says no more than the status does
    words = [word for word, form in ((code, _CODE), (param, _PARAM)) if len(word) <= 64 and form.fullmatch(word)]
    message = f"the upstream rejected the request ({', '.join(words)})" if words else ""
    error = UpstreamRejected(
        message, code=code if code in words else None, param=param if param in words else None, detail=detail
    )
    error.status = status
    return error


def _read_number(text: str | None) -> float | None:
    text = (text or "").strip()
    return float(text) if _NUMBER.fullmatch(text) else None


def _read_date(text: str | None, now: str | None) -> float | None:
    if text is None or now is None:
        return None
    try:
        seconds = (parsedate_to_datetime(text) - parsedate_to_datetime(now)).total_seconds()
    except (ValueError, TypeError):
        return None
    return seconds if seconds >= 0 else None
