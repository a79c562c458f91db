"""The shared download actor: one resolve and one flight for everybody, and no work for nobody."""

from __future__ import annotations

import anyio
import pytest
from fetch_fakes import Fetchers, fetchers, web

from ryzen.actors.download import DownloadPolicy
from ryzen.actors.wants import Wants
from ryzen.errors import (
    ActorCrashed,
    Refusal,
    SourceAway,
    SourceTrouble,
    TrackError,
    TrackTrouble,
    WebError,
)
from ryzen.messages import Drop, Fetch, InUse, LyricsOf, Warm
from ryzen.origins import Line, Lyrics, Urgency
from ryzen.player.state import Track

pytestmark = pytest.mark.anyio

SONG, OTHER = web("song"), web("other")


def on_disk(title: str) -> Track:
    return Track(f"local:{title}", title, "local", title)


# -- one for everybody
async def test_three_chats_that_want_one_track_cause_one_resolve_and_one_flight() -> None:
    async with fetchers() as f, anyio.create_task_group() as chats:
        for listener in 1, 2, 3:
            chats.start_soon(f.note, SONG, listener)
        await anyio.sleep(1)
        assert sorted(f.got) == ["song for 1", "song for 2", "song for 3"]
        assert f.tube.asked == ["resolve song"]
        assert f.cache.begun() == ["song"]


async def test_two_tracks_that_lead_to_one_recording_are_fetched_once() -> None:
    async with fetchers() as f, anyio.create_task_group() as chats:
        f.cloud.keys["song, by another name"] = "song"
        chats.start_soon(f.note, SONG, 1)
        chats.start_soon(f.note, web("song, by another name", source="cloud"), 2)
        await anyio.sleep(1)
        assert len(f.got) == 2
        assert f.cache.begun() == ["song"]


async def test_a_name_that_led_to_a_recording_once_leads_there_without_a_question() -> None:
    """While it was flying, and when it was whole already: the cache is told of both."""
    async with fetchers() as f:
        for name in "early", "late":
            f.cloud.keys[name] = "song"
        await f.fetch(SONG)
        early, late = web("early", source="cloud"), web("late", source="cloud")
        await f.fetch(early, 2)
        await anyio.sleep(20)
        await f.fetch(late, 3)
        assert f.cache.led == [(early.id, "song"), (late.id, "song")]
        await f.fetch(late, 4)
        assert f.cloud.asked == ["resolve early", "resolve late"]


async def test_who_comes_while_it_grows_gets_the_same_file_at_once() -> None:
    async with fetchers() as f:
        first = await f.fetch(SONG, 1)
        began = anyio.current_time()
        assert await f.fetch(SONG, 2) == first
        assert anyio.current_time() == began
        assert f.tube.asked == ["resolve song"]


async def test_what_is_whole_needs_no_source() -> None:
    async with fetchers() as f:
        await f.fetch(SONG)
        await anyio.sleep(20)
        f.tube.trouble = SourceAway("tube", SourceTrouble.DOWN)
        assert (await f.fetch(SONG, 2)).path == "song"
        assert f.tube.asked == ["resolve song"]


async def test_a_file_that_is_there_is_no_business_of_the_cache() -> None:
    async with fetchers() as f:
        media = await f.fetch(on_disk("mine"))
        assert (media.path, media.fetched) == ("mine", False)
        assert f.cache.begun() == []


async def test_what_was_cut_is_fetched_again_though_it_is_there() -> None:
    async with fetchers() as f:
        await f.fetch(SONG)
        await anyio.sleep(20)
        await f.fetch(SONG, again=True)
        assert [flight.again for flight in f.cache.flights] == [False, True]


@pytest.mark.parametrize(("trouble", "flights"), [(TrackTrouble.TOO_BIG, 1), (TrackTrouble.UNREACHABLE, 2)])
async def test_what_can_never_be_whole_is_told_to_who_has_heard_a_part_of_it_and_not_tried_again(
    trouble: TrackTrouble, flights: int
) -> None:
    async with fetchers() as f:
        await f.fetch(SONG)
        f.cache.flights[0].break_off(TrackError(trouble))
        await anyio.sleep(1)
        told = None
        try:
            await f.fetch(SONG, again=True)
        except TrackError as error:
            told = error.trouble
        assert len(f.cache.flights) == flights
        assert told == (trouble if flights == 1 else None)
        f.ref.tell(Drop(SONG.id, 1))
        await anyio.sleep(1)
        await f.fetch(SONG, again=True)  # somebody else's luck
        assert len(f.cache.flights) == flights + 1


async def test_two_who_find_the_same_track_cut_share_the_flight_that_mends_it() -> None:
    async with fetchers() as f:
        await f.fetch(SONG)
        await anyio.sleep(20)
        async with anyio.create_task_group() as chats:
            for listener in 1, 2:
                chats.start_soon(lambda listener: f.fetch(SONG, listener, again=True), listener)
        assert f.cache.begun() == ["song", "song"]


async def test_an_aged_link_is_renewed_through_the_gate() -> None:
    async with fetchers() as f:
        await f.fetch(SONG)
        assert (await f.cache.flights[0].renew()).key == "song"
        assert f.tube.asked == ["resolve song", "resolve song"]


# -- live
async def test_each_listener_of_what_is_live_has_a_flight_of_its_own() -> None:
    async with fetchers() as f:
        one, two = await f.fetch(web("live"), 1), await f.fetch(web("live"), 2)
        assert one.live
        assert one.path != two.path
        f.ref.tell(Drop("tube:live", 1))
        await anyio.sleep(1)
        assert [flight.flying for flight in f.cache.flights] == [False, True]


async def test_who_tunes_in_once_more_hears_what_is_on_now() -> None:
    async with fetchers() as f:
        await f.fetch(web("live"), 1)
        await anyio.sleep(100)
        await f.fetch(web("live"), 1)
        assert [flight.flying for flight in f.cache.flights] == [False, True]
        assert len(set(f.cache.begun())) == 2


async def test_what_is_live_is_not_fetched_ahead() -> None:
    async with fetchers() as f:
        f.ref.tell(Warm(web("live"), 1))
        await anyio.sleep(1)
        assert f.tube.asked == ["resolve live"]
        assert f.cache.begun() == []


# -- nobody wants it any more
async def test_a_skip_while_it_resolves_ends_the_work_at_once() -> None:
    async with fetchers() as f, anyio.create_task_group() as chats:
        f.tube.takes = 30.0
        chats.start_soon(f.note, SONG, 1)
        await anyio.sleep(1)
        f.ref.tell(Drop(SONG.id, 1))
        await anyio.sleep(0.01)
        assert f.tube.cancelled == ["song"]
        assert f.cache.begun() == f.got == []


async def test_a_drop_while_it_grows_leaves_nothing_behind() -> None:
    async with fetchers() as f:
        await f.fetch(SONG)
        f.ref.tell(Drop(SONG.id, 1))
        await anyio.sleep(0.01)
        assert f.cache.removed == ["song"]
        await anyio.sleep(60)
        assert f.cache.whole == {}


async def test_work_that_another_wants_goes_on() -> None:
    async with fetchers() as f, anyio.create_task_group() as chats:
        f.tube.takes = 2.0
        for listener in 1, 2:
            chats.start_soon(f.note, SONG, listener)
        await anyio.sleep(1)
        f.ref.tell(Drop(SONG.id, 1))
        await anyio.sleep(2)
        assert f.got == ["song for 2"]
        f.ref.tell(Drop(SONG.id, 7))  # who never wanted it
        await anyio.sleep(20)
        assert "tube:song" in f.cache.whole


async def test_a_flight_that_two_tracks_led_to_goes_on_for_the_other() -> None:
    async with fetchers() as f:
        f.cloud.keys["cover name"] = "song"
        other = web("cover name", source="cloud")
        await f.fetch(SONG, 1)
        await f.fetch(other, 2)
        f.ref.tell(Drop(SONG.id, 1))
        await anyio.sleep(1)
        assert f.cache.flights[0].flying
        f.ref.tell(Drop(other.id, 2))
        await anyio.sleep(1)
        assert not f.cache.flights[0].flying


async def test_what_was_to_be_warm_and_is_dropped_is_no_crash() -> None:
    async with fetchers() as f:
        f.tube.takes = 5.0
        f.ref.tell(Warm(SONG, 1))
        await anyio.sleep(1)
        f.ref.tell(Drop(SONG.id, 1))
        await anyio.sleep(1)
        assert f.tube.cancelled == ["song"]
        assert f.services.health()[0].restarts == 0


async def test_where_a_track_is_is_asked_each_time() -> None:
    async with fetchers() as f:
        for _ in range(2):
            await f.fetch(on_disk("mine"))
        assert f.local.asked == ["resolve mine"] * 2


def test_who_waits_is_not_made_less_urgent_by_wanting_it_later_too() -> None:
    wants = Wants()
    wants.add("a", 1, Urgency.LISTENER)
    wants.add("a", 1, Urgency.AHEAD)
    wants.add("b", 2, Urgency.AHEAD)
    assert (wants.urgency("a"), wants.urgency("b")) == (Urgency.LISTENER, Urgency.AHEAD)
    assert (wants.of(1), wants.of(2), wants.of(3)) == (("a",), ("b",), ())


async def test_a_listener_who_goes_takes_all_its_wants_along() -> None:
    async with fetchers() as f:
        await f.fetch(SONG, 1)
        await f.fetch(OTHER, 1)
        await f.fetch(OTHER, 2)
        f.ref.tell(Drop(None, 1))
        await anyio.sleep(1)
        assert [flight.flying for flight in f.cache.flights] == [False, True]


async def test_who_drops_and_wants_it_again_gets_it_once_the_old_flight_is_gone() -> None:
    async with fetchers() as f:
        await f.fetch(SONG)
        f.ref.tell(Drop(SONG.id, 1))
        assert (await f.fetch(SONG)).path == "song"
        assert [flight.flying for flight in f.cache.flights] == [False, True]


async def test_who_drops_while_it_waits_hears_a_refusal_and_nothing_flies() -> None:
    async with fetchers() as f, anyio.create_task_group() as chats:
        refused: list[str] = []

        async def ask() -> None:
            try:
                await f.fetch(SONG)
            except Refusal as error:
                refused.append(error.code)

        chats.start_soon(ask)
        await anyio.sleep(0.01)
        f.ref.tell(Drop(SONG.id, 1))
        await anyio.sleep(1)
        assert refused == ["dropped"]


async def test_one_who_gives_up_waiting_does_not_spoil_it_for_the_others() -> None:
    async with fetchers() as f, anyio.create_task_group() as chats:
        f.tube.takes = 2.0

        async def hasty() -> None:
            with anyio.move_on_after(0.5):
                await f.fetch(SONG, 1)

        chats.start_soon(hasty)
        await anyio.sleep(0.1)
        chats.start_soon(f.note, SONG, 2)
        await anyio.sleep(3)
        assert f.got == ["song for 2"]
        assert f.tube.asked == ["resolve song"]


# -- who goes first
async def asking(f: Fetchers, *titles: str) -> None:
    for title in titles:
        f.ref.tell(Warm(web(title), 9))
        await anyio.sleep(0.01)


async def test_a_listener_overtakes_what_is_fetched_ahead() -> None:
    async with fetchers(policy=DownloadPolicy(at_once=1)) as f, anyio.create_task_group() as chats:
        f.tube.takes = 1.0
        await asking(f, "first", "second", "third")
        chats.start_soon(f.note, SONG)
        await anyio.sleep(10)
        assert f.tube.resolved == ["first", "song", "second", "third"]


async def test_what_is_fetched_ahead_becomes_urgent_when_its_turn_has_come() -> None:
    async with fetchers(policy=DownloadPolicy(at_once=1)) as f, anyio.create_task_group() as chats:
        f.tube.takes = 1.0
        await asking(f, "first", "second", "third")
        chats.start_soon(f.note, web("third"))
        await anyio.sleep(10)
        assert f.tube.resolved == ["first", "third", "second"]
        assert len(f.tube.asked) == 3


# -- what goes wrong
async def test_a_bad_track_is_an_answer_and_the_actor_lives() -> None:
    async with fetchers() as f:
        f.ref.tell(Warm(web("bad"), 2))
        with pytest.raises(TrackError) as failed:
            await f.fetch(web("bad"))
        assert failed.value.trouble is TrackTrouble.BROKEN
        with pytest.raises(TrackError):
            await f.fetch(web("x", source="gone"))
        assert (await f.fetch(SONG)).path == "song"
        assert f.services.health()[0].restarts == 0


async def test_a_disk_that_is_full_is_said_of_the_track() -> None:
    async with fetchers() as f:
        f.cache.full = True
        with pytest.raises(TrackError) as failed:
            await f.fetch(SONG)
        assert failed.value.trouble is TrackTrouble.DISK_FULL


async def test_a_flight_that_breaks_off_before_it_is_ready_tells_all_who_wait() -> None:
    async with fetchers() as f:
        f.cache.ready_takes = 5.0
        troubles: list[TrackTrouble] = []

        async def ask(listener: int) -> None:
            try:
                await f.fetch(SONG, listener)
            except TrackError as error:
                troubles.append(error.trouble)

        async with anyio.create_task_group() as chats:
            chats.start_soon(ask, 1)
            chats.start_soon(ask, 2)
            await anyio.sleep(1)
            f.cache.flights[0].break_off(TrackError(TrackTrouble.TOO_BIG))
        assert troubles == [TrackTrouble.TOO_BIG] * 2
        f.cache.ready_takes = 0.05
        assert (await f.fetch(SONG)).path == "song"  # and nothing stands in the way of another try


@pytest.mark.parametrize(
    ("trouble", "shut"), [(SourceTrouble.RATE_LIMITED, True), (SourceTrouble.DOWN, False)]
)
async def test_a_host_that_refuses_the_bytes_shuts_the_gate_of_its_source(
    trouble: SourceTrouble, shut: bool
) -> None:
    async with fetchers() as f:
        f.cache.ready_takes = 5.0

        async def ask() -> None:
            with pytest.raises(SourceAway):
                await f.fetch(SONG)

        async with anyio.create_task_group() as chats:
            chats.start_soon(ask)
            await anyio.sleep(1)
            f.cache.flights[0].break_off(SourceAway("tube", trouble))
        f.ref.tell(Warm(OTHER, 1))
        await anyio.sleep(1)
        assert f.tube.asked == (["resolve song"] if shut else ["resolve song", "resolve other"])


@pytest.mark.parametrize("slow", ["resolve", "bytes"])
async def test_a_source_that_hangs_is_an_answer_and_never_a_crash(slow: str) -> None:
    async with fetchers() as f:
        if slow == "resolve":
            f.tube.takes = 10_000.0
        else:
            f.cache.ready_takes = 10_000.0
        began = anyio.current_time()
        with pytest.raises(TrackError) as failed:
            await f.ref.ask(Fetch(SONG, 1), within=600)
        assert failed.value.trouble is TrackTrouble.UNREACHABLE
        assert anyio.current_time() - began < 60
        await anyio.sleep(0.01)
        assert f.services.health()[0].restarts == 0
        assert not any(flight.flying for flight in f.cache.flights)


async def test_a_crash_costs_what_is_under_way_and_nothing_else() -> None:
    async with fetchers() as f:
        await f.fetch(web("whole"))
        await anyio.sleep(20)
        await f.fetch(SONG)
        f.cloud.trouble = ZeroDivisionError()
        with pytest.raises(ActorCrashed):
            await f.fetch(web("cursed", source="cloud"))
        await anyio.sleep(1)
        assert f.cache.removed == ["song"]
        assert (await f.fetch(web("whole"))).path == "whole"
        assert (await f.fetch(SONG)).path == "song"
        assert f.services.health()[0].restarts == 1


# -- around a track
async def test_what_is_listened_to_is_told_the_cache() -> None:
    async with fetchers() as f:
        f.ref.tell(InUse("tube:song"))
        await anyio.sleep(0.1)
        assert f.cache.used == ["tube:song"]


async def test_lyrics_are_asked_for_and_a_songbook_that_is_away_is_a_source_that_is_away() -> None:
    async with fetchers() as f:
        lyrics = Lyrics((Line("la", 1.0),), "lrc")
        f.songbook.known["Song", "Band"] = lyrics
        assert await f.ref.ask(LyricsOf("Song", "Band"), within=5) == lyrics
        assert await f.ref.ask(LyricsOf("Song"), within=5) is None
        f.songbook.down = True
        with pytest.raises(SourceAway) as away:
            await f.ref.ask(LyricsOf("Song"), within=5)
        assert (away.value.source, away.value.trouble) == ("lyrics", SourceTrouble.DOWN)


async def test_stats_show_what_is_wrong_with_the_sources_and_the_disk() -> None:
    async with fetchers(disk="the disk is full") as f:
        assert f.services.health()[0].condition == "the disk is full"
        f.tube.trouble = SourceAway("tube", SourceTrouble.BOT_CHECK)
        with pytest.raises(SourceAway):
            await f.fetch(SONG)
        said = "tube: refuses us as a robot, asked again in 30 s; the disk is full"
        assert f.services.health()[0].condition == said


async def test_an_answer_of_a_server_that_makes_no_sense_is_the_tracks_trouble() -> None:
    async with fetchers() as f:
        f.tube.troubles["song"] = WebError("502", 502)
        with pytest.raises(TrackError) as failed:
            await f.fetch(SONG)
        assert failed.value.trouble is TrackTrouble.UNREACHABLE
