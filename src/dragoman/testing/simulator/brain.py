"""What a simulated model answers: a request in, the events of the answer out; the same every time, and always legal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from msgspec import UNSET, Raw, Struct, UnsetType

from dragoman.core import events as ev
from dragoman.core import message as msg
from dragoman.testing.simulator import prose
from dragoman.testing.simulator.chance import digest, draw
from dragoman.testing.simulator.fill import fill
from dragoman.testing.simulator.hints import Hints
from dragoman.testing.simulator.models import MODELS, Model
from dragoman.testing.simulator.tokens import count, count_request, cut
from dragoman.testing.simulator.toolbox import Use, use_tools
from dragoman.wire.json import encode

_PIECE = 3
"""Tokens of a tool's arguments that are said together."""
_KEYS = 8
"""Most keys of an object whose shape nobody told."""


class _Token(Struct, frozen=True):
    """One token (of logprobs, or an alternative to one)."""

    token: str
    logprob: float
    bytes: list[int]


class _Told(Struct, frozen=True):
    """One token of an answer, with those that might have stood in its place."""

    token: str
    logprob: float
    bytes: list[int]
    top_logprobs: list[_Token]


class _Logprobs(Struct, frozen=True):
    content: list[_Told]
    refusal: None = None


class _Said(Struct):
    """One choice, cut to what it may say."""

    events: list[ev.Event]
    tokens: int
    thoughts: int


def think(request: msg.Request, seed: int) -> list[ev.Event]:
    """Return the answer of the model that `request` names (an unknown one is plain), with its usage at the end."""
    return think_each([request], seed)


def think_each(requests: Sequence[msg.Request], seed: int) -> list[ev.Event]:
    """Return one answer to several requests of one call: the choices of each follow those of the one before."""
    said: list[_Said] = []
    for request in requests:
        model = MODELS.get(request.model) or MODELS["chat"]
        said += [_speak(request, seed, len(said) + choice, model) for choice in range(request.n)]
    # Choices are told interleaved, as real models do.
    mixed = [event for row in zip_longest(*(one.events for one in said)) for event in row if event is not None]
    usage = ev.Usage(
        sum(count_request(request) for request in requests),
        sum(one.tokens for one in said),
        reasoning=sum(one.thoughts for one in said),
    )
    return [ev.Start("", requests[0].model), *mixed, usage]


def _speak(request: msg.Request, seed: int, choice: int, model: Model) -> _Said:
    """Say one choice until it is complete or its tokens are spent."""
    limit = request.sampling.max_tokens
    said = _Said([], 0, 0)
    reason: ev.FinishReason = "stop"
    for event, tokens in _continue(request, seed, choice, model):
        if limit is not None and said.tokens + tokens > limit:
            reason = "length"
            break
        said.events.append(event)
        said.tokens += tokens
        if isinstance(event, ev.Thinking):
            said.thoughts += tokens
        elif isinstance(event, ev.ToolDelta):
            reason = "tool_calls"
    said.events.append(ev.Finish(reason, choice))
    return said


def _continue(request: msg.Request, seed: int, choice: int, model: Model) -> Iterator[tuple[ev.Event, int]]:
    """All that a choice would say without a limit, each event with its tokens."""
    if model.thinks:
        for piece in cut(prose.think_aloud(request, seed, choice)):
            yield ev.Thinking(piece, choice), 1
    if model.refuses:
        for piece in cut(prose.refuse(request, seed)):
            yield ev.Refusal(piece, choice), 1
    elif uses := use_tools(request):
        for index, use in enumerate(uses):
            yield from _call(use, index, choice, _call_id(request, seed, choice, index))
    else:
        text = _until_stop(_text(request, seed, choice), request.sampling.stop)
        for piece in cut(text):
            yield ev.Text(piece, choice, _logprobs(piece, seed, request.sampling.logprobs)), 1


def _call(use: Use, index: int, choice: int, call_id: str) -> Iterator[tuple[ev.Event, int]]:
    yield ev.ToolDelta(index, "", call_id, use.name, choice), count(use.name)
    tokens = cut(use.arguments)
    for at in range(0, len(tokens), _PIECE):
        piece = tokens[at : at + _PIECE]
        yield ev.ToolDelta(index, "".join(piece), choice=choice), len(piece)


def _call_id(request: msg.Request, seed: int, choice: int, index: int) -> str:
    words = (str(choice), str(index), str(len(request.messages)), prose.last_words(request))
    return f"call_{digest(seed, *words).hex()}"


def _text(request: msg.Request, seed: int, choice: int) -> str:
    asked = prose.last_words(request)
    form = request.format
    if form.kind == "schema" and not isinstance(form.schema, UnsetType):
        return fill(form.schema, Hints(asked))
    if form.kind != "text":
        return _free_json(request, seed, choice)
    return prose.say(request, seed, choice)


def _free_json(request: msg.Request, seed: int, choice: int) -> str:
    """An object with the keys that the user quotes, or else a single one."""
    keys = Hints(prose.last_words(request)).keys()[:_KEYS]
    return encode({key: f"some {key}" for key in keys} or {"answer": prose.say(request, seed, choice)}).decode()


def _until_stop(text: str, stops: list[str]) -> str:
    ends = [at for stop in stops if stop and (at := text.find(stop)) >= 0]
    return text[: min(ends)] if ends else text


def _logprobs(piece: str, seed: int, alternatives: int | None) -> Raw | UnsetType:
    if alternatives is None:
        return UNSET
    own = _Token(piece, -draw(seed, piece, below=1000) / 1000, list(piece.encode()))
    others = [
        _Token(f"{piece}{number}", own.logprob - number, list(f"{piece}{number}".encode()))
        for number in range(alternatives)
    ]
    top = [own, *others[1:]] if alternatives else []
    return Raw(encode(_Logprobs([_Told(own.token, own.logprob, own.bytes, top)])))
