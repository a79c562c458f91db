"""What a chat has the store keep of it, and how it takes over what another process left."""

from __future__ import annotations

import anyio
import pytest
from chat_fakes import ADA, EPOCH, stage, track, wall

from ryzen.errors import VoiceTrouble
from ryzen.messages import Happened
from ryzen.player import events as ev
from ryzen.player.state import Entry, Loop, Phase, Player
from ryzen.ports import Card
from ryzen.records import LiveChat

pytestmark = pytest.mark.anyio
GROUP = -1001


def left(phase: Phase = Phase.PLAYING, **more: object) -> LiveChat:
    """Twenty seconds into «one», with «two» behind it."""
    one, two = (Entry(n, track(title), ADA) for n, title in ((1, "one"), (2, "two")))
    player = Player(phase=phase, current=one, queue=(two,), offset=20.0, epoch=4, next_id=3)
    return LiveChat(GROUP, player, EPOCH, "before", card=7, card_entry=1, counted=1, **more)  # type: ignore[arg-type]


# -- what is kept
async def test_every_change_that_a_listener_would_miss_is_kept() -> None:
    async with stage() as s:
        await s.play(GROUP, "one", "two")
        await anyio.sleep(1)
        kept = s.kept(GROUP)[-1]
        assert (kept.player.phase, kept.player.queue[0].track.title) == (Phase.PLAYING, "two")
        for wish in (ev.Pause(), ev.Resume(), ev.Seek(30.0), ev.SetLoop(Loop.QUEUE), ev.Skip(), ev.Stop()):
            before = len(s.kept(GROUP))
            await s.wish(GROUP, wish)
            await anyio.sleep(1)
            assert len(s.kept(GROUP)) > before, wish
        assert s.kept(GROUP)[-1].player.phase is Phase.IDLE
        assert s.kept(GROUP)[-1].player.cleared


async def test_time_alone_writes_nothing() -> None:
    async with stage() as s:
        await s.play(GROUP, "one")
        await anyio.sleep(1)
        before = len(s.told)
        await anyio.sleep(50)
        await s.look(GROUP)
        assert len(s.told) == before


async def test_what_is_kept_tells_the_position_at_any_later_moment() -> None:
    async with stage() as s:
        await s.play(GROUP, "one")
        await anyio.sleep(12.5)
        kept = s.kept(GROUP)[-1]
        assert kept.player.since is None
        assert kept.player.media is None
        assert kept.position(wall()) == pytest.approx((await s.look(GROUP)).position, abs=0.01)
        await s.wish(GROUP, ev.Pause())
        await anyio.sleep(0.1)
        standing = s.kept(GROUP)[-1]
        assert standing.moving_since is None
        assert standing.position(wall() + 99) == pytest.approx(12.5, abs=0.2)


async def test_an_engine_that_fell_behind_is_noticed_and_kept() -> None:
    async with stage() as s:
        await s.play(GROUP, "one")
        await anyio.sleep(1)
        before = len(s.kept(GROUP))
        deck = s.world.room(GROUP).deck
        assert deck.since is not None
        deck.since += 0.5  # half a second was not read
        await anyio.sleep(20)  # the next look at it
        assert len(s.kept(GROUP)) == before + 1
        assert s.kept(GROUP)[-1].position(wall()) == pytest.approx((await s.look(GROUP)).position, abs=0.01)


async def test_the_card_is_kept_as_soon_as_it_is_there() -> None:
    async with stage() as s:
        await s.play(GROUP, "one", "two")
        await anyio.sleep(1)
        assert (s.kept(GROUP)[-1].card, s.kept(GROUP)[-1].card_entry) == (1, 1)
        await s.wish(GROUP, ev.Skip())
        await anyio.sleep(1)
        assert (s.kept(GROUP)[-1].card, s.kept(GROUP)[-1].card_entry) == (2, 2)
        await s.wish(GROUP, ev.Stop())
        await anyio.sleep(1)
        assert s.kept(GROUP)[-1].card is None


async def test_a_turn_counts_as_one_play_whatever_happens_in_it() -> None:
    async with stage() as s:
        await s.play(GROUP, "one", "two")
        await anyio.sleep(1)
        for wish in (ev.Seek(5.0), ev.Pause(), ev.Resume(), ev.Replay()):
            await s.wish(GROUP, wish)
            await anyio.sleep(1)
        s.world.room(GROUP).deck.stall()  # a crash
        await anyio.sleep(2)
        (play,) = s.plays()
        assert (play.chat_id, play.asker, play.track.title) == (GROUP, ADA, "one")
        assert play.at > EPOCH
        await s.wish(GROUP, ev.Skip())
        await anyio.sleep(1)
        assert [play.track.title for play in s.plays()] == ["one", "two"]
        assert len({play.id for play in s.plays()}) == 2


async def test_a_track_that_never_sounds_is_not_counted() -> None:
    async with stage() as s:
        s.world.room(GROUP).troubles = [VoiceTrouble.NO_VOICE_CHAT]
        await s.play(GROUP, "one")
        await anyio.sleep(1)
        assert s.plays() == []


async def test_a_store_that_has_no_room_is_told_with_the_next_tick() -> None:
    async with stage() as s:
        await s.play(GROUP, "one")
        await anyio.sleep(1)
        with s.store_full():
            await s.wish(GROUP, ev.SetLoop(Loop.QUEUE))
            await anyio.sleep(1)
        assert s.kept(GROUP)[-1].player.loop is Loop.OFF
        await anyio.sleep(10)
        assert s.kept(GROUP)[-1].player.loop is Loop.QUEUE


# -- stopping
async def test_a_clean_stop_keeps_the_exact_position_in_silence_and_stays_in_the_call() -> None:
    async with stage() as s:
        await s.play(GROUP, "one")
        await anyio.sleep(10)
        room = s.world.room(GROUP)
        assert room.deck.since is not None
        room.deck.since += 0.2  # too little to be saved at once
        true = room.deck.position()
        assert true is not None
        await s.chats.stop(f"chat:{GROUP}")
        await anyio.sleep(0.1)
        kept = s.kept(GROUP)[-1]
        assert kept.player.phase is Phase.PLAYING
        assert kept.moving_since is None
        assert kept.player.offset == pytest.approx(true[1], abs=0.001)
        assert room.deck.silenced
        assert room.deck.closed
        assert room.call.log == ["join", "release"]


async def test_it_leaves_the_call_at_a_stop_if_told_to() -> None:
    async with stage(leave_at_stop=True) as s:
        await s.play(GROUP, "one")
        await anyio.sleep(1)
        await s.chats.stop(f"chat:{GROUP}")
        await anyio.sleep(0.1)
        assert s.world.room(GROUP).call.log == ["join", "leave"]


# -- taking over
async def test_a_playing_chat_goes_on_where_it_was_left_with_its_card() -> None:
    async with stage() as s:
        s.open(GROUP, left())
        await anyio.sleep(1)
        room = s.world.room(GROUP)
        assert room.deck.loads == [("one", 20.0)]
        assert room.inside
        assert room.card == Card(7, 1)
        assert room.cards[-1].player.phase is Phase.PLAYING
        (told,) = room.notices
        assert (told.code, told.seconds) == ("resumed", 20.0)
        assert [entry.track.title for entry in (await s.look(GROUP)).player.queue] == ["two"]
        assert s.plays() == []  # it was counted when it began


async def test_a_paused_chat_waits_where_it_was_left() -> None:
    async with stage() as s:
        s.open(GROUP, left(Phase.PAUSED))
        await anyio.sleep(1)
        room = s.world.room(GROUP)
        assert room.codes() == ["still-paused"]
        assert (await s.look(GROUP)).player.phase is Phase.PAUSED
        assert room.deck.since is None  # nothing moves
        await s.wish(GROUP, ev.Resume())
        await anyio.sleep(1)
        assert room.deck.loads[-1] == ("one", 20.0)


async def test_a_sound_forgives_the_attempts_that_had_none() -> None:
    async with stage() as s:
        s.world.room(GROUP).join_takes = 5.0
        s.open(GROUP, left(attempts=2))
        await anyio.sleep(1)
        assert s.kept(GROUP)[-1].attempts == 2
        await anyio.sleep(10)
        assert s.kept(GROUP)[-1].attempts == 0


async def test_a_crash_after_taking_over_goes_on_from_our_own_state() -> None:
    async with stage() as s:
        s.open(GROUP, left())
        await anyio.sleep(10)
        s.world.room(GROUP).deck.stall()
        await anyio.sleep(1)
        assert s.world.room(GROUP).codes() == ["resumed", "recovered"]
        assert s.world.room(GROUP).deck.loads[-1][1] == pytest.approx(30.0, abs=1.0)


async def test_the_line_of_before_turns_up_late_and_can_be_brought_back() -> None:
    async with stage() as s:
        await s.play(GROUP, "new")
        await anyio.sleep(1)
        old = left().player
        assert old.current is not None
        s.open(GROUP).tell(Happened(ev.Recollected((old.current, *old.queue))))
        await anyio.sleep(1)
        (told,) = s.world.room(GROUP).notices
        assert (told.code, told.number) == ("line-found", 2)
        await s.wish(GROUP, ev.Restore())
        player = (await s.look(GROUP)).player
        assert [entry.track.title for entry in player.queue] == ["one", "two"]


# -- Telegram makes us wait
async def test_a_flood_of_joins_is_waited_for_and_the_music_starts_by_itself() -> None:
    async with stage() as s:
        room = s.world.room(GROUP)
        room.floods = [30.0]
        await s.play(GROUP, "one")
        await anyio.sleep(20)
        (told,) = room.notices
        assert (told.code, told.seconds) == ("must-wait", 30.0)
        assert not room.inside
        await anyio.sleep(15)
        assert room.inside
        assert (await s.look(GROUP)).player.phase is Phase.PLAYING


async def test_a_chat_that_was_stopped_while_it_waits_does_not_join() -> None:
    async with stage() as s:
        room = s.world.room(GROUP)
        room.floods = [30.0]
        await s.play(GROUP, "one")
        await anyio.sleep(10)
        await s.wish(GROUP, ev.Stop())
        await anyio.sleep(60)
        assert not room.inside
        assert room.call.log == []
