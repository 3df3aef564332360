"""One exchange with an upstream whose answer is no JSON: sounds, plain text, and what is no answer at all."""

from collections.abc import Mapping

import pytest

from dragoman.core.ask import Answer
from dragoman.core.call import Call, Clock
from dragoman.core.errors import DragomanError, UpstreamError, UpstreamIncomplete, UpstreamInvalid
from dragoman.core.events import Finish, Media, Start, Text
from dragoman.core.ports import Limits
from dragoman.dialects import inbound
from dragoman.net.reply import Patience
from dragoman.upstreams.catalogue import Catalogue
from dragoman.upstreams.connector import Wiring
from dragoman.upstreams.http import HttpUpstream
from dragoman.upstreams.openai_compatible import build
from tests.form import TYPE, form
from tests.unit.upstreams.wire import SSE, Wire, Written

WAV = {"content-type": "audio/wav; rate=8000"}
START = Start("", "m", 1234)


def upstream(wire: Wire) -> HttpUpstream:
    clock = Clock(lambda: 1000.0, lambda: 1234.5)
    return build(Wiring("lab", wire, clock, Catalogue(), ["k"], b"", Patience(first=2, total=9)), ("audio",)).http


def speech(more: str = "") -> Call:
    return inbound("openai_speech").read_call(f'{{"model":"mine","input":"Hi"{more}}}'.encode(), Limits())


def transcription(form_of_answer: str) -> Call:
    read_form = inbound("openai_transcriptions").read_form
    assert read_form is not None
    body = form(model="mine", file=("a.wav", b"\0"), response_format=form_of_answer)
    return read_form(body, TYPE, Limits())


async def ask(reply: Written, call: Call) -> Answer:
    return await upstream(Wire(reply)).ask_model("m")(call)


async def failure(reply: Written, call: Call) -> DragomanError:
    with pytest.raises(DragomanError) as caught:
        await ask(reply, call)
    return caught.value


async def test_a_sound_is_streamed_as_it_comes() -> None:
    reply, call = Written([b"\0\1", b"\2"], headers=WAV), speech()
    answer = await ask(reply, call)
    assert (answer.first.events, answer.first.raw) == ([START, Media("audio/*")], b"\0\1")
    assert call.reply_type == "audio/wav; rate=8000"
    assert answer.rest is not None
    rest = [burst async for burst in answer.rest]
    assert [(burst.events, burst.raw) for burst in rest] == [([Media("audio/*")], b"\2"), ([Finish("stop")], b"")]
    answer.close()
    assert reply.done == ["began", "close"]


async def test_a_sound_that_is_cut_is_not_whole() -> None:
    answer = await ask(Written([b"\0", UpstreamIncomplete()], headers=WAV), speech())
    assert answer.rest is not None
    with pytest.raises(UpstreamIncomplete):
        [burst async for burst in answer.rest]


async def test_a_form_goes_on_under_its_own_type() -> None:
    wire = Wire(Written([b'{"text":"a"}']))
    await upstream(wire).ask_model("m")(transcription("json"))
    (asked,) = wire.asked
    assert asked.headers.startswith(f"content-type: {TYPE}\r\n".encode())
    assert asked.body == form(model="m", file=("a.wav", b"\0"), response_format="json")


async def test_text_has_the_type_that_the_upstream_says() -> None:
    call = transcription("vtt")
    answer = await ask(Written([b"WEBVTT\n"], headers={"content-type": "text/vtt"}), call)
    assert (answer.first.raw, call.reply_type) == (b"WEBVTT\n", "text/vtt")
    assert Text("WEBVTT\n") in answer.first.events
    assert answer.rest is None


@pytest.mark.parametrize("headers", [{}, {"content-type": "text/html"}, {"content-type": "application/json"}])
async def test_a_page_in_the_place_of_text_is_no_answer(headers: Mapping[str, str]) -> None:
    reply = Written([b"<html>"], headers=headers)
    assert isinstance(await failure(reply, transcription("text")), UpstreamInvalid)
    assert reply.done == ["close"]


@pytest.mark.parametrize("headers", [{}, SSE, {"content-type": "text/html"}])
async def test_a_page_in_the_place_of_a_sound_is_no_answer(headers: Mapping[str, str]) -> None:
    assert isinstance(await failure(Written([b"<html>"], headers=headers), speech()), UpstreamInvalid)


async def test_an_error_in_the_place_of_a_sound_is_one() -> None:
    assert isinstance(await failure(Written([b'{"error":{"message":"x"}}']), speech()), UpstreamError)


async def test_speech_as_events_is_asked_at_the_same_path() -> None:
    wire = Wire(Written([b'data: {"type":"speech.audio.done"}\n\n'], headers=SSE))
    answer = await upstream(wire).ask_model("m")(speech(',"stream_format":"sse"'))
    assert answer.first.raw == b'event: speech.audio.done\ndata: {"type":"speech.audio.done"}\n\n'
    assert wire.asked[0].path == b"/audio/speech"


async def test_what_is_no_models_answer_is_fetched_with_the_same_key() -> None:
    wire = Wire(Written([b"a"], 404), Written([b"b"]))
    source = upstream(wire)
    assert (await source.fetch(b"GET", b"/videos/v")).status == 404
    assert await (await source.fetch(b"POST", b"/videos/v/remix", b"{}", "application/json")).read() == b"b"
    plain, posted = wire.asked
    assert (plain.method, plain.path, plain.body) == (b"GET", b"/videos/v", b"")
    assert posted.headers == b"content-type: application/json\r\n" + plain.headers
    assert b"authorization: Bearer k\r\n" in plain.headers
    assert posted.patience == Patience(first=9, total=9)
