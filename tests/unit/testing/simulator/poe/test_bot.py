"""The bot protocol on the wire."""

import pytest

from dragoman.testing.simulator.poe.face import PoeFace
from dragoman.testing.simulator.schema import Json
from dragoman.testing.simulator.script import Cadence
from tests.unit.testing.simulator.poe.client import TOOLS, Client, Reply, said


def test_events_are_framed_as_poe_does() -> None:
    reply = Client().bot("grok-4", "Say: ü")
    assert reply.headers == {"content-type": "text/event-stream; charset=utf-8"}
    assert reply.data.startswith(b'event: meta\r\ndata: {"content_type":"text/markdown"')
    assert b'}\r\n\r\n: ping\r\n\r\nevent: text\r\ndata: {"text":' in reply.data
    assert reply.data.endswith(b"\r\n\r\nevent: done\r\ndata: {}\r\n\r\n")


def test_a_full_body_is_taken() -> None:
    turn: Json = {
        "role": "user", "message_type": None, "sender_id": None, "sender": None, "content": "Say: hi",
        "parameters": {"thinking_budget": 3}, "content_type": "text/markdown", "timestamp": 0, "message_id": "",
        "feedback": [], "attachments": [{"url": "http://a/b.png", "content_type": "image/png", "name": "b.png",
        "inline_ref": None, "parsed_content": None}], "metadata": None, "referenced_message": None, "reactions": [],
    }  # fmt: skip
    fields: dict[str, Json] = {
        "query": [turn], "metadata": "", "api_key": "<missing>", "access_key": "<missing>", "temperature": None,
        "skip_system_prompt": False, "logit_bias": {}, "stop_sequences": [], "language_code": "en",
        "adopt_current_bot_name": None, "bot_query_id": "", "users": [], "tools": None, "tool_calls": None,
        "tool_results": None, "query_creation_time": None, "extra_params": None,
    }  # fmt: skip
    assert said(Client().bot("Grok-4", "", **fields)) == "hi"


def test_attachments_are_seen() -> None:
    def attached(kind: str) -> str:
        file: Json = {"url": "http://a/b", "content_type": kind, "name": "b.pdf"}
        turn: Json = {"role": "user", "content": "What is it?", "attachments": [file]}
        return said(Client().bot("Grok-4", query=[turn]))

    assert "I received 1 image: http://a/b." in attached("image/png")
    assert "I received 1 file: b.pdf, upload http://a/b." in attached("application/pdf")


def test_the_roles_of_poe_are_understood() -> None:
    turns: Json = [
        {"role": "system", "content": "Write upper case"},
        {"role": "user", "content": "Say: hi"},
        {"role": "bot", "content": "HI"},
        {"role": "user", "content": "Say: bye"},
    ]
    assert said(Client().bot("Grok-4", query=turns)) == "BYE"


def test_results_of_tools_are_answered_in_words() -> None:
    call: Json = {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    result: Json = {"role": "tool", "name": "get_weather", "tool_call_id": "c1", "content": "sunny"}
    reply = Client().bot("Grok-4", "weather?", tools=TOOLS, tool_calls=[call], tool_results=[result])
    assert "The tool get_weather says: sunny." in said(reply)


@pytest.mark.parametrize(
    ("kind", "status"),
    [("report_error", 200), ("report_feedback", 200), ("report_reaction", 200), ("settings", 200), ("other", 501)],
)
def test_other_requests_are_answered(kind: str, status: int) -> None:
    reply = Client().post("bot/Grok-4", {"version": "1.2", "type": kind, "message": "", "metadata": {}})
    assert reply.status == status
    assert ("allow_attachments" in reply.data.decode()) is (kind == "settings")


@pytest.mark.parametrize(
    ("name", "status"),
    [("sim-error-401", 401), ("sim-error-404", 404), ("sim-error-429", 429), ("sim-error-500", 500), ("Nobody", 404)],
)
def test_some_errors_are_json(name: str, status: int) -> None:
    reply = Client().bot(name)
    assert (reply.status, reply.headers["content-type"]) == (status, "application/json")


def test_an_error_may_look_like_a_stream() -> None:
    reply = Client().bot("sim-sse-500")
    assert (reply.status, reply.data) == (500, b"")
    assert reply.headers["content-type"].startswith("text/event-stream")


def test_a_name_may_be_escaped() -> None:
    assert said(Client().bot("Grok%2D4")) == "one two"


def test_text_may_be_no_json() -> None:
    assert b"event: text\r\ndata: no JSON\r\n\r\n" in Client().bot("sim-bad-json").data


@pytest.mark.parametrize(("name", "ends"), [("sim-cut", "cut"), ("sim-stall", "hang")])
def test_an_answer_may_end_in_the_middle(name: str, ends: str) -> None:
    reply = Client().bot(name)
    assert reply.script.ends == ends
    assert reply.events
    assert "done" not in dict(reply.events)


def test_the_first_call_may_fail() -> None:
    client = Client()
    assert [client.bot("sim-flaky").events[0][0] for _ in range(2)] == ["error", "meta"]
    assert [client.bot("sim-cut-first").script.ends for _ in range(2)] == ["cut", "clean"]
    assert [client.bot("sim-error-503-first-1").status for _ in range(2)] == [503, 200]


def test_without_points_a_bot_says_so_in_its_stream() -> None:
    client = Client("any;balance=1")
    client.bot("Grok-4")
    [(event, data)] = client.bot("Grok-4").events
    assert event == "error"
    assert isinstance(data, dict)
    assert (data["error_type"], data["allow_retry"]) == ("insufficient_fund", False)


def test_a_key_and_room_are_needed() -> None:
    assert Client("bad").bot("Grok-4").status == 401
    client = Client("any;limit=1")
    assert [client.bot("Grok-4").status for _ in range(2)] == [200, 429]


def test_what_cannot_be_read_is_refused() -> None:
    assert Client().send("POST", "bot/Grok-4", b"{").status == 400
    assert Client().bot("Grok-4", query=[]).status == 400
    assert Client().get("bot/Grok-4").status == 405


def test_an_answer_takes_its_time() -> None:
    face = PoeFace(3, lambda: 0, Cadence(first=2.0, rate=10.0))
    body = b'{"version":"1.2","type":"query","query":[{"role":"user","content":"Say: one two"}]}'
    delays = [delay for delay, _ in face.answer("POST", "bot/sim-pause-5", {"authorization": "Bearer k"}, body).pieces]
    assert delays == [2.0, 0.1, 5.1, 0.1]
    assert Reply(face.answer("POST", "bot/Grok-4", {"authorization": "Bearer k"}, body)).status == 200
