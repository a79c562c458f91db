"""One chat, from the wish to the deck: the laws of the shell round the reducer."""

from __future__ import annotations

import anyio
import pytest
from chat_fakes import ADA, stage, track

from ryzen.errors import Refusal, TrackTrouble, VoiceTrouble
from ryzen.messages import MemberChanged, Redraw
from ryzen.player import events as ev
from ryzen.player.state import Loop, Phase
from ryzen.supervisor import Status

pytestmark = pytest.mark.anyio
GROUP, OTHER = -1001, -1002


async def test_what_is_asked_for_is_heard_and_shown() -> None:
    async with stage() as s:
        await s.play(GROUP, "song")
        await anyio.sleep(1)
        room = s.world.room(GROUP)
        assert room.inside
        assert room.deck.loads == [("song", 0.0)]
        assert (await s.look(GROUP)).player.phase is Phase.PLAYING
        assert room.cards[-1].player.phase is Phase.PLAYING


async def test_the_track_is_resolved_while_the_call_is_joined() -> None:
    async with stage() as s:
        s.world.room(GROUP).join_takes = s.world.disk.takes = 1.0
        began = anyio.current_time()
        await s.play(GROUP, "song")
        while (await s.look(GROUP)).player.phase is not Phase.PLAYING:
            await anyio.sleep(0.01)
        assert anyio.current_time() - began < 1.5  # one after the other would take 2 s


async def test_a_bad_track_is_skipped_with_a_word_and_the_chat_lives() -> None:
    async with stage() as s:
        await s.play(GROUP, "bad", "good")
        await anyio.sleep(1)
        assert s.world.room(GROUP).deck.loads == [("good", 0.0)]
        assert s.world.room(GROUP).codes() == ["track-failed"]
        assert s.chats.health()[0].restarts == 0


async def test_a_track_that_fails_on_the_deck_makes_room_for_the_next() -> None:
    async with stage() as s:
        await s.play(GROUP, "one", "two")
        await anyio.sleep(1)
        s.world.room(GROUP).deck.fail(TrackTrouble.CUT_SHORT)
        await anyio.sleep(1)
        assert s.world.room(GROUP).deck.loads[-1] == ("two", 0.0)
        assert s.world.room(GROUP).notices[0].reason == TrackTrouble.CUT_SHORT


async def test_the_next_track_is_warm_before_its_turn() -> None:
    async with stage() as s:
        await s.play(GROUP, "one", "two")
        await anyio.sleep(1)
        assert s.world.disk.resolved == ["one", "two"]


async def test_the_end_of_one_is_the_start_of_the_next_and_the_last_one_leaves() -> None:
    async with stage() as s:
        await s.play(GROUP, "one", "two")
        await anyio.sleep(1)
        room = s.world.room(GROUP)
        room.deck.end()
        await anyio.sleep(1)
        assert room.deck.loads[-1] == ("two", 0.0)
        room.deck.end()
        await anyio.sleep(1)
        assert not room.inside
        assert room.codes() == ["finished"]


async def test_a_pause_holds_the_engine_and_the_position() -> None:
    async with stage() as s:
        await s.play(GROUP, "song")
        await anyio.sleep(2)
        await s.wish(GROUP, ev.Pause())
        held = (await s.look(GROUP)).position
        await anyio.sleep(5)
        assert s.world.room(GROUP).call.log == ["join", "pause"]
        assert (await s.look(GROUP)).position == held
        await s.wish(GROUP, ev.Resume())
        await anyio.sleep(1)
        assert s.world.room(GROUP).call.log == ["join", "pause", "resume"]
        assert (await s.look(GROUP)).position == pytest.approx(held + 1, abs=0.2)


async def test_a_stop_while_paused_does_not_hold_what_is_played_next() -> None:
    async with stage() as s:
        await s.play(GROUP, "song")
        await anyio.sleep(1)
        await s.wish(GROUP, ev.Pause())
        await s.wish(GROUP, ev.Stop())
        await anyio.sleep(1)
        await s.play(GROUP, "other")
        await anyio.sleep(1)
        assert s.world.room(GROUP).call.log == ["join", "pause", "leave", "join"]
        assert (await s.look(GROUP)).position == pytest.approx(1, abs=0.2)


async def test_a_pause_before_the_call_is_up_is_kept_until_it_is() -> None:
    async with stage() as s:
        s.world.room(GROUP).join_takes = 1.0
        await s.play(GROUP, "song")
        await s.wish(GROUP, ev.Pause())
        await anyio.sleep(2)
        assert s.world.room(GROUP).call.log == ["join", "pause"]


async def test_positions_are_reckoned_from_where_the_engine_truly_is() -> None:
    async with stage() as s:
        await s.play(GROUP, "song")
        await anyio.sleep(5)
        deck = s.world.room(GROUP).deck
        assert deck.loaded is not None
        deck.loaded = (deck.loaded[0], deck.loaded[1] - 3.0)  # the engine starved for three seconds
        await s.wish(GROUP, ev.SeekBy(10.0))
        assert deck.loads[-1][1] == pytest.approx(5 - 3 + 10, abs=0.2)


async def test_a_refused_wish_is_said_and_changes_nothing() -> None:
    async with stage() as s:
        with pytest.raises(Refusal) as refused:
            await s.wish(GROUP, ev.Skip())
        assert refused.value.code == "nothing-playing"
        assert s.chats.health()[0].restarts == 0


async def test_stop_does_not_wait_for_a_join_that_takes_long() -> None:
    async with stage() as s:
        s.world.room(GROUP).join_takes = 3600
        await s.play(GROUP, "song")
        await anyio.sleep(1)
        await s.wish(GROUP, ev.Stop())
        await s.play(GROUP, "other")
        s.world.room(GROUP).join_takes = 0.05
        await anyio.sleep(0.01)
        await s.wish(GROUP, ev.Stop())
        await anyio.sleep(1)
        await s.play(GROUP, "third")
        await anyio.sleep(1)
        assert s.world.room(GROUP).inside
        assert s.world.room(GROUP).deck.loads[-1] == ("third", 0.0)


@pytest.mark.parametrize("trouble", [VoiceTrouble.NO_VOICE_CHAT, VoiceTrouble.JOIN_REFUSED])
async def test_a_call_that_cannot_be_had_is_said_and_the_line_is_kept(trouble: VoiceTrouble) -> None:
    async with stage() as s:
        room = s.world.room(GROUP)
        room.troubles = [trouble]
        await s.play(GROUP, "one", "two")
        await anyio.sleep(1)
        view = await s.look(GROUP)
        assert view.player.phase is Phase.IDLE
        assert [entry.track.title for entry in view.player.queue] == ["one", "two"]
        assert [(notice.code, notice.reason) for notice in room.notices] == [("no-call", trouble)]
        await s.wish(GROUP, ev.Resume())
        await anyio.sleep(1)
        assert room.inside
        assert room.deck.loads[-1] == ("one", 0.0)
        assert s.chats.health()[0].restarts == 0


async def test_a_banned_assistant_is_said_without_a_crash() -> None:
    async with stage() as s:
        s.world.barred = VoiceTrouble.ASSISTANT_BANNED
        await s.play(GROUP, "song")
        await anyio.sleep(1)
        assert s.world.room(GROUP).notices[0].reason == VoiceTrouble.ASSISTANT_BANNED
        assert s.chats.health()[0].restarts == 0


async def test_a_lost_call_resumes_where_it_was_and_the_other_group_never_knows() -> None:
    async with stage() as s:
        await s.play(GROUP, "song")
        await s.play(OTHER, "song")
        await anyio.sleep(10)
        s.world.room(GROUP).call.on_lost(VoiceTrouble.LOST, "kicked off the server")
        await anyio.sleep(2)
        where = s.world.room(GROUP).deck.loads[-1]
        assert where == ("song", pytest.approx(10, abs=0.5))
        assert (await s.look(GROUP)).player.phase is Phase.PLAYING
        assert s.world.room(GROUP).codes() == ["recovered"]
        assert len(s.world.room(OTHER).decks) == 1
        assert {h.name: h.restarts for h in s.chats.health()} == {f"chat:{GROUP}": 1, f"chat:{OTHER}": 0}


async def test_a_stalled_engine_is_a_lost_call() -> None:
    async with stage() as s:
        await s.play(GROUP, "song")
        await anyio.sleep(10)
        s.world.room(GROUP).deck.stall()
        await anyio.sleep(2)
        assert s.chats.health()[0].restarts == 1
        assert (await s.look(GROUP)).player.phase is Phase.PLAYING


async def test_one_loss_told_twice_is_one_crash() -> None:
    async with stage() as s:
        await s.play(GROUP, "song")
        await anyio.sleep(1)
        dead = s.world.room(GROUP).call
        dead.on_lost(VoiceTrouble.LOST, "the stream ended")
        dead.on_lost(VoiceTrouble.LOST, "and the connection closed")
        await anyio.sleep(2)
        dead.on_lost(VoiceTrouble.LOST, "a late echo")
        await anyio.sleep(2)
        assert s.chats.health()[0].restarts == 1


async def test_a_voice_chat_that_an_admin_ends_is_a_rest_not_a_crash() -> None:
    async with stage() as s:
        await s.play(GROUP, "song")
        await anyio.sleep(1)
        s.world.room(GROUP).call.on_lost(VoiceTrouble.CLOSED, "")
        await anyio.sleep(1)
        view = await s.look(GROUP)
        assert view.player.phase is Phase.IDLE
        assert len(view.player.queue) == 1
        assert s.chats.health()[0].restarts == 0


async def test_mail_that_nobody_knows_is_a_crash_and_the_music_goes_on() -> None:
    async with stage() as s:
        await s.play(GROUP, "song", "next")
        await anyio.sleep(20)
        s.open(GROUP).tell("what is this?")
        await anyio.sleep(1)
        assert s.chats.health()[0].restarts == 1
        view = await s.look(GROUP)
        assert view.player.phase is Phase.PLAYING
        assert view.position == pytest.approx(21, abs=0.6)
        assert len(view.player.queue) == 1


async def test_facts_that_find_no_room_are_a_crash_and_never_the_fault_of_who_brings_them() -> None:
    async with stage() as s:
        await s.play(GROUP, "song")
        await anyio.sleep(20)
        deck = s.world.room(GROUP).deck
        for _ in range(100):  # more than the mailbox holds, before the actor can take one
            deck.end()
        await anyio.sleep(1)
        assert s.chats.health()[0].restarts == 1
        assert s.world.room(GROUP).deck is not deck
        for _ in range(100):  # and now from a life that is over
            deck.stall()
        await anyio.sleep(1)
        assert s.chats.health()[0].restarts == 1


async def test_a_chat_that_keeps_crashing_comes_to_rest() -> None:
    async with stage() as s:
        await s.play(GROUP, "cursed", "fine")
        await anyio.sleep(1)
        for _ in range(2):
            s.world.room(GROUP).call.on_lost(VoiceTrouble.LOST, "again")
            await anyio.sleep(1)
        assert s.world.room(GROUP).deck.loads[-1] == (
            "fine",
            0.0,
        )  # the second time, the track is the suspect
        s.world.room(GROUP).call.on_lost(VoiceTrouble.LOST, "again")
        await anyio.sleep(1)
        assert (await s.look(GROUP)).player.phase is Phase.IDLE  # the third time, the chat rests
        assert s.chats.health()[0].status is Status.RUNNING


async def test_loops_and_seeks_reach_the_deck() -> None:
    async with stage() as s:
        await s.play(GROUP, "song")
        await anyio.sleep(1)
        await s.wish(GROUP, ev.SetLoop(Loop.TRACK))
        await s.wish(GROUP, ev.Seek(30.0))
        deck = s.world.room(GROUP).deck
        assert deck.loads[-1] == ("song", 30.0)
        await anyio.sleep(1)
        deck.end()
        await anyio.sleep(0.1)
        assert deck.loads[-1] == ("song", 0.0)
        assert s.world.disk.resolved == ["song"]


async def test_the_progress_row_moves_while_it_plays() -> None:
    async with stage(card_interval=10.0) as s:
        await s.play(GROUP, "song")
        await anyio.sleep(35)
        positions = [card.position for card in s.world.room(GROUP).cards]
        assert [round(position) for position in positions[-3:]] == [10, 20, 30]


async def test_a_card_is_drawn_afresh_on_request() -> None:
    async with stage() as s:
        await s.play(GROUP, "song")
        await anyio.sleep(1)
        before = len(s.world.room(GROUP).cards)
        s.open(GROUP).tell(Redraw())
        await anyio.sleep(0.1)
        assert len(s.world.room(GROUP).cards) == before + 1


async def test_a_chat_with_nothing_to_do_retires_and_one_with_a_line_does_not() -> None:
    async with stage(linger=60.0) as s:
        await s.play(GROUP, "song")
        s.world.room(OTHER).troubles = [VoiceTrouble.NO_VOICE_CHAT]
        await s.play(OTHER, "waiting")
        await anyio.sleep(1)
        s.world.room(GROUP).deck.end()
        await anyio.sleep(200)
        assert [h.name for h in s.chats.health()] == [f"chat:{OTHER}"]
        assert s.world.room(GROUP).deck.closed


async def test_stopping_the_system_leaves_the_calls() -> None:
    async with stage() as s:
        await s.play(GROUP, "song")
        await s.play(OTHER, "song")
        await anyio.sleep(1)
    assert not s.world.room(GROUP).inside
    assert not s.world.room(OTHER).inside


async def test_the_assistant_is_asked_for_once_until_something_changes() -> None:
    async with stage() as s:
        for _ in range(2):
            await s.play(GROUP, "song")
            await anyio.sleep(1)
            await s.wish(GROUP, ev.Stop())
            await anyio.sleep(1)
        assert s.world.admitted == [GROUP]
        s.surroundings.assistants.tell(MemberChanged(GROUP, 99))
        await s.play(GROUP, "song")
        await anyio.sleep(1)
        assert s.world.admitted == [GROUP, GROUP]


async def test_an_assistant_that_is_not_inside_after_all_is_brought_in_again() -> None:
    async with stage() as s:
        await s.play(GROUP, "song")
        await anyio.sleep(1)
        await s.wish(GROUP, ev.Stop())
        await anyio.sleep(1)
        s.world.room(GROUP).troubles = [VoiceTrouble.ASSISTANT_MISSING]  # kicked, and no update told of it
        await s.play(GROUP, "song")
        await anyio.sleep(1)
        await s.wish(GROUP, ev.Resume())
        await anyio.sleep(1)
        assert s.world.admitted == [GROUP, GROUP]
        assert s.world.room(GROUP).inside


async def test_play_now_silences_what_is_heard_at_once() -> None:
    async with stage() as s:
        await s.play(GROUP, "old")
        await anyio.sleep(1)
        s.world.disk.takes = 5.0
        silenced = s.world.room(GROUP).deck.silenced
        await s.wish(GROUP, ev.PlayNow((track("new"),), ADA))
        assert s.world.room(GROUP).deck.silenced == silenced + 1
        await anyio.sleep(6)
        assert s.world.room(GROUP).deck.loads[-1] == ("new", 0.0)
