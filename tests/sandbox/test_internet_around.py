"""YouTube Music, lyrics and skips of the local internet; the real ytmusicapi reads the first."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator

import anyio.to_thread
import pytest
import requests
from internet_stage import Stage, recordings, set_stage
from yarl import URL
from ytmusicapi import YTMusic

from ryzen.sandbox.internet import youtube_music
from ryzen.sandbox.internet.innertube import Video
from ryzen.sandbox.internet.songs import Recording
from ryzen.sandbox.internet.world import make_world

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recording, ...]:
    return recordings(tmp_path_factory.mktemp("songs"))


@pytest.fixture
async def stage(songs: tuple[Recording, ...]) -> AsyncIterator[Stage]:
    async with set_stage(*make_world(songs).sites) as stage:
        yield stage


# -- YouTube Music
async def search(stage: Stage, words: str, filter: str | None) -> list[dict[str, object]]:
    def ask() -> list[dict[str, object]]:
        with requests.Session() as session:
            session.trust_env = False  # or REQUESTS_CA_BUNDLE comes before what we say
            session.verify = str(stage.internet.authorities)
            music = YTMusic(requests_session=session, proxies={"https": stage.proxy})
            return music.search(words, filter=filter)

    return await anyio.to_thread.run_sync(ask)


async def test_a_song_has_artist_album_and_length(stage: Stage) -> None:
    (found,) = await search(stage, "blue sky", "songs")
    assert (found["title"], found["videoId"], found["resultType"]) == ("Blue Sky", "BlueSky_440", "song")
    assert [artist["name"] for artist in found["artists"]] == ["Local Artist"]
    assert (found["album"]["name"], found["duration"], found["duration_seconds"]) == ("Skies", "0:06", 6)
    assert found["thumbnails"]


async def test_who_has_no_album_is_a_video(stage: Stage) -> None:
    found = await search(stage, "blue sky", "videos")
    assert [(video["videoId"], video["duration_seconds"]) for video in found] == [("BlueSky_liv", 3)]


@pytest.mark.parametrize(
    ("parameters", "titles"),
    [("EgWKAQIIAWoM", ["Songs"]), ("EgWKAQIQAWoM", ["Videos"]), ("", ["Songs", "Videos"])],
)
def test_a_filter_leaves_one_shelf(songs: tuple[Recording, ...], parameters: str, titles: list[str]) -> None:
    answer = youtube_music.search([Video(each) for each in songs], parameters)
    tab = answer["contents"]["tabbedSearchResultsRenderer"]["tabs"][0]["tabRenderer"]
    shelves = [shelf["musicShelfRenderer"] for shelf in tab["content"]["sectionListRenderer"]["contents"]]
    assert [shelf["title"]["runs"][0]["text"] for shelf in shelves] == titles


async def test_without_a_filter_both_are_there(stage: Stage) -> None:
    found = await search(stage, "blue", None)
    assert [(hit["resultType"], hit["videoId"]) for hit in found] == [
        ("song", "BlueSky_440"),
        ("video", "BlueSky_liv"),
    ]


async def test_music_that_is_not_there_is_not_found(stage: Stage) -> None:
    assert await search(stage, "zebra", "songs") == []


# -- LRCLIB
async def lyrics(stage: Stage, **query: str) -> tuple[int, dict[str, object]]:
    status, body = await stage.get(str(URL("https://lrclib.net/api/get").with_query(query)))
    return status, json.loads(body)


async def test_lyrics_are_found_by_title_artist_and_length(stage: Stage) -> None:
    status, found = await lyrics(stage, track_name="blue sky", artist_name="Local Artist", duration="7")
    assert status == 200
    assert found["syncedLyrics"] == "[00:00.50] The sky is blue\n[00:03.25] and so am I"
    assert found["plainLyrics"] == "The sky is blue\nand so am I"


@pytest.mark.parametrize("wrong", [{"duration": "9"}, {"artist_name": "Other"}, {"track_name": "Red Moon"}])
async def test_other_lyrics_are_not(stage: Stage, wrong: dict[str, str]) -> None:
    asked = {"track_name": "Blue Sky", "artist_name": "Local Artist", "duration": "6", **wrong}
    status, found = await lyrics(stage, **asked)
    assert (status, found["name"]) == (404, "TrackNotFound")


@pytest.mark.parametrize("query", ["q=sky+local", "track_name=Blue+Sky", "track_name=blue&artist_name=local"])
async def test_lyrics_can_be_searched_for(stage: Stage, query: str) -> None:
    status, body = await stage.get(f"https://lrclib.net/api/search?{query}")
    assert (status, [hit["trackName"] for hit in json.loads(body)]) == (200, ["Blue Sky"])


async def test_a_search_for_other_lyrics_finds_none(stage: Stage) -> None:
    assert await stage.get("https://lrclib.net/api/search?q=blue+moon") == (200, b"[]")


# -- SponsorBlock
async def skips(stage: Stage, video_id: str, query: str = "", length: int = 4) -> tuple[int, bytes]:
    prefix = hashlib.sha256(video_id.encode()).hexdigest()[:length]
    return await stage.get(f"https://sponsor.ajay.app/api/skipSegments/{prefix}{query}")


@pytest.mark.parametrize(
    ("query", "segments"),
    [
        ("", [[5.0, 6.0]]),
        ("?category=music_offtopic", [[0.0, 1.5]]),
        ("?category=music_offtopic&category=sponsor", [[0.0, 1.5], [5.0, 6.0]]),
        ('?categories=["music_offtopic","intro"]', [[0.0, 1.5]]),
    ],
)
async def test_skips_are_told_by_category(stage: Stage, query: str, segments: list[list[float]]) -> None:
    status, body = await skips(stage, "BlueSky_440", query)
    (video,) = json.loads(body)
    assert (status, video["videoID"]) == (200, "BlueSky_440")
    assert [segment["segment"] for segment in video["segments"]] == segments


async def test_a_video_without_skips_is_404_and_a_short_prefix_400(stage: Stage) -> None:
    assert await skips(stage, "RedMoon_660") == (404, b"[]")
    assert (await skips(stage, "BlueSky_440", length=3))[0] == 400
