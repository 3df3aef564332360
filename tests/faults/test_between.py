"""What happens between upstreams: who is left alone, for how long, and who is asked instead."""

import asyncio

from tests.faults.gateway import gateway, lab
from tests.faults.hostile import PLAIN_OK, ROLE, Script, chunk, fault, head, hostile, text

TWO = '\n[models]\nfast = ["lab/a", "lab2/b"]\n'
CUT = Script((head() + chunk(ROLE) + chunk(text("Hello")), b""), "reset")


async def test_a_target_that_keeps_failing_is_passed_over() -> None:
    async with (
        hostile(fault(b"500 Oops")) as first,
        hostile(PLAIN_OK) as second,
        gateway(lab(first, second, more=TWO)) as running,
    ):
        for _ in range(8):
            assert (await running.ask("fast")).headers["x-dragoman-model"] == "lab2/b"
        assert (len(first.requests), len(second.requests)) == (5, 8)
        ejected = [line for line in running.log if line["event"] == "upstream_ejected"]
        assert [(line["upstream"], line["model"]) for line in ejected] == [("lab", "a")]
        second.play(fault(b"401 No"))  # and is asked all the same where there is no other
        first.play(PLAIN_OK)
        assert (await running.ask("fast")).headers["x-dragoman-model"] == "lab/a"


async def test_a_target_whose_streams_break_is_passed_over() -> None:
    async with (
        hostile(CUT) as first,
        hostile(PLAIN_OK) as second,
        gateway(lab(first, second, more=TWO)) as running,
    ):
        for _ in range(5):
            assert (await running.ask("fast", stream=True)).broken.code == "upstream_incomplete"
        assert (await running.ask("fast")).headers["x-dragoman-model"] == "lab2/b"
        assert len(first.requests) == 5


async def test_a_target_that_has_named_a_time_is_not_asked_before() -> None:
    async with (
        hostile(fault(b"429 Too Many", b"retry-after: 60\r\n")) as first,
        hostile(PLAIN_OK) as second,
        gateway(lab(first, second, more=TWO)) as running,
    ):
        for _ in range(3):
            assert (await running.ask("fast")).headers["x-dragoman-model"] == "lab2/b"
        alone = await running.ask("lab/a")
        assert (alone.status, alone.headers["retry-after"], alone.error.code) == (429, "60", "rate_limit_exceeded")
        assert "x-should-retry" not in alone.headers
        assert (len(first.requests), len(second.requests)) == (1, 3)


async def test_a_rate_that_is_used_up_is_not_run_into() -> None:
    used_up = (
        b"x-ratelimit-limit-requests: 500\r\nx-ratelimit-remaining-requests: 0\r\nx-ratelimit-reset-requests: 40\r\n"
    )
    whole = PLAIN_OK.pieces[0].replace(b"\r\n", b"\r\n" + used_up, 1)
    async with hostile(Script((whole,))) as upstream, gateway(lab(upstream)) as running:
        assert (await running.ask()).status == 200
        answer = await running.ask("lab/another")
        assert (answer.status, answer.headers["retry-after"]) == (429, "40")
        assert len(upstream.requests) == 1


async def test_the_outage_is_told_and_not_that_the_stand_in_is_unfit() -> None:
    async with (
        hostile(fault(b"500 Oops")) as first,
        hostile(fault(b"404 Not Found")) as second,
        gateway(lab(first, second, more=TWO)) as running,
    ):
        assert (await running.ask("fast")).status == 502


async def test_only_a_part_of_many_calls_that_fail_is_made_again() -> None:
    async with hostile(fault(b"500 Oops")) as upstream, gateway(lab(upstream)) as running:
        async with asyncio.TaskGroup() as group:
            for _ in range(50):
                group.create_task(running.ask())
        assert 51 <= len(upstream.requests) <= 75
