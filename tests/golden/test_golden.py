"""Every conversation in the `.wire` files, cut in many ways: what is read, what is asked, what the client gets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import msgspec
import pytest
from msgspec.structs import replace
from openai import APIError, APIStatusError, OpenAI

from dragoman.core import message as msg
from dragoman.core.events import Event, Usage
from dragoman.core.fold import fold
from dragoman.dialects import INBOUND
from tests.golden.cutting import name_of, one_by_one, see_it_legal, see_the_same_at_every_cut
from tests.golden.play import MODEL, Played, play
from tests.golden.wirefile import Conversation, Section, read_file, read_folder
from tests.schema import mismatches

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion, ChatCompletionMessageParam

ALL = [conversation for dialect in INBOUND for conversation in read_folder(dialect)]
CHAT = read_folder("openai_chat")
STREAMS = [conversation for conversation in ALL if conversation.streams]
DEFINITIONS = {
    ("openai_chat", True): "CreateChatCompletionStreamResponse",
    ("openai_chat", False): "CreateChatCompletionResponse",
    ("openai_completions", True): "CompletionStreamChunk",
    ("openai_completions", False): "CreateCompletionResponse",
}


def test_every_dialect_has_its_standard_conversations() -> None:
    missing = {
        dialect: standard - {entry.name for entry in read_folder(dialect)} for dialect, standard in STANDARD.items()
    }
    assert not any(missing.values()), missing


STANDARD = {
    "openai_chat": {
        "text", "text_streamed", "tool_call", "parallel_tool_calls", "reasoning", "refusal", "structured_output",
        "image_in", "two_choices_interleaved", "usage_not_asked", "length", "error_before_stream", "error_in_stream",
    },
    "openai_completions": {
        "text", "text_streamed", "usage_not_asked", "two_choices_interleaved", "error_before_stream", "error_in_stream",
    },
}  # fmt: skip


@pytest.mark.parametrize("conversation", ALL, ids=name_of)
def test_a_conversation_goes_as_it_is_written_down(conversation: Conversation) -> None:
    played = play(conversation, one_by_one(conversation))
    expected = conversation.gets or conversation.answers
    assert played.events == read_events(conversation.events)
    assert (played.status, played.gets) == (expected.status, expected.body)


def read_events(lines: list[str]) -> list[Event]:
    return msgspec.json.decode(f"[{','.join(lines)}]", type=list[Event])


@pytest.mark.parametrize("conversation", ALL, ids=name_of)
def test_the_upstream_is_asked_in_the_clients_own_bytes(conversation: Conversation) -> None:
    asked = play(conversation, []).asked
    assert asked == (
        conversation.asked or conversation.asks.replace(b'"model":"fast"', b'"model":"%b"' % MODEL.encode())
    )


@pytest.mark.parametrize("conversation", STREAMS, ids=name_of)
def test_a_stream_survives_any_cut(conversation: Conversation) -> None:
    see_the_same_at_every_cut(conversation)


@pytest.mark.parametrize("conversation", ALL, ids=name_of)
def test_what_is_read_is_legal(conversation: Conversation) -> None:
    see_it_legal(conversation)


@pytest.mark.parametrize("conversation", ALL, ids=name_of)
def test_a_broken_answer_never_ends_in_a_success_marker(conversation: Conversation) -> None:
    played = play(conversation, one_by_one(conversation))
    assert (b"[DONE]" in played.gets) == (played.error is None and conversation.streams)
    if played.error is not None:
        assert not mismatches("ErrorResponse", frames(played.gets)[-1])
        assert b"10.0.0.7" not in played.gets


@pytest.mark.parametrize("conversation", ALL, ids=name_of)
def test_what_has_been_mended_needs_no_mending(conversation: Conversation) -> None:
    played = play(conversation, one_by_one(conversation))
    if played.error is None:
        again = replace(conversation, answers=replace(conversation.answers, body=played.gets))
        replayed = play(again, one_by_one(again))
        assert replayed.gets == played.gets
        assert [event for event in played.events if shows(conversation, event)] == replayed.events


def shows(conversation: Conversation, event: Event) -> bool:
    """Whether the client is told what this event says."""
    return not isinstance(event, Usage) or b'"usage":{' in play(conversation, []).gets.replace(
        b'"usage": {', b'"usage":{'
    )


@pytest.mark.parametrize("conversation", ALL, ids=name_of)
def test_what_is_written_anew_fits_the_published_schema(conversation: Conversation) -> None:
    definition = DEFINITIONS[conversation.dialect, conversation.streams]
    played = play(conversation, one_by_one(conversation), anew=True)
    for frame in frames(played.gets) if played.error is None else ():
        assert not mismatches(definition, frame), frame


@pytest.mark.parametrize("conversation", ALL, ids=name_of)
def test_what_is_written_anew_says_the_same(conversation: Conversation) -> None:
    played = play(conversation, one_by_one(conversation), anew=True)
    if played.error is None:
        again = replace(conversation, answers=replace(conversation.answers, body=played.gets))
        assert meaning(fold(play(again, []).events)) == meaning(fold(played.events))


def meaning(reply: msg.Reply) -> list[tuple[list[msg.Part], str]]:
    """What an answer says, apart from the names of its deprecated calls."""
    return [
        ([replace(part, id="") if isinstance(part, msg.ToolCall) else part for part in choice.parts], choice.finish)
        for choice in reply.choices
    ]


@pytest.mark.parametrize("anew", [False, True], ids=["as_it_came", "anew"])
@pytest.mark.parametrize("conversation", CHAT, ids=name_of)
def test_the_official_client_understands_what_it_gets(conversation: Conversation, anew: bool) -> None:
    played = play(conversation, one_by_one(conversation), anew=anew)
    with official_client(played, streams=played.status == 200 and conversation.streams) as client:
        if played.error is not None:
            with pytest.raises(APIStatusError if played.status != 200 else APIError):
                ask(client, conversation)
            return
        completion = ask(client, conversation)
    reply = fold(played.events)
    assert [choice.index for choice in completion.choices] == list(range(len(reply.choices)))
    for said, choice in zip(completion.choices, reply.choices, strict=True):
        assert said.message.role == "assistant"
        assert (said.message.content or "") == text_of(choice)
        assert said.finish_reason.replace("function_call", "tool_calls") == choice.finish
        calls = [call for call in said.message.tool_calls or () if call.type == "function"]
        if calls:
            expected = [part for part in choice.parts if isinstance(part, msg.ToolCall)]
            got = [msg.ToolCall(call.id, call.function.name, call.function.arguments) for call in calls]
            assert got == expected


def official_client(played: Played, *, streams: bool) -> OpenAI:
    """Return the OpenAI SDK, which gets what the client gets."""
    kind = "text/event-stream" if streams else "application/json"

    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(played.status, content=played.gets, headers={"content-type": kind})

    return OpenAI(
        api_key="dg-1",
        base_url="http://127.0.0.1/v1",
        max_retries=0,
        http_client=httpx2.Client(transport=httpx2.MockTransport(answer)),
    )


def ask(client: OpenAI, conversation: Conversation) -> ChatCompletion:
    """Return the answer as the SDK has it, put together from its pieces if it is a stream."""
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello"}]
    if not conversation.streams and b'"stream":true' not in conversation.asks:
        return client.chat.completions.create(model="fast", messages=messages)
    with client.chat.completions.stream(model="fast", messages=messages) as stream:
        for _ in stream:
            pass
        return stream.current_completion_snapshot


def text_of(choice: msg.Choice) -> str:
    return "".join(part.text for part in choice.parts if isinstance(part, msg.Text))


def frames(written: bytes) -> list[bytes]:
    """Return the JSON texts a client gets."""
    if not written.startswith(b"data: "):
        return [written]
    payloads = [frame.removeprefix(b"data: ") for frame in written.split(b"\n\n")]
    return [payload for payload in payloads if payload not in (b"", b"[DONE]")]


def test_a_file_says_all_there_is_to_say(tmp_path: Path) -> None:
    path = tmp_path / "openai_chat" / "example.wire"
    path.parent.mkdir()
    path.write_bytes(
        b"About.\n\n> client\n{}\n\n> upstream\n{ }\n\n< upstream 200 text/event-stream escaped\n"
        b"data: \\xff\\\\\\r\\n\n\\n\n\n= events\none\ntwo\n\n< client 502 application/json\n{1}\n"
    )
    assert read_file(path) == Conversation(
        name="example",
        dialect="openai_chat",
        about="About.",
        asks=b"{}",
        asked=b"{ }",
        answers=Section(200, "text/event-stream", b"data: \xff\\\r\n\n"),
        events=["one", "two"],
        gets=Section(502, "application/json", b"{1}"),
    )
