"""archive.org as yt-dlp 2026.10.26 sees it: the embeddable player's page, and the metadata. Written by us."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from typing import Any

import attrs
from aiohttp import web

from ryzen.sandbox.internet.media import GOOD, Manners, give


@attrs.frozen
class Item:
    """``files``: name → title and seconds. Each is there as FLAC and as a smaller MP3 made of it."""

    id: str
    title: str
    creator: str
    files: Mapping[str, tuple[str, float]]


class Archive:
    hosts = ("archive.org", "www.archive.org")

    def __init__(self, *items: Item, body: bytes = b"", manners: Manners = GOOD) -> None:
        self._items = {item.id: item for item in items}
        self.body, self.manners = body, manners

    async def answer(self, request: web.Request) -> web.StreamResponse:
        kind, _, rest = request.path.strip("/").partition("/")
        item = self._items.get(rest.partition("/")[0])
        match kind:
            case "download" if item is not None:
                return await give(request, self.body, "audio/mpeg", self.manners)
            case "embed" if item is not None:
                played = [
                    {"orig": name, "title": title, "artist": item.creator}
                    for name, (title, _) in item.files.items()
                ]
                page = f'<play-av playlist="{html.escape(json.dumps(played))}"></play-av>'
                return web.Response(text=page, content_type="text/html")
            case "metadata" if item is not None:
                return web.json_response(_told(item))
        return web.Response(status=404)


def _told(item: Item) -> dict[str, Any]:
    files: list[dict[str, str]] = []
    for name, (title, seconds) in item.files.items():
        about = {"title": title, "length": str(seconds)}
        files.append({"name": name, "source": "original", "format": "Flac", "size": "9000000", **about})
        small = name.rpartition(".")[0] + ".mp3"
        files.append(
            {
                "name": small,
                "source": "derivative",
                "original": name,
                "format": "VBR MP3",
                "size": "900000",
                **about,
            }
        )
    return {"metadata": {"identifier": item.id, "title": item.title, "creator": item.creator}, "files": files}
