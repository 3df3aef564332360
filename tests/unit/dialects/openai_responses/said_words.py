"""The words of an upstream's stream: events as OpenAI writes them."""

from __future__ import annotations

import msgspec

from dragoman.core import events as ev

FALLBACK = ev.Start("resp_made", "upstream-model", 1_763_683_200)
START = ev.Start("resp_1", "m-1", 5)
BEGUN = b'{"id":"resp_1","object":"response","created_at":5.0,"model":"m-1","status":"in_progress","output":[]}'
USAGE = (
    b'{"input_tokens":9,"input_tokens_details":{"cached_tokens":4,"cache_write_tokens":1},"output_tokens":8,'
    b'"output_tokens_details":{"reasoning_tokens":3},"total_tokens":17}'
)
COUNTED = ev.Usage(9, 8, 4, 3, cache_write=1)


def frame(kind: str, members: bytes = b"", number: int = 0) -> bytes:
    """Return one event."""
    name = kind.encode()
    return b'event: %b\ndata: {"type":"%b",%b"sequence_number":%d}\n\n' % (
        name,
        name,
        members and members + b",",
        number,
    )


def created() -> bytes:
    """Return the event that begins a stream."""
    return frame("response.created", b'"response":%b' % BEGUN)


def delta(kind: str, text: str, at: int = 0, place: bytes = b"") -> bytes:
    """Return a piece of a text."""
    told = msgspec.json.encode(text)
    return frame(f"response.{kind}.delta", b'"output_index":%d%b,"delta":%b' % (at, place, told))


def item(event: str, at: int, told: bytes) -> bytes:
    """Return the event that begins or ends an item."""
    return frame(f"response.output_item.{event}", b'"output_index":%d,"item":%b' % (at, told))


def whole(output: bytes = b"", status: bytes = b"completed", more: bytes = b"") -> bytes:
    """Return a whole response."""
    return (
        b'{"id":"resp_1","object":"response","created_at":5,"model":"m-1","status":"%b","output":[%b],"usage":%b%b}'
        % (
            status,
            output,
            USAGE,
            more,
        )
    )


def completed(output: bytes = b"", more: bytes = b"", number: int = 9) -> bytes:
    """Return the event that ends a stream well."""
    return frame("response.completed", b'"response":%b' % whole(output, more=more), number)


def message(text: bytes, name: bytes = b"msg_1") -> bytes:
    """Return a message that says one text."""
    part = b'{"type":"output_text","text":"%b","annotations":[]}' % text
    return b'{"id":"%b","type":"message","role":"assistant","content":[%b]}' % (name, part)


def function(arguments: bytes = b'"{}"', name: bytes = b'"f"', call: bytes = b'"call_a"') -> bytes:
    """Return the call of a function."""
    return b'{"id":"fc_1","type":"function_call","name":%b,"call_id":%b,"arguments":%b}' % (name, call, arguments)
