"""The local internet of the demo, and what is around a track: they understand one another."""

from __future__ import annotations

import pytest
from named_stage import Playable, stage

from ryzen.origins import Line, Lyrics
from ryzen.player.state import Span
from ryzen.sandbox.internet.around import Lrclib
from ryzen.sandbox.internet.around import SponsorBlock as Marks
from ryzen.sandbox.internet.deezer import Deezer
from ryzen.sandbox.internet.shop import listed
from ryzen.sandbox.internet.songs import Recording, Segment, beep
from ryzen.sandbox.internet.spotify import Spotify, key
from ryzen.sources.deezer import DeezerSource
from ryzen.sources.lyrics import LyricsBook
from ryzen.sources.matching import Wanted
from ryzen.sources.named import wanted_of
from ryzen.sources.sponsorblock import SponsorBlock
from ryzen.sources.spotify import SpotifySource

pytestmark = pytest.mark.anyio

SONG = beep(
    "BlueSky_440",
    "Blue Sky",
    "Local Artist",
    440,
    60,
    album="Skies",
    isrc="XXSBX2600003",
    lyrics=((1.5, "The sky is blue"), (20.0, "and so is the sea")),
    segments=(Segment(0.0, 5.0), Segment(50.0, 60.0, "sponsor")),
)
RECORDINGS = (
    Recording(SONG, 60.0, b"", b""),
    Recording(beep("BlueSky_liv", "Blue Sky (Live)", "Local Artist", 550, 60), 60.0, b"", b""),
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize("title", ["Blue Sky", "Local Artist - Blue Sky (Official Video)"])
async def test_lyrics_are_found_there(title: str) -> None:
    async with stage(Lrclib(RECORDINGS)) as there:
        lyrics = await LyricsBook(there.web).lyrics(title, "Local Artist", 60)
        assert lyrics == Lyrics((Line("The sky is blue", 1.5), Line("and so is the sea", 20.0)), "LRCLIB")


async def test_marks_are_found_there() -> None:
    async with stage(Marks(RECORDINGS)) as there:
        block = SponsorBlock(there.web)
        assert await block.skips("BlueSky_440", 60) == (Span(0, 5), Span(50, 60))
        assert await block.skips("BlueSky_liv", 60) == ()


async def test_shops_have_what_is_on_an_album() -> None:
    songs = listed(RECORDINGS)
    assert [song.title for song in songs] == ["Blue Sky"]
    async with stage(Spotify(songs), Deezer(songs)) as there:
        place = Playable()
        spotify = SpotifySource(there.web, there.web, place.search, place.resolve)
        deezer = DeezerSource(there.web, there.web, place.search, place.resolve)
        (one,) = (await spotify.expand(f"https://open.spotify.com/track/{key(1)}", 5)).tracks
        (other,) = (await deezer.expand("https://www.deezer.com/track/1", 5)).tracks
        assert wanted_of(one) == Wanted("Blue Sky", ("Local Artist",), 60)
        assert wanted_of(other) == Wanted("Blue Sky", ("Local Artist",), 60, "XXSBX2600003", "Skies")
