"""What YouTube's links mean. Pure."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import attrs

from ryzen.sources.links import ends_with, host_of

HOSTS = ("youtube.com", "youtu.be", "youtube-nocookie.com", "youtubekids.com")
_VIDEO = re.compile(r"[A-Za-z0-9_-]{11}")
_LIST = re.compile(r"[A-Za-z0-9_-]{2,64}")
_OF_VIDEOS = ("v", "e", "vi", "embed", "shorts", "live", "watch")
_A_LIST = "videoseries"  #: stands where an id would, and is as long as one
_CHANNEL = re.compile(r"/(@[\w.%-]{1,200}|channel/UC[\w-]{22}|c/[^/]{1,200}|user/[^/]{1,200})(?:/(\w+))?/?")
_ALBUM = re.compile(r"/browse/(MPREb_[\w-]{8,40})/?")
_BROWSED = re.compile(r"/browse/VL([\w-]{10,64})/?")


@attrs.frozen
class Video:
    id: str

    @property
    def link(self) -> str:
        """The short one, for people."""
        return f"https://youtu.be/{self.id}"

    @property
    def page(self) -> str:
        """The one for yt-dlp: it is led nowhere by it."""
        return f"https://www.youtube.com/watch?v={self.id}"


@attrs.frozen
class Several:
    """A playlist, a mix, an album or the uploads of a channel. ``page`` is for yt-dlp."""

    page: str


def is_video(text: str) -> bool:
    return _VIDEO.fullmatch(text) is not None


def read(link: str) -> Video | Several | None:
    """What is meant by a link of YouTube's; None if it is neither a video nor a list of them.

    A link to a video *within* a list means the video: it is what the address bar shows to whoever listens to
    a playlist, and nobody wants a hundred songs by accident. The list is meant by a playlist's own link, and
    by a link which says that it starts one (``playnext=1``; ``start_radio=1``: a mix).
    """
    parts = urlsplit(link)
    host = host_of(link)
    if not ends_with(host, HOSTS):
        return None
    asked = parse_qs(parts.query)
    first, _, second = parts.path.strip("/").partition("/")
    video = _first(asked, "v", _VIDEO)
    if host == "youtu.be":
        video = first if is_video(first) else video
    elif first in _OF_VIDEOS and is_video(named := second.partition("/")[0]) and named != _A_LIST:
        video = named
    of_list = _first(asked, "list", _LIST)
    starts = asked.get("playnext") == ["1"] or asked.get("start_radio") == ["1"]
    if of_list and (video is None or starts):
        return _list(of_list, video)
    if video is not None:
        return Video(video)
    return _page(parts.path, host)


def _list(of_list: str, video: str | None) -> Several:
    if of_list.startswith("RD") and video is None and not of_list.startswith("RDCLAK"):
        tail = of_list[-11:]  # a mix is named by the video that it grows from
        video = tail if len(of_list) >= 13 and is_video(tail) else None
    if of_list.startswith("RD") and video is not None:
        return Several(f"https://www.youtube.com/watch?v={video}&list={of_list}")
    return Several(f"https://www.youtube.com/playlist?list={of_list}")


def _page(path: str, host: str) -> Several | None:
    if channel := _CHANNEL.fullmatch(path):
        tab = channel[2] if channel[2] in ("streams", "shorts", "live") else "videos"
        return Several(f"https://www.youtube.com/{channel[1]}/{tab}")
    if host == "music.youtube.com":
        if album := _ALBUM.fullmatch(path):
            return Several(f"https://music.youtube.com/browse/{album[1]}")
        if browsed := _BROWSED.fullmatch(path):
            return Several(f"https://www.youtube.com/playlist?list={browsed[1]}")
    return None


def _first(asked: dict[str, list[str]], name: str, form: re.Pattern[str]) -> str | None:
    value = asked.get(name, [""])[0]
    return value if form.fullmatch(value) else None
