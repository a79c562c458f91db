"""What yt-dlp says of something (its info dict, as JSON) in our words. Pure.

Nothing in it is believed: sites write what they like into titles, and numbers come as text.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ryzen.errors import TrackError, TrackTrouble
from ryzen.origins import Remote, Segmented
from ryzen.player.state import Chapter, Track
from ryzen.sources.links import cut, title_of

Info = Mapping[str, Any]

#: In yt-dlp's own words, which sorts what is left by language, quality and codec: sound alone, as a file and
#: in the best quality up to 192 kbit/s (a call carries 32), else as HLS, else with a small picture.
SOUND = "/".join(
    (
        "ba[protocol~='^https?$'][abr<=?192]",
        "ba[protocol~='^m3u8'][abr<=?192]",
        "wa[protocol~='^https?$']",
        "wa[protocol~='^m3u8']",
        "b[protocol~='^https?$'][height<=?480]",
        "b[protocol~='^m3u8'][height<=?480]",
        "w[protocol~='^(https?$|m3u8)']",
    )
)
#: A cover is asked for at this width in pixels, and never loaded above the second.
_WIDE, _WIDEST = 720, 1920
_NOISE = re.compile(
    r"\s*[(\[]\s*(?:the\s+)?(?:official\b[^)\]]*|(?:music|lyrics?|audio)(?:\s+video)?|video(?:\s?clip)?|visuali[sz]er"
    r"|hd|hq|4k|uhd|full\s+(?:song|audio|video)|m/?v|clip\s+officiel)\s*[)\]]",
    re.IGNORECASE,
)
_CHAPTER = re.compile(
    r"^\W*(?:(?P<h>\d{1,2}):)?(?P<m>\d{1,3}):(?P<s>[0-5]\d)[\])]?\s*[-–—:|•.]?\s*(?P<title>\S.{0,300})$",
    re.MULTILINE,
)
_DASH = re.compile(r"\s+[-–—]\s+")


def text(info: Info, *names: str) -> str:
    """The first of these that says anything, on one line."""
    for name in names:
        value = info.get(name)
        if isinstance(value, str) and (line := cut(value)):
            return line
    return ""


def number(value: object) -> float | None:
    """Finite and above zero, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except ValueError:
        return None
    return found if math.isfinite(found) and found > 0 else None


def duration(info: Info) -> float | None:
    return None if is_live(info) else number(info.get("duration"))


def is_live(info: Info) -> bool:
    return info.get("is_live") is True or info.get("live_status") == "is_live"


def entries(info: Info) -> Iterator[Info]:
    """What is in a playlist; lists in lists (the tabs of a channel) are walked through."""
    for entry in _objects(info, "entries"):
        if isinstance(entry.get("entries"), list):
            yield from entries(entry)
        else:
            yield entry


def is_list(info: Info) -> bool:
    return info.get("_type") in ("playlist", "multi_video") or isinstance(info.get("entries"), list)


def left_out(info: Info, seen: int) -> int:
    """How many there are beyond those seen, as far as the site tells."""
    total = number(info.get("playlist_count"))
    if total is None:
        return int(number(info.get("left_out")) or 0)
    return max(0, int(total) - seen)


def names(info: Info) -> tuple[str, str]:
    """Title and artist: the title that is shown, unless there is better."""
    title = text(info, "track", "title", "alt_title", "fulltitle")
    artist = artists(info)
    uploader = text(info, "channel", "uploader", "creator").removesuffix(" - Topic")
    if text(info, "track") in ("", text(info, "title")):  # some sites call every title a track's
        title, artist = split_title(title, artist, uploader)
    return title or title_of(text(info, "webpage_url", "url")), artist or uploader


def artists(info: Info) -> str:
    for name in ("artists", "creators"):
        if isinstance(info.get(name), list) and (found := [cut(str(one)) for one in info[name] if one]):
            return cut(", ".join(dict.fromkeys(found)))
    return text(info, "artist", "album_artist")


def split_title(title: str, artist: str, uploader: str) -> tuple[str, str]:
    """``Artist - Title (Official Video)`` → title and artist, where nobody says that the artist is another;
    what is in brackets goes if it speaks of the video, and not of the song (``Live``, ``Remix``)."""
    plain = _NOISE.sub("", title).strip() or title
    left, *rest = _DASH.split(plain, maxsplit=1)
    if rest and left and (not (artist or uploader) or _same(left, (artist, uploader))):
        return rest[0].strip(), artist or left.strip()
    return plain, artist


def _same(name: str, others: tuple[str, str]) -> bool:
    """Whether a name is one of these, written alike: ``Daft Punk`` and ``DaftPunkVEVO``."""
    folded = _letters(name)
    if not folded:
        return False
    for other in others:
        theirs = re.sub(r"(vevo|official|music|tv)+$", "", _letters(other))
        if theirs and (theirs == folded or (len(theirs) > 3 and theirs in folded)):
            return True
    return False


def _letters(name: str) -> str:
    return "".join(sign for sign in name.casefold() if sign.isalnum())


def artwork(info: Info) -> str | None:
    """The smallest picture that is wide enough, else the widest; never one of 4k."""
    sized: list[tuple[float, str]] = []
    for picture in _objects(info, "thumbnails"):
        width = number(picture.get("width"))
        if _web(picture.get("url")) and width is not None and width <= _WIDEST:
            sized.append((width, str(picture["url"])))
    if wide := [one for one in sized if one[0] >= _WIDE]:
        return min(wide)[1]
    if sized:
        return max(sized)[1]
    single = info.get("thumbnail")
    return str(single) if _web(single) else None


def chapters(info: Info) -> tuple[Chapter, ...]:
    """In order; those without a name or a place are left out."""
    found = []
    for chapter in _objects(info, "chapters"):
        title, start = text(chapter, "title"), chapter.get("start_time")
        if title and isinstance(start, int | float) and math.isfinite(start) and start >= 0:
            found.append(Chapter(float(start), title))
    return tuple(sorted(found, key=lambda chapter: chapter.start)) or _described(info)


def _described(info: Info) -> tuple[Chapter, ...]:
    """Chapters in a description, by YouTube's own rule: the first at 0:00, three or more, in order, each of
    ten seconds or longer. yt-dlp 2026.10.26 looks for them only if it has asked for a second page."""
    told, end = info.get("description"), duration(info)
    if not isinstance(told, str) or end is None:
        return ()
    found = []
    for line in _CHAPTER.finditer(told):
        hours, minutes, seconds = (int(part or 0) for part in line.group("h", "m", "s"))
        if title := cut(line["title"]):
            found.append(Chapter(float((hours * 60 + minutes) * 60 + seconds), title))
    starts = [chapter.start for chapter in found]
    lengths = [after - start for start, after in itertools.pairwise([*starts, end])]
    return tuple(found) if len(found) >= 3 and starts[0] == 0 and min(lengths) >= 10 else ()


def place(info: Info, *, span: int | None = None, proxied: bool = False) -> Remote | Segmented:
    """Where the bytes are, of the one format that was chosen. Raises TrackError if they can't be had."""
    if info.get("has_drm") is True:
        raise TrackError(TrackTrouble.UNSUPPORTED, "protected against copying")
    url, protocol = info.get("url"), str(info.get("protocol") or "")
    if not _web(url):
        raise TrackError(TrackTrouble.UNSUPPORTED, "nothing that can be played")
    headers = tuple(
        (str(name), str(value))
        for name, value in (info.get("http_headers") or {}).items()
        if str(name).lower() not in ("host", "range", "accept-encoding", "content-length", "connection")
    )
    if protocol in ("m3u8", "m3u8_native"):
        return Segmented(str(url), headers, live=is_live(info), proxied=proxied)
    if protocol and protocol not in ("http", "https"):
        raise TrackError(TrackTrouble.UNSUPPORTED, f"comes as {cut(protocol, 30)}")
    size = number(info.get("filesize"))
    return Remote(str(url), headers, None if size is None else int(size), span, proxied)


def track(info: Info, source: str, ident: str, ref: str, link: str | None) -> Track:
    title, artist = names(info)
    return Track(f"{source}:{ident}", title, source, ref, artist, duration(info), link)


def _objects(info: Info, name: str) -> Iterator[Info]:
    values = info.get(name)
    return (value for value in values if isinstance(value, Mapping)) if isinstance(values, list) else iter(())


def _web(url: object) -> bool:
    return isinstance(url, str) and url.startswith(("http://", "https://"))
