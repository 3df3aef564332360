"""An endpoint for one model, behind which an ask does what the test says; nothing goes over a network."""

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import NamedTuple

import msgspec

from dragoman.core.ask import Answer, Ask, Stage
from dragoman.core.burst import Burst
from dragoman.core.call import Call, Caller, Clock
from dragoman.core.events import Event, Finish, Start, Text
from dragoman.core.ports import Inbound, Limits
from dragoman.dialects import inbound
from dragoman.observe.log import Log
from dragoman.server.auth import Keys
from dragoman.server.directory import Directory
from dragoman.server.endpoint import Desk, Endpoint
from dragoman.server.gate import Gate
from dragoman.server.outlet import Pulse
from dragoman.server.recent import Recent
from tests.unit.server.link import JSON, KEY, Link, Response, make_exchange, response

START, HELLO, FINISH = Start("chatcmpl-1", "m", 1), Text("Hello"), Finish("stop")
PLAIN = b'{"model":"m","messages":[{"role":"user","content":"Hi"}]}'
STREAM = PLAIN[:-1] + b',"stream":true}'
TRACE = {"x-request-id": "id-1", "x-dragoman-model": "lab/m", "x-dragoman-attempts": "1"}


class Ending(NamedTuple):
    """How a stream ends after its bursts."""

    error: BaseException | None = None
    waits: bool = False


class Bench:
    """An endpoint for one model, `m`."""

    def __init__(
        self,
        ask: Ask | None = None,
        *stages: Stage,
        gate: Gate | None = None,
        limits: Limits | None = None,
        side: Inbound | None = None,
    ) -> None:
        self.lines: list[str] = []
        self.calls: list[Call] = []
        self.seen: list[Burst] = []
        self.closed = 0
        self.link = Link()
        self.gate = gate or Gate(5, 5)
        self.bursts: list[Burst] = [Burst([START, HELLO, FINISH])]
        self.ending = Ending()
        self.failure: BaseException | None = None
        keys = Keys({sha256(b"dg-app-key").digest(): Caller("app", ("m",))})
        directory = Directory({"m": ask or self._ask, "other": self._ask}, [])
        self.pulse, self.recent = Pulse(15), Recent()
        log, clock = Log((), self.lines.append), Clock(lambda: 7.0, lambda: 1234.5)
        desk = Desk(keys, self.gate, directory, log, clock, self.pulse, self.recent, limits or Limits())
        self.endpoint = Endpoint(side or inbound("openai_chat"), desk, *stages)

    async def run(self, body: bytes = PLAIN, *headers: str) -> Response:
        """Answer one call and return the response."""
        self.link.written = b""
        await self.endpoint(make_exchange(self.link, "POST /x", *(headers or (KEY, JSON)), body=body))
        assert self.gate.count == 0
        return response(self.link)

    @property
    def log(self) -> list[dict[str, str | float]]:
        return [msgspec.json.decode(line, type=dict[str, str | float]) for line in self.lines]

    async def _ask(self, call: Call) -> Answer:
        self.calls.append(call)
        call.attempts += 1
        call.served_by = "lab/m"
        call.observe(self.seen.append)
        assert self.gate.count == 1
        if self.failure is not None:
            raise self.failure
        rest = self._rest() if len(self.bursts) > 1 or self.ending != Ending() else None
        return Answer(self.bursts[0], rest, self._close)

    async def _rest(self) -> AsyncIterator[Burst]:
        for burst in self.bursts[1:]:
            yield burst
        if self.ending.waits:
            await asyncio.get_running_loop().create_future()
        if self.ending.error is not None:
            raise self.ending.error

    def _close(self) -> None:
        self.closed += 1


def error_of(answer: Response) -> dict[str, str | None]:
    assert answer.headers["content-type"] == "application/json"
    return msgspec.json.decode(answer.body, type=dict[str, dict[str, str | None]])["error"]


def frames_of(answer: Response) -> list[bytes]:
    assert answer.body.endswith(b"\n\n")
    return [frame.removeprefix(b"data: ") for frame in answer.body[:-2].split(b"\n\n")]


def pieces(*events: Event) -> list[Burst]:
    return [Burst([event]) for event in events]
