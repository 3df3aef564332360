"""The scenes of the bot protocol, event by event."""

import pytest

from tests.unit.testing.simulator.poe.client import TOOLS, Client, at, said

ASKED = "weather in Paris and Oslo"


def names(name: str, text: str = "Say: one two", **fields: object) -> list[str]:
    return [event for event, _ in Client().bot(name, text).events]


def test_a_plain_answer_begins_with_meta_and_ends_with_done() -> None:
    events = Client().bot("Grok-4").events
    assert events[0] == ("meta", {"content_type": "text/markdown", "suggested_replies": False, "linkify": True})
    assert [event for event, _ in events[1:-1]] == ["text", "text"]
    assert events[-1] == ("done", {})


def test_all_events_are_objects() -> None:
    events = Client().bot("sim-events").events
    assert all(isinstance(data, dict) for _, data in events)
    kinds = {event for event, _ in events}
    assert kinds == {
        "meta", "ping", "data", "text", "replace_response", "file", "suggested_reply", "sim_unknown", "done",
    }  # fmt: skip


@pytest.mark.parametrize(
    "name", ["Grok-4", "sim-events", "sim-replace-prefix", "sim-replace", "sim-progress", "sim-suggest", "sim-no-done"]
)
def test_the_answer_is_the_same_in_the_end(name: str) -> None:
    assert said(Client().bot(name)) == "one two"


def test_a_replacement_continues_or_contradicts() -> None:
    events = Client().bot("sim-replace-prefix").events
    assert "one two".startswith(str(at(events[1][1], "text")))
    contradicted = [data for event, data in Client().bot("sim-replace").events if event == "text"]
    assert at(contradicted[0], "text") == "Let"


def test_progress_replaces_progress() -> None:
    assert names("sim-progress") == ["meta"] + ["replace_response"] * 4 + ["done"]


def test_replies_are_suggested() -> None:
    assert names("sim-suggest")[-3:] == ["suggested_reply", "suggested_reply", "done"]


def test_thoughts_are_quoted_in_the_text() -> None:
    reply = Client().bot("sim-thinking")
    text = said(reply)
    assert text.startswith("*Thinking...*\n\n> ")
    assert text.endswith(".\n\none two")
    assert at(reply.events[1][1], "text") == "*Thin"


@pytest.mark.parametrize(("name", "order"), [("sim-file", 1), ("sim-file-first", 0), ("sim-file-last", 1)])
def test_a_file_comes_before_or_behind_the_text(name: str, order: int) -> None:
    kinds = [event for event in names(name) if event in ("text", "file")]
    assert (kinds[0] == "text") is bool(order)
    assert kinds.count("file") == 1


def test_a_file_may_be_referred_to() -> None:
    client = Client()
    reply = client.bot("sim-file-first")
    file = dict(reply.events)["file"]
    assert said(reply) == f"Look: ![picture][{at(file, 'inline_ref')}]"
    assert (at(file, "content_type"), at(file, "name")) == ("image/png", "sim.image")
    assert client.get(str(at(file, "url")).partition("/poe/")[2]).data.startswith(b"\x89PNG")
    assert "inline_ref" not in str(Client().bot("sim-file").events)


def test_a_bot_that_makes_media_shows_them() -> None:
    reply = Client().bot("Veo-3.1", "a cat")
    assert at(dict(reply.events)["file"], "content_type") == "video/mp4"
    assert said(reply) == "![video][a1b2c3d4]"


def test_tools_are_called_in_chunks() -> None:
    reply = Client().bot("Grok-4", ASKED, tools=TOOLS)
    chunks = [data for event, data in reply.events if event == "json"]
    first = at(chunks[0], "choices", 0)
    assert at(first, "delta", "tool_calls", 0, "function", "name") == "get_weather"
    assert (at(first, "delta", "role"), at(first, "delta", "content"), at(first, "finish_reason")) == (
        "assistant",
        None,
        None,
    )
    indexes = [at(chunk, "choices", 0, "delta", "tool_calls", 0, "index") for chunk in chunks[:-2]]
    assert (indexes[0], indexes[-1]) == (0, 1)
    assert at(chunks[-2], "choices", 0, "finish_reason") == "tool_calls"
    assert at(chunks[-1], "choices") == []
    assert at(chunks[-1], "usage", "total_tokens") != 0


def test_text_may_come_in_chunks_too() -> None:
    chunks = [data for event, data in Client().bot("sim-json-text").events if event == "json"]
    assert "".join(str(at(chunk, "choices", 0, "delta", "content")) for chunk in chunks[:-1]) == "one two"
    assert at(chunks[-1], "choices", 0, "finish_reason") == "stop"


@pytest.mark.parametrize(
    ("name", "retry", "kind"),
    [
        ("sim-error", True, None),
        ("sim-error-final", False, None),
        ("sim-error-user-message-too-long", False, "user_message_too_long"),
        ("sim-error-insufficient-fund", False, "insufficient_fund"),
        ("sim-error-user-caused-error", False, "user_caused_error"),
        ("sim-error-privacy-authorization-error", False, "privacy_authorization_error"),
    ],
)
def test_an_error_says_whether_to_try_again(name: str, retry: bool, kind: str | None) -> None:
    [(event, data)] = Client().bot(name).events
    assert event == "error"
    assert isinstance(data, dict)
    assert (data["allow_retry"], data.get("error_type")) == (retry, kind)


def test_an_error_may_come_late_and_an_end_not_at_all() -> None:
    late = names("sim-error-late")
    assert (late[1], late[-1]) == ("text", "error")
    assert "done" not in names("sim-no-done")
    assert names("sim-empty") == ["done"]
