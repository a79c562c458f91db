"""Music that is known by name, and played from elsewhere: what Spotify, Apple Music and their like share.

Such a source says what a song is; where it can be heard is searched for when it is about to be played, and
only a sure match is (``matching``).
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from loguru import logger

from ryzen.errors import (
    RyzenError,
    SourceAway,
    SourceTrouble,
    TrackError,
    TrackTrouble,
    WebError,
    WebForbidden,
)
from ryzen.origins import Listing, Origin
from ryzen.player.state import Track
from ryzen.sources.links import cut
from ryzen.sources.matching import Candidate, Wanted, ranked, words_for
from ryzen.sources.told import at, line

#: Looks for songs that can be played, the best first.
Search = Callable[[str, int], Awaitable[tuple[Track, ...]]]
#: Where the bytes of such a song are.
Resolve = Callable[[Track], Awaitable[Origin]]

#: Candidates per search: the right one is among the first, or not there.
LOOKED_AT = 10
#: Matches tried, one after another, if one that was found can't be played.
TRIES = 3
#: Artists of one song that are kept.
ARTISTS = 8


class NamedSource(ABC):
    """``Source`` without a search of its own; who derives from it has ``name``, ``claims`` and ``expand``.

    A track is kept over restarts, and found by itself: its ``ref`` is JSON with the shop's id, the artists
    one by one, the album and the ISRC. A match's origin is passed on as it is: its ``key`` is that of where
    it is played from, so that it is fetched once for all who know it by whatever name.
    """

    name: str

    def __init__(self, search: Search, resolve: Resolve) -> None:
        self._search, self._resolve = search, resolve

    async def search(self, words: str, limit: int) -> tuple[Track, ...]:  # noqa: ARG002 - the protocol's
        """Nothing: whoever looks for words wants what can be played."""
        return ()

    @abstractmethod
    def claims(self, link: str) -> bool: ...

    @abstractmethod
    async def expand(self, link: str, limit: int) -> Listing: ...

    async def resolve(self, track: Track) -> Origin:
        """Raises TrackError (NO_MATCH if nothing like it is found), and SourceAway in the name of the source
        that it would be played from."""
        refused: TrackError | None = None
        tries = 0
        async for match in self._matches(wanted_of(track)):
            try:
                return await self._resolve(match)
            except TrackError as error:
                logger.info("{}: a match cannot be played: {}", self.name, error)
                refused = error
            tries += 1
            if tries == TRIES:
                break
        raise refused or TrackError(TrackTrouble.NO_MATCH)

    async def _matches(self, wanted: Wanted) -> AsyncIterator[Track]:
        """By name first; the ISRC is asked for only if that gives nothing that can be played."""
        seen: set[str] = set()
        for words in (words_for(wanted), f'"{wanted.isrc}"' if wanted.isrc else ""):
            if not words:
                continue
            found = await self._search(words, LOOKED_AT)
            for match in ranked(wanted, found, Candidate.of):
                if match.id not in seen:
                    seen.add(match.id)
                    yield match


def named(source: str, key: str, wanted: Wanted, link: str | None = None) -> Track:
    """``key`` is the shop's id of it."""
    artists = tuple(cut(artist) for artist in wanted.artists[:ARTISTS])
    kept = {"id": key, "isrc": wanted.isrc, "artists": artists, "album": cut(wanted.album)}
    return Track(
        id=f"{source}:{key}",
        title=cut(wanted.title),
        source=source,
        ref=json.dumps({name: value for name, value in kept.items() if value}, ensure_ascii=False),
        artist=cut(", ".join(artists)),
        duration=wanted.duration,
        link=link,
    )


def wanted_of(track: Track) -> Wanted:
    """What was known of it when it was found; of a ``ref`` that is not ours, what the track itself says."""
    try:
        kept = json.loads(track.ref)
    except (ValueError, RecursionError):
        kept = None
    artists = at(kept, "artists")
    names = tuple(cut(name) for name in artists if isinstance(name, str)) if isinstance(artists, list) else ()
    return Wanted(
        track.title,
        names[:ARTISTS] or ((track.artist,) if track.artist else ()),
        track.duration,
        line(kept, "isrc") or None,
        line(kept, "album"),
    )


def listing(tracks: Sequence[Track], limit: int, title: str = "", total: int | None = None) -> Listing:
    """The first ``limit``; ``total`` if more are known to be there than have been read.

    Raises TrackError (EMPTY).
    """
    if not tracks:
        raise TrackError(TrackTrouble.EMPTY)
    kept = tuple(tracks[:limit])
    return Listing(kept, cut(title), max(0, (total or len(tracks)) - len(kept)), linked=True)


def refusal(source: str, error: WebError) -> RyzenError:
    """What a server's answer means for whoever asked for one link there."""
    if isinstance(error, WebForbidden):
        return TrackError(TrackTrouble.FORBIDDEN, str(error))
    match error.status:
        case 429:
            return SourceAway(source, SourceTrouble.RATE_LIMITED)
        case 401 | 403 | 404 | 410:
            return TrackError(TrackTrouble.UNAVAILABLE, str(error))
        case 451:
            return TrackError(TrackTrouble.REGION, str(error))
        case _:
            return SourceAway(source, SourceTrouble.DOWN, str(error))
