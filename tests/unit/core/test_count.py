from msgspec import Raw

from dragoman.core import message as msg
from dragoman.core.count import MEDIUM, TURN, count_request, count_text


def test_four_bytes_are_a_token_and_a_part_of_one_counts_whole() -> None:
    assert [count_text(text) for text in ("", "a", "four", "fives", "\u20ac\u20ac", "\ud800")] == [0, 1, 1, 2, 2, 1]


def test_all_that_a_request_says_is_counted() -> None:
    request = msg.Request(
        "m",
        [
            msg.Message("user", [msg.Text("abcd"), msg.Image("https://example.com/a.png")]),
            msg.Message("assistant", [msg.Thinking("abcd"), msg.ToolCall("c", "tool", "{}")]),
            msg.Message("tool", [msg.ToolResult("c", [msg.Text("abcdefgh")])]),
        ],
        tools=[msg.Tool("tool", "does", Raw(b"{}")), msg.Tool("bare")],
        format=msg.Format("schema", schema=Raw(b"true")),
    )
    assert count_request(request) == 3 * TURN + (1 + MEDIUM) + (1 + 1 + 1) + 2 + (2 + 1) + 1 + 1


def test_texts_to_embed_are_counted_and_tokens_are_what_they_are() -> None:
    assert count_request(msg.Request("m", [], inputs=["abcd", [1, 2, 3]])) == 1 + 3
