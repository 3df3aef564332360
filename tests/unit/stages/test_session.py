"""Conversations that are remembered; the dialect of these turns is the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from msgspec import Raw

from dragoman.core.ask import Answer
from dragoman.core.burst import Burst
from dragoman.core.call import Call, Caller, Thread
from dragoman.core.errors import BadRequest, DragomanError, UpstreamIncomplete
from dragoman.core.events import Event, Finish, Start, Text
from dragoman.core.ports import Record, Store
from dragoman.stages.session import MAX_TURNS, UNKEPT, Custom, recall, session
from dragoman.stores.sqlite import MEMORY, SqliteStore

START, STOP = Start("c", "m"), Finish("stop")


def find(call: Call) -> list[str]:
    """A call refers to the turns that stand in its body."""
    return call.body.decode().split()


def take(call: Call, trail: Sequence[Record], referred: Sequence[Record]) -> None:
    assert call.thread is not None
    call.thread.history = [Raw(b'"%b"' % record.body) for record in [*trail, *referred]]


def write(call: Call, answer: Burst) -> Record:
    assert call.thread is not None
    said = "".join(event.text for event in answer.events if isinstance(event, Text))
    return Record("turn", call.caller.name, call.serial, said.encode(), call.thread.previous)


CUSTOM = Custom("turn", find, take, write)


@pytest.fixture
def store() -> Iterator[SqliteStore]:
    with closing(SqliteStore(MEMORY)) as store:
        yield store


class Bench:
    """An ask that answers in the bursts of its texts, behind the stage."""

    def __init__(self, store: Store, *texts: str) -> None:
        self.store = store
        self.texts = texts or ("Hello",)
        self.error: DragomanError | None = None
        self.closed = 0
        self.history: list[bytes] = []
        self.noted: list[DragomanError] = []

    async def run(self, call: Call) -> str:
        """Return what the answer says, all of it."""
        answer = await self.answer(call)
        events = list(answer.first.events)
        if answer.rest is not None:
            async for burst in answer.rest:
                events += burst.events
                # nothing is kept before all is said
                assert await self.store.get("turn", call.caller.name, call.serial) is None
        answer.close()
        return "".join(event.text for event in events if isinstance(event, Text))

    async def answer(self, call: Call) -> Answer:
        """Return what stands behind the stage."""
        return await session(self.store, CUSTOM, self._note)(self._ask)(call)

    async def _ask(self, call: Call) -> Answer:
        self.history = [bytes(item) for item in call.thread.history] if call.thread else []
        bursts: list[list[Event]] = [[Text(text)] for text in self.texts]
        bursts[0].insert(0, START)
        bursts[-1].append(STOP)
        first, *others = map(Burst, bursts)
        return Answer(first, self._rest(others) if others or self.error else None, self._close)

    async def _rest(self, bursts: list[Burst]) -> AsyncIterator[Burst]:
        for burst in bursts:
            yield burst
        if self.error is not None:
            raise self.error

    def _close(self) -> None:
        self.closed += 1

    def _note(self, call: Call, error: DragomanError) -> None:
        self.noted.append(error)


def make_call(name: str, previous: str = "", *, keep: bool = True, refers: bytes = b"", owner: str = "app") -> Call:
    call = Call(refers, "test", "m", list, stream=True)
    call.serial, call.caller, call.thread = name, Caller(owner), Thread(keep, previous)
    return call


@pytest.mark.parametrize("texts", [("Hello",), ("Hel", "lo"), ("H", "ell", "o")])
async def test_an_answer_is_kept_when_all_of_it_is_said(store: SqliteStore, texts: tuple[str, ...]) -> None:
    bench = Bench(store, *texts)
    assert await bench.run(make_call("t1")) == "Hello"
    assert await store.get("turn", "app", "t1") == Record("turn", "app", "t1", b"Hello")
    assert bench.closed == 1


async def test_a_call_is_given_all_that_was_said_before(store: SqliteStore) -> None:
    for name, previous in (("t1", ""), ("t2", "t1"), ("t3", "t2")):
        await Bench(store, name).run(make_call(name, previous))
    bench = Bench(store)
    await bench.run(make_call("t4", "t3"))
    assert bench.history == [b'"t1"', b'"t2"', b'"t3"']


async def test_turns_that_are_only_referred_to_come_after_the_others(store: SqliteStore) -> None:
    for name in ("t1", "t2"):
        await Bench(store, name).run(make_call(name))
    bench = Bench(store)
    await bench.run(make_call("t3", "t1", refers=b"t1 t2 unknown"))
    assert bench.history == [b'"t1"', b'"t2"']


async def test_an_answer_is_not_kept_when_nobody_wants_that(store: SqliteStore) -> None:
    await Bench(store, "t1").run(make_call("t1"))
    bench = Bench(store, "a", "b")
    assert await bench.run(make_call("t2", "t1", keep=False)) == "ab"
    assert bench.history == [b'"t1"']
    assert await store.get("turn", "app", "t2") is None


async def test_a_call_without_a_conversation_is_left_alone(store: SqliteStore) -> None:
    call = make_call("t1")
    call.thread = None
    assert await Bench(store).run(call) == "Hello"
    await recall(store, CUSTOM, call)
    assert await store.page("turn", "app", 9) == []


async def test_an_answer_that_breaks_is_not_kept(store: SqliteStore) -> None:
    bench = Bench(store, "Hel", "lo")
    bench.error = UpstreamIncomplete()
    with pytest.raises(UpstreamIncomplete):
        await bench.run(make_call("t1"))
    assert await store.get("turn", "app", "t1") is None


async def test_nobody_can_continue_what_is_unknown_or_anothers(store: SqliteStore) -> None:
    await Bench(store, "secret").run(make_call("t1"))
    bench = Bench(store)
    for call in (make_call("t2", "nothing"), make_call("t2", "t1", owner="guest")):
        with pytest.raises(BadRequest) as caught:
            await bench.run(call)
        assert (caught.value.code, caught.value.param) == ("previous_response_not_found", "previous_response_id")
    await bench.run(make_call("t2", refers=b"t1", owner="guest"))
    assert bench.history == []


async def test_a_conversation_with_a_hole_is_not_continued(store: SqliteStore) -> None:
    for name, previous in (("t1", ""), ("t2", "t1")):
        await Bench(store, name).run(make_call(name, previous))
    await store.delete("turn", "app", "t1")
    with pytest.raises(BadRequest, match="no longer whole") as caught:
        await Bench(store).run(make_call("t3", "t2"))
    assert caught.value.code == "previous_response_not_found"


async def test_a_call_refers_to_so_many_turns_and_no_more(store: SqliteStore) -> None:
    with pytest.raises(BadRequest) as caught:
        await Bench(store).run(make_call("t1", refers=b"x " * (MAX_TURNS + 1)))
    assert caught.value.param == "input"


@pytest.mark.parametrize("texts", [("Hello",), ("Hel", "lo")])
async def test_an_answer_that_cannot_be_kept_is_given_and_says_so(tmp_path: Path, texts: tuple[str, ...]) -> None:
    with closing(SqliteStore(str(tmp_path / "missing" / "store.db"))) as broken:
        bench = Bench(broken, *texts)
        call = make_call("t1")
        answer = await bench.answer(call)
        rest = [] if answer.rest is None else [burst async for burst in answer.rest]
        assert rest == [Burst([Text("lo"), STOP])] * (len(texts) - 1)
        assert call.thread == Thread(keep=False)
        assert call.losses == {"store": UNKEPT}
        assert [error.fault for error in bench.noted] == ["store"]


async def test_a_store_that_cannot_be_read_fails_the_call(tmp_path: Path) -> None:
    with closing(SqliteStore(str(tmp_path / "missing" / "store.db"))) as broken, pytest.raises(DragomanError) as caught:
        await Bench(broken).run(make_call("t2", "t1"))
    assert (caught.value.status, caught.value.code) == (500, "store_failed")


async def test_a_call_that_is_cancelled_while_its_answer_is_kept_closes_it() -> None:
    class Slow(SqliteStore):
        async def put(self, record: Record) -> None:
            del record
            putting.set()
            await asyncio.get_running_loop().create_future()

    putting = asyncio.Event()
    with closing(Slow(MEMORY)) as store:
        bench = Bench(store)
        task = asyncio.ensure_future(bench.run(make_call("t1")))
        await putting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert bench.closed == 1


async def test_a_turn_is_found_by_the_ids_of_its_parts(store: SqliteStore) -> None:
    custom = Custom("turn", find, take, write, lambda turn: [f"part of {turn.body.decode()}".replace(" ", "_")])

    async def ask(call: Call) -> Answer:
        return Answer(Burst([START, Text("Hello"), STOP]), None, lambda: None)

    def note(call: Call, error: DragomanError) -> None:
        raise AssertionError(error)

    asking = session(store, custom, note)(ask)
    await asking(make_call("1"))
    call = make_call("2", refers=b"part_of_Hello part_of_nothing")
    await asking(call)
    assert call.thread is not None
    assert call.thread.history == [Raw(b'"Hello"')]


async def test_the_bytes_of_the_last_burst_are_kept_with_all_events(store: SqliteStore) -> None:
    kept: list[Burst] = []

    def keep(call: Call, answer: Burst) -> Record:
        kept.append(answer)
        return write(call, answer)

    async def rest() -> AsyncIterator[Burst]:
        yield Burst([STOP], b"last", "d")

    async def ask(call: Call) -> Answer:
        return Answer(Burst([START], b"first", "d"), rest(), lambda: None)

    def note(call: Call, error: DragomanError) -> None:
        raise AssertionError(error)

    answer = await session(store, Custom("turn", find, take, keep), note)(ask)(make_call("1"))
    assert answer.rest is not None
    assert [burst async for burst in answer.rest] == [Burst([STOP], b"last", "d")]
    assert kept == [Burst([START, STOP], b"last", "d")]
