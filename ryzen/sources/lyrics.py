"""The words of a song: from LRCLIB, which asks for no key and has time stamps; else from somebody else."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from loguru import logger

from ryzen.errors import WebError
from ryzen.origins import Lyrics, Songbook, Web
from ryzen.sources import lrc
from ryzen.sources.links import cut
from ryzen.sources.matching import Candidate, Wanted, ranked, wishes, words_for
from ryzen.sources.memory import Memory
from ryzen.sources.told import Told, at, each, line, seconds

LRCLIB = "https://lrclib.net/api"
#: For people: who has them.
NAME = "LRCLIB"
#: It asks to be told who asks.
HEADERS = {"User-Agent": "Ryzen (a music bot for Telegram)"}


class LyricsBook:
    """``Songbook``: LRCLIB first, then ``other``, if it has nothing. Remembered for an hour, absence too.

    Lyrics without a single line say that it is an instrumental.
    """

    def __init__(
        self, web: Web, other: Songbook | None = None, clock: Callable[[], float] = monotonic
    ) -> None:
        self._web, self._other = web, other
        self._memory: Memory[tuple[str, str, int], Lyrics | None] = Memory(clock=clock)

    async def lyrics(self, title: str, artist: str = "", duration: float | None = None) -> Lyrics | None:
        """Raises WebError if LRCLIB, and ``other`` too, can't be asked."""
        title, artist = cut(title), cut(artist)
        if not title:
            return None
        key = (title.casefold(), artist.casefold(), round(duration or 0))
        if key not in self._memory:
            self._memory[key] = await self._ask(title, artist, duration)
        return self._memory[key]

    async def _ask(self, title: str, artist: str, duration: float | None) -> Lyrics | None:
        trouble: WebError | None = None
        try:
            if (found := await self._lrclib(title, artist, duration)) is not None:
                return found
        except WebError as error:
            trouble = error
            logger.info("lyrics: {}", error)
        other = None if self._other is None else await self._other.lyrics(title, artist, duration)
        if other is None and trouble is not None:
            raise trouble
        return other

    async def _lrclib(self, title: str, artist: str, duration: float | None) -> Lyrics | None:
        readings = wishes(title, artist, duration)
        for wanted in readings:
            if wanted.artists and (found := _lyrics(await self._get(wanted))) is not None:
                return found
        for wanted in readings:
            songs = ranked(wanted, await self._find(wanted), _seen)
            # The same words with time stamps are worth more than those of a better match without.
            for song in sorted(songs, key=lambda song: not line(song, "syncedLyrics")):
                if (found := _lyrics(song)) is not None:
                    return found
        return None

    async def _get(self, wanted: Wanted) -> Told:
        params = {"track_name": wanted.title, "artist_name": ", ".join(wanted.artists)}
        if wanted.duration:
            params["duration"] = str(round(wanted.duration))
        try:
            song = await self._web.json(f"{LRCLIB}/get", params=params, headers=HEADERS)
        except WebError as error:
            if error.status not in (400, 404):
                raise
            return {}
        return song if isinstance(song, dict) else {}

    async def _find(self, wanted: Wanted) -> tuple[Told, ...]:
        found = await self._web.json(f"{LRCLIB}/search", params={"q": words_for(wanted)}, headers=HEADERS)
        return each(found)


def _seen(song: Told) -> Candidate:
    artist = line(song, "artistName")
    return Candidate(
        line(song, "trackName"),
        (artist,) if artist else (),
        seconds(song, "duration"),
    )


def _lyrics(song: Told) -> Lyrics | None:
    """With time stamps, else without; None if there is nothing in it."""
    timed, plain = at(song, "syncedLyrics"), at(song, "plainLyrics")
    lines = (lrc.timed(timed) if isinstance(timed, str) else ()) or (
        lrc.plain(plain) if isinstance(plain, str) else ()
    )
    return Lyrics(lines, NAME) if lines or at(song, "instrumental") is True else None
