"""The words of a song, from a local LRCLIB and a local Genius read by the real lyricsgenius."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from named_stage import Stage, stage

from ryzen.errors import WebError
from ryzen.origins import Line, Lyrics
from ryzen.sandbox.internet.genius import Genius, Written
from ryzen.sources.genius import GeniusBook
from ryzen.sources.lyrics import LyricsBook

pytestmark = pytest.mark.anyio

TOKEN = "genius-token"
WRITTEN = (
    Written(
        "Blue-sky-lyrics", "Blue Sky", "Local Artist", ("[Verse 1]", "The sky is <blue>", "", "and so am I")
    ),
    Written("Blue-sky-live-lyrics", "Blue Sky (Live)", "Local Artist", ("Are you ready?",)),
    Written("Unwritten-lyrics", "Unwritten", "Local Artist", ()),
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Lrclib:
    """A table of songs, found by the exact names (``/api/get``), or by any of the words (``/api/search``)."""

    hosts = ("lrclib.net",)

    def __init__(self, *songs: dict[str, Any], status: int = 200) -> None:
        self.songs, self.status = songs, status

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if self.status != 200:
            return web.Response(status=self.status)
        assert "Ryzen" in request.headers["User-Agent"]
        query = request.query
        if request.path == "/api/search":
            words = set(query["q"].casefold().split())
            found = [one for one in self.songs if words & set(_named(one).split())]
            return web.json_response(found)
        for one in self.songs:
            near = abs(float(query.get("duration", one["duration"])) - one["duration"]) <= 2
            if _named(one) == f"{query['track_name']} {query['artist_name']}".casefold() and near:
                return web.json_response(one)
        return web.json_response({"code": 404, "name": "TrackNotFound"}, status=404)


def song(
    title: str, artist: str, duration: float, synced: str | None, plain: str | None = None, **more: Any
) -> dict[str, Any]:
    return {
        "trackName": title,
        "artistName": artist,
        "albumName": "Skies",
        "duration": duration,
        "instrumental": False,
        "plainLyrics": plain,
        "syncedLyrics": synced,
        **more,
    }


def _named(one: dict[str, Any]) -> str:
    return f"{one['trackName']} {one['artistName']}".casefold()


BLUE = song("Blue Sky", "Local Artist", 200, "[00:01.00]The sky is blue", "The sky is blue")
LIVE = song("Blue Sky (Live)", "Local Artist", 200, "[00:01.00]Hello!")
TIMED = Lyrics((Line("The sky is blue", 1.0),), "LRCLIB")


def asked(there: Stage, host: str = "lrclib.net") -> list[str]:
    return [hit.path for hit in there.internet.asked(host)]


async def test_a_song_known_by_name_and_length_is_one_question() -> None:
    async with stage(Lrclib(LIVE, BLUE)) as there:
        lyrics = await LyricsBook(there.web).lyrics("Blue Sky", "Local Artist", 201)
        assert lyrics == TIMED
        assert lyrics.timed
        assert asked(there) == ["/api/get"]


@pytest.mark.parametrize(
    ("title", "artist", "duration"),
    [
        ("Blue Sky (Official Video)", "Local Artist", 203),
        ("Local Artist - Blue Sky [HD]", "Some Label", 204),
        ("Local Artist – Blue Sky", "", None),
        ("BLUE SKY", "LocalArtistVEVO", 201),
    ],
)
async def test_what_a_video_calls_itself_is_found_by_the_matching_rule(title, artist, duration) -> None:
    async with stage(Lrclib(LIVE, song("Blue Sky", "Nobody", 200, "[00:01.00]no"), BLUE)) as there:
        assert await LyricsBook(there.web).lyrics(title, artist, duration) == TIMED


async def test_the_words_of_another_song_are_worse_than_none() -> None:
    async with stage(Lrclib(LIVE, song("Blue Sky", "Nobody", 90, "[00:01.00]no"))) as there:
        assert await LyricsBook(there.web).lyrics("Blue Sky", "Local Artist", 200) is None


async def test_of_two_matches_the_one_with_time_stamps_is_taken() -> None:
    bare = song("Blue Sky", "Local Artist", 200, None, "words")
    async with stage(Lrclib(bare, song("Blue Sky", "Local Artist", 204, "[00:02.00]timed"))) as there:
        lyrics = await LyricsBook(there.web).lyrics("Blue Sky (Lyrics)", "Local Artist", 200)
        assert lyrics == Lyrics((Line("timed", 2.0),), "LRCLIB")


@pytest.mark.parametrize("synced", [None, "", "no stamps", "[xx:yy]broken"])
async def test_without_time_stamps_that_can_be_read_the_plain_ones_are_taken(synced: str | None) -> None:
    async with stage(Lrclib(song("Blue Sky", "Local Artist", 200, synced, "one\ntwo"))) as there:
        lyrics = await LyricsBook(there.web).lyrics("Blue Sky", "Local Artist", 200)
        assert lyrics == Lyrics((Line("one"), Line("two")), "LRCLIB")
        assert not lyrics.timed


async def test_an_instrumental_has_lyrics_without_a_line() -> None:
    async with stage(Lrclib(song("Blue Sky", "Local Artist", 200, None, None, instrumental=True))) as there:
        assert await LyricsBook(there.web).lyrics("Blue Sky", "Local Artist", 200) == Lyrics((), "LRCLIB")


async def test_an_answer_is_remembered_for_an_hour_and_so_is_that_there_is_none() -> None:
    now = 0.0
    async with stage(Lrclib(BLUE)) as there:
        book = LyricsBook(there.web, clock=lambda: now)
        for _ in range(3):
            assert await book.lyrics("Blue Sky", "Local Artist", 200) == TIMED
            assert await book.lyrics("Grey Sky", "Nobody Known", 200) is None
        before = len(asked(there))
        assert before == 3
        now = 3601.0
        assert await book.lyrics("Blue Sky", "Local Artist", 200) == TIMED
        assert len(asked(there)) == before + 1


async def test_a_server_that_is_down_is_told_and_not_remembered() -> None:
    lrclib = Lrclib(BLUE, status=503)
    async with stage(lrclib) as there:
        book = LyricsBook(there.web)
        with pytest.raises(WebError) as trouble:
            await book.lyrics("Blue Sky", "Local Artist", 200)
        assert trouble.value.status == 503
        lrclib.status = 200
        assert await book.lyrics("Blue Sky", "Local Artist", 200) == TIMED


@pytest.mark.parametrize(
    "title", ["", "   ", "x" * 4_000, "../../etc/passwd", '" OR 1=1 --', "<b>&amp;", "(((("]
)
async def test_whatever_is_typed_is_no_more_than_words(title: str) -> None:
    async with stage(Lrclib(BLUE)) as there:
        assert await LyricsBook(there.web).lyrics(title, title, 10) is None
        assert all(len(value) <= 200 for hit in there.internet.hits for value in hit.query.values())


# -- Genius
async def test_genius_is_asked_only_if_lrclib_has_nothing() -> None:
    async with stage(Lrclib(BLUE), Genius(WRITTEN, TOKEN)) as there:
        book = LyricsBook(there.web, GeniusBook(TOKEN, there.session))
        assert await book.lyrics("Blue Sky", "Local Artist", 200) == TIMED
        assert asked(there, "api.genius.com") == []


@pytest.mark.parametrize("status", [200, 503])
async def test_what_lrclib_does_not_tell_genius_may(status: int) -> None:
    async with stage(Lrclib(status=status), Genius(WRITTEN, TOKEN)) as there:
        book = LyricsBook(there.web, GeniusBook(TOKEN, there.session))
        lyrics = await book.lyrics("Local Artist - Blue Sky (Official Video)", "Local Artist", 200)
        words = (Line("[Verse 1]"), Line("The sky is <blue>"), Line(""), Line("and so am I"))
        assert lyrics == Lyrics(words, "Genius")
        assert asked(there, "genius.com") == ["/Blue-sky-lyrics"]
        assert not {"authorization", "application"} & {name.casefold() for name in there.session.headers}


@pytest.mark.parametrize("title", ["Unwritten", "Never Heard Of"])
async def test_what_genius_has_no_words_of_is_nothing(title: str) -> None:
    async with stage(Genius(WRITTEN, TOKEN)) as there:
        assert await GeniusBook(TOKEN, there.session).lyrics(title, "Local Artist") is None
        assert asked(there, "genius.com") == []


@pytest.mark.parametrize(
    ("token", "refusing", "status"), [("wrong", None, 401), (TOKEN, 429, 429), (TOKEN, 500, 500)]
)
async def test_a_refusal_is_told_with_its_number_and_without_the_token(token, refusing, status) -> None:
    genius = Genius(WRITTEN, TOKEN)
    genius.refusing = refusing
    async with stage(genius) as there:
        with pytest.raises(WebError) as trouble:
            await GeniusBook(token, there.session).lyrics("Blue Sky", "Local Artist")
        assert trouble.value.status == status
        assert str(trouble.value) == f"Genius answers {status}"


async def test_if_both_are_down_the_first_ones_trouble_or_the_seconds_is_told() -> None:
    genius = Genius(WRITTEN, TOKEN)
    genius.refusing = 500
    async with stage(Lrclib(status=503), genius) as there:
        with pytest.raises(WebError):
            await LyricsBook(there.web, GeniusBook(TOKEN, there.session)).lyrics("Blue Sky", "Local Artist")
