"""A local Genius: search by its API with a token, lyrics on pages.

Imitated after its API documentation and what lyricsgenius reads of a page; written by us.
"""

from __future__ import annotations

import html
from collections.abc import Iterable

import attrs
from aiohttp import web

from ryzen.sandbox.internet.innertube import Json


@attrs.frozen
class Written:
    """A song whose words are on Genius: a page named ``path``, or one that has none (yet)."""

    path: str
    title: str
    artist: str
    lyrics: tuple[str, ...]


class Genius:
    hosts = ("api.genius.com", "genius.com")

    def __init__(self, songs: Iterable[Written], token: str) -> None:
        self.songs = tuple(songs)
        self._token = token
        self.refusing: int | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if self.refusing is not None:
            return web.json_response({"meta": {"status": self.refusing}}, status=self.refusing)
        if request.host == "genius.com":
            found = next((song for song in self.songs if f"/{song.path}" == request.path), None)
            return web.Response(status=404) if found is None else _page(found)
        if request.headers.get("authorization") != f"Bearer {self._token}":
            return web.json_response({"error": "invalid_token"}, status=401)
        words = set(request.query.get("q", "").casefold().split())
        hits = [
            _hit(song) for song in self.songs if words & set(f"{song.title} {song.artist}".casefold().split())
        ]
        return web.json_response({"meta": {"status": 200}, "response": {"hits": hits}})


def _hit(song: Written) -> Json:
    result = {
        "title": song.title,
        "primary_artist": {"name": song.artist},
        "url": f"https://genius.com/{song.path}",
        "path": f"/{song.path}",
        "lyrics_state": "complete" if song.lyrics else "unreleased",
        "instrumental": False,
    }
    return {"index": "song", "type": "song", "result": result}


def _page(song: Written) -> web.Response:
    lines = "<br/>".join(html.escape(line) for line in song.lyrics)
    header = '<div class="LyricsHeader__Container" data-exclude-from-selection="true">12 Contributors</div>'
    body = f'<div data-lyrics-container="true" class="Lyrics__Container">{header}{lines}</div>'
    return web.Response(text=f"<html><body>{body}</body></html>", content_type="text/html")
