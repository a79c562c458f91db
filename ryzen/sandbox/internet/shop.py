"""Songs as shops list them, for the local Spotify, Apple Music and Deezer: none of these plays anything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import overload

import attrs

from ryzen.sandbox.internet.songs import Recording


@attrs.frozen
class Listed:
    """A song in a shop. ``number`` is unique there; each shop makes its own id of it."""

    number: int
    title: str
    artists: tuple[str, ...]
    seconds: float
    album: str = ""
    isrc: str = ""

    @property
    def ms(self) -> int:
        return round(self.seconds * 1000)


@attrs.frozen
class List:
    """An album or a playlist."""

    number: int
    title: str
    songs: Sequence[Listed]


class Many(Sequence[Listed]):
    """Songs without end, nearly: each is made when it is looked at."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Listed: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Listed]: ...
    def __getitem__(self, index: int | slice) -> Listed | Sequence[Listed]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(self._count))]
        if not 0 <= index < self._count:
            raise IndexError(index)
        isrc = f"XXSBX{index:07}"
        return Listed(10_000 + index, f"Song {index + 1}", ("Local Artist", "Guest"), 180, "Songs", isrc)


def listed(recordings: Iterable[Recording]) -> tuple[Listed, ...]:
    """What the shops have of the songs of the local internet: those that are on an album."""
    return tuple(
        Listed(number, each.song.title, (each.song.artist,), each.seconds, each.song.album, each.song.isrc)
        for number, each in enumerate(recordings, 1)
        if each.song.album
    )
