"""YouTube's own search interface, for owners who have a key: nothing is guessed from pages there.

Google counts 100 units for a search and 1 for lengths; a key has 10,000 a day unless one asks for more.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any, Protocol

from ryzen.errors import ConfigError, SourceAway, SourceTrouble, TrackError, TrackTrouble
from ryzen.origins import Listing, Origin
from ryzen.player.state import Track
from ryzen.sources import infos, youtube_links
from ryzen.sources.threads import Threads
from ryzen.sources.youtube import YouTubeSource
from ryzen.sources.youtube_links import Video

_LENGTH = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_SPENT = ("quotaExceeded", "dailyLimitExceeded", "rateLimitExceeded", "userRateLimitExceeded")


class Reply(Protocol):
    @property
    def status_code(self) -> int: ...

    @property
    def reason(self) -> str: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def content(self) -> bytes: ...


class Session(Protocol):
    """As much of ``requests.Session`` as is used. Errors that say nothing answers are OSErrors there."""

    def request(self, method: str, url: str, *, data: Any = None, headers: Any = None) -> Reply: ...


class YouTubeApiSource:
    """``Source`` for words alone; what it finds is played by ``YouTubeSource``."""

    name = "youtube-api"

    def __init__(self, key: str, session: Session, threads: Threads | None = None) -> None:
        """Raises ConfigError if the extra ``youtube-api`` is not installed."""
        try:
            from googleapiclient.discovery import build
            from googleapiclient.errors import Error, HttpError
            from httplib2 import Response
        except ModuleNotFoundError as error:
            raise ConfigError(
                (
                    "YOUTUBE_API_KEY: its library is not installed;"
                    " pip install 'ryzen[youtube-api]', or remove the key",
                )
            ) from error
        self._threads = threads or Threads()
        self._refused, self._failed = HttpError, Error
        self._youtube = build(
            "youtube", "v3", developerKey=key, http=_Http(session, Response), cache_discovery=False
        )

    def claims(self, link: str) -> bool:  # noqa: ARG002 - the protocol's
        return False

    async def search(self, words: str, limit: int) -> tuple[Track, ...]:
        """Two requests. Raises SourceAway; the key is in none of its words."""
        if not words.strip() or limit < 1:
            return ()
        try:
            return await self._threads.run(self._search, words, min(limit, 50))
        except self._refused as error:
            reason = _reason(error.error_details)
            trouble = SourceTrouble.RATE_LIMITED if reason in _SPENT else SourceTrouble.DOWN
            # Not from it: the address in its text has the key in it.
            raise SourceAway(self.name, trouble, reason or f"answers {error.status_code}") from None
        except (
            self._failed,
            OSError,
            LookupError,
            TypeError,
            ValueError,
        ) as error:  # TimeoutError is an OSError
            raise SourceAway(self.name, SourceTrouble.DOWN, type(error).__name__) from None

    async def expand(self, link: str, limit: int) -> Listing:  # noqa: ARG002
        raise TrackError(TrackTrouble.NO_SOURCE, "its links are YouTube's")

    async def resolve(self, track: Track) -> Origin:
        raise TrackError(TrackTrouble.MISSING, f"{track.source} tracks are played by YouTube")

    def _search(self, words: str, limit: int) -> tuple[Track, ...]:
        hits = self._youtube.search().list(part="snippet", q=words, type="video", maxResults=limit).execute()
        found = {hit["id"]["videoId"]: hit["snippet"] for hit in hits.get("items", ())}
        if not found:
            return ()
        told = (
            self._youtube.videos().list(part="contentDetails", id=",".join(found), maxResults=limit).execute()
        )
        lengths = {
            video["id"]: _seconds(video["contentDetails"]["duration"]) for video in told.get("items", ())
        }
        return tuple(
            _track(ident, snippet, lengths.get(ident))
            for ident, snippet in found.items()
            if youtube_links.is_video(ident)
        )


class _Http:
    """What googleapiclient takes for an ``httplib2.Http``: ours goes through the egress guard."""

    def __init__(self, session: Session, response: Any) -> None:
        self._session, self._response = session, response

    def request(
        self,
        uri: str,
        method: str = "GET",
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        **_: object,
    ) -> tuple[Any, bytes]:
        reply = self._session.request(method, uri, data=body, headers=dict(headers or {}))
        response = self._response({name.lower(): value for name, value in reply.headers.items()})
        response.status, response.reason = reply.status_code, reply.reason
        return response, reply.content

    def close(self) -> None:
        """The session is not ours to close."""


def _track(ident: str, snippet: Mapping[str, Any], duration: float | None) -> Track:
    named = {
        "title": html.unescape(str(snippet["title"])),
        "channel": html.unescape(str(snippet["channelTitle"])),
    }
    title, artist = infos.names(named)
    return Track(
        f"{YouTubeSource.name}:{ident}", title, YouTubeSource.name, ident, artist, duration, Video(ident).link
    )


def _seconds(length: str) -> float | None:
    """``PT1H2M3S`` → 3723; None for what is on the air (``P0D``)."""
    found = _LENGTH.fullmatch(length)
    if found is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds) or None


def _reason(details: Any) -> str:
    if isinstance(details, list) and details and isinstance(details[0], Mapping):
        return str(details[0].get("reason", ""))
    return ""
