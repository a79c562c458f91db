"""Where music is looked for: links, words, several sources, and sources that are away."""

from __future__ import annotations

import pytest
from fetch_fakes import Fetchers, fetchers, web

from ryzen.errors import SourceAway, SourceTrouble, TrackError, TrackTrouble
from ryzen.messages import Find
from ryzen.origins import Listing
from ryzen.player.state import Track

pytestmark = pytest.mark.anyio
AWAY = SourceAway("tube", SourceTrouble.BOT_CHECK)
LIST = "https://tube.example/list"


def local(title: str, artist: str = "") -> Track:
    return Track(f"local:{title}", title, "local", title, artist=artist)


def cloud(title: str) -> Track:
    return web(title, source="cloud")


async def find(f: Fetchers, text: str, limit: int = 10, most: int = 50, *among: str) -> list[str]:
    listing = await f.ref.ask(Find(text, limit, most, among), within=60)
    return [track.id for track in listing.tracks]


# -- words
async def test_the_first_source_that_has_it_is_enough_for_one_hit() -> None:
    async with fetchers() as f:
        f.tube.hits["song"] = (web("song"), web("song again"))
        assert await find(f, "song", 1) == ["tube:song"]
        assert f.cloud.asked == []


async def test_a_file_of_our_own_that_has_all_the_words_comes_first_and_asks_nobody_else() -> None:
    async with fetchers() as f:
        f.local.hits["senorita BAND"] = (local("Señorita", "The Band"),)
        f.tube.hits["senorita BAND"] = (web("senorita"),)
        assert await find(f, "senorita BAND", 1) == ["local:Señorita"]
        assert f.tube.asked == []


async def test_a_guess_among_our_own_files_makes_way_for_the_very_thing() -> None:
    async with fetchers() as f:
        f.local.hits["some song"] = (local("Same Sonk"),)
        f.tube.hits["some song"] = (web("whatever they call it"),)
        assert await find(f, "some song", 1) == ["tube:whatever they call it"]
        assert await find(f, "some song") == ["tube:whatever they call it", "local:Same Sonk"]


async def test_a_guess_is_better_than_nothing() -> None:
    async with fetchers() as f:
        f.local.hits["some song"] = (local("Same Sonk"),)
        f.tube.trouble = AWAY
        assert await find(f, "some song", 1) == ["local:Same Sonk"]


async def test_many_hits_are_of_all_sources_by_turns_and_none_comes_twice() -> None:
    async with fetchers() as f:
        f.local.hits["song"] = (local("song"),)
        f.tube.hits["song"] = (web("one"), web("two"), web("three"))
        f.cloud.hits["song"] = (cloud("one"), web("one"), cloud("two"))
        found = ["local:song", "tube:one", "cloud:one", "tube:two", "tube:three", "cloud:two"]
        assert await find(f, "song") == found
        assert await find(f, "song", 3) == found[:3]


async def test_what_nobody_has_is_an_empty_answer() -> None:
    async with fetchers() as f:
        assert await f.ref.ask(Find("nothing"), within=5) == Listing(())
        assert await f.ref.ask(Find("nothing", 1), within=5) == Listing(())


@pytest.mark.parametrize("limit", [1, 5])
async def test_a_source_that_is_away_does_not_stop_the_others(limit: int) -> None:
    async with fetchers() as f:
        f.tube.trouble = AWAY
        f.cloud.hits["song"] = (cloud("song"),)
        assert await find(f, "song", limit) == ["cloud:song"]


@pytest.mark.parametrize("limit", [1, 5])
async def test_that_a_source_is_away_is_said_if_nothing_was_found(limit: int) -> None:
    async with fetchers() as f:
        f.tube.trouble = AWAY
        with pytest.raises(SourceAway) as away:
            await find(f, "song", limit)
        assert (away.value.source, away.value.trouble) == ("tube", SourceTrouble.BOT_CHECK)


async def test_only_those_are_asked_that_are_named() -> None:
    async with fetchers() as f:
        f.tube.hits["song"], f.cloud.hits["song"] = (web("song"),), (cloud("song"),)
        assert await find(f, "song", 5, 50, "cloud") == ["cloud:song"]
        assert f.tube.asked == f.local.asked == []


async def test_a_search_that_hangs_ends_and_the_others_have_answered() -> None:
    async with fetchers() as f:
        f.tube.takes = 1e6
        f.cloud.hits["song"] = (cloud("song"),)
        assert await find(f, "song") == ["cloud:song"]
        assert await find(f, "song", 1) == ["cloud:song"]
        assert f.services.health()[0].restarts == 0


# -- links
async def test_a_link_leads_to_all_that_is_behind_it_up_to_the_most() -> None:
    async with fetchers() as f:
        f.tube.lists[LIST] = Listing((web("one"), web("two"), web("three")), "The List")
        listing = await f.ref.ask(Find(LIST, 1, 2), within=5)
        assert listing == Listing((web("one"), web("two")), "The List", left_out=1, linked=True)
        assert f.tube.asked == [f"expand {LIST}"]


async def test_the_first_source_that_claims_a_link_has_it() -> None:
    async with fetchers() as f:
        link = "https://cloud.example/song"
        f.cloud.lists[link] = Listing((cloud("song"),))
        assert await find(f, link) == ["cloud:song"]
        assert f.tube.asked == f.local.asked == []


@pytest.mark.parametrize(
    ("link", "trouble"),
    [("https://nobody.example/x", TrackTrouble.NO_SOURCE), (LIST, TrackTrouble.EMPTY)],
)
async def test_a_link_that_leads_to_nothing_is_said(link: str, trouble: TrackTrouble) -> None:
    async with fetchers() as f:
        f.tube.lists[LIST] = Listing(())
        with pytest.raises(TrackError) as failed:
            await find(f, link)
        assert failed.value.trouble is trouble


async def test_a_link_of_a_source_that_was_not_named_is_nobodys() -> None:
    async with fetchers() as f:
        f.tube.lists[LIST] = Listing((web("one"),))
        with pytest.raises(TrackError) as failed:
            await find(f, LIST, 1, 50, "cloud")
        assert failed.value.trouble is TrackTrouble.NO_SOURCE


def test_what_is_looked_for_is_not_in_the_log() -> None:
    assert "secret" not in repr(Find("secret"))
