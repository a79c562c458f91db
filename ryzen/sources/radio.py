"""Radio stations, found by name or by what they play, in the directory of radio-browser.info."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import httpx
from pyradios import RadioBrowser
from pyradios.radios import Request

from ryzen.errors import SourceAway, SourceTrouble, TrackError, TrackTrouble
from ryzen.origins import Listing, Origin, Segmented
from ryzen.player.state import Track
from ryzen.sources import infos
from ryzen.sources.links import cut
from ryzen.sources.threads import Threads
from ryzen.sources.weblink import WebLinkSource

#: Servers of the directory: all have the same, and one of them is always up.
SERVERS = (
    "https://de1.api.radio-browser.info/",
    "https://de2.api.radio-browser.info/",
    "https://fi1.api.radio-browser.info/",
)
_UUID = re.compile(r"[0-9a-f-]{32,36}")
#: Stations asked for, to have enough when the dead and the doubles are out.
_ASKED = 30
#: kbit/s: a call does not carry more than the lower one tells, and some lines not the upper one.
_LOW, _HIGH = 64, 192


class Directory(RadioBrowser):  # type: ignore[misc]  # pyradios has no types
    """pyradios 2.1 looks servers up by itself, by way of no proxy; here they are named."""

    def __init__(self, server: str, session: httpx.Client) -> None:
        # Not ``super().__init__``: that is the very look-up.
        self.base_url = server
        self._fmt = "json"
        self.client = Request(headers={"User-Agent": "ryzen"}, session=session)


class RadioSource:
    """``Source`` for stations. A track's ``ref`` is the address of its stream; it has no end.

    ``streams`` finds out what is behind an address. No clicks are counted: that would tell the directory what
    is listened to.
    """

    name = "radio"

    def __init__(
        self,
        session: httpx.Client,
        streams: WebLinkSource,
        *,
        servers: tuple[str, ...] = SERVERS,
        threads: Threads | None = None,
    ) -> None:
        """``session`` has to have time-outs of its own."""
        self._directories = [Directory(server, session) for server in servers]
        self._streams, self._threads = streams, threads or Threads()

    def claims(self, link: str) -> bool:  # noqa: ARG002 - a link to a stream is a direct link
        return False

    async def search(self, words: str, limit: int) -> tuple[Track, ...]:
        """By name, then by tag if no name has the words; those that did not answer when the directory looked
        last are left out. Raises SourceAway."""
        words = " ".join(words.split())
        if not words or limit < 1:
            return ()
        asked: Mapping[str, Any] = {"order": "votes", "reverse": True, "hidebroken": True, "limit": _ASKED}
        stations = await self._ask(name=words, **asked) or await self._ask(tag=words, **asked)
        return _best(stations)[:limit]

    async def expand(self, link: str, limit: int) -> Listing:  # noqa: ARG002
        raise TrackError(TrackTrouble.NO_SOURCE, "stations are found by words")

    async def resolve(self, track: Track) -> Origin:
        """Raises TrackError."""
        place = await self._streams.place(track.ref)
        if isinstance(place, Segmented):
            place = Segmented(place.url, place.headers, live=True)
        return Origin(track.id, place)

    async def _ask(self, **question: Any) -> list[Mapping[str, Any]]:
        """The first server that answers."""
        told = ""
        for directory in self._directories:
            try:
                answer = await self._threads.run(directory.search, **question)
            except (httpx.HTTPError, TimeoutError, ValueError) as error:
                told = type(error).__name__
                continue
            return [one for one in answer if isinstance(one, Mapping)] if isinstance(answer, list) else []
        raise SourceAway(self.name, SourceTrouble.DOWN, told)


def _best(stations: Iterable[Mapping[str, Any]]) -> tuple[Track, ...]:
    """The popular first, each stream once."""
    found = sorted((station for station in stations if _stream(station)), key=_worth, reverse=True)
    tracks = {_stream(station): _track(station) for station in reversed(found)}
    return tuple(reversed(tracks.values()))


def _worth(station: Mapping[str, Any]) -> tuple[float, bool, bool]:
    bitrate = infos.number(station.get("bitrate"))
    votes = infos.number(station.get("votes")) or 0.0
    return votes, bitrate is None or _LOW <= bitrate <= _HIGH, _stream(station).startswith("https://")


def _stream(station: Mapping[str, Any]) -> str:
    for name in ("url_resolved", "url"):
        value = station.get(name)
        if isinstance(value, str) and value.startswith(("https://", "http://")):
            return value
    return ""


def _track(station: Mapping[str, Any]) -> Track:
    stream, uuid = _stream(station), str(station.get("stationuuid"))
    place = ", ".join(part for part in (infos.text(station, "country"), infos.text(station, "codec")) if part)
    ident = f"{RadioSource.name}:{uuid}" if _UUID.fullmatch(uuid) else WebLinkSource.ident(stream)
    home = station.get("homepage")
    link = home if isinstance(home, str) and home.startswith(("https://", "http://")) else None
    title = infos.text(station, "name") or stream
    return Track(ident, cut(title), RadioSource.name, stream, place, None, link)
