"""The load: requests as fast as they are answered, and many streams at once; every answer is checked whole."""

from __future__ import annotations

import asyncio
import functools
import itertools
import math
import time

from msgspec import Struct, field

from bench.client import Exchange, Target, find_fault, write_request
from bench.dialect import VARIANTS, Asked, Dialect, expect, prompt_of
from bench.measure import Meter, Spent, rss_bytes
from bench.mock import PACE

_PIECES = 40
"""The length of a plain answer."""
_STREAM_SIZE = 1_200
"""The body of a request for a stream."""
_PATIENCE = 30.0
"""Seconds that a run may take beyond its plan."""
_CONNECT_AT_ONCE = 50


class PlainPlan(Struct, frozen=True):
    """So many requests with a body of about `size` bytes, over so many keep-alive connections."""

    count: int
    size: int
    connections: int = 32


class StreamPlan(Struct, frozen=True):
    """So many streams at once, observed for `window` seconds while all of them run."""

    count: int
    window: float
    ramp: float = 1.0
    """Seconds over which the streams are begun."""
    settle: float = 0.5

    @property
    def pieces(self) -> int:
        """How many pieces the first stream needs to outlast the window."""
        return math.ceil((self.ramp + self.settle + self.window + 0.5) / PACE)


class Outcome(Struct):
    """What one run showed."""

    units: int = 0
    """Requests answered, or tokens heard in the window."""
    spent: Spent = field(default_factory=lambda: Spent(0.0, 0.0, 0.0, 0.0))
    waits: list[float] = field(default_factory=list[float])
    """Seconds to each whole answer, or to each stream's first token."""
    gaps: list[float] = field(default_factory=list[float])
    """Seconds between two tokens of a stream, in the window."""
    rss: int = 0
    """Memory of the gateway at the end of the window."""
    faults: list[str] = field(default_factory=list[str])

    @property
    def micros(self) -> float:
        """Microseconds of the gateway's CPU per unit."""
        return self.spent.gateway / self.units * 1e6 if self.units else math.nan


async def run_plain(target: Target, dialect: Dialect, plan: PlainPlan, meter: Meter) -> Outcome:
    """Ask `plan.count` times and return what it cost the gateway."""
    load = _PlainLoad(target, dialect, plan)
    exchanges = await _connect(target.port, [Exchange(load.ended, None) for _ in range(plan.connections)])
    before = meter.read()
    try:
        async with asyncio.timeout(_PATIENCE):
            load.begin(exchanges)
            await load.over.wait()
    except TimeoutError:
        load.outcome.faults.append(f"{load.under_way} requests had no answer in time")
    load.outcome.spent = meter.read().since(before)
    for exchange in exchanges:
        exchange.close()
    return load.outcome


async def run_streams(target: Target, dialect: Dialect, plan: StreamPlan, meter: Meter) -> Outcome:
    """Run `plan.count` streams to their ends and return what the window in the middle cost the gateway."""
    load = _StreamLoad(target, dialect, plan)
    exchanges = await _connect(target.stream_port, [Exchange(load.ended, load.heard) for _ in range(plan.count)])
    try:
        async with asyncio.timeout(2 * plan.ramp + plan.settle + plan.window + _PATIENCE):
            await load.begin(exchanges)
            await asyncio.sleep(plan.settle)
            await _observe(load, plan.window, meter)
            await load.over.wait()
    except TimeoutError:
        load.outcome.faults.append(f"{load.under_way} streams did not end in time")
    for exchange in exchanges:
        exchange.close()
    return load.outcome


class _PlainLoad:
    """Requests one after the other on every connection until all are answered."""

    def __init__(self, target: Target, dialect: Dialect, plan: PlainPlan) -> None:
        self._target = target
        self._dialect = dialect
        self._count = plan.count
        asked = [Asked(target.model, _PIECES, variant=variant) for variant in range(VARIANTS)]
        prompt = _prompt_for(dialect, asked[0], plan.size)
        self._requests = [_request(target, dialect, one, prompt) for one in asked]
        self._expected = [expect(one) for one in asked]
        self._variant: dict[Exchange, int] = {}
        self.outcome = Outcome()
        self.over = asyncio.Event()

    @property
    def under_way(self) -> int:
        return len(self._variant)

    def begin(self, exchanges: list[Exchange]) -> None:
        for variant, exchange in enumerate(exchanges[: self._count]):
            self._ask(exchange, variant % VARIANTS)

    def ended(self, exchange: Exchange, fault: str) -> None:
        outcome, variant = self.outcome, self._variant.pop(exchange)
        outcome.waits.append(time.perf_counter() - exchange.sent)
        expected = self._expected[variant]
        outcome.units += 1
        found = fault or find_fault(exchange.status, exchange.body, self._target, self._dialect.read_reply, expected)
        if found:
            outcome.faults.append(found)
        if not fault and outcome.units + len(self._variant) < self._count:
            self._ask(exchange, (variant + 1) % VARIANTS)
        elif not self._variant:
            self.over.set()

    def _ask(self, exchange: Exchange, variant: int) -> None:
        self._variant[exchange] = variant
        exchange.ask(self._requests[variant])


class _StreamLoad:
    """One stream on every connection, begun evenly over the ramp."""

    def __init__(self, target: Target, dialect: Dialect, plan: StreamPlan) -> None:
        self._target = target
        self._dialect = dialect
        self._ramp = plan.ramp
        asked = [Asked(target.model, plan.pieces, stream=True, variant=variant) for variant in range(VARIANTS)]
        prompt = _prompt_for(dialect, asked[0], _STREAM_SIZE)
        self._requests = [_request(target, dialect, one, prompt) for one in asked]
        self._expected = [expect(one) for one in asked]
        self._variant: dict[Exchange, int] = {}
        self._begun = False
        self.recording = False
        self.outcome = Outcome()
        self.over = asyncio.Event()

    @property
    def under_way(self) -> int:
        return len(self._variant)

    async def begin(self, exchanges: list[Exchange]) -> None:
        start = time.perf_counter()
        for index, exchange in enumerate(exchanges):
            wait = start + index * self._ramp / len(exchanges) - time.perf_counter()
            await asyncio.sleep(max(wait, 0.0))
            self._variant[exchange] = index % VARIANTS
            exchange.ask(self._requests[index % VARIANTS])
        self._begun = True
        self._finish()

    def heard(self, exchange: Exchange, tokens: int) -> None:
        now = time.perf_counter()
        if not exchange.last:
            self.outcome.waits.append(now - exchange.sent)
        if self.recording:
            self.outcome.units += tokens
            self.outcome.gaps.append(now - exchange.last)
            self.outcome.gaps.extend(itertools.repeat(0.0, tokens - 1))
        exchange.last = now

    def ended(self, exchange: Exchange, fault: str) -> None:
        expected = self._expected[self._variant.pop(exchange)]
        found = fault or find_fault(exchange.status, exchange.body, self._target, self._dialect.read_stream, expected)
        if found:
            self.outcome.faults.append(found)
        self._finish()

    def _finish(self) -> None:
        if self._begun and not self._variant:
            self.over.set()


async def _observe(load: _StreamLoad, window: float, meter: Meter) -> None:
    """Read the clocks and record the gaps for `window` seconds."""
    load.recording = True
    before = meter.read()
    await asyncio.sleep(window)
    load.outcome.spent = meter.read().since(before)
    load.recording = False
    load.outcome.rss = rss_bytes(meter.gateway) if meter.gateway else 0


async def _connect(port: int, exchanges: list[Exchange]) -> list[Exchange]:
    """Connect them all, a few at a time, so that no backlog overflows."""
    loop = asyncio.get_running_loop()
    for start in range(0, len(exchanges), _CONNECT_AT_ONCE):
        async with asyncio.TaskGroup() as group:
            for exchange in exchanges[start : start + _CONNECT_AT_ONCE]:
                group.create_task(loop.create_connection(functools.partial(_same, exchange), "127.0.0.1", port))
    return exchanges


def _same(exchange: Exchange) -> Exchange:
    return exchange


def _prompt_for(dialect: Dialect, asked: Asked, size: int) -> str:
    """Return a prompt with which the body has about `size` bytes; escapes and the dialect's own fields take a part."""
    excess = len(dialect.write_request(asked, prompt_of(size))) - size
    return prompt_of(size - excess)


def _request(target: Target, dialect: Dialect, asked: Asked, prompt: str) -> bytes:
    return write_request(target, dialect.path, dialect.write_request(asked, prompt))
