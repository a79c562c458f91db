"""The one thread that writes, and how many callers share one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import SimpleQueue
from threading import Lock, Thread

import anyio
from anyio import from_thread, to_thread
from anyio.lowlevel import current_token
from loguru import logger

from ryzen.errors import StoreAway
from ryzen.store.sqlite_errors import REFUSED, away, refused

#: Seconds that a caller waits. A disk needs milliseconds; one that needs this long does not answer.
PATIENCE = 10.0

#: What is to be done in a transaction; made wholly, or not at all.
Work = Callable[[sqlite3.Cursor], None]


class Group:
    """Works that are committed together, and those who wait for that. ``errors`` by the place of the work."""

    def __init__(self) -> None:
        self.works: list[Work] = []
        self.errors: dict[int, Exception] = {}
        self.written = False
        self.over = False  # written, or given up
        self._news, self._watched = anyio.Event(), False

    async def wait(self) -> None:
        """At most PATIENCE seconds. One of those who wait watches the time for all: a timer costs as much as
        a write. If that one is cancelled, another takes its place."""
        while not self.over:
            await (self._news.wait() if self._watched else self._watch())

    async def _watch(self) -> None:
        self._watched = True
        try:
            with anyio.move_on_after(PATIENCE):
                await self._news.wait()
            self.over = True
        finally:
            self._watched = False
            self._wake()

    def tell(self) -> None:
        """On the event loop: it is written, or has failed."""
        self.written = self.over = True
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        if not self.over:
            self._news = anyio.Event()


class Writer:
    """Made on the event loop, and owns the connection from then on.

    While one group is written, all that comes joins the next: the slower the disk, the more share a commit.
    ``commits`` counts them.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.commits = 0
        self._connection, self._cursor = connection, connection.cursor()
        self._token = current_token()
        self._groups: SimpleQueue[Group | None] = SimpleQueue()
        self._joining: Group | None = None  # it is in the queue, and still takes works
        self._lock = Lock()  # around ``_joining``, which the loop fills and the thread closes
        self._closed = False
        # A daemon: a disk that hangs for ever must not keep a process that has waited long enough.
        self._thread = Thread(target=self._run, name="store", daemon=True)
        self._thread.start()

    async def do(self, work: Work) -> None:
        """Returns when it is committed. Raises StoreAway or StoreRefused; a bug in ``work`` comes as itself.

        Who no longer waits, because of a cancellation or after StoreAway, has it written nevertheless.
        """
        if self._closed:
            raise StoreAway("the database is closed")
        with self._lock:
            group = self._joining
            if group is None or group.over:  # who comes now has patience still
                group = self._joining = Group()
                self._groups.put(group)
            place = len(group.works)
            group.works.append(work)
        await group.wait()
        if not group.written:
            raise StoreAway(f"the database has not answered within {PATIENCE:g} seconds")
        if place in group.errors:
            raise _said(group.errors[place]) from group.errors[place]

    async def close(self) -> None:
        """All that was asked for is committed first, if the disk answers at all."""
        self._closed = True
        self._groups.put(None)
        with anyio.move_on_after(PATIENCE, shield=True):
            # Not by waiting here: the thread needs the loop to tell of its last group.
            await to_thread.run_sync(self._thread.join, abandon_on_cancel=True)
        if self._thread.is_alive():
            logger.error("the database has not answered for {:g} seconds, and is left as it is", PATIENCE)

    # -- in the thread
    def _run(self) -> None:
        while (group := self._groups.get()) is not None:
            with self._lock:
                if self._joining is group:
                    self._joining = None
            self._write(group)
            self._tell(group)
        self._tidy()
        self._connection.close()

    def _tidy(self) -> None:
        """Empty the log into the file, so that the file is all that there is to copy."""
        try:
            self._cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            logger.debug("the log stays beside the file, and is read at the next start: {}", error)
        self._cursor.close()

    def _write(self, group: Group) -> None:
        try:
            self._commit(group.works)
        except sqlite3.OperationalError as error:  # it would fail for each of them
            group.errors = dict.fromkeys(range(len(group.works)), error)
        except Exception:  # noqa: BLE001 - whose it is shows when each is alone, and who that is gets it
            self._write_one_by_one(group)

    def _write_one_by_one(self, group: Group) -> None:
        """In a transaction each: it is rare, and a savepoint for each work would cost every time."""
        for place, work in enumerate(group.works):
            try:
                self._commit((work,))
            except Exception as error:  # noqa: BLE001 - raised where it is waited for
                group.errors[place] = error

    def _commit(self, works: Sequence[Work]) -> None:
        cursor = self._cursor
        cursor.execute("BEGIN IMMEDIATE")
        try:
            for work in works:
                work(cursor)
            cursor.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # a full disk has rolled it back already
                self._connection.rollback()
            raise
        self.commits += 1

    def _tell(self, group: Group) -> None:
        """One wake-up for all."""
        with suppress(RuntimeError):  # the loop is gone, and with it everybody who waited
            from_thread.run_sync(group.tell, token=self._token)


def _said(error: Exception) -> Exception:
    if isinstance(error, REFUSED):
        return refused(error)
    return away(error) if isinstance(error, sqlite3.Error) else error
