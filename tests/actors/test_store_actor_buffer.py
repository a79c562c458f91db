"""The StoreActor while the database is away: nothing is lost, and what has no room is told."""

from __future__ import annotations

from itertools import pairwise

import anyio
import pytest
from store_fakes import CALM, keeping, live, loud, played, wall

from ryzen.actors.ledger import Ledger
from ryzen.errors import ActorCrashed, Refusal
from ryzen.messages import Commit, Keep, Restorable, SettingsOf, Stored
from ryzen.records import (
    Beat,
    LostChat,
    SaveLive,
    SawChat,
    SetFlag,
    SetSetting,
)

pytestmark = pytest.mark.anyio


async def test_the_batch_in_flight_is_made_again_under_the_same_id_before_all_others() -> None:
    async with keeping() as kept:
        kept.store.deaf = 3
        for id in "ab":
            kept.ref.tell(Keep(played(id)))
        await anyio.sleep(0.3)
        kept.ref.tell(Keep(played("c")))
        assert await kept.ref.ask(Commit((loud(1, 1),)), within=5) is Stored.LATER
        await anyio.sleep(30)
        batches = kept.store.batches
        assert [batch.id for batch in batches[:4]] == [batches[0].id] * 4
        assert [batch.changes for batch in batches] == [(played("a"), played("b"))] * 4 + [
            (played("c"), loud(1, 1))
        ]
        assert batches[4].id != batches[0].id
        assert kept.store.plays == {"a": 1, "b": 1, "c": 1}


async def test_a_refused_batch_is_taken_apart_under_ids_that_stay_the_same() -> None:
    async with keeping() as kept:
        kept.store.refuses = lambda change: change == played("bad")
        for id in ("a", "bad", "b"):
            kept.ref.tell(Keep(played(id)))
        await anyio.sleep(0.1)
        kept.store.deaf = 2
        await anyio.sleep(30)
        assert kept.store.plays == {"a": 1, "b": 1}
        ids = [batch.id for batch in kept.store.batches]
        assert ids[:3] == [ids[0]] * 3
        first, second = ids[0].rsplit(".", 1), ids[3].rsplit(".", 1)
        assert (first[0], first[1], second[1]) == (second[0], "0", "2")


async def test_an_hour_of_changes_is_written_in_order_in_batches_of_their_size() -> None:
    async with keeping() as kept:
        kept.store.fall()
        for number in range(1800):
            kept.ref.tell(Keep(played(str(number))))
            await anyio.sleep(2)
        kept.store.rise()
        await anyio.sleep(15)
        assert [change.play.id for change in kept.store.changes] == [str(number) for number in range(1800)]
        assert all(len(batch.changes) <= 500 for batch in kept.store.batches)
        assert kept.condition is None


async def test_a_crash_in_the_middle_of_an_outage_loses_nothing_and_ends_no_outage() -> None:
    async with keeping() as kept:
        kept.store.deaf = 1
        kept.ref.tell(Keep(played("a")))
        await anyio.sleep(0.3)
        kept.store.fall()
        assert await kept.ref.ask(Commit((loud(1, 1),)), within=5) is Stored.LATER
        kept.ref.tell(object())  # type: ignore[arg-type]  # a crash
        kept.ref.tell(Keep(played("b")))
        await anyio.sleep(5)
        assert kept.sup.health()[0].restarts == 1
        assert (kept.condition or "").startswith("DEGRADED for 5 s, 4 changes wait")
        assert (await kept.ref.ask(SettingsOf(1), within=5)).volume == 1
        kept.store.rise()
        await anyio.sleep(11)
        assert kept.store.plays == {"a": 1, "b": 1}
        assert kept.store.set_by[1].volume == 1


async def test_who_waits_for_a_change_over_a_crash_hears_of_it_and_the_change_is_made() -> None:
    async with keeping() as kept, anyio.create_task_group() as askers:
        kept.store.takes = 1.0

        async def ask() -> None:
            with pytest.raises(ActorCrashed):
                await kept.ref.ask(Commit((loud(1, 1),)), within=60)

        askers.start_soon(ask)
        await anyio.sleep(0.5)
        kept.ref.tell(object())  # type: ignore[arg-type]
        await anyio.sleep(3)
        assert kept.store.set_by[1].volume == 1


async def test_when_there_is_no_room_the_oldest_plays_go_and_never_what_was_asked_for(log) -> None:
    async with keeping(ledger=Ledger(bound=10)) as kept:
        await kept.ref.ask(Restorable(), within=5)
        kept.store.fall()
        assert await kept.ref.ask(Commit((loud(1, 0),)), within=5) is Stored.LATER
        kept.ref.tell(Keep(SetFlag("a", "b")))
        assert await kept.ref.ask(Commit((played("asked"),)), within=5) is Stored.LATER
        for number in range(12):
            kept.ref.tell(Keep(played(str(number))))
        for chat in range(50):
            kept.ref.tell(Keep(SaveLive(live(chat))))
        kept.ref.tell(Keep(Beat("me", wall())))
        kept.ref.tell(Keep(SawChat(1, "a", 1)))
        assert await kept.ref.ask(Commit((loud(1, 1), loud(1, 2))), within=5) is Stored.LATER
        assert len(log("WARNING")) == 2
        assert "plays first" in log("WARNING")[1]
        kept.store.rise()
        await anyio.sleep(11)
        assert set(kept.store.plays) == {"asked", "8", "9", "10", "11"}
        assert kept.store.flag_values == {"a": "b"}
        assert len(kept.store.players) == 50
        assert (kept.store.set_by[1].volume, kept.store.chat_names) == (2, {1: "a"})
        assert log("INFO")[-1].endswith("61 changes were written, 8 let go")


async def test_a_change_for_which_there_is_no_room_is_refused_aloud_and_not_half_taken() -> None:
    async with keeping(ledger=Ledger(bound=3)) as kept:
        kept.store.fall()
        assert await kept.ref.ask(Commit((loud(1, 1), loud(1, 2))), within=5) is Stored.LATER
        kept.ref.tell(Keep(played("a")))
        with pytest.raises(Refusal, match="store-full"):
            await kept.ref.ask(Commit((loud(1, 3), loud(1, 4))), within=5)
        assert (await kept.ref.ask(SettingsOf(1), within=5)).volume == 2
        assert await kept.ref.ask(Commit((loud(1, 3),)), within=5) is Stored.LATER
        with pytest.raises(Refusal, match="store-full"):
            await kept.ref.ask(Commit((loud(1, 4),)), within=5)
        assert await kept.ref.ask(Commit((SaveLive(live(1)),)), within=5) is Stored.LATER
        kept.ref.tell(Keep(LostChat(1)))
        kept.ref.tell(Keep(SawChat(2, "a", 1)))
        kept.store.rise()
        await anyio.sleep(11)
        assert kept.store.changes == [loud(1, 1), loud(1, 2), loud(1, 3)]
        # there is room again
        assert await kept.ref.ask(Commit((loud(1, 4), loud(1, 5), loud(1, 6))), within=5) is Stored.NOW
        kept.ref.tell(Keep(SawChat(2, "a", 2)))  # who was let go had not been seen
        await anyio.sleep(1)
        assert kept.store.chat_names == {2: "a"}


async def test_each_outage_in_which_something_was_let_go_is_told_of_once(log) -> None:
    async with keeping(ledger=Ledger(bound=2)) as kept:
        for outage in (1, 2):
            kept.store.fall()
            for number in range(6):
                kept.ref.tell(Keep(played(f"{outage}:{number}")))
            await anyio.sleep(1)
            kept.store.rise()
            await anyio.sleep(100)
        assert [line.startswith("there is no room") for line in log("WARNING")] == [True, False] * 2
        assert len(kept.store.plays) == 4


async def test_the_writer_goes_on_under_load_while_it_catches_up() -> None:
    async with keeping(policy=CALM) as kept:
        kept.store.fall()
        kept.store.takes = 0.1
        await kept.ref.ask(Commit((loud(1, 1),)), within=5)
        kept.store.rise()
        for number in range(200):  # something new comes over every write
            kept.ref.tell(Keep(played(str(number))))
            await anyio.sleep(0.05)
        assert kept.condition is None
        await anyio.sleep(1)
        ids = [each.play.id for each in kept.store.changes if not isinstance(each, SetSetting)]
        assert all(int(one) < int(other) for one, other in pairwise(ids))
        assert len(ids) == 200
