"""YouTube as yt-dlp sees it: search, videos, shorts, playlists, mixes, live streams, and all its refusals."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Sequence

from aiohttp import web

from ryzen.sandbox.internet import innertube, youtube_music
from ryzen.sandbox.internet.catalogue import Catalogue
from ryzen.sandbox.internet.hls import PLAYLIST, Live, cut, master
from ryzen.sandbox.internet.innertube import PICTURES, Block, Json, State, Video
from ryzen.sandbox.internet.media import GOOD, File, Manners
from ryzen.sandbox.internet.pictures import jpeg
from ryzen.sandbox.internet.songs import Recording

MEDIA = "rr1---sn-sandbox.googlevideo.com"
MANIFESTS = "manifest.googlevideo.com"
MUSIC = "music.youtube.com"
SEARCH_PAGE, PLAYLIST_PAGE, MIX_PAGE = 20, 100, 25
#: Where the player's script is, with the riddles that links are hidden behind: ours has none.
_PLAYER, _SIGNED_AT = "/s/player/0badcafe/player_ias.vflset/en_US/base.js", 20400
_API = "/youtubei/v1/"
_VIDEO_LINK = re.compile(r"(?:v=|shorts/|live/|youtu\.be/)([\w-]{11})")
_PICTURE = re.compile(r"/vi(?:_webp)?/([^/]+)/(\w+?)(?:_live)?\.(?:jpg|webp)")


class YouTube:
    """What yt-dlp 2026.10.26 and ytmusicapi 1.12 ask of YouTube, YouTube Music, and where their media are.

    Imitated are the innertube API, the pages which carry its answers, and the media hosts with their links
    that age; written by us after what the clients read. Links carry no riddles: no JavaScript is needed.
    ``manners`` are those of all media. ``played`` are the player requests as they came: the client's name
    (``WEB`` for the page of a video) and the video's id.
    """

    hosts = (
        "www.youtube.com",
        "youtube.com",
        "m.youtube.com",
        MUSIC,
        "youtu.be",
        "youtubei.googleapis.com",
        "*.googlevideo.com",
        "i.ytimg.com",
        "lh3.googleusercontent.com",
    )

    def __init__(self, recordings: Iterable[Recording] = (), manners: Manners = GOOD) -> None:
        self.catalogue = Catalogue(recordings)
        self._manners = manners
        self.played: list[tuple[str, str]] = []
        self._files: dict[tuple[str, int], File] = {}
        self._live: dict[str, Live] = {}
        self._block: Block | None = None
        self._blocked_clients: Collection[str] = ()
        self._patience = 0

    # -- staging
    def add(self, recording: Recording, state: State = State.FINE) -> Video:
        """A video, or another state of one. Raises RuntimeError without an event loop if it is live."""
        if state is State.LIVE:
            self._live[recording.song.id] = Live(cut(recording.m4a))
        return self.catalogue.add(recording, state)

    def playlist(self, id: str, title: str, videos: Sequence[Video]) -> str:
        """The link of a new playlist; ``Echoes`` for a very long one."""
        self.catalogue.add_list(id, title, videos)
        return f"https://www.youtube.com/playlist?list={id}"

    def block(self, kind: Block | str | None, after: int = 0, clients: Collection[str] = ()) -> None:
        """Refuse every video from now on, or after so many more player requests; None: no longer.

        ``clients``: only players of these names (``VISIONOS``, ``TVHTML5`` …), so that another gets through.
        ``429`` refuses everybody, and searches and pages as well.
        """
        self._block = None if kind is None else Block(kind)
        self._patience = after
        self._blocked_clients = () if self._block is Block.TOO_MANY else clients

    def behave(self, manners: Manners) -> None:
        """How all media are handed out from now on."""
        self._manners = manners
        for file in self._files.values():
            file.manners = manners

    def file(self, video_id: str, itag: int = 251) -> File:
        """Its media, webm (251) or m4a (140), to have manners of its own or to revoke links to it.

        Raises KeyError if there is no such video.
        """
        if (video := self.catalogue.find(video_id)) is None:
            raise KeyError(video_id)
        if (video_id, itag) not in self._files:
            body, kind = {
                251: (video.recording.webm, "audio/webm"),
                140: (video.recording.m4a, "audio/mp4"),
            }[itag]
            url = f"https://{MEDIA}/videoplayback?id={video_id}&itag={itag}&expire=1999999999"
            self._files[video_id, itag] = File(url, body, kind, self._manners)
        return self._files[video_id, itag]

    def live(self, video_id: str) -> Live:
        return self._live[video_id]

    # -- as a Site
    async def answer(self, request: web.Request) -> web.StreamResponse:
        match request.host:
            case "i.ytimg.com" | "lh3.googleusercontent.com":
                return self._picture(request)
            case host if host == MANIFESTS:
                return await self._manifest(request)
            case host if host.endswith(".googlevideo.com"):
                return await self._media(request)
        if self._block is Block.TOO_MANY and self._refuses(""):
            return web.Response(status=429)
        if request.path.startswith(_API):
            return await self._api(request, request.path.removeprefix(_API))
        return self._page(request)

    def _refuses(self, client: str) -> bool:
        return (
            self._block is not None
            and self._patience <= 0
            and (not self._blocked_clients or client in self._blocked_clients)
        )

    async def _api(self, request: web.Request, endpoint: str) -> web.Response:
        asked = await request.json()
        match endpoint:
            case "player":
                return web.json_response(self._player(asked))
            case "search" if request.host == MUSIC:
                found = self.catalogue.search(asked["query"])
                return web.json_response(youtube_music.search(found, asked.get("params", "")))
            case "search":
                return web.json_response(self._search(asked))
            case "browse":
                return web.json_response(self._browse(asked))
            case "navigation/resolve_url":
                return web.json_response(_resolve(asked["url"]))
            case "next":
                index = int(asked.get("index", 1)) - 1
                return web.json_response(
                    self._beside(asked.get("videoId", ""), asked.get("playlistId", ""), index)
                )
        return web.Response(status=404)

    def _player(self, asked: Json) -> Json:
        client, video_id = asked["context"]["client"]["clientName"], asked["videoId"]
        self.played.append((client, video_id))
        if self._block is not None and self._refuses(client):
            return innertube.refusal(self._block, video_id)
        self._patience -= 1
        if (video := self.catalogue.find(video_id)) is None:
            return innertube.missing(video_id)
        webm, m4a = (self.file(video_id, itag).link() for itag in (251, 140))
        live = f"https://{MANIFESTS}/api/manifest/hls_variant/id/{video_id}/file/index.m3u8"
        return innertube.player(video, webm, m4a, live)

    def _search(self, asked: Json) -> Json:
        words, _, start = asked.get("continuation", f"{asked.get('query')}\n0").rpartition("\n")
        found, at = self.catalogue.search(words), int(start)
        rest = at + SEARCH_PAGE
        token = f"{words}\n{rest}" if rest < len(found) else None
        return innertube.results(found[at:rest], token, first="continuation" not in asked)

    def _browse(self, asked: Json) -> Json:
        token = asked.get("continuation", f"{asked.get('browseId', '').removeprefix('VL')}\n0")
        id, _, start = token.rpartition("\n")
        if (listed := self.catalogue.playlist(id)) is None:
            return innertube.no_playlist()
        at = int(start)
        rest = at + PLAYLIST_PAGE
        page = listed.videos[at:rest]
        more = f"{id}\n{rest}" if rest < len(listed.videos) else None
        if "continuation" in asked:
            return innertube.playlist_rest(page, more)
        return innertube.playlist(id, listed.title, len(listed.videos), page, more)

    def _beside(self, video_id: str, list_id: str, at: int = 0) -> Json:
        video = self.catalogue.find(video_id)
        if (listed := self.catalogue.playlist(list_id)) is None:
            return innertube.beside(video_id, video)
        # As on YouTube, a page of a mix begins with what the page before has shown.
        start = max(0, at - 1)
        page = listed.videos[start : start + MIX_PAGE]
        return innertube.beside(video_id, video, innertube.queue(list_id, listed.title, page, start + 1))

    # -- pages
    def _page(self, request: web.Request) -> web.Response:
        """A page with the same data as the API's answers in it, or one of the few files beside them."""
        query = request.query
        if request.path == "/iframe_api":
            return web.Response(text=f"var scriptUrl = 'https://www.youtube.com{_PLAYER}';")
        if request.path == _PLAYER:
            return web.Response(text=f"var config = {{signatureTimestamp: {_SIGNED_AT}}};")
        if request.path == "/oembed":
            return self._card(query.get("url", ""))
        data: Json = {"contents": {}}
        player = None
        if request.path == "/playlist" and not query.get("list", "").startswith("RD"):
            data = self._browse({"browseId": f"VL{query.get('list', '')}"})
        elif request.path in ("/playlist", "/watch"):
            video_id = query.get("v") or query.get("list", "")[2:]
            data = self._beside(video_id, query.get("list", ""))
            if "list" not in query:
                player = self._player({"context": {"client": {"clientName": "WEB"}}, "videoId": video_id})
        settings = {"VISITOR_DATA": "sandbox", "PLAYER_JS_URL": _PLAYER, "STS": _SIGNED_AT}
        script = f"ytcfg.set({json.dumps(settings)});\nvar ytInitialData = {_embedded(data)};"
        if player is not None:
            script += f"\nvar ytInitialPlayerResponse = {_embedded(player)};"
        text = f"<!DOCTYPE html><title>YouTube</title><script>{script}</script>"
        return web.Response(text=text, content_type="text/html")

    def _card(self, url: str) -> web.Response:
        """oEmbed: who made what, for a link."""
        found = _VIDEO_LINK.search(url)
        if found is None or (video := self.catalogue.find(found[1])) is None:
            return web.Response(status=404, text="Not Found")
        if video.state in (State.PRIVATE, State.REMOVED):
            return web.Response(status=403, text="Forbidden")
        picture = f"https://i.ytimg.com/vi/{video.id}/hqdefault.jpg"
        song = video.song
        return web.json_response(
            {"type": "video", "title": song.title, "author_name": song.artist, "thumbnail_url": picture}
        )

    # -- bytes
    async def _media(self, request: web.Request) -> web.StreamResponse:
        try:
            file = self.file(request.query.get("id", ""), int(request.query.get("itag", "251")))
        except KeyError:
            return web.Response(status=404)
        return await file.give(request)

    async def _manifest(self, request: web.Request) -> web.StreamResponse:
        """``/api/manifest/hls_variant/id/<video>/file/index.m3u8`` and ``…/hls_playlist/id/<video>/…``."""
        kind, video_id = request.path.split("/")[3], request.path.split("/")[5]
        if (live := self._live.get(video_id)) is None:
            return web.Response(status=404)
        if kind == "hls_variant":
            link = f"https://{MANIFESTS}/api/manifest/hls_playlist/id/{video_id}/itag/234/playlist/index.m3u8"
            return web.Response(text=master(link), content_type=PLAYLIST)
        return await live.answer(request)

    def _picture(self, request: web.Request) -> web.Response:
        match = _PICTURE.fullmatch(request.path)
        video = self.catalogue.find(match[1]) if match else None
        if match is None or video is None or match[2] not in PICTURES:
            return web.Response(status=404)
        body = jpeg(PICTURES[match[2]], video.song.colour, video.song.title)
        return web.Response(body=body, content_type="image/jpeg")


def _resolve(url: str) -> Json:
    query = dict(part.partition("=")[::2] for part in url.partition("?")[2].split("&"))
    list_id = query.get("list", "")
    if "v" in query or list_id.startswith("RD"):
        watched = {"videoId": query.get("v") or list_id[2:], "playlistId": list_id}
        return {"endpoint": {"watchEndpoint": watched}}
    return {"endpoint": {"browseEndpoint": {"browseId": f"VL{list_id}"}}}


def _embedded(data: Json) -> str:
    return json.dumps(data).replace("</", "<\\/")
