"""Muting, and what is undone after a while: laws of the shell that the player knows nothing of."""

from __future__ import annotations

import anyio
import pytest
from chat_fakes import Stage, stage

from ryzen.actors.alarm import Alarm
from ryzen.errors import Refusal, VoiceTrouble
from ryzen.messages import Mute, PauseFor, TimeUp, Unmute
from ryzen.player import events as ev
from ryzen.player.state import Phase

pytestmark = pytest.mark.anyio
GROUP = -1001


async def refused(s: Stage, request: Mute | Unmute | PauseFor) -> str:
    with pytest.raises(Refusal) as caught:
        await s.ask(GROUP, request)
    return caught.value.code


async def test_muted_the_position_goes_on_and_the_card_shows_it() -> None:
    async with stage() as s:
        await s.play(GROUP, "song")
        await anyio.sleep(1)
        await s.ask(GROUP, Mute())
        await anyio.sleep(5)
        room = s.world.room(GROUP)
        assert room.call.log == ["join", "mute"]
        assert room.cards[-1].muted
        assert (await s.look(GROUP)).position == pytest.approx(6, abs=0.2)
        await s.ask(GROUP, Unmute())
        await anyio.sleep(1)
        assert room.call.log == ["join", "mute", "unmute"]
        assert not room.cards[-1].muted
        assert s.chats.health()[0].restarts == 0


async def test_where_nothing_plays_or_nothing_would_change_it_is_refused() -> None:
    async with stage() as s:
        assert await refused(s, Mute()) == await refused(s, Unmute()) == "nothing-playing"
        await s.play(GROUP, "song")
        assert await refused(s, Unmute()) == "not-muted"
        await s.ask(GROUP, Mute())
        assert await refused(s, Mute()) == "already-muted"


async def test_a_mute_before_the_call_is_up_is_kept_until_it_is() -> None:
    async with stage() as s:
        s.world.room(GROUP).join_takes = 1.0
        await s.play(GROUP, "song")
        await s.ask(GROUP, Mute())
        await anyio.sleep(2)
        assert s.world.room(GROUP).call.log == ["join", "mute"]


async def test_the_next_track_and_a_pause_are_muted_too() -> None:
    async with stage() as s:
        await s.play(GROUP, "one", "two")
        await anyio.sleep(1)
        await s.ask(GROUP, Mute())
        await s.wish(GROUP, ev.Skip())
        await s.wish(GROUP, ev.Pause())
        await s.wish(GROUP, ev.Resume())
        await anyio.sleep(1)
        assert (await s.look(GROUP)).muted
        assert "unmute" not in s.world.room(GROUP).call.log


async def test_what_is_played_after_a_stop_is_heard() -> None:
    async with stage() as s:
        await s.play(GROUP, "song")
        await anyio.sleep(1)
        await s.ask(GROUP, Mute())
        await anyio.sleep(1)
        await s.wish(GROUP, ev.Stop())
        await s.play(GROUP, "at once, in the same call")
        await anyio.sleep(1)
        assert not s.world.room(GROUP).muted
        await s.ask(GROUP, Mute())
        await s.wish(GROUP, ev.Stop())
        await anyio.sleep(1)
        await s.play(GROUP, "later, in a new one")
        await anyio.sleep(1)
        assert not s.world.room(GROUP).muted
        assert not (await s.look(GROUP)).muted


async def test_after_a_crash_it_is_heard_and_nothing_old_undoes_anything() -> None:
    async with stage() as s:
        await s.play(GROUP, "song")
        await anyio.sleep(1)
        await s.ask(GROUP, Mute(10.0))
        await anyio.sleep(1)
        room = s.world.room(GROUP)
        room.call.on_lost(VoiceTrouble.LOST, "but the engine still has it, muted")
        await anyio.sleep(1)
        assert not room.muted
        await s.ask(GROUP, Mute())
        await anyio.sleep(20)
        assert room.muted


async def test_a_time_that_is_over_is_undone() -> None:
    async with stage() as s:
        await s.play(GROUP, "song")
        await anyio.sleep(1)
        await s.ask(GROUP, Mute(10.0))
        await anyio.sleep(9.5)
        assert (await s.look(GROUP)).muted
        await anyio.sleep(1)
        assert not (await s.look(GROUP)).muted
        await s.ask(GROUP, PauseFor(10.0))
        await anyio.sleep(9.5)
        assert (await s.look(GROUP)).player.phase is Phase.PAUSED
        await anyio.sleep(1)
        assert (await s.look(GROUP)).player.phase is Phase.PLAYING
        assert s.world.room(GROUP).call.log == ["join", "mute", "unmute", "pause", "resume"]


async def test_a_pause_for_a_while_is_refused_as_a_pause_is_and_sets_no_time() -> None:
    async with stage() as s:
        assert await refused(s, PauseFor(1.0)) == "nothing-playing"
        await s.play(GROUP, "song")
        await anyio.sleep(1)
        await s.wish(GROUP, ev.Pause())
        assert await refused(s, PauseFor(1.0)) == "already-paused"
        await anyio.sleep(5)
        assert (await s.look(GROUP)).player.phase is Phase.PAUSED


async def test_a_mute_that_was_undone_by_hand_does_not_end_the_next_one() -> None:
    async with stage() as s:
        await s.play(GROUP, "song")
        await anyio.sleep(1)
        await s.ask(GROUP, Mute(5.0))
        await s.ask(GROUP, Unmute())
        await s.ask(GROUP, Mute())
        await anyio.sleep(20)
        assert (await s.look(GROUP)).muted


async def test_a_time_belongs_to_its_own_call() -> None:
    async with stage() as s:
        await s.play(GROUP, "song")
        await anyio.sleep(1)
        await s.ask(GROUP, Mute(5.0))
        await s.ask(GROUP, PauseFor(5.0))
        await s.wish(GROUP, ev.Stop())
        await s.play(GROUP, "other")
        await s.ask(GROUP, Mute())
        await s.wish(GROUP, ev.Pause())
        await anyio.sleep(20)
        view = await s.look(GROUP)
        assert (view.muted, view.player.phase) == (True, Phase.PAUSED)


@pytest.mark.parametrize("wish", [ev.Resume(), ev.Skip()])
async def test_a_pause_that_was_ended_by_hand_does_not_end_the_next_one(wish: ev.Wish) -> None:
    async with stage() as s:
        await s.play(GROUP, "one", "two")
        await anyio.sleep(1)
        await s.ask(GROUP, PauseFor(5.0))
        await s.wish(GROUP, wish)
        await anyio.sleep(1)
        await s.wish(GROUP, ev.Pause())
        await anyio.sleep(20)
        assert (await s.look(GROUP)).player.phase is Phase.PAUSED


async def test_the_end_of_one_time_leaves_the_other_alone() -> None:
    async with stage() as s:
        await s.play(GROUP, "song")
        await anyio.sleep(1)
        await s.ask(GROUP, PauseFor(5.0))
        await s.ask(GROUP, Mute(10.0))
        await anyio.sleep(6)
        view = await s.look(GROUP)
        assert (view.muted, view.player.phase) == (True, Phase.PLAYING)


async def test_a_time_that_is_set_anew_or_off_leaves_nobody_waiting() -> None:
    rung: list[TimeUp] = []
    async with anyio.create_task_group() as tasks:
        alarm = Alarm(tasks, rung.append)
        began = anyio.current_time()
        alarm.set(1.0)
        alarm.set(2.0)
        await anyio.sleep(3)
        assert [alarm.rings(news) for news in rung] == [True]
        alarm.set(3600.0)
        alarm.off()
    assert len(rung) == 1
    assert anyio.current_time() - began < 4


async def test_news_of_a_time_that_is_no_more_change_nothing() -> None:
    async with stage() as s:
        await s.play(GROUP, "song")
        await anyio.sleep(1)
        await s.ask(GROUP, Mute())
        await s.wish(GROUP, ev.Pause())
        s.open(GROUP).tell(TimeUp(object()))
        view = await s.look(GROUP)
        assert (view.muted, view.player.phase) == (True, Phase.PAUSED)


async def test_only_a_deck_that_should_be_read_can_stand_still_for_too_long() -> None:
    """Between two calls nobody reads it: as a sick call, that crashed each chat after its last track."""
    async with stage() as s:
        room = s.world.room(GROUP)
        room.join_takes = 2.0
        for _ in range(2):
            await s.play(GROUP, "song")
            await anyio.sleep(1)
            assert room.deck.held  # still joining
            await anyio.sleep(2)
            assert not room.deck.held
            await s.wish(GROUP, ev.Pause())
            assert room.deck.held
            await s.wish(GROUP, ev.Resume())
            assert not room.deck.held
            await s.wish(GROUP, ev.Stop())
            assert room.deck.held
