import pytest

from dragoman.core.burst import Burst
from dragoman.core.call import Call, Caller
from dragoman.core.errors import BadRequest, DragomanError, UpstreamIncomplete
from dragoman.core.message import Message, Request, Text

REQUEST = Request("fast", [Message("user", [Text("Hello")])])


def call_with(*requests: Request, reads: list[bool] | None = None) -> Call:
    def read() -> tuple[Request, ...]:
        if reads is not None:
            reads.append(True)
        return requests

    return Call(b"{}", "openai_chat", "fast", read, stream=True)


def test_the_meaning_of_a_body_is_decoded_once_and_only_when_asked_for() -> None:
    reads: list[bool] = []
    call = call_with(REQUEST, reads=reads)
    assert not reads
    assert call.request is REQUEST
    assert list(call.requests) == [REQUEST]
    assert len(reads) == 1


def test_a_body_can_hold_several_requests() -> None:
    other = Request("fast", [])
    assert list(call_with(REQUEST, other).requests) == [REQUEST, other]


def test_a_body_without_meaning_is_a_bad_request() -> None:
    def read() -> list[Request]:
        raise BadRequest

    call = Call(b"{}", "openai_chat", "fast", read, stream=False)
    with pytest.raises(BadRequest):
        _ = call.request


def test_a_new_call_has_asked_nobody_yet() -> None:
    call = call_with()
    assert (call.n, call.show_usage, call.attempts, call.served_by) == (1, True, 0, "")
    assert (call.id, call.caller, call.deadline, call.fields, call.losses) == ("", Caller(""), float("inf"), {}, {})


def test_calls_share_nothing() -> None:
    one, other = call_with(), call_with()
    one.losses["seed"] = "unknown there"
    one.observe(lambda burst: None)
    one.watch(lambda error: None)
    assert (other.losses, other.observers, other.watchers, one == other) == ({}, [], [], False)


def test_observers_are_shown_the_bursts_in_the_order_they_came() -> None:
    call = call_with()
    seen: list[str] = []
    call.observe(lambda burst: seen.append("first"))
    call.observe(lambda burst: seen.append("second"))
    for observe in call.observers:
        observe(Burst([]))
    assert seen == ["first", "second"]


@pytest.mark.parametrize(
    ("models", "model", "may"),
    [
        (None, "anything", True),
        ((), "anything", False),
        (("fast", "poe/*"), "fast", True),
        (("fast", "poe/*"), "faster", False),
        (("fast", "poe/*"), "poe/GPT-5", True),
        (("fast", "poe/*"), "Poe/GPT-5", False),
        (("*",), "anything", True),
    ],
)
def test_a_key_may_use_the_models_it_names(models: tuple[str, ...] | None, model: str, may: bool) -> None:
    assert Caller("app", models).may_use(model) is may


def test_those_who_watch_are_told_how_an_answer_broke() -> None:
    call = call_with()
    told: list[DragomanError] = []
    call.watch(told.append)
    call.watch(told.append)
    assert not told
    error = UpstreamIncomplete()
    call.broke(error)
    assert told == [error, error]


def test_a_meaning_is_changed_before_and_after_it_is_first_looked_at() -> None:
    reads: list[str] = []

    def read() -> list[Request]:
        reads.append("read")
        return [Request("m", []), Request("n", [])]

    call = Call(b"body", "openai_chat", "m", read, stream=False)
    call.amend(lambda request: Request(f"{request.model}1", []))
    assert reads == []
    assert [request.model for request in call.requests] == ["m1", "n1"]
    call.amend(lambda request: Request(f"{request.model}2", []))
    assert [request.model for request in call.requests] == ["m12", "n12"]
    assert (reads, call.body) == (["read"], b"body")
