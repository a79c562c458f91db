"""JioSaavn as yt-dlp 2026.10.26 sees it: one address with calls for songs, lists and media. Written by us."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs
from aiohttp import web

from ryzen.sandbox.internet.media import GOOD, Manners, give

_SITE, _MEDIA = "www.jiosaavn.com", "web.saavncdn.com"


@attrs.frozen
class Geet:
    """``token`` is what stands at the end of its link."""

    id: str
    token: str
    title: str
    artist: str
    seconds: int


class JioSaavn:
    """``albums``: token → title and the ids of its songs."""

    hosts = (_SITE, "jiosaavn.com", _MEDIA)

    def __init__(self, songs: Iterable[Geet], body: bytes = b"", manners: Manners = GOOD) -> None:
        self._songs = {song.id: song for song in songs}
        self.albums: dict[str, tuple[str, tuple[str, ...]]] = {}
        self.body, self.manners = body, manners

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.host == _MEDIA:
            return await give(request, self.body, "audio/mp4", self.manners)
        if request.path != "/api.php":
            return web.Response(status=404)
        asked = request.query if request.method == "GET" else await request.post()
        if asked.get("__call") == "song.generateAuthToken":
            url = f"https://{_MEDIA}/{asked.get('url')!s}_{asked.get('bitrate')!s}.mp4"
            return web.json_response({"auth_url": url, "type": "mp4", "status": "success"})
        token = str(asked.get("token"))
        match asked.get("type"):
            case "song":
                found = [_told(song) for song in self._songs.values() if song.token == token]
                return web.json_response({"songs": found}) if found else web.json_response({})
            case "album" if token in self.albums:
                title, ids = self.albums[token]
                songs = [_told(self._songs[one]) for one in ids]
                return web.json_response({"id": "1", "title": title, "songs": songs})
        return web.json_response({})


def _told(song: Geet) -> dict[str, Any]:
    return {
        "id": song.id,
        "title": song.title,
        "perma_url": f"https://{_SITE}/song/{song.title.lower().replace(' ', '-')}/{song.token}",
        "image": f"https://{_MEDIA}/{song.id}-150x150.jpg",
        "language": "hindi",
        "year": "2020",
        "play_count": "5",
        "more_info": {
            "duration": str(song.seconds),
            "encrypted_media_url": f"sealed{song.id}",
            "artistMap": {"primary_artists": [{"name": song.artist}]},
        },
    }
