"""The routes around video jobs: look, list, fetch, remix and delete; ordering one is the work of `endpoint`.

A job belongs to the key that ordered it, under an id of ours: which upstream makes it, and what it is called there, is
kept in the store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Protocol
from urllib.parse import parse_qs, quote

import msgspec
from msgspec import Raw, Struct, structs

from dragoman.core.ask import Answer, Ask, Stage
from dragoman.core.burst import Burst
from dragoman.core.call import Call, Caller
from dragoman.core.errors import DragomanError, NotFound, UnsupportedMediaType, UpstreamInvalid
from dragoman.core.ports import Record, Store
from dragoman.dialects.openai_errors import read_error
from dragoman.dialects.openai_media import read_text
from dragoman.dialects.openai_videos import NAME, read_job
from dragoman.server.endpoint import Desk
from dragoman.server.exchange import Exchange
from dragoman.server.head import JSON, write_id
from dragoman.server.http1 import Handler
from dragoman.server.paging import read_page
from dragoman.server.routes import name_below, refuse
from dragoman.upstreams.reading import MAX_BODY, Reply
from dragoman.wire.json import encode, read_body, read_fields, set_members

VIDEOS = "/v1/videos"
BELOW = f"{VIDEOS}/"
KIND = "video"
AT_ONCE = 8
"""Jobs of one list that are looked at at the same time."""
PATIENCE = 5.0
_CONTENT, _REMIX = "/content", "/remix"
_OPEN = frozenset({"queued", "in_progress"})
_MEDIA = ("video/", "image/", "application/octet-stream")
_POLL = "openai-poll-after-ms"


class Upstream(Protocol):
    """Where jobs are done."""

    async def fetch(self, method: bytes, path: bytes, body: bytes = b"", media_type: str = "") -> Reply:
        """Ask for something and return the response once its head is here; whoever holds it closes it."""
        ...


class Kept(Struct, frozen=True):
    """What is kept of a job."""

    upstream: str
    model: str
    """What the upstream calls the model."""
    asked: str
    """What the client calls it."""
    name: str
    """What the upstream calls the job."""
    job: Raw
    """As the upstream told it last."""
    remixed: str | None = None
    """The id, ours, of the video this one was made from."""


class _Deleted(Struct):
    id: str
    object: str = "video.deleted"
    deleted: bool = True


class _Page(Struct):
    data: list[Raw]
    first_id: str | None
    last_id: str | None
    has_more: bool
    object: str = "list"


_kept = msgspec.json.Decoder(Kept)


def keep_videos(store: Store) -> Stage:
    """Return the stage that keeps every job that is ordered, and gives it an id of ours."""

    def stage(ask: Ask) -> Ask:
        async def order(call: Call) -> Answer:
            answer = await ask(call)
            try:
                job, body = read_job(answer.first.raw or b"")
                upstream, _, model = call.served_by.partition("/")
                kept = Kept(upstream, model, call.model, job.id, Raw(body))
                told = await _keep(store, call.caller, f"video_{call.serial}", kept)
            except BaseException:
                answer.close()
                raise
            return Answer(Burst(answer.first.events, told, NAME), None, answer.close)

        return order

    return stage


class VideosEndpoint:
    """Everything below ``/v1/videos``; whatever belongs to another key does not exist."""

    def __init__(self, desk: Desk, store: Store, upstreams: Mapping[str, Upstream], patience: float = PATIENCE) -> None:
        """`patience`: seconds that a list waits for a job to be looked at."""
        self._patience = patience
        self._desk = desk
        self._store = store
        self._upstreams = upstreams

    def exact(self) -> dict[tuple[str, str], Handler]:
        """Return the handlers of whole paths."""
        return {("GET", VIDEOS): self.list}

    def below(self) -> dict[tuple[str, str], Handler]:
        """Return the handlers of what has a name."""
        return {("GET", BELOW): self.show, ("DELETE", BELOW): self.delete, ("POST", BELOW): self.act}

    async def list(self, exchange: Exchange) -> None:
        """``GET /v1/videos``: the jobs of a key, those that are not done looked at anew."""
        await self._answer(exchange, self._list)

    async def show(self, exchange: Exchange) -> None:
        """``GET /v1/videos/{id}`` and ``…/{id}/content``."""
        content = exchange.head.path.endswith(_CONTENT)
        await self._answer(exchange, self._send_content if content else self._show)

    async def delete(self, exchange: Exchange) -> None:
        """``DELETE /v1/videos/{id}``, at the upstream as well."""
        await self._answer(exchange, self._delete)

    async def act(self, exchange: Exchange) -> None:
        """``POST /v1/videos/{id}/remix``; no other verb is known."""
        await self._answer(exchange, self._remix)

    async def _list(self, exchange: Exchange, caller: Caller) -> None:
        wanted = read_page(exchange.head.query)
        found = await self._store.page(KIND, caller.name, wanted.limit + 1, wanted.after, newest=wanted.newest)
        records = found[: wanted.limit]
        gate = asyncio.Semaphore(AT_ONCE)

        async def refresh(record: Record) -> bytes:
            kept = _kept.decode(record.body)
            if read_job(bytes(kept.job))[0].status not in _OPEN:
                return _tell(record.id, kept)
            try:
                async with gate, asyncio.timeout(self._patience):
                    return (await self._look(record, kept))[0]
            except (
                DragomanError,
                TimeoutError,
            ):  # the rest of the list is worth telling, and so is what was last known
                return _tell(record.id, kept)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(refresh(record)) for record in records]
        first, last = (records[0].id, records[-1].id) if records else (None, None)
        page = _Page([Raw(task.result()) for task in tasks], first, last, len(found) > wanted.limit)
        exchange.respond(200, JSON + write_id(exchange), encode(page))

    async def _show(self, exchange: Exchange, caller: Caller) -> None:
        record, kept = await self._find(name_below(exchange, BELOW), caller)
        body, again = await self._look(record, kept)
        lines = JSON + write_id(exchange) + _trace(kept)
        if again.isascii() and again.isdigit():
            lines += b"%b: %b\r\n" % (_POLL.encode(), again.encode())
        exchange.respond(200, lines, body)

    async def _send_content(self, exchange: Exchange, caller: Caller) -> None:
        _, kept = await self._find(name_below(exchange, BELOW).removesuffix(_CONTENT), caller)
        path = f"{_path(kept)}/content"
        if variant := parse_qs(exchange.head.query).get("variant"):
            path += f"?variant={quote(variant[-1], safe='')}"
        self._desk.gate.enter(caller)
        try:
            reply = await self._fetch(kept, b"GET", path)
            try:
                await _pass_on(reply, exchange, _trace(kept))
            finally:
                reply.close()
        finally:
            self._desk.gate.leave(caller)

    async def _delete(self, exchange: Exchange, caller: Caller) -> None:
        record, kept = await self._find(name_below(exchange, BELOW), caller)
        with suppress(NotFound):  # it has expired there: what is left is what we keep
            (await self._fetch(kept, b"DELETE", _path(kept))).close()
        await self._store.delete(KIND, caller.name, record.id)
        exchange.respond(200, JSON + write_id(exchange), encode(_Deleted(record.id)))

    async def _remix(self, exchange: Exchange, caller: Caller) -> None:
        name = name_below(exchange, BELOW)
        if not name.endswith(_REMIX):
            raise NotFound(f"unknown request URL: POST {exchange.head.path}")
        if exchange.head.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise UnsupportedMediaType
        record, kept = await self._find(name.removesuffix(_REMIX), caller)
        self._desk.directory.resolve(kept.asked, caller)
        self._desk.gate.enter(caller)
        try:
            body, fields = read_body(await exchange.body(), self._desk.limits)
            read_text(fields, "prompt")
            reply = await self._fetch(kept, b"POST", f"{_path(kept)}/remix", body)
            job, body = await _read_job(reply)
        finally:
            self._desk.gate.leave(caller)
        new = structs.replace(kept, name=job, job=Raw(body), remixed=record.id)
        told = await _keep(self._store, caller, f"video_{exchange.serial}", new)
        exchange.respond(200, JSON + write_id(exchange) + _trace(kept), told)

    async def _look(self, record: Record, kept: Kept) -> tuple[bytes, str]:
        """Return a job as it is now, and when its upstream wants to be asked again."""
        reply = await self._fetch(kept, b"GET", _path(kept))
        again = reply.headers.get(_POLL, "")
        _, body = await _read_job(reply)
        if body != bytes(kept.job):
            kept = structs.replace(kept, job=Raw(body))
            await self._store.put(structs.replace(record, body=encode(kept)))
        return _tell(record.id, kept), again

    async def _find(self, name: str, caller: Caller) -> tuple[Record, Kept]:
        record = await self._store.get(KIND, caller.name, name)
        if record is None:
            raise _unknown(name)
        return record, _kept.decode(record.body)

    async def _fetch(self, kept: Kept, method: bytes, path: str, body: bytes = b"") -> Reply:
        """Return a successful response of the upstream that does a job; raises what it says that is wrong."""
        upstream = self._upstreams.get(kept.upstream)
        if upstream is None:
            raise NotFound("the upstream of this video is not there any more", code="video_not_found")
        reply = await upstream.fetch(method, path.encode("ascii"), body, "application/json")
        if 200 <= reply.status < 300:
            return reply
        try:
            error = read_error(reply.status, reply.headers, await reply.read_all(MAX_BODY))
        finally:
            reply.close()
        if reply.status == 404:
            raise NotFound("the upstream does not have this", code="video_not_found", detail=error.detail)
        raise error

    async def _answer(self, exchange: Exchange, answer: Callable[[Exchange, Caller], Awaitable[None]]) -> None:
        try:
            await answer(exchange, self._desk.keys.identify(exchange.head.headers))
        except DragomanError as error:
            if exchange.started:
                exchange.abort()
            else:
                refuse(exchange, error)


async def _keep(store: Store, caller: Caller, name: str, kept: Kept) -> bytes:
    """Keep a job under a name of ours; return it as the client is told."""
    await store.put(Record(KIND, caller.name, name, encode(kept)))
    return _tell(name, kept)


def _tell(name: str, kept: Kept) -> bytes:
    """Return a job as its upstream told it, but for the ids."""
    body = bytes(kept.job)
    fields = read_fields(body)
    values = {"id": Raw(encode(name))}
    if kept.remixed is not None:
        values["remixed_from_video_id"] = Raw(encode(kept.remixed))
    return set_members(body, fields, values)


async def _read_job(reply: Reply) -> tuple[str, bytes]:
    """Return the upstream's name for a job, and the job; the response is closed."""
    try:
        job, body = read_job(await reply.read_all(MAX_BODY))
    finally:
        reply.close()
    return job.id, body


async def _pass_on(reply: Reply, exchange: Exchange, trace: bytes) -> None:
    """Send a video as it comes; one that breaks off ends in a connection that is cut."""
    kind = reply.headers.get("content-type", "")
    if not kind.startswith(_MEDIA):
        raise UpstreamInvalid(detail="a video was asked for, the content type is another")
    data = await reply.read()
    exchange.begin(200, b"content-type: %b\r\n%b%b" % (kind.encode("latin-1"), write_id(exchange), trace))
    reply.began()
    while data:
        exchange.send(data)
        await exchange.drain()
        data = await reply.read()
    exchange.end()


def _path(kept: Kept) -> str:
    return f"/videos/{quote(kept.name, safe='')}"


def _trace(kept: Kept) -> bytes:
    return f"x-dragoman-model: {kept.upstream}/{kept.model}\r\n".encode("latin-1", "replace")


def _unknown(name: str) -> NotFound:
    return NotFound(f"video '{name[:100]}' not found", code="video_not_found")
