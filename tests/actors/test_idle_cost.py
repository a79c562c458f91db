"""What it costs to keep chats that play and are left alone."""

from __future__ import annotations

import anyio
import pytest
from attrs import evolve
from chat_fakes import ADA, stage, track, wall
from store_fakes import FakeStore

from ryzen.actors.ledger import Ledger
from ryzen.actors.mailbox import Mailbox
from ryzen.actors.store import StoreActor
from ryzen.messages import Command, Restorable
from ryzen.player import events as ev
from ryzen.records import Beat, SaveLive
from ryzen.running import Keeping, RunningChats
from ryzen.supervisor import supervise

pytestmark = pytest.mark.anyio
CHATS = 1000


async def test_a_thousand_playing_chats_cost_one_heartbeat() -> None:
    store, ledger = FakeStore(), Ledger()
    async with supervise("store") as services, stage() as s:
        keeper = await services.start(
            "store", lambda *_: StoreActor(store, ledger, "now", wall=wall), mailbox=Mailbox(capacity=4096)
        )
        await keeper.ask(Restorable(), within=5)
        running = RunningChats(s.chats, s.surroundings, Keeping(keeper, "now", wall))
        song = evolve(track("song"), duration=3600.0)
        for number in range(CHATS):
            await running.open(-number).ask(Command(ev.Play((song,), ADA)), within=5)
        await anyio.sleep(15)
        assert len(store.players) == CHATS
        assert {type(change) for batch in store.batches for change in batch.changes} >= {SaveLive, Beat}
        before = len(store.batches)
        await anyio.sleep(60)
        idle = store.batches[before:]
        assert 11 <= len(idle) <= 13
        assert all([type(change) for change in batch.changes] == [Beat] for batch in idle)
