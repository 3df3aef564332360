"""The dialects of an upstream as one of its models has to be spoken to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dragoman.core.call import Call, Task
from dragoman.core.ports import Outbound
from dragoman.core.quirks import NO_QUIRKS, Quirks


class Fitting:
    """Which dialect serves a call to one model, each fitted to the model's quirks."""

    def __init__(self, dialects: Sequence[Outbound], quirks: Quirks, instead: Mapping[Task, Task]) -> None:
        """`dialects` are those of the upstream, the best first; `instead` says which task is asked as another."""
        self.quirks = quirks
        wanted = quirks.dialects
        chats = [dialect for dialect in dialects if dialect.task == "chat"]
        served = sorted((d for d in chats if d.name in wanted), key=lambda d: wanted.index(d.name))
        chats = served or chats  # a model that is served in none of them is asked all the same, for the server to judge
        others = [dialect for dialect in dialects if dialect.task not in ("chat", *instead)]
        fitted = [_fit(dialect, quirks) for dialect in (*chats, *others)]
        self._own = {dialect.name: dialect for dialect in fitted}
        self._main: dict[Task, Outbound] = {dialect.task: dialect for dialect in reversed(fitted)}
        for task, other in instead.items():
            if other in self._main:
                self._main[task] = self._main[other]

    def own(self, call: Call) -> Outbound | None:
        """Return the client's own dialect, where the model is served in it."""
        return self._own.get(call.dialect)

    def main(self, call: Call) -> Outbound | None:
        """Return the dialect in which a call is told that came in another one."""
        return self._main.get(call.task)


def _fit(dialect: Outbound, quirks: Quirks) -> Outbound:
    return dialect if dialect.fitted is None or quirks is NO_QUIRKS else dialect.fitted(quirks)
