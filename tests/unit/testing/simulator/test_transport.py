"""The simulator in the place of a connection pool."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from dragoman.core.errors import UpstreamIncomplete, UpstreamTimeout, UpstreamTooLarge, UpstreamUnavailable
from dragoman.net.reply import Patience
from dragoman.testing import INSTANT, Cadence, Simulator, SimulatorTransport
from dragoman.testing.simulator.transport import SimulatedReply

SHORT = 0.05
"""Seconds that run out; what is to come within them is there at once, and is taken however late it is."""


async def ask(
    model: str, patience: Patience | None = None, *, stream: bool = True, cadence: Cadence = INSTANT
) -> SimulatedReply:
    transport = SimulatorTransport(Simulator(cadence=cadence))
    asked = {"model": model, "stream": stream, "messages": [{"role": "user", "content": "Say one two three"}]}
    headers = b"content-type: application/json\r\nauthorization: Bearer x\r\n"
    body = msgspec.json.encode(asked)
    return await transport.request(b"POST", b"/v1/chat/completions", headers, body, patience or Patience())


async def test_a_stream_comes_piece_by_piece_and_ends_with_nothing() -> None:
    reply = await ask("chat")
    assert reply.status == 200
    assert reply.headers["content-type"] == reply.header(b"content-type") == "text/event-stream; charset=utf-8"
    assert reply.header(b"missing") == ""
    pieces: list[bytes] = []
    while piece := await reply.read():
        reply.began()
        pieces.append(piece)
    assert len(pieces) == 5
    assert b"".join(pieces).endswith(b"data: [DONE]\n\n")
    assert await reply.read() == b""
    reply.close()


async def test_a_plain_answer_is_read_at_once() -> None:
    reply = await ask("chat", stream=False)
    assert b'"content":"one two three"' in await reply.read_all(10_000)


async def test_the_cadence_is_kept_against_the_clock() -> None:
    loop = asyncio.get_running_loop()
    begin = loop.time()
    reply = await ask("chat", cadence=Cadence(0.03, 100))
    assert loop.time() - begin >= 0.025
    await reply.read_all(100_000)
    assert loop.time() - begin >= 0.045


async def test_a_body_over_the_limit_is_too_large() -> None:
    reply = await ask("chat", stream=False)
    with pytest.raises(UpstreamTooLarge):
        await reply.read_all(10)
    with pytest.raises(UpstreamTooLarge):
        await reply.read()


async def test_a_huge_event_comes_in_many_reads() -> None:
    reply = await ask("huge-event")
    sizes = [len(await reply.read()) for _ in range(10)]
    assert max(sizes) == 64 * 1024


async def test_an_empty_answer_is_complete_at_once() -> None:
    reply = await ask("error-empty")
    assert await reply.read_all(10) == b""


async def test_a_request_that_is_refused_is_a_reply_too() -> None:
    reply = await ask("unheard-of")
    assert reply.status == 404
    assert b"model_not_found" in await reply.read_all(1000)


async def test_a_connection_that_is_cut_breaks_off() -> None:
    reply = await ask("cut")
    assert b"one" in await reply.read()
    for _ in range(2):
        with pytest.raises(UpstreamIncomplete):
            await reply.read()


async def test_a_connection_closed_before_the_head_is_unavailable() -> None:
    with pytest.raises(UpstreamUnavailable) as caught:
        await ask("reset")
    assert caught.value.fault == "reset"


async def test_a_model_that_never_answers_is_too_slow_to_begin() -> None:
    with pytest.raises(UpstreamTimeout) as caught:
        await ask("silent", Patience(first=SHORT))
    assert (caught.value.fault, caught.value.retry) == ("first_byte_timeout", "elsewhere")


async def test_bytes_that_are_no_event_do_not_count_as_a_beginning() -> None:
    reply = await ask("stall", Patience(first=SHORT))
    assert await reply.read()
    with pytest.raises(UpstreamTimeout) as caught:
        await reply.read()
    assert caught.value.fault == "first_byte_timeout"


async def test_silence_after_the_beginning_is_idleness() -> None:
    reply = await ask("stall", Patience(idle=SHORT))
    assert await reply.read()
    reply.began()
    for _ in range(2):
        with pytest.raises(UpstreamTimeout) as caught:
            await reply.read()
        assert caught.value.fault == "idle_timeout"


@pytest.mark.parametrize("given", [None, SHORT])
async def test_all_together_must_not_take_too_long(given: float | None) -> None:
    reply = await ask("stall", Patience(total=600 if given else SHORT))
    assert await reply.read()
    reply.began()
    if given is not None:
        reply.give(given)
    with pytest.raises(UpstreamTimeout) as caught:
        await reply.read()
    assert caught.value.fault == "timeout"


async def test_whoever_waits_can_be_cancelled_at_once() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await ask("silent")
    reply = await ask("stall")
    await reply.read()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await reply.read()
    with pytest.raises(RuntimeError, match="closed"):
        await reply.read()


async def test_a_closed_reply_is_not_read() -> None:
    reply = await ask("chat")
    reply.close()
    reply.close()
    for use in (reply.began, lambda: reply.give(1)):
        with pytest.raises(RuntimeError, match="closed"):
            use()


async def test_a_finished_reply_is_not_read() -> None:
    reply = await ask("chat")
    reply.finish()
    with pytest.raises(RuntimeError, match="closed"):
        await reply.read()


async def test_closing_the_transport_leaves_replies_alone() -> None:
    transport = SimulatorTransport(Simulator())
    reply = await transport.request(b"GET", b"/v1/models", b"", b"", Patience())
    transport.close()
    assert b'"object":"list"' in await reply.read_all(100_000)
