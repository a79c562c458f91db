"""A chat and what it fetches: sources that refuse, tracks that break off, work that nobody wants any more."""

from __future__ import annotations

import anyio
import pytest
from chat_fakes import GROUPS, Stage, stage
from fetch_fakes import web

from ryzen.errors import SourceAway, SourceTrouble, TrackTrouble, VoiceTrouble
from ryzen.player import events as ev
from ryzen.player.state import CUTS, Phase
from ryzen.ports import SoundFailed

pytestmark = pytest.mark.anyio
GROUP, OTHER, THIRD = GROUPS
ROBOT = SourceAway("tube", SourceTrouble.BOT_CHECK)
CUT = TrackTrouble.CUT_SHORT


async def playing(s: Stage, *titles: str, chat: int = GROUP) -> None:
    await s.play(chat, *(web(title) for title in titles))
    await anyio.sleep(1)


async def test_three_chats_that_want_one_track_share_one_flight() -> None:
    async with stage() as s:
        for chat in GROUPS:
            await s.play(chat, web("song"))
        await anyio.sleep(1)
        assert [s.world.room(chat).deck.loads for chat in GROUPS] == [[("song", 0.0)]] * 3
        assert s.world.tube.asked == ["resolve song"]
        assert s.world.cache.begun() == ["song"]


async def test_each_chat_hears_what_is_live_from_a_flight_of_its_own() -> None:
    async with stage() as s:
        for chat in GROUP, OTHER:
            await s.play(chat, web("live", None))
        await anyio.sleep(1)
        assert len({s.world.room(chat).deck.loads[0] for chat in (GROUP, OTHER)}) == 2
        await s.wish(GROUP, ev.Stop())
        await anyio.sleep(1)
        [flying] = [flight.key for flight in s.world.cache.flights if flight.flying]
        assert s.world.room(OTHER).deck.loads == [(flying, 0.0)]


# -- nobody wants it any more
async def test_a_skip_while_it_resolves_ends_the_work() -> None:
    async with stage() as s:
        s.world.tube.takes = 30.0
        await playing(s, "one", "two")
        await s.wish(GROUP, ev.Skip())
        await anyio.sleep(0.01)
        assert s.world.tube.cancelled == ["one"]


async def test_a_stop_ends_all_work_of_this_chat_and_none_of_another() -> None:
    async with stage() as s:
        await playing(s, "shared", "mine")
        await playing(s, "shared", chat=OTHER)
        await s.wish(GROUP, ev.Stop())
        await anyio.sleep(0.1)
        assert s.world.cache.removed == ["mine"]
        await anyio.sleep(20)
        assert "shared" in s.world.cache.whole


async def test_what_comes_next_is_fetched_ahead_and_let_go_when_something_else_comes_next() -> None:
    async with stage() as s:
        s.world.cache.whole_takes = 600.0
        await playing(s, "one", "two", "three")
        assert s.world.cache.begun() == ["one", "two"]
        await s.wish(GROUP, ev.Move(2, 1))
        await anyio.sleep(1)
        assert s.world.cache.begun() == ["one", "two", "three"]
        assert s.world.cache.removed == ["two"]


async def test_what_could_not_be_told_to_a_busy_download_actor_is_told_later() -> None:
    async with stage() as s:
        s.world.cache.whole_takes = 600.0
        await playing(s, "one")
        await s.play(GROUP, "mine", "other")
        box = s.surroundings.download._mailbox
        capacity, box.capacity = box.capacity, 0
        await s.wish(GROUP, ev.Skip())
        box.capacity = capacity
        assert s.world.cache.removed == []
        await anyio.sleep(5)  # "mine" starts, which is the next step
        assert s.world.cache.removed == ["one"]


async def test_a_track_that_waits_twice_is_not_let_go_when_one_of_them_ends() -> None:
    async with stage() as s:
        await playing(s, "song", "song")
        await s.wish(GROUP, ev.Skip())
        await anyio.sleep(1)
        assert s.world.cache.begun() == ["song"]
        assert s.world.cache.removed == []


async def test_a_crash_of_the_chat_keeps_what_it_goes_on_with_and_lets_go_of_the_rest() -> None:
    async with stage() as s:
        s.world.cache.whole_takes = 600.0
        await playing(s, "one", "two", "three")
        s.world.room(GROUP).call.on_lost(VoiceTrouble.LOST, "kicked")
        await anyio.sleep(1)
        assert s.world.cache.removed == []
        s.world.room(GROUP).call.on_lost(VoiceTrouble.LOST, "kicked")  # now the track is suspected
        await anyio.sleep(1)
        assert s.world.cache.removed == ["one"]
        assert s.world.room(GROUP).deck.loads[-1] == ("two", 0.0)


# -- sources that refuse
async def test_a_source_that_refuses_keeps_the_queue_and_says_so() -> None:
    async with stage() as s:
        s.world.tube.trouble = ROBOT
        await playing(s, "one", "two", "three")
        view = await s.look(GROUP)
        assert view.player.phase is Phase.IDLE
        assert [entry.track.title for entry in view.player.queue] == ["one", "two", "three"]
        [notice] = s.world.room(GROUP).notices
        assert (notice.code, notice.reason, notice.source) == ("source-away", "bot-check", "tube")


async def test_a_resume_while_the_source_is_shut_asks_nobody_and_later_it_plays() -> None:
    async with stage() as s:
        s.world.tube.trouble = ROBOT
        await playing(s, "one", "two")
        for _ in range(5):
            await s.wish(GROUP, ev.Resume())
            await anyio.sleep(1)
        assert s.world.tube.asked == ["resolve one"]
        s.world.tube.trouble = None
        await anyio.sleep(30)
        await s.wish(GROUP, ev.Resume())
        await anyio.sleep(1)
        assert s.world.room(GROUP).deck.loads == [("one", 0.0)]
        assert s.world.tube.asked == ["resolve one", "resolve one", "resolve two"]


async def test_one_source_that_refuses_is_nothing_to_a_chat_that_plays_from_another() -> None:
    async with stage() as s:
        s.world.tube.trouble = ROBOT
        await playing(s, "one")
        await s.play(OTHER, "mine")
        await anyio.sleep(1)
        assert (await s.look(OTHER)).player.phase is Phase.PLAYING


# -- tracks that break off
async def test_a_cut_track_goes_on_from_where_it_stopped_without_silence() -> None:
    async with stage() as s:
        await playing(s, "one", "two")
        room = s.world.room(GROUP)
        silenced = room.deck.silenced
        await anyio.sleep(15)
        room.deck.fail(CUT, played=42.5)
        await anyio.sleep(1)
        assert room.deck.loads == [("one", 0.0), ("one", 42.5)]
        assert room.deck.silenced == silenced
        assert room.notices == []
        assert [flight.again for flight in s.world.cache.flights if flight.key == "one"] == [False, True]


async def test_a_track_that_is_cut_again_and_again_makes_room_for_the_next() -> None:
    async with stage() as s:
        await playing(s, "one", "two")
        room = s.world.room(GROUP)
        for _ in range(CUTS + 1):
            await anyio.sleep(15)
            room.deck.fail(CUT, played=42.5)
        await anyio.sleep(1)
        assert room.deck.loads == [("one", 0.0), *[("one", 42.5)] * CUTS, ("two", 0.0)]
        assert room.codes() == ["track-failed"]


async def test_a_file_that_was_put_out_of_the_cache_is_fetched_once_more() -> None:
    async with stage() as s:
        await playing(s, "one")
        await anyio.sleep(20)
        await s.wish(GROUP, ev.Seek(30.0))
        s.world.cache.whole.clear()
        s.world.room(GROUP).deck.fail(TrackTrouble.MISSING)
        await anyio.sleep(1)
        assert s.world.room(GROUP).deck.loads == [("one", 0.0), ("one", 30.0), ("one", 30.0)]


async def test_a_crash_of_the_download_actor_in_mid_flight_is_survived() -> None:
    async with stage() as s:
        await playing(s, "one")
        await playing(s, "two", chat=OTHER)
        deck = s.world.room(GROUP).deck
        s.surroundings.download.tell("what is this?")  # type: ignore[arg-type]
        await anyio.sleep(0.01)
        assert sorted(s.world.cache.removed) == ["one", "two"]
        for chat in GROUP, OTHER:  # the worker finds the file cut where the flight was
            s.world.room(chat).deck.fail(CUT, played=12.0)
        await anyio.sleep(3)
        for chat, title in (GROUP, "one"), (OTHER, "two"):
            assert s.world.room(chat).deck.loads == [(title, 0.0), (title, 12.0)]
            assert (await s.look(chat)).player.phase is Phase.PLAYING
            assert s.world.room(chat).notices == []
        assert s.world.room(GROUP).deck is deck
        assert [health.restarts for health in s.chats.health()] == [0, 0]


async def test_who_waits_for_a_track_when_the_download_actor_falls_gets_it_all_the_same() -> None:
    async with stage() as s:
        s.world.tube.takes = 2.0
        await playing(s, "one")
        s.surroundings.download.tell("what is this?")  # type: ignore[arg-type]
        await anyio.sleep(5)
        assert s.world.room(GROUP).deck.loads == [("one", 0.0)]
        assert s.world.room(GROUP).notices == []


async def test_a_track_over_which_the_download_actor_falls_each_time_is_left_out() -> None:
    async with stage() as s:
        s.world.tube.troubles["cursed"] = ZeroDivisionError()
        await s.play(GROUP, web("cursed"), "fine")
        await anyio.sleep(20)
        assert s.world.room(GROUP).deck.loads == [("fine", 0.0)]
        assert s.world.room(GROUP).codes() == ["track-failed"]
        assert s.services.health()[0].restarts == 3


async def test_a_failure_of_the_sound_before_anything_was_heard_is_none_of_the_cache() -> None:
    async with stage() as s:
        await playing(s, "one", "two")
        s.world.room(GROUP).deck._on_event(SoundFailed(1, TrackTrouble.UNSUPPORTED))
        await anyio.sleep(1)
        assert s.world.room(GROUP).deck.loads[-1] == ("two", 0.0)


# -- the cache
async def test_what_plays_is_told_the_cache_as_used_and_what_is_on_disk_is_not() -> None:
    async with stage(card_interval=10.0) as s:
        await playing(s, "one")
        await s.play(OTHER, "mine")
        await anyio.sleep(25)
        assert s.world.cache.used == ["tube:one", "tube:one"]
        await s.wish(GROUP, ev.Pause())
        await anyio.sleep(60)
        assert s.world.cache.used == ["tube:one", "tube:one"]
