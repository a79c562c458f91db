"""The backup file: all rows of a store, of whatever back end, for whatever back end.

Lines of JSON under gzip: a heading, one line ``["table", {fields}]`` for each row in the order in which they
were dumped, and a footing with their number and the SHA-256 of every line before it, so that a file that was
cut or touched is known. It holds people's names: only its owner may read it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import gzip
import hashlib
import json
import math
import os
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import attrs
from anyio import to_thread

from ryzen.errors import StoreError
from ryzen.ports import Store
from ryzen.records import Row, Value
from ryzen.store.documents import no_number
from ryzen.store.schema import TABLES, TRACKS, Field, Kind
from ryzen.store.whole_file import WholeFile

FORMAT = "ryzen-backup"
#: Of the file and of the rows in it; grows when an older Ryzen could no longer read them.
VERSION = 1

#: Rows are handed to the disk or to the store so many at once, or fewer if they are long.
_ROWS, _CHARACTERS = 1000, 4_000_000
#: Bytes in a line: a back end takes rows of some 16 MB, and JSON writes one byte with up to six.
_LINE = 100_000_000

_FIELDS = {table.name: {field.name: field for field in table.fields} for table in TABLES}
_TYPES: dict[Kind, tuple[type, ...]] = {"TEXT": (str,), "INTEGER": (int,), "REAL": (int, float)}


class BackupError(StoreError):
    """This file cannot be written, or read as a backup; says what to do. Nothing was changed."""


@attrs.frozen
class Backup:
    """What a backup file says of itself, and what is in it."""

    made: str  #: YYYY-MM-DDTHH:MM:SS+00:00
    back_end: str  #: where it comes from, for people
    rows: Mapping[str, int]  #: in each table that has some
    size: int  #: bytes of the file
    #: rows of each table that no store could load, so that they are not in it; only its writer knows
    left_out: Mapping[str, int] = attrs.field(factory=dict)

    @property
    def total(self) -> int:
        return sum(self.rows.values())


# -- writing
async def back_up(store: Store, path: Path, now: float, *, over: bool = False) -> Backup:
    """Write all of it to ``path``, which is then there whole, or as it was; ``over``: even if it is there.

    What could not be restored is left out and counted, for it would spoil the rest.
    Raises BackupError, and StoreAway.
    """
    made = dt.datetime.fromtimestamp(now, dt.UTC).isoformat(timespec="seconds")
    with _told(path), WholeFile(path, over=over) as file:
        writing = _Writing(file)
        lines = [_line({"format": FORMAT, "version": VERSION, "made": made, "back_end": store.name})]
        characters, rows, left_out, fitting = 0, Counter[str](), Counter[str](), _Fitting()
        async for row in store.dump():
            if not fitting.takes(*row):
                left_out[row[0]] += 1
                continue
            rows[row[0]] += 1
            lines.append(_line(row))
            characters += len(lines[-1])
            if len(lines) >= _ROWS or characters >= _CHARACTERS:
                await to_thread.run_sync(writing.write, lines)
                lines, characters = [], 0
        await to_thread.run_sync(writing.write, lines)
        size = await to_thread.run_sync(writing.finish, rows.total())
    return Backup(made, store.name, rows, size, left_out)


def _line(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


class _Writing:
    """Lines on their way into a file."""

    def __init__(self, file: WholeFile) -> None:
        self._file, self._hash = file, hashlib.sha256()
        self._zip = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)  # 16: gzip's form

    def write(self, lines: Sequence[bytes]) -> None:
        for line in lines:
            self._hash.update(line)
            self._file.write(self._zip.compress(line))

    def finish(self, rows: int) -> int:
        self._file.write(self._zip.compress(_line({"rows": rows, "sha256": self._hash.hexdigest()})))
        self._file.write(self._zip.flush())
        return self._file.finish()


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError as error:
        raise BackupError(f"{path} is there already: name another, or write over it with --force") from error
    except IsADirectoryError as error:
        raise BackupError(f"{path} is a folder: name a file in it, like {path / 'ryzen.backup'}") from error
    except OSError as error:
        raise BackupError(
            f"{path} cannot be written: {error.strerror}. Name a file in a folder that is there, that this"
            " user may write to, and that has room"
        ) from error


# -- reading
class BackupFile:
    """A whole backup, read to its end once already: ``about`` says what is in it."""

    def __init__(self, reading: _Reading, about: Backup) -> None:
        self._reading, self.about = reading, about

    async def load_into(self, store: Store, *, over: bool = False) -> None:
        """Into an empty store; ``over``: or into one that is emptied first.

        Raises BackupError; StoreError if the store fails in the middle, which then has some of the rows.
        """
        if not over and any((await store.sizes()).values()):
            raise BackupError(
                "the database is not empty: make a `ryzen backup` of it, then replace all that is in it"
                " with --force"
            )
        try:
            await store.clear()
            chunks = self._reading.chunks()
            while chunk := await to_thread.run_sync(next, chunks, None):
                await store.load(chunk)
        except StoreError as error:
            raise type(error)(
                f"{error}. The database has only a part of the backup now: restore it once more with --force"
            ) from error


@contextlib.asynccontextmanager
async def open_backup(path: Path) -> AsyncIterator[BackupFile]:
    """Raises BackupError if it is not a whole backup, and one that we can load. Changes nothing."""
    with _opened(path) as file:
        reading = _Reading(path, file)
        yield BackupFile(reading, await to_thread.run_sync(reading.inspect))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise BackupError(
            f"{path} cannot be read: {error.strerror}. Name a file that `ryzen backup` wrote"
        ) from error
    with file:
        yield file


class _Reading:
    """A backup file, read twice from its beginning: a look at all of it, and then the rows."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path, self._file = path, file

    def inspect(self) -> Backup:
        lines = self._lines()
        first = next(lines, b"")
        heading = self._heading(first)
        digest, rows, footing = hashlib.sha256(first), Counter[str](), None
        fitting = _Fitting()
        for line in lines:
            if footing is not None:
                raise self._damaged("there is more behind its end")
            value = self._parsed(line)
            if isinstance(value, dict):
                footing = value
                continue
            digest.update(line)
            rows[self._row(value, fitting)[0]] += 1
        if footing is None:
            raise self._damaged("its end is missing")
        if footing != {"rows": rows.total(), "sha256": digest.hexdigest()}:
            raise self._damaged("what is in it is not what was written")
        size = os.fstat(self._file.fileno()).st_size
        return Backup(str(heading.get("made")), str(heading.get("back_end")), rows, size)

    def chunks(self) -> Iterator[list[Row]]:
        """The rows of a file that is well."""
        chunk: list[Row] = []
        characters, fitting = 0, _Fitting()
        lines = self._lines()
        self._heading(next(lines, b""))
        for line in lines:
            value = self._parsed(line)
            if isinstance(value, dict):
                break
            chunk.append(self._row(value, fitting))
            characters += len(line)
            if len(chunk) >= _ROWS or characters >= _CHARACTERS:
                yield chunk
                chunk, characters = [], 0
        if chunk:
            yield chunk

    def _lines(self) -> Iterator[bytes]:
        self._file.seek(0)
        with gzip.GzipFile(fileobj=self._file) as unzipped:
            while True:
                try:
                    line = unzipped.readline(_LINE)
                except EOFError as error:
                    raise self._damaged("its end is missing") from error
                except (OSError, zlib.error) as error:
                    if unzipped.tell() == 0:
                        raise self._foreign() from error
                    raise self._damaged("it cannot be unpacked") from error
                if not line:
                    return
                if not line.endswith(b"\n"):
                    raise self._damaged("its end is missing")
                yield line

    def _heading(self, line: bytes) -> dict[str, object]:
        try:
            heading = json.loads(line)
        except ValueError as error:
            raise self._foreign() from error
        if not isinstance(heading, dict) or heading.get("format") != FORMAT:
            raise self._foreign()
        version = heading.get("version")
        if not isinstance(version, int) or version < 1:
            raise self._damaged("it does not say its version")
        if version > VERSION:
            raise BackupError(
                f"{self._path} was written by a newer Ryzen (its version is {version}, this one reads up to"
                f" {VERSION}): update Ryzen, then restore"
            )
        return heading

    def _parsed(self, line: bytes) -> object:
        try:
            return json.loads(line, parse_constant=no_number)
        except (ValueError, RecursionError) as error:
            raise self._damaged("a line in it cannot be read") from error

    def _row(self, value: object, fitting: _Fitting) -> Row:
        """Only what every back end can load. Raises BackupError."""
        match value:
            case [str() as table, dict() as fields] if fitting.takes(table, fields):
                return table, fields
        raise self._damaged("a row in it is none of ours")

    def _foreign(self) -> BackupError:
        return BackupError(f"{self._path} is no backup of Ryzen: name a file that `ryzen backup` wrote")

    def _damaged(self, how: str) -> BackupError:
        return BackupError(f"{self._path} is damaged ({how}): fetch it once more, or take an older backup")


# -- what can be loaded
class _Fitting:
    """Which rows every back end takes, if it is asked about all of them in their order: tracks come first."""

    def __init__(self) -> None:
        self._tracks = set[Value]()

    def takes(self, table: str, fields: Mapping[str, Value]) -> bool:
        known = _FIELDS.get(table, {})
        if not known or fields.keys() != known.keys():
            return False
        if not all(_taken(known[name], fields[name]) for name in known):
            return False
        if table == TRACKS.name:
            self._tracks.add(fields["id"])
        return "track_id" not in known or fields["track_id"] in self._tracks


def _taken(field: Field, value: Value) -> bool:
    if value is None:
        return field.optional
    if not isinstance(value, _TYPES[field.kind]) or isinstance(value, bool):
        return False
    if isinstance(value, str):
        return _is_whole(value)
    return -(2**63) <= value < 2**63 if isinstance(value, int) else math.isfinite(value)


def _is_whole(text: str) -> bool:
    """Whether it has no half of a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
