"""The tee cache: what is fetched is played while it comes, and kept for the next who asks."""

from __future__ import annotations

import fcntl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import anyio
import attrs
from anyio import to_thread
from anyio.abc import TaskGroup
from loguru import logger

from ryzen.beside import beside
from ryzen.errors import ConfigError, RyzenError, TrackError, TrackTrouble
from ryzen.fetch import sidecar
from ryzen.fetch.flight import TeeFlight
from ryzen.fetch.getting import Getter
from ryzen.fetch.host import Patience
from ryzen.fetch.shelf import Shelf
from ryzen.fetch.sidecar import Recording, told
from ryzen.fetch.sink import Sink, Windows
from ryzen.origins import OnDisk, Origin, Pieces, Remote, Renew
from ryzen.player.state import Media

#: The gain in dB that makes this file as loud as the others, None if it cannot be told.
Measure = Callable[[Path], Awaitable[float | None]]


@attrs.frozen
class CacheStats:
    files: int
    bytes: int  #: of these
    budget: int
    flights: int
    claimed: int  #: bytes that the flights may still take, or have taken
    put_out: int  #: recordings, since the start


class TeeCache:
    """``origins.Cache``. Recordings are kept in ``folder`` (see ``sidecar``), ``budget`` bytes of them at the
    most, ``most_per_file`` of each; what is on the air is in the same folder while it flies."""

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        folder: Path,
        getter: Getter,
        *,
        budget: int,
        most_per_file: int,
        measure: Measure | None = None,
        windows: Windows | None = None,
        patience: Patience | None = None,
    ) -> AsyncIterator[TeeCache]:
        """The folder is tidied first: what an earlier process left half done goes, what is none of ours
        stays. Raises ConfigError if it cannot be used, or is used by another process.

        ``measure`` is asked once for each recording of which the source tells no gain, in the background.
        """
        patience = patience or Patience()
        shelf = Shelf(folder, budget, patience.now)
        with _alone_in(folder):
            try:
                await shelf.tidy()
            except OSError as error:
                raise _unusable(folder, error) from error
            logger.info("cache: {} recordings, {} of {} bytes", shelf.files, shelf.kept, budget)
            async with beside() as tasks:
                yield cls(shelf, getter, most_per_file, measure, windows or Windows(), patience, tasks)

    def __init__(
        self,
        shelf: Shelf,
        getter: Getter,
        most: int,
        measure: Measure | None,
        windows: Windows,
        patience: Patience,
        tasks: TaskGroup,
    ) -> None:
        self._shelf, self._getter, self._most = shelf, getter, most
        self._measure, self._windows, self._patience, self._tasks = measure, windows, patience, tasks
        self._flying: set[TeeFlight] = set()
        self._measuring: set[Path] = set()
        self._one_at_a_time = anyio.Lock()
        self._writing = anyio.Lock()

    def get(self, track_id: str) -> Media | None:
        recording = self._shelf.find(track_id)
        if recording is None or not self._shelf.use(recording):
            return None
        self._listen_to(recording)
        return recording.media

    def use(self, track_id: str) -> None:
        if (recording := self._shelf.find(track_id)) is not None:
            self._shelf.use(recording)

    def lead(self, track_id: str, key: str) -> None:
        """This track is that recording too: it is found by its id from now on, after a restart as well."""
        for flight in self._flying:
            if flight.key == key:
                flight.tracks = (*flight.tracks, track_id)
        recording = self._shelf.find(key)
        if recording is not None and track_id not in (recording.key, *recording.tracks):
            self._shelf.change(recording.led_to_by(track_id))
            self._tasks.start_soon(self._save, recording.key)

    def begin(self, track_id: str, origin: Origin, renew: Renew, *, again: bool = False) -> TeeFlight:
        """Raises TypeError for a file that is on the disk: that needs no flight."""
        if isinstance(origin.place, OnDisk):
            raise TypeError("a file that is there needs no flight")
        self._check_room(origin)
        sink = Sink(self._shelf, origin.key, self._most, self._windows, origin.duration, self._patience.sleep)
        return TeeFlight(
            origin,
            renew,
            (track_id,),
            sink,
            self._shelf,
            self._getter,
            self._patience,
            self._flying,
            self._listen_to,
            again=again,
        )

    def stats(self) -> CacheStats:
        shelf = self._shelf
        return CacheStats(
            shelf.files, shelf.kept, shelf.budget, len(self._flying), shelf.claimed, shelf.put_out
        )

    def condition(self, now: float) -> str | None:  # noqa: ARG002 - it is as long as it is
        """In words, for ``/stats``; None if all is well."""
        return "cache: its disk is full, before CACHE_SIZE is reached" if self._shelf.full else None

    def _check_room(self, origin: Origin) -> None:
        size = origin.place.size if isinstance(origin.place, Remote | Pieces) else None
        if size is not None and size > min(self._most, self._shelf.budget):
            raise TrackError(TrackTrouble.TOO_BIG, f"{size} bytes")
        if min(self._windows.last_resort, size or self._windows.first) > self._shelf.room():
            raise TrackError(TrackTrouble.DISK_FULL, "the cache is full of what is on its way")

    # -- loudness
    def _listen_to(self, recording: Recording) -> None:
        known = recording.gain is not None or recording.measured or recording.path in self._measuring
        if self._measure is not None and not known:
            self._measuring.add(recording.path)
            self._tasks.start_soon(self._find_gain, self._measure, recording)

    async def _find_gain(self, measure: Measure, recording: Recording) -> None:
        async with self._one_at_a_time:
            gain: float | None = None
            try:
                gain = await measure(recording.path)
            except (RyzenError, OSError) as error:
                logger.warning("{}: its loudness cannot be told: {}", told(recording.key), error)
        self._measuring.discard(recording.path)
        newest = self._shelf.find(recording.key)
        if newest is not None and newest.path == recording.path:
            self._shelf.change(attrs.evolve(newest, gain=gain, measured=True))
            await self._save(recording.key)

    async def _save(self, key: str) -> None:
        async with self._writing:
            recording = self._shelf.find(key)
            if recording is None:
                return
            try:
                await to_thread.run_sync(sidecar.write_sidecar, recording)
            except OSError as error:
                logger.warning("{}: what is known of it cannot be kept: {}", told(key), error.strerror)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Two at one folder would each tidy away what the other has on its way. The lock dies with the process.

    Makes the folder. Raises ConfigError.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (folder / ".lock").open("w")
    except OSError as error:
        raise _unusable(folder, error) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            problem = f"CACHE_DIR ({folder}) is in use by another Ryzen: stop it, or set another folder."
            raise ConfigError((problem,)) from error
        except OSError as error:
            raise _unusable(folder, error) from error
        yield


def _unusable(folder: Path, error: OSError) -> ConfigError:
    problem = f"CACHE_DIR ({folder}) must be a folder that this user may write to: {error.strerror}."
    return ConfigError((problem,))
