"""Keep what a model signs its tool calls with, for clients that do not hand it back.

Gemini wants the signature of each of its calls back with the call, and refuses the next turn without it. Few clients
keep a field that their dialect has no name for, so it is remembered here for each caller under the id of the call, and
put back where it is missing. What is forgotten, by a restart or because there are too many, is simply missing again. Of
several calls with the same id the last one counts.

Ollama's own SDK drops the ids as well, so a call is remembered by its words too: the model, its name and its arguments.
They are looked at only for the first call of a turn of which nothing is known by id: no other call is signed.
Source: Google's rule for Gemini 3 and Poe's recorded answers, 2026.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Sequence
from hashlib import sha256

import msgspec
from msgspec import Raw, structs

from dragoman.core.ask import Answer, Ask, Stage
from dragoman.core.burst import Burst
from dragoman.core.call import Call
from dragoman.core.events import Finish, ToolDelta
from dragoman.core.message import Message, Part, Request, ToolCall

MAX_KEPT = 20_000
"""Signatures of all callers together, each of which is kept twice."""
MAX_SIZE = 16 * 1024
"""Bytes of one; a larger one is none."""
_EXTRA = "extra"
"""The hub's own member of a call's `extra`."""
_object = msgspec.json.Decoder(object)


class Signatures:
    """What calls were signed with, the oldest forgotten first."""

    def __init__(self, most: int = MAX_KEPT) -> None:
        self._kept: OrderedDict[tuple[str, str], Raw] = OrderedDict()
        self._most = most

    def keep(self, caller: str, name: str, signature: Raw) -> None:
        """Remember what a call is signed with; its `name` is its id or its words."""
        self._kept[caller, name] = signature
        self._kept.move_to_end((caller, name))
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def restore(self, caller: str, request: Request) -> Request:
        """Return the request with the signatures that are known and missing in it."""
        messages = [self._restore_message(caller, request.model, message) for message in request.messages]
        return structs.replace(request, messages=messages)

    def __len__(self) -> int:
        return len(self._kept)

    def _restore_message(self, caller: str, model: str, message: Message) -> Message:
        calls = [part for part in message.parts if isinstance(part, ToolCall)]
        if message.role != "assistant" or not calls:
            return message
        signed = [self._sign(caller, call, call.id) for call in calls]
        if not any(_EXTRA in call.extra for call in signed):
            words = _write_words(model, calls[0].name, calls[0].arguments)
            signed[0] = self._sign(caller, calls[0], words)
        return structs.replace(message, parts=_exchange(message.parts, signed))

    def _sign(self, caller: str, call: ToolCall, name: str) -> ToolCall:
        signature = None if _EXTRA in call.extra else self._kept.get((caller, name))
        return call if signature is None else structs.replace(call, extra={**call.extra, _EXTRA: signature})


class _Listener:
    """Hears which calls of an answer are signed; their arguments come in pieces."""

    __slots__ = ("_caller", "_model", "_open", "_signatures")

    def __init__(self, signatures: Signatures, caller: str, model: str) -> None:
        self._signatures = signatures
        self._caller = caller
        self._model = model
        self._open: dict[int, tuple[str, list[str], Raw]] = {}

    def hear(self, burst: Burst) -> None:
        for event in burst.events:
            if isinstance(event, ToolDelta):
                self._hear_call(event)
            elif isinstance(event, Finish):
                self._hear_end()

    def _hear_call(self, event: ToolDelta) -> None:
        if event.id and isinstance(event.extra, Raw):
            signature = Raw(bytes(event.extra))  # the bytes it came in are many, and are not kept
            if len(bytes(signature)) <= MAX_SIZE:
                self._signatures.keep(self._caller, event.id, signature)
                self._open[event.index] = (event.name or "", [], signature)
        if event.index in self._open:
            self._open[event.index][1].append(event.arguments)

    def _hear_end(self) -> None:
        for name, arguments, signature in self._open.values():
            words = _write_words(self._model, name, "".join(arguments))
            self._signatures.keep(self._caller, words, signature)
        self._open = {}


def keep_signatures(signatures: Signatures) -> Stage:
    """Put the signatures of earlier calls back into each request, and remember those of the answer."""

    def stage(ask: Ask) -> Ask:
        def signing(call: Call) -> Awaitable[Answer]:
            caller = call.caller.name
            if len(signatures):
                call.amend(lambda request: signatures.restore(caller, request))
            call.observe(_Listener(signatures, caller, call.model).hear)
            return ask(call)

        return signing

    return stage


def _write_words(model: str, name: str, arguments: str) -> str:
    """Return the same for the same call of a model, however its arguments are written; no id looks like it."""
    try:
        told = msgspec.json.encode(_object.decode(arguments or "{}"), order="sorted")
    except (msgspec.DecodeError, RecursionError):
        told = arguments.encode()
    return f"{model} {name} {sha256(told).hexdigest()}"


def _exchange(parts: Sequence[Part], calls: Sequence[ToolCall]) -> list[Part]:
    """Return the parts with these calls in the place of their own."""
    following = iter(calls)
    return [next(following) if isinstance(part, ToolCall) else part for part in parts]
