"""Deezer on a local one; and Resso, what is left of it."""

from __future__ import annotations

import pytest
from named_stage import SONGS, Playable, stage, video

from ryzen.errors import SourceAway, SourceTrouble, TrackError, TrackTrouble
from ryzen.sandbox.internet import Pages
from ryzen.sandbox.internet.deezer import Deezer
from ryzen.sandbox.internet.shop import List, Many
from ryzen.sources.deezer import DeezerSource
from ryzen.sources.matching import Wanted
from ryzen.sources.named import wanted_of
from ryzen.sources.resso import RessoSource

pytestmark = pytest.mark.anyio

BASE = "https://www.deezer.com"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def site() -> Deezer:
    return Deezer(
        SONGS,
        albums=[List(50, "Skies", SONGS)],
        playlists=[List(60, "Mine", Many(250)), List(61, "All there is", Many(50_000)), List(62, "None", ())],
    )


def source(there, place: Playable | None = None) -> DeezerSource:
    place = place or Playable()
    return DeezerSource(there.web, there.web, place.search, place.resolve)


@pytest.mark.parametrize("path", ["track/1", "en/track/1", "pt-br/track/1/"])
async def test_a_track_is_known_with_all_that_matching_wants(path: str) -> None:
    async with stage(site()) as there:
        found = await source(there).expand(f"{BASE}/{path}", 10)
        (track,) = found.tracks
        assert found.linked
        assert (track.id, track.link) == ("deezer:1", f"{BASE}/track/1")
        assert wanted_of(track) == Wanted(
            SONGS[0].title, ("Local Artist", "Guest"), 201, "XXSBX2600003", "Skies"
        )


async def test_it_is_played_from_where_it_is_found() -> None:
    place = Playable(
        video("nc", "Blue Sky Nightcore", "Local Artist", 160),
        video("right", "Blue Sky", "Local Artist", 200),
    )
    async with stage(site()) as there:
        deezer = source(there, place)
        (track,) = (await deezer.expand(f"{BASE}/track/1", 10)).tracks
        assert (await deezer.resolve(track)).key == "youtube:right"


async def test_a_playlist_is_read_page_by_page_to_its_end() -> None:
    async with stage(site()) as there:
        found = await source(there).expand(f"{BASE}/playlist/60", 1_000)
        assert (found.title, len(found.tracks), found.left_out) == ("Mine", 250, 0)
        assert len(there.internet.hits) == 4  # its name, and three pages


async def test_of_fifty_thousand_only_what_the_limit_needs_is_read() -> None:
    async with stage(site()) as there:
        found = await source(there).expand(f"{BASE}/playlist/61", 20)
        assert (len(found.tracks), found.left_out) == (20, 49_980)
        assert [dict(hit.query) for hit in there.internet.hits[1:]] == [{"index": "0", "limit": "20"}]


async def test_albums_and_artists_have_names_too() -> None:
    async with stage(site()) as there:
        album = await source(there).expand(f"{BASE}/album/50", 10)
        assert (album.title, len(album.tracks)) == ("Skies", 3)
        artist = await source(there).expand(f"{BASE}/artist/5", 2)
        assert (artist.title, len(artist.tracks), artist.left_out) == ("Local Artist", 2, 1)


@pytest.mark.parametrize("host", ["link.deezer.com", "deezer.page.link"])
async def test_a_short_link_is_followed(host: str) -> None:
    deezer = site()
    deezer.short["/s/abc"] = f"{BASE}/us/track/2?utm_source=deezer"
    async with stage(deezer) as there:
        (track,) = (await source(there).expand(f"https://{host}/s/abc", 10)).tracks
        assert track.title == "Red Moon"


@pytest.mark.parametrize(
    ("path", "trouble"),
    [
        ("track/999", TrackTrouble.UNAVAILABLE),
        ("playlist/62", TrackTrouble.EMPTY),
        ("show/5", TrackTrouble.NO_SOURCE),
        ("track/../album/50", TrackTrouble.NO_SOURCE),
        ("track/" + "5" * 30, TrackTrouble.NO_SOURCE),
    ],
)
async def test_what_cannot_be_had_says_why(path: str, trouble: TrackTrouble) -> None:
    async with stage(site()) as there:
        with pytest.raises(TrackError) as refused:
            await source(there).expand(f"{BASE}/{path}", 10)
        assert refused.value.trouble is trouble


async def test_its_own_refusals_are_no_tracks_fault() -> None:
    deezer = site()
    async with stage(deezer) as there:
        for error, trouble in (
            ((4, "Quota limit exceeded"), SourceTrouble.RATE_LIMITED),
            ((700, "Service busy"), SourceTrouble.DOWN),
        ):
            deezer.refusing = error
            with pytest.raises(SourceAway) as away:
                await source(there).expand(f"{BASE}/track/1", 10)
            assert (away.value.source, away.value.trouble) == ("deezer", trouble)


@pytest.mark.parametrize(
    ("link", "claimed"),
    [
        (f"{BASE}/track/1", True),
        ("https://deezer.com/track/1", True),
        ("https://link.deezer.com/s/x", True),
        ("https://dzr.page.link/x", True),
        ("https://notdeezer.com/track/1", False),
        ("https://developers.deezer.com/api", False),
    ],
)
async def test_it_claims_its_own_links_alone(link: str, claimed: bool) -> None:
    assert DeezerSource(None, None, None, None).claims(link) is claimed


# -- Resso
async def test_a_page_of_resso_that_still_answers_tells_title_and_artist() -> None:
    html = (
        '<meta property="og:title" content="Blue Sky - Resso">'
        '<meta property="og:description" content="Local Artist · Skies · 2021">'
    )
    async with stage(Pages(("m.resso.com",), {"/ZSabc/": html, "/ZSgone/": "<html></html>"})) as there:
        place = Playable(video("right", "Blue Sky", "Local Artist", 200))
        resso = RessoSource(there.web, place.search, place.resolve)
        link = "https://m.resso.com/ZSabc/"
        (track,) = (await resso.expand(link, 10)).tracks
        assert wanted_of(track) == Wanted("Blue Sky", ("Local Artist",))
        assert resso.claims(link)
        assert not resso.claims("https://notresso.com/")
        assert (await resso.resolve(track)).key == "youtube:right"
        for gone in ("https://m.resso.com/ZSgone/", "https://m.resso.com/none"):
            with pytest.raises(TrackError) as refused:
                await resso.expand(gone, 10)
            assert refused.value.trouble is TrackTrouble.UNAVAILABLE
