"""When, how long, how many."""

from __future__ import annotations

from collections.abc import Iterator

from dragoman.core.call import Call, Clock
from dragoman.core.events import Usage
from dragoman.core.ports import Limits
from dragoman.dialects.ollama.chat import read_call
from dragoman.dialects.ollama.meter import Meter, count_prompt, count_tokens


def call_at(times: list[float], epochs: list[float] | None = None) -> Call:
    """A call that began at 100.0, whose upstream was asked at 100.25, and whose clock shows `times` one by one."""
    call = read_call(b'{"model":"m","messages":[{"role":"user","content":"12345678"}]}', Limits())
    now: Iterator[float] = iter(times)
    epoch: Iterator[float] = iter(epochs or [])
    call.clock = Clock(lambda: next(now), lambda: next(epoch))
    call.began, call.asked = 100.0, 100.25
    return call


def test_a_streams_time_is_divided_at_its_first_burst() -> None:
    meter = Meter(call_at([100.75, 102.0]))
    meter.begin()
    meter.begin()
    assert meter.durations() == {
        "total_duration": 2_000_000_000,
        "load_duration": 250_000_000,
        "prompt_eval_duration": 500_000_000,
        "eval_duration": 1_250_000_000,
    }


def test_of_a_plain_answer_nobody_knows_when_it_began() -> None:
    assert Meter(call_at([102.0])).durations() == {
        "total_duration": 2_000_000_000,
        "load_duration": 250_000_000,
        "eval_duration": 1_750_000_000,
    }


def test_clients_can_divide_by_the_time_an_answer_took() -> None:
    meter = Meter(call_at([100.25, 100.25]))
    meter.begin()
    assert meter.durations()["eval_duration"] == 1


def test_a_call_that_asked_nobody_took_no_negative_time() -> None:
    call = call_at([101.0])
    call.asked = 0.0
    meter = Meter(call)
    assert (meter.load(), meter.total()) == (0, 1_000_000_000)


def test_the_time_of_day_is_rfc_3339_with_six_digits() -> None:
    meter = Meter(call_at([], [1_795_167_012.0, 1_795_167_012.25, 1_795_167_013.999999]))
    assert [meter.stamp() for _ in range(3)] == [
        b"2026-11-20T09:30:12.000000Z",
        b"2026-11-20T09:30:12.250000Z",
        b"2026-11-20T09:30:13.999999Z",
    ]


def test_tokens_are_the_upstreams_or_a_marked_estimate() -> None:
    call = call_at([])
    assert count_tokens(call, Usage(31, 9), "ignored") == {"prompt_eval_count": 31, "eval_count": 9}
    estimate = {"prompt_eval_count": 6, "eval_count": 2, "estimated": True}
    assert count_tokens(call, None, "hello") == estimate
    assert count_tokens(call, Usage(6, 2, estimated=True), "") == estimate
    assert count_prompt(call, Usage(31, 0)) == {"prompt_eval_count": 31}
    assert count_prompt(call, None) == {"prompt_eval_count": 6, "estimated": True}
