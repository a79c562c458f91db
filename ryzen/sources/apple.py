"""Apple Music: songs, albums and artists by the lookup interface of the iTunes store, playlists, and what is
not for sale there, by the public page."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import attrs

from ryzen.errors import TrackError, TrackTrouble, WebError
from ryzen.origins import Listing, Web
from ryzen.player.state import Track
from ryzen.sources import apple_page
from ryzen.sources.links import ends_with, host_of
from ryzen.sources.matching import Wanted
from ryzen.sources.named import NamedSource, Resolve, Search, listing, named, refusal
from ryzen.sources.told import Told, each, line, seconds

LOOKUP = "https://itunes.apple.com/lookup"
#: Songs the store tells at once.
MOST = 200
#: The page of a playlist of 300 songs has 1.5 MB.
_PAGE = 8 << 20

_HOSTS = ("music.apple.com", "geo.music.apple.com", "itunes.apple.com")
_PATH = re.compile(
    r"(?:/(?P<country>[a-z]{2}))?/(?P<kind>song|album|playlist|artist|music-video)(?:/[^/]+)?"
    r"/(?:id)?(?P<id>\d{1,20}|pl\.[\w-]{1,80})/?"
)


@attrs.frozen
class Thing:
    """``kind`` as in Apple's links; ``country`` is the store's."""

    kind: str
    id: str
    country: str

    @property
    def link(self) -> str:
        return f"https://music.apple.com/{self.country}/{self.kind}/{self.id}"


class AppleSource(NamedSource):
    """``Source`` for songs, albums, playlists and artists."""

    name = "apple"

    def __init__(self, web: Web, search: Search, resolve: Resolve) -> None:
        super().__init__(search, resolve)
        self._web = web

    def claims(self, link: str) -> bool:
        return ends_with(host_of(link), _HOSTS)

    async def expand(self, link: str, limit: int) -> Listing:
        thing = read(link)
        if thing is None:
            raise TrackError(TrackTrouble.NO_SOURCE, "not a song, album, playlist or artist")
        try:
            if thing.kind != "playlist":
                told = await self._for_sale(thing, limit)
                if told is not None:
                    return told
            return await self._shown(thing, limit)
        except WebError as error:
            raise refusal(self.name, error) from error

    async def _for_sale(self, thing: Thing, limit: int) -> Listing | None:
        """None if the store does not have it: some songs can be streamed only."""
        # What the songs are in, or by, is told first, and counts.
        results = await self._look_up(thing.country, (thing.id,), min(limit + 1, MOST))
        songs = [song for song in results if line(song, "kind") == "song"]
        tracks = [track for song in songs if (track := self._track(song, thing.country))]
        if not tracks:
            return None
        if thing.kind == "song":
            return Listing(tuple(tracks[:1]), linked=True)
        about = next((one for one in results if line(one, "wrapperType") in ("collection", "artist")), None)
        title = line(about, "collectionName") or line(about, "artistName")
        return listing(tracks, limit, title, int(seconds(about, "trackCount") or 0))

    async def _look_up(self, country: str, ids: tuple[str, ...], limit: int) -> tuple[Told, ...]:
        params = {"id": ",".join(ids), "entity": "song", "country": country, "limit": str(limit)}
        return each(await self._web.json(LOOKUP, params=params), "results")

    def _track(self, song: Told, country: str) -> Track | None:
        key, title = line(song, "trackId"), line(song, "trackName")
        if not key or not title:
            return None
        wanted = Wanted(
            title,
            (line(song, "artistName"),),
            seconds(song, "trackTimeMillis", unit=0.001),
            album=line(song, "collectionName"),
        )
        return named(self.name, key, wanted, Thing("song", key, country).link)

    async def _shown(self, thing: Thing, limit: int) -> Listing:
        """By the page. Where it does not say whose the songs are, the store may know."""
        page = apple_page.read(await self._web.text(thing.link, most=_PAGE))
        if page is None:
            raise TrackError(TrackTrouble.UNAVAILABLE, "its page tells of no songs")
        songs = page.songs[:limit]
        unknown = tuple(song.id for song in songs if not song.wanted.artists)
        known: dict[str, Track] = {}
        for at in range(0, len(unknown), MOST):
            for one in await self._look_up(thing.country, unknown[at : at + MOST], MOST):
                if track := self._track(one, thing.country):
                    known[line(one, "trackId")] = track
        tracks = [
            known.get(song.id)
            or named(self.name, song.id, song.wanted, Thing("song", song.id, thing.country).link)
            for song in songs
        ]
        return listing(tracks, limit, page.title, max(page.total, len(page.songs)))


def read(link: str) -> Thing | None:
    """What a link leads to; a song within an album is that song. None if it is nothing that we know."""
    parts = urlsplit(link)
    found = _PATH.fullmatch(parts.path) if ends_with(host_of(link), _HOSTS) else None
    if found is None:
        return None
    country = found["country"] or "us"
    song = parse_qs(parts.query).get("i", [""])[0]
    if song.isdecimal() and len(song) <= 20:
        return Thing("song", song, country)
    kind = "song" if found["kind"] == "music-video" else found["kind"]
    return (
        Thing(kind, found["id"], country) if (kind == "playlist") == found["id"].startswith("pl.") else None
    )
