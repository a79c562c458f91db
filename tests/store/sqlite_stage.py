"""What the tests of SQLite's store share: a writer that is busy as long as we like, a disk that fails."""

from __future__ import annotations

import resource
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import anyio
from anyio import to_thread
from loguru import logger

from ryzen.ports import Store
from ryzen.records import SetFlag
from ryzen.store.sqlite import SqliteStore, open_sqlite
from ryzen.store.sqlite_writer import Writer


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[tuple[SqliteStore, Writer]]:
    async with open_sqlite(str(path)) as store:
        assert store.writer is not None
        yield store, store.writer


@asynccontextmanager
async def busy(writer: Writer) -> AsyncIterator[None]:
    """Until the block ends, the writer is in the middle of a transaction."""
    begun, go_on = threading.Event(), threading.Event()

    def dawdle(cursor: sqlite3.Cursor) -> None:
        cursor.execute("INSERT INTO flags VALUES ('dawdled', 'x')")
        begun.set()
        assert go_on.wait(30)

    async def write() -> None:
        await writer.do(dawdle)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(write)
        await to_thread.run_sync(begun.wait)
        try:
            yield
        finally:
            go_on.set()


async def flags(store: Store) -> set[str]:
    return set(await store.flags())


def fill(count: int) -> tuple[SetFlag, ...]:
    """So many flags, of some 100 bytes each."""
    return tuple(SetFlag(f"flag {number:06}", "x" * 80) for number in range(count))


@contextmanager
def files_no_longer_than(size: int) -> Iterator[None]:
    """A disk that fails: whoever writes more into any file is told so (EFBIG)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def errors_logged() -> Iterator[list[str]]:
    lines: list[str] = []
    sink = logger.add(lambda line: lines.append(line.record["message"]), level="ERROR")
    try:
        yield lines
    finally:
        logger.remove(sink)
