"""The station directory of radio-browser.info, as pyradios 2.1 asks it: a search in JSON. Written by us."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs
from aiohttp import web


@attrs.frozen
class Station:
    """``well``: it answered when the directory last looked."""

    uuid: str
    name: str
    url: str
    tags: str = ""
    votes: int = 0
    bitrate: int = 128
    codec: str = "MP3"
    country: str = "Germany"
    well: bool = True


class RadioDirectory:
    """``down``: names of its servers that answer 502."""

    hosts = ("*.api.radio-browser.info",)

    def __init__(self, stations: Iterable[Station] = ()) -> None:
        self.stations = list(stations)
        self.down: set[str] = set()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.host in self.down:
            return web.Response(status=502)
        if request.path != "/json/stations/search":
            return web.Response(status=404)
        query = request.query
        found = [
            station
            for station in self.stations
            if query.get("name", "").lower() in station.name.lower()
            and (not query.get("tag") or query["tag"] in station.tags.split(","))
            and (station.well or query.get("hidebroken", "").lower() != "true")
        ]
        if query.get("order") == "votes":
            found.sort(key=lambda station: station.votes, reverse=query.get("reverse", "").lower() == "true")
        return web.json_response([_told(station) for station in found[: int(query.get("limit", "100"))]])


def _told(station: Station) -> dict[str, Any]:
    return {
        "stationuuid": station.uuid,
        "name": station.name,
        "url": station.url,
        "url_resolved": station.url,
        "homepage": "https://station.example/",
        "tags": station.tags,
        "country": station.country,
        "votes": station.votes,
        "codec": station.codec,
        "bitrate": station.bitrate,
        "hls": 0,
        "lastcheckok": 1 if station.well else 0,
    }
