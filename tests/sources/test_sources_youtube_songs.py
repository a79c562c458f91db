"""Songs by the real ytmusicapi, and by Google's own client for who has a key, on an internet of our own."""

from __future__ import annotations

import locale
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import anyio
import pytest
import requests
from aiohttp import web

from ryzen.errors import ConfigError, SourceAway, SourceTrouble, TrackError
from ryzen.fetch import egress, sessions
from ryzen.player.state import Track
from ryzen.sandbox.internet import Internet
from ryzen.sandbox.internet.innertube import Block
from ryzen.sandbox.internet.songs import beep, record
from ryzen.sandbox.internet.youtube import YouTube
from ryzen.sources.youtube_api import YouTubeApiSource
from ryzen.sources.youtube_music import YouTubeMusicSource

pytestmark = pytest.mark.anyio

KEY = "AIzaSyNotARealKeyOfAnybody0123456789abc"
SONG = "tone0000001"


class DataApi:
    """YouTube's search interface, version 3: two kinds of questions. ``says``: a refusal, with its reason."""

    hosts = ("youtube.googleapis.com",)

    def __init__(self) -> None:
        self.says: tuple[int, str] | None = None
        self.garbled = False

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if self.says is not None:
            status, reason = self.says
            details = {
                "code": status,
                "message": f"no {KEY}",
                "errors": [{"reason": reason, "domain": "youtube"}],
            }
            return web.json_response({"error": details}, status=status)
        if self.garbled:
            return web.json_response({"items": [{"id": "odd"}]})
        if request.query.get("key") != KEY:
            return web.json_response(
                {"error": {"code": 400, "errors": [{"reason": "keyInvalid"}]}}, status=400
            )
        match request.path:
            case "/youtube/v3/search":
                found = [] if "nothing" in request.query["q"] else [(SONG, "PT1M"), ("onair000001", "P0D")]
                return web.json_response({"items": [_hit(ident) for ident, _ in found]})
            case "/youtube/v3/videos":
                lengths = {SONG: "PT1H2M3S", "onair000001": "P0D"}
                items = [
                    {"id": one, "contentDetails": {"duration": lengths[one]}} for one in asked_for(request)
                ]
                return web.json_response({"items": items})
        return web.Response(status=404)


def asked_for(request: web.Request) -> list[str]:
    return request.query["id"].split(",")


def _hit(ident: str) -> dict[str, Any]:
    title = "Local Artist &amp; Friends - Blue Sky (Official Video)"
    return {
        "id": {"videoId": ident},
        "snippet": {"title": title, "channelTitle": "Local Artist &amp; Friends"},
    }


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


Scene = tuple[Internet, YouTube, DataApi, requests.Session]


@pytest.fixture(scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    folder = tmp_path_factory.mktemp("songs")
    song = beep(SONG, "Blue Sky", "Local Artist", 440, 5, album="Weather")
    (recording,) = await anyio.to_thread.run_sync(record, folder, [song])
    youtube, api = YouTube([recording]), DataApi()
    youtube.add(recording.called("film0000001", title="Blue Sky, the film"))
    async with AsyncExitStack() as stack:
        internet = await stack.enter_async_context(Internet.serve([api, youtube]))
        door = await stack.enter_async_context(egress.serve(internet.outside))
        session = stack.enter_context(sessions.requests_session(door, internet.outside))
        yield internet, youtube, api, session


@pytest.fixture
def here(scene: Scene) -> Iterator[Scene]:
    internet, youtube, api, _ = scene
    internet.hits.clear()
    yield scene
    youtube.block(None)
    api.says, api.garbled = None, False


@pytest.fixture
def music(here: Scene) -> YouTubeMusicSource:
    return YouTubeMusicSource(here[3])


@pytest.fixture
def api(here: Scene) -> YouTubeApiSource:
    return YouTubeApiSource(KEY, here[3])


# -- YouTube Music
async def test_a_song_is_found_with_artist_and_length_and_played_by_youtube(
    music: YouTubeMusicSource,
) -> None:
    found = await music.search("blue sky", 5)
    assert found[0] == Track(
        f"youtube:{SONG}", "Blue Sky", "youtube", SONG, "Local Artist", 5.0, f"https://youtu.be/{SONG}"
    )


async def test_no_more_songs_than_are_wanted_and_none_for_nothing(
    music: YouTubeMusicSource, here: Scene
) -> None:
    assert await music.search("zither", 5) == ()
    asked = len(here[0].hits)
    assert await music.search(" ", 5) == await music.search("blue", 0) == ()
    assert len(here[0].hits) == asked


@pytest.mark.parametrize("words", ["$BOT_TOKEN", "a" * 400, '"}],"x":[{', "\u202eabc"])
async def test_words_are_data(music: YouTubeMusicSource, words: str) -> None:
    assert await music.search(words, 5) == ()


async def test_youtube_music_that_refuses_is_away(music: YouTubeMusicSource, here: Scene) -> None:
    here[1].block(Block.TOO_MANY)
    with pytest.raises(SourceAway) as away:
        await music.search("blue sky", 5)
    assert (away.value.source, away.value.trouble) == ("youtube-music", SourceTrouble.RATE_LIMITED)


def test_the_session_stays_what_it_was_for_all_others(here: Scene) -> None:
    before = {name: list(hooks) for name, hooks in here[3].hooks.items()}
    YouTubeMusicSource(here[3])
    assert here[3].hooks == before


def test_the_language_of_the_process_stays_what_it_was(here: Scene) -> None:
    before = locale.setlocale(locale.LC_ALL)
    YouTubeMusicSource(here[3])
    assert locale.setlocale(locale.LC_ALL) == before


# -- the Data API
async def test_a_key_finds_titles_and_lengths_in_two_requests(api: YouTubeApiSource, here: Scene) -> None:
    song, live = await api.search("blue sky", 5)
    assert (song.id, song.title, song.artist) == (f"youtube:{SONG}", "Blue Sky", "Local Artist & Friends")
    assert (song.source, song.ref, song.duration, live.duration) == ("youtube", SONG, 3723.0, None)
    assert [hit.path for hit in here[0].hits] == ["/youtube/v3/search", "/youtube/v3/videos"]


async def test_nothing_found_costs_one_request_and_no_words_none(api: YouTubeApiSource, here: Scene) -> None:
    assert await api.search("nothing", 5) == ()
    assert await api.search(" ", 5) == ()
    assert len(here[0].hits) == 1


@pytest.mark.parametrize(
    ("status", "reason", "trouble"),
    [
        (403, "quotaExceeded", SourceTrouble.RATE_LIMITED),
        (429, "rateLimitExceeded", SourceTrouble.RATE_LIMITED),
        (400, "keyInvalid", SourceTrouble.DOWN),
        (500, "backendError", SourceTrouble.DOWN),
    ],
)
async def test_a_refusal_tells_its_reason_and_nothing_of_the_key(
    api: YouTubeApiSource, here: Scene, status: int, reason: str, trouble: SourceTrouble
) -> None:
    here[2].says = status, reason
    with pytest.raises(SourceAway) as away:
        await api.search("blue sky", 5)
    assert (away.value.source, away.value.trouble, away.value.detail) == ("youtube-api", trouble, reason)
    assert KEY not in repr(away.value) + str(away.value)
    assert away.value.__cause__ is None
    assert away.value.__suppress_context__


async def test_an_answer_in_another_form_is_no_crash(api: YouTubeApiSource, here: Scene) -> None:
    here[2].garbled = True
    with pytest.raises(SourceAway) as away:
        await api.search("blue sky", 5)
    assert away.value.trouble is SourceTrouble.DOWN


def test_a_key_without_its_library_says_what_to_install(here: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "googleapiclient.discovery", None)
    with pytest.raises(ConfigError, match=r"pip install 'ryzen\[youtube-api\]'") as wrong:
        YouTubeApiSource(KEY, here[3])
    assert KEY not in str(wrong.value)


@pytest.mark.parametrize("name", ["music", "api"])
async def test_both_find_and_do_not_play(name: str, request: pytest.FixtureRequest) -> None:
    source = request.getfixturevalue(name)
    assert not source.claims(f"https://youtu.be/{SONG}")
    with pytest.raises(TrackError):
        await source.expand(f"https://youtu.be/{SONG}", 1)
    with pytest.raises(TrackError):
        await source.resolve(Track("x:1", "x", source.name, "x"))
