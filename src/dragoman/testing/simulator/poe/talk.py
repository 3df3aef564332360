"""The three endpoints at which a bot talks: chat completions, Responses and Messages."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial

import msgspec
from msgspec import Struct, structs

from dragoman.core import events as ev
from dragoman.core import message as msg
from dragoman.core.call import Call, Clock
from dragoman.core.ports import Inbound
from dragoman.dialects import inbound
from dragoman.testing.simulator import speak
from dragoman.testing.simulator.brain import think
from dragoman.testing.simulator.chance import digest
from dragoman.testing.simulator.faults import Wire, spoil_events, spoil_wire
from dragoman.testing.simulator.judge import judge
from dragoman.testing.simulator.poe import chat, strict
from dragoman.testing.simulator.poe.account import Account
from dragoman.testing.simulator.poe.catalogue import BOTS, CHAT, MESSAGES, RESPONSES, Bot
from dragoman.testing.simulator.poe.gallery import Gallery
from dragoman.testing.simulator.poe.mischief import NONE, Mischief, read_mischief
from dragoman.testing.simulator.poe.others import change_message, change_response, response_id
from dragoman.testing.simulator.poe.refusal import Refused, write_break
from dragoman.testing.simulator.script import Cadence, Piece, Script
from dragoman.wire.json import encode, read_fields

_THINKER, _TALKER = "reasoning", "instant"
"""The simulated models that think the words of all bots."""
_SIM = "sim-"
_DATE = re.compile(r"-\d{6,}$")
_EFFORTS = ("output_effort", "thinking_level")
_BROKEN = Refused(500, "This bot fails on purpose.", kind="api_error")


class Place(Struct, frozen=True):
    """One endpoint."""

    dialect: str
    endpoint: str
    """What the catalogue calls it."""
    change: Callable[[Bot, bytes], bytes]
    """Puts the bytes of an answer into Poe's words."""


PLACES = {
    "chat/completions": Place("openai_chat", CHAT, chat.change_bytes),
    "responses": Place("openai_responses", RESPONSES, change_response),
    "messages": Place("anthropic_messages", MESSAGES, change_message),
}
"""By their paths below ``/v1/``."""


def find_bot(name: str, account: Account) -> tuple[Bot, Mischief]:
    """Return a bot, whatever the case of its name, and what it does wrong; raises `Refused`."""
    lower = name.lower()
    mischief = read_mischief(lower)
    if mischief.fails(account, lower):
        raise mischief.refuse()
    if lower in BOTS:
        return BOTS[lower], NONE
    if lower.startswith(_SIM):
        return Bot(name, tools=True), mischief
    status = account.switches.unknown
    raise Refused(status, f"Model {name} not found.", param="model", code="model_not_found" if status == 400 else None)


class Talk:
    """Answers in words, whatever the dialect."""

    def __init__(self, seed: int, now: Callable[[], int], cadence: Cadence, gallery: Gallery) -> None:
        self._seed = seed
        self._now = now
        self._cadence = cadence
        self._gallery = gallery

    def answer(self, account: Account, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Script:
        """Return the response to a request at one of `PLACES`; raises `Refused` and `DragomanError`."""
        place = PLACES[path.partition("?")[0]]
        if method != "POST":
            raise Refused(405, "Method not allowed", kind="invalid_request_error")
        if account.switches.deaf and place.endpoint == RESPONSES:
            body = encode({name: raw for name, raw in read_fields(body).items() if name != "instructions"})
        side = inbound(place.dialect)
        call = speak.read_call(side, headers, body)
        bot, mischief = self._find(place, account, call)
        account.afford()
        feature = strict.read_feature(headers, account.switches)
        self._check(place, bot, call, feature)
        self._name(place, bot, call)
        events = self._think(place, bot, call, headers.get("host", ""))
        account.charge(bot.name, self._now(), *_count(events))
        if place.endpoint == CHAT:
            events = chat.change_events(bot, call.request, events)
        script = self._write(place, side, bot, call, (mischief, events))
        if place.endpoint == CHAT:
            script.headers.append(("x-poe-feature-active", feature))
        return script

    def _find(self, place: Place, account: Account, call: Call) -> tuple[Bot, Mischief]:
        if place.endpoint == MESSAGES:
            for bot in BOTS.values():
                if MESSAGES in bot.endpoints and _plain(call.model) == _plain(bot.id):
                    return bot, NONE
        bot, mischief = find_bot(call.model, account)
        # Chat answers for nearly all, whatever the catalogue lists; the other two for those that list them.
        if place.endpoint != CHAT and place.endpoint not in bot.endpoints and bot.id in BOTS:
            message = f"Model {call.model} is not available on {place.endpoint}."
            raise Refused(400, message, param="model", code="unsupported_endpoint")
        return bot, mischief

    def _check(self, place: Place, bot: Bot, call: Call, feature: str) -> None:
        if place.endpoint == CHAT:
            strict.check_fields(call, bot, feature)
            strict.check_chat(call, call.request, bot)
        elif call.thread is not None and call.thread.previous:
            raise _forget(bot)
        strict.check_tools(call, call.request, bot)
        judge(call.request)

    def _name(self, place: Place, bot: Bot, call: Call) -> None:
        serial = digest(self._seed, call.body).hex()
        names = {CHAT: serial, RESPONSES: response_id(bot, serial), MESSAGES: digest(1, serial).hex()[:8] + serial}
        call.id = call.serial = names[place.endpoint]
        call.clock = Clock(float, self._now)
        if call.thread is not None:
            call.thread.keep = False

    def _think(self, place: Place, bot: Bot, call: Call, host: str) -> list[ev.Event]:
        request = _with_effort(call.request)
        if bot.gives != "text":
            events = chat.show_media(bot, request, self._gallery, host)
        else:
            asked = place.endpoint == MESSAGES and bool(request.reasoning.budget)
            events = think(structs.replace(request, model=_THINKER if bot.thinks or asked else _TALKER), self._seed)
            events = _prove(events) if asked else events
        prefix = {CHAT: "chatcmpl-", MESSAGES: "msg_"}.get(place.endpoint, "")
        model = call.model if place.endpoint == CHAT else bot.dated or bot.name
        events[0] = ev.Start(prefix + call.serial, model, self._now())
        return events

    def _write(
        self, place: Place, side: Inbound, bot: Bot, call: Call, answer: tuple[Mischief, list[ev.Event]]
    ) -> Script:
        mischief, events = answer
        fault = mischief.fault
        events = spoil_events(fault, events)
        told = speak.write_pieces(side, call, events, self._cadence)
        if call.stream:
            told = chat.add_pause(_STREAMS.get(fault, list)(told), mischief.pause)
        pieces = [(delay, place.change(bot, data)) for delay, data in told]
        kind = speak.write_headers(side, call)
        if place.endpoint == RESPONSES and not call.stream:
            kind[0] = ("content-type", "application/json; charset=utf-8")
        error = partial(speak.write_break, side, call, events)
        if place.endpoint == CHAT and call.stream:
            error = partial(_break_chat, named=fault == _NAMED)
        wire = Wire(Script(200, kind, pieces), pieces, error, call.stream)
        script = spoil_wire(_AS.get(fault, fault), wire)
        return structs.replace(script, pieces=list(chat.cut_characters(script.pieces)))


_NAMED = "event-error"
_AS = {_NAMED: "midstream"}
_STREAMS: dict[str, Callable[[list[Piece]], list[Piece]]] = {"usage-last": chat.join_usage, "pings": chat.add_pings}


def _break_chat(pieces: int, *, named: bool) -> bytes:
    return write_break(_BROKEN, named=named)


def _count(events: list[ev.Event]) -> tuple[int, int]:
    usage = [event for event in events if isinstance(event, ev.Usage)][-1]
    return usage.prompt, usage.completion


def _forget(bot: Bot) -> Refused:
    """Poe keeps no responses, and every backend says so in its own way."""
    if bot.owner == "Anthropic":
        return Refused(500, "Internal server error")
    message = "Previous response cannot be used for this organization due to Zero Data Retention."
    return Refused(400, message, param="previous_response_id")


def _plain(name: str) -> str:
    """A model's name without the date at its end, and without dots."""
    return _DATE.sub("", name.lower().replace(".", "-"))


def _prove(events: list[ev.Event]) -> list[ev.Event]:
    """Sign the reasoning: what comes back without proof is refused by Anthropic."""
    last = max((at for at, event in enumerate(events) if isinstance(event, ev.Thinking)), default=-1)
    proof = ev.Thinking("", signature=digest(0, "signature", str(last)).hex())
    return [*events[: last + 1], proof, *events[last + 1 :]] if last >= 0 else events


class _Wishes(Struct):
    output_effort: str | None = None
    thinking_level: str | None = None
    thinking_budget: int | None = None


def _with_effort(request: msg.Request) -> msg.Request:
    """Read how much to think from the bot's own parameters, too."""
    try:
        wishes = msgspec.json.decode(encode(request.extra), type=_Wishes)
    except msgspec.ValidationError as error:
        raise Refused(400, str(error), code="invalid_parameter") from None
    effort = request.reasoning.effort or wishes.output_effort or wishes.thinking_level
    budget = wishes.thinking_budget if request.reasoning.budget is None else request.reasoning.budget
    return structs.replace(request, reasoning=msg.Reasoning(effort, budget))
