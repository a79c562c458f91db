"""The StoreActor writes in bulk, each change once, and waits with what may be replaced."""

from __future__ import annotations

import anyio
import pytest
from store_fakes import CALM, EPOCH, keeping, live, loud, played, wall

from ryzen.actors.store import Policy
from ryzen.errors import Refusal
from ryzen.messages import Commit, Keep, Recall, Restorable, Stored
from ryzen.ports import Store
from ryzen.records import (
    Beat,
    Change,
    LostChat,
    Prune,
    SaveLive,
    SawChat,
    SawUser,
    SetFlag,
    SetLanguage,
    SetSetting,
)

pytestmark = pytest.mark.anyio


async def test_what_comes_together_is_written_together_a_moment_later() -> None:
    async with keeping() as kept:
        for number in range(100):
            kept.ref.tell(Keep(played(str(number))))
        await anyio.sleep(0.19)
        assert kept.store.batches == []
        await anyio.sleep(0.02)
        [batch] = kept.store.batches
        assert [change.play.id for change in batch.changes] == [str(number) for number in range(100)]


async def test_a_full_batch_does_not_wait() -> None:
    async with keeping(policy=Policy(flush_size=10, flush_interval=60, beat_every=1e6)) as kept:
        await anyio.sleep(60)  # the first heartbeat
        kept.store.batches.clear()
        for number in range(25):
            kept.ref.tell(Keep(played(str(number))))
            await anyio.sleep(0.001)
        assert [len(batch.changes) for batch in kept.store.batches] == [10, 10]
        await anyio.sleep(60)
        assert [len(batch.changes) for batch in kept.store.batches] == [10, 10, 5]
        assert len({batch.id for batch in kept.store.batches}) == 3


async def test_one_batch_at_a_time_and_what_comes_meanwhile_goes_into_the_next() -> None:
    async with keeping() as kept:
        kept.store.takes = 2.0
        kept.ref.tell(Keep(played("a")))
        await anyio.sleep(1)
        for id in "bcd":
            kept.ref.tell(Keep(played(id)))
            await anyio.sleep(0.1)
        assert kept.store.calls == ["apply"]
        await anyio.sleep(10)
        assert [[change.play.id for change in batch.changes] for batch in kept.store.batches] == [
            ["a"],
            ["b", "c", "d"],
        ]


async def test_a_commit_is_written_at_once_with_all_that_waits_and_answered_when_it_is_durable() -> None:
    async with keeping() as kept:
        kept.store.takes = 0.5
        kept.ref.tell(Keep(played("a")))
        await anyio.sleep(0.1)
        began = anyio.current_time()
        assert await kept.ref.ask(Commit((loud(1, 5),)), within=5) is Stored.NOW
        assert anyio.current_time() - began == pytest.approx(0.5)
        assert kept.store.changes == [played("a"), loud(1, 5)]
        assert await kept.ref.ask(Commit(()), within=5) is Stored.NOW


async def test_a_commit_behind_more_than_a_batch_waits_for_nothing_but_the_writing() -> None:
    async with keeping(policy=Policy(flush_size=10, beat_every=1e6)) as kept:
        kept.store.takes = 0.01
        for number in range(35):
            kept.ref.tell(Keep(played(str(number))))
        began = anyio.current_time()
        assert await kept.ref.ask(Commit((loud(1, 5),)), within=5) is Stored.NOW
        assert anyio.current_time() - began == pytest.approx(0.04)
        # and then it is as calm as before
        kept.ref.tell(Keep(played("x")))
        await anyio.sleep(0.15)
        assert "x" not in kept.store.plays


async def test_of_players_sights_and_heartbeats_only_the_newest_is_written() -> None:
    async with keeping() as kept:
        await kept.ref.ask(Restorable(), within=5)
        for number in range(5):
            kept.ref.tell(Keep(SaveLive(live(1, offset=number))))
            kept.ref.tell(Keep(SaveLive(live(2, offset=number))))
            kept.ref.tell(Keep(SawChat(1, f"title {number}", number)))
            kept.ref.tell(Keep(SawUser(1, f"name {number}", number)))
            kept.ref.tell(Keep(Beat("me", EPOCH + number)))
            kept.ref.tell(Keep(Beat("you", EPOCH + number)))
        await anyio.sleep(1)
        [batch] = kept.store.batches
        assert len(batch.changes) == 6
        assert {id: each.player.offset for id, each in kept.store.players.items()} == {1: 4, 2: 4}
        assert (kept.store.chat_names, kept.store.user_names) == ({1: "title 4"}, {1: "name 4"})
        assert kept.store.beaten == {"me": EPOCH + 4, "you": EPOCH + 4}


async def test_what_comes_after_a_loss_is_written_after_it() -> None:
    async with keeping() as kept:
        changes = [
            SawChat(1, "a", 1),
            SawUser(1, "n", 1),
            LostChat(1),
            SetLanguage(1, "de"),
            SawChat(1, "a", 2),
        ]
        for change in [*changes, SawUser(1, "m", 2)]:
            kept.ref.tell(Keep(change))
        await anyio.sleep(1)
        # The person's newer sight takes the place of the older: before it, there was nobody with a language.
        assert kept.store.changes == [
            SawChat(1, "a", 1), SawUser(1, "m", 2), LostChat(1), SetLanguage(1, "de"), SawChat(1, "a", 2),
        ]  # fmt: skip


async def test_what_is_written_after_a_loss_makes_way_for_the_newest_all_the_same() -> None:
    async with keeping(policy=Policy(flush_size=1, beat_every=1e6)) as kept:
        kept.store.takes = 1.0
        for name in "abc":
            kept.ref.tell(Keep(SawChat(1, name, 1)))
            if name == "a":
                kept.ref.tell(Keep(LostChat(1)))
                kept.ref.tell(Keep(SawChat(1, "x", 1)))
                await anyio.sleep(0.5)
        await anyio.sleep(9)
        assert kept.store.changes == [SawChat(1, "a", 1), LostChat(1), SawChat(1, "c", 1)]


async def test_a_player_stays_before_or_behind_what_may_remove_it() -> None:
    async with keeping() as kept:
        await kept.ref.ask(Restorable(), within=5)
        for change in (LostChat(1), Prune(5)):
            kept.ref.tell(Keep(SaveLive(live(1))))
            kept.ref.tell(Keep(change))
        kept.ref.tell(Keep(SaveLive(live(1))))
        await anyio.sleep(1)
        kinds = [type(change) for change in kept.store.changes]
        assert kinds == [SaveLive, LostChat, SaveLive, Prune, SaveLive]


async def test_one_who_is_seen_again_within_the_hour_is_not_written_again() -> None:
    async with keeping() as kept:
        for at, change in (
            (0, SawChat(1, "a", 0)),
            (1, SawChat(1, "a", 3599)),  # lately
            (2, SawChat(1, "b", 3599)),  # another name
            (3, SawChat(1, "b", 7199)),  # an hour later
            (4, SawUser(1, "b", 7199)),  # not the same as the chat
            (5, SawUser(1, "b", 7200)),
        ):
            await anyio.sleep_until(anyio.current_time() + at)
            kept.ref.tell(Keep(change))
        await anyio.sleep(1)
        assert kept.store.changes == [
            SawChat(1, "a", 0), SawChat(1, "b", 3599), SawChat(1, "b", 7199), SawUser(1, "b", 7199),
        ]  # fmt: skip
        kept.ref.tell(Keep(LostChat(1)))
        kept.ref.tell(Keep(SawChat(1, "b", 7200)))
        await anyio.sleep(1)
        assert kept.store.chat_names == {1: "b"}


async def test_a_quiet_bot_writes_one_heartbeat_every_five_seconds() -> None:
    async with keeping(policy=Policy()) as kept:
        await anyio.sleep_until(anyio.current_time() - 1 + 60)
        assert len(kept.store.batches) == 11
        assert all(isinstance(change, Beat) for batch in kept.store.batches for change in batch.changes)
        assert kept.store.beaten == {"me": pytest.approx(wall() - 5, abs=0.1)}


async def test_heartbeats_go_into_the_flush_that_comes_anyway() -> None:
    async with keeping(policy=Policy(flush_interval=10)) as kept:
        await anyio.sleep(30)
        kept.store.calls.clear()
        await anyio.sleep(600)
        assert len(kept.store.calls) <= 60


async def test_a_refused_change_is_refused_aloud_and_costs_no_other() -> None:
    async with keeping() as kept, anyio.create_task_group() as askers:
        kept.store.refuses = lambda change: change in (loud(2, 2), played("bad"))
        heard: dict[int, object] = {}

        async def ask(*changes: Change) -> None:
            try:
                heard[len(heard)] = await kept.ref.ask(Commit(changes), within=5)
            except Refusal as refusal:
                heard[len(heard)] = refusal.code

        kept.ref.tell(Keep(played("bad")))
        kept.ref.tell(Keep(played("good")))
        askers.start_soon(ask, loud(1, 1))
        await anyio.sleep(0)
        askers.start_soon(ask, loud(2, 1), loud(2, 2), loud(2, 3))
        await anyio.sleep(1)
        assert set(heard.values()) == {Stored.NOW, "store-refused"}
        assert kept.store.changes == [played("good"), loud(1, 1), loud(2, 1), loud(2, 3)]
        assert kept.condition is None
        assert kept.ledger.unsettled == 0


async def test_a_question_finds_all_that_is_left_of_a_refused_batch() -> None:
    async with keeping() as kept:
        kept.store.takes = 0.5
        kept.store.refuses = lambda change: change == played("bad")

        async def count(_: Store) -> int:
            return kept.store.plays.total()

        for id in ("a", "bad", "b", "c"):
            kept.ref.tell(Keep(played(id)))
        await anyio.sleep(0.8)  # it has been taken apart
        assert await kept.ref.ask(Recall(count), within=5) == 3


async def test_of_a_refused_change_only_its_type_and_chat_are_logged(log) -> None:
    async with keeping() as kept:
        kept.store.refuses = lambda _: True
        kept.ref.tell(Keep(SetSetting(-7, "language", "secret")))
        await kept.ref.ask(Restorable(), within=5)
        kept.ref.tell(Keep(SaveLive(live(-8))))
        kept.ref.tell(Keep(SetFlag("secret", "secret")))
        await anyio.sleep(1)
        kept.store.refuses = lambda _: False
    assert log("ERROR") == [
        "the database refuses a SetSetting of chat -7",
        "the database refuses a SaveLive of chat -8",
        "the database refuses a SetFlag of chat None",
    ]


async def test_one_who_was_refused_is_written_when_seen_again() -> None:
    async with keeping() as kept:
        kept.store.refuses = lambda _: True
        kept.ref.tell(Keep(SawUser(1, "n", 0)))
        await anyio.sleep(1)
        kept.store.refuses = lambda _: False
        kept.ref.tell(Keep(SawUser(1, "n", 1)))
        await anyio.sleep(1)
        assert kept.store.user_names == {1: "n"}


def test_a_policy_that_cannot_work_is_an_error() -> None:
    with pytest.raises(ValueError):
        Policy(flush_size=0)
    with pytest.raises(ValueError):
        Policy(flush_interval=-1)
    assert CALM.flush_size == 500
