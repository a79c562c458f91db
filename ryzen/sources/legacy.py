"""youtube-dl and pytube, for who insists.

Both lag behind what YouTube changes, by months and years: yt-dlp began as a copy of the one because of
that, and does all that the other does. So they are an extra, off unless the owner names one
(LEGACY_YOUTUBE), and then for links to single videos alone. They run in a thread of the bot and not in
the fetch server: slower, and a page that they choke on is not stopped by any limit but ours on time.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Literal

from ryzen.errors import ConfigError, SourceAway, SourceTrouble, TrackError, TrackTrouble
from ryzen.origins import Listing, Origin, Remote
from ryzen.player.state import Track
from ryzen.sources import infos, youtube_links
from ryzen.sources.threads import Threads
from ryzen.sources.youtube import SPAN, YouTubeSource
from ryzen.sources.youtube_links import Video

Library = Literal["youtube_dl", "pytube"]


class LegacySource:
    """``Source`` for single videos of YouTube, through ``library``.

    ``proxy`` is the egress proxy's URL; pytube sets it for all of the process that uses urllib.
    """

    name = "youtube-legacy"

    def __init__(self, library: Library, proxy: str, threads: Threads | None = None) -> None:
        """Raises ConfigError if the library is not installed."""
        module = _load(library)
        self._threads = threads or Threads(most=1, within=60.0)
        look = {"youtube_dl": _look_with_youtube_dl, "pytube": _look_with_pytube}[library]
        self._look: Callable[[str], Mapping[str, Any]] = lambda page: look(module, page, proxy)

    def claims(self, link: str) -> bool:
        return isinstance(youtube_links.read(link), Video)

    async def search(self, words: str, limit: int) -> tuple[Track, ...]:  # noqa: ARG002 - the protocol's
        return ()

    async def expand(self, link: str, limit: int) -> Listing:  # noqa: ARG002
        video = youtube_links.read(link)
        if not isinstance(video, Video):
            raise TrackError(TrackTrouble.NO_SOURCE, "not a single video")
        info = await self._find_out(video)
        return Listing((infos.track(info, self.name, video.id, video.id, video.link),), linked=True)

    async def resolve(self, track: Track) -> Origin:
        info = await self._find_out(Video(track.ref))
        place = infos.place(info, span=SPAN)
        live = not isinstance(place, Remote)
        return Origin(f"{YouTubeSource.name}:{track.ref}", place, None if live else infos.duration(info))

    async def _find_out(self, video: Video) -> Mapping[str, Any]:
        try:
            return await self._threads.run(self._look, video.page)
        except TimeoutError as error:
            raise SourceAway(self.name, SourceTrouble.DOWN, "no answer") from error
        except OSError as error:
            raise TrackError(TrackTrouble.UNREACHABLE, type(error).__name__) from error


def _load(library: Library) -> ModuleType:
    try:
        return importlib.import_module(library)
    except ModuleNotFoundError as error:
        raise ConfigError(
            (f"{library} is not installed: pip install 'ryzen[legacy]', or do without: yt-dlp does more",)
        ) from error


def _look_with_youtube_dl(library: Any, page: str, proxy: str) -> Mapping[str, Any]:
    options = {
        "quiet": True,
        "no_warnings": True,
        "proxy": proxy,
        "format": "bestaudio/best",
        "noplaylist": True,
    }
    try:
        with library.YoutubeDL(options) as ydl:
            info: Mapping[str, Any] = ydl.extract_info(page, download=False)
            return info
    except library.utils.DownloadError as error:
        raise TrackError(TrackTrouble.UNAVAILABLE, str(error)) from error


def _look_with_pytube(library: Any, page: str, proxy: str) -> Mapping[str, Any]:
    try:
        video = library.YouTube(page, proxies={"http": proxy, "https": proxy})
        stream = video.streams.get_audio_only()
        if stream is None:
            raise TrackError(TrackTrouble.UNSUPPORTED, "no sound")
        return {
            "title": video.title,
            "channel": video.author,
            "duration": video.length,
            "thumbnail": video.thumbnail_url,
            "url": stream.url,
            "protocol": "https",
            "filesize": stream.filesize,
        }
    except library.exceptions.PytubeError as error:
        raise TrackError(TrackTrouble.UNAVAILABLE, str(error)) from error
