"""The StoreActor answers: what was there before us, what is known, and what only the database knows."""

from __future__ import annotations

from functools import partial

import anyio
import pytest
from store_fakes import EPOCH, FakeStore, keeping, live, loud, played, wall

from ryzen.actors.ledger import Ledger
from ryzen.actors.store import Policy
from ryzen.errors import ActorCrashed, Refusal
from ryzen.messages import Commit, Keep, Recall, Restorable, RollOf, Saved, SettingsOf, Stored
from ryzen.ports import Store
from ryzen.records import (
    ChatSettings,
    Enlist,
    Member,
    ResetSettings,
    Roll,
    SaveLive,
    SetSetting,
    Strike,
)

pytestmark = pytest.mark.anyio


async def test_no_player_is_written_before_it_is_known_what_was_there() -> None:
    store = FakeStore(players={1: live(1, 7, 10, "before"), 2: live(2, 7, 10, "before")})
    async with keeping(store) as kept:
        kept.ref.tell(Keep(SaveLive(live(1, 1))))
        kept.ref.tell(Keep(SaveLive(live(1, 2))))
        assert await kept.ref.ask(Commit((loud(1, 1),)), within=5) is Stored.NOW
        await anyio.sleep(60)
        assert kept.store.changes == [loud(1, 1)]
        saved = await kept.ref.ask(Restorable(), within=5)
        assert saved.chats == (live(1, 7, 10, "before"), live(2, 7, 10, "before"))
        assert saved.beats.keys() == {"me"}
        await anyio.sleep(0.3)
        assert kept.store.players[1].player.offset == 2
        assert kept.store.players[2].player.offset == 7


async def test_whoever_asks_once_more_hears_the_same_though_ours_are_written_by_then() -> None:
    store = FakeStore(players={1: live(1, 7, 10, "before")})
    async with keeping(store) as kept:
        kept.ref.tell(Keep(SaveLive(live(1, 1))))
        first = await kept.ref.ask(Restorable(), within=5)
        await anyio.sleep(5)
        assert kept.store.players[1].player.offset == 1
        assert await kept.ref.ask(Restorable(), within=5) == first
        assert first.chats == (live(1, 7, 10, "before"),)


async def test_a_change_that_could_not_wait_does_not_hurry_those_behind_it() -> None:
    async with keeping(policy=Policy(flush_interval=1.0)) as kept, anyio.create_task_group() as askers:
        await kept.ref.ask(Restorable(), within=5)
        kept.store.takes = 0.05
        before = len(kept.store.batches)
        for number in range(500):  # for five seconds, one after the other
            kept.ref.tell(Keep(played(str(number))))
            if number == 50:
                askers.start_soon(partial(kept.ref.ask, Commit((loud(1, 1),)), within=5))
            await anyio.sleep(0.01)
        await anyio.sleep(3)
        assert len(kept.store.plays) == 500
        assert len(kept.store.batches) - before <= 8


async def test_who_asks_again_over_a_slow_answer_hears_what_was_there_before_ours() -> None:
    store = FakeStore(players={1: live(1, 7, 10, "before")})
    async with keeping(store) as kept, anyio.create_task_group() as askers:
        store.takes = 1.0
        kept.ref.tell(Keep(SaveLive(live(1, 1))))
        await anyio.sleep(1.5)
        with anyio.move_on_after(1.9):  # 0.1 s before its answer
            await kept.ref.ask(Restorable(), within=60)
        heard: list[Saved] = []

        async def ask() -> None:
            heard.append(await kept.ref.ask(Restorable(), within=60))

        askers.start_soon(ask)
        await anyio.sleep(0.15)
        store.takes = 0.0  # our own player gets there before a second look could
        await anyio.sleep(5)
        assert store.players[1].process == "me"
        assert [saved.chats for saved in heard] == [(live(1, 7, 10, "before"),)]


async def test_each_player_gets_a_higher_revision_than_any_before_it_whatever_the_clock_says() -> None:
    ahead = int((EPOCH + 1e6) * 1e6)
    store = FakeStore(players={1: live(1, 7, ahead, "before"), 2: live(2, 7, 3, "before")})
    async with keeping(store) as kept:
        await kept.ref.ask(Restorable(), within=5)
        for number in range(3):
            for chat in (1, 2):
                kept.ref.tell(Keep(SaveLive(live(chat, number))))
            await anyio.sleep(1)
        written = [change.live.revision for change in kept.store.changes]
        assert written == [ahead + 1 + number for number in range(6)]
        await anyio.sleep(2e6)
        kept.ref.tell(Keep(SaveLive(live(1, 9))))
        await anyio.sleep(1)
        assert kept.store.players[1].revision == pytest.approx(wall() * 1e6, abs=2e6)


async def test_settings_and_rolls_are_read_once() -> None:
    member = Member(5, "Eve", at=1.0)
    store = FakeStore(set_by={1: ChatSettings(volume=5)}, rolls={(Roll.BLOCKED, 0): {5: member}})
    async with keeping(store) as kept:
        for _ in range(3):
            assert await kept.ref.ask(SettingsOf(1), within=5) == ChatSettings(volume=5)
            assert await kept.ref.ask(SettingsOf(2), within=5) == ChatSettings()
            assert await kept.ref.ask(RollOf(Roll.BLOCKED), within=5) == (member,)
            assert await kept.ref.ask(RollOf(Roll.AUTHORISED, 1), within=5) == ()
        assert sorted(kept.store.calls) == ["roll", "roll", "settings", "settings"]


async def test_many_who_ask_the_same_at_the_same_time_are_one_question() -> None:
    async with keeping() as kept, anyio.create_task_group() as askers:
        kept.store.takes = 1.0
        answers: list[ChatSettings] = []

        async def ask() -> None:
            answers.append(await kept.ref.ask(SettingsOf(1), within=5))

        for _ in range(20):
            askers.start_soon(ask)
        await anyio.sleep(2)
        assert answers == [ChatSettings()] * 20
        assert kept.store.calls == ["settings"]


async def test_what_is_known_is_bounded() -> None:
    async with keeping(ledger=Ledger(settings=2)) as kept:
        for chat in (1, 2, 3, 1):
            await kept.ref.ask(SettingsOf(chat), within=5)
        assert kept.store.calls == ["settings"] * 4
        await kept.ref.ask(SettingsOf(3), within=5)
        assert kept.store.calls == ["settings"] * 4


@pytest.mark.parametrize("read_before", [True, False])
async def test_own_changes_are_seen_before_they_are_durable(read_before: bool) -> None:
    store = FakeStore(set_by={1: ChatSettings(volume=5, crossfade=3)})
    async with keeping(store) as kept:
        if read_before:
            await kept.ref.ask(SettingsOf(1), within=5)
            await kept.ref.ask(RollOf(Roll.SUDOER), within=5)
        store.takes = 1.0
        kept.ref.tell(Keep(loud(1, 6)))
        kept.ref.tell(Keep(Enlist(Roll.SUDOER, Member(2, at=2.0))))
        kept.ref.tell(Keep(Enlist(Roll.SUDOER, Member(1, at=2.0))))
        kept.ref.tell(Keep(Enlist(Roll.SUDOER, Member(0, at=2.0))))
        kept.ref.tell(Keep(Enlist(Roll.SUDOER, Member(3, at=1.0))))
        kept.ref.tell(Keep(Enlist(Roll.SUDOER, Member(2, "Bob", at=3.0))))
        assert await kept.ref.ask(SettingsOf(1), within=5) == ChatSettings(volume=6, crossfade=3)
        assert [each.id for each in await kept.ref.ask(RollOf(Roll.SUDOER), within=5)] == [3, 0, 1, 2]
        kept.ref.tell(Keep(Strike(Roll.SUDOER, 1)))
        kept.ref.tell(Keep(Strike(Roll.BLOCKED, 3)))
        assert [each.id for each in await kept.ref.ask(RollOf(Roll.SUDOER), within=5)] == [3, 0, 2]
        kept.ref.tell(Keep(ResetSettings(1)))
        assert await kept.ref.ask(SettingsOf(1), within=5) == ChatSettings()


async def test_a_change_that_is_written_while_it_is_read_is_not_forgotten() -> None:
    async with keeping() as kept, anyio.create_task_group() as askers:
        kept.store.takes = 0.2
        answers: list[int] = []

        async def ask() -> None:
            answers.append((await kept.ref.ask(SettingsOf(1), within=5)).volume)

        askers.start_soon(ask)
        await anyio.sleep(0.1)  # the read is under way: it will not find what comes now
        kept.store.takes = 0.0
        assert await kept.ref.ask(Commit((loud(1, 7),)), within=5) is Stored.NOW
        await anyio.sleep(1)
        assert answers == [7]
        await ask()
        assert answers == [7, 7]


async def test_a_change_that_is_written_is_not_made_again_over_a_later_one() -> None:
    async with keeping(policy=Policy(flush_size=1, beat_every=1e6)) as kept:
        kept.store.takes = 1.0
        kept.ref.tell(Keep(loud(1, 1)))
        kept.ref.tell(Keep(loud(1, 2)))
        await anyio.sleep(1.5)
        assert kept.store.set_by[1].volume == 1
        kept.store.takes = 0.0
        assert (await kept.ref.ask(SettingsOf(1), within=5)).volume == 2


async def test_a_change_that_is_refused_is_not_seen_any_more() -> None:
    store = FakeStore(set_by={1: ChatSettings(volume=5)})
    async with keeping(store) as kept, anyio.create_task_group() as askers:
        store.refuses = lambda change: change == loud(1, 6)
        assert (await kept.ref.ask(SettingsOf(1), within=5)).volume == 5
        with pytest.raises(Refusal):
            await kept.ref.ask(Commit((loud(1, 6),)), within=5)
        assert (await kept.ref.ask(SettingsOf(1), within=5)).volume == 5

        # and not if it is refused while the settings are read, either
        kept.ledger.settings.recall(1)
        store.takes = 0.5
        kept.ref.tell(Keep(loud(2, 1)))
        store.refuses = lambda change: change in (loud(2, 1), loud(2, 2))
        askers.start_soon(lambda: kept.ref.ask(SettingsOf(2), within=5))
        await anyio.sleep(0.1)
        store.takes = 0.0
        kept.ref.tell(Keep(loud(2, 2)))
        kept.ref.tell(Keep(SetSetting(2, "crossfade", 9)))
        await anyio.sleep(5)
        assert await kept.ref.ask(SettingsOf(2), within=5) == ChatSettings(crossfade=9)


async def test_a_question_finds_what_was_told_before_it() -> None:
    async with keeping() as kept:
        kept.store.takes = 1.0

        async def count(store: Store) -> int:
            assert isinstance(store, FakeStore)
            return store.plays.total()

        for id in "abc":
            kept.ref.tell(Keep(played(id)))
        began = anyio.current_time()
        assert await kept.ref.ask(Recall(count), within=5) == 3
        assert anyio.current_time() - began == pytest.approx(1.0)
        kept.ref.tell(Keep(played("d")))
        await anyio.sleep(0.5)  # it is under way
        assert await kept.ref.ask(Recall(count), within=5) == 4
        assert await kept.ref.ask(Recall(lambda store: store.flags()), within=5) == {}


async def test_a_question_that_is_a_bug_crashes_nothing_but_itself_and_loses_no_change() -> None:
    async with keeping() as kept:

        async def bug(_: Store) -> None:
            raise KeyError("bug")

        kept.store.takes = 0.5
        assert await kept.ref.ask(SettingsOf(1), within=5) == ChatSettings()
        kept.ref.tell(Keep(played("a")))
        await anyio.sleep(0.3)  # the batch is under way
        kept.ref.tell(Keep(played("b")))
        kept.store.takes = 0.0
        with pytest.raises(ActorCrashed):
            await kept.ref.ask(Recall(bug), within=5)
        await anyio.sleep(1)
        assert kept.store.plays == {"a": 1, "b": 1}
        kept.store.calls.clear()
        assert await kept.ref.ask(SettingsOf(1), within=5) == ChatSettings()
        assert kept.store.calls == []  # it is known still
