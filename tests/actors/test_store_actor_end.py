"""The StoreActor at the end of a process, and what the next one finds."""

from __future__ import annotations

import anyio
import pytest
from store_fakes import EPOCH, FakeStore, keeping, live, loud, played, wall

from ryzen.actors.ledger import Ledger
from ryzen.actors.store import Policy
from ryzen.errors import Refusal
from ryzen.messages import Commit, Keep, Recall, Restorable, Stored
from ryzen.ports import Store
from ryzen.records import (
    Batch,
    SaveLive,
    SetFlag,
)

pytestmark = pytest.mark.anyio


async def test_a_stop_writes_the_rest_and_the_last_heartbeat() -> None:
    async with keeping() as kept:
        await kept.ref.ask(Restorable(), within=5)
        await anyio.sleep(100)
        for number in range(1200):
            kept.ref.tell(Keep(played(str(number))))
        kept.ref.tell(Keep(SaveLive(live(1, 3))))
    assert kept.store.plays.total() == 1200
    assert kept.store.players[1].player.offset == 3
    assert kept.store.beaten["me"] == wall()
    assert kept.ledger.unwritten(wall()) == ()


async def test_the_backlog_is_written_first_under_its_own_ids_and_then_its_keeper_is_told() -> None:
    cleared: list[int] = []

    async def clear() -> None:
        cleared.append(len(store.batches))

    store = FakeStore(refuses=lambda change: change == played("bad"))
    first = Batch("x", (loud(1, 1), played("bad"), played("p")))
    second = Batch("y", (played("q"), loud(1, 3)))
    await store.apply(second)  # it was written, though its answer was lost
    ledger = Ledger(backlog=(first, second))
    assert ledger.settings.guess(1).volume == 3
    async with keeping(store, ledger, policy=Policy(beat_every=1e6), caught_up=clear) as kept:
        assert cleared == [4]
        assert kept.store.plays == {"p": 1, "q": 1}
        assert kept.store.set_by[1].volume == 3
        await kept.ref.ask(Commit((loud(1, 2),)), within=5)
        assert kept.store.set_by[1].volume == 2
    assert cleared == [4]


async def test_a_question_finds_the_whole_backlog_written() -> None:
    backlog = [Batch(id, (played(id),)) for id in "abcd"]
    store = FakeStore(takes=0.9)
    async with keeping(store, Ledger(backlog=backlog)) as kept:

        async def count(_: Store) -> int:
            return store.plays.total()

        assert await kept.ref.ask(Recall(count), within=60) == 4


async def test_a_stop_during_an_outage_leaves_the_rest_to_be_spilled_under_ids_that_stay(log) -> None:
    async with keeping() as kept:
        await kept.ref.ask(Restorable(), within=5)
        kept.store.deaf = 1
        kept.ref.tell(Keep(played("a")))
        await anyio.sleep(0.3)
        kept.store.fall()
        kept.ref.tell(Keep(SaveLive(live(1))))
        for number in range(700):
            kept.ref.tell(Keep(loud(1, number % 100)))
    assert log("WARNING")[-1] == "703 changes could not be written before the end"
    left = kept.ledger.unwritten(wall())
    assert left == kept.ledger.unwritten(wall())
    assert left[0] == Batch(kept.store.batches[0].id, (played("a"),))
    assert [len(batch.changes) for batch in left] == [1, 500, 202]
    [player] = [each for batch in left for each in batch.changes if isinstance(each, SaveLive)]
    assert player.live.revision >= EPOCH * 1e6

    store = FakeStore()
    store.make(played("a"))
    store.batches, store._made = list(kept.store.batches), {left[0].id}
    async with keeping(store, Ledger(backlog=left)) as kept:
        assert kept.store.plays == {"a": 1}
        assert kept.store.set_by[1].volume == 99
        saved = await kept.ref.ask(Restorable(), within=5)
        assert [each.revision for each in saved.chats] == [player.live.revision]
        kept.ref.tell(Keep(SaveLive(live(1, 5))))
        await anyio.sleep(1)
        assert kept.store.players[1].player.offset == 5


async def test_what_is_spilled_before_it_was_known_what_was_there_replaces_nothing() -> None:
    async with keeping() as kept:
        kept.store.fall()
        for chat in (1, 2):
            kept.ref.tell(Keep(SaveLive(live(chat, 1, 99))))
    left = kept.ledger.unwritten(wall())
    store = FakeStore(players={1: live(1, 7, 10, "before")})
    async with keeping(store, Ledger(backlog=left)) as kept:
        assert {chat: each.player.offset for chat, each in store.players.items()} == {1: 7, 2: 1}


async def test_a_backlog_has_its_places_and_pushes_nothing_out_that_needs_none() -> None:
    store = FakeStore(away=True)
    backlog = Batch("x", tuple(SetFlag(id, id) for id in "abc"))
    async with keeping(store, Ledger(bound=2, backlog=[backlog])) as kept:
        with pytest.raises(Refusal, match="store-full"):
            await kept.ref.ask(Commit((SetFlag("d", "d"),)), within=5)
        kept.ref.tell(Keep(SaveLive(live(1))))
        assert await kept.ref.ask(Commit((SaveLive(live(2)),)), within=5) is Stored.LATER
        store.rise()
        await anyio.sleep(11)
        await kept.ref.ask(Restorable(), within=5)
        await anyio.sleep(1)
        assert (set(store.flag_values), set(store.players)) == ({"a", "b", "c"}, {1, 2})


@pytest.mark.parametrize("trouble", [{"away": True, "takes": 0.5}, {"hangs": True}, {"takes": 1e6}])
async def test_a_stop_ends_in_time_whatever_the_database_does(trouble: dict[str, float]) -> None:
    async with keeping() as kept:
        for name, value in trouble.items():
            setattr(kept.store, name, value)
        kept.ref.tell(Keep(played("a")))
        began = anyio.current_time()
    assert anyio.current_time() - began <= 8.5
    assert kept.sup.health() == ()
    assert len(kept.ledger.unwritten(wall())[0].changes) == 2


async def test_a_stop_writes_what_waits_if_the_database_is_back_just_then(log) -> None:
    async with keeping() as kept:
        kept.store.fall()
        assert await kept.ref.ask(Commit((loud(1, 1),)), within=5) is Stored.LATER
        kept.store.rise()
    assert kept.store.set_by[1].volume == 1
    assert kept.ledger.unsettled == 0
    assert "2 changes were written" in log("INFO")[-1]
