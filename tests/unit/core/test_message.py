import msgspec

from dragoman.core.message import (
    Audio,
    File,
    Format,
    Image,
    Message,
    Part,
    Reasoning,
    Refusal,
    Request,
    Sampling,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Video,
)


def test_a_request_that_says_nothing_leaves_everything_to_the_upstream() -> None:
    request = Request("fast", [])
    assert (request.tools, request.tool_choice, request.parallel_tools, request.n, request.stream) == (
        [],
        None,
        None,
        1,
        False,
    )
    assert (request.sampling, request.reasoning, request.format) == (Sampling(), Reasoning(), Format())
    assert all(value in (None, []) for value in msgspec.structs.astuple(request.sampling))


def test_every_part_can_be_written_down_and_read_again() -> None:
    parts: list[Part] = [
        Text("Hi", {"cache": msgspec.Raw(b"1")}),
        Image("https://example.com/a.png", "low"),
        Audio("UklG", "wav"),
        Video("https://example.com/a.mp4"),
        File(id="file-1", name="a.pdf"),
        Thinking("hm", "proof"),
        ToolCall("call_a", "weather", "{}"),
        ToolResult("call_a", [Text("rain")], failed=True),
        Refusal("no"),
    ]
    turn = Message("assistant", parts)
    assert msgspec.json.decode(msgspec.json.encode(turn), type=Message) == turn


def test_parts_share_no_extra() -> None:
    one, other = Text("a"), Text("b")
    one.extra["cache"] = msgspec.Raw(b"1")
    assert other.extra == {}
