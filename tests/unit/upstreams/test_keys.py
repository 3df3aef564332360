"""Keys in rotation, and what is told when all of them rest."""

import pytest

from dragoman.core.errors import DragomanError, RateLimited, UpstreamAuth
from dragoman.upstreams.keys import LIMITED, SPENT, KeyRing


class Clock:
    """The loop's time, as a test sets it."""

    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> float:
        return self.time


def make_ring(clock: Clock, *names: bytes) -> KeyRing:
    return KeyRing(names, clock.now)


def turn(ring: KeyRing) -> list[bytes]:
    return [line for _, line in ring.turns()]


def test_a_server_that_wants_no_key_gets_an_empty_line() -> None:
    assert turn(make_ring(Clock())) == [b""]


def test_every_request_begins_with_the_next_key() -> None:
    ring = make_ring(Clock(), b"a", b"b", b"c")
    assert [turn(ring) for _ in range(4)] == [
        [b"a", b"b", b"c"],
        [b"b", b"c", b"a"],
        [b"c", b"a", b"b"],
        [b"a", b"b", b"c"],
    ]


@pytest.mark.parametrize(("status", "seconds"), [(401, SPENT), (402, SPENT), (429, LIMITED)])
def test_a_key_that_is_refused_rests(status: int, seconds: float) -> None:
    clock = Clock()
    ring = make_ring(clock, b"a", b"b")
    assert ring.blame(0, status, None)
    assert turn(ring) == turn(ring) == [b"b"]
    clock.time += seconds
    assert sorted(turn(ring)) == [b"a", b"b"]


def test_a_limit_lasts_as_long_as_the_upstream_says_and_a_spent_key_rests_longer() -> None:
    clock = Clock()
    ring = make_ring(clock, b"a", b"b")
    assert ring.blame(0, 429, 3)
    assert ring.blame(1, 402, 3)
    clock.time += 3
    assert turn(ring) == [b"a"]


@pytest.mark.parametrize("status", [400, 403, 404, 500, 503])
def test_what_is_not_about_the_key_is_not_blamed_on_it(status: int) -> None:
    ring = make_ring(Clock(), b"a", b"b")
    assert not ring.blame(0, status, 60)
    assert turn(ring) == [b"a", b"b"]


def test_when_all_rest_the_one_whose_rest_ends_first_is_used() -> None:
    ring = make_ring(Clock(), b"a", b"b", b"c")
    for number, seconds in enumerate((30, 5, 20)):
        ring.blame(number, 429, seconds)
    assert turn(ring) == turn(ring) == [b"b"]


def test_the_only_key_is_used_even_while_it_rests() -> None:
    ring = make_ring(Clock(), b"a")
    assert ring.blame(0, 429, 30)
    assert turn(ring) == [b"a"]


def test_of_limited_keys_the_first_rest_to_end_is_told() -> None:
    clock = Clock()
    ring = make_ring(clock, b"a", b"b")
    ring.blame(0, 429, 30)
    clock.time += 10
    ring.blame(1, 429, 60)
    first, last = RateLimited(retry_after=30), RateLimited(retry_after=60)
    assert ring.sum_up([first, last]) is last
    assert last.retry_after == 20


def test_a_limit_that_passes_is_told_rather_than_a_key_that_is_spent() -> None:
    ring = make_ring(Clock(), b"a", b"b")
    ring.blame(0, 429, None)
    ring.blame(1, 402, None)
    limited, spent = RateLimited(), UpstreamAuth(code="upstream_quota")
    assert ring.sum_up([limited, spent]) is limited
    assert limited.retry_after == LIMITED


def test_spent_keys_are_told_as_the_upstream_did() -> None:
    refusals: list[DragomanError] = [UpstreamAuth(), UpstreamAuth(code="upstream_quota")]
    told = make_ring(Clock(), b"a", b"b").sum_up(refusals)
    assert told is refusals[-1]
    assert told.retry_after is None


@pytest.mark.parametrize("wait", [None, 7.0])
def test_the_limit_of_a_single_key_is_told_as_the_upstream_did(wait: float | None) -> None:
    ring = make_ring(Clock(), b"a")
    ring.blame(0, 429, wait)
    told = ring.sum_up([RateLimited(retry_after=wait)])
    assert told.retry_after == wait
