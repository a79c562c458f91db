"""A damaged file is kept, and what can still be read of it goes on in a new one. All of this blocks."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from loguru import logger

from ryzen.errors import StoreUnusable
from ryzen.store.schema import TABLES
from ryzen.store.sqlite_file import connect, writing
from ryzen.store.sqlite_schema import Migrations, migrate, version_of

#: All that is carried over, by the key in whose order the pages are.
_TABLES = {table.name: tuple(field.name for field in table.key) for table in TABLES} | {
    "batches": ("number",)
}
_LOGS = ("-wal", "-shm")
#: A whole file under this name is to take the damaged one's place: it has all that could be read of it.
_MENDED = ".mended"
#: Bytes of the first page, which tells where each table begins; SQLite's default.
_PAGE = 4096
#: Where the first page tells how many pages there are.
_PAGES_AT = slice(28, 32)


def mend(path: Path, problem: str, migrations: Migrations) -> None:
    """Put a whole file in the place of a damaged one, which stays beside it under another name.

    Raises StoreUnusable if that cannot be done; the file is as it was then, or ``finish`` can end it.
    """
    kept = path.with_name(f"{path.name}.damaged-{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S.%fZ}")
    bench = path.with_name(f"{path.name}.mending")
    try:
        shutil.rmtree(bench, ignore_errors=True)  # of one who was killed over it
        bench.mkdir()
        with ExitStack() as undo:
            undo.callback(_drop, kept)
            _keep(path, kept)
            rows = _rescue(kept, bench, migrations)
            _tidy(kept)
            undo.pop_all()
        (bench / "fresh").replace(_with(path, _MENDED))
        _swap(path)
    except (sqlite3.Error, OSError) as error:
        raise StoreUnusable(
            f"{path} is damaged ({problem}), and it cannot be mended: {error}. Make room on the disk,"
            " or move the file away and bring back a backup with `ryzen restore FILE`"
        ) from error
    finally:
        shutil.rmtree(bench, ignore_errors=True)
    logger.error(
        "the database {} was damaged ({}). It is kept as {}; {} rows could be read and are carried over"
        " ({}). If too much is missing, `ryzen restore FILE` brings back a backup",
        path,
        problem,
        kept,
        sum(rows.values()),
        ", ".join(f"{table} {number}" for table, number in rows.items() if number) or "nothing",
    )


def finish(path: Path) -> None:
    """What a kill has left of ``mend``, once all was carried over. Raises StoreUnusable."""
    if not _with(path, _MENDED).exists():
        return
    try:
        _swap(path)
    except OSError as error:
        raise StoreUnusable(f"{path} was damaged, and the mended one cannot replace it: {error}") from error
    logger.error("the database {} was damaged, and is mended. The damaged one is kept beside it", path)


def _swap(path: Path) -> None:
    """A kill at any step leaves what is needed to do it again."""
    _settle(path.parent)  # the mended file is there before the log goes
    for log in _LOGS:  # of the damaged one: SQLite would play it into the new one
        _with(path, log).unlink(missing_ok=True)
    _settle(path.parent)  # and the log has gone before the new one is there
    _with(path, _MENDED).replace(path)
    _settle(path.parent)


def _keep(path: Path, kept: Path) -> None:
    """A second name, which needs no room on the disk; where there can be none, a copy."""
    for log in ("", "-wal"):
        if _with(path, log).exists():
            try:
                os.link(_with(path, log), _with(kept, log))
            except OSError:
                shutil.copyfile(_with(path, log), _with(kept, log))
    if not kept.exists():  # the log is all that is left
        kept.touch(0o600)


def _drop(kept: Path) -> None:
    for log in ("", *_LOGS):
        _with(kept, log).unlink(missing_ok=True)


def _rescue(kept: Path, bench: Path, migrations: Migrations) -> dict[str, int]:
    """Make ``fresh`` on the bench of what can be read; returns how many rows of each table."""
    rows: dict[str, int] = {}
    with ExitStack() as stack:
        # Without a byte in the file SQLite would not read the log but remove it.
        old = _legible(kept) if kept.stat().st_size else None
        old = old or _legible(_with_new_first_page(kept, bench, migrations))
        version = len(migrations)
        if old is not None:
            stack.enter_context(closing(old))
            version = min(version_of(old), version)
        new = stack.enter_context(closing(writing(bench / "fresh", migrations[:version])))
        if old is not None:
            new.execute("BEGIN")
            rows = {table: _carry_over(old, new, table) for table in _TABLES}
            new.execute("COMMIT")
        migrate(new, migrations)
        # What is in the log alone would be lost with it; to close would do the same, but not say if it fails.
        new.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copymode(kept, bench / "fresh")
    return rows


def _tidy(kept: Path) -> None:
    """Without what SQLite needed to read it."""
    _with(kept, "-shm").unlink(missing_ok=True)
    log = _with(kept, "-wal")
    if log.exists() and not log.stat().st_size:
        log.unlink()


def _legible(path: Path) -> sqlite3.Connection | None:
    """None if it cannot be told which tables there are. Bytes that are no text come as a sign for that."""
    db = connect(path, write=False)
    db.text_factory = lambda found: found.decode(errors="replace")
    try:
        db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.Error:
        db.close()
        return None
    return db


def _with_new_first_page(kept: Path, bench: Path, migrations: Migrations) -> Path:
    """Another program that wrote over the beginning has destroyed no row, but the way to all of them.

    A new file has the same tables on the same pages. Not so if the old one has seen migrations, but then what
    is found there does not fit, and is not taken.
    """
    blank, grafted = bench / "blank", bench / "grafted"
    writing(blank, migrations).close()
    for log in ("", "-wal"):
        if _with(kept, log).exists():
            shutil.copyfile(_with(kept, log), _with(grafted, log))
    page = bytearray(blank.read_bytes()[:_PAGE])
    page[_PAGES_AT] = (grafted.stat().st_size // _PAGE).to_bytes(4)
    with grafted.open("r+b") as file:
        file.write(page)
    return grafted


def _carry_over(old: sqlite3.Connection, new: sqlite3.Connection, table: str) -> int:
    """How many rows were taken. Those are left which the new file's rules forbid, as without their track."""
    columns = [name for _, name, *_ in new.execute(f"PRAGMA table_info({table})")]
    names, blanks = ", ".join(f'"{name}"' for name in columns), ", ".join("?" * len(columns))
    insert = f"INSERT INTO {table} ({names}) VALUES ({blanks}) ON CONFLICT DO NOTHING"  # noqa: S608
    taken = 0
    for row in _rows(old, f"SELECT {names} FROM {table} ORDER BY ", _TABLES[table]):  # noqa: S608
        try:
            taken += new.execute(insert, row).rowcount
        except (sqlite3.IntegrityError, sqlite3.DataError):
            continue
    return taken


def _rows(old: sqlite3.Connection, select: str, key: Sequence[str]) -> Iterator[tuple[object, ...]]:
    """From the first one up to a page that is damaged, and from the last one down to it."""
    try:
        yield from old.execute(select + ", ".join(key))
    except sqlite3.Error:
        try:
            yield from old.execute(select + ", ".join(f"{name} DESC" for name in key))
        except sqlite3.Error:
            return


def _settle(folder: Path) -> None:
    """The names in it are durable, too."""
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _with(path: Path, log: str) -> Path:
    return path.with_name(path.name + log)
