"""A file that is read while it is written: by the bot, which fetches it, and by the audio worker.

Beside the file lies a page of five numbers, which the writer maps and every reader maps too: how many bytes
are there, how many there will be, and how it went. When the file is whole the page is removed, so a file
without one is whole; what a dead process left has a page, and is nobody's. So the page is there before the
file, and goes after it.
"""

from __future__ import annotations

import ctypes
import enum
import errno
import io
import mmap
import os
import struct
import sys
import threading
from pathlib import Path

#: Magic, bytes that are there, bytes there will be (or -1), bytes given up, state.
_NUMBERS = struct.Struct("=5q")
_MAGIC = 0x52797A656E313030
#: How often a reader looks for what it waits for, in seconds: a packet is 0.06. (Looking takes a processor
#: 40 µs: forty readers that wait are 0.08 of one; every 5 ms they were 0.31.)
_LOOK = 0.02


class State(enum.IntEnum):
    GROWING = 0
    WHOLE = 1
    FAILED = 2  #: it will not grow any more, and is not all of it


class LeftBehind(OSError):
    """The bytes wanted have been given up already: the reader was paused too long, or jumped back."""


class CutOff(OSError):
    """The rest of the file will not come."""


def page_of(path: Path) -> Path:
    """Where the page of this file lies."""
    return path.with_name(path.name + ".growing")


class GrowingWriter:
    """Writes at the end. Not for two threads at once. Raises OSError, when the disk is full for one."""

    def __init__(self, path: Path, total: int | None = None, *, keep: int = 0) -> None:
        """``total`` in bytes if it is known. ``keep``: go on behind so many bytes of what is there.

        Raises FileNotFoundError if there are not as many.
        """
        self.path = path
        self._map = _new_page(path, keep, -1 if total is None else total)
        self._page = memoryview(self._map).cast("q")
        self._file = -1
        try:
            flags = 0 if keep else os.O_CREAT | os.O_TRUNC
            self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC | flags, 0o600)
            if os.fstat(self._file).st_size < keep:
                raise FileNotFoundError(errno.ENOENT, "not all that is to be kept is there")
            os.ftruncate(self._file, keep)
        except OSError:
            self._let_go()
            raise

    @property
    def size(self) -> int:
        """Bytes that are there, those given up included."""
        return self._page[1]

    @property
    def total(self) -> int | None:
        return None if self._page[2] < 0 else self._page[2]

    @total.setter
    def total(self, total: int) -> None:
        self._page[2] = total

    @property
    def closed(self) -> bool:
        """Whether it has been finished, or has failed."""
        return self._file < 0

    def write(self, data: bytes | memoryview) -> None:
        """All of it, or OSError with ``size`` telling how much."""
        view = memoryview(data)
        while view:
            written = os.pwrite(self._file, view, self._page[1])
            self._page[1] += written
            view = view[written:]

    def give_up(self, before: int) -> None:
        """Nobody needs the bytes before this one any more: their place on the disk is free again."""
        end = before // mmap.PAGESIZE * mmap.PAGESIZE
        if end > self._page[3]:
            start, self._page[3] = self._page[3], end
            _punch(self._file, start, end - start)

    def flush(self) -> None:
        """On the disk for good. May take a while: for a thread."""
        os.fsync(self._file)

    def finish(self, *, kept: bool = True) -> None:
        """It is whole: readers end where it ends, and the page goes.

        Not ``kept``: the file goes too, and is left to who has it open. So must one with bytes given up: who
        opened it later would take the holes for its beginning.
        """
        self._end(State.WHOLE, kept=kept)

    def fail(self) -> None:
        """It will not be whole: readers are told, file and page go."""
        self._end(State.FAILED, kept=False)

    def _end(self, state: State, *, kept: bool) -> None:
        if self._file < 0:
            return
        if state is State.WHOLE:
            self._page[2] = self._page[1]
        self._page[4] = state
        try:
            if not kept:
                self.path.unlink(missing_ok=True)
        finally:
            self._let_go()

    def _let_go(self) -> None:
        self._page.release()
        self._map.close()
        if self._file >= 0:
            os.close(self._file)
        self._file = -1
        page_of(self.path).unlink(missing_ok=True)


class GrowingFile(io.RawIOBase):
    """Reads such a file; a read that is ahead of the writer waits for it, in the thread that reads.

    ``stop`` from another thread ends the wait. Raises FileNotFoundError on opening, later CutOff, LeftBehind.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = -1
        self._page: memoryview | None = None
        self._at = 0
        self._stopped = threading.Event()
        self._waiting = False
        try:
            page = os.open(page_of(path), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            page = -1
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            if page >= 0:
                self._map = _map_of(page)
                self._page = memoryview(self._map).cast("q")
        except OSError:
            self.close()
            raise
        finally:
            if page >= 0:
                os.close(page)

    @property
    def waiting(self) -> bool:
        """Whether a read waits for the writer just now."""
        return self._waiting

    def available(self) -> int:
        """Bytes that can be read without waiting, from the start of the file."""
        return os.fstat(self._file).st_size if self._page is None else self._page[1]

    def total(self) -> int | None:
        """Bytes that there will be; None as long as nobody knows."""
        if self._page is None:
            return os.fstat(self._file).st_size
        return None if self._page[2] < 0 else self._page[2]

    def stop(self) -> None:
        """End a read that waits, and every later one, with CutOff. For any thread."""
        self._stopped.set()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """From the end only once its place is known; otherwise OSError."""
        if whence == os.SEEK_END:
            if (total := self.total()) is None:
                raise OSError(errno.ESPIPE, "the length is not known yet")
            offset += total
        elif whence == os.SEEK_CUR:
            offset += self._at
        self._at = max(0, offset)
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        wanted = self._wait_for(len(buffer))
        data = os.pread(self._file, wanted, self._at)
        if self._page is not None and self._at < self._page[3]:  # while we read
            raise LeftBehind(errno.ESTALE, "the place has been given up")
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _wait_for(self, wanted: int) -> int:
        """How many bytes may be read here; 0 is the end."""
        if self._page is None:
            return wanted
        try:
            while True:
                if self._stopped.is_set():
                    raise CutOff(errno.ECANCELED, "nobody wants to read it any more")
                state = self._page[4]  # before the size: what was written before the end counts
                there = self._page[1] - self._at
                if self._at < self._page[3]:
                    raise LeftBehind(errno.ESTALE, "the place has been given up")
                if there > 0:
                    return min(there, wanted)
                if state == State.WHOLE:
                    return 0
                if state == State.FAILED:
                    raise CutOff(errno.EPIPE, "the rest will not come")
                self._waiting = True
                self._stopped.wait(_LOOK)
        finally:
            self._waiting = False

    def close(self) -> None:
        if not self.closed:
            self._stopped.set()
            if self._page is not None:
                self._page.release()
                self._map.close()
                self._page = None
            if self._file >= 0:
                os.close(self._file)
        super().close()


def _new_page(path: Path, size: int, total: int) -> mmap.mmap:
    """Written before it is mapped, so that a full disk is an OSError here and not a SIGBUS later; and there
    with all its numbers, or not at all."""
    page = page_of(path)
    draft = page.with_name(page.name + ".new")
    file = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, _NUMBERS.pack(_MAGIC, size, total, 0, State.GROWING))
        mapped = mmap.mmap(file, _NUMBERS.size)
        draft.replace(page)
    except (OSError, ValueError):
        draft.unlink()
        raise
    finally:
        os.close(file)
    return mapped


def _map_of(page: int) -> mmap.mmap:
    if os.pread(page, 8, 0) != _MAGIC.to_bytes(8, sys.byteorder):
        raise OSError(errno.EINVAL, "the page beside it is not one of ours")
    return mmap.mmap(page, _NUMBERS.size, prot=mmap.PROT_READ)


def _punch(file: int, start: int, length: int) -> None:
    keep_size_and_punch = 0x01 | 0x02  # FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.fallocate(
        ctypes.c_int(file), ctypes.c_int(keep_size_and_punch), ctypes.c_int64(start), ctypes.c_int64(length)
    )
    if result != 0 and ctypes.get_errno() != errno.EOPNOTSUPP:  # on such a disk it only takes more room
        raise OSError(ctypes.get_errno(), "the place cannot be given back")
