"""Which videos there are on the local YouTube, and in which lists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

import attrs

from ryzen.sandbox.internet.innertube import State, Video
from ryzen.sandbox.internet.songs import Recording

_WORDS = re.compile(r"\w+")


class Echoes(Sequence[Video]):
    """One recording as very many videos, each made when it is looked at: for playlists of 50,000 entries.

    Their ids and titles are ``prefix`` and a number; all of them can be played.
    """

    def __init__(self, recording: Recording, prefix: str, count: int) -> None:
        self._recording = recording
        self._prefix = prefix
        self._count = count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Video: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Video]: ...
    def __getitem__(self, index: int | slice) -> Video | Sequence[Video]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(self._count))]
        if not 0 <= index < self._count:
            raise IndexError(index)
        digits = 11 - len(self._prefix)
        title = f"{self._recording.song.title} {index + 1}"
        return Video(self._recording.called(f"{self._prefix}{index:0{digits}}", title=title))

    def find(self, video_id: str) -> Video | None:
        number = video_id.removeprefix(self._prefix)
        if number == video_id or not number.isdecimal() or int(number) >= self._count:
            return None
        return self[int(number)]


@attrs.frozen
class Playlist:
    id: str
    title: str
    videos: Sequence[Video] = attrs.field(repr=False)


class Catalogue:
    def __init__(self, recordings: Iterable[Recording]) -> None:
        self._videos = {recording.song.id: Video(recording) for recording in recordings}
        self._playlists: dict[str, Playlist] = {}

    def __iter__(self) -> Iterator[Video]:
        return iter(tuple(self._videos.values()))

    def add(self, recording: Recording, state: State) -> Video:
        self._videos[recording.song.id] = Video(recording, state)
        return self._videos[recording.song.id]

    def find(self, video_id: str) -> Video | None:
        if (video := self._videos.get(video_id)) is not None:
            return video
        echoes = (listed.videos for listed in self._playlists.values() if isinstance(listed.videos, Echoes))
        return next((video for each in echoes if (video := each.find(video_id))), None)

    def search(self, words: str) -> list[Video]:
        """Those with any of the words in title or artist: who has most of them first, then as they came."""
        wanted = set(_WORDS.findall(words.casefold()))
        found = [(len(wanted & _words(video)), video) for video in self._videos.values()]
        return [video for count, video in sorted(found, key=lambda pair: -pair[0]) if count]

    # -- lists
    def add_list(self, id: str, title: str, videos: Sequence[Video]) -> None:
        self._playlists[id] = Playlist(id, title, videos)

    def playlist(self, id: str) -> Playlist | None:
        """A mix (``RD`` and a video's id) is that video and then all others."""
        if id.startswith("RD") and (seed := self.find(id[2:])) is not None:
            rest = [video for video in self._videos.values() if video.id != seed.id]
            return Playlist(id, f"Mix - {seed.song.title}", [seed, *rest])
        return self._playlists.get(id)


def _words(video: Video) -> set[str]:
    return set(_WORDS.findall(f"{video.song.title} {video.song.artist}".casefold()))
