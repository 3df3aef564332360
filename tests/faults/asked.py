"""Clients of several dialects that ask an upstream of one dialect, all at once, each an upstream of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import NamedTuple, Unpack

from tests.faults.dialects import DIALECTS, Dialect, Told
from tests.faults.gateway import Client, Gateway, Response, Times, gateway, lab
from tests.faults.hostile import SECRET, Hostile, Script, hostile, until
from tests.faults.test_every_dialect import ask, body, see_broken
from tests.faults.test_upstream_faults import Wanted
from tests.faults.upstreams import Upstream

_ANTHROPIC = {
    400: "invalid_request_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    502: "api_error",
    503: "overloaded_error",
    504: "timeout_error",
}
"""What Anthropic calls an error with HTTP's status."""


class Cell(NamedTuple):
    """A client of one dialect that wants a stream or a whole answer, and the upstream that it asks."""

    upstream: Upstream
    client: str
    streamed: bool
    running: Gateway
    hostile: Hostile
    name: str
    """What the gateway calls that upstream."""

    @property
    def dialect(self) -> Dialect:
        """How the client speaks and listens."""
        return DIALECTS[self.client]

    async def ask(self) -> Response:
        """Ask on a new connection and read the answer."""
        return await self.ask_on(await self.running.connect())

    async def ask_on(self, client: Client) -> Response:
        """Ask and read the answer."""
        return await ask(client, self.dialect, body(self.dialect, f"{self.name}/m", streamed=self.streamed))

    @property
    def log(self) -> list[dict[str, str | float]]:
        """What the log says of that upstream."""
        return [line for line in self.running.log if line["upstream"] == self.name]

    def see_error(self, answer: Response, wanted: Wanted) -> None:
        """See that an answer is the error that is wanted, and that the log has a line for every attempt."""
        assert answer.status == self.dialect.statuses.get(wanted.status, wanted.status), answer.body
        assert answer.headers["content-type"] == "application/json"
        told = self.dialect.read_error(answer.body)
        self._see_told(told, wanted)
        assert len(self.hostile.requests) == wanted.asked
        assert answer.headers["x-dragoman-attempts"] == str(wanted.asked)
        assert answer.headers.get("x-should-retry") == (None if wanted.status == 429 else "false")
        assert "connection" not in answer.headers, "the client's connection goes on"
        self._see_log([(wanted.level, wanted.fault)] * wanted.asked)

    def see_broken(self, answer: Response, wanted: Wanted) -> None:
        """See that a stream that said Hello ends with the error that is wanted and no success."""
        assert b"Hello" in answer.body
        told = see_broken(self.dialect, answer)
        if self.client == "openai_responses":  # a response that failed has few words for why
            assert told.kind == ("rate_limit_exceeded" if wanted.status == 429 else "server_error")
        else:
            self._see_told(told, wanted)
        assert len(self.hostile.requests) == 1, "what was begun is never asked for again"
        self._see_log([("WARN", wanted.fault)])

    def see_whole(self, answer: Response) -> None:
        """See that an answer says Hello, and is whole."""
        assert answer.status == 200, answer.body
        assert b"Hello" in answer.body
        assert answer.body.count(self.dialect.success) == 1 or not self.streamed
        told = answer.headers["content-type"]
        assert told == self.dialect.stream_type if self.streamed else told.startswith("application/json")

    def _see_told(self, told: Told, wanted: Wanted) -> None:
        assert told.message
        if self.client.startswith("openai"):
            assert (told.kind, told.code) == (wanted.kind, wanted.code)
        elif self.client.startswith("anthropic"):
            assert told.kind == _ANTHROPIC[wanted.status]

    def _see_log(self, wanted: Sequence[tuple[str, str]]) -> None:
        assert [(line["level"], line["fault"]) for line in self.log] == wanted
        assert not [line for line in self.running.lines if SECRET in line]


def configure(upstream: Upstream, *hostiles: Hostile, **times: Unpack[Times]) -> str:
    """Return a configuration with upstreams of one dialect by the names lab, lab2, …"""
    toml = lab(*hostiles, **times)
    for one in hostiles:
        written = f'kind = "openai"\nbase_url = "http://127.0.0.1:{one.port}/v1"\n'
        assert written in toml
        toml = toml.replace(written, upstream.config.format(port=one.port))
    return toml


@contextlib.asynccontextmanager
async def crowd(
    upstream: Upstream, script: Script | None, streamed: Script | None = None, **times: Unpack[Times]
) -> AsyncGenerator[list[Cell]]:
    """Run a gateway and a cell for each of the upstream's clients.

    Those that want a whole answer are given `script`, those that want a stream `streamed`; nobody is there for None.
    """
    wanted = [(client, mode, played) for mode, played in ((False, script), (True, streamed)) if played is not None
              for client in upstream.clients]  # fmt: skip
    async with contextlib.AsyncExitStack() as stack:
        hostiles = [await stack.enter_async_context(hostile(played)) for _, _, played in wanted]
        running = await stack.enter_async_context(gateway(configure(upstream, *hostiles, **times)))
        names = ["lab", *(f"lab{number}" for number in range(2, len(wanted) + 1))]
        yield [
            Cell(upstream, client, mode, running, one, name)
            for (client, mode, _), one, name in zip(wanted, hostiles, names, strict=True)
        ]


async def each(cells: Sequence[Cell], check: Callable[[Cell], Awaitable[None]]) -> None:
    """Do the same in every cell, all at once; then see that the gateway is well."""

    async def run(cell: Cell) -> None:
        try:
            await check(cell)
        except BaseException as error:
            error.add_note(f"{cell.client}, {'stream' if cell.streamed else 'plain'}")
            raise

    async with asyncio.TaskGroup() as group:
        for cell in cells:
            group.create_task(run(cell))
    await see_all_well(cells)


async def see_all_well(cells: Sequence[Cell]) -> None:
    """See that everybody is answered now, and that nothing of what happened before is left."""
    running = cells[0].running
    running.deadlines.waived = True
    for cell in cells:
        cell.hostile.play(cell.upstream.good(streamed=cell.streamed))
        cell.see_whole(await cell.ask())
    assert await running.in_flight() == 0
    assert running.edge.connections.busy == 0
    # Of each upstream the connection that was used last is kept, every other is closed.
    await until(lambda: all(cell.hostile.open == 1 for cell in cells))
