"""YouTube Music's search, as ytmusicapi 1.12 reads it: imitated after its parsers, and written by us."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from ryzen.sandbox.internet.innertube import CHANNEL, Json, Video, clock, pictures

#: What search parameters have in them if only songs, or only videos, are wanted.
_SONGS, _VIDEOS = "EgWKAQII", "EgWKAQIQ"
_DOT = {"text": " • "}


def search(found: Iterable[Video], parameters: str) -> Json:
    """Songs (who has an album) or videos (who has none), or both under one title each."""
    every = tuple(found)
    songs = [video for video in every if video.song.album]
    videos = [video for video in every if not video.song.album]
    shelves = []
    if songs and not parameters.startswith(_VIDEOS):
        shelves.append(_shelf("Songs", songs))
    if videos and not parameters.startswith(_SONGS):
        shelves.append(_shelf("Videos", videos))
    if not shelves:
        shelves = [{"itemSectionRenderer": {"contents": [{"messageRenderer": {}}]}}]
    tab = {"tabRenderer": {"content": {"sectionListRenderer": {"contents": shelves}}}}
    return {"contents": {"tabbedSearchResultsRenderer": {"tabs": [tab]}}}


def _shelf(title: str, videos: Iterable[Video]) -> Json:
    contents = [{"musicResponsiveListItemRenderer": _item(video)} for video in videos]
    return {"musicShelfRenderer": {"title": {"runs": [{"text": title}]}, "contents": contents}}


def _item(video: Video) -> Json:
    kind = "MUSIC_VIDEO_TYPE_ATV" if video.song.album else "MUSIC_VIDEO_TYPE_UGC"
    watch = {
        "videoId": video.id,
        "watchEndpointMusicSupportedConfigs": {"watchEndpointMusicConfig": {"musicVideoType": kind}},
    }
    button = {"musicPlayButtonRenderer": {"playNavigationEndpoint": {"watchEndpoint": watch}}}
    runs = [_linked(video.song.artist, CHANNEL), _DOT]
    if video.song.album:
        runs += [_linked(video.song.album, album_id(video.song.album)), _DOT]
    return {
        "overlay": {"musicItemThumbnailOverlayRenderer": {"content": button}},
        "thumbnail": {"musicThumbnailRenderer": {"thumbnail": pictures(video.id)}},
        "flexColumns": [
            _column([{"text": video.song.title, "navigationEndpoint": {"watchEndpoint": watch}}]),
            _column([*runs, {"text": clock(video.recording.seconds)}]),
        ],
    }


def album_id(album: str) -> str:
    return "MPREb_" + hashlib.blake2s(album.encode(), digest_size=6).hexdigest()


def _linked(text: str, browse_id: str) -> Json:
    return {"text": text, "navigationEndpoint": {"browseEndpoint": {"browseId": browse_id}}}


def _column(runs: list[dict[str, Any]]) -> Json:
    return {"musicResponsiveListItemFlexColumnRenderer": {"text": {"runs": runs}}}
