"""The routes around stored responses: show, delete and count; making one is the work of `endpoint`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

from dragoman.core.call import Call, Caller
from dragoman.core.errors import BadRequest, DragomanError, NotFound, UnsupportedMediaType
from dragoman.core.ports import Record, Store
from dragoman.dialects.openai_responses.inbound import read_call
from dragoman.dialects.openai_responses.schema import KIND, Counted, Deleted
from dragoman.dialects.openai_responses.turns import find_parts, find_turns, list_items, show_response, write_turn
from dragoman.dialects.openai_responses.turns import recall as recall_turns
from dragoman.observe.log import Log
from dragoman.server.endpoint import Desk
from dragoman.server.exchange import Exchange
from dragoman.server.head import JSON, write_id
from dragoman.server.http1 import Handler
from dragoman.server.paging import read_page
from dragoman.server.routes import name_below, refuse
from dragoman.stages.count import count_prompt
from dragoman.stages.session import Custom, recall
from dragoman.wire.json import encode

RESPONSES = "/v1/responses"
COUNT = f"{RESPONSES}/input_tokens"
BELOW = f"{RESPONSES}/"
_ITEMS = "/input_items"
_CANCEL = "/cancel"


CUSTOM = Custom(KIND, find_turns, recall_turns, write_turn, find_parts)
"""How responses are kept."""


class ResponsesEndpoint:
    """Everything below ``/v1/responses``; whatever belongs to another key does not exist."""

    def __init__(self, desk: Desk, store: Store) -> None:
        self._desk = desk
        self._store = store

    def exact(self) -> dict[tuple[str, str], Handler]:
        """Return the handlers of whole paths."""
        return {("POST", COUNT): self.count}

    def below(self) -> dict[tuple[str, str], Handler]:
        """Return the handlers of what has a name."""
        return {("GET", BELOW): self.show, ("DELETE", BELOW): self.delete, ("POST", BELOW): self.act}

    async def show(self, exchange: Exchange) -> None:
        """``GET /v1/responses/{id}`` and ``…/{id}/input_items``."""
        await self._answer(exchange, self._show)

    async def delete(self, exchange: Exchange) -> None:
        """``DELETE /v1/responses/{id}``."""
        await self._answer(exchange, self._delete)

    async def act(self, exchange: Exchange) -> None:
        """``POST /v1/responses/{id}/cancel``; no other verb is known."""
        await self._answer(exchange, self._act)

    async def count(self, exchange: Exchange) -> None:
        """``POST /v1/responses/input_tokens``: our own count, marked as that."""
        await self._answer(exchange, self._count)

    async def _show(self, exchange: Exchange, caller: Caller) -> bytes:
        name = name_below(exchange, BELOW)
        if name.endswith(_ITEMS):
            page, record = read_page(exchange.head.query), await self._find(name.removesuffix(_ITEMS), caller)
            return list_items(record, page.limit, page.after, newest=page.newest)
        record = await self._find(name, caller)
        if parse_qs(exchange.head.query).get("stream", [""])[-1] == "true":
            raise BadRequest("only background responses can be streamed again", param="stream")
        return show_response(record)

    async def _delete(self, exchange: Exchange, caller: Caller) -> bytes:
        name = name_below(exchange, BELOW)
        if not await self._store.delete(KIND, caller.name, name):
            raise _unknown(name)
        return encode(Deleted(name))

    async def _act(self, exchange: Exchange, caller: Caller) -> bytes:
        name = name_below(exchange, BELOW)
        if not name.endswith(_CANCEL):
            raise NotFound(f"unknown request URL: POST {exchange.head.path}")
        await self._find(name.removesuffix(_CANCEL), caller)
        raise BadRequest("only background responses can be cancelled")

    async def _count(self, exchange: Exchange, caller: Caller) -> bytes:
        if exchange.head.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise UnsupportedMediaType
        call = read_call(await exchange.body(), self._desk.limits)
        self._desk.directory.resolve(call.model, caller)
        call.caller = caller
        await recall(self._store, CUSTOM, call)
        return encode(Counted(await count_prompt(call, self._desk.counter)))

    async def _find(self, name: str, caller: Caller) -> Record:
        record = await self._store.get(KIND, caller.name, name)
        if record is None:
            raise _unknown(name)
        return record

    async def _answer(self, exchange: Exchange, write: Callable[[Exchange, Caller], Awaitable[bytes]]) -> None:
        try:
            body = await write(exchange, self._desk.keys.identify(exchange.head.headers))
        except DragomanError as error:
            refuse(exchange, error)
            return
        exchange.respond(200, JSON + write_id(exchange), body)


def write_unkept(log: Log, call: Call, error: DragomanError) -> None:
    """Write the line that tells that an answer was given and not kept."""
    log.write("ERROR", "not_stored", request=call.id, detail=error.detail)


def _unknown(name: str) -> NotFound:
    return NotFound(f"response with id '{name[:100]}' not found", code="response_not_found")
