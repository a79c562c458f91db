"""SoundCloud as yt-dlp 2026.10.26 sees it: the page with the script that has a client id, and the inner API.

Imitated is what the extractor asks for and reads: ``resolve``, ``tracks``, ``search/tracks``, and the address
that each transcoding has to be fetched from. Written by us; no answer of SoundCloud's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs
from aiohttp import web

from ryzen.sandbox.internet.media import GOOD, Manners, give

CLIENT = "0123456789abcdef0123456789abcdef"
_SITE, _API, _MEDIA, _SHORT = (
    "soundcloud.com",
    "api-v2.soundcloud.com",
    "cf-media.sndcdn.com",
    "on.soundcloud.com",
)


@attrs.frozen
class Tune:
    """``path`` as in its link: ``artist/title``. ``preview``: only thirty seconds of it are given away."""

    id: int
    path: str
    title: str
    artist: str
    seconds: float
    preview: bool = False


class SoundCloud:
    """``sets``: path (``artist/sets/name``) → title and ids. ``short``: what short links lead to."""

    hosts = (_SITE, "a-v2.sndcdn.com", _API, _MEDIA, "i1.sndcdn.com", _SHORT)

    def __init__(self, tunes: Iterable[Tune], body: bytes = b"", manners: Manners = GOOD) -> None:
        self._tunes = {tune.id: tune for tune in tunes}
        self.sets: dict[str, tuple[str, tuple[int, ...]]] = {}
        self.short: dict[str, str] = {}
        self.body, self.manners = body, manners
        self.refuses = False  #: answers 429 to everything that is asked of the API

    async def answer(self, request: web.Request) -> web.StreamResponse:
        match request.host:
            case host if host == _SHORT:
                return web.Response(status=302, headers={"Location": self.short.get(request.path, "/")})
            case host if host == _API:
                return self._api(request)
            case host if host == _MEDIA:
                return await give(request, self.body, "audio/mpeg", self.manners)
            case "a-v2.sndcdn.com":
                return web.Response(text=f'({{client_id:"{CLIENT}"}})', content_type="text/javascript")
            case host if host == _SITE:
                page = '<script src="https://a-v2.sndcdn.com/assets/0.js"></script>'
                return web.Response(text=page, content_type="text/html")
        return web.Response(status=404)

    def _api(self, request: web.Request) -> web.Response:
        if self.refuses:
            return web.Response(status=429)
        if request.query.get("client_id") != CLIENT:
            return web.Response(status=401)
        first, _, rest = request.path.strip("/").partition("/")
        match first:
            case "resolve":
                return self._resolved(request.query.get("url", "").partition("soundcloud.com/")[2])
            case "tracks" if rest.isdecimal() and int(rest) in self._tunes:
                return web.json_response(_told(self._tunes[int(rest)]))
            case "search":
                words = request.query["q"].lower().split()
                hits = [one for one in self._tunes.values() if all(word in _text(one) for word in words)]
                limit = int(request.query.get("limit", "50"))
                return web.json_response({"collection": [_told(one) for one in hits[:limit]]})
            case "media":
                tune, kind = rest.split("/")[:2]
                suffix = "preview/0/30/" if "preview" in rest else ""
                return web.json_response({"url": f"https://{_MEDIA}/{suffix}{tune}.128.{kind}"})
        return web.Response(status=404)

    def _resolved(self, path: str) -> web.Response:
        if path in self.sets:
            title, ids = self.sets[path]
            # As there: only the first five of a set are told in full.
            tracks = [_told(self._tunes[one]) if place < 5 else {"id": one} for place, one in enumerate(ids)]
            return web.json_response({"id": 900, "kind": "playlist", "title": title, "tracks": tracks})
        for tune in self._tunes.values():
            if tune.path == path:
                return web.json_response(_told(tune))
        return web.Response(status=404)


def _text(tune: Tune) -> str:
    return f"{tune.title} {tune.artist}".lower()


def _told(tune: Tune) -> dict[str, Any]:
    where = f"https://{_API}/media/{tune.id}"
    end = "/preview" if tune.preview else ""
    return {
        "id": tune.id,
        "kind": "track",
        "uri": f"https://api.soundcloud.com/tracks/{tune.id}",
        "permalink_url": f"https://{_SITE}/{tune.path}",
        "title": tune.title,
        "duration": round(tune.seconds * 1000),
        "user": {
            "id": 7,
            "username": tune.artist,
            "permalink_url": f"https://{_SITE}/{tune.path.split('/')[0]}",
        },
        "artwork_url": None,
        "media": {
            "transcodings": [
                _transcoding(
                    f"{where}/opus{end}", "opus_0_0", "hls", 'audio/ogg; codecs="opus"', tune.preview
                ),
                _transcoding(f"{where}/mp3{end}", "mp3_0_0", "progressive", "audio/mpeg", tune.preview),
            ]
        },
    }


def _transcoding(url: str, preset: str, protocol: str, mime: str, snipped: bool) -> dict[str, Any]:
    return {
        "url": url,
        "preset": preset,
        "snipped": snipped,
        "quality": "sq",
        "format": {"protocol": protocol, "mime_type": mime},
    }
