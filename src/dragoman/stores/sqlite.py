"""A store in an SQLite file, opened when it is first used; a thread of its own does the work, so that no call waits."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from dragoman.core.errors import DragomanError
from dragoman.core.ports import Record

T = TypeVar("T")
SCHEME = "sqlite://"
MEMORY = ":memory:"
KEEP = 30 * 86_400.0
"""Seconds that a record is kept after it was last put."""
PATIENCE = 10.0
"""Seconds that anything here may take."""
MAX_TRAIL = 64 * 1024 * 1024
"""Bytes after which a trail is not followed further."""
SWEEP = 100
"""Expired records that are deleted at a time."""
VERSION = 1
"""Of the tables; written into the file."""
_BUSY = 5
"""Seconds to wait for others that use the file."""
_PAUSE = 0.01
"""Seconds between two tries, where SQLite itself does not wait."""
_TABLES = """
    CREATE TABLE records (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL, owner TEXT NOT NULL, id TEXT NOT NULL,
        created REAL NOT NULL, expires REAL NOT NULL,
        previous TEXT NOT NULL, body BLOB NOT NULL,
        UNIQUE (kind, owner, id)
    );
    CREATE INDEX expiry ON records (expires);
"""
_PUT = """
    INSERT INTO records (kind, owner, id, created, expires, previous, body) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (kind, owner, id) DO UPDATE SET expires = excluded.expires, body = excluded.body
"""
_SWEEP = "DELETE FROM records WHERE number IN (SELECT number FROM records WHERE expires <= ? LIMIT ?)"
_DELETE = "DELETE FROM records WHERE kind = ? AND owner = ? AND id = ? AND expires > ?"
_TRAIL = """
    WITH RECURSIVE trail (depth, size, id, body, previous) AS (
        SELECT 1, length(body), id, body, previous FROM records
        WHERE kind = :kind AND owner = :owner AND id = :id AND expires > :now
        UNION ALL
        SELECT depth + 1, size + length(records.body), records.id, records.body, records.previous
        FROM trail JOIN records ON records.id = trail.previous
        WHERE kind = :kind AND owner = :owner AND expires > :now AND depth < :limit AND size < :most
    )
    SELECT id, body, previous FROM trail ORDER BY depth DESC
"""
_PAGE = "SELECT id, body, previous FROM records WHERE kind = :kind AND owner = :owner AND expires > :now "
_AFTER = "AND number {} (SELECT number FROM records WHERE kind = :kind AND owner = :owner AND id = :after) "


def read_path(url: str) -> str:
    """Return the file that an ``sqlite://`` URL names: ``sqlite:///`` and a path, relative ones to where we run.

    ``sqlite://`` alone is a store in memory.
    """
    return url.removeprefix(SCHEME).removeprefix("/") or MEMORY


class SqliteStore:
    """Keeps records in one table; made without touching the file."""

    def __init__(self, path: str, keep: float = KEEP, epoch: Callable[[], float] = time.time) -> None:
        """`keep`: seconds until a record expires; `epoch` gives the time since 1970."""
        self._path = path
        self._keep = keep
        self._epoch = epoch
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._database: sqlite3.Connection | None = None

    async def put(self, record: Record) -> None:
        """Keep a record, or set the body of the one that its owner keeps under the same kind and id."""
        now = self._epoch()
        times = (now, now + self._keep)
        values = (record.kind, record.owner, record.id, *times, record.previous, record.body)

        def put(database: sqlite3.Connection) -> None:
            database.execute(_SWEEP, (now, SWEEP))
            database.execute(_PUT, values)

        await self._run(put)

    async def get(self, kind: str, owner: str, record_id: str) -> Record | None:
        """Return a record, None when its owner has none by this id (any more)."""
        found = await self.trail(kind, owner, record_id, 1)
        return found[0] if found else None

    async def trail(self, kind: str, owner: str, record_id: str, limit: int) -> list[Record]:
        """Return a record and those it continues, at most `limit`, the oldest first; empty when it is not there."""
        values = {
            "kind": kind,
            "owner": owner,
            "id": record_id,
            "now": self._epoch(),
            "limit": limit,
            "most": MAX_TRAIL,
        }
        return await self._run(lambda database: _read(kind, owner, database.execute(_TRAIL, values)))

    async def page(self, kind: str, owner: str, limit: int, after: str = "", *, newest: bool = True) -> list[Record]:
        """Return up to `limit` records in the order they were first put, those behind the record `after`."""
        behind, order = ("<", "DESC") if newest else (">", "ASC")
        query = f"{_PAGE}{_AFTER.format(behind) if after else ''}ORDER BY number {order} LIMIT :limit"
        values = {"kind": kind, "owner": owner, "now": self._epoch(), "after": after, "limit": limit}
        return await self._run(lambda database: _read(kind, owner, database.execute(query, values)))

    async def delete(self, kind: str, owner: str, record_id: str) -> bool:
        """Forget a record; tell whether it was there."""
        values = (kind, owner, record_id, self._epoch())
        return await self._run(lambda database: database.execute(_DELETE, values).rowcount > 0)

    def close(self) -> None:
        """Finish what was begun and close the file; nothing may be asked afterwards."""
        self._worker.submit(self._close)
        self._worker.shutdown()

    async def _run(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Do `job` in the worker; one that takes too long is done there all the same."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(PATIENCE):
                return await loop.run_in_executor(self._worker, self._work, job)
        except (sqlite3.Error, OSError) as error:  # a `TimeoutError` is one of the latter
            raise DragomanError("the store failed", code="store_failed", fault="store", detail=str(error)) from None

    def _work(self, job: Callable[[sqlite3.Connection], T]) -> T:
        if self._database is None:
            self._database = _open(self._path)
        with self._database:  # one transaction
            return job(self._database)

    def _close(self) -> None:
        if self._database is not None:
            self._database.close()


def _open(path: str) -> sqlite3.Connection:
    """Open the file, or make it, for its owner's eyes alone; raises `sqlite3.Error` for one of a newer version."""
    if path != MEMORY:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    database = sqlite3.connect(path, timeout=_BUSY)
    try:
        _turn_to_wal(database)
        database.execute("PRAGMA synchronous = FULL")
        database.execute("BEGIN IMMEDIATE")  # of several processes that open it at once, one makes the tables
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise sqlite3.DatabaseError(f"the store is of version {version}, which is newer than {VERSION}")
        if version < VERSION:
            for statement in filter(str.strip, _TABLES.split(";")):
                database.execute(statement)
            database.execute(f"PRAGMA user_version = {VERSION}")
        database.commit()
    except BaseException:
        database.close()
        raise
    return database


def _turn_to_wal(database: sqlite3.Connection) -> None:
    """Set the journal's mode; SQLite does not wait for others that do the same at this moment, so we do."""
    late = time.monotonic() + _BUSY
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > late:
                raise
            time.sleep(_PAUSE)
        else:
            return


def _read(kind: str, owner: str, rows: Iterable[tuple[str, bytes, str]]) -> list[Record]:
    return [Record(kind, owner, record_id, body, previous) for record_id, body, previous in rows]
