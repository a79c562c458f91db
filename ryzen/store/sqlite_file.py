"""The file itself: whose it is, whether it is whole, and its connections. All of this blocks."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from ryzen.errors import StoreUnusable
from ryzen.store.sqlite_errors import away, busy, cause, damaged
from ryzen.store.sqlite_schema import APPLICATION_ID, Migrations, migrate, version_of

#: Milliseconds to wait for another program's lock, an operator's shell for one.
BUSY = 4_000
#: Bytes that a text, or a row, may have: as many as MongoDB allows a document.
LONGEST = 16 * 1024 * 1024
#: Bytes that the write-ahead log keeps of the disk when it has been copied into the file.
LOG_KEPT = 64 * 1024 * 1024
#: Bytes of the smallest page that there can be.
SHORTEST = 512
#: STRICT tables came with this one.
OLDEST_SQLITE = (3, 37, 0)


@contextmanager
def owned(path: Path) -> Iterator[None]:
    """This file is ours alone until the block ends, or the process does, however it ends.

    Makes the folder. Raises StoreUnusable if another bot has it, or if nothing can be written there.
    """
    lock = path.with_name(f"{path.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Closed on exec, and never removed: who removes a lock file may remove another one's.
        file = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreUnusable(
            f"nothing can be written in {path.parent} ({error.strerror}): give the bot's user the right"
            " to write there, or name another place in DATABASE_URL"
        ) from error
    try:
        _take(file, path)
        yield
    finally:
        os.close(file)


def _take(file: int, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.pread(file, 20, 0).decode(errors="replace").strip()
        raise StoreUnusable(
            f"another Ryzen{f' (process {owner})' if owner else ''} has {path}: stop that one,"
            " or give this one a database of its own in DATABASE_URL"
        ) from error
    except OSError as error:
        raise StoreUnusable(
            f"no file in {path.parent} can be locked ({error.strerror}): name a place on this machine's own"
            " disk, in DATABASE_URL"
        ) from error
    os.ftruncate(file, 0)
    os.pwrite(file, str(os.getpid()).encode(), 0)


def connect(path: Path, *, write: bool) -> sqlite3.Connection:
    """In autocommit mode: BEGIN and COMMIT are ours. Raises sqlite3.Error; only a writer makes the file."""
    mode = "rwc" if write else "ro"
    if write and not path.exists():  # it holds people's names; its side files get the same rights from SQLite
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
    )
    db.execute(f"PRAGMA busy_timeout = {BUSY}")
    return db


def writing(path: Path, migrations: Migrations) -> sqlite3.Connection:
    """To a file that ``inspect`` has passed, or to a new one; brings it up to date. Raises sqlite3.Error."""
    with ExitStack() as undo:
        db = undo.enter_context(closing(connect(path, write=True)))
        db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")  # NORMAL may lose the last commits when the power fails
        db.execute("PRAGMA foreign_keys = ON")
        db.execute(f"PRAGMA journal_size_limit = {LOG_KEPT}")
        migrate(db, migrations)
        undo.pop_all()
    return db


def open_owned(path: Path, migrations: Migrations) -> tuple[sqlite3.Connection, sqlite3.Connection]:
    """For reading, and for writing. Raises StoreUnusable or StoreAway."""
    with _explained(path), ExitStack() as undo:
        writer = undo.enter_context(closing(writing(path, migrations)))
        reader = connect(path, write=False)
        undo.pop_all()
    return reader, writer


def open_shared(path: Path, migrations: Migrations) -> sqlite3.Connection:
    """For reading, beside the bot that it belongs to. Raises StoreUnusable or StoreAway."""
    if _cut_off(path):
        raise StoreUnusable(f"{path} is damaged; start the bot again, and what can be read is carried over")
    if not path.is_file():
        raise StoreUnusable(f"there is no database {path} yet: the bot makes it when it starts")
    with _explained(path), ExitStack() as undo:
        reader = undo.enter_context(closing(connect(path, write=False)))
        if _version(path, reader, migrations) < len(migrations):
            raise StoreUnusable(f"{path} is of an older Ryzen: start the bot once, it brings it up to date")
        undo.pop_all()
    return reader


def inspect(path: Path, migrations: Migrations) -> str | None:
    """What is damaged in it; None: it is whole, or not there yet. Raises StoreUnusable or StoreAway."""
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise StoreUnusable(
            f"this Python's SQLite is too old ({sqlite3.sqlite_version}; the oldest that will do is 3.37):"
            " use a newer Python, or MongoDB"
        )
    if path.exists() and not path.is_file():
        raise StoreUnusable(f"{path} is no file: name one in DATABASE_URL, sqlite:///folder/ryzen.db")
    if _cut_off(path):
        return "it is too short for a database"  # SQLite would take it for an empty one
    if not path.exists():
        return None
    with _explained(path):
        try:
            with closing(connect(path, write=False)) as db:
                _version(path, db, migrations)
                (finding,) = db.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.Error as error:
            if damaged(error):
                return str(error)
            raise
    return None if finding == "ok" else " ".join(str(finding).split())


def _cut_off(path: Path) -> bool:
    """Shorter than any database, and not new: beside a file of no bytes SQLite removes the log unread."""
    size = _size(path)
    return size < SHORTEST and (size > 0 or _size(path.with_name(f"{path.name}-wal")) > 0)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _version(path: Path, db: sqlite3.Connection, migrations: Migrations) -> int:
    """Raises StoreUnusable if it is another program's file, or of a newer version; and sqlite3.Error."""
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application != APPLICATION_ID and (application or tables):
        raise StoreUnusable(f"{path} is another program's database: name another file in DATABASE_URL")
    version = version_of(db)
    if version > len(migrations):
        raise StoreUnusable(
            f"{path} is of a newer Ryzen (version {version} of the tables, and we know {len(migrations)}):"
            " update this Ryzen, or name another file in DATABASE_URL"
        )
    return version


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """SQLite's errors as ours."""
    try:
        yield
    except sqlite3.Error as error:
        if busy(error):
            raise away(error) from error
        raise StoreUnusable(f"{path} cannot be used: {cause(error)}") from error
