"""Stands in front of the database: answers from memory, writes in bulk, and goes on when that is away."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from typing import TypeVar

import anyio
from loguru import logger

from ryzen.actors.actor import Actor, Vitals
from ryzen.actors.flights import Flights
from ryzen.actors.known import Known
from ryzen.actors.ledger import Ledger
from ryzen.actors.waiting import Receipt
from ryzen.actors.writer import Policy, Writer
from ryzen.errors import Refusal, StoreAway, StoreError, StoreRefused
from ryzen.messages import (
    Commit,
    Declined,
    Keep,
    Recall,
    Restorable,
    RollOf,
    Saved,
    SettingsOf,
    Stored,
    ToStore,
)
from ryzen.ports import Store
from ryzen.records import Beat

__all__ = ["Policy", "StoreActor"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
R = TypeVar("R")


async def _nobody_minds() -> None: ...


class StoreActor(Actor[ToStore]):
    """One for the whole bot; ``process`` is the name under which it beats.

    What must not be lost is in the ledger, so a crash loses no change, not even one whose sender hears
    ActorCrashed. Nobody waits for a database that is away: what then is asked is answered from what is
    known, told LATER, or refused. ``caught_up`` is called when the ledger's backlog has been written.
    """

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        process: str,
        policy: Policy | None = None,
        *,
        wall: Callable[[], float] = time.time,
        caught_up: Callable[[], Awaitable[None]] = _nobody_minds,
    ) -> None:
        self._store, self._ledger, self._process = store, ledger, process
        self._policy, self._wall, self._caught_up = policy or Policy(), wall, caught_up
        self._breaker = ledger.breaker

    async def started(self) -> None:
        self._writer = Writer(self._store, self._ledger, self._policy, self._wall, self._caught_up)
        self._reads: Flights[Hashable, object] = Flights(self.tasks)
        self.tasks.start_soon(self._writer.run, name="store: write")
        self.tasks.start_soon(self._live, name="store: beat")

    async def receive(self, message: ToStore) -> object:
        match message:
            case Keep(change):
                self._ledger.keep(change)
                self._writer.stir()
            case Commit(changes):
                receipt = self._ledger.commit(changes)
                self._writer.stir(hurry=True)
                return self.later(self._stored, receipt)
            case SettingsOf(chat_id):
                return self._answer(self._ledger.settings, chat_id, self._store.settings)
            case RollOf(roll, scope):
                return self._answer(self._ledger.rolls, (roll, scope), lambda key: self._store.roll(*key))
            case Restorable():
                # Read once, for whoever asks again: it is what was there before our own players.
                return self.later(self._reads.join, Restorable, self._restore)
            case Recall(question):
                return self.later(self._recall, question)
            case _:
                self.unhandled(message)
        return None

    async def stopped(self) -> None:
        """Write the rest; ``ledger.unwritten`` has what could not be written."""
        self._beat()
        with anyio.move_on_after(self._policy.stop_within):
            await self._writer.finish()
        if self._ledger.unsettled:
            logger.warning("{} changes could not be written before the end", self._ledger.unsettled)

    def vitals(self, now: float) -> Vitals:
        if not self._breaker.away:
            return Vitals()
        away_for, waiting = self._breaker.away_for(now), self._ledger.unsettled
        return Vitals(
            condition=f"DEGRADED for {away_for:.0f} s, {waiting} changes wait: {self._breaker.cause}"
        )

    # -- changes
    async def _stored(self, receipt: Receipt) -> Stored:
        if receipt.open:
            with self._breaker.bounded(self._policy.commit_within):
                await receipt.settled.wait()
        if receipt.refused:
            raise Refusal(Declined.REFUSED)
        return Stored.LATER if receipt.open else Stored.NOW

    async def _flushed(self) -> None:
        """Until all that may be written now is settled."""
        receipt = self._ledger.receipt()
        if receipt.open:
            self._writer.stir(hurry=True)
            await receipt.settled.wait()

    async def _live(self) -> None:
        while True:
            self._beat()
            self._writer.stir()
            await anyio.sleep(self._policy.beat_every)

    def _beat(self) -> None:
        self._ledger.keep(Beat(self._process, self._wall()))

    # -- questions
    def _answer(self, known: Known[K, V], key: K, ask: Callable[[K], Awaitable[V]]) -> object:
        if (answer := known.recall(key)) is not None:
            return answer
        return self.later(self._reads.join, key, partial(self._learn, known, key, ask))

    async def _learn(self, known: Known[K, V], key: K, ask: Callable[[K], Awaitable[V]]) -> V:
        if self._breaker.away:
            return known.guess(key)
        within = self._policy.read_within
        try:
            with self._breaker.bounded(within) as limit:
                return await known.learn(key, ask)
        except StoreError as error:
            self._writer.lose(error)
        if limit.cancelled_caught and not self._breaker.away:
            self._writer.lose(StoreAway(f"no answer within {within:g} s"))
        return known.guess(key)

    async def _recall(self, question: Callable[[Store], Awaitable[R]]) -> R:
        if self._breaker.away:
            raise Refusal(Declined.AWAY)
        try:
            with self._breaker.bounded(self._policy.recall_within):
                await self._flushed()
                return await question(self._store)
        except StoreRefused as error:
            raise Refusal(Declined.REFUSED) from error
        except StoreError as error:
            self._writer.lose(error)
            raise Refusal(Declined.AWAY) from error
        raise Refusal(Declined.AWAY)  # and no more: a heavy question is slow in a database that is well

    async def _restore(self) -> Saved:
        if self._ledger.found is None:
            self._ledger.restore(await self._recall(_saved))
            self._writer.stir()
        assert self._ledger.found is not None
        return self._ledger.found


async def _saved(store: Store) -> Saved:
    return Saved(await store.live(), await store.beats())
