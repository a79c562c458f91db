"""What an HLS playlist says (RFC 8216), as far as sound goes. Pure; it is read by the m3u8 package.

Nothing but http and https links comes out of it: a playlist is somebody else's, and may name anything.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any
from urllib.parse import urljoin, urlsplit

import attrs
import m3u8

from ryzen.errors import TrackError, TrackTrouble

#: The most bytes and segments of one playlist: at 6 s a segment that is 16 h.
MOST_BYTES = 1 << 20
MOST_SEGMENTS = 10_000
#: For a live playlist to change no less is waited than this, and no more, in seconds, whatever it says.
_SHORTEST, _LONGEST = 1.0, 60.0
#: How the names of what we decode begin in CODECS.
_SOUND = ("mp4a", "opus", "flac", "alac", "mp3")
#: How m3u8 6 takes what is not as it should be.
_UNREADABLE = (ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError)


@attrs.frozen
class Key:
    """AES-128. ``iv`` None: the segment's number."""

    url: str = attrs.field(repr=False)
    iv: bytes | None = None


@attrs.frozen
class Part:
    """A file, or the bytes of it from ``at`` up to ``end`` (None: to its end)."""

    url: str = attrs.field(repr=False)
    at: int = 0
    end: int | None = None
    key: Key | None = None


@attrs.frozen
class Segment:
    """``initial`` has to be read before it, unless it has been already. ``duration`` in seconds."""

    number: int
    duration: float
    part: Part
    initial: Part | None = None


@attrs.frozen
class Playlist:
    """``target``: no segment is longer, or so it says; a second at the least. ``ended``: there will be no
    more segments."""

    segments: tuple[Segment, ...]
    target: float
    ended: bool


@attrs.frozen
class Choice:
    """The variant to take, of those a master playlist has."""

    url: str = attrs.field(repr=False)


def read(body: bytes, url: str) -> Playlist | Choice:
    """``url`` is where it came from. Raises TrackError (UNSUPPORTED, FORBIDDEN, TOO_BIG, BROKEN)."""
    text = body.decode("utf-8", "replace").removeprefix("\ufeff")
    if not text.startswith("#EXTM3U"):
        raise TrackError(TrackTrouble.UNSUPPORTED, "no HLS playlist")
    if text.count("#EXTINF") > MOST_SEGMENTS:
        raise TrackError(TrackTrouble.TOO_BIG, f"a playlist of more than {MOST_SEGMENTS} segments")
    try:
        said = m3u8.loads(text)
        return _choice(said, url) if said.is_variant else _playlist(said, url)
    except _UNREADABLE as error:
        # Not what the error says: that may be a link of the playlist, with a token in it.
        raise TrackError(TrackTrouble.BROKEN, "its playlist cannot be read") from error


def _choice(said: Any, base: str) -> Choice:
    """Sound alone, the best of it; else with the least film around it."""
    variants = [variant for variant in said.playlists if variant.uri and _may_sound(variant.stream_info)]
    if not variants:
        raise TrackError(TrackTrouble.UNSUPPORTED, "no variant of it has sound that we can decode")
    variants.sort(key=lambda variant: variant.stream_info.bandwidth or 0)
    alone = [variant for variant in variants if _sounds_alone(variant.stream_info)]
    if alone:
        return Choice(_absolute(base, alone[-1].uri))
    for variant in reversed(variants):
        group = [
            media
            for media in said.media
            if media.type == "AUDIO" and media.uri and media.group_id == variant.stream_info.audio
        ]
        if group:
            return Choice(_absolute(base, max(group, key=lambda media: media.default == "YES").uri))
    return Choice(_absolute(base, variants[0].uri))


def _codecs(info: Any) -> list[str]:
    return [name.strip().lower() for name in (info.codecs or "").split(",") if name.strip()]


def _may_sound(info: Any) -> bool:
    """Who says nothing of codecs may have any."""
    return not _codecs(info) or any(name.startswith(_SOUND) for name in _codecs(info))


def _sounds_alone(info: Any) -> bool:
    return bool(_codecs(info)) and all(name.startswith(_SOUND) for name in _codecs(info))


def _playlist(said: Any, base: str) -> Playlist:
    segments: list[Segment] = []
    before: Part | None = None
    first = said.media_sequence or 0
    if not 0 <= first < 1 << 64:
        raise TrackError(TrackTrouble.BROKEN, "its segments are counted from nowhere")
    for number, segment in enumerate(said.segments, first):
        if not segment.uri:
            raise TrackError(TrackTrouble.BROKEN, "a segment without a place")
        key = _key(segment.key, base)
        where = _absolute(base, segment.uri)
        behind = before.end if before is not None and before.url == where else None
        part = before = _part(where, segment.byterange, behind or 0, key)
        section = segment.init_section
        initial = (
            _part(_absolute(base, section.uri), section.byterange, 0, key)
            if section and section.uri
            else None
        )
        if not segment.gap_tag:
            segments.append(Segment(number, _seconds(segment.duration), part, initial))
    longest = max((segment.duration for segment in segments), default=0.0)
    target = min(_LONGEST, max(_SHORTEST, _seconds(said.target_duration) or longest))
    return Playlist(tuple(segments), target, bool(said.is_endlist))


def _part(url: str, span: str | None, behind: int, key: Key | None) -> Part:
    """``span`` is ``length@start``, or a length alone: then it starts ``behind`` the part before."""
    if not span:
        return Part(url, key=key)
    length, _, start = span.partition("@")
    at = int(start) if start else behind
    if at < 0 or int(length) <= 0:
        raise TrackError(TrackTrouble.BROKEN, "a segment of no bytes")
    return Part(url, at, at + int(length), key)


def _key(said: Any, base: str) -> Key | None:
    if said is None or said.method in (None, "NONE"):
        return None
    if said.method != "AES-128" or said.keyformat not in (None, "identity") or not said.uri:
        raise TrackError(TrackTrouble.UNSUPPORTED, "its encryption is none that we read")
    iv = None if not said.iv else int(said.iv, 16).to_bytes(16, "big")
    return Key(_absolute(base, said.uri), iv)


def _absolute(base: str, place: str) -> str:
    url = urljoin(base, place)
    if urlsplit(url).scheme not in ("http", "https"):
        raise TrackError(TrackTrouble.FORBIDDEN, "its playlist leads to something that is no web server")
    return url


def _seconds(said: float | None) -> float:
    return said if said is not None and math.isfinite(said) and said > 0 else 0.0


def live_edge(segments: Sequence[Segment], behind: float) -> int:
    """The number of the segment to begin with, ``behind`` seconds (or a little more) before the end."""
    for segment in reversed(segments):
        behind -= segment.duration
        if behind <= 0:
            return segment.number
    return segments[0].number if segments else 0
