"""Apple Music on a local store and its public pages."""

from __future__ import annotations

import pytest
from aiohttp import web
from named_stage import SONGS, Playable, stage, video

from ryzen.errors import SourceAway, SourceTrouble, TrackError, TrackTrouble
from ryzen.sandbox.internet import Pages
from ryzen.sandbox.internet.apple import Apple
from ryzen.sandbox.internet.shop import List, Listed, Many
from ryzen.sources import apple_page
from ryzen.sources.apple import AppleSource, Thing, read
from ryzen.sources.matching import Wanted
from ryzen.sources.named import wanted_of

pytestmark = pytest.mark.anyio

BASE = "https://music.apple.com/us"
STREAMED = Listed(9, "Only Here", ("Local Artist",), 150, "Here")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def site() -> Apple:
    return Apple(
        SONGS,
        albums=[List(50, "Skies", SONGS), List(51, "All there is", Many(5_000))],
        playlists=[List(60, "Quiet Songs", SONGS), List(61, "Many", Many(300))],
        streamed=[STREAMED],
    )


def source(there, place: Playable | None = None) -> AppleSource:
    place = place or Playable()
    return AppleSource(there.web, place.search, place.resolve)


@pytest.mark.parametrize(
    "link",
    [
        f"{BASE}/album/skies/50?i=2",
        f"{BASE}/song/red-moon/2",
        f"{BASE}/song/2",
        "https://itunes.apple.com/us/album/id50?i=2",
    ],
)
async def test_a_song_is_known_with_artist_and_length(link: str) -> None:
    async with stage(site()) as there:
        found = await source(there).expand(link, 10)
        (track,) = found.tracks
        assert found.linked
        assert (track.id, track.link) == ("apple:2", f"{BASE}/song/2")
        assert wanted_of(track) == Wanted("Red Moon", ("Local Artist",), 180.5, album="Moons")
        assert len(there.internet.hits) == 1


async def test_it_is_played_from_where_it_is_found() -> None:
    place = Playable(
        video("slow", "Red Moon (Slowed)", "Local Artist", 181),
        video("right", "Red Moon", "Local Artist", 181),
    )
    async with stage(site()) as there:
        apple = source(there, place)
        (track,) = (await apple.expand(f"{BASE}/song/red-moon/2", 10)).tracks
        assert (await apple.resolve(track)).key == "youtube:right"


async def test_an_album_is_cut_at_the_limit_and_told() -> None:
    async with stage(site()) as there:
        found = await source(there).expand(f"{BASE}/album/skies/50", 2)
        assert (found.title, found.left_out) == ("Skies", 1)
        assert [track.title for track in found.tracks] == [song.title for song in SONGS[:2]]
        found = await source(there).expand(f"{BASE}/album/all/51", 20)
        assert (len(found.tracks), found.left_out) == (20, 4_980)
        assert len(there.internet.hits) == 2


async def test_an_artist_is_the_songs_that_the_store_tells() -> None:
    async with stage(site()) as there:
        found = await source(there).expand(f"{BASE}/artist/local-artist/1000000", 2)
        assert (found.title, len(found.tracks)) == ("Local Artist", 2)


async def test_a_playlist_is_read_from_its_page() -> None:
    async with stage(site()) as there:
        found = await source(there).expand(f"{BASE}/playlist/quiet-songs/pl.60", 10)
        assert found.title == "Quiet Songs"
        assert wanted_of(found.tracks[0]) == Wanted(SONGS[0].title, ("Local Artist, Guest",), 201)
        assert len(there.internet.hits) == 1
        found = await source(there).expand(f"{BASE}/playlist/many/pl.61", 25)
        assert (len(found.tracks), found.left_out) == (25, 275)


async def test_a_page_for_search_engines_alone_says_not_whose_the_songs_are_and_the_store_does() -> None:
    apple = site()
    apple.served = False
    async with stage(apple) as there:
        found = await source(there).expand(f"{BASE}/playlist/quiet-songs/pl.60", 2)
        assert (found.title, found.left_out) == ("Quiet Songs", 1)
        assert [track.artist for track in found.tracks] == ["Local Artist & Guest", "Local Artist"]
        assert [hit.host for hit in there.internet.hits] == ["music.apple.com", "itunes.apple.com"]
        assert there.internet.hits[1].query["id"] == "1,2"


async def test_a_song_that_is_not_for_sale_is_read_from_its_page() -> None:
    async with stage(site()) as there:
        (track,) = (await source(there).expand(f"{BASE}/song/only-here/9", 10)).tracks
        assert wanted_of(track) == Wanted("Only Here", ("Local Artist",), 150)


async def test_what_is_not_there_is_unavailable() -> None:
    async with stage(site()) as there:
        with pytest.raises(TrackError) as refused:
            await source(there).expand(f"{BASE}/playlist/none/pl.77", 10)
        assert refused.value.trouble is TrackTrouble.UNAVAILABLE


@pytest.mark.parametrize("body", ["<html>nothing</html>", "<script type='application/ld+json'>{]", ""])
async def test_a_page_that_tells_nothing_is_unavailable(body: str) -> None:
    async with stage(Pages(("music.apple.com",), {"/us/playlist/pl.60": body})) as there:
        with pytest.raises(TrackError) as refused:
            await source(there).expand(f"{BASE}/playlist/x/pl.60", 10)
        assert refused.value.trouble is TrackTrouble.UNAVAILABLE


async def test_a_store_that_is_down_is_no_tracks_fault() -> None:
    class Down(Apple):
        async def answer(self, request: web.Request) -> web.StreamResponse:
            return web.Response(status=503)

    async with stage(Down(SONGS)) as there:
        with pytest.raises(SourceAway) as away:
            await source(there).expand(f"{BASE}/song/2", 10)
        assert (away.value.source, away.value.trouble) == ("apple", SourceTrouble.DOWN)


@pytest.mark.parametrize(
    ("link", "thing"),
    [
        (f"{BASE}/album/name/50", Thing("album", "50", "us")),
        (f"{BASE}/album/name/50?i=7&l=en", Thing("song", "7", "us")),
        (f"{BASE}/album/name/50?i=../../x", Thing("album", "50", "us")),
        ("https://music.apple.com/de/playlist/n/pl.u-AbZ9-x", Thing("playlist", "pl.u-AbZ9-x", "de")),
        ("https://music.apple.com/song/5", Thing("song", "5", "us")),
        ("https://geo.music.apple.com/jp/artist/%E5%B5%90/5", Thing("artist", "5", "jp")),
        ("https://itunes.apple.com/gb/album/name/id50", Thing("album", "50", "gb")),
        (f"{BASE}/playlist/n/50", None),
        (f"{BASE}/album/n/pl.50", None),
        (f"{BASE}/station/n/ra.5", None),
        (f"{BASE}/album/n/{'5' * 40}", None),
        ("https://evil.example/us/album/n/50", None),
    ],
)
def test_links_lead_to_what_they_name(link: str, thing: Thing | None) -> None:
    assert read(link) == thing
    assert AppleSource(None, None, None).claims(link) is ("apple.com/" in link)


def test_a_page_nested_without_end_is_read_as_far_as_pages_go() -> None:
    deep = "[" * 5_000 + "]" * 5_000
    assert apple_page.read(f'<script id="serialized-server-data">{deep}</script>') is None
    wide = "[" + ",".join(["{}"] * 300_000) + "]"
    assert apple_page.read(f'<script id="serialized-server-data">{wide}</script>') is None
