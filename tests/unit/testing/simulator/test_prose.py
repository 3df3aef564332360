"""What a simulated model says in words."""

from __future__ import annotations

import pytest

from dragoman.core import message as msg
from dragoman.testing.simulator.prose import conversation, last_words, refuse, say, think_aloud


def ask(text: str, system: str = "", *more: msg.Part) -> msg.Request:
    turns = [msg.Message("system", [msg.Text(system)])] if system else []
    return msg.Request("chat", [*turns, msg.Message("user", [*([msg.Text(text)] if text else []), *more])])


def tell(*results: msg.ToolResult) -> msg.Request:
    calls: list[msg.Part] = [msg.ToolCall("c1", "get_weather", "{}"), msg.ToolCall("c2", "get_time", "{}")]
    told = [msg.Message("tool", [result]) for result in results]
    return msg.Request("chat", [*ask("Say how it is").messages, msg.Message("assistant", calls), *told])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("Say this is a test", "this is a test"),
        ("Say exactly: Hello, World!", "Hello, World!"),
        ("Please repeat after me: one\ntwo", "one\ntwo"),
        ("Repeat this: x", "x"),
        ('Reply with exactly "pong" and nothing else', "pong"),
        ("You are a test. Respond only with the word OK", "OK"),
        ("echo \u2018hi\u2019", "hi"),
    ],
)
def test_what_is_to_be_said_is_said_exactly(asked: str, said: str) -> None:
    assert say(ask(asked), 0, 0) == said


@pytest.mark.parametrize("asked", ["What would you say about cats", "Answer with a short sentence.", "Is this right?"])
def test_other_messages_are_answered_in_sentences_that_quote_them(asked: str) -> None:
    assert f"“{asked.rstrip('.')}”" in say(ask(asked), 0, 0)


def test_a_greeting_is_greeted_and_silence_too() -> None:
    assert say(ask("Hello"), 0, 0).startswith("Hello! How can I help you today?")
    assert say(ask(""), 0, 0).startswith("Hello!")


def test_the_answer_is_the_same_every_time_and_differs_by_seed_and_choice() -> None:
    request = ask("What is a dragoman?")
    assert say(request, 1, 0) == say(request, 1, 0)
    assert len({say(request, seed, choice) for seed in range(5) for choice in range(3)}) > 10


def test_a_story_is_longer() -> None:
    assert len(say(ask("Write a story about a cat"), 0, 0)) > 600


def test_a_long_message_is_quoted_in_part() -> None:
    assert len(say(ask("word " * 5000), 0, 0)) < 1000


@pytest.mark.parametrize(
    ("system", "asked", "said"),
    [
        ("Always answer in upper case.", "Say hello", "HELLO"),
        ("Use lowercase only", "Say HELLO", "hello"),
        ("Always reply with: pong", "What is this?", "pong"),
        ("You are a pirate. Be brief.", "What is this?", "Speaking as a pirate:"),
    ],
)
def test_the_system_prompt_counts(system: str, asked: str, said: str) -> None:
    assert say(ask(asked, system), 0, 0).startswith(said)


def test_the_last_user_speaks() -> None:
    turns = [*ask("one").messages, msg.Message("assistant", [msg.Text("two")]), *ask("three").messages]
    assert last_words(msg.Request("m", turns)) == "three"
    assert last_words(msg.Request("m", [])) == ""


def test_results_of_tools_are_mentioned_with_their_names() -> None:
    request = tell(
        msg.ToolResult("c1", [msg.Text("It is sunny.")]), msg.ToolResult("c2", [msg.Text("boom")], failed=True)
    )
    assert say(request, 0, 0).startswith("The tool get_weather says: It is sunny. The tool get_time failed with: boom.")


def test_a_result_names_its_tool_itself_or_by_its_id() -> None:
    said = say(tell(msg.ToolResult("c9", [msg.Text("1")]), msg.ToolResult("c1", [msg.Text("2")], "named")), 0, 0)
    assert "The tool c9 says: 1." in said
    assert "The tool named says: 2." in said


def test_results_without_any_question_are_mentioned_too() -> None:
    request = msg.Request("m", [msg.Message("tool", [msg.ToolResult("c1", [msg.Text("1")], "add")])])
    assert say(request, 0, 0).startswith("The tool add says: 1.")


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (msg.Image("data:image/png;base64,AAAA"), "1 image: image/png of 3 bytes"),
        (msg.Image("https://example.com/cat.png"), "1 image: https://example.com/cat.png"),
        (msg.Image("data:,hello"), "1 image: text/plain of 5 bytes"),
        (msg.Audio("AAAA", "wav"), "1 sound: audio/wav of 3 bytes"),
        (msg.Audio("é", "wav"), "1 sound: audio/wav of 1 bytes"),
        (msg.Video("https://example.com/v.mp4"), "1 video: https://example.com/v.mp4"),
        (msg.File("data:application/pdf;base64,AAAA", name="a.pdf"), "1 file: a.pdf, application/pdf of 3 bytes"),
        (msg.File(id="file-1"), "1 file: upload file-1"),
    ],
)
def test_media_are_described(part: msg.Part, said: str) -> None:
    assert f"I received {said}." in say(ask("What is this?", "", part), 0, 0)


def test_several_images_are_counted_also_in_the_result_of_a_tool() -> None:
    image = msg.Image("data:image/png;base64,AAAA")
    assert "I received 2 images: " in say(ask("", "", image, image), 0, 0)
    assert "I received 1 image: " in say(tell(msg.ToolResult("c1", [image])), 0, 0)


def test_the_more_effort_the_more_thoughts() -> None:
    def thought(reasoning: msg.Reasoning) -> str:
        return think_aloud(msg.Request("m", ask("Why?").messages, reasoning=reasoning), 0, 0)

    lengths = [len(thought(msg.Reasoning(effort))) for effort in ("none", "minimal", "low", "medium", "high", "odd")]
    assert lengths[0] == 0
    assert lengths[1] < lengths[2] < lengths[3] < lengths[4]
    assert lengths[5] == lengths[3] == len(thought(msg.Reasoning()))
    assert thought(msg.Reasoning(budget=0)) == ""


def test_a_refusal_is_polite() -> None:
    assert refuse(ask("How do I pick a lock?"), 0).endswith("I can't help with that.")


def test_results_and_pictures_are_seen_before_a_system_message_too() -> None:
    late = msg.Message("system", [msg.Text("Be kind")])
    told = tell(msg.ToolResult("c1", [msg.Text("snow")]))
    told.messages.append(late)
    assert "snow" in say(told, 0, 0)
    shown = ask("Look", "", msg.Image("https://example.com/a.png"))
    shown.messages.append(late)
    assert "image" in say(shown, 0, 0)
    assert conversation(shown) == shown.messages[:1]
