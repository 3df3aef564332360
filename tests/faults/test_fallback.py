"""Several targets behind one name: who is asked next, how often, and when nobody is."""

from collections.abc import Mapping

import pytest

from tests.faults.gateway import SHORT, Times, gateway, lab, table
from tests.faults.hostile import PLAIN_OK, ROLE, STREAM_OK, Script, chunk, fault, head, hostile, text

TWO = '\n[models]\nfast = ["lab/a", "lab2/b"]\n'
BEGIN = head() + chunk(ROLE) + chunk(text("Hello"))
PASSES_ON: Mapping[str, Script] = {
    "reset": Script((), "reset"),
    "silence": Script((), "wait"),
    "5xx": fault(b"500 Oops"),
    "503": fault(b"503 Busy", b"retry-after: 60\r\n"),
    "429": fault(b"429 Too Many", b"retry-after: 60\r\n"),
    "401": fault(b"401 No"),
    "402": fault(b"402 Pay"),
    "404": fault(b"404 Not Found"),
    "302": fault(b"302 Found", b"location: /\r\n"),
}


@pytest.mark.parametrize("wants_stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("name", PASSES_ON)
async def test_the_next_target_is_asked_when_one_cannot_answer(name: str, wants_stream: bool) -> None:
    times: Times = {"first": SHORT} if name == "silence" else {}
    async with (
        hostile(PASSES_ON[name]) as first,
        hostile(STREAM_OK if wants_stream else PLAIN_OK) as second,
        gateway(table("lab", first, **times) + table("lab2", second) + TWO) as running,
    ):
        answer = await running.ask("fast", stream=wants_stream)
        assert (answer.status, answer.headers["x-dragoman-model"]) == (200, "lab2/b")
        assert len(first.requests) == 1
        assert [line["upstream"] for line in running.log] == ["lab"]
        assert b'"model":"b"' in second.requests[0].body


async def test_of_three_attempts_each_later_target_is_left_one() -> None:
    busy = fault(b"503 Busy", b"retry-after-ms: 10\r\n")
    async with hostile(busy) as first, hostile(busy) as second:
        toml = lab(first, second, more=TWO).replace("attempts = 2", "attempts = 3")
        async with gateway(toml) as running:
            answer = await running.ask("fast")
            assert (answer.status, answer.headers["x-dragoman-attempts"]) == (503, "3")
            assert (len(first.requests), len(second.requests)) == (2, 1)
            assert [line["upstream"] for line in running.log] == ["lab", "lab", "lab2"]


async def test_there_are_no_more_attempts_than_targets_allow() -> None:
    more = '\n[models]\nfast = ["lab/a", "lab/b", "lab/c", "lab/d"]\n'
    async with (
        hostile(fault(b"401 No")) as upstream,
        gateway(lab(upstream, more=more).replace("attempts = 2", "attempts = 3")) as running,
    ):
        assert (await running.ask("fast")).error.code == "upstream_auth"
        assert [request.body[:13] for request in upstream.requests] == [
            b'{"model":"a",',
            b'{"model":"b",',
            b'{"model":"c",',
        ]


@pytest.mark.parametrize("status", [b"400 Bad", b"413 Large", b"422 No"])
async def test_a_request_that_is_wrong_is_wrong_for_all_targets(status: bytes) -> None:
    async with (
        hostile(fault(status)) as first,
        hostile(PLAIN_OK) as second,
        gateway(lab(first, second, more=TWO)) as running,
    ):
        assert (await running.ask("fast")).status == int(status[:3])
        assert not second.requests


async def test_no_target_is_asked_once_the_total_is_over() -> None:
    async with (
        hostile(Script((), "wait")) as first,
        hostile(PLAIN_OK) as second,
        gateway(lab(first, second, more=TWO, total=SHORT)) as running,
    ):
        assert (await running.ask("fast")).status == 504
        assert not second.requests


async def test_what_was_begun_is_never_asked_of_another_target() -> None:
    async with (
        hostile(Script((BEGIN, b""), "reset")) as first,
        hostile(STREAM_OK) as second,
        gateway(lab(first, second, more=TWO)) as running,
    ):
        assert (await running.ask("fast", stream=True)).broken.code == "upstream_incomplete"
        assert not second.requests
