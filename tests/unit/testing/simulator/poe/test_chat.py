"""Chat completions in Poe's words, stream and plain."""

import re

import pytest

from dragoman.testing.simulator.poe.chat import add_pause, cut_characters, join_usage
from tests.unit.testing.simulator.poe.client import TOOLS, Client, Reply, at, text_of


def test_a_plain_answer_has_what_poe_says_and_nothing_else() -> None:
    data = Client().chat("Grok-4").data
    assert re.fullmatch(
        rb'\{"id":"chatcmpl-[0-9a-f]{24}","object":"chat\.completion","created":1767225600,"model":"Grok-4",'
        rb'"choices":\[\{"index":0,"message":\{"role":"assistant","content":"one two"\},"finish_reason":"stop"\}\],'
        rb'"usage":\{"prompt_tokens":4,"completion_tokens":2,"total_tokens":6\}\}',
        data,
    )


def test_reasoning_is_told_twice() -> None:
    message = Client().chat("Gemini-2.5-Flash").at("choices", 0, "message")
    assert at(message, "reasoning_content") == at(message, "reasoning") != ""
    stream = Client().stream("Gemini-2.5-Flash").chunks
    thoughts = [at(chunk, "choices", 0, "delta") for chunk in stream if b"reasoning" in str(chunk).encode()]
    assert thoughts
    assert all(at(delta, "reasoning_content") == at(delta, "reasoning") for delta in thoughts)


def test_reasoning_can_leak_into_the_text() -> None:
    content = Client().chat("Nano-Banana-Pro", "a cat").at("choices", 0, "message", "content")
    assert isinstance(content, str)
    assert content.startswith("**Considering the Request**\n\n")


def test_usage_counts_the_text_alone() -> None:
    usage = Client().chat("Grok-4", "What is the weather in Paris? Use get_weather", tools=TOOLS).at("usage")
    assert at(usage, "completion_tokens") == 0
    without = Client().chat("Grok-4", "What is the weather in Paris? Use get_weather").at("usage")
    assert at(usage, "prompt_tokens") == at(without, "prompt_tokens")


def test_some_bots_tell_the_usage_of_their_maker() -> None:
    usage = Client().chat("GPT-4o-Mini").at("usage")
    assert at(usage, "prompt_tokens_details", "cached_tokens") == 0
    assert at(usage, "completion_tokens_details", "reasoning_tokens") == 0


def test_a_call_has_empty_text_and_is_never_null() -> None:
    message = Client().chat("Grok-4", "weather in Paris", tools=TOOLS).at("choices", 0, "message")
    assert at(message, "content") == ""
    assert at(message, "tool_calls", 0, "function", "arguments") == '{"city":"Paris"}'


def test_only_the_first_of_parallel_calls_is_signed() -> None:
    reply = Client().chat("Gemini-3.1-Pro", "weather in Paris and Oslo", tools=TOOLS)
    first, second = (
        at(reply.at("choices", 0, "message", "tool_calls"), 0),
        reply.at("choices", 0, "message", "tool_calls", 1),
    )
    assert at(first, "extra_content", "google", "thought_signature")
    assert isinstance(second, dict)
    assert "extra_content" not in second


def test_a_stream_tells_arguments_in_pieces() -> None:
    chunks = Client().stream("Grok-4", "weather in Paris and Oslo", tools=TOOLS).chunks
    deltas = [at(chunk, "choices", 0, "delta") for chunk in chunks if at(chunk, "choices")]
    calls = [at(delta, "tool_calls", 0) for delta in deltas if isinstance(delta, dict) and "tool_calls" in delta]
    for index, city in ((0, "Paris"), (1, "Oslo")):
        own = [call for call in calls if at(call, "index") == index]
        assert at(own[0], "function", "name") == "get_weather"
        assert len(own) >= 3
        assert "".join(str(at(call, "function", "arguments")) for call in own) == f'{{"city":"{city}"}}'


def test_a_stream_begins_with_the_role_and_ends_with_usage_and_mark() -> None:
    reply = Client().stream("Grok-4")
    assert at(reply.chunks[0], "choices", 0, "delta", "role") == "assistant"
    assert at(reply.chunks[-2], "choices", 0, "finish_reason") == "stop"
    assert at(reply.chunks[-1], "choices") == []
    assert at(reply.chunks[-1], "usage", "completion_tokens") == 2
    assert reply.data.endswith(b"\n\ndata: [DONE]\n\n")
    assert text_of(reply) == "one two"


def test_a_picture_is_a_link_told_twice() -> None:
    client = Client()
    content = client.chat("GPT-Image-1", "a cat (on [a] mat)").at("choices", 0, "message", "content")
    url = r"http://poe\.test/poe/(base/image/[0-9a-f]{64})\?w=1024&h=1024"
    found = re.fullmatch(rf"!\[a cat on a mat\.png\]\({url}\)\n\n{url}", str(content))
    assert found is not None
    assert found[1] == found[2]
    assert client.get(found[1]).headers["content-type"] == "image/png"


@pytest.mark.parametrize(("bot", "kind"), [("ElevenLabs-v3", "audio"), ("Veo-3.1", "video")])
def test_a_sound_or_a_video_is_a_bare_link(bot: str, kind: str) -> None:
    content = Client().chat(bot, "hello").at("choices", 0, "message", "content")
    assert re.fullmatch(rf"http://poe\.test/poe/base/{kind}/[0-9a-f]{{64}}", str(content))


def test_a_bot_that_makes_pictures_may_only_talk() -> None:
    content = Client().chat("Nano-Banana-Pro", "What can you do?").at("choices", 0, "message", "content")
    assert "http" not in str(content)


def test_characters_are_cut_between_two_reads() -> None:
    script = Client().stream("Grok-4", "Say: über Öl").script
    pieces = [data for _, data in script.pieces]
    broken = [data for data in pieces if data.decode("utf-8", "ignore").encode() != data]
    assert len(broken) >= 2
    assert text_of(Reply(script)) == "über Öl"


def test_a_piece_is_cut_in_its_first_long_character() -> None:
    assert list(cut_characters([(1.0, "aü".encode())])) == [(1.0, b"a\xc3"), (0.0, b"\xbc")]
    assert list(cut_characters([(1.0, b"abc"), (2.0, b"")])) == [(1.0, b"abc"), (2.0, b"")]
    assert list(cut_characters([(1.0, b"a\xff")])) == [(1.0, b"a\xff")]


def test_usage_may_stand_on_the_last_chunk() -> None:
    reply = Client().stream("sim-usage-last")
    assert at(reply.chunks[-1], "choices", 0, "finish_reason") == "stop"
    assert at(reply.chunks[-1], "usage", "completion_tokens") == 2
    assert b'"logprobs"' not in reply.data
    assert reply.data.endswith(b"data: [DONE]\n\n")


def test_without_usage_there_is_nothing_to_join() -> None:
    assert join_usage([(0.0, b"data: [DONE]\n\n")]) == [(0.0, b"data: [DONE]\n\n")]
    assert Client().chat("sim-usage-last", stream=True).chunks


def test_comments_and_empty_lines_come_between() -> None:
    reply = Client().stream("sim-pings")
    assert reply.data.startswith(b": ping\n\ndata: {")
    assert b"\n\n: ping\n\ndata:\n\ndata: {" in reply.data
    assert text_of(reply) == "one two"


def test_a_pause_is_made_in_the_middle() -> None:
    assert add_pause([(0.0, b"a"), (0.5, b"b"), (0.0, b"c")], 3) == [(0.0, b"a"), (3.5, b"b"), (0.0, b"c")]
    assert max(delay for delay, _ in Client().stream("sim-pause-7").script.pieces) == 7
