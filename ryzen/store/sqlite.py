"""A store in one file: nothing to set up, and every answer from this machine's own disk."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, closing, suppress
from functools import partial
from pathlib import Path
from threading import Event, Lock
from typing import TypeVar

import anyio
from anyio import to_thread

from ryzen.errors import StoreAway, StoreRefused
from ryzen.player.state import Track
from ryzen.records import (
    Batch,
    Broadcast,
    ChatSettings,
    LiveChat,
    Member,
    Play,
    Playlist,
    Ranked,
    Roll,
    Row,
    Served,
    Top,
)
from ryzen.store import sqlite_reads as reads
from ryzen.store.schema import TABLES
from ryzen.store.sqlite_errors import away
from ryzen.store.sqlite_file import connect, inspect, open_owned, open_shared, owned
from ryzen.store.sqlite_mend import finish, mend
from ryzen.store.sqlite_schema import MIGRATIONS, Migrations
from ryzen.store.sqlite_writer import PATIENCE, Work, Writer
from ryzen.store.sqlite_writes import remove_all, write_batch, write_rows

R = TypeVar("R")

#: Rows that a dump holds in memory.
PAGE = 1000


class SqliteStore:
    """``ports.Store``; made by ``open_sqlite``. Without a writer it is for reading alone.

    Writes go to the writer's thread, questions to a second connection in a worker thread: under a write-ahead
    log neither waits for the other. One question is answered at a time, in less than a millisecond as a rule.
    """

    name = "SQLite"

    def __init__(self, path: Path, reader: sqlite3.Connection, writer: Writer | None) -> None:
        self.writer = writer
        self._path, self._reader = path, reader
        self._one = anyio.CapacityLimiter(1)  # a connection is for one thread at a time
        self._in_use = Lock()  # held in the thread, which may go on when the limiter has been freed

    async def apply(self, batch: Batch) -> None:
        await self._write(partial(write_batch, batch))

    async def settings(self, chat_id: int) -> ChatSettings:
        return await self._ask(reads.settings, chat_id)

    async def roll(self, roll: Roll, scope: int = 0) -> tuple[Member, ...]:
        return await self._ask(reads.roll, roll, scope)

    async def chats(self, after: int | None = None, limit: int = 1000) -> tuple[Served, ...]:
        return await self._ask(reads.chats, after, limit)

    async def users(self, after: int | None = None, limit: int = 1000) -> tuple[Served, ...]:
        return await self._ask(reads.users, after, limit)

    async def user(self, user_id: int) -> Served | None:
        return await self._ask(reads.user, user_id)

    async def sizes(self) -> Mapping[str, int]:
        return await self._ask(reads.sizes)

    async def playlists(self, user_id: int) -> tuple[Playlist, ...]:
        return await self._ask(reads.playlists, user_id)

    async def playlist(self, user_id: int, name: str) -> tuple[Track, ...]:
        return await self._ask(reads.playlist, user_id, name)

    async def history(self, chat_id: int, limit: int = 20) -> tuple[Play, ...]:
        return await self._ask(reads.history, chat_id, limit)

    async def top(self, top: Top) -> tuple[Ranked, ...]:
        return await self._ask(reads.top, top)

    async def assistants(self) -> Mapping[int, int]:
        return await self._ask(reads.assistants)

    async def broadcasts(self) -> tuple[Broadcast, ...]:
        return await self._ask(reads.broadcasts)

    async def live(self, chat_id: int | None = None) -> tuple[LiveChat, ...]:
        return await self._ask(reads.live, chat_id)

    async def beats(self) -> Mapping[str, float]:
        return await self._ask(reads.beats)

    async def flags(self) -> Mapping[str, str]:
        return await self._ask(reads.flags)

    # -- for the operator
    async def ping(self) -> None:
        await self._ask(reads.ping)

    async def check(self) -> tuple[str, ...]:
        """On a connection of its own: it may take minutes."""
        return await to_thread.run_sync(self._check)

    def _check(self) -> tuple[str, ...]:
        try:
            with closing(connect(self._path, write=False)) as db:
                return reads.problems(db)
        except sqlite3.Error as error:
            raise away(error) from error

    async def dump(self) -> AsyncIterator[Row]:
        """As everything was when it began, however long the reading takes: it has a connection of its own."""
        try:
            with closing(connect(self._path, write=False)) as db:
                db.execute("BEGIN")
                for table in TABLES:
                    rows = await to_thread.run_sync(reads.all_rows, db, table)
                    while page := await to_thread.run_sync(rows.fetchmany, PAGE):
                        for row in page:
                            yield table.name, dict(zip(table.names, row, strict=True))
        except sqlite3.Error as error:
            raise away(error) from error

    async def load(self, rows: Sequence[Row]) -> None:
        await self._write(partial(write_rows, rows))

    async def clear(self) -> None:
        await self._write(remove_all)

    # -- how
    async def close(self) -> None:
        """All that was asked for is committed first. Raises nothing."""
        if self.writer is not None:
            await self.writer.close()
        with anyio.move_on_after(PATIENCE, shield=True):
            # Not here: a question that nobody waits for any more may be on it still.
            await to_thread.run_sync(self._shut, abandon_on_cancel=True)

    def _shut(self) -> None:
        if self._in_use.acquire(timeout=PATIENCE):
            self._reader.close()
            self._in_use.release()

    async def _write(self, work: Work) -> None:
        if self.writer is None:
            raise StoreRefused("the database was opened for reading alone")
        await self.writer.do(work)

    async def _ask(self, question: Callable[..., R], *details: object) -> R:
        """Raises StoreAway."""
        begun, given_up = Event(), Event()
        with anyio.move_on_after(PATIENCE):
            try:
                return await to_thread.run_sync(
                    self._answer,
                    partial(question, self._reader, *details),
                    begun,
                    given_up,
                    limiter=self._one,
                    abandon_on_cancel=True,
                )
            except anyio.get_cancelled_exc_class():
                given_up.set()
                if begun.is_set():  # or it would be somebody else's question that is cut short
                    with suppress(sqlite3.Error):  # closed meanwhile
                        self._reader.interrupt()
                raise
        raise _unanswered()

    def _answer(self, question: Callable[[], R], begun: Event, given_up: Event) -> R:
        """In a thread. One whom nobody waits for any more may have the connection still."""
        if not self._in_use.acquire(timeout=PATIENCE):
            raise _unanswered()
        try:
            if given_up.is_set():
                raise _unanswered()
            begun.set()
            return question()
        except sqlite3.Error as error:
            raise away(error) from error
        finally:
            self._in_use.release()


def _unanswered() -> StoreAway:
    return StoreAway(f"the database has not answered within {PATIENCE:g} seconds")


@asynccontextmanager
async def open_sqlite(
    name: str, *, shared: bool = False, migrations: Migrations = MIGRATIONS
) -> AsyncIterator[SqliteStore]:
    """The store in this file; see ``open_store``."""
    with ExitStack() as stack:
        with anyio.CancelScope(shield=True):  # what a thread has opened must not be lost on the way here
            path, reader, writing = await to_thread.run_sync(_open, name, shared, migrations, stack)
        store = SqliteStore(path, reader, None if writing is None else Writer(writing))
        try:
            yield store
        finally:
            await store.close()


def _open(
    name: str, shared: bool, migrations: Migrations, stack: ExitStack
) -> tuple[Path, sqlite3.Connection, sqlite3.Connection | None]:
    """For reading, and for writing if it is ours; ``stack`` holds the claim."""
    path = Path(name).resolve()  # SQLite's own side files are named so, too
    if shared:
        return path, open_shared(path, migrations), None
    stack.enter_context(owned(path))
    finish(path)
    problem = inspect(path, migrations)
    if problem is not None:
        mend(path, problem, migrations)
    return path, *open_owned(path, migrations)
