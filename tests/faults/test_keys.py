"""Several keys of one upstream: one that is limited or spent makes room for the next, and rests."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator

import pytest

from tests.faults.gateway import Gateway, gateway, lab, see_no_leak
from tests.faults.hostile import PLAIN_OK, STREAM_OK, Hostile, Script, fault, hostile

KEYS = ("sk-first-0123456789", "sk-second-0123456789", "sk-third-0123456789")
MODES = pytest.mark.parametrize(("mode", "ok"), [(False, PLAIN_OK), (True, STREAM_OK)], ids=["plain", "stream"])


@contextlib.asynccontextmanager
async def meet(*scripts: Script, keys: int = 2) -> AsyncGenerator[tuple[Hostile, Gateway]]:
    """Run an upstream that follows the scripts, and a gateway that has this many keys for it."""
    written = ", ".join(f'"{key}"' for key in KEYS[:keys])
    async with hostile(*scripts) as upstream:
        toml = lab(upstream).replace('key = "$LAB_KEY"', f"keys = [{written}]")
        assert written in toml
        async with gateway(toml) as running:
            yield upstream, running


def used(upstream: Hostile) -> list[int]:
    """Return which key each request came with."""
    shown = [dict(request.headers)["authorization"].removeprefix("Bearer ") for request in upstream.requests]
    return [KEYS.index(key) for key in shown]


async def test_keys_are_used_in_turn() -> None:
    async with meet(PLAIN_OK, keys=3) as (upstream, running):
        for _ in range(4):
            assert (await running.ask()).status == 200
        assert used(upstream) == [0, 1, 2, 0]


@MODES
@pytest.mark.parametrize("status", [b"429 Too Many Requests", b"402 Payment Required", b"401 Unauthorized"])
async def test_a_key_that_is_refused_moves_on_to_the_next_at_once_and_rests(
    status: bytes, mode: bool, ok: Script
) -> None:
    async with meet(fault(status), ok) as (upstream, running):
        answer = await running.ask(stream=mode)
        assert answer.status == 200
        assert answer.headers["x-dragoman-attempts"] == "1", "no attempt was lost: there was no pause"
        assert used(upstream) == [0, 1]
        for _ in range(3):
            assert (await running.ask(stream=mode)).status == 200
        assert used(upstream) == [0, 1, 1, 1, 1]
        assert not running.log, "nobody was harmed"


async def test_a_limited_key_is_used_again_once_it_is_rested() -> None:
    """A rest of a millisecond has ended when the next request comes, or soon after it."""
    async with meet(fault(b"429 Slow", b"retry-after-ms: 1\r\n"), PLAIN_OK) as (upstream, running):
        for _ in range(50):
            assert (await running.ask()).status == 200
        assert used(upstream).count(0) > 1


@MODES
async def test_all_keys_limited_is_a_429_with_the_first_rest_to_end(mode: bool, ok: Script) -> None:
    limits = [fault(b"429 Slow", b"retry-after: %d\r\n" % seconds) for seconds in (300, 60, 600)]
    async with meet(*limits, keys=3) as (upstream, running):
        for _ in range(2):  # the second is not asked any more
            answer = await running.ask(stream=mode)
            assert (answer.status, answer.error.type) == (429, "rate_limit_error")
            assert answer.error.code == "rate_limit_exceeded"
            assert 1 <= int(answer.headers["retry-after"]) <= 60
            see_no_leak(answer)
        assert used(upstream) == [0, 1, 2]
        assert [line["fault"] for line in running.log] == ["rate_limited"]
        assert not [line for line in running.lines if any(key in line for key in KEYS)]


@MODES
async def test_all_keys_spent_is_a_502_that_tells_so(mode: bool, ok: Script) -> None:
    async with meet(fault(b"402 Payment Required")) as (upstream, running):
        answer = await running.ask(stream=mode)
        assert (answer.status, answer.error.type, answer.error.code) == (502, "upstream_error", "upstream_quota")
        assert answer.headers["x-dragoman-attempts"] == "1"
        assert used(upstream) == [0, 1]
        assert [(line["level"], line["fault"]) for line in running.log] == [("ERROR", "auth")]
        see_no_leak(answer)
        upstream.play(ok)
        assert (await running.ask(stream=mode)).status == 200, "the account may have been filled up"


@pytest.mark.parametrize("first", [b"402 Payment Required", b"401 Unauthorized"])
@pytest.mark.parametrize("limited_first", [False, True], ids=["limited_last", "limited_first"])
async def test_a_limit_that_passes_is_told_rather_than_a_key_that_is_spent(first: bytes, limited_first: bool) -> None:
    scripts = [fault(first), fault(b"429 Slow", b"retry-after: 60\r\n")]
    if limited_first:
        scripts.reverse()
    async with meet(*scripts) as (upstream, running):
        answer = await running.ask()
        assert (answer.status, answer.error.code) == (429, "rate_limit_exceeded")
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert used(upstream) == [0, 1]


@pytest.mark.parametrize(
    ("status", "told", "requests"),
    [(b"400 Bad", 400, 1), (b"403 Forbidden", 502, 1), (b"404 Not Found", 404, 1), (b"500 Oops", 502, 2)],
)
async def test_what_is_not_about_the_key_is_not_tried_with_another(status: bytes, told: int, requests: int) -> None:
    """A failure that may pass is tried again, which is another attempt."""
    async with meet(fault(status)) as (upstream, running):
        answer = await running.ask()
        assert (answer.status, answer.headers["x-dragoman-attempts"]) == (told, str(requests))
        assert len(upstream.requests) == requests


async def test_the_next_key_tells_what_is_wrong_with_the_request() -> None:
    async with meet(fault(b"429 Slow"), fault(b"422 Bad"), PLAIN_OK) as (upstream, running):
        assert (await running.ask()).status == 422
        assert (await running.ask()).status == 200
        assert used(upstream) == [0, 1, 1]


async def test_a_single_key_that_is_limited_is_tried_again_soon() -> None:
    async with meet(fault(b"429 Slow"), PLAIN_OK, keys=1) as (upstream, running):
        answer = await running.ask()
        assert (answer.status, answer.headers["x-dragoman-attempts"]) == (200, "2")
        assert used(upstream) == [0, 0]
