"""What the last line of an answer tells: when, how long in whole nanoseconds, and how many tokens."""

from __future__ import annotations

from datetime import UTC, datetime

from dragoman.core.call import Call
from dragoman.core.count import count_request, count_text
from dragoman.core.events import Usage

_BILLION = 1_000_000_000


class Meter:
    """Measures one answer, from the client's request to the last word."""

    __slots__ = ("_began", "_call", "_epoch", "_second", "_stamp", "_time")

    def __init__(self, call: Call) -> None:
        self._call = call
        self._time, self._epoch = call.clock.now, call.clock.epoch
        self._began: float | None = None
        self._second = -1
        self._stamp = b""

    def begin(self) -> None:
        """Note that the answer has begun to arrive; only the first time counts."""
        if self._began is None:
            self._began = self._time()

    def stamp(self) -> bytes:
        """Return the time of day in UTC, to the microsecond."""
        moment = self._epoch()
        second = int(moment)
        if second != self._second:
            self._second = second
            self._stamp = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()
        return b"%b.%06dZ" % (self._stamp, int((moment - second) * 1_000_000))

    def durations(self) -> dict[str, int]:
        """Return how long everything took; the share of the prompt is known only when the answer came bit by bit."""
        asked, began, end = self._call.asked, self._began, self._time()
        told = {"total_duration": _nanoseconds(self._call.began, end), "load_duration": self.load()}
        if began is not None:
            told["prompt_eval_duration"] = _nanoseconds(asked, began)
        told["eval_duration"] = max(1, _nanoseconds(asked if began is None else began, end))
        return told

    def load(self) -> int:
        """Return how long it took until an upstream was asked."""
        return _nanoseconds(self._call.began, self._call.asked)

    def total(self) -> int:
        """Return how long everything took so far."""
        return _nanoseconds(self._call.began, self._time())


def count_tokens(call: Call, usage: Usage | None, said: str) -> dict[str, int | bool]:
    """Return the tokens of prompt and answer, estimated (and marked) when the upstream told none."""
    if usage is None:
        usage = Usage(count_request(call.request), count_text(said), estimated=True)
    counts: dict[str, int | bool] = {"prompt_eval_count": usage.prompt, "eval_count": usage.completion}
    return counts | {"estimated": True} if usage.estimated else counts


def count_prompt(call: Call, usage: Usage | None) -> dict[str, int | bool]:
    """Return the tokens of what was asked alone, for an answer that has none."""
    return {name: count for name, count in count_tokens(call, usage, "").items() if name != "eval_count"}


def _nanoseconds(start: float, end: float) -> int:
    return max(0, round((end - start) * _BILLION))
