"""One exchange with an upstream in one of its dialects: whatever speaks HTTP becomes an `Ask`.

Everything up to the first thing said is awaited here, so that every failure before it can still be retried; what fails
later is raised by the rest of the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from email.utils import formatdate
from functools import partial
from typing import Protocol
from urllib.parse import quote

from msgspec import Struct, structs

from dragoman.core.ask import Answer, Ask
from dragoman.core.attached import check_attached
from dragoman.core.call import Call, Clock, Task
from dragoman.core.capabilities import Capabilities
from dragoman.core.errors import (
    BadRequest,
    DragomanError,
    LossRefused,
    TaskNotServed,
    UpstreamInvalid,
    UpstreamTimeout,
)
from dragoman.core.events import Start
from dragoman.core.loss import carry, fit
from dragoman.core.message import Request
from dragoman.core.ports import Outbound
from dragoman.core.quirks import NO_QUIRKS, Quirks
from dragoman.net.reply import Patience
from dragoman.upstreams.batch import ask_each
from dragoman.upstreams.fitting import Fitting
from dragoman.upstreams.keys import KeyRing
from dragoman.upstreams.links import FetchLinks
from dragoman.upstreams.reading import (
    Reply,
    read_at_once,
    read_error_body,
    read_own_type,
    read_plain,
    read_stream,
    read_to_end,
)

_JSON = b"content-type: application/json\r\n"


Prepare = Callable[[Request], Awaitable[Request]]
"""Does what has to be done before a request is written in another dialect, such as to upload its attachments."""


class Transport(Protocol):
    """What carries requests to an upstream: a pool of connections, or the simulator."""

    async def request(self, method: bytes, path: bytes, headers: bytes, body: bytes, patience: Patience) -> Reply:
        """Send a request and return the response once its head is here."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...


def nobody_knows(model: str) -> Capabilities:
    """Return what is known of a model where nobody tells anything."""
    return Capabilities()


def as_written(model: str) -> Quirks:
    """Return the quirks of a model that is spoken to as its dialect is written."""
    return NO_QUIRKS


def learn_nothing(model: str, error: DragomanError) -> bool:
    """Tell that an error says nothing about how a model has to be asked."""
    return False


class Manners(Struct, frozen=True):
    """How to speak to an upstream."""

    dialects: Sequence[Outbound]
    """The dialects it speaks; the first for a task serves clients of all others."""
    headers: bytes = b""
    """Written header lines of every request."""
    patience: Patience = Patience()
    plain_first: float | None = None
    """Seconds to the first byte of a plain answer, which comes when all is said; None: only the total counts."""
    can: Callable[[str], Capabilities] = nobody_knows
    """What is known of a model."""
    quirks: Callable[[str], Quirks] = as_written
    """How a model has to be spoken to; the same object as long as nothing has changed."""
    keys: Sequence[bytes] = ()
    """Written header lines with a credential each, used in turn; none: it wants none."""
    instead: Mapping[Task, Task] = {}
    """Tasks that are asked for as another one, whatever endpoint there is: pictures of a model that chats, say."""
    prepare: Prepare | None = None
    """What has to be done before a request is written in another dialect; None: nothing."""
    links: FetchLinks | None = None
    """Fetches what is linked in a request and has no place in a dialect but with its bytes; None: nobody does."""
    learn: Callable[[str, DragomanError], bool] = learn_nothing
    """Is shown every refusal of a request; tells whether the model would now be asked otherwise."""
    saw: Callable[[Mapping[str, str]], None] | None = None
    """Is shown the headers of every response."""


class HttpUpstream:
    """One upstream, reached through a transport."""

    def __init__(self, name: str, transport: Transport, manners: Manners, clock: Clock) -> None:
        self.name = name
        self.transport = transport
        self._manners = manners
        self._usual = Fitting(manners.dialects, NO_QUIRKS, manners.instead)
        self._keys = KeyRing(manners.keys, clock.now)
        self._clock = clock
        first = manners.patience.total if manners.plain_first is None else manners.plain_first
        self._plain_patience = structs.replace(manners.patience, first=first)

    def ask_model(self, model: str) -> Ask:
        """Return the ask for what the upstream itself calls `model`.

        A refusal that teaches how the model has to be asked is asked again so, once.
        """
        learn, fitting = self._manners.learn, self._usual

        async def ask(call: Call) -> Answer:
            nonlocal fitting
            quirks = self._manners.quirks(model)
            if quirks is not fitting.quirks:
                fitting = self._fit(quirks)
            return await self._ask(call, fitting, model)

        async def ask_and_learn(call: Call) -> Answer:
            try:
                return await ask(call)
            except DragomanError as error:
                if call.committed or not learn(model, error):
                    raise
            return await ask(call)

        return ask if learn is learn_nothing else ask_and_learn

    async def fetch(self, method: bytes, path: bytes, body: bytes = b"", media_type: str = "") -> Reply:
        """Ask for something that is no model's answer, and return the response once its head is here.

        Whoever holds it closes it. Raises `UpstreamError` when there is none.
        """
        headers = self._manners.headers + next(self._keys.turns())[1]
        if body:
            headers = b"content-type: %b\r\n%b" % (media_type.encode("latin-1"), headers)
        return await self.transport.request(method, path, headers, body, self._plain_patience)

    def _fit(self, quirks: Quirks) -> Fitting:
        return self._usual if quirks is NO_QUIRKS else Fitting(self._manners.dialects, quirks, self._manners.instead)

    async def _ask(self, call: Call, fitting: Fitting, model: str) -> Answer:
        call.losses = {}
        dialect = fitting.own(call)
        if dialect is not None:
            bodies = [dialect.patch_request(call, model)]
            _refuse_losses(call)
        elif (dialect := fitting.main(call)) is not None:
            bodies = await self._translate(call, dialect, model, plain=fitting.quirks.plain)
        else:
            raise TaskNotServed(f"the upstream of '{call.model}' has no endpoint for this", param="model")
        self._count_attempt(call, model)  # not before the bodies: what the client did wrong is no attempt
        whole = fitting.quirks.plain or fitting.quirks.replaces
        patience = self._patience_for(call, plain=whole or not call.stream)
        asks = [partial(self._exchange, call, dialect, body, model, patience) for body in bodies]
        return await asks[0]() if len(asks) == 1 else await ask_each(asks, call.n)

    async def _translate(self, call: Call, dialect: Outbound, model: str, *, plain: bool) -> list[bytes]:
        """Return the bodies that say in `dialect` what of the call can be said in it, one for each prompt."""
        asked = list(call.requests)
        for request in asked:
            check_attached(request)
        if self._manners.links is not None:
            asked = [await self._manners.links(request, dialect.terms.cannot.keys()) for request in asked]
        asked = _carry(call, asked, dialect, self._manners.can(model))
        if plain:
            asked = [structs.replace(request, stream=False) for request in asked]
        if (prepare := self._manners.prepare) is not None:
            asked = [await self._prepare(prepare, call, request, model) for request in asked]
        return [dialect.write_request(request, model) for request in asked]

    async def _prepare(self, prepare: Prepare, call: Call, request: Request, model: str) -> Request:
        """Prepare a request, which may take as long as an answer; what fails there, but for the client, is an attempt.

        Raises what `prepare` does, and `UpstreamTimeout`.
        """
        began = self._clock.now()
        end = min(call.deadline, began + self._manners.patience.total)
        try:
            async with asyncio.timeout(end - began):
                return await prepare(request)
        except BadRequest:
            raise
        except (DragomanError, TimeoutError) as error:
            self._count_attempt(call, model)
            call.deadline = end
            raise error if isinstance(error, DragomanError) else UpstreamTimeout from None

    def _count_attempt(self, call: Call, model: str) -> None:
        call.attempts += 1
        call.served_by = f"{self.name}/{model}"
        call.asked = self._clock.now()

    async def _exchange(self, call: Call, dialect: Outbound, body: bytes, model: str, patience: Patience) -> Answer:
        fallback = Start(f"{dialect.id_prefix}{call.id}", model, int(self._clock.epoch()))
        reply = await self._send(call, dialect, body, model, patience)
        try:
            media_type = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
            if not call.stream and not dialect.always_streams:
                if not dialect.stream_type:
                    call.reply_type = read_own_type(reply, media_type)
                return await read_plain(reply, dialect, fallback)
            if media_type == "application/json":
                return await read_at_once(reply, dialect, fallback)
            if not dialect.stream_type:
                call.reply_type = read_own_type(reply, media_type)
            elif media_type != dialect.stream_type:
                raise UpstreamInvalid(detail="asked for a stream, the content type is another")
            read = read_stream if call.stream else read_to_end
            return await read(reply, dialect.reader(fallback, call.n))
        except BaseException:
            reply.close()
            raise

    async def _send(self, call: Call, dialect: Outbound, body: bytes, model: str, patience: Patience) -> Reply:
        """Return the response that is a success; a key that is used up makes room for the next."""
        headers = self._write_headers(call, dialect)
        path = dialect.path % quote(model, safe="").encode() if b"%b" in dialect.path else dialect.path
        refusals: list[DragomanError] = []
        for number, key in self._keys.turns():
            reply = await self.transport.request(b"POST", path, headers + key, body, patience)
            try:
                if self._manners.saw is not None:
                    self._manners.saw(reply.headers)
                if reply.status == 200:
                    return reply
                dated = {"date": formatdate(self._clock.epoch(), usegmt=True), **reply.headers}  # a wait may be a date
                error = dialect.read_error(reply.status, dated, await read_error_body(reply))
            except BaseException:
                reply.close()
                raise
            reply.close()
            if not self._keys.blame(number, reply.status, error.retry_after):
                raise error
            refusals.append(error)
        raise self._keys.sum_up(refusals)

    def _write_headers(self, call: Call, dialect: Outbound) -> bytes:
        lines, media_type = self._manners.headers, _JSON
        own = call.dialect == dialect.name
        if own and call.media_type != "application/json":
            media_type = b"content-type: %b\r\n" % call.media_type.encode("latin-1")
        if dialect.headers:
            said = {**dialect.headers, **call.headers} if own else dialect.headers
            lines += "".join([f"{name}: {value}\r\n" for name, value in said.items()]).encode("latin-1")
        return media_type + lines

    def _patience_for(self, call: Call, *, plain: bool) -> Patience:
        """All attempts of one call share one total."""
        patience = self._plain_patience if plain else self._manners.patience
        now = self._clock.now()
        if call.attempts <= 1:
            call.deadline = min(call.deadline, now + patience.total)
            return patience
        return structs.replace(patience, total=max(0.001, min(patience.total, call.deadline - now)))


def _carry(call: Call, asked: Sequence[Request], dialect: Outbound, can: Capabilities) -> list[Request]:
    """Return what of each prompt can be said in `dialect`; the rest is noted on the call."""
    said: list[Request] = []
    losses: dict[str, str] = {}
    terms = fit(dialect.terms, can)
    for request in asked:
        carried, lost = carry(request, call.dialect, call.words, terms)
        losses |= lost
        said.append(carried)
    call.losses = losses
    _refuse_losses(call)
    return said


def _refuse_losses(call: Call) -> None:
    """Raise `LossRefused` where part of the request would be lost, and the client wants all or nothing."""
    if not (call.losses and call.strict):
        return
    reasons = "; ".join(f"'{name}': {reason}" for name, reason in call.losses.items())
    message = f"part of the request would be lost on its way to '{call.model}': {reasons}"
    param = next(iter(call.losses))
    call.losses = {}
    raise LossRefused(message, param=param)
