"""What an upstream can serve."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from msgspec import structs

from dragoman.core.errors import (
    DragomanError,
    UpstreamAuth,
    UpstreamIncomplete,
    UpstreamInvalid,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from dragoman.core.quirks import Quirks
from dragoman.net.reply import Patience
from dragoman.upstreams.catalogue import MAX_UNLISTED, Catalogue, allow_models, any_model, keep_fresh, read_models
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


def make_plain(model: Model) -> Model:
    """Return a model with quirks that are the same, and another object each time."""
    return structs.replace(model, quirks=Quirks(plain=True))


def test_quirks_stay_the_same_object_as_long_as_they_are_the_same() -> None:
    catalogue = Catalogue(complete=make_plain)
    before = catalogue.quirks("a")
    assert before == Quirks(plain=True)
    catalogue.replace([Model("a")])
    assert catalogue.quirks("a") is before
    catalogue.replace([Model("a", 7)])
    assert (catalogue.find("a").created, catalogue.quirks("a") is before) == (7, True)
    assert catalogue.learn("a", lambda known: structs.replace(known, quirks=Quirks(plain=True, stream_usage=False)))
    learnt = catalogue.quirks("a")
    catalogue.replace([Model("a", 8)])
    assert (learnt, catalogue.quirks("a") is learnt) == (Quirks(plain=True, stream_usage=False), True)


def test_some_models_are_there_whether_or_not_the_list_names_them() -> None:
    catalogue = Catalogue(always=[Model("a"), Model("b")], allows=lambda name: name != "b")
    assert (catalogue.known, catalogue.models(), catalogue.may_serve("c")) == (False, [Model("a")], True)
    catalogue.replace([Model("c"), Model("a", 7)])
    assert catalogue.models() == [Model("c"), Model("a", 7)]
    catalogue.replace([Model("c")])
    assert (catalogue.models(), catalogue.spell("A")) == ([Model("c"), Model("a")], "a")


async def test_what_is_learnt_while_a_long_list_is_put_together_is_kept() -> None:
    def notice(model: Model) -> Model:
        if model.id == "m999":
            catalogue.learn("m5", make_plain)
        return model

    catalogue = Catalogue(complete=notice)
    await catalogue.refill([Model(f"m{number}") for number in range(1_000)])
    assert len(catalogue.models()) == 1_000
    assert [catalogue.quirks(name).plain for name in ("m5", "m6")] == [True, False]


def test_only_what_is_allowed_and_not_denied_may_be_asked_for() -> None:
    assert allow_models(["*"], []) is any_model
    allows = allow_models(["GPT-*", "claude"], ["gpt-4*"])
    assert [allows(name) for name in ("gpt-5", "Claude", "claude-2", "GPT-4o", "o3")] == [
        True,
        True,
        False,
        False,
        False,
    ]
    catalogue = Catalogue([Model("gpt-5"), Model("o3")], any_name=True, allows=allows)
    assert catalogue.models() == [Model("gpt-5")]
    assert [catalogue.may_serve(name) for name in ("gpt-6", "o3")] == [True, False]


def test_what_is_learnt_twice_is_no_news() -> None:
    catalogue = Catalogue([Model("a")])
    assert [catalogue.learn(name, make_plain) for name in ("a", "a", "b", "b")] == [True, False, True, False]
    assert [catalogue.tell(name).tools for name in "ab"] == [None, None]
    assert catalogue.learn("a", lambda known: structs.replace(known, name="A"))
    assert (catalogue.find("a").name, catalogue.quirks("a").plain) == ("A", True)


def test_names_that_nobody_lists_do_not_pile_up() -> None:
    catalogue = Catalogue([], any_name=True)
    for number in range(MAX_UNLISTED + 1):
        catalogue.learn(f"m{number}", make_plain)
    assert [catalogue.quirks(f"m{number}").plain for number in (0, MAX_UNLISTED)] == [False, True]


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
        (Written([b"no"], 401), UpstreamAuth),
        (Written([b"no"], 403), UpstreamAuth),
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


def test_it_tells_when_it_was_read_and_whether_the_upstream_answers() -> None:
    async def test(clock: Clock, catalogue: Catalogue) -> None:
        seen: list[tuple[float | None, bool | None, str]] = []

        async def read() -> list[Model]:
            seen.append((catalogue.read_at, catalogue.answered, catalogue.failure))
            result = results.pop(0)
            if isinstance(result, DragomanError):
                raise result
            return result

        results: list[list[Model] | DragomanError]
        results = [UpstreamTimeout(), UpstreamInvalid(), [], UpstreamUnavailable(), []]
        times = iter([70.0, 80.0])
        await for_a_while(clock, keep_fresh(catalogue, read, 5, lambda: next(times)), [5, 5, 5, 5])
        assert seen == [
            (None, None, ""),
            (None, False, "timeout"),
            (None, True, "invalid"),
            (70.0, True, ""),
            (70.0, False, "connect"),
        ]
        assert (catalogue.read_at, catalogue.answered, catalogue.failure) == (80.0, True, "")

    keeping_fresh(test)


def test_it_is_never_tried_less_often_than_it_is_read() -> None:
    async def test(clock: Clock, catalogue: Catalogue) -> None:
        reads = Reads(clock, *[UpstreamInvalid()] * 6)
        await for_a_while(clock, keep_fresh(catalogue, reads, 12), [5, 10, 12, 12])
        assert reads.times == [0, 5, 15, 27, 39]

    keeping_fresh(test)


def test_a_name_that_is_not_listed_may_be_served_where_the_client_names_the_upstream() -> None:
    catalogue = Catalogue([Model("a")], named=True, allows=lambda name: name != "c")
    assert (catalogue.named, catalogue.any_name) == (True, False)
    assert [catalogue.may_serve(name) for name in "abc"] == [True, True, False]


def test_a_model_is_found_by_what_people_call_it_unless_that_is_another_ones_id() -> None:
    catalogue = Catalogue([Model("a-1", name="Big One"), Model("b-1", name="A-1"), Model("c-1", name="Big One")])
    assert [catalogue.spell(name) for name in ("big-one", "a-1", "")] == ["a-1", "a-1", None]
