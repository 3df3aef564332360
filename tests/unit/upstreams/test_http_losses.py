"""What an upstream cannot be told: named for the client, or refused when the client wants all or nothing."""

import pytest
from msgspec import Raw
from msgspec.structs import replace

from dragoman.core.call import Call, Clock, Words
from dragoman.core.errors import LossRefused, TaskNotServed
from dragoman.core.message import Message, Request, Sampling, Text
from dragoman.core.ports import Limits
from dragoman.dialects import inbound, outbound
from dragoman.net.reply import Patience
from dragoman.upstreams.http import HttpUpstream, Manners
from tests.unit.upstreams.wire import Wire, Written

WHOLE = (
    b'{"id":"c-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]}'
)
WORDS = Words(names={"top_k": "options.top_k"}, reasons={"raw": "always applied"})
LOSSY = Request(
    "mine", [Message("user", [Text("Hi")])], sampling=Sampling(top_k=4, seed=7), extra={"raw": Raw(b"true")}
)


def foreign(*requests: Request, strict: bool = False) -> Call:
    call = Call(b"other", "other", "mine", lambda: requests, stream=False)
    call.words, call.strict = WORDS, strict
    return call


def upstream(wire: Wire, dialect: str = "openai_chat") -> HttpUpstream:
    manners = Manners([outbound(dialect)], b"x-key: k\r\n", Patience())
    return HttpUpstream("lab", wire, manners, Clock(lambda: 7, lambda: 0))


async def test_the_upstream_is_told_what_it_can_be_and_the_client_of_the_rest() -> None:
    wire, call = Wire(Written([WHOLE])), foreign(LOSSY)
    await upstream(wire).ask_model("m")(call)
    assert wire.asked[0].body == b'{"model":"m","messages":[{"role":"user","content":"Hi"}],"seed":7}'
    assert call.losses == {"options.top_k": "chat completions have no field for it", "raw": "always applied"}
    assert call.asked == 7


async def test_the_losses_of_all_prompts_are_told_once() -> None:
    call = foreign(LOSSY, replace(LOSSY, extra={"odd": Raw(b"1")}))
    await upstream(Wire(Written([WHOLE]), Written([WHOLE]))).ask_model("m")(call)
    assert list(call.losses) == ["options.top_k", "raw", "odd"]


async def test_all_or_nothing_is_refused_before_anybody_is_asked() -> None:
    wire, call = Wire(), foreign(LOSSY, strict=True)
    with pytest.raises(LossRefused) as caught:
        await upstream(wire).ask_model("m")(call)
    error = caught.value
    assert (error.status, error.code, error.param, error.retry) == (
        400,
        "lossy_translation",
        "options.top_k",
        "elsewhere",
    )
    assert error.message == (
        "part of the request would be lost on its way to 'mine': "
        "'options.top_k': chat completions have no field for it; 'raw': always applied"
    )
    assert (wire.asked, call.attempts) == ([], 0)


async def test_all_can_be_carried_where_nothing_is_lost() -> None:
    call = foreign(replace(LOSSY, sampling=Sampling(), extra={}), strict=True)
    await upstream(Wire(Written([WHOLE]))).ask_model("m")(call)
    assert call.losses == {}


async def test_what_was_lost_on_the_way_to_one_target_is_not_lost_at_the_next() -> None:
    body = b'{"model":"m","messages":[{"role":"user","content":"Hi"}],"top_k":4}'
    call = inbound("openai_chat").read_call(body, Limits())
    call.losses, call.strict = {"top_k": "elsewhere"}, True
    wire = Wire(Written([WHOLE]))
    await upstream(wire).ask_model("m")(call)
    assert (call.losses, wire.asked[0].body) == ({}, body)


async def test_an_upstream_without_an_endpoint_for_the_task_is_not_asked() -> None:
    wire, call = Wire(), foreign(LOSSY)
    call.task = "embed"
    with pytest.raises(TaskNotServed) as caught:
        await upstream(wire).ask_model("m")(call)
    assert (caught.value.status, caught.value.retry, wire.asked) == (404, "elsewhere", [])


@pytest.mark.parametrize(
    ("media_type", "sent"),
    [
        ("application/json", b"content-type: application/json\r\nx-key: k\r\n"),
        ("multipart/form-data; boundary=x", b"content-type: multipart/form-data; boundary=x\r\nx-key: k\r\n"),
    ],
)
async def test_a_body_that_is_passed_on_keeps_its_type(media_type: str, sent: bytes) -> None:
    call = inbound("openai_chat").read_call(b'{"model":"m","messages":[{"role":"user","content":"Hi"}]}', Limits())
    call.media_type = media_type
    wire = Wire(Written([WHOLE]))
    await upstream(wire).ask_model("m")(call)
    assert wire.asked[0].headers == sent
