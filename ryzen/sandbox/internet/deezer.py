"""A local Deezer: its public interface, imitated after its documentation, written by us."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aiohttp import web

from ryzen.sandbox.internet.innertube import Json
from ryzen.sandbox.internet.shop import List, Listed


class Deezer:
    """``refusing``: an error of its own (code, message), which comes with status 200. Ids are the numbers."""

    hosts = ("api.deezer.com", "www.deezer.com", "link.deezer.com", "deezer.page.link")

    def __init__(
        self, songs: Iterable[Listed], *, albums: Iterable[List] = (), playlists: Iterable[List] = ()
    ) -> None:
        self.songs = {str(song.number): song for song in songs}
        self.albums = {str(album.number): album for album in albums}
        self.playlists = {str(listed.number): listed for listed in playlists}
        self.short: dict[str, str] = {}  #: path on the short hosts → where it leads to
        self.refusing: tuple[int, str] | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.host == "api.deezer.com":
            return web.json_response(self._told(request))
        if (there := self.short.get(request.path)) is not None:
            return web.Response(status=302, headers={"Location": there})
        return web.Response(text="<html>a page</html>", content_type="text/html")

    def _told(self, request: web.Request) -> Json:
        if self.refusing is not None:
            return _error(*self.refusing)
        index, limit = int(request.query.get("index", 0)), int(request.query.get("limit", 25))
        match request.path.split("/")[1:]:
            case ["track", ident] if ident in self.songs:
                return _track(self.songs[ident])
            case ["album", ident] if ident in self.albums:
                return {"id": int(ident), "title": self.albums[ident].title}
            case ["playlist", ident] if ident in self.playlists:
                return {"id": int(ident), "title": self.playlists[ident].title}
            case ["artist", ident]:
                return {"id": int(ident), "name": "Local Artist"}
            case ["album", ident, "tracks"] if ident in self.albums:
                return _page(self.albums[ident].songs, index, limit)
            case ["playlist", ident, "tracks"] if ident in self.playlists:
                return _page(self.playlists[ident].songs, index, limit)
            case ["artist", _, "top"]:
                return _page(list(self.songs.values()), index, limit)
        return _error(800, "no data")


def _page(songs: Sequence[Listed], index: int, limit: int) -> Json:
    return {"data": [_track(song) for song in songs[index : index + limit]], "total": len(songs)}


def _track(song: Listed) -> Json:
    return {
        "id": song.number,
        "title": song.title,
        "isrc": song.isrc,
        "duration": round(song.seconds),
        "contributors": [{"name": name} for name in song.artists],
        "artist": {"name": song.artists[0]},
        "album": {"title": song.album},
        "type": "track",
    }


def _error(code: int, message: str) -> Json:
    return {"error": {"type": "DataException", "message": message, "code": code}}
