"""What a public page of Apple Music says of songs. Pure.

It says it twice: in what its own script is served, with artists, and in what search engines read (JSON-LD),
where songs of a playlist have a name, a link and a length, and mostly nobody whose they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import attrs

from ryzen.sources.matching import Wanted
from ryzen.sources.told import Page, Told, at, each, line, seconds

_ID = re.compile(r"(?:[?&]i=|/(?:song/)?(?:[^/]+/)?)(\d{1,20})(?:[&#].*)?$")
#: How deep the served data may be nested, and how many things in it are looked at.
_DEEP, _MANY = 12, 200_000


@attrs.frozen
class Song:
    id: str
    wanted: Wanted


@attrs.frozen
class Songs:
    """``total`` is how many there are, 0 if the page does not say."""

    songs: tuple[Song, ...]
    title: str = ""
    total: int = 0


def read(html: str) -> Songs | None:
    """None if there is nothing of it in the page."""
    page = Page(html)
    linked = next((one for data in page.data(type="application/ld+json") if (one := _linked(data))), None)
    served = tuple(song for data in page.data(id="serialized-server-data") for song in _served(data))
    if served:
        return attrs.evolve(linked or Songs(()), songs=served)
    return linked


# -- for its own script
def _served(data: object) -> Iterator[Song]:
    seen: set[str] = set()
    for lockup in _lockups(data):
        key = line(lockup, "contentDescriptor", "identifiers", "storeAdamID")
        title, artist = line(lockup, "title"), line(lockup, "artistName")
        if key.isdecimal() and title and key not in seen:
            seen.add(key)
            length = seconds(lockup, "duration", unit=0.001)
            yield Song(key, Wanted(title, (artist,) if artist else (), length))


def _lockups(data: object) -> Iterator[Told]:
    """Songs in lists, wherever they are: the sections around them change."""
    left, looked = [(data, 0)], 0
    while left and looked < _MANY:
        value, depth = left.pop()
        looked += 1
        if depth > _DEEP:
            continue
        if isinstance(value, dict):
            if at(value, "contentDescriptor", "kind") == "song":
                yield value
            left += ((inner, depth + 1) for inner in reversed(value.values()))
        elif isinstance(value, list):
            left += ((inner, depth + 1) for inner in reversed(value))


# -- for search engines
def _linked(data: object) -> Songs | None:
    match at(data, "@type"):
        case "MusicRecording" | "MusicComposition":
            song = _recording(data, ())
            return Songs((song,), song.wanted.title, 1) if song else None
        case "MusicAlbum" | "MusicPlaylist":
            artists = _artists(data)
            tracks = each(data, "tracks") or each(data, "track")
            songs = tuple(song for one in tracks if (song := _recording(one, artists)))
            return Songs(songs, line(data, "name"), int(seconds(data, "numTracks") or 0)) if songs else None
        case _:
            return None


def _recording(data: object, artists: tuple[str, ...]) -> Song | None:
    title = line(data, "name")
    key = _ID.search(line(data, "url"))
    if not title or not key:
        return None
    sound = at(data, "audio")
    length = seconds(data, "duration") or seconds(data, "timeRequired") or seconds(sound, "duration")
    album = line(sound, "inAlbum", "name") or line(data, "inAlbum", "name")
    return Song(key[1], Wanted(title, _artists(data) or _artists(sound) or artists, length, album=album))


def _artists(data: object) -> tuple[str, ...]:
    one = line(data, "byArtist", "name")
    return (one,) if one else tuple(filter(None, (line(by, "name") for by in each(data, "byArtist"))))
