"""Sources that know music by name, on the local internet: the real web client, guard and egress, and real
libraries with the session that the bot gives them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing

import attrs
import requests

from ryzen.errors import TrackError, TrackTrouble
from ryzen.fetch import egress, web
from ryzen.fetch.sessions import requests_session
from ryzen.origins import Origin, Remote
from ryzen.player.state import Track
from ryzen.sandbox.internet import Internet, Site
from ryzen.sandbox.internet.shop import Listed

SONGS = (
    Listed(
        1, "Blue Sky (feat. Guest) - Remastered 2011", ("Local Artist", "Guest"), 201, "Skies", "XXSBX2600003"
    ),
    Listed(2, "Red Moon", ("Local Artist",), 180.5, "Moons", "XXSBX2600004"),
    Listed(3, "Green Sea", ("Earth, Wind & Sea",), 240, "Seas"),
)


@attrs.frozen
class Stage:
    internet: Internet
    web: web.WebClient
    session: requests.Session


@asynccontextmanager
async def stage(*sites: Site) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        internet = await stack.enter_async_context(Internet.serve(sites))
        door = await stack.enter_async_context(egress.serve(internet.outside))
        pages = await stack.enter_async_context(web.serve(door, internet.outside))
        session = stack.enter_context(closing(requests_session(door, internet.outside)))
        yield Stage(internet, pages, session)


class Playable:
    """Where music can be played: ``tracks`` are found by any of their words, in order."""

    def __init__(self, *tracks: Track) -> None:
        self.tracks = tracks
        self.asked: list[str] = []
        self.resolved: list[str] = []
        self.broken: set[str] = set()  #: ids of what cannot be played

    async def search(self, words: str, limit: int) -> tuple[Track, ...]:
        self.asked.append(words)
        wanted = set(words.casefold().replace('"', "").split())
        found = (track for track in self.tracks if wanted & set(_words(track)))
        return tuple(found)[:limit]

    async def resolve(self, track: Track) -> Origin:
        self.resolved.append(track.id)
        if track.id in self.broken:
            raise TrackError(TrackTrouble.REGION)
        return Origin(f"youtube:{track.ref}", Remote(f"https://media.example/{track.ref}"), track.duration)


def video(ref: str, title: str, artist: str, seconds: float | None, hidden: str = "") -> Track:
    """``hidden``: words that a search finds it by, and nobody sees."""
    return Track(f"youtube:{ref}", title, "youtube", ref, artist, seconds, link=hidden or None)


def _words(track: Track) -> list[str]:
    return f"{track.title} {track.artist} {track.link or ''}".casefold().split()
