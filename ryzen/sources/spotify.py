"""Spotify by spotipy, with the app of the bot's owner if there is one; else, and for what that may not see,
by the public page.

Since March 2026 an app in development mode is told of playlists only if they are its owner's, has no batches
and no top tracks; entries of a playlist are under ``item`` where they were under ``track``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import requests
from loguru import logger
from spotipy import Spotify, SpotifyException, SpotifyOauthError
from spotipy.cache_handler import MemoryCacheHandler
from spotipy.oauth2 import SpotifyClientCredentials

from ryzen.errors import SourceAway, SourceTrouble, TrackError, TrackTrouble, WebError
from ryzen.origins import Listing, Peeker, Web
from ryzen.player.state import Track
from ryzen.sources import spotify_embed, spotify_links
from ryzen.sources.matching import Wanted
from ryzen.sources.named import NamedSource, Resolve, Search, listing, named, refusal
from ryzen.sources.spotify_links import Thing
from ryzen.sources.threads import Threads
from ryzen.sources.told import Told, at, each, line, seconds

#: Seconds for one answer of the API.
PATIENCE = 8.0
#: Albums of an artist that are looked at, if their best known songs are not told.
ALBUMS = 5
#: Pages read beyond what the limit needs, when entries in them cannot be played.
MORE_PAGES = 2

_API = "https://api.spotify.com/"
#: What spotipy 2.26 raises on answers in a form that it does not know.
_UNREADABLE = (LookupError, TypeError, ValueError, AttributeError)


class _Untold(Exception):
    """The API does not tell us this; the public page may."""


def client(ident: str, secret: str, session: requests.Session) -> Spotify:
    """Of the owner's app. Nothing is written to a file, and nothing tried twice: the session's adapters
    decide on that."""
    credentials = SpotifyClientCredentials(
        ident,
        secret,
        requests_session=session,
        requests_timeout=PATIENCE,
        cache_handler=MemoryCacheHandler(),  # the default writes the token into the working folder
    )
    return Spotify(auth_manager=credentials, requests_session=session, requests_timeout=PATIENCE)


class SpotifySource(NamedSource):
    """``Source`` for tracks, albums, playlists and artists."""

    name = "spotify"

    def __init__(
        self,
        web: Web,
        peeker: Peeker,
        search: Search,
        resolve: Resolve,
        api: Spotify | None = None,
        threads: Threads | None = None,
    ) -> None:
        super().__init__(search, resolve)
        self._web, self._peeker, self._api = web, peeker, api
        self._threads = threads or Threads(within=2 * PATIENCE)

    def claims(self, link: str) -> bool:
        return spotify_links.claims(link)

    async def expand(self, link: str, limit: int) -> Listing:
        try:
            thing = await self._thing(link)
            if self._api is not None and thing.kind != "artist":
                try:
                    return await self._told(self._api, thing, limit)
                except _Untold as reason:
                    logger.debug("spotify: the API does not tell: {}", reason)
            return await self._shown(thing, limit)
        except WebError as error:
            raise refusal(self.name, error) from error

    async def _thing(self, link: str) -> Thing:
        thing = spotify_links.read(link)
        if thing is None and spotify_links.is_short(link):
            peek = await self._peeker.peek(link)
            thing = spotify_links.read(peek.url) or spotify_links.find(peek.head)
        if thing is None or thing.kind in ("episode", "show"):
            raise TrackError(TrackTrouble.NO_SOURCE, "not a track, album, playlist or artist")
        return thing

    async def _shown(self, thing: Thing, limit: int) -> Listing:
        """By the public page. An artist's has the best known songs, which the API keeps to itself by now."""
        try:
            return await spotify_embed.read(self._web, self.name, thing, limit)
        except (WebError, SourceAway, TrackError):
            if self._api is None or thing.kind != "artist":
                raise
        try:
            return await self._albums(self._api, thing, limit)
        except _Untold as reason:
            raise TrackError(TrackTrouble.UNAVAILABLE, str(reason)) from reason

    # -- by the API
    async def _told(self, api: Spotify, thing: Thing, limit: int) -> Listing:
        if thing.kind == "track":
            track = _track(await self._ask(api.track, thing.id))
            if track is None:
                raise _Untold("a track without a name")
            return Listing((track,), linked=True)
        if thing.kind == "album":
            album = await self._ask(api.album, thing.id)
            return await self._list(api, album, at(album, "tracks"), limit, album=line(album, "name"))
        playlist = await self._ask(api.playlist, thing.id, additional_types=("track",))
        page = at(playlist, "items") or at(playlist, "tracks")
        if at(page, "items") is None:
            raise _Untold("a playlist of somebody else's")
        return await self._list(api, playlist, page, limit)

    async def _list(self, api: Spotify, about: Told, first: Told, limit: int, album: str = "") -> Listing:
        tracks: list[Track] = []
        read, total = 0, 0
        async for page in self._pages(api, first, limit):
            entries = at(page, "items") or []
            for entry in entries:
                if len(tracks) == limit:
                    break
                read += 1
                song = at(entry, "item") or at(entry, "track") or entry
                if (track := _track(song, album)) is not None:
                    tracks.append(track)
            total = max(total, int(seconds(page, "total") or 0))
            if len(tracks) == limit:
                break
        return listing(tracks, limit, line(about, "name"), len(tracks) + total - read)

    async def _pages(self, api: Spotify, first: Told, limit: int) -> AsyncIterator[Told]:
        """As many as the limit needs, and a few more if much in them cannot be played."""
        page, left = first, limit // max(1, len(at(first, "items") or ())) + MORE_PAGES
        while at(page, "items") and left:
            yield page
            if not line(page, "next").startswith(_API):  # the token goes where it leads
                break
            page, left = await self._ask(api.next, page), left - 1

    async def _albums(self, api: Spotify, artist: Thing, limit: int) -> Listing:
        """The newest songs of an artist, album by album."""
        found = await self._ask(api.artist_albums, artist.id, include_groups="album,single", limit=ALBUMS)
        tracks: list[Track] = []
        for album in each(found, "items"):
            if len(tracks) >= limit:
                break
            songs = await self._ask(api.album_tracks, line(album, "id"), limit=min(limit, 50))
            tracks += filter(None, (_track(song, line(album, "name")) for song in each(songs, "items")))
        return listing(tracks, limit, line(found, "items", 0, "artists", 0, "name"))

    async def _ask(self, question: Callable[..., Any], *arguments: object, **named: object) -> Any:
        """Raises SourceAway if all of it is away, _Untold if it's only this."""
        try:
            return await self._threads.run(question, *arguments, **named)
        except SpotifyException as error:
            if error.http_status != 429:
                raise _Untold(f"answers {error.http_status}") from error
            wait = seconds(error.headers, "Retry-After")
            raise SourceAway(self.name, SourceTrouble.RATE_LIMITED, retry_after=wait) from error
        except SpotifyOauthError as error:
            logger.warning(
                "spotify: SPOTIFY_CLIENT_ID and SPOTIFY_CLIENT_SECRET are refused: {}", error.error
            )
            raise _Untold("no access") from error
        except (requests.RequestException, TimeoutError) as error:
            raise SourceAway(self.name, SourceTrouble.DOWN, type(error).__name__) from error
        except _UNREADABLE as error:
            raise SourceAway(self.name, SourceTrouble.DOWN, "answers in a form we do not know") from error


def _track(song: object, album: str = "") -> Track | None:
    """None for episodes, local files, and what has been taken away."""
    key, title = line(song, "id"), line(song, "name")
    if not key or not title or at(song, "type") != "track" or at(song, "is_local"):
        return None
    wanted = Wanted(
        title,
        tuple(line(artist, "name") for artist in each(song, "artists")),
        seconds(song, "duration_ms", unit=0.001),
        line(song, "external_ids", "isrc") or None,
        line(song, "album", "name") or album,
    )
    return named(SpotifySource.name, key, wanted, Thing("track", key).link)
