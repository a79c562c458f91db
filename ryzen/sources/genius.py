"""Lyrics from Genius by lyricsgenius: its API finds the song, with the owner's token; the words are on the
page, which that library reads."""

from __future__ import annotations

import re
from typing import Any

import requests
from lyricsgenius import Genius

from ryzen.errors import WebError
from ryzen.origins import Lyrics
from ryzen.sources import lrc
from ryzen.sources.matching import Candidate, Wanted, best, wishes, words_for
from ryzen.sources.threads import Threads
from ryzen.sources.told import Told, at, each, line

#: For people: who has them.
NAME = "Genius"
PATIENCE = 8

#: What lyricsgenius 3.15 raises on statuses, pages and JSON that it did not expect.
_UNREADABLE = (AssertionError, LookupError, TypeError, ValueError, AttributeError, RuntimeError)
_STATUS = re.compile(r"status code: (\d{3})")


def client(token: str, session: requests.Session) -> Genius:
    """With a session of ours, which stays as it is: lyricsgenius has a way for a proxy, and none for whom to
    trust.

    A class derived from it would be the clean way, but asks without the token: 3.15 goes by its class's name.
    """
    genius = Genius(token, timeout=PATIENCE, sleep_time=0, retries=0)
    genius._session.close()
    genius._session = session
    return genius


class GeniusBook:
    """``Songbook``; lines have no time stamps."""

    def __init__(self, token: str, session: requests.Session, threads: Threads | None = None) -> None:
        self._genius = client(token, session)
        self._threads = threads or Threads(within=2.0 * PATIENCE)

    async def lyrics(
        self,
        title: str,
        artist: str = "",
        duration: float | None = None,  # noqa: ARG002 - lengths are not known there
    ) -> Lyrics | None:
        """Raises WebError."""
        for wanted in wishes(title, artist):
            if (song := await self._find(wanted)) is not None:
                text = await self._ask(self._genius.lyrics, song_url=line(song, "url"))
                lines = lrc.plain(text) if isinstance(text, str) else ()
                return Lyrics(lines, NAME) if lines else None
        return None

    async def _find(self, wanted: Wanted) -> Told | None:
        found = await self._ask(self._genius.search_songs, words_for(wanted), per_page=5)
        results = (at(hit, "result") for hit in each(found, "hits"))
        songs: list[Told] = [song for song in results if _has_words(song)]
        return best(wanted, songs, _seen)

    async def _ask(self, question: Any, *arguments: object, **named: object) -> Any:
        try:
            return await self._threads.run(question, *arguments, **named)
        except (requests.RequestException, TimeoutError) as error:
            raise WebError("Genius does not answer") from error
        except _UNREADABLE as error:
            # The message may have all of a page in it: only the number of it is told.
            status = _STATUS.search(str(error))
            code = int(status[1]) if status else None
            raise WebError(f"Genius answers {code or 'in a form that we do not know'}", code) from error


def _has_words(song: Any) -> bool:
    return isinstance(song, dict) and line(song, "lyrics_state") == "complete" and bool(line(song, "url"))


def _seen(song: Told) -> Candidate:
    artist = line(song, "primary_artist", "name")
    return Candidate(line(song, "title"), (artist,) if artist else ())
