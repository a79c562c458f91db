"""Deezer, by its public interface, which tells ISRCs and asks for no key."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from ryzen.errors import SourceAway, SourceTrouble, TrackError, TrackTrouble, WebError
from ryzen.origins import Listing, Peeker, Web
from ryzen.player.state import Track
from ryzen.sources.links import ends_with, host_of
from ryzen.sources.matching import Wanted
from ryzen.sources.named import NamedSource, Resolve, Search, listing, named, refusal
from ryzen.sources.told import Told, at, each, line, seconds

API = "https://api.deezer.com"
#: Tracks told at once.
PAGE = 100

_HOSTS = ("deezer.com", "www.deezer.com")
_SHORT = ("link.deezer.com", "deezer.page.link", "dzr.page.link")
_PATH = re.compile(r"(?:/[a-z]{2}(?:-[a-z]{2})?)?/(track|album|playlist|artist)/(\d{1,20})(?:/\w+)?/?")
#: Its own codes for errors that are no track's; all come with status 200.
_AWAY = {"4": SourceTrouble.RATE_LIMITED, "700": SourceTrouble.DOWN}


class DeezerSource(NamedSource):
    """``Source`` for tracks, albums, playlists and artists (their best known songs)."""

    name = "deezer"

    def __init__(self, web: Web, peeker: Peeker, search: Search, resolve: Resolve) -> None:
        super().__init__(search, resolve)
        self._web, self._peeker = web, peeker

    def claims(self, link: str) -> bool:
        host = host_of(link)
        return host in _HOSTS or ends_with(host, _SHORT)

    async def expand(self, link: str, limit: int) -> Listing:
        try:
            kind, ident = await self._thing(link)
            told = await self._ask(f"{kind}/{ident}")
            if kind == "track":
                track = _track(told)
                if track is None:
                    raise TrackError(TrackTrouble.UNAVAILABLE)
                return Listing((track,), linked=True)
            listed = f"{kind}/{ident}/top" if kind == "artist" else f"{kind}/{ident}/tracks"
            album = line(told, "title") if kind == "album" else ""
            return await self._list(listed, limit, line(told, "title") or line(told, "name"), album)
        except WebError as error:
            raise refusal(self.name, error) from error

    async def _thing(self, link: str) -> tuple[str, str]:
        if ends_with(host_of(link), _SHORT):
            link = (await self._peeker.peek(link)).url
        found = _PATH.fullmatch(urlsplit(link).path) if host_of(link) in _HOSTS else None
        if found is None:
            raise TrackError(TrackTrouble.NO_SOURCE, "not a track, album, playlist or artist")
        return found[1], found[2]

    async def _list(self, path: str, limit: int, title: str, album: str) -> Listing:
        tracks: list[Track] = []
        read, total = 0, 1
        while len(tracks) < limit and read < total:
            many = min(PAGE, limit - len(tracks))
            page = await self._ask(path, index=str(read), limit=str(many))
            entries = each(page, "data")
            if not entries:
                break
            read += len(entries)
            total = int(seconds(page, "total") or 0)
            tracks += (track for entry in entries if (track := _track(entry, album)))
        return listing(tracks, limit, title, len(tracks) + total - read)

    async def _ask(self, path: str, **params: str) -> Any:
        told = await self._web.json(f"{API}/{path}", params=params)
        if not at(told, "error"):
            return told
        code, reason = line(told, "error", "code"), line(told, "error", "message")
        if code in _AWAY:
            raise SourceAway(self.name, _AWAY[code], reason)
        raise TrackError(TrackTrouble.UNAVAILABLE, reason)


def _track(song: Told, album: str = "") -> Track | None:
    key, title = line(song, "id"), line(song, "title")
    if not key.isdecimal() or not title:
        return None
    artists = tuple(line(artist, "name") for artist in each(song, "contributors"))
    wanted = Wanted(
        title,
        artists or (line(song, "artist", "name"),),
        seconds(song, "duration"),
        line(song, "isrc") or None,
        line(song, "album", "title") or album,
    )
    return named(DeezerSource.name, key, wanted, f"https://www.deezer.com/track/{key}")
