"""What is said of an answer's items, whichever of its events are there."""

from __future__ import annotations

import pytest
from msgspec import Raw

from dragoman.core import events as ev
from dragoman.core.errors import UpstreamInvalid
from dragoman.dialects.openai_responses.said import MAX_TOOLS, Said
from tests.unit.dialects.openai_responses.said_words import function, message

REASONING = (
    b'{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"One"},{"text":"Two"}],'
    b'"encrypted_content":"S"}'
)
THOUGHTS = (
    b'{"type":"reasoning","id":"rs_1","summary":[{"text":"Short"}],"content":[{"type":"reasoning_text","text":"Long"}]}'
)
CUSTOM = b'{"id":"ctc_1","type":"custom_tool_call","name":"x","namespace":"n","call_id":"c","input":"a\\"b"}'
PICTURE = b'{"id":"ig_1","type":"image_generation_call","result":"AAAA","output_format":"webp"}'


def test_a_whole_item_is_said_once() -> None:
    said = Said()
    for _ in range(2):
        said.end(0, Raw(REASONING))
        said.end(1, Raw(message(b"Hello")))
        said.end(2, Raw(function(b'"{\\"a\\":1}"')))
        said.end(3, Raw(CUSTOM))
        said.end(4, Raw(PICTURE))
    assert said.called
    assert said.events == [
        ev.Thinking("One"),
        ev.Thinking("\n\nTwo"),
        ev.Thinking("", signature="S"),
        ev.Text("Hello"),
        ev.ToolDelta(0, "", "call_a", "f"),
        ev.ToolDelta(0, '{"a":1}'),
        ev.ToolDelta(1, '{"input":"', "c", "n__x"),
        ev.ToolDelta(1, 'a\\"b'),
        ev.ToolDelta(1, '"}'),
        ev.Media("image/webp", "AAAA"),
    ]


def test_a_reasoning_is_told_as_it_went_or_as_a_summary_and_never_as_both() -> None:
    said = Said()
    said.end(0, Raw(THOUGHTS))
    said.say("summary", 0, 0, "Short")
    assert said.events == [ev.Thinking("Long")]
    said = Said()
    said.say("summary", 0, 0, "Sh")
    said.end(0, Raw(THOUGHTS))
    assert said.events == [ev.Thinking("Sh"), ev.Thinking("ort")]


def test_refusals_and_texts_without_a_text_are_parts_of_a_message() -> None:
    said = Said()
    parts = b'{"type":"output_text"},{"type":"refusal","refusal":"No"},{"type":"refusal"}'
    said.end(0, Raw(b'{"type":"message","content":[%b]}' % parts))
    said.end(1, Raw(b'{"type":"message"}'))
    said.end(2, Raw(b'{"type":"web_search_call","id":"w"}'))
    assert said.events == [ev.Refusal("No")]


def test_only_what_is_new_is_said() -> None:
    said = Said()
    said.say("text", 0, 0, "Hel")
    said.rest("text", 0, 0, "Hello")
    said.rest("text", 0, 0, "Hello")
    said.say("text", 0, 0, "")
    said.say("refusal", 0, 0, "")
    assert said.events == [ev.Text("Hel"), ev.Text("lo")]


def test_probabilities_come_with_their_piece_or_with_the_whole() -> None:
    likely = Raw(b'[{"token":"a","logprob":-1}]')
    said = Said()
    said.say("text", 0, 0, "", likely)
    said.rest("text", 0, 1, "b", likely)
    said.rest("text", 0, 1, "bc", likely)
    assert [event.logprobs is not ev.Text("").logprobs for event in said.events if isinstance(event, ev.Text)] == [
        True,
        True,
        False,
    ]


def test_arguments_wait_for_the_name_of_their_tool() -> None:
    said = Said()
    said.begin(0, Raw(function(b'""', b"null")))
    said.say("arguments", 0, 0, '{"a"')
    assert said.events == []
    said.end(0, Raw(function(b'{"a":1}', call=b"null")))
    said.say("arguments", 0, 0, "more")
    assert said.events == [ev.ToolDelta(0, "", "fc_1", "f"), ev.ToolDelta(0, '{"a":1}')]
    with pytest.raises(UpstreamInvalid):
        said.end(1, Raw(function(name=b"null")))


def test_a_call_begins_once_and_ends_with_the_response_at_the_latest() -> None:
    said = Said()
    said.begin(0, Raw(function(b'""')))
    said.begin(0, Raw(function(b'""')))
    said.begin(1, Raw(b'{"type":"custom_tool_call","name":"x"}'))
    said.say("input", 1, 0, "i")
    said.begin(2, Raw(message(b"")))
    said.finish([])
    assert said.events == [
        ev.ToolDelta(0, "", "call_a", "f"),
        ev.ToolDelta(1, '{"input":"', "call_1", "x"),
        ev.ToolDelta(1, "i"),
        ev.ToolDelta(0, "{}"),
        ev.ToolDelta(1, '"}'),
    ]


def test_there_is_an_end_to_the_number_of_calls() -> None:
    said = Said()
    for number in range(MAX_TOOLS):
        said.end(number, Raw(function()))
    with pytest.raises(UpstreamInvalid):
        said.end(MAX_TOOLS, Raw(function()))


def test_what_only_the_whole_response_tells_is_said_at_its_end() -> None:
    said = Said()
    said.finish([Raw(message(b"Hello")), Raw(function())])
    assert said.events[0] == ev.Text("Hello")
    assert said.called


def test_items_of_the_whole_are_known_by_their_ids() -> None:
    said = Said()
    said.begin(1, Raw(message(b"", b"msg_b")))
    said.say("text", 1, 0, "Hel")
    said.finish([Raw(message(b"Hello", b"msg_b"))])
    assert said.events == [ev.Text("Hel"), ev.Text("lo")]


def test_items_that_never_began_are_known_by_their_numbers() -> None:
    said = Said()
    said.say("text", 0, 0, "Hel")
    said.finish([Raw(message(b"Hello"))])
    assert said.events == [ev.Text("Hel"), ev.Text("lo")]


def test_items_whose_ids_change_are_not_said_twice() -> None:
    said = Said()
    said.begin(0, Raw(message(b"", b"msg_a")))
    said.say("text", 0, 0, "Hello")
    said.finish([Raw(message(b"Hello", b"msg_b")), Raw(PICTURE)])
    assert said.events == [ev.Text("Hello"), ev.Media("image/webp", "AAAA")]


def test_a_server_that_does_not_number_its_items_tells_one_after_the_other() -> None:
    said = Said()
    other = b'{"id":"fc_2","type":"function_call","name":"g","call_id":"call_b","arguments":"%b"}'
    said.begin(-1, Raw(function(b'""')))
    said.say("arguments", said.place(-1), 0, "{}")
    said.begin(-1, Raw(other % b""))
    said.end(-1, Raw(function()))
    said.say("arguments", said.place(-1), 0, "{}")
    said.end(-1, Raw(other % b"{}"))
    said.end(-1, Raw(message(b"Hello")))
    assert said.place(7) == 7
    assert Said().place(-1) == 0
    assert said.events == [
        ev.ToolDelta(0, "", "call_a", "f"),
        ev.ToolDelta(0, "{}"),
        ev.ToolDelta(1, "", "call_b", "g"),
        ev.ToolDelta(1, "{}"),
        ev.Text("Hello"),
    ]
