"""Text completions from a client, made from chat: every prompt is one user message."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from dragoman.core import events as ev
from dragoman.core import message as msg
from dragoman.core.burst import Burst
from dragoman.core.call import Call, Words
from dragoman.core.errors import BadRequest, DragomanError
from dragoman.core.fold import fold
from dragoman.core.ports import Inbound, Limits
from dragoman.core.say import say_instead
from dragoman.dialects.openai_body import (
    DESTINATION,
    FLAG,
    NUMBER,
    OBJECT,
    TEXT,
    TEXTS,
    Kinds,
    check_kinds,
    check_list,
    find_start,
    hide_usage,
    is_true,
    read_model,
    read_n,
    shows_usage,
)
from dragoman.dialects.openai_completions import schema as wire
from dragoman.dialects.openai_completions.schema import DONE, NAME, Choice, Completion, Usage
from dragoman.dialects.openai_errors import write_error, write_stream_error
from dragoman.wire.json import Fields, encode, has_more_items, read_body, read_json
from dragoman.wire.sse import PING

MAX_TOKENS = 16
"""Tokens of an answer when the client does not say."""
MAX_PROMPTS = 128
"""Prompts of one request."""
_INSERT = (
    "You complete text. The user gives the text before a gap and the text after it. "
    "Answer with exactly the text that belongs in the gap and nothing else."
)
_KINDS: Kinds = {
    "temperature": ("number", NUMBER),
    "top_p": ("number", NUMBER),
    "n": ("integer", NUMBER),
    "best_of": ("integer", NUMBER),
    "seed": ("integer", NUMBER),
    "max_tokens": ("integer", NUMBER),
    "logprobs": ("integer", NUMBER),
    "presence_penalty": ("number", NUMBER),
    "frequency_penalty": ("number", NUMBER),
    "echo": ("boolean", FLAG),
    "stream": ("boolean", FLAG),
    "stop": ("string or an array of strings", TEXTS),
    "suffix": ("string", TEXT),
    "user": ("string", TEXT),
    "stream_options": ("object", OBJECT),
    "logit_bias": ("object", OBJECT),
}


class Body(Struct):
    """What a request can say."""

    model: str
    prompt: str | list[str] | None = None
    n: int | None = None
    best_of: int | None = None
    stream: bool | None = None
    echo: bool | None = None
    suffix: str | None = None
    stop: str | list[str] | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: int | None = None
    top_k: int | None = None
    """This and the next two are not OpenAI's, but many servers have them, by these names."""
    min_p: float | None = None
    repetition_penalty: float | None = None
    user: str | None = None


WORDS = Words(names={"repeat_penalty": "repetition_penalty"}, reasons={"stream_options": ""})
"""For every request of this dialect."""
_body = msgspec.json.Decoder(Body)
_known = frozenset(Body.__struct_fields__)


def read_call(body: bytes, limits: Limits) -> Call:
    """Take model and stream from a body, leaving its meaning for later; raises `BadRequest` naming the field."""
    body, fields = read_body(body, limits)
    model = read_model(fields)
    check_list(fields, "stop", limits.stop)
    check_kinds(fields, _KINDS)
    _check_prompt(fields.get("prompt"))
    call = Call(body, NAME, model, lambda: read_requests(body, fields), stream=is_true(fields, "stream"))
    call.fields = fields
    call.words = WORDS
    call.n = read_n(fields, limits.n)
    if call.stream:
        call.show_usage = shows_usage(fields)
    return call


def read_requests(body: bytes, fields: Fields) -> list[msg.Request]:
    """Return one chat request for each prompt; raises `BadRequest` for what chat cannot do."""
    _refuse_tokens(fields.get("prompt"))
    asked = read_json(_body, body)
    if asked.logprobs is not None:
        raise _unsupported("logprobs")
    if asked.best_of is not None and asked.best_of > (asked.n or 1):
        raise _unsupported("best_of")
    extra = {name: raw for name, raw in fields.items() if name not in _known and name not in DESTINATION}
    if not asked.stream:
        extra.pop("stream_options", None)
    return [_request(asked, prompt, extra) for prompt in _prompts(asked)]


class Writer:
    """Writes one streamed answer."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._start = ev.Start("", "", 0)
        self._echoes = _echoes(call)
        self._begun: set[int] = set()
        self._said: list[ev.Text | ev.Replace] = []
        self._usage: UnsetType | None = None if call.show_usage else UNSET

    def write(self, burst: Burst) -> bytes:
        """Return the frames of `burst`, without usage unless the client asked for it."""
        if burst.raw is None or burst.dialect != NAME:
            return b"".join([self._write_event(event) for event in burst.events])
        if self._usage is UNSET:
            return hide_usage(burst)
        if not self._start.id:
            self._start = find_start(burst)
        return burst.raw

    def end(self) -> bytes:
        """Return the success marker."""
        return DONE

    def fail(self, error: DragomanError) -> bytes:
        """Return the frame that says the answer broke; no success marker follows."""
        return write_stream_error(error)

    def ping(self) -> bytes:
        """Return a comment, which every reader of event streams skips."""
        return PING

    def _write_event(self, event: ev.Event) -> bytes:
        match event:
            case ev.Start():
                self._start = event
                return b""
            case ev.Text():
                self._said.append(event)
                return self._piece(event.choice, event.text, None)
            case ev.Refusal():
                return self._piece(event.choice, event.text, None)
            case ev.Replace():
                return self._replace(event)
            case ev.Finish():
                return self._piece(event.choice, "", _finish(event.reason))
            case ev.Usage():
                return b"" if self._usage is UNSET else self._frame([], _usage(event))
            case _:
                return b""  # plain text has no place for thoughts, tools, media and notes

    def _replace(self, event: ev.Replace) -> bytes:
        more = say_instead("".join([said.text for said in self._said if said.choice == event.choice]), event.text)
        self._said = [*(said for said in self._said if said.choice != event.choice), event]
        return self._piece(event.choice, more, None) if more else b""

    def _piece(self, index: int, text: str, finish: str | None) -> bytes:
        if self._echoes and index not in self._begun:
            text = _prompt_of(self._echoes, index, self._call.n) + text
        self._begun.add(index)
        return self._frame([Choice(text, index, finish_reason=finish)], self._usage)

    def _frame(self, choices: list[Choice], usage: Usage | UnsetType | None) -> bytes:
        start = self._start
        return (
            b"data: "
            + encode(Completion(_id(start.id), wire.OBJECT, start.created, start.model, choices, usage))
            + b"\n\n"
        )


def write_reply(call: Call, burst: Burst) -> bytes:
    """Return the body of a plain answer: the upstream's own, else one made from its events."""
    if burst.raw is not None and burst.dialect == NAME:
        return burst.raw
    reply = fold(burst.events)
    echoes = _echoes(call)
    choices: list[Choice] = []
    for index, choice in enumerate(reply.choices):
        text = "".join(part.text for part in choice.parts if isinstance(part, msg.Text | msg.Refusal))
        prompt = _prompt_of(echoes, index, call.n) if echoes else ""
        choices.append(Choice(prompt + text, index, finish_reason=_finish(choice.finish)))
    usage = UNSET if reply.usage is None else _usage(reply.usage)
    return encode(Completion(_id(reply.id), wire.OBJECT, reply.created, reply.model, choices, usage))


def _check_prompt(prompt: Raw | None) -> None:
    if prompt is not None and bytes(prompt)[:1] not in (b'"', b"[", b"n"):
        reason = "invalid type for 'prompt': expected string or an array"
        raise BadRequest(reason, param="prompt", code="invalid_type")


def _refuse_tokens(prompt: Raw | None) -> None:
    if prompt is None or bytes(prompt)[:1] != b"[":
        return
    first = bytes(prompt)[1:].lstrip(b" \t\r\n")[:1]
    if first not in (b'"', b"]"):
        reason = "invalid 'prompt': token ids cannot be read without the model's tokenizer; send text"
        raise BadRequest(reason, param="prompt", code="unsupported_value")
    if first == b"]" or has_more_items(prompt, MAX_PROMPTS):
        reason = f"invalid 'prompt': expected 1 to {MAX_PROMPTS} prompts"
        raise BadRequest(reason, param="prompt", code="invalid_value")


def _unsupported(name: str) -> BadRequest:
    return BadRequest(f"'{name}' is not supported by this model", param=name, code="unsupported_parameter")


def _prompts(asked: Body) -> list[str]:
    return [asked.prompt] if isinstance(asked.prompt, str) else asked.prompt or [""]


def _request(asked: Body, prompt: str, extra: msg.Extra) -> msg.Request:
    user = msg.Message("user", [msg.Text(prompt)] if prompt else [])
    messages = [user]
    if asked.suffix:
        gap = f"Before the gap:\n{prompt}\n\nAfter the gap:\n{asked.suffix}"
        messages = [msg.Message("system", [msg.Text(_INSERT)]), msg.Message("user", [msg.Text(gap)])]
    sampling = msg.Sampling(
        temperature=asked.temperature,
        top_p=asked.top_p,
        top_k=asked.top_k,
        min_p=asked.min_p,
        max_tokens=MAX_TOKENS if asked.max_tokens is None else asked.max_tokens,
        stop=[asked.stop] if isinstance(asked.stop, str) else asked.stop or [],
        seed=asked.seed,
        presence_penalty=asked.presence_penalty,
        frequency_penalty=asked.frequency_penalty,
        repeat_penalty=asked.repetition_penalty,
        logit_bias=asked.logit_bias,
    )
    return msg.Request(
        asked.model,
        messages,
        sampling=sampling,
        n=asked.n or 1,
        stream=bool(asked.stream),
        user=asked.user or "",
        extra=extra,
    )


def _echoes(call: Call) -> list[str]:
    """The prompts to be repeated before the answers; none unless the client asked for it."""
    return _prompts(read_json(_body, call.body)) if is_true(call.fields, "echo") else []


def _prompt_of(prompts: list[str], index: int, n: int) -> str:
    return prompts[min(index // n, len(prompts) - 1)]


def _id(answer_id: str) -> str:
    return "cmpl-" + answer_id.removeprefix("chatcmpl-").removeprefix("cmpl-")


def _finish(reason: ev.FinishReason) -> str:
    return "stop" if reason == "tool_calls" else reason


def _usage(usage: ev.Usage) -> Usage:
    estimated = wire.TRUE if usage.estimated else UNSET
    return Usage(usage.prompt, usage.completion, usage.prompt + usage.completion, estimated)


INBOUND = Inbound(
    name=NAME,
    stream_type=b"text/event-stream; charset=utf-8",
    read_call=read_call,
    writer=Writer,
    write_reply=write_reply,
    write_error=write_error,
)
