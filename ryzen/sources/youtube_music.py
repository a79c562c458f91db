"""Songs as YouTube Music knows them: title, artists and length, without the films around them."""

from __future__ import annotations

import locale
from collections.abc import Mapping
from copy import copy
from typing import Any

import requests
from requests.cookies import RequestsCookieJar
from ytmusicapi import YTMusic
from ytmusicapi.exceptions import YTMusicError

from ryzen.errors import SourceAway, SourceTrouble, TrackError, TrackTrouble
from ryzen.origins import Listing, Origin
from ryzen.player.state import Track
from ryzen.sources import infos, youtube_links
from ryzen.sources.links import cut
from ryzen.sources.threads import Threads
from ryzen.sources.youtube import YouTubeSource
from ryzen.sources.youtube_links import Video

#: What ytmusicapi 1.12 raises on an answer in a form that it does not know yet.
_UNREADABLE = (LookupError, TypeError, ValueError, AttributeError)


class YouTubeMusicSource:
    """``Source`` for words alone, without an account. What it finds are videos: they are played by
    ``YouTubeSource``, which takes this site's links too."""

    name = "youtube-music"

    def __init__(self, session: requests.Session, threads: Threads | None = None) -> None:
        """``session`` has to have time-outs; others may use it too."""
        self._threads = threads or Threads()
        before = locale.setlocale(locale.LC_ALL)
        self._music = YTMusic(requests_session=_strict(session))
        locale.setlocale(locale.LC_ALL, before)  # ytmusicapi 1.12 changes that of the whole process

    def claims(self, link: str) -> bool:  # noqa: ARG002 - the protocol's
        return False

    async def search(self, words: str, limit: int) -> tuple[Track, ...]:
        """Raises SourceAway."""
        if not words.strip() or limit < 1:
            return ()
        try:
            found = await self._threads.run(self._music.search, words, filter="songs", limit=limit)
        except requests.HTTPError as error:
            raise self._away(error.response.status_code) from error
        except (YTMusicError, requests.RequestException, TimeoutError) as error:
            raise SourceAway(self.name, SourceTrouble.DOWN, type(error).__name__) from error
        except _UNREADABLE as error:
            raise SourceAway(self.name, SourceTrouble.DOWN, "answers in a form we do not know") from error
        tracks = (_track(song) for song in found if isinstance(song, Mapping))
        return tuple(track for track in tracks if track is not None)[:limit]

    async def expand(self, link: str, limit: int) -> Listing:  # noqa: ARG002
        raise TrackError(TrackTrouble.NO_SOURCE, "its links are YouTube's")

    async def resolve(self, track: Track) -> Origin:
        raise TrackError(TrackTrouble.MISSING, f"{track.source} tracks are played by YouTube")

    def _away(self, status: int) -> SourceAway:
        trouble = SourceTrouble.RATE_LIMITED if status == 429 else SourceTrouble.DOWN
        return SourceAway(self.name, trouble, f"answers {status}")


def _strict(session: requests.Session) -> requests.Session:
    """The same connections; a refusal is an error, which ytmusicapi would read as JSON first."""

    def expect_good(response: requests.Response, **_: object) -> None:
        response.raise_for_status()

    strict = copy(session)
    strict.hooks, strict.cookies = {"response": [expect_good]}, RequestsCookieJar()
    return strict


def _track(song: Mapping[str, Any]) -> Track | None:
    """None for what is listed and can't be played."""
    ident, title = song.get("videoId"), song.get("title")
    if not isinstance(ident, str) or not isinstance(title, str) or not youtube_links.is_video(ident):
        return None
    artists = [
        str(one["name"]) for one in song.get("artists") or () if isinstance(one, Mapping) and one.get("name")
    ]
    return Track(
        id=f"{YouTubeSource.name}:{ident}",
        title=cut(title),
        source=YouTubeSource.name,
        ref=ident,
        artist=cut(", ".join(artists)),
        duration=infos.number(song.get("duration_seconds")),
        link=Video(ident).link,
    )
