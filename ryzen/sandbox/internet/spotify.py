"""A local Spotify: its API as an app in development mode sees it since March 2026, and its embed pages.

Imitated after the public reference of the API and what the pages serve to everybody; written by us.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from aiohttp import web

from ryzen.sandbox.internet.innertube import Json
from ryzen.sandbox.internet.shop import List, Listed

_API = "https://api.spotify.com/v1"
#: Tracks that an embed page shows at most.
_SHOWN = 100


def key(number: int) -> str:
    """Spotify's ids have 22 signs."""
    return f"{number:022}"


class Spotify:
    """``own``: playlists of the app's owner, which alone the API tells of; ``public`` are somebody else's.

    ``refusing`` is a status that the API answers with from now on (``retry_after`` in seconds with 429);
    ``old`` has entries under ``track`` instead of ``item``; ``embedding`` off, the pages are not there.
    """

    hosts = ("accounts.spotify.com", "api.spotify.com", "open.spotify.com", "spotify.link")

    def __init__(
        self,
        songs: Iterable[Listed],
        *,
        albums: Iterable[List] = (),
        own: Iterable[List] = (),
        public: Iterable[List] = (),
    ) -> None:
        self.songs = {key(song.number): song for song in songs}
        self.albums = {key(album.number): album for album in albums}
        self.own = {key(listed.number): listed for listed in own}
        self.public = {key(listed.number): listed for listed in public}
        self.short: dict[str, str] = {}  #: path on spotify.link → where it leads to
        self.refusing: int | None = None
        self.retry_after: int | None = None
        self.old = False
        self.embedding = True

    async def answer(self, request: web.Request) -> web.StreamResponse:
        match request.host, request.path.strip("/").split("/"):
            case "spotify.link", [*_]:
                if (there := self.short.get(request.path)) is None:
                    return web.Response(status=404)
                return web.Response(status=307, headers={"Location": there})
            case "accounts.spotify.com", ["api", "token"]:
                if request.headers.get("Authorization", "") == "Basic aWQ6c2VjcmV0":  # id:secret
                    return web.json_response({"access_token": "local", "expires_in": 3600})
                return web.json_response({"error": "invalid_client"}, status=400)
            case "api.spotify.com", ["v1", *path]:
                return self._api(request, path)
            case "open.spotify.com", ["embed", kind, ident] if self.embedding:
                return self._embed(kind, ident)
            case "open.spotify.com", [_, _]:
                return web.Response(text="<html>the player</html>", content_type="text/html")
        return web.Response(status=404)

    # -- the API
    def _api(self, request: web.Request, path: list[str]) -> web.Response:
        if request.headers.get("Authorization") != "Bearer local":
            return _error(401, "No token provided")
        if self.refusing is not None:
            wait = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
            return _error(self.refusing, "refused", wait)
        offset, limit = int(request.query.get("offset", 0)), int(request.query.get("limit", 50))
        match path:
            case ["tracks", ident] if ident in self.songs:
                return web.json_response(_track(self.songs[ident]))
            case ["albums", ident] if ident in self.albums:
                album = self.albums[ident]
                page = self._page(f"albums/{ident}/tracks", album.songs, 0, 50, entry=None)
                return web.json_response({"name": album.title, "type": "album", "tracks": page})
            case ["albums", ident, "tracks"] if ident in self.albums:
                songs = self.albums[ident].songs
                page = self._page(f"albums/{ident}/tracks", songs, offset, limit, entry=None)
                return web.json_response(page)
            case ["artists", _, "albums"]:
                items = [{"id": ident, "name": album.title} for ident, album in self.albums.items()]
                return web.json_response({"items": items[:limit], "total": len(items), "next": None})
            case ["playlists", ident] if ident in self.own:
                playlist, name = self.own[ident], "tracks" if self.old else "items"
                page = self._page(f"playlists/{ident}/items", playlist.songs, 0, 100)
                return web.json_response({"name": playlist.title, "type": "playlist", name: page})
            case ["playlists", ident, "items"] if ident in self.own:
                songs = self.own[ident].songs
                return web.json_response(self._page(f"playlists/{ident}/items", songs, offset, limit))
            case ["playlists", ident] if ident in self.public:  # somebody else's: no items are told
                return web.json_response({"name": self.public[ident].title, "type": "playlist"})
        return _error(404, "Resource not found")

    def _page(
        self, path: str, songs: Sequence[Listed], offset: int, limit: int, entry: str | None = "item"
    ) -> Json:
        stop = min(len(songs), offset + limit)
        following = f"{_API}/{path}?offset={stop}&limit={limit}" if stop < len(songs) else None
        name = "track" if self.old and entry else entry
        tracks = [_track(song, whole=entry is not None) for song in songs[offset:stop]]
        items = [{name: track} if name else track for track in tracks]
        return {"items": items, "total": len(songs), "next": following, "offset": offset, "limit": limit}

    # -- the pages
    def _embed(self, kind: str, ident: str) -> web.Response:
        entity: Json | None = None
        lists = {"album": self.albums, "playlist": {**self.own, **self.public}}
        if kind == "track" and ident in self.songs:
            song = self.songs[ident]
            entity = {
                "type": "track",
                "name": song.title,
                "uri": f"spotify:track:{ident}",
                "title": song.title,
                "artists": [{"name": name} for name in song.artists],
                "duration": song.ms,
            }
        elif kind == "artist":
            entity = _entity(kind, ident, "Local Artist", list(self.songs.values())[:10])
        elif ident in lists.get(kind, {}):
            entity = _entity(kind, ident, lists[kind][ident].title, lists[kind][ident].songs)
        props: Json = (
            {"state": {"data": {"entity": entity}}} if entity else {"status": 404, "title": "Page not found"}
        )
        data = json.dumps({"props": {"pageProps": props}, "page": "/" + kind}).replace("</", "<\\/")
        script = f'<script id="__NEXT_DATA__" type="application/json">{data}</script>'
        return web.Response(
            text=f"<!DOCTYPE html><html><body>{script}</body></html>", content_type="text/html"
        )


def _entity(kind: str, ident: str, title: str, songs: Sequence[Listed]) -> Json:
    tracks = [
        {
            "uri": f"spotify:track:{key(song.number)}",
            "title": song.title,
            "subtitle": ",\u00a0".join(song.artists),
            "duration": song.ms,
            "isPlayable": True,
            "entityType": "track",
        }
        for song in songs[:_SHOWN]
    ]
    return {
        "type": kind,
        "name": title,
        "uri": f"spotify:{kind}:{ident}",
        "title": title,
        "trackList": tracks,
    }


def _track(song: Listed, *, whole: bool = True) -> Json:
    """``whole``: with what the tracks of an album leave out."""
    track: Json = {
        "id": key(song.number),
        "type": "track",
        "name": song.title,
        "artists": [{"name": name} for name in song.artists],
        "duration_ms": song.ms,
        "is_local": False,
    }
    if whole:
        track |= {"album": {"name": song.album}, "external_ids": {"isrc": song.isrc} if song.isrc else {}}
    return track


def _error(status: int, message: str, headers: dict[str, Any] | None = None) -> web.Response:
    return web.json_response(
        {"error": {"status": status, "message": message}}, status=status, headers=headers
    )
