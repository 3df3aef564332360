"""What has to be done before a request is written, and what becomes of the call when it fails."""

import asyncio

import pytest

from dragoman.core.call import Call, Clock
from dragoman.core.errors import BadRequest, DragomanError, UpstreamInvalid, UpstreamTimeout
from dragoman.core.message import Message, Request, Text
from dragoman.dialects import outbound
from dragoman.net.reply import Patience
from dragoman.upstreams.http import HttpUpstream, Manners, Prepare
from tests.unit.upstreams.wire import Wire


async def failure(prepare: Prepare, made: Call, total: float = 60) -> DragomanError:
    """Return what a call fails with, before anybody is asked."""
    wire = Wire()
    manners = Manners([outbound("openai_chat")], patience=Patience(total=total), prepare=prepare)
    http = HttpUpstream("lab", wire, manners, Clock(lambda: 7, lambda: 0))
    with pytest.raises(DragomanError) as caught:
        await http.ask_model("m")(made)
    assert not wire.asked
    return caught.value


def foreign() -> Call:
    requests = [Request("mine", [Message("user", [Text("Hi")])])]
    return Call(b"other", "other", "mine", lambda: requests, stream=False)


@pytest.mark.parametrize(
    ("error", "attempts", "served_by", "deadline"),
    [(BadRequest("no"), 0, "", float("inf")), (UpstreamInvalid("no"), 1, "lab/m", 67)],
)
async def test_a_failure_is_an_attempt_unless_it_is_the_clients(
    error: DragomanError, attempts: int, served_by: str, deadline: float
) -> None:
    async def prepare(request: Request) -> Request:
        raise error

    made = foreign()
    assert await failure(prepare, made) is error
    assert (made.attempts, made.served_by, made.deadline) == (attempts, served_by, deadline)


@pytest.mark.parametrize(("total", "deadline"), [(0, float("inf")), (60, 7)])
async def test_it_may_take_no_longer_than_the_whole_answer(total: float, deadline: float) -> None:
    async def prepare(request: Request) -> Request:
        await asyncio.Event().wait()
        return request

    made = foreign()
    made.deadline = deadline
    assert isinstance(await failure(prepare, made, total), UpstreamTimeout)
    assert (made.attempts, made.deadline) == (1, 7)
