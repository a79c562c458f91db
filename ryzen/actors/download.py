"""Finds tracks and gets their media, once for everybody who wants the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import anyio
from loguru import logger

from ryzen.actors.actor import Actor
from ryzen.actors.flights import Flights
from ryzen.errors import TrackError, TrackTrouble
from ryzen.messages import Drop, Fetch, Find, InUse, LyricsOf, ToDownload, Warm
from ryzen.origins import Listing
from ryzen.player.state import Media, Track

#: Sources asked at the same time; the rest waits its turn.
AT_ONCE = 8


class Source(Protocol):
    async def search(self, words: str, limit: int) -> tuple[Track, ...]: ...

    async def resolve(self, track: Track) -> Media: ...


class DownloadActor(Actor[ToDownload]):
    """Shared by all chats. Two chats that want one track at the same time cause one resolve."""

    patience = 90.0  #: a slow source is not a crash; who asks has a deadline of its own

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._sources = sources

    async def started(self) -> None:
        self._turn = anyio.CapacityLimiter(AT_ONCE)
        self._flights: Flights[str, Media] = Flights(self.tasks)

    async def receive(self, message: ToDownload) -> object:
        match message:
            case Find(words, limit):
                return self.later(self._find, words, limit)
            case Fetch(track):
                return self.later(self._fetch, track)
            case Warm(track):
                self.tasks.start_soon(self._warm, track, name="warm")
            case Drop() | InUse():
                pass
            case LyricsOf():
                return None
            case _:
                self.unhandled(message)
        return None

    async def _find(self, words: str, limit: int) -> Listing:
        found: list[Track] = []
        for source in self._sources.values():
            if len(found) < limit:
                async with self._turn:
                    found += await source.search(words, limit - len(found))
        return Listing(tuple(found))

    async def _fetch(self, track: Track) -> Media:
        return await self._flights.join(track.id, lambda: self._resolve(track))

    async def _resolve(self, track: Track) -> Media:
        source = self._sources.get(track.source)
        if source is None:
            raise TrackError(TrackTrouble.UNAVAILABLE, f"no source {track.source}")
        async with self._turn:
            return await source.resolve(track)

    async def _warm(self, track: Track) -> None:
        try:
            await self._fetch(track)
        except TrackError as error:
            logger.info("not ready ahead of time: {}", error.trouble)  # it is said when its turn comes
