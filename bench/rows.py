"""The rows of the table: how each is measured, and the budget it is held against."""

from __future__ import annotations

import gc
import math
import statistics
from collections.abc import Callable, Coroutine, Sequence

import uvloop
from msgspec import Struct
from msgspec.structs import replace

from bench.anthropic import ANTHROPIC
from bench.client import Target
from bench.dialect import Dialect
from bench.gateways import Start, alias_of
from bench.load import Outcome, PlainPlan, StreamPlan, run_plain, run_streams
from bench.measure import Meter, percentile
from bench.mock import PACE
from bench.ollama import OLLAMA
from bench.openai_chat import OPENAI_CHAT
from bench.openai_responses import OPENAI_RESPONSES
from bench.poe_bot import CHAT_WITH_A_BOT, POE_BOT
from bench.table import Budget, Figure, Line, ratio_text

_MS = 1e3
_MB = 1e6
_BUSY = 0.9
"""A mock or client that uses more of a core than this may be what is measured."""
_QUIET = 1.5 * PACE
"""A gap p99 above this, in seconds, without Dragoman is the machine's doing."""


class Effort(Struct, frozen=True):
    """How much is measured."""

    rounds: int
    stream_rounds: int
    requests: int
    large_requests: int
    waits: int
    """Requests of each round on the one connection of the latency row."""
    streams: StreamPlan
    starts: int


class Pair(Struct, frozen=True):
    """A stream row: the dialect of Dragoman's client, and that of the upstream and of nginx's client."""

    title: str
    client: Dialect
    upstream: Dialect
    budget: Budget


FULL = Effort(9, 3, 8_000, 2_000, 500, StreamPlan(1_000, 3.0), 5)
QUICK = Effort(2, 1, 4_000, 1_000, 500, StreamPlan(1_000, 2.0), 3)
LITELLM_REQUESTS = 300
LITELLM_STREAMS = StreamPlan(40, 3.0)

SAME_DIALECT = Pair("same dialect", OPENAI_CHAT, OPENAI_CHAT, Budget(2.5, 1.8))
_TRANSLATED = Budget(3.5, 2.5)
TRANSLATED = (
    Pair("an Ollama client", OLLAMA, OPENAI_CHAT, _TRANSLATED),
    Pair("an Anthropic client", ANTHROPIC, OPENAI_CHAT, _TRANSLATED),
    Pair("a Responses client", OPENAI_RESPONSES, OPENAI_CHAT, _TRANSLATED),
    Pair("an Anthropic upstream", OPENAI_CHAT, ANTHROPIC, _TRANSLATED),
    Pair("a Poe bot", CHAT_WITH_A_BOT, POE_BOT, _TRANSLATED),
)
"""A translated row is one entry here; one with another upstream needs its dialect in `mock.DIALECTS`."""


class Bench:
    """Measure rows; what went wrong collects in `faults`, what a reader must know in `remarks`."""

    def __init__(self, effort: Effort, mock: Target, nginx: Target | None) -> None:
        self._effort = effort
        self._mock = mock
        self._nginx = nginx
        self.faults: list[str] = []
        self.remarks: list[str] = []

    def requests(self, dragoman: Target, title: str, size: int, count: int) -> list[Line]:
        """Measure the CPU of a plain request with a body of `size` bytes."""
        plan = PlainPlan(count, size)
        for target in self._rivals(dragoman):
            self._plain(target, replace(plan, count=max(200, count // 10)))
        nginx, ours = self._alternate(dragoman, self._effort.rounds, lambda target: self._plain(target, plan))
        self._watch_load(f"requests, {title}", nginx, ours)
        return [_cpu_line(f"CPU per request, {title}", nginx, ours, Budget(4, 2.5))]

    def streams(self, dragoman: Target, pair: Pair) -> list[Line]:
        """Measure the CPU of a token on many streams; the same dialect also shows pace, first token and memory."""
        plan = self._effort.streams
        model = alias_of(pair.upstream.name)
        ask = replace(dragoman, model=model, says=(*dragoman.says, model))

        def run(target: Target) -> Outcome:
            return self._stream(target, pair.client if target is ask else pair.upstream, plan)

        direct = run(self._mock) if pair is SAME_DIALECT else None
        nginx, ours = self._alternate(ask, self._effort.stream_rounds, run)
        self._watch_load(f"streams, {pair.title}", nginx, ours)
        lines = [_cpu_line(f"CPU per SSE chunk, {plan.count:,} streams, {pair.title}", nginx, ours, pair.budget)]
        if direct is None:
            return lines
        self._watch_pace(direct, nginx, ours)
        return [*lines, _gap_line(nginx, ours), _first_line(nginx, ours), _stream_memory_line(plan, nginx, ours)]

    def latency(self, dragoman: Target) -> list[Line]:
        """Measure what a gateway adds to the answer of the mock on a connection without any other load."""
        plan = PlainPlan(self._effort.waits, 1_200, connections=1)
        targets = (self._mock, *self._rivals(dragoman))
        waits: dict[str, list[float]] = {target.name: [] for target in targets}
        for target in targets:
            self._plain(target, replace(plan, count=200))
        for _ in range(self._effort.rounds):
            for target in targets:
                waits[target.name] += self._plain(target, plan).waits
        added = {name: _added(mine, waits["direct"]) for name, mine in waits.items()}
        p50, p99 = added["dragoman"]
        return [
            Line(
                "added latency, one connection, p50 / p99",
                nginx=_two(*added["nginx"], _MS, "ms") if "nginx" in added else "",
                dragoman=_two(p50, p99, _MS, "ms"),
                figures=(Figure(p50 * _MS, Budget(0.3, 0.12, "ms")), Figure(p99 * _MS, Budget(1, 0.3, "ms"))),
            )
        ]

    def rival(self, dragoman: Target, litellm: Target) -> list[Line]:
        """Measure how often the CPU of Dragoman goes into that of LiteLLM, under a load that LiteLLM can carry."""
        plan = PlainPlan(LITELLM_REQUESTS, 1_200)
        for target in (litellm, dragoman):
            self._plain(target, replace(plan, count=40))
        plain = [self._plain(target, plan).micros for target in (litellm, dragoman)]
        stream = [self._stream(target, OPENAI_CHAT, LITELLM_STREAMS).micros for target in (litellm, dragoman)]
        return [
            _rival_line(f"request: {plain[0]:,.0f} µs", plain, Budget(100, 300, at_least=True)),
            _rival_line(f"chunk: {stream[0]:,.0f} µs", stream, Budget(30, 50, at_least=True)),
        ]

    def _rivals(self, dragoman: Target) -> tuple[Target, ...]:
        return (self._nginx, dragoman) if self._nginx else (dragoman,)

    def _alternate(
        self, dragoman: Target, rounds: int, run: Callable[[Target], Outcome]
    ) -> tuple[list[Outcome], list[Outcome]]:
        """Run nginx and Dragoman by turns, so that what disturbs this machine disturbs both."""
        nginx: list[Outcome] = []
        ours: list[Outcome] = []
        for _ in range(rounds):
            if self._nginx:
                nginx.append(run(self._nginx))
            ours.append(run(dragoman))
        return nginx, ours

    def _plain(self, target: Target, plan: PlainPlan) -> Outcome:
        return self._checked(target, run_plain(target, OPENAI_CHAT, plan, self._meter(target)))

    def _stream(self, target: Target, dialect: Dialect, plan: StreamPlan) -> Outcome:
        return self._checked(target, run_streams(target, dialect, plan, self._meter(target)))

    def _meter(self, target: Target) -> Meter:
        return Meter(0 if target is self._mock else target.pid, self._mock.pid)

    def _checked(self, target: Target, run: Coroutine[None, None, Outcome]) -> Outcome:
        gc.collect()
        gc.disable()  # a collection in the client would look like a gap in every stream
        try:
            outcome = uvloop.run(run)
        finally:
            gc.enable()
        self.faults += [f"{target.name}: {fault}" for fault in outcome.faults]
        return outcome

    def _watch_load(self, title: str, nginx: Sequence[Outcome], ours: Sequence[Outcome]) -> None:
        """Tell how far the rounds lie apart, and whether the mock or the client was what is measured."""
        client = max(outcome.spent.client / outcome.spent.seconds for outcome in (*nginx, *ours))
        mock = max(outcome.spent.mock / outcome.spent.seconds for outcome in (*nginx, *ours))
        ratios = _ratios(nginx, ours)
        spread = f"ratios {min(ratios):.2f} to {max(ratios):.2f}; " if ratios else ""
        warning = "; WARNING: more than 90 %, it may be what is measured" if max(client, mock) > _BUSY else ""
        self.remarks.append(f"{title}: {spread}the client used {client:.0%} of a core, the mock {mock:.0%}{warning}")

    def _watch_pace(self, direct: Outcome, nginx: Sequence[Outcome], ours: Sequence[Outcome]) -> None:
        """Find out whether Dragoman held tokens back; on a machine that is not quiet nobody can tell."""
        alone = [direct]
        first = percentile(_waits(alone), 0.5) * _MS
        self.remarks.append(f"the mock alone: gap {_percentiles(_gaps(alone))}, first token {first:.1f} ms")
        if max(percentile(_gaps(others), 0.99) for others in (alone, nginx)) > _QUIET:
            self.remarks.append("WARNING: without Dragoman, too, tokens are late: the machine is not quiet")
            return
        gap, first = percentile(_gaps(ours), 0.5), percentile(_waits(ours), 0.5)
        if abs(gap - PACE) > PACE / 10:
            self.faults.append(f"dragoman: tokens are held back: the gap p50 is {gap * _MS:.1f} ms")
        if first > PACE:
            self.faults.append(f"dragoman: the first token is held back: p50 {first * _MS:.1f} ms")


def start_lines(starts: Sequence[Start], idle: Sequence[int]) -> list[Line]:
    """Return the rows of several starts: seconds to the first answer, and memory after it."""
    if not starts:
        return []
    seconds = statistics.median(start.seconds for start in starts)
    rss = statistics.median(idle) / _MB
    spread = f"{min(start.seconds for start in starts):.2f} to {max(start.seconds for start in starts):.2f}"
    return [
        Line(
            "start to first answer",
            dragoman=f"{seconds:.2f} s ({spread})",
            figures=(Figure(seconds, Budget(1.5, 0.4, "s")),),
        ),
        Line("RSS idle", dragoman=f"{rss:.1f} MB", figures=(Figure(rss, Budget(80, 45, "MB")),)),
    ]


def _cpu_line(title: str, nginx: Sequence[Outcome], ours: Sequence[Outcome], budget: Budget) -> Line:
    ratios = _ratios(nginx, ours)
    ratio = statistics.median(ratios) if ratios else math.nan
    return Line(title, _micros(nginx), _micros(ours), ratio_text(ratio), (Figure(ratio, budget),))


def _gap_line(nginx: Sequence[Outcome], ours: Sequence[Outcome]) -> Line:
    p99 = percentile(_gaps(ours), 0.99) * _MS
    return Line(
        "gap p99 of those streams (p50 / p99)",
        nginx=_percentiles(_gaps(nginx)),
        dragoman=_percentiles(_gaps(ours)),
        figures=(Figure(p99, Budget(75, 60, "ms")),),
    )


def _first_line(nginx: Sequence[Outcome], ours: Sequence[Outcome]) -> Line:
    return Line("first token of those streams, p50 / p99", _percentiles(_waits(nginx)), _percentiles(_waits(ours)))


def _stream_memory_line(plan: StreamPlan, nginx: Sequence[Outcome], ours: Sequence[Outcome]) -> Line:
    rss = max(outcome.rss for outcome in ours) / _MB
    return Line(
        f"RSS with {plan.count:,} streams",
        nginx=f"{max(outcome.rss for outcome in nginx) / _MB:.1f} MB" if nginx else "",
        dragoman=f"{rss:.1f} MB",
        figures=(Figure(rss, Budget(120, 65, "MB")),),
    )


def _rival_line(what: str, micros: Sequence[float], budget: Budget) -> Line:
    ratio = micros[0] / micros[1]
    figures = (Figure(ratio, budget),)
    return Line(f"LiteLLM, CPU per {what}", dragoman=f"{micros[1]:.1f} µs", ratio=ratio_text(ratio), figures=figures)


def _ratios(nginx: Sequence[Outcome], ours: Sequence[Outcome]) -> list[float]:
    """Return Dragoman's CPU by nginx's, round by round; none without nginx."""
    return [mine.micros / its.micros for its, mine in zip(nginx, ours, strict=False)]


def _micros(outcomes: Sequence[Outcome]) -> str:
    return f"{statistics.median(outcome.micros for outcome in outcomes):.1f} µs" if outcomes else ""


def _gaps(outcomes: Sequence[Outcome]) -> list[float]:
    return [gap for outcome in outcomes for gap in outcome.gaps]


def _waits(outcomes: Sequence[Outcome]) -> list[float]:
    return [wait for outcome in outcomes for wait in outcome.waits]


def _added(waits: Sequence[float], direct: Sequence[float]) -> tuple[float, float]:
    return (
        percentile(waits, 0.5) - percentile(direct, 0.5),
        percentile(waits, 0.99) - percentile(direct, 0.99),
    )


def _percentiles(values: Sequence[float]) -> str:
    return _two(percentile(values, 0.5), percentile(values, 0.99), _MS, "ms") if values else ""


def _two(first: float, second: float, scale: float, unit: str) -> str:
    return f"{first * scale:.2f} / {second * scale:.2f} {unit}"
