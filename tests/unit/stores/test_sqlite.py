"""What is kept in an SQLite file, for whom, and for how long."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from dragoman.core.errors import DragomanError
from dragoman.core.ports import Record, Store
from dragoman.stores.sqlite import MEMORY, SqliteStore, read_path


class Clock:
    """A time that only the test moves."""

    def __init__(self) -> None:
        self.time = 1_000.0

    def now(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> Iterator[SqliteStore]:
    with closing(SqliteStore(MEMORY, 60, clock.now)) as store:
        yield store


def record(name: str, owner: str = "app", kind: str = "response", previous: str = "") -> Record:
    return Record(kind, owner, name, b'{"id":"%b"}' % name.encode(), previous)


@pytest.mark.parametrize(
    ("url", "path"),
    [("sqlite://", MEMORY), ("sqlite:///dragoman.db", "dragoman.db"), ("sqlite:////var/lib/d.db", "/var/lib/d.db")],
)
def test_a_url_names_a_file_or_memory(url: str, path: str) -> None:
    assert read_path(url) == path


async def test_what_was_put_is_there_until_it_is_deleted(store: Store) -> None:
    await store.put(record("r1"))
    assert await store.get("response", "app", "r1") == record("r1")
    assert await store.delete("response", "app", "r1")
    assert not await store.delete("response", "app", "r1")
    assert await store.get("response", "app", "r1") is None


async def test_nobody_sees_or_changes_the_record_of_another(store: Store) -> None:
    await store.put(record("r1"))
    await store.put(Record("response", "guest", "r1", b"mine"))
    assert await store.get("response", "app", "r1") == record("r1")
    assert await store.delete("response", "guest", "r1")
    assert await store.get("response", "guest", "r1") is None
    assert await store.get("video", "app", "r1") is None
    assert not await store.delete("video", "app", "r1")
    assert [found.id for found in await store.page("response", "app", 9)] == ["r1"]
    assert await store.page("response", "guest", 9) == []


async def test_a_record_put_again_has_a_new_body_and_its_old_place(store: Store) -> None:
    await store.put(record("r1", previous="r0"))
    await store.put(record("r2"))
    await store.put(Record("response", "app", "r1", b"new"))
    assert await store.page("response", "app", 9, newest=False) == [
        Record("response", "app", "r1", b"new", "r0"),
        record("r2"),
    ]


async def test_a_page_goes_on_where_the_last_one_ended(store: Store) -> None:
    for number in range(5):
        await store.put(record(f"r{number}"))

    async def names(limit: int, after: str = "", *, newest: bool = True) -> list[str]:
        return [found.id for found in await store.page("response", "app", limit, after, newest=newest)]

    assert await names(2) == ["r4", "r3"]
    assert await names(2, "r3") == ["r2", "r1"]
    assert await names(9, "r1") == ["r0"]
    assert await names(2, "r3", newest=False) == ["r4"]
    assert await names(2, "nowhere") == []


async def test_a_trail_is_told_from_its_beginning(store: Store) -> None:
    chain = [record("r1"), record("r2", previous="r1"), record("r3", previous="r2")]
    for turn in [*chain, record("other", previous="r1")]:
        await store.put(turn)
    assert await store.trail("response", "app", "r3", 9) == chain
    assert await store.trail("response", "app", "r3", 2) == chain[1:]
    assert await store.trail("response", "guest", "r3", 9) == []


async def test_a_trail_ends_where_a_record_is_missing_or_another_owners(store: Store) -> None:
    await store.put(record("r1", owner="guest"))
    await store.put(record("r2", previous="r1"))
    assert await store.trail("response", "app", "r2", 9) == [record("r2", previous="r1")]


async def test_a_trail_is_not_followed_for_ever(store: Store) -> None:
    await store.put(record("r1", previous="r1"))
    assert len(await store.trail("response", "app", "r1", 7)) == 7


async def test_a_record_expires(store: Store, clock: Clock) -> None:
    await store.put(record("r1"))
    clock.time += 59
    assert await store.get("response", "app", "r1") is not None
    await store.put(record("r2", previous="r1"))
    clock.time += 1
    assert await store.get("response", "app", "r1") is None
    assert [found.id for found in await store.page("response", "app", 9)] == ["r2"]
    assert [found.id for found in await store.trail("response", "app", "r2", 9)] == ["r2"]
    assert not await store.delete("response", "app", "r1")


async def test_what_has_expired_is_swept_away(tmp_path: Path, clock: Clock) -> None:
    file = tmp_path / "store.db"
    with closing(SqliteStore(str(file), 60, clock.now)) as store:
        for number in range(3):
            await store.put(record(f"r{number}"))
        clock.time += 61
        await store.put(record("last"))
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("SELECT id FROM records").fetchall() == [("last",)]


async def test_the_file_is_made_at_the_first_record_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    with closing(SqliteStore(str(file))):
        assert not file.exists()
    assert not file.exists()
    with closing(SqliteStore(str(file))) as store:
        await store.put(record("r1"))
        files = list(tmp_path.iterdir())  # noqa: ASYNC240 — three names
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    with closing(SqliteStore(str(file))) as store:
        assert await store.get("response", "app", "r1") == record("r1")


async def test_many_at_once_wait_for_each_other(tmp_path: Path) -> None:
    file = str(tmp_path / "store.db")
    with closing(SqliteStore(file)) as one, closing(SqliteStore(file)) as other:
        async with asyncio.TaskGroup() as group:
            for number in range(20):
                group.create_task((one if number % 2 else other).put(record(f"r{number}")))
        assert len(await one.page("response", "app", 99)) == 20


async def test_many_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    for attempt in range(20):
        stores = [SqliteStore(str(tmp_path / f"{attempt}.db")) for _ in range(4)]
        async with asyncio.TaskGroup() as group:
            for number, store in enumerate(stores):
                group.create_task(store.put(record(f"r{number}")))
        assert len(await stores[0].page("response", "app", 99)) == 4
        for store in stores:
            store.close()


async def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA user_version = 2")
    with closing(SqliteStore(str(file))) as store, pytest.raises(DragomanError) as failed:
        await store.get("response", "app", "r1")
    assert (failed.value.status, failed.value.code, failed.value.fault) == (500, "store_failed", "store")
    assert "newer" in failed.value.detail
    assert "newer" not in failed.value.message


@pytest.mark.parametrize("spoil", ["missing/folder/store.db", "text.db", "."])
async def test_a_store_that_cannot_be_opened_says_so_and_no_more(tmp_path: Path, spoil: str) -> None:
    (tmp_path / "text.db").write_text("this is no database, and long enough for nobody to believe it is one " * 20)
    with closing(SqliteStore(str(tmp_path / spoil))) as store, pytest.raises(DragomanError) as failed:
        await store.put(record("r1"))
    assert failed.value.message == "the store failed"
