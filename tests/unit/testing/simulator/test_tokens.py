"""Text in token-like pieces."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from dragoman.core import message as msg
from dragoman.testing.simulator.tokens import DOCUMENT, IMAGE, SOUND, TURN, count, count_parts, count_request, cut


@given(st.text())
def test_joined_pieces_give_the_text_back(text: str) -> None:
    assert "".join(cut(text)) == text


@given(st.text(min_size=1))
def test_no_piece_is_empty_or_long(text: str) -> None:
    assert all(0 < len(piece) <= 8 or set(piece) == {"_"} for piece in cut(text))


def test_words_keep_the_space_before_them() -> None:
    assert cut("Hello there, world!") == ["Hello", " there", ",", " world", "!"]


def test_long_words_numbers_and_other_scripts_are_several_tokens() -> None:
    assert count("internationalisation") == 3
    assert count("123456") == 2
    assert count("你好世界") == 2


def test_media_count_a_fixed_number() -> None:
    parts: list[msg.Part] = [
        msg.Image("data:image/png;base64,AAAA"),
        msg.Audio("AAAA", "wav"),
        msg.Video("https://example.com/v.mp4"),
        msg.File("data:application/pdf;base64,AAAA"),
    ]
    assert count_parts(parts) == IMAGE + 2 * SOUND + DOCUMENT


def test_calls_and_results_of_tools_count() -> None:
    call = msg.ToolCall("c", "add", '{"a":1}')
    result = msg.ToolResult("c", [msg.Text("3")])
    assert count_parts([call]) == TURN + count("add") + count('{"a":1}')
    assert count_parts([result]) == TURN + 1


def test_a_prompt_counts_turns_tools_and_the_schema_of_the_answer() -> None:
    turns = [msg.Message("user", [msg.Text("Hello there")])]
    plain = count_request(msg.Request("m", turns))
    assert plain == TURN + 2
    schema = Raw(b'{"type":"object"}')
    tool = msg.Tool("add", "Add numbers", schema)
    assert count_request(msg.Request("m", turns, tools=[tool])) > plain
    assert count_request(msg.Request("m", turns, format=msg.Format("schema", schema=schema))) > plain
