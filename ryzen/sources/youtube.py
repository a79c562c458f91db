"""YouTube: words, videos, shorts, playlists, mixes, channels, and what is on the air."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
import attrs
from loguru import logger

from ryzen.beside import beside
from ryzen.errors import RyzenError, TrackError, TrackTrouble
from ryzen.origins import Extractor, Job, Listing, Origin, Segmented, Web
from ryzen.player.state import Span, Track
from ryzen.sources import infos, youtube_links
from ryzen.sources.asking import Fresh, ask
from ryzen.sources.links import ends_with, host_of
from ryzen.sources.youtube_ladder import Arguments, Ladder, Step, steps
from ryzen.sources.youtube_links import HOSTS, Several, Video

#: The most bytes that its media servers give at full speed in one answer.
SPAN = 10 << 20
#: Lists through the inner interface: no page of a megabyte to be read first.
_LISTS: Arguments = {"youtubetab": {"skip": ("webpage",)}}
_LIST_EXTRACTORS = ("youtube", "youtube:tab", "youtube:playlist")
#: Seconds for what is to be left out: from the start, and after everything else is known.
_SKIPS_WITHIN, _SKIPS_AFTER = 1.5, 0.2
#: What a page of somebody else would show of a video: the lean players of the ladder do not say whose it is.
_CARD = "https://www.youtube.com/oembed"
_CARD_WITHIN, _CARD_AFTER, _CARD_MOST = 3.0, 0.3, 64 << 10
#: What stands in a list for a video that nobody can see.
_GONE = ("[Private video]", "[Deleted video]")

Skips = Callable[[str, float | None], Awaitable[tuple[Span, ...]]]


class YouTubeSource:
    """``Source`` over yt-dlp. A track's ``ref`` is the id of the video.

    ``skips`` tells what of a video is to be left out (its id, its seconds if they are known): it is asked
    beside, and music never waits for it. By way of ``web`` it is asked, beside as well, whose a video is that
    is there as a link alone. ``tokens``, ``cookies``, ``proxied``: see ``youtube_ladder.steps``.
    """

    name = "youtube"

    def __init__(
        self,
        extractor: Extractor,
        *,
        skips: Skips | None = None,
        web: Web | None = None,
        tokens: Arguments | None = None,
        cookies: bool = False,
        proxied: bool = False,
        fresh: Fresh | None = None,
    ) -> None:
        self._extractor, self._skips, self._web = extractor, skips, web
        self._ladder = Ladder(extractor, steps(tokens, cookies=cookies, proxied=proxied))
        self._fresh = fresh or Fresh()

    def claims(self, link: str) -> bool:
        return ends_with(host_of(link), HOSTS)

    async def search(self, words: str, limit: int) -> tuple[Track, ...]:
        """One request. Raises SourceAway."""
        if not words.strip() or limit < 1:
            return ()
        job = Job(
            f"ytsearch{limit}:{words}",
            flat=True,
            limit=limit,
            extractors=("youtube:search",),
            arguments=_LISTS,
        )
        info = await ask(self._extractor, self.name, job)
        return tuple(_tracks(info))[:limit]

    async def expand(self, link: str, limit: int) -> Listing:
        match youtube_links.read(link):
            case Video() as video:
                return await self._single(video)
            case Several(page):
                return await self._several(page, limit)
        raise TrackError(TrackTrouble.NO_SOURCE, "neither a video nor a list of them")

    async def resolve(self, track: Track) -> Origin:
        """Raises TrackError, SourceAway."""
        kept = self._fresh.take(track.id)
        if kept is not None:
            return kept
        if not youtube_links.is_video(track.ref):
            raise TrackError(TrackTrouble.MISSING, "no video has such an id")
        _, origin = await self._find_out(Video(track.ref), track.duration)
        return origin

    async def _single(self, video: Video) -> Listing:
        said: list[str] = []
        looked = anyio.Event()
        async with beside() as tasks:
            tasks.start_soon(self._look_for_uploader, video, said, looked)
            track, origin = await self._find_out(video, None)
            if not track.artist:
                with anyio.move_on_after(_CARD_AFTER):
                    await looked.wait()
                track = attrs.evolve(track, artist="".join(said))
        self._fresh.keep(track.id, origin)
        return Listing((track,), linked=True)

    async def _look_for_uploader(self, video: Video, said: list[str], looked: anyio.Event) -> None:
        try:
            if self._web is not None:
                params = {"url": video.link, "format": "json"}
                card = await self._web.json(_CARD, params=params, within=_CARD_WITHIN, most=_CARD_MOST)
                if isinstance(card, dict):
                    said.append(infos.text(card, "author_name").removesuffix(" - Topic"))
        except RyzenError as error:
            logger.debug("nobody says whose {} is: {}", video.id, error)
        looked.set()

    async def _several(self, page: str, limit: int) -> Listing:
        job = Job(page, flat=True, limit=limit, extractors=_LIST_EXTRACTORS, arguments=_LISTS)
        info = await ask(self._extractor, self.name, job)
        if not infos.is_list(info):  # the channel that is on the air now: a video
            ident = str(info.get("id"))
            if not youtube_links.is_video(ident):
                raise TrackError(TrackTrouble.EMPTY)
            return await self._single(Video(ident))
        tracks = tuple(_tracks(info))[:limit]
        if not tracks:
            raise TrackError(TrackTrouble.EMPTY)
        seen = sum(1 for _ in infos.entries(info))
        return Listing(tracks, infos.text(info, "title"), infos.left_out(info, seen), linked=True)

    async def _find_out(self, video: Video, duration: float | None) -> tuple[Track, Origin]:
        spans: list[Span] = []
        looked = anyio.Event()
        async with beside() as tasks:
            tasks.start_soon(self._look_for_skips, video.id, duration, spans, looked)
            step, info = await self._ladder.climb(self.name, video.page)
            with anyio.move_on_after(_SKIPS_AFTER):
                await looked.wait()
        return _track(info, video), _origin(info, video, step, tuple(spans))

    async def _look_for_skips(
        self, video_id: str, duration: float | None, spans: list[Span], looked: anyio.Event
    ) -> None:
        try:
            if self._skips is not None:
                with anyio.move_on_after(_SKIPS_WITHIN):
                    spans += await self._skips(video_id, duration)
        except RyzenError as error:
            logger.debug("nothing is skipped in {}: {}", video_id, error)
        looked.set()


def _tracks(info: infos.Info) -> list[Track]:
    found: dict[str, Track] = {}
    for entry in infos.entries(info):
        ident = str(entry.get("id"))
        if youtube_links.is_video(ident) and entry.get("title") not in _GONE:
            found.setdefault(ident, _track(entry, Video(ident)))
    return list(found.values())


def _track(info: infos.Info, video: Video) -> Track:
    return infos.track(info, YouTubeSource.name, video.id, video.id, video.link)


def _origin(info: infos.Info, video: Video, step: Step, spans: tuple[Span, ...]) -> Origin:
    place = infos.place(info, span=SPAN, proxied=step.proxied)
    live = isinstance(place, Segmented) and place.live
    return Origin(
        f"youtube:{video.id}",
        place,
        duration=infos.duration(info),
        skips=() if live else spans,
        chapters=infos.chapters(info),
        artwork=infos.artwork(info),
    )
