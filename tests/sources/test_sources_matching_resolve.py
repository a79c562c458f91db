"""What is known by name is played from where it can be."""

from __future__ import annotations

import json

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from named_stage import Playable, video

from ryzen.errors import SourceAway, SourceTrouble, TrackError, TrackTrouble, WebError, WebForbidden
from ryzen.origins import Listing
from ryzen.player.state import Track
from ryzen.sources.matching import Wanted
from ryzen.sources.named import TRIES, NamedSource, listing, named, refusal, wanted_of

pytestmark = pytest.mark.anyio

WANTED = Wanted("Blue Sky", ("Local Artist", "Guest"), 200, "XXSBX2600003", "Skies")
TRACK = named("shop", "1", WANTED, "https://shop.example/1")
RIGHT = video("right", "Blue Sky", "Local Artist", 201)
LIVE = video("live", "Blue Sky (Live)", "Local Artist", 200)
COVER = video("cover", "Blue Sky", "Somebody Else", 200)


class Shop(NamedSource):
    name = "shop"

    def claims(self, link: str) -> bool:
        return True

    async def expand(self, link: str, limit: int) -> Listing:
        return listing([TRACK], limit)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_the_match_is_played_and_its_origin_is_passed_on_as_it_is() -> None:
    place = Playable(LIVE, COVER, RIGHT)
    origin = await Shop(place.search, place.resolve).resolve(TRACK)
    assert origin == await place.resolve(RIGHT)
    assert origin.key == "youtube:right"
    assert place.asked == ["Local Artist Guest blue sky"]


async def test_without_a_match_nothing_is_played_rather_than_something_else() -> None:
    place = Playable(LIVE, COVER)
    with pytest.raises(TrackError) as refused:
        await Shop(place.search, place.resolve).resolve(TRACK)
    assert refused.value.trouble is TrackTrouble.NO_MATCH
    assert place.resolved == []


async def test_what_is_not_found_by_name_is_looked_for_by_its_isrc() -> None:
    by_isrc = video("isrc", "Blue Sky", "Local Artist", 200, hidden="xxsbx2600003")

    class Picky(Playable):
        async def search(self, words: str, limit: int) -> tuple[Track, ...]:
            found = await super().search(words, limit)
            return found if "XXSBX" in words else ()

    place = Picky(by_isrc)
    assert (await Shop(place.search, place.resolve).resolve(TRACK)).key == "youtube:isrc"
    assert place.asked == ["Local Artist Guest blue sky", '"XXSBX2600003"']


async def test_a_match_that_cannot_be_played_gives_way_to_the_next() -> None:
    again = video("again", "Blue Sky (Lyrics)", "Local Artist", 200)
    place = Playable(again, RIGHT)
    place.broken = {"youtube:right"}
    assert (await Shop(place.search, place.resolve).resolve(TRACK)).key == "youtube:again"
    assert place.resolved == ["youtube:right", "youtube:again"]


async def test_if_no_match_can_be_played_its_own_reason_is_told_and_few_are_tried() -> None:
    many = [video(f"{number}", "Blue Sky", "Local Artist", 200) for number in range(9)]
    place = Playable(*many)
    place.broken = {track.id for track in many}
    with pytest.raises(TrackError) as refused:
        await Shop(place.search, place.resolve).resolve(TRACK)
    assert refused.value.trouble is TrackTrouble.REGION
    assert len(place.resolved) == TRIES


async def test_a_source_that_is_away_is_no_missing_match() -> None:
    async def search(words: str, limit: int) -> tuple[Track, ...]:
        raise SourceAway("youtube", SourceTrouble.BOT_CHECK)

    with pytest.raises(SourceAway, match="youtube"):
        await Shop(search, Playable().resolve).resolve(TRACK)


def test_a_track_alone_is_enough_after_a_restart() -> None:
    kept = Track(**attrs.asdict(TRACK))
    assert wanted_of(kept) == WANTED
    assert kept.id == "shop:1"
    assert json.loads(kept.ref)["id"] == "1"


@pytest.mark.parametrize(
    "ref", ["", "6rqhFgbbKwnb9MLmUQDhG6", "[]", '{"artists": 5, "isrc": []}', "[" * 9999]
)
def test_of_a_ref_that_is_not_ours_the_track_itself_says_enough(ref: str) -> None:
    kept = attrs.evolve(TRACK, ref=ref)
    assert wanted_of(kept) == Wanted("Blue Sky", ("Local Artist, Guest",), 200)


@given(st.text(max_size=300), st.lists(st.text(max_size=40), max_size=12), st.text(max_size=40))
def test_whatever_a_shop_writes_comes_back_as_one_short_line(title, artists, isrc) -> None:
    track = named("shop", "1", Wanted(title, tuple(artists), 10, isrc))
    assert len(track.title) <= 200
    assert len(track.artist) <= 200
    assert len(track.ref) < 4000
    assert "\n" not in track.title + track.artist + track.ref
    assert wanted_of(track).title == track.title


def test_hostile_names_stay_names() -> None:
    hostile = "../../etc/passwd '\"; $(reboot) <b>" * 200
    track = named("shop", "1", Wanted(hostile, (hostile,), -5, hostile), "https://shop.example/1")
    assert len(track.title) == 200
    assert wanted_of(track).artists == (track.title,)


def test_a_listing_is_cut_at_the_limit_and_says_how_much_is_left_out() -> None:
    tracks = [named("shop", str(number), WANTED) for number in range(5)]
    assert listing(tracks, 3).left_out == 2
    assert listing(tracks, 3, total=50).left_out == 47
    assert listing(tracks, 9, "A list").linked
    with pytest.raises(TrackError) as refused:
        listing([], 3)
    assert refused.value.trouble is TrackTrouble.EMPTY


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (WebForbidden("no"), TrackTrouble.FORBIDDEN),
        (WebError("no", 404), TrackTrouble.UNAVAILABLE),
        (WebError("no", 451), TrackTrouble.REGION),
        (WebError("no", 429), SourceTrouble.RATE_LIMITED),
        (WebError("no", 503), SourceTrouble.DOWN),
        (WebError("no"), SourceTrouble.DOWN),
    ],
)
def test_a_servers_answer_is_the_tracks_fault_or_the_sources(error: WebError, trouble: object) -> None:
    refused = refusal("shop", error)
    assert isinstance(refused, TrackError | SourceAway)
    assert refused.trouble is trouble
