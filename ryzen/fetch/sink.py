"""Where the bytes of one flight go: a growing file that takes no more room than there is."""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import attrs
from loguru import logger

from ryzen.errors import TrackError, TrackTrouble
from ryzen.fetch import sidecar
from ryzen.fetch.shelf import NoRoom, Shelf, remove
from ryzen.growing import GrowingWriter

_FULL = (errno.ENOSPC, errno.EDQUOT)
#: Room of which nobody knows how much it will be is claimed in steps.
_STEP = 1 << 20
#: No sound begins like this; the longest of them is shorter than ``_HEAD``.
_PAGES = (b"<html", b"<!doctype", b"<?xml", b"<head", b"#extm3u")
_HEAD = 64
#: Bytes a second that a reader takes if nobody knows better: 320 kbit/s.
_RATE = 40_000.0


@attrs.frozen
class Windows:
    """In bytes."""

    first: int = 16 << 10  #: that are there before decoding can begin
    air: int = 16 << 20  #: that stay of what is on the air
    last_resort: int = 8 << 20  #: that stay of what there is no room to keep


class Sink:
    """Takes ``most`` bytes at the most, of a recording of so many seconds. What the disk says comes out as a
    TrackError.

    ``kept``: it will be a recording. If the room for that is gone (a full disk from which nothing old can be
    put out any more, a budget taken by other flights) the flight goes on without: the writer cannot know how
    far the slowest reader is, so it gives up what lies further back than ``last_resort``, and fetches no
    faster than one who began at once would play.
    """

    def __init__(
        self,
        shelf: Shelf,
        key: str,
        most: int,
        windows: Windows,
        duration: float | None,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._shelf, self._key, self._most, self._windows = shelf, key, most, windows
        self._duration, self._sleep = duration, sleep
        self._writer: GrowingWriter | None = None
        self._window: int | None = None
        self._claimed = self._given_up = 0
        self._head = b""
        self._since = 0.0
        self.live = False
        self.begun = anyio.Event()  #: decoding can begin

    @property
    def size(self) -> int:
        return self._file.size

    @property
    def path(self) -> Path:
        return self._file.path

    @property
    def kept(self) -> bool:
        return self._window is None

    @property
    def given(self) -> bool:
        """Whether somebody may have read of it already."""
        return self.begun.is_set()

    async def open(self, path: Path | None = None, keep: int = 0) -> None:
        """``keep``: go on behind so many bytes of this file. Raises TrackError, and the file is gone then."""
        path = path or sidecar.new_path(self._shelf.folder, self._key)
        try:
            while self._writer is None:
                try:
                    self._writer = GrowingWriter(path, keep=keep)
                except OSError as error:
                    if error.errno not in _FULL or not await self._shelf.free(1, error):
                        raise _trouble(error) from error
        finally:
            if self._writer is None:
                await remove(path)
        if keep:
            await self._claim(keep)

    async def restart(self) -> None:
        """Nothing of what there is was right."""
        assert not self.given
        self.discard()
        self._writer, self._head, self._given_up = None, b"", 0
        await self.open()

    async def reserve(self, size: int) -> None:
        """There will be about so many bytes. Raises TrackError (TOO_BIG, DISK_FULL)."""
        if size > min(self._most, self._shelf.budget):
            raise TrackError(TrackTrouble.TOO_BIG, f"{size} bytes")
        await self._claim(size)

    async def expect(self, total: int) -> None:
        """There will be exactly so many. Raises TrackError (TOO_BIG, DISK_FULL)."""
        await self.reserve(total)
        self._file.total = total

    async def go_live(self) -> None:
        """It is on the air: it has no end, and only its last bytes stay. Before the first byte."""
        self.live = True
        await self._keep_only(self._windows.air)

    async def write(self, data: bytes) -> None:
        """At the end. Raises TrackError: UNSUPPORTED if it is no sound, TOO_BIG, DISK_FULL."""
        if len(self._head) < _HEAD:
            self._head += data[: _HEAD - len(self._head)]
            if self._head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_PAGES):
                raise TrackError(TrackTrouble.UNSUPPORTED, "a page or a playlist, and no sound")
        if not self.live and self.size + len(data) > self._most:
            raise TrackError(TrackTrouble.TOO_BIG, f"more than {self._most} bytes")
        if self._window is None and self.size + len(data) > self._claimed:
            await self._claim(min(self.size + len(data) + _STEP, self._most))
        await self._put(data)
        if self._window is not None:
            self._give_up(self._window)
        if self.size >= self._windows.first:
            self.begin()
        if self._window is not None and not self.live:
            await self._hold_back()

    def begin(self) -> None:
        """Decoding can begin."""
        if not self.begun.is_set():
            self._since = anyio.current_time()
            self.begun.set()

    def flush(self) -> None:
        """For a thread. Raises OSError."""
        self._file.flush()

    def finish(self, *, kept: bool) -> None:
        self._file.finish(kept=kept)

    def discard(self) -> None:
        """Unless it is finished: nothing of it stays, and readers are told."""
        if self._writer is not None and not self._writer.closed:
            try:
                self._writer.fail()
                sidecar.sidecar_of(self._writer.path).unlink(missing_ok=True)
            except OSError as error:  # the next start tidies it
                logger.error("{} cannot be removed: {}", self._writer.path.name, error.strerror)

    @property
    def _file(self) -> GrowingWriter:
        assert self._writer is not None, "not open"
        return self._writer

    # -- room
    async def _claim(self, size: int) -> None:
        if self._window is not None:
            return
        try:
            await self._shelf.claim(self, size)
            self._claimed = size
        except NoRoom:
            await self._keep_only(min(self._windows.last_resort, size))

    async def _keep_only(self, window: int) -> None:
        """Raises TrackError if there is no room even for that."""
        try:
            await self._shelf.claim(self, window + _slack(window))
        except NoRoom as error:
            raise TrackError(TrackTrouble.DISK_FULL, "the cache is full of what is on its way") from error
        self._window = window
        self._give_up(window)

    async def _put(self, data: bytes) -> None:
        view = memoryview(data)
        while True:
            before = self.size
            try:
                self._file.write(view)
                return
            except OSError as error:
                view = view[self.size - before :]
                if error.errno not in _FULL or not await self._make_way(len(view), error):
                    raise _trouble(error) from error

    async def _make_way(self, size: int, error: OSError) -> bool:
        """On a full disk: old recordings first, then what this one has behind it."""
        if await self._shelf.free(max(size, _STEP), error):
            return True
        given_up = self._given_up
        if self._window is None or self._window > self._windows.last_resort:
            await self._keep_only(self._windows.last_resort)
        else:
            self._give_up(self._window)
        return self._given_up > given_up

    def _give_up(self, window: int) -> None:
        """What is behind it, in larger pieces."""
        before = self.size - window
        if before - self._given_up >= _slack(window):
            try:
                self._file.give_up(before)
            except OSError as error:
                raise _trouble(error) from error
            self._given_up = before

    async def _hold_back(self) -> None:
        """Half a window ahead of a reader who began at once, and no more."""
        assert self._window is not None
        total = self._file.total
        rate = total / self._duration if total and self._duration else _RATE
        played = (anyio.current_time() - self._since) * rate if self.given else 0.0
        ahead = self.size - played - self._window / 2
        if ahead > 0:
            await self._sleep(ahead / rate)


def _slack(window: int) -> int:
    """How much more than that may be there until it is given up."""
    return max(4096, window // 16)


def _trouble(error: OSError) -> TrackError:
    if error.errno not in _FULL:  # that one the shelf has told
        logger.error("the cache cannot be written to: {}", error.strerror)
    return TrackError(TrackTrouble.DISK_FULL, error.strerror or "")
