"""Where music comes from, put together: the door to the internet, yt-dlp, the cache, and all the sources.

Part of the composition root: ``app.py`` says when it is built, this says of what.
"""

from __future__ import annotations

import resource
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import attrs
import requests

from ryzen.actors.gate import SIGNED_IN, Gate
from ryzen.errors import ConfigError, SourceAway, TrackError
from ryzen.fetch import client, egress, web
from ryzen.fetch.cache import TeeCache
from ryzen.fetch.client import YtDlp
from ryzen.fetch.egress import Egress
from ryzen.fetch.sessions import httpx_client, requests_session
from ryzen.fetch.web import WebClient
from ryzen.origins import Origin, Songbook, Source
from ryzen.outside import Outside
from ryzen.player.state import Track
from ryzen.settings import Settings
from ryzen.sources import spotify
from ryzen.sources.apple import AppleSource
from ryzen.sources.deezer import DeezerSource
from ryzen.sources.genius import GeniusBook
from ryzen.sources.legacy import LegacySource
from ryzen.sources.lyrics import LyricsBook
from ryzen.sources.radio import RadioSource
from ryzen.sources.resso import RessoSource
from ryzen.sources.sites import ANYWHERE, SITES, SiteSource, allowed
from ryzen.sources.sponsorblock import SponsorBlock
from ryzen.sources.weblink import WebLinkSource
from ryzen.sources.youtube import YouTubeSource
from ryzen.sources.youtube_api import YouTubeApiSource
from ryzen.sources.youtube_music import YouTubeMusicSource

Measure = Callable[[Path], Awaitable[float | None]]

#: The most that one connection of yt-dlp's may bring in: pages and scripts, no media.
_PAGES = 64 << 20


#: That the process may have, if the system lets it.
_DESCRIPTORS = 65_536


@attrs.frozen
class Sourcing:
    """``gates`` in the order in which they are offered a link, ``searched`` those asked for words."""

    gates: tuple[Gate, ...]
    searched: tuple[str, ...]
    cache: TeeCache
    songbook: Songbook
    extractor: YtDlp
    door: Egress


@asynccontextmanager
async def sourcing(
    settings: Settings, outside: Outside, local: Source, telegram: Source, measure: Measure
) -> AsyncIterator[Sourcing]:
    """All of it for the length of the block. Raises ConfigError if the cache's folder or the
    proxy cannot be used."""
    _have_descriptors()
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        upstream = None if settings.proxy is None else settings.proxy.reveal()
        try:
            door = await enter(egress.serve(outside, upstream))
        except ValueError:  # whose text may have the password in it
            problem = "PROXY_URL must look like socks5://user:password@host:1080, in ASCII."
            raise ConfigError((problem,)) from None
        browser = await enter(web.serve(door, outside))
        # Before yt-dlp's folders are tidied: who finds another Ryzen here must not have touched its work.
        cache = await enter(
            TeeCache.open(
                settings.cache_dir,
                browser,
                budget=settings.cache_size,
                most_per_file=settings.file_limit,
                measure=measure,
            )
        )
        extractor = await enter(
            client.serve(
                egress_url=lambda proxied: door.url(proxied=proxied, most=_PAGES),
                cookies=settings.cookies,
                authorities=outside.authorities,
                state_dir=settings.state_dir,
                jobs=settings.fetch_jobs,
                plugins=() if settings.plugins is None else (settings.plugins,),
            )
        )
        gates, searched, songbook = _sources(settings, outside, stack, door, extractor, browser)
        yield Sourcing((Gate(local), Gate(telegram), *gates), searched, cache, songbook, extractor, door)


def _have_descriptors() -> None:
    """A recording on its way takes five, so the usual 1024 would be gone with two hundred of them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(_DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _sources(
    settings: Settings,
    outside: Outside,
    stack: AsyncExitStack,
    door: Egress,
    extractor: YtDlp,
    browser: WebClient,
) -> tuple[tuple[Gate, ...], tuple[str, ...], Songbook]:
    def session() -> requests.Session:
        """One for each library: they leave cookies and headers in it."""
        return stack.enter_context(requests_session(door, outside))

    cookies, proxied = settings.cookies is not None, settings.proxy is not None

    skips = SponsorBlock(browser).skips if settings.skip_sponsors else None
    tokens = {"youtube": {"po_token": (settings.po_token.reveal(),)}} if settings.po_token else None
    youtube = Gate(
        YouTubeSource(extractor, skips=skips, web=browser, tokens=tokens, cookies=cookies, proxied=proxied),
        SIGNED_IN if cookies else None,
    )
    songs = Gate(YouTubeMusicSource(session()))
    words = [songs, youtube]
    if settings.youtube_key is not None:
        words.insert(0, Gate(YouTubeApiSource(settings.youtube_key.reveal(), session())))

    async def candidates(wanted: str, limit: int) -> tuple[Track, ...]:
        """Songs before films; who is away is passed by if another has something."""
        found: dict[str, Track] = {}
        away: SourceAway | TrackError | None = None
        for gate in (songs, youtube):
            try:
                found |= {track.id: track for track in await gate.search(wanted, limit)}
            except (SourceAway, TrackError) as error:
                away = error
        if not found and away is not None:
            raise away
        return tuple(found.values())

    async def played(track: Track) -> Origin:
        return await youtube.resolve(track)

    insisted = [] if settings.legacy is None else [Gate(LegacySource(settings.legacy, door.url()))]

    api = None
    if settings.spotify_id is not None and settings.spotify_secret is not None:
        api = spotify.client(settings.spotify_id, settings.spotify_secret.reveal(), session())
    named: list[Source] = [
        spotify.SpotifySource(browser, browser, candidates, played, api),
        AppleSource(browser, candidates, played),
        DeezerSource(browser, browser, candidates, played),
        RessoSource(browser, candidates, played),
    ]
    sites: list[Source] = [
        SiteSource(site, extractor, browser, cookies=cookies, proxied=proxied)
        for site in (*SITES, *allowed(settings.sites))
    ]
    anywhere = SiteSource(ANYWHERE, extractor, browser) if settings.any_site else None
    links = WebLinkSource(browser, browser, pages=anywhere)
    radio = RadioSource(stack.enter_context(httpx_client(door, outside)), links)

    genius = None if settings.genius_token is None else GeniusBook(settings.genius_token.reveal(), session())
    others = (*named, *sites, radio, *([anywhere] if anywhere else []), links)
    gates = (*insisted, *words, *(Gate(source) for source in others))
    first = [gate.name for gate in words if gate is not songs]
    return gates, ("local", *first, songs.name), LyricsBook(browser, genius)
