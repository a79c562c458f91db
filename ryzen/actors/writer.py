"""The StoreActor's lane that writes: in bulk, one batch at a time, and again when the database is back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
import attrs
from attrs.validators import ge, gt
from loguru import logger

from ryzen.actors.health import redacted
from ryzen.actors.ledger import Ledger
from ryzen.actors.waiting import Lot
from ryzen.errors import StoreAway, StoreError, StoreRefused
from ryzen.ports import Store
from ryzen.records import SaveLive


@attrs.frozen
class Policy:
    """When is written, and who waits for how long. Seconds."""

    flush_interval: float = attrs.field(default=0.2, validator=ge(0))  #: how long a change waits for others
    flush_size: int = attrs.field(default=500, validator=gt(0))  #: changes that wait for no more; a batch
    beat_every: float = 5.0
    read_within: float = 3.0  #: settings and rolls; longer is as good as no answer
    commit_within: float = 3.0  #: who would wait longer for a change hears LATER
    recall_within: float = 10.0
    write_within: float = 15.0  #: for a store that breaks its promise: its own limits are shorter
    stop_within: float = 8.0


class Writer:
    """Writes what the ledger has. Nobody else writes, and while the database is away only ``ping`` is tried.

    ``caught_up`` is called when the ledger's backlog has been written.
    """

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        policy: Policy,
        wall: Callable[[], float],
        caught_up: Callable[[], Awaitable[None]],
    ) -> None:
        self._store, self._ledger, self._breaker = store, ledger, ledger.breaker
        self._policy, self._wall, self._caught_up = policy, wall, caught_up
        self._stirred = anyio.Event()  # there is something to write, or the database is away
        self._roused = anyio.Event()  # and it is not to wait for more
        self._hurry = False  # somebody waits for what is due

    def stir(self, hurry: bool = False) -> None:
        """There may be something to write; ``hurry``: somebody waits for it."""
        if self._ledger.due:
            self._stirred.set()
        self._hurry = self._hurry or hurry
        if self._full:
            self._roused.set()

    def lose(self, error: StoreError) -> None:
        """The database is away."""
        cause = redacted(error)
        if self._breaker.trip(anyio.current_time(), cause):
            self._ledger.before = self._ledger.written, self._ledger.let_go
            logger.warning("{} is away, what changes waits until it is back: {}", self._store.name, cause)
        self._stirred.set()
        self._roused.set()

    async def run(self) -> None:
        """For ever."""
        while True:
            if self._breaker.away:
                await self._probe()
            elif (lot := self._ledger.aloft) is not None:
                await self._write(lot)
            else:
                await self._gather()

    async def finish(self) -> None:
        """Write everything, unless the database is away."""
        if await self._write_out() and self._breaker.away:
            self._mended()

    async def _gather(self) -> None:
        """Wait until a flush is due, and put it together."""
        if not self._ledger.due:
            self._hurry = False
            self._stirred = anyio.Event()
            await self._stirred.wait()
        if not self._full:
            self._roused = anyio.Event()
            with anyio.move_on_after(self._policy.flush_interval):
                await self._roused.wait()
        self._ledger.load(self._policy.flush_size, self._wall())
        self._hurry = self._hurry and self._ledger.due > 0  # who comes now may wait for others again

    @property
    def _full(self) -> bool:
        """Whether a flush has nothing more to wait for."""
        return self._hurry or self._breaker.away or self._ledger.due >= self._policy.flush_size

    async def _write(self, lot: Lot) -> bool:
        """Returns False if the database is away: the lot stays where it is."""
        try:
            await self._apply(lot)
        except StoreRefused:
            self._refused(lot)
        except StoreError as error:
            self.lose(error)
            return False
        else:
            await self._settle()
        return True

    async def _apply(self, lot: Lot) -> None:
        within = self._policy.write_within
        with anyio.move_on_after(within):
            await self._store.apply(lot.batch)
            return
        raise StoreAway(f"nothing was written within {within:g} s")

    async def _settle(self) -> None:
        inherited = self._ledger.inherited
        self._ledger.settle()
        if inherited and not self._ledger.inherited:
            await self._caught_up()

    def _refused(self, lot: Lot) -> None:
        if len(lot.entries) > 1:
            self._ledger.take_apart()
            return
        change = lot.entries[0].change
        chat = change.live.chat_id if isinstance(change, SaveLive) else getattr(change, "chat_id", None)
        logger.error("the database refuses a {} of chat {}", type(change).__name__, chat)  # not what is in it
        self._ledger.refuse()

    async def _write_out(self) -> bool:
        """Write what is there now, whatever comes meanwhile. False if the database is away."""
        goal = self._ledger.closed + self._ledger.writable
        while True:
            if (lot := self._ledger.aloft) is not None:
                if not await self._write(lot):
                    return False
            elif self._ledger.closed >= goal or not self._ledger.load(self._policy.flush_size, self._wall()):
                return True

    async def _probe(self) -> None:
        """Wait a while, and see whether the database is back."""
        await anyio.sleep(self._breaker.delay())
        if await self._answers() and await self._write_out():
            self._mended()
        else:
            self._breaker.missed()

    async def _answers(self) -> bool:
        try:
            with anyio.move_on_after(self._policy.read_within):
                await self._store.ping()
                return True
        except StoreError as error:
            self.lose(error)
        return False

    def _mended(self) -> None:
        away_for = self._breaker.mend(anyio.current_time())
        written, let_go = self._ledger.before
        logger.info(
            "{} is back after {:.0f} s: {} changes were written, {} let go",
            self._store.name, away_for, self._ledger.written - written, self._ledger.let_go - let_go,
        )  # fmt: skip
