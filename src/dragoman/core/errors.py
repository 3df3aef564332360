"""Everything that can go wrong, once.

DragomanError                  500  ours, always a bug
├── BadRequest                 400  the client's request is malformed
│   └── LossRefused            400  part of the request would be lost on its way, and the client wants all or nothing
├── Unauthenticated            401  the client's key is missing or wrong
├── Forbidden                  403  the key may not do this
├── NotFound                   404  no such path or thing
│   ├── ModelNotFound          404  no model by that name; another target may know it
│   └── TaskNotServed          404  the model's upstream has no endpoint for what is asked
├── MethodNotAllowed           405  the path exists, the method does not
├── RequestTimeout             408  the client did not finish its request in time
├── TooLarge                   413  a request body over the limit
├── UriTooLong                 414  a request target over the limit
├── UnsupportedMediaType       415  a body that is not what the endpoint reads
├── ExpectationFailed          417  an `Expect` other than 100-continue
├── HeadTooLarge               431  a request head over a limit
├── RateLimited                429  a limit of ours or of the upstream
├── Overloaded                 503  no room here, or the upstream says it has none
└── UpstreamError              502  the upstream failed (5xx)
    ├── UpstreamUnavailable    502  no connection, or it broke before the first byte
    ├── UpstreamTimeout        504  the upstream is too slow
    ├── UpstreamAuth           502  the upstream refuses our key, or our credit there is spent
    ├── UpstreamRejected       4xx  the upstream calls the request wrong
    ├── UpstreamInvalid        502  the upstream broke the protocol or its own dialect
    ├── UpstreamIncomplete     502  the upstream stopped before it was done
    └── UpstreamTooLarge       502  the upstream sent more than we are willing to hold
"""

from __future__ import annotations

from typing import ClassVar, Literal

Retry = Literal["never", "elsewhere", "once", "again"]
"""Whether to ask again: never; only another target; the same upstream (once, or as often as allowed), then another."""


class DragomanError(Exception):
    """Base of every error a client may see; a dialect turns it into its own error body."""

    status: int = 500
    """HTTP status for the client."""
    code: str | None = "internal_error"
    """Machine-readable reason, the `error.code` of OpenAI's dialect."""
    retry: Retry = "never"
    fault: str = "internal"
    """Class of the fault in the log, a short fixed word."""

    default: ClassVar[str] = "an internal error occurred"

    def __init__(
        self,
        message: str = "",
        *,
        param: str | None = None,
        code: str | None = None,
        fault: str | None = None,
        retry_after: float | None = None,
        detail: str = "",
    ) -> None:
        self.message = message or self.default
        """For the client: what is wrong and which field; never upstream text."""
        super().__init__(self.message)
        self.param = param
        """JSON path of the offending field, e.g. ``messages[0].content``."""
        if code is not None:
            self.code = code
        if fault is not None:
            self.fault = fault
        self.retry_after = retry_after
        """Seconds."""
        self.detail = detail
        """For the log only: what the upstream said, cut and redacted."""


class BadRequest(DragomanError):
    """The client's request is malformed."""

    status = 400
    code: str | None = None
    fault = "bad_request"
    default = "the request is malformed"


class LossRefused(BadRequest):
    """Part of the request cannot be carried to this upstream, and the call is strict; another target may take it."""

    code = "lossy_translation"
    retry = "elsewhere"
    fault = "lossy"
    default = "part of the request would be lost"


class Unauthenticated(DragomanError):
    """The client's key is missing or wrong."""

    status = 401
    code = "invalid_api_key"
    fault = "unauthenticated"
    default = "incorrect API key provided"


class Forbidden(DragomanError):
    """The key may not do this."""

    status = 403
    code = "model_not_allowed"
    fault = "forbidden"
    default = "this key may not do this"


class NotFound(DragomanError):
    """No such path, or no such thing."""

    status = 404
    code = "unknown_url"
    fault = "not_found"
    default = "unknown request URL"


class ModelNotFound(NotFound):
    """No model by that name, here or at the upstream."""

    code = "model_not_found"
    retry = "elsewhere"
    default = "the model does not exist"


class TaskNotServed(NotFound):
    """The model exists, but its upstream has no endpoint for what is asked of it."""

    code = "endpoint_not_served"
    retry = "elsewhere"
    default = "no upstream of this model has such an endpoint"


class MethodNotAllowed(DragomanError):
    """The path exists, the method does not."""

    status = 405
    code = "method_not_supported"
    fault = "bad_request"
    default = "the method is not supported here"


class RequestTimeout(DragomanError):
    """The client did not finish its request in time."""

    status = 408
    code = "request_timeout"
    fault = "client_timeout"
    default = "the request did not arrive in time"


class TooLarge(DragomanError):
    """The request body is over the limit."""

    status = 413
    code = "request_too_large"
    fault = "too_large"
    default = "the request body is too large"


class UriTooLong(DragomanError):
    """The request target is over the limit."""

    status = 414
    code = "uri_too_long"
    fault = "too_large"
    default = "the request target is too long"


class UnsupportedMediaType(DragomanError):
    """The body is not what the endpoint reads, or it is compressed."""

    status = 415
    code = "unsupported_content_type"
    fault = "bad_request"
    default = "the body must be application/json"


class ExpectationFailed(DragomanError):
    """The client expects something other than 100-continue."""

    status = 417
    code = "expectation_failed"
    fault = "bad_request"
    default = "only the expectation 100-continue is supported"


class HeadTooLarge(DragomanError):
    """The request head, one of its headers or their number is over the limit."""

    status = 431
    code = "headers_too_large"
    fault = "too_large"
    default = "the request head is too large"


class RateLimited(DragomanError):
    """A limit of ours or of the upstream was hit."""

    status = 429
    code = "rate_limit_exceeded"
    retry: Retry = "again"
    fault = "rate_limited"
    default = "the rate limit is reached"


class Overloaded(DragomanError):
    """There is no room for the call, here or upstream."""

    status = 503
    code = "upstream_overloaded"
    retry = "again"
    fault = "overloaded"
    default = "the upstream is overloaded"


class UpstreamError(DragomanError):
    """The upstream failed: a 5xx, or an error where an answer was due."""

    status = 502
    code: str | None = "upstream_error"
    retry: Retry = "again"
    fault = "5xx"
    default = "the upstream failed"


class UpstreamUnavailable(UpstreamError):
    """No connection to the upstream, or it broke before the first byte of a response."""

    code = "upstream_unavailable"
    fault = "connect"
    default = "the upstream cannot be reached"


class UpstreamTimeout(UpstreamError):
    """The upstream did not connect, begin, go on or end in time."""

    status = 504
    code = "upstream_timeout"
    retry: Retry = "again"
    fault = "timeout"
    default = "the upstream did not answer in time"


class UpstreamAuth(UpstreamError):
    """The upstream refuses our key, or our credit there is spent: the operator's problem, not the client's."""

    code = "upstream_auth"
    retry = "elsewhere"
    fault = "auth"
    default = "the gateway's credentials were refused upstream"


class UpstreamRejected(UpstreamError):
    """The upstream calls the request wrong; its status (400, 409, 413 or 422), code and param are kept."""

    status = 400
    code: str | None = None
    retry: Retry = "never"
    fault = "rejected"
    default = "the upstream rejected the request"


class UpstreamInvalid(UpstreamError):
    """The upstream broke HTTP, or what it sent is not its own dialect."""

    code = "upstream_invalid"
    retry: Retry = "elsewhere"
    fault = "invalid"
    default = "the upstream sent an invalid response"


class UpstreamIncomplete(UpstreamError):
    """The upstream stopped before it was done."""

    code = "upstream_incomplete"
    fault = "incomplete"
    default = "the upstream stopped before its answer was complete"


class UpstreamTooLarge(UpstreamError):
    """The upstream sent more than we are willing to hold."""

    code = "upstream_too_large"
    retry = "elsewhere"
    fault = "too_large"
    default = "the upstream's answer is too large"
