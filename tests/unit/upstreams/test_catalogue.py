"""What an upstream can serve."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from dragoman.core.errors import DragomanError, UpstreamIncomplete, UpstreamInvalid, UpstreamUnavailable
from dragoman.net.reply import Patience
from dragoman.upstreams.catalogue import Catalogue, keep_fresh, read_models
from dragoman.upstreams.listing import Model
from tests.unit.net.loopback import Clock
from tests.unit.upstreams.wire import Wire, Written


def test_a_list_that_is_given_is_known() -> None:
    catalogue = Catalogue([Model("a"), Model("b", 7), Model("a", 9)])
    assert catalogue.known
    assert catalogue.models() == [Model("a", 9), Model("b", 7)]
    assert [catalogue.lists(name) for name in ("a", "b", "c", "")] == [True, True, False, False]
    assert [catalogue.may_serve(name) for name in ("a", "c")] == [True, False]


def test_an_empty_list_is_a_list() -> None:
    catalogue = Catalogue([])
    assert catalogue.known
    assert not catalogue.may_serve("a")


def test_as_long_as_nothing_is_known_anything_may_be_served() -> None:
    catalogue = Catalogue()
    assert (catalogue.known, catalogue.models(), catalogue.lists("a"), catalogue.may_serve("a")) == (
        False,
        [],
        False,
        True,
    )


def test_any_name_may_be_served_besides_those_listed() -> None:
    catalogue = Catalogue([Model("a")], any_name=True)
    assert [(catalogue.lists(name), catalogue.may_serve(name)) for name in "ab"] == [(True, True), (False, True)]


def test_a_model_is_found_in_any_case() -> None:
    catalogue = Catalogue([Model("GPT", 7), Model("gpt", 8), Model("Claude")])
    assert [catalogue.spell(name) for name in ("gpt", "GPT", "claude", "CLAUDE", "c")] == [
        "GPT",
        "GPT",
        "Claude",
        "Claude",
        None,
    ]
    assert [catalogue.find(name) for name in ("GPT", "gpt", "Gpt")] == [Model("GPT", 7), Model("gpt", 8), Model("Gpt")]
    catalogue.replace([Model("new")])
    assert (catalogue.spell("claude"), catalogue.spell("NEW")) == (None, "new")


# Reading a list


async def test_the_list_is_read_with_the_credentials() -> None:
    reply = Written([b'{"data":[{"id":', b'"a"}]}'])
    wire = Wire(reply)
    assert await read_models(wire, b"x-key: k\r\n", Patience(total=9)) == [Model("a")]
    assert wire.asked == [(b"GET", b"/models", b"x-key: k\r\n", b"", Patience(total=9))]
    assert reply.done == ["close"]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Written([b"no"], 404), UpstreamInvalid),
        (Written([b'{"data":[]}'], 302), UpstreamInvalid),
        (Written([b'{"da', UpstreamIncomplete()]), UpstreamIncomplete),
    ],
)
async def test_a_list_that_cannot_be_read_gives_the_connection_back(reply: Written, kind: type[DragomanError]) -> None:
    with pytest.raises(kind):
        await read_models(Wire(reply), b"", Patience())
    assert reply.done == ["close"]


# Keeping it fresh


class Reads:
    """Lists and failures that are read in turn, and when."""

    def __init__(self, clock: Clock, *results: list[Model] | DragomanError) -> None:
        self.times: list[int] = []
        self._clock = clock
        self._began = clock.time()
        self._results = list(results)

    async def __call__(self) -> list[Model]:
        self.times.append(round(self._clock.time() - self._began))
        result = self._results.pop(0)
        if isinstance(result, DragomanError):
            raise result
        return result


def keeping_fresh(test: Callable[[Clock, Catalogue], Awaitable[None]]) -> None:
    """Run a test on a loop whose time it can move."""

    async def run() -> None:
        clock = asyncio.get_running_loop()
        assert isinstance(clock, Clock)
        await test(clock, Catalogue())

    with asyncio.Runner(loop_factory=Clock) as runner:
        runner.run(run())


async def for_a_while(clock: Clock, job: Awaitable[None], seconds: list[float]) -> None:
    async def run() -> None:
        await job

    async with asyncio.TaskGroup() as group:
        task = group.create_task(run())
        await clock.pass_by(0)
        for step in seconds:
            await clock.pass_by(step)
        task.cancel()


def test_a_list_is_read_again_after_its_time() -> None:
    async def test(clock: Clock, catalogue: Catalogue) -> None:
        reads = Reads(clock, [Model("a")], [Model("b")])
        await for_a_while(clock, keep_fresh(catalogue, reads, 300), [299, 1])
        assert reads.times == [0, 300]
        assert (catalogue.known, catalogue.models()) == (True, [Model("b")])

    keeping_fresh(test)


def test_a_failure_keeps_what_is_known_and_is_tried_again_soon() -> None:
    async def test(clock: Clock, catalogue: Catalogue) -> None:
        cut = UpstreamUnavailable()
        reads = Reads(clock, [Model("a")], cut, cut, cut, [Model("b")], cut, [])
        await for_a_while(clock, keep_fresh(catalogue, reads, 300), [300, 5, 10, 20, 300, 5])
        assert reads.times == [0, 300, 305, 315, 335, 635, 640]
        assert (catalogue.known, catalogue.failure, catalogue.models()) == (True, "", [])

    keeping_fresh(test)


def test_as_long_as_it_fails_it_says_why() -> None:
    async def test(clock: Clock, catalogue: Catalogue) -> None:
        reads = Reads(clock, UpstreamUnavailable(), UpstreamInvalid(), UpstreamInvalid(), UpstreamInvalid())
        await for_a_while(clock, keep_fresh(catalogue, reads, 12), [5])
        assert (catalogue.known, catalogue.failure) == (False, "invalid")

    keeping_fresh(test)


def test_it_is_never_tried_less_often_than_it_is_read() -> None:
    async def test(clock: Clock, catalogue: Catalogue) -> None:
        reads = Reads(clock, *[UpstreamInvalid()] * 6)
        await for_a_while(clock, keep_fresh(catalogue, reads, 12), [5, 10, 12, 12])
        assert reads.times == [0, 5, 15, 27, 39]

    keeping_fresh(test)
