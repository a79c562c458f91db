"""Opens files in threads, because that may take long: a strange file, a slow disk, a slow network."""

from __future__ import annotations

import contextlib
import os
import queue
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from ryzen.audio.ahead import OPEN_WITHIN, Ahead
from ryzen.audio.decoder import Decoder
from ryzen.audio.inflow import Inflow, is_growing
from ryzen.audio.ledger import SLOTS, Hand, Ledger
from ryzen.audio.wire import Load
from ryzen.errors import TrackError, TrackTrouble
from ryzen.player.state import Span

Opened = Decoder | Ahead | TrackError | None

#: What is whole is opened by so many threads.
_OPENERS = 7
#: Files that may be decoded while they grow. A deck has one, and for a moment the one that it had before.
_FOLLOWERS = SLOTS - 1 - _OPENERS


class Openings:
    """Files on their way to being heard."""

    def __init__(self, ledger: Ledger) -> None:
        self.bell = os.eventfd(0, os.EFD_NONBLOCK)  #: readable when something is done
        self._ledger = ledger
        self._openers = ThreadPoolExecutor(_OPENERS, "opener")
        self._followers = ThreadPoolExecutor(_FOLLOWERS, "follower")
        self._done: queue.SimpleQueue[tuple[Load, Future[Opened]]] = queue.SimpleQueue()
        self._crashed: queue.SimpleQueue[Future[None]] = queue.SimpleQueue()
        self._slots: queue.SimpleQueue[int] = queue.SimpleQueue()
        for slot in range(1, SLOTS):
            self._slots.put(slot)

    def ask(self, load: Load, wanted: Callable[[], bool]) -> None:
        """Have this opened, if it is still wanted when its time comes."""

        def tell(future: Future[Opened]) -> None:
            self._done.put((load, future))
            self._ring()

        self._openers.submit(self._open, load, wanted).add_done_callback(tell)

    def done(self) -> Iterator[tuple[Load, Opened]]:
        """What has been opened since; raises what no file should be able to raise."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self.bell)
        while not self._crashed.empty():
            self._crashed.get().result()
        while not self._done.empty():
            load, future = self._done.get()
            yield load, future.result()

    def _ring(self) -> None:
        os.eventfd_write(self.bell, 1)

    def _open(self, load: Load, wanted: Callable[[], bool]) -> Opened:
        if not wanted():
            return None
        slot = self._slots.get()
        self._ledger.take(slot, load.deck, load.turn)
        opened: Opened
        try:
            if load.fetched and is_growing(load.path):
                return self._follow(load, slot)
            skips = tuple(Span(start, end) for start, end in load.skips)
            opened = Decoder(
                load.path, load.offset, load.stated, OPEN_WITHIN, live=load.live, skips=skips, gain=load.gain
            )
        except TrackError as error:
            opened = error
        # Not in a finally: what else may have been raised ends the process, and the ledger must tell why.
        self._put_back(slot)
        return opened

    def _put_back(self, slot: int) -> None:
        self._ledger.put_back(slot)
        self._slots.put(slot)

    def _follow(self, load: Load, slot: int) -> Ahead:
        """Decode this in a thread of its own, which takes over the slot."""
        hand = Hand(self._ledger, slot, load.deck, load.turn)
        try:
            inflow = Inflow(load.path, hand.rest)
        except FileNotFoundError as error:
            raise TrackError(TrackTrouble.MISSING, error.strerror or "") from error
        except OSError as error:
            raise TrackError(TrackTrouble.BROKEN, error.strerror or "") from error
        ahead = Ahead(load, hand, inflow, self._ring)

        def bury(future: Future[None]) -> None:
            if future.exception() is None:
                self._put_back(slot)
            else:
                self._crashed.put(future)
                self._ring()

        self._followers.submit(ahead.work).add_done_callback(bury)
        return ahead
