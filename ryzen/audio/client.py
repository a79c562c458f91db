"""The decks of all calls, and the worker behind them: restarted when it dies, replaced when it hangs."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import AsyncIterator, Callable

import anyio
import attrs
from loguru import logger

from ryzen.audio import wire
from ryzen.audio.deck import TapeDeck
from ryzen.audio.link import Link, Nursery
from ryzen.audio.wire import Beat, Failed, Laid, Over, Starved
from ryzen.beside import beside
from ryzen.ports import Deck, SoundEvent

#: How often each reader is looked at, in seconds: twice per chunk.
_LOOK = 0.05
#: The engine's own chunk, a tick of the worker and one of reserve: with less the deck would starve.
_LEAST_LEAD = 0.2
#: For the first worker to be there, in seconds; half a second on a quiet machine.
_START_WITHIN = 20.0
#: For one file's loudness, in seconds: it has to make do with what the others leave of the processor.
_MEASURE_WITHIN = 600.0
#: A worker that has lived this long is well; the next death is the first again.
_WELL_AFTER = 10.0
#: Delay before a restart: none, then this, doubled each time up to the ceiling.
_BACKOFF, _CEILING = 0.1, 5.0


@attrs.frozen
class AudioStats:
    """``pid`` is None between two workers; ``cpu`` is the present one's processor time in seconds."""

    pid: int | None
    restarts: int
    decks: int
    cpu: float


class AudioEngine:
    """Implements ``ports.Decks``. Made by ``serve``."""

    def __init__(self, lead: float, stalled_after: float, hung_after: float) -> None:
        self._lead = lead
        self._stalled_after = stalled_after
        self._hung_after = hung_after
        self._decks: dict[int, TapeDeck] = {}  #: by chat
        self._by_id: dict[int, TapeDeck] = {}
        self._ids = itertools.count(1)
        self._tapes = itertools.count(1)
        self._link: Link | None = None
        self._nursery: Nursery | None = None
        self._measuring = anyio.Lock()
        self._ready = anyio.Event()
        self._wanted = anyio.Event()  #: set while there is a deck
        self._restarts = 0
        self._cpu = 0.0

    def open(self, chat_id: int, on_event: Callable[[SoundEvent], None]) -> Deck:
        old = self._decks.get(chat_id)
        if old is not None:
            old.close()

        def forget(closed: TapeDeck) -> None:
            del self._decks[chat_id], self._by_id[closed.id]

        deck = TapeDeck(
            next(self._ids), self._lead, self._stalled_after, self._tapes, self._post, on_event, forget
        )
        self._decks[chat_id] = self._by_id[deck.id] = deck
        self._wanted.set()
        return deck

    @property
    def worker_pid(self) -> int | None:
        """The process to kill if one wants to see it come back; None between two workers."""
        return None if self._link is None else self._link.pid

    def stats(self) -> AudioStats:
        return AudioStats(self.worker_pid, self._restarts, len(self._decks), self._cpu)

    async def loudness(self, path: str) -> float | None:
        """The gain in dB that makes this file, which must be whole, as loud as the others.

        By its tags, or measured: a second or two of a processor that nobody else wants, one file at a time.
        None if there is nothing to be heard in it, or if it cannot be said. Cancelling it ends the work.
        """
        async with self._measuring:
            with anyio.move_on_after(_MEASURE_WITHIN):
                if self._nursery is not None:
                    return await self._nursery.measure(path)
        return None

    # -- run by serve
    async def ready(self) -> None:
        await self._ready.wait()

    async def watch(self) -> None:
        """Look at all readers, for ever; rest while there is no deck."""
        while True:
            await self._wanted.wait()
            now = anyio.current_time()
            for deck in tuple(self._by_id.values()):
                deck.look(now)
            if not self._by_id:
                self._wanted = anyio.Event()
            await anyio.sleep(_LOOK)

    async def keep(self) -> None:
        """Have a worker, for ever."""
        backoff = Backoff()
        while True:
            try:
                async with Nursery.start() as nursery:
                    self._nursery = nursery
                    try:
                        while True:
                            await anyio.sleep(backoff.delay(anyio.current_time()))
                            await self._work(nursery)
                    finally:
                        self._nursery = None
            except wire.Gone:
                logger.warning("audio nursery: gone, another is started")
                self._restarts += 1
                await anyio.sleep(_BACKOFF)

    async def _work(self, nursery: Nursery) -> None:
        """The life of one worker, and its burial."""
        link = await nursery.fork()
        logger.info("audio worker {}: started", link.pid)
        try:
            self._link = link
            for deck in self._by_id.values():
                deck.replay()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(link.flush)
                cause = await self._converse(link)
                tasks.cancel_scope.cancel()
            self._link = None
            status = await nursery.bury(link.pid)
            logger.warning("audio worker {}: {}, status {}; restarting", link.pid, cause, status)
            self._restarts += 1
            in_hand = link.ledger.in_hand()
            for deck in tuple(self._by_id.values()):
                deck.blame(in_hand)
        finally:
            self._link = None
            link.close()

    async def _converse(self, link: Link) -> str:
        """Listen until there is nothing more to hear; why."""
        while True:
            try:
                message = await link.receive(self._hung_after)
            except wire.Gone:
                return "died"
            except TimeoutError:
                return f"hung for {self._hung_after} s"
            except wire.Garbled as error:
                return f"raved: {error}"
            match message:
                case Laid() | Starved() | Over() | Failed() if message.deck in self._by_id:
                    self._by_id[message.deck].heed(message)
                case Beat():
                    self._cpu = message.cpu
                    self._ready.set()

    def _post(self, message: wire.ToWorker, *descriptors: int) -> None:
        if self._link is not None:
            self._link.post(message, *descriptors)

    def close(self) -> None:
        for deck in tuple(self._by_id.values()):
            deck.close()


class Backoff:
    """How long to wait before the next worker: not at all after a good life."""

    def __init__(self) -> None:
        self._born: float | None = None
        self._early_deaths = 0

    def delay(self, now: float) -> float:
        """To be asked before each birth."""
        lived_well = self._born is None or now - self._born >= _WELL_AFTER
        self._early_deaths = 0 if lived_well else self._early_deaths + 1
        wait = 0.0 if self._early_deaths < 2 else min(_CEILING, _BACKOFF * 2 ** (self._early_deaths - 2))
        self._born = now + wait
        return wait


@contextlib.asynccontextmanager
async def serve(
    *, lead: float = 0.5, stalled_after: float = 4.0, hung_after: float = 2.0
) -> AsyncIterator[AudioEngine]:
    """Decks for as long as the context lasts; all are closed and all processes ended behind it.

    ``lead``: how far ahead of the engine is written. It costs nothing in agility, because a load
    overwrites it, and is what bridges a worker's death; at least 0.2. ``stalled_after``: when a reader
    that stands still is told. ``hung_after``: when a worker that is not heard of is replaced; it beats
    four times a second. All in seconds.

    To be entered before anything native runs: it starts a process. Raises TimeoutError if no worker
    comes up.
    """
    engine = AudioEngine(max(lead, _LEAST_LEAD), stalled_after, hung_after)
    async with beside() as tasks:
        tasks.start_soon(engine.keep)
        try:
            with anyio.fail_after(_START_WITHIN):
                await engine.ready()
            tasks.start_soon(engine.watch)
            yield engine
        finally:
            engine.close()
