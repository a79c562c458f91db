"""A folder of music as a source: found by words, forgiving, best first."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TypeVar

import anyio
import anyio.to_thread
import attrs
from loguru import logger

from ryzen.audio.tags import read_tags
from ryzen.errors import TrackError, TrackTrouble
from ryzen.origins import Listing, OnDisk, Origin
from ryzen.player.state import Track
from ryzen.sources.fold import clean
from ryzen.sources.folder import Stamp, locate, survey
from ryzen.sources.index import Index, Song

#: Files read, or forgotten, between two chances for a search to be answered.
BATCH = 64

T = TypeVar("T")


@attrs.frozen
class Changes:
    """What a look at the folder has found; ``unreadable`` files are among neither of the others."""

    read: int = 0
    gone: int = 0
    unreadable: int = 0


class LocalSource:
    """``Source`` over a music folder. Nothing here blocks the event loop, however large the folder is.

    A track's ``ref`` is its path within the folder, its id a digest of that: both outlive a restart.
    """

    name = "local"

    @classmethod
    @asynccontextmanager
    async def open(
        cls, folder: Path, state: Path | None = None, patience: float = 5.0
    ) -> AsyncIterator[LocalSource]:
        """The source, with the folder read as far as ``patience`` (seconds) goes; ``watch`` reads the rest.

        The index is kept in the folder ``state``, and only brought up to date the next time; None: in memory.
        Raises OSError or sqlite3.Error if it can't.
        """
        index = await anyio.to_thread.run_sync(_open_index, folder, state)
        try:
            source = cls(folder, index)
            with anyio.move_on_after(patience) as reading:
                await source.rescan()
            if reading.cancelled_caught:
                logger.info("music folder: not read to its end yet, going on in the background")
            yield source
        finally:
            index.close()

    def __init__(self, folder: Path, index: Index) -> None:
        self._folder, self._index = folder, index
        self._scanning = anyio.Lock()
        self._one_at_a_time = anyio.CapacityLimiter(1)

    async def search(self, words: str, limit: int) -> tuple[Track, ...]:
        """The best first: exact title, all words, then words with slips; nothing found is an empty tuple.

        Case, accents, punctuation and the order of the words do not matter. Raises TrackError if the index
        cannot be read.
        """
        try:
            songs = await self._ask(self._index.search, words, limit)
        except sqlite3.Error as error:
            raise TrackError(TrackTrouble.UNAVAILABLE, str(error)) from error
        return tuple(_track(song) for song in songs)

    def claims(self, link: str) -> bool:  # noqa: ARG002 - the protocol's
        return False

    async def expand(self, link: str, limit: int) -> Listing:  # noqa: ARG002
        """Raises TrackError (NO_SOURCE): there are no links into the folder."""
        raise TrackError(TrackTrouble.NO_SOURCE)

    async def resolve(self, track: Track) -> Origin:
        """Raises TrackError (MISSING) if the file is gone, or is no longer within the folder."""
        file = await anyio.to_thread.run_sync(locate, self._folder, track.ref)
        if file is None:
            raise TrackError(TrackTrouble.MISSING)
        return Origin(track.id, OnDisk(file), track.duration)

    async def watch(self, every: float = 60.0) -> None:
        """Look for changes every so many seconds, for ever; run it beside, in a task of its own."""
        while True:
            try:
                await self.rescan()
            except sqlite3.Error as error:
                logger.warning("music folder: the index cannot be written: {}", error)
            await anyio.sleep(every)

    async def rescan(self) -> Changes:
        """Bring the index up to date; what has not changed is not read again.

        May be cancelled: what was done by then is kept. A folder that cannot be read as a whole (a disk that
        is not there) leaves the index as it is. Raises sqlite3.Error.
        """
        async with self._scanning:
            there = await anyio.to_thread.run_sync(survey, self._folder)
            if there is None:
                logger.warning("music folder: {} cannot be read", self._folder)
                return Changes()
            gone, changed = await self._ask(self._compare, there)
            for at in range(0, len(gone), BATCH):
                await self._ask(self._index.remove, gone[at : at + BATCH])
            unreadable: list[str] = []
            for at in range(0, len(changed), BATCH):
                stamps = {path: there[path] for path in changed[at : at + BATCH]}
                songs = await anyio.to_thread.run_sync(_read, self._folder, stamps)
                await self._ask(self._index.put, songs)
                unreadable += (path for path, (_, song) in songs.items() if song is None)
            changes = Changes(len(changed) - len(unreadable), len(gone), len(unreadable))
            _report(changes, unreadable)
            return changes

    def _compare(self, there: Mapping[str, Stamp]) -> tuple[list[str], list[str]]:
        """What is gone, and what is new or has changed."""
        known = self._index.stamps()
        changed = [path for path, stamp in there.items() if known.get(path) != stamp]
        return [path for path in known if path not in there], changed

    async def _ask(self, function: Callable[..., T], *arguments: object) -> T:
        """Work with the index, in a thread, one at a time."""
        work = partial(function, *arguments)
        return await anyio.to_thread.run_sync(work, limiter=self._one_at_a_time)


def _open_index(folder: Path, state: Path | None) -> Index:
    if state is None:
        return Index(None)
    state.mkdir(parents=True, exist_ok=True)
    # Another folder, another index: relative paths would say the same of different files.
    return Index(state / f"music-{_digest(str(folder.resolve()))}.sqlite3")


def _read(folder: Path, stamps: Mapping[str, Stamp]) -> dict[str, tuple[Stamp, Song | None]]:
    return {path: (stamp, _song(folder, path)) for path, stamp in stamps.items()}


def _song(folder: Path, path: str) -> Song | None:
    """None if it cannot be read. Without a title, its name counts: ``Artist - Title``, or a title alone."""
    try:
        tags = read_tags(folder / path)
    except TrackError:
        return None
    title, artist = tags.title, tags.artist
    if not title:
        stem = clean(PurePosixPath(path).stem)
        named, dash, rest = stem.partition(" - ")
        title, artist = (rest, artist or named) if dash else (stem, artist)
    return Song(path, title, artist, tags.duration)


def _report(changes: Changes, unreadable: list[str]) -> None:
    if changes.read or changes.gone:
        logger.info("music folder: {} files read, {} gone", changes.read, changes.gone)
    if unreadable:
        logger.warning("music folder: {} files cannot be read, {!r} for one", len(unreadable), unreadable[0])


def _track(song: Song) -> Track:
    return Track(
        id=f"local:{_digest(song.path)}",
        title=song.title,
        source=LocalSource.name,
        ref=song.path,
        artist=song.artist,
        duration=song.duration,
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
