"""Bandcamp as yt-dlp 2026.10.26 sees it: pages with JSON in an attribute. Written by us."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable
from typing import Any

import attrs
from aiohttp import web

from ryzen.sandbox.internet.media import GOOD, Manners, give

_MEDIA = "t4.bcbits.com"


@attrs.frozen
class Piece:
    """``name`` as in its link. ``seconds`` of 0: it is named in the album, and can't be heard."""

    id: int
    name: str
    title: str
    seconds: float


class Bandcamp:
    """One artist at ``<host>.bandcamp.com``; ``album`` is the one album, with all the pieces."""

    hosts = ("*.bandcamp.com", _MEDIA)

    def __init__(
        self, artist: str, pieces: Iterable[Piece], album: str, body: bytes = b"", manners: Manners = GOOD
    ) -> None:
        self._artist, self._album, self._pieces = artist, album, tuple(pieces)
        self.body, self.manners = body, manners

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.host == _MEDIA:
            return await give(request, self.body, "audio/mpeg", self.manners)
        kind, _, name = request.path.strip("/").partition("/")
        pieces = self._pieces if kind == "album" else tuple(one for one in self._pieces if one.name == name)
        if kind not in ("album", "track") or not pieces:
            return web.Response(status=404)
        current = {"title": self._album if kind == "album" else pieces[0].title, "artist": self._artist}
        about = {"artist": self._artist, "current": current, "trackinfo": [_told(one) for one in pieces]}
        page = (
            f'<title>{html.escape(current["title"])}</title><meta property="og:image"'
            f' content="https://f4.bcbits.com/img/1.jpg"><h3 class="albumTitle">by <span><a href="/">'
            f"{html.escape(self._artist)}</a></span></h3>"
            f'<script data-tralbum="{html.escape(json.dumps(about))}"'
            f' data-embed="{html.escape(json.dumps({"artist": self._artist}))}"></script>'
        )
        return web.Response(text=page, content_type="text/html")


def _told(piece: Piece) -> dict[str, Any]:
    file = {"mp3-128": f"https://{_MEDIA}/stream/{piece.id}/mp3-128"} if piece.seconds else None
    return {
        "id": piece.id,
        "track_id": piece.id,
        "title": piece.title,
        "title_link": f"/track/{piece.name}",
        "duration": piece.seconds,
        "file": file,
    }
