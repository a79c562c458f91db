"""What the cache holds, and the room it has: by the byte, least recently used out."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import attrs
from anyio import CancelScope, to_thread
from loguru import logger

from ryzen.fetch import sidecar
from ryzen.fetch.sidecar import Recording

#: Used within so many seconds: it is being listened to.
_IN_USE = 60.0


async def remove(*paths: Path) -> None:
    """Recordings that the index does not have any more, so that nobody else would: to the end, even if who
    asks for it is cancelled."""
    with CancelScope(shield=True):
        await to_thread.run_sync(sidecar.remove, paths)


class NoRoom(Exception):
    """Not even if all recordings were put out: the rest is taken by what is on its way."""


@attrs.define
class _Place:
    recording: Recording
    used: float


class Shelf:
    """The index is in memory, and waits for the disk no longer than its names take; files are removed in
    threads.

    ``used`` is never more than ``budget``: what is on its way has to ``claim`` its bytes first.
    """

    def __init__(self, folder: Path, budget: int, now: Callable[[], float]) -> None:
        self.folder, self.budget = folder, budget
        self._now = now
        self._places: dict[str, _Place] = {}
        self._ways: dict[str, str] = {}  # id of a track -> key
        self._claims: dict[object, int] = {}
        self.full = False  #: its disk, although the budget is not used up; until the next recording is kept
        self.put_out = 0  #: recordings, so far

    async def tidy(self) -> None:
        """Look what is there, and leave nothing that is not whole, or too much. Raises OSError."""
        for recording, used in await to_thread.run_sync(sidecar.survey, self.folder):
            self._enter(recording, used)
        await self._put_out(max(0, self.used - self.budget))

    # -- recordings
    @property
    def files(self) -> int:
        return len(self._places)

    @property
    def kept(self) -> int:
        """Bytes of recordings."""
        return sum(place.recording.size for place in self._places.values())

    @property
    def claimed(self) -> int:
        """Bytes of what is on its way."""
        return sum(self._claims.values())

    @property
    def used(self) -> int:
        return self.kept + self.claimed

    def find(self, name: str) -> Recording | None:
        """By its key, or the id of a track that led to it."""
        place = self._places.get(name) or self._places.get(self._ways.get(name, ""))
        return None if place is None else place.recording

    def use(self, recording: Recording) -> bool:
        """It is the last to be put out now. False: somebody has removed its file behind our back."""
        now = self._now()
        try:
            os.utime(recording.path, (now, now))  # where the next process finds it
            there = recording.path.stat().st_size == recording.size
        except OSError:
            there = False
        if there:
            self._places[recording.key].used = now
        else:
            self._drop(recording)
        return there

    def take(self, key: str) -> Recording | None:
        """Out of the index, its files are the caller's now."""
        place = self._places.get(key)
        if place is not None:
            self._drop(place.recording)
        return None if place is None else place.recording

    async def put(self, recording: Recording, claim: object) -> None:
        """It is whole, and takes the room of its claim."""
        self.release(claim)
        old = self.take(recording.key)
        self._enter(recording, self._now())
        self.full = False
        if old is not None:
            await remove(old.path)

    def change(self, recording: Recording) -> bool:
        """More is known of it. False if it is not there any more."""
        place = self._places.get(recording.key)
        if place is None or place.recording.path != recording.path:
            return False
        self._enter(recording, place.used)
        return True

    # -- room
    async def claim(self, claim: object, size: int) -> None:
        """So many bytes in all. Raises NoRoom; the claim is as before then."""
        others = self.claimed - self._claims.get(claim, 0)
        if others + size > self.budget:
            raise NoRoom
        self._claims[claim] = size
        await self._put_out(max(0, self.used - self.budget))

    def room(self) -> int:
        """The most bytes that a new claim could have."""
        return self.budget - self.claimed

    def release(self, claim: object) -> None:
        self._claims.pop(claim, None)

    async def free(self, size: int, error: OSError) -> bool:
        """The disk is full: put out old recordings of so many bytes. False if there is none left."""
        if not self.full:
            self.full = True
            logger.error("the disk of the cache is full ({}): {}", error.strerror, self.folder)
        return await self._put_out(size)

    async def _put_out(self, size: int) -> bool:
        """Files of at least so many bytes, if there are as many."""
        if size <= 0:
            return False
        out: list[Path] = []
        listened = self._now() - _IN_USE
        for place in sorted(self._places.values(), key=lambda place: (place.used > listened, place.used)):
            if size <= 0:
                break
            self._drop(place.recording)
            size -= place.recording.size
            out.append(place.recording.path)
        self.put_out += len(out)
        if out:
            await remove(*out)
        return bool(out)

    def _enter(self, recording: Recording, used: float) -> None:
        self._places[recording.key] = _Place(recording, used)
        self._ways.update(dict.fromkeys(recording.tracks, recording.key))

    def _drop(self, recording: Recording) -> None:
        del self._places[recording.key]
        for track in recording.tracks:
            if self._ways.get(track) == recording.key:
                del self._ways[track]
