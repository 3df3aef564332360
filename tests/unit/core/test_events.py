import msgspec
from msgspec import Raw

from dragoman.core.events import (
    Event,
    Finish,
    Media,
    Note,
    Refusal,
    Replace,
    Start,
    Text,
    Thinking,
    ToolDelta,
    Usage,
    Vector,
)

EVERY: list[Event] = [
    Start("a-1", "m-1", 5),
    Text("Hi", 1, Raw(b'{"content":null}')),
    Refusal("no"),
    Thinking("hm", 0, "proof"),
    Thinking("", 0, "sealed", redacted=True),
    ToolDelta(0, "{}", "call_a", "weather", extra=Raw(b"[1]")),
    Media("image/png", url="https://example.com/a.png"),
    Replace("anew"),
    Vector(0, Raw(b"[0.5]")),
    Note("suggested_reply", "More?"),
    Finish("stop", stop="END"),
    Usage(9, 4, 2, 1, estimated=True, cache_write=3),
]


def test_every_event_can_be_written_down_and_read_again() -> None:
    assert msgspec.json.decode(msgspec.json.encode(EVERY), type=list[Event]) == EVERY


def test_what_an_event_does_not_say_is_absent() -> None:
    assert msgspec.json.encode(Text("Hi")) == b'{"type":"Text","text":"Hi","choice":0}'
    assert msgspec.json.encode(Thinking("hm")) == b'{"type":"Thinking","text":"hm","choice":0,"redacted":false}'
