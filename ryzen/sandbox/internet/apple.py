"""A local Apple Music: the lookup interface of the iTunes store, and public pages.

Imitated after Apple's documentation of the interface and the pages that everybody is served; written by us.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from aiohttp import web

from ryzen.sandbox.internet.innertube import Json
from ryzen.sandbox.internet.shop import List, Listed


class Apple:
    """``streamed``: songs that the store does not sell. ``served`` off, pages are for search engines only.

    Ids are the numbers; an album's is its own, a playlist's has ``pl.`` before it.
    """

    hosts = ("itunes.apple.com", "music.apple.com")

    def __init__(
        self,
        songs: Iterable[Listed],
        *,
        albums: Iterable[List] = (),
        playlists: Iterable[List] = (),
        streamed: Iterable[Listed] = (),
    ) -> None:
        self.songs = {song.number: song for song in songs}
        self.streamed = {song.number: song for song in streamed}
        self.albums = {album.number: album for album in albums}
        self.playlists = {f"pl.{listed.number}": listed for listed in playlists}
        self.served = True

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.host == "itunes.apple.com":
            return self._look_up(request)
        match request.path.split("/")[1:]:
            case [_, "playlist", ident] if ident in self.playlists:
                return _page(self._playlist(self.playlists[ident]), self._sections(self.playlists[ident]))
            case [_, "song", ident] if int(ident) in self.streamed:
                return _page({"@type": "MusicComposition", **_recording(self.streamed[int(ident)])}, None)
        return web.Response(status=404)

    # -- the store
    def _look_up(self, request: web.Request) -> web.Response:
        limit = int(request.query.get("limit", 50))
        results: list[Json] = []
        for ident in map(int, request.query["id"].split(",")):
            if ident in self.songs:
                results.append(_sold(self.songs[ident]))
            elif ident in self.albums:
                album = self.albums[ident]
                results.append(
                    {
                        "wrapperType": "collection",
                        "collectionName": album.title,
                        "trackCount": len(album.songs),
                    }
                )
                results += map(_sold, album.songs[: limit - 1])
            elif ident == 1_000_000:  # the artist
                results.append({"wrapperType": "artist", "artistName": "Local Artist"})
                results += map(_sold, list(self.songs.values())[: limit - 1])
        body = json.dumps({"resultCount": len(results), "results": results})
        return web.Response(text=body, content_type="text/javascript")  # as Apple has it

    # -- the pages
    def _playlist(self, playlist: List) -> Json:
        tracks = [{"@type": "MusicRecording", **_recording(song)} for song in playlist.songs]
        for track in tracks:
            del track["audio"]
        return {
            "@type": "MusicPlaylist",
            "name": playlist.title,
            "numTracks": len(playlist.songs),
            "track": tracks,
        }

    def _sections(self, playlist: List) -> Json | None:
        if not self.served:
            return None
        lockups = [
            {
                "id": f"track-lockup - pl.{playlist.number} - {song.number}",
                "title": song.title,
                "artistName": ", ".join(song.artists),
                "duration": song.ms,
                "contentDescriptor": {"kind": "song", "identifiers": {"storeAdamID": str(song.number)}},
            }
            for song in playlist.songs
        ]
        return {"data": [{"data": {"sections": [{"itemKind": "trackLockup", "items": lockups}]}}]}


def _sold(song: Listed) -> Json:
    return {
        "wrapperType": "track",
        "kind": "song",
        "trackId": song.number,
        "trackName": song.title,
        "artistName": " & ".join(song.artists),
        "collectionName": song.album,
        "trackTimeMillis": song.ms,
    }


def _recording(song: Listed) -> Json:
    minutes, seconds = divmod(round(song.seconds), 60)
    return {
        "name": song.title,
        "url": f"https://music.apple.com/us/song/a-slug/{song.number}",
        "duration": f"PT{minutes}M{seconds}S",
        "audio": {
            "@type": "MusicRecording",
            "byArtist": [{"@type": "MusicGroup", "name": name} for name in song.artists],
        },
    }


def _page(linked: Json, served: Json | None) -> web.Response:
    scripts = f'<script id=schema:music type="application/ld+json">{json.dumps(linked)}</script>'
    if served is not None:
        scripts += (
            f'<script type="application/json" id="serialized-server-data">{json.dumps(served)}</script>'
        )
    return web.Response(text=f"<html><head>{scripts}</head></html>", content_type="text/html")
