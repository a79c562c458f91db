"""Sites that yt-dlp looks into for us, and what there is to know of each: one table, one ``Source``."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

import attrs

from ryzen.errors import TrackError, TrackTrouble, WebError, WebForbidden
from ryzen.origins import Extractor, Job, Listing, Origin, Peeker, Segmented
from ryzen.player.state import Track
from ryzen.sources import infos
from ryzen.sources.asking import Fresh, ask
from ryzen.sources.links import cut, ends_with, host_of, read_link, title_of


@attrs.frozen
class Site:
    """``hosts``: these and all below them. ``extractors``: regular expressions for names of yt-dlp's, all of
    a name. ``search``: its prefix for searches, empty if it has none. ``most`` of a list are taken at once.
    ``short``: hosts of its short links, which lead elsewhere. ``page``: where something is, by its id, if the
    links that yt-dlp gives are those of the whole. ``arguments`` are yt-dlp's ``extractor_args``.
    """

    name: str
    hosts: tuple[str, ...]
    extractors: tuple[str, ...]
    search: str = ""
    most: int = 200
    short: tuple[str, ...] = ()
    page: str = ""
    arguments: Mapping[str, Mapping[str, tuple[str, ...]]] = attrs.field(factory=dict)


SITES = (
    Site(
        "soundcloud",
        ("soundcloud.com",),
        ("soundcloud", r"soundcloud:(?:set|search|playlist|user(?::permalink)?|trackstation)"),
        search="scsearch",
        short=("on.soundcloud.com",),
    ),
    Site("bandcamp", ("bandcamp.com",), ("Bandcamp", "Bandcamp:album", "Bandcamp:weekly")),
    Site("mixcloud", ("mixcloud.com",), ("mixcloud", r"mixcloud:(?:playlist|user)"), most=50),
    Site("audiomack", ("audiomack.com",), ("audiomack", "audiomack:album")),
    Site(
        "jiosaavn",
        ("jiosaavn.com", "saavn.com"),
        (r"jiosaavn:(?:song|album|playlist|show|artist)",),
        arguments={"jiosaavn": {"bitrate": ("128",)}},  # or it asks twice
    ),
    Site("odysee", ("odysee.com", "lbry.tv"), ("lbry", r"lbry:(?:channel|playlist)")),
    Site("archive", ("archive.org",), (r"archive\.org",), page="https://archive.org/details/"),
    Site("twitch", ("twitch.tv",), (r"twitch:(?:stream|vod|clips)",), most=1),
)
#: A page that no source knows: whatever in it looks like media, or is known to yt-dlp. Only if the owner
#: wants that: a page may lead anywhere, if only to where the egress guard lets it.
ANYWHERE = Site("page", (), ("default",), most=50)


def allowed(names: Sequence[str]) -> tuple[Site, ...]:
    """Sites that the owner adds, by host (``vimeo.com``) or by yt-dlp's name and host (``vimeo=vimeo.com``).

    With a host alone every extractor but the generic one may take its links.
    """
    sites = []
    for entry in names:
        extractor, named, host = entry.strip().lower().rpartition("=")
        if host:
            name = re.sub(r"[^a-z0-9]+", "-", extractor or host).strip("-")
            extractors = (re.escape(extractor) + "(?::.*)?",) if named else ()
            sites.append(Site(name, (host,), extractors))
    return tuple(sites)


class SiteSource:
    """``Source`` over one site. A track's ``ref`` is its link.

    ``peeker`` follows short links; without it they lead to nothing.
    """

    def __init__(
        self,
        site: Site,
        extractor: Extractor,
        peeker: Peeker | None = None,
        *,
        cookies: bool = False,
        proxied: bool = False,
        fresh: Fresh | None = None,
    ) -> None:
        self.name = site.name
        self._site, self._extractor, self._peeker = site, extractor, peeker
        self._cookies, self._proxied = cookies, proxied
        self._fresh = fresh or Fresh()

    def claims(self, link: str) -> bool:
        return ends_with(host_of(link), self._site.hosts)

    async def search(self, words: str, limit: int) -> tuple[Track, ...]:
        if not self._site.search or not words.strip() or limit < 1:
            return ()
        info = await self._ask(f"{self._site.search}{limit}:{words}", limit)
        return tuple(self._tracks(info))[:limit]

    async def expand(self, link: str, limit: int) -> Listing:
        page = await self._long(link)
        info = await self._ask(page, min(limit, self._site.most))
        if not infos.is_list(info):
            track = self._track(info, page)
            self._fresh.keep(track.id, self._origin(track, info))
            return Listing((track,), linked=True)
        tracks = tuple(self._tracks(info))[: min(limit, self._site.most)]
        if not tracks:
            raise TrackError(TrackTrouble.EMPTY)
        seen = sum(1 for _ in infos.entries(info))
        return Listing(tracks, infos.text(info, "title"), infos.left_out(info, seen), linked=True)

    async def resolve(self, track: Track) -> Origin:
        kept = self._fresh.take(track.id)
        if kept is not None:
            return kept
        if not track.ref.startswith(("https://", "http://")):
            raise TrackError(TrackTrouble.MISSING, "no link")
        info = await self._ask(track.ref, 1)
        if infos.is_list(info):
            # A track that has become an album, say: what was asked for is not there any more.
            raise TrackError(TrackTrouble.MISSING, "more than one track")
        return self._origin(track, info)

    async def _ask(self, query: str, limit: int) -> infos.Info:
        job = Job(
            query,
            flat=True,
            limit=limit,
            format=infos.SOUND,
            extractors=self._site.extractors,
            arguments=self._site.arguments,
            cookies=self._cookies,
            proxied=self._proxied,
        )
        return await ask(self._extractor, self.name, job)

    async def _long(self, link: str) -> str:
        """Where a short link leads to: elsewhere than to this site, no extractor will take it."""
        if self._peeker is None or not ends_with(host_of(link), self._site.short):
            return link
        try:
            led_to = (await self._peeker.peek(link)).url
        except WebForbidden as error:
            raise TrackError(TrackTrouble.FORBIDDEN, str(error)) from error
        except WebError as error:
            raise TrackError(TrackTrouble.UNREACHABLE, str(error)) from error
        return read_link(led_to) or led_to

    def _tracks(self, info: infos.Info) -> list[Track]:
        """Sites list tracks without a title now and then: such a one has its link's, or the list's."""
        found: dict[str, Track] = {}
        whole = infos.text(info, "title")
        for place, entry in enumerate(infos.entries(info), 1):
            page = self._page(entry)
            if page is None:
                continue
            track = self._track(entry, page)
            if not infos.text(entry, "track", "title", "alt_title"):
                slug = title_of(page).replace("-", " ")
                title = f"{whole} · {place}" if slug.isdigit() and whole else slug
                track = attrs.evolve(track, title=cut(title))
            found.setdefault(track.id, track)
        return list(found.values())

    def _track(self, info: infos.Info, page: str) -> Track:
        link = self._page(info) or page
        return infos.track(info, self.name, _ident(info, link), link, link)

    def _page(self, info: infos.Info) -> str | None:
        """The page of a track; what yt-dlp writes to itself behind a ``#`` is no part of it."""
        if self._site.page and isinstance(ident := info.get("id"), str):
            return self._site.page + quote(ident)
        for name in ("webpage_url", "url", "original_url"):
            value = info.get(name)
            if isinstance(value, str) and value.startswith(("https://", "http://")):
                return value.partition("#__youtubedl_smuggle")[0]
        return None

    def _origin(self, track: Track, info: infos.Info) -> Origin:
        place = infos.place(info, proxied=self._proxied)
        live = isinstance(place, Segmented) and place.live
        return Origin(
            track.id,
            place,
            duration=None if live else infos.duration(info) or track.duration,
            chapters=infos.chapters(info),
            artwork=infos.artwork(info),
        )


def _ident(info: infos.Info, link: str) -> str:
    """The site's own id, if it can stand in one of ours; else a digest of the link."""
    own = info.get("id")
    if isinstance(own, str | int) and re.fullmatch(r"[\w.:-]{1,64}", str(own)):
        return str(own)
    return hashlib.sha256(link.encode()).hexdigest()[:16]
