"""The store, as the bot meets it: the real one, or one whose database is away."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from tempfile import TemporaryDirectory

import anyio

from ryzen.actors.actor import Actor
from ryzen.actors.ledger import Ledger
from ryzen.actors.store import Policy, StoreActor
from ryzen.errors import Refusal
from ryzen.messages import Commit, Declined, Keep, Recall, Stored, ToStore
from ryzen.records import Change
from ryzen.store import open_store

NOW = 1_800_000_000.0  # what the clock on the wall says, 2027-01-15


class AwayStore(Actor[ToStore]):
    """The store while its database is away; ``trouble`` meets changes, and ``gate`` all that comes."""

    def __init__(self) -> None:
        self.heard: list[Change] = []  # what nobody waits for
        self.taken: list[Change] = []  # what somebody does
        self.trouble: Refusal | None = None
        self.gate: anyio.Event | None = None

    async def receive(self, message: ToStore) -> object:
        if self.gate is not None:
            await self.gate.wait()
        match message:
            case Keep(change):
                self.heard.append(change)
            case Commit(changes):
                if self.trouble is not None:
                    raise self.trouble
                self.taken += changes
                return Stored.LATER
            case Recall():
                raise Refusal(Declined.AWAY)
        return None


@asynccontextmanager
async def keeper() -> AsyncIterator[Callable[[], Actor[ToStore]]]:
    """Makes the real actor, on a database of its own. In real time: SQLite has a thread."""
    with TemporaryDirectory() as folder:
        async with open_store(f"sqlite:///{folder}/kept.db") as store:
            ledger, policy = Ledger(), Policy(flush_interval=0.01)
            yield lambda: StoreActor(store, ledger, "bot", policy, wall=lambda: NOW)
