"""What is known of songs elsewhere: lyrics (LRCLIB) and what to skip (SponsorBlock)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from aiohttp import web

from ryzen.sandbox.internet.innertube import Json
from ryzen.sandbox.internet.songs import Recording


class Lrclib:
    """LRCLIB's ``/api/get`` and ``/api/search``, imitated after its public documentation, written by us."""

    hosts = ("lrclib.net",)

    def __init__(self, recordings: Iterable[Recording]) -> None:
        self._songs = [_lyrics(number, each) for number, each in enumerate(recordings, 1) if each.song.lyrics]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        query = request.query
        match request.path:
            case "/api/search":
                words = query.get("q") or f"{query.get('track_name', '')} {query.get('artist_name', '')}"
                wanted = words.casefold().split()
                found = [song for song in self._songs if all(word in _named(song) for word in wanted)]
                return web.json_response(found[:20])
            case "/api/get":
                if not query.get("track_name") or not query.get("artist_name"):
                    return web.json_response({"message": "missing track_name or artist_name"}, status=400)
                for song in self._songs:
                    if _is(song, query["track_name"], query["artist_name"], query.get("duration")):
                        return web.json_response(song)
        missing = {"code": 404, "name": "TrackNotFound", "message": "Failed to find specified track"}
        return web.json_response(missing, status=404)


def _lyrics(number: int, recording: Recording) -> Json:
    song = recording.song
    timed = [f"[{at // 60:02.0f}:{at % 60:05.2f}] {line}" for at, line in song.lyrics]
    return {
        "id": number,
        "name": song.title,
        "trackName": song.title,
        "artistName": song.artist,
        "albumName": song.album or song.title,
        "duration": round(recording.seconds, 2),
        "instrumental": False,
        "plainLyrics": "\n".join(line for _, line in song.lyrics),
        "syncedLyrics": "\n".join(timed),
    }


def _named(song: Json) -> str:
    return f"{song['trackName']} {song['artistName']} {song['albumName']}".casefold()


def _is(song: Json, title: str, artist: str, duration: str | None) -> bool:
    """LRCLIB lets a length differ by two seconds."""
    return (
        song["trackName"].casefold() == title.casefold()
        and song["artistName"].casefold() == artist.casefold()
        and (duration is None or abs(float(duration) - song["duration"]) <= 2)
    )


class SponsorBlock:
    """SponsorBlock's ``/api/skipSegments/<first characters of the id's SHA-256>``, imitated after its public
    documentation, written by us. Only ``sponsor`` is told to who names no categories."""

    hosts = ("sponsor.ajay.app",)

    def __init__(self, recordings: Iterable[Recording]) -> None:
        self._recordings = [each for each in recordings if each.song.segments]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        folder, _, prefix = request.path.rpartition("/")
        if folder != "/api/skipSegments" or not 4 <= len(prefix) <= 32:
            return web.Response(status=400, text="hash prefix does not match format requirements")
        wanted = request.query.getall("category", [])
        if "categories" in request.query:
            wanted = json.loads(request.query["categories"])
        found = [
            told
            for each in self._recordings
            if hashed(each).startswith(prefix) and (told := _skips(each, wanted or ["sponsor"]))["segments"]
        ]
        return web.json_response(found, status=200 if found else 404)


def hashed(recording: Recording) -> str:
    return hashlib.sha256(recording.song.id.encode()).hexdigest()


def _skips(recording: Recording, categories: Iterable[str]) -> Json:
    segments = [
        {
            "category": segment.category,
            "actionType": "skip",
            "segment": [segment.start, segment.end],
            "UUID": hashlib.sha256(f"{recording.song.id}{segment.start}".encode()).hexdigest(),
            "videoDuration": recording.seconds,
            "locked": 0,
            "votes": 3,
            "description": "",
        }
        for segment in recording.song.segments
        if segment.category in categories
    ]
    return {"videoID": recording.song.id, "hash": hashed(recording), "segments": segments}
