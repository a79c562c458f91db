"""The StoreActor in front of the real thing: a file, closed and opened again."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from store_fakes import QUICK, live, played

from ryzen.actors.ledger import Ledger
from ryzen.actors.mailbox import Mailbox
from ryzen.actors.ref import Ref
from ryzen.actors.store import StoreActor
from ryzen.errors import Refusal, StoreAway
from ryzen.messages import Commit, Keep, Recall, Restorable, RollOf, SettingsOf, Stored, ToStore
from ryzen.ports import Store
from ryzen.records import Batch, Chart, Enlist, Member, Play, Ranked, Roll, SaveLive, SawChat, SetSetting, Top
from ryzen.store import open_store
from ryzen.store.spill import Spill
from ryzen.supervisor import supervise

pytestmark = pytest.mark.anyio

TOP = Top(Chart.TRACKS)


@pytest.fixture
def anyio_backend() -> str:
    """The file has a thread of its own, and a thread's work would be jumped over."""
    return "asyncio"


class Cut:
    """A store with a switch in front of what it writes."""

    def __init__(self, store: Store) -> None:
        self._store, self.cut = store, False

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    async def apply(self, batch: Batch) -> None:
        await self._store.apply(batch)
        if self.cut:
            raise StoreAway("the answer is lost")


@asynccontextmanager
async def bot(folder: Path) -> AsyncIterator[tuple[Ref[ToStore], Cut]]:
    """All that a process has of it, from its start to its end."""
    spill = Spill(folder / "spill")
    async with open_store(f"sqlite:///{folder / 'ryzen.db'}") as file:
        store = Cut(file)
        ledger = Ledger(backlog=await spill.read())
        async with supervise("services") as sup:
            yield (
                await sup.start(
                    "store",
                    lambda *_: StoreActor(store, ledger, "me", caught_up=spill.clear),  # type: ignore[arg-type]
                    policy=QUICK,
                    mailbox=Mailbox(4096),
                    grace=10.0,
                ),
                store,
            )
        await spill.write(ledger.unwritten(time.time()))


async def top(store: Store) -> tuple[Ranked, ...]:
    return await store.top(TOP)


async def history(store: Store) -> tuple[Play, ...]:
    return await store.history(-1, 1000)


async def test_what_one_process_was_told_the_next_one_knows(tmp_path: Path) -> None:
    async with bot(tmp_path) as (ref, _):
        assert (await ref.ask(Restorable(), within=10)).chats == ()
        assert await ref.ask(Commit((SetSetting(1, "volume", 7),)), within=10) is Stored.NOW
        with pytest.raises(Refusal, match="store-refused"):
            await ref.ask(Commit((SetSetting(2, "volume", 8), SawChat(2**70, "far", 1.0))), within=10)
        ref.tell(Keep(Enlist(Roll.BLOCKED, Member(5, "Eve"))))
        for number in range(1200):
            ref.tell(Keep(played(str(number))))
            ref.tell(Keep(SaveLive(live(number % 300, number))))
        [first] = await ref.ask(Recall(top), within=10)
        assert first.plays == 1200

    async with bot(tmp_path) as (ref, _):
        saved = await ref.ask(Restorable(), within=10)
        assert {each.chat_id: each.player.offset for each in saved.chats} == {n: 900 + n for n in range(300)}
        assert saved.beats["me"] == pytest.approx(time.time(), abs=60)
        assert (await ref.ask(SettingsOf(1), within=10)).volume == 7
        assert (await ref.ask(SettingsOf(2), within=10)).volume == 8
        assert await ref.ask(RollOf(Roll.BLOCKED), within=10) == (Member(5, "Eve"),)


async def test_an_answer_that_is_lost_and_a_spill_count_no_play_twice(tmp_path: Path) -> None:
    async with bot(tmp_path) as (ref, store):
        await ref.ask(Restorable(), within=10)
        store.cut = True
        assert await ref.ask(Commit((played("a"), played("b"))), within=10) is Stored.LATER
        assert await ref.ask(Commit((played("c"), SetSetting(1, "volume", 7))), within=10) is Stored.LATER
        ref.tell(Keep(SaveLive(live(1, 5))))
    assert (tmp_path / "spill").exists()

    async with bot(tmp_path) as (ref, _):
        assert (await ref.ask(SettingsOf(1), within=10)).volume == 7
        saved = await ref.ask(Restorable(), within=10)
        assert [each.player.offset for each in saved.chats] == [5]
        [first] = await ref.ask(Recall(top), within=10)
        assert first.plays == 3
        assert {each.id for each in await ref.ask(Recall(history), within=10)} == {"a", "b", "c"}
        while (tmp_path / "spill").exists():
            await anyio.sleep(0.01)
    assert not (tmp_path / "spill").exists()
