"""What must hold of any request, however wrong: it is understood and can be answered, or it is refused in time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from dragoman.core import events as ev
from dragoman.core.burst import Burst
from dragoman.core.call import Call, Clock, Task
from dragoman.core.errors import DragomanError, UpstreamInvalid
from dragoman.core.loss import carry
from dragoman.core.message import Request
from dragoman.core.ports import Inbound, Limits, Outbound
from dragoman.dialects import INBOUND, OUTBOUND, inbound, outbound
from dragoman.wire.json import Fields
from tests.conformance.speak_poe_bot_upstream import VOICE
from tests.schema import mismatches

CLOCK = Clock(lambda: 7.0, lambda: 1_763_683_200.0)
UPSTREAMS: Mapping[str, Outbound] = {name: outbound(name) for name in OUTBOUND}
DEFINITIONS = {
    "openai_chat": "CreateChatCompletionRequest",
    "openai_completions": "CreateCompletionRequest",
    "openai_responses": "CreateResponse",
}
"""Where OpenAI says what is valid."""
_START = ev.Start("answer-1", "m-1", 1_763_683_200)
_SAID: list[ev.Event] = [
    ev.Thinking("Hm"),
    ev.Text("So"),
    ev.ToolDelta(0, '{"input":"a"}', "c", "x"),
    ev.Finish("tool_calls"),
]
ANSWERS: Mapping[Task, list[ev.Event]] = {
    "chat": [_START, *_SAID],
    "embed": [_START, ev.Finish("stop")],
    "image": [_START, ev.Note("partial_image", "AA"), ev.Media("image/png", "AAAA"), ev.Finish("stop")],
    "video": [_START, ev.Note("video_job", '{"id":"v","status":"queued"}'), ev.Finish("stop")],
    "speech": [_START, ev.Media("audio/mpeg", "AAAA"), ev.Finish("stop"), ev.Usage(1, 2)],
    "transcription": [_START, ev.Text("So"), ev.Finish("stop"), ev.Usage(1, 2)],
    "moderation": [_START, ev.Note("moderation", '{"flagged":false}'), ev.Finish("stop")],
}


def see_request(dialect: str, body: bytes, kind: str = "application/json") -> list[bytes]:
    """See that a request is understood or refused; return what upstreams of OpenAI's chat are asked in its place."""
    side = inbound(dialect)
    try:
        call = read(side, body, kind)
    except DragomanError as error:
        see_refusal(side, error)
        return []
    call.id, call.serial, call.clock = "request-1", "ab" * 16, CLOCK
    if call.dialect in UPSTREAMS:
        see_patched(side, UPSTREAMS[call.dialect], call)
    try:
        requests = call.requests
        see_answered(side, call)
    except DragomanError as error:
        see_refusal(side, error)
        return []
    if call.ready is not None:
        return []
    return [composed for request in requests for composed in see_carried(call, request)]


def read(side: Inbound, body: bytes, kind: str) -> Call:
    """Read a body as the endpoint does."""
    if kind.startswith("multipart/") and side.read_form is not None:
        return side.read_form(body, kind, Limits())
    return side.read_call(body, Limits())


def see_refusal(side: Inbound, error: DragomanError) -> None:
    """See that the client is told that it is the one who is wrong."""
    assert 400 <= error.status < 500, repr(error)
    status, told = side.write_error(error, "request-1")
    assert 400 <= status < 500
    assert msgspec.json.decode(told, type=Fields)["error"]


def see_patched(side: Inbound, upstream: Outbound, call: Call) -> None:
    """See that the client's own body can go on with the upstream's name for the model, or is refused."""
    try:
        patched = upstream.patch_request(call, "other/model")
    except DragomanError as error:
        see_refusal(side, error)
        return
    again = read(side, patched, call.media_type)
    assert again.model == "other/model"
    assert (again.stream, again.n) == (call.stream, call.n)


def see_carried(call: Call, request: Request) -> Iterator[bytes]:
    """See that a request can be said in every dialect that does the same task, or is refused."""
    for upstream in UPSTREAMS.values():
        if upstream.task != call.task:
            continue
        carried, losses = carry(request, call.dialect, call.words, upstream.terms)
        assert all(losses.values())
        assert msgspec.json.encode(losses)
        try:
            composed = upstream.write_request(carried, "other/model")
        except DragomanError as error:
            see_refusal(inbound(call.dialect if call.dialect in INBOUND else "openai_chat"), error)
            continue
        see_readable(upstream.name, composed)
        if upstream.name == "openai_chat":
            yield composed


def see_readable(dialect: str, composed: bytes) -> None:
    """See that we ourselves would take what we ask of an upstream, or whoever plays one that has no clients."""
    if dialect == VOICE.name:
        assert VOICE.read_call(composed, Limits()).requests
        return
    again = inbound(dialect).read_call(composed, Limits(messages=1 << 20))
    assert again.requests
    assert again.model == "other/model"


def see_answered(side: Inbound, call: Call) -> None:
    """See that an answer can be written to whoever asked like this."""
    events = ANSWERS[call.task] if call.ready is None else call.ready.events
    if call.stream:
        writer = side.writer(call)
        assert isinstance(writer.write(Burst(events)) + writer.end(), bytes)
        return
    try:
        told = side.write_reply(call, Burst(events))
    except UpstreamInvalid:
        assert call.task in ("embed", "speech"), "only vectors may be missing, and a sound is no JSON"
        return
    if (call.reply_type or "application/json").startswith("application/json"):
        msgspec.json.decode(told, type=Fields)  # what a client said of its own is given back as it came


def is_valid(dialect: str, body: bytes) -> bool:
    """Tell whether OpenAI says that a request is valid; of other dialects it says nothing."""
    definition = DEFINITIONS.get(dialect)
    return definition is not None and mismatches(definition, body) == []
