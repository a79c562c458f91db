"""The audio worker: decodes all decks in one loop. It knows no secret and opens nothing but sound files.

It is forked by the nursery (``ryzen.audio.nursery``) and lives until the bot closes its socket.
"""

from __future__ import annotations

import collections
import contextlib
import os
import queue
import resource
import selectors
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from ryzen.audio import wire
from ryzen.audio.decoder import Decoder
from ryzen.audio.feed import Feed
from ryzen.audio.ledger import SLOTS, Ledger
from ryzen.audio.wire import Beat, Drop, Failed, Load, PutReader, PutTape, Silence
from ryzen.errors import TrackError

#: How often the decks are looked after while there is something to write, in seconds: half a chunk.
_TICK = 0.05
#: How often the bot is told that all is well, in seconds.
BEAT = 0.25
#: To open a file and find the place in it, in seconds.
_OPEN_WITHIN = 8.0
#: A file that claims to need more memory than this is broken.
_MEMORY = 1 << 30

_LOOP_SLOT = 0


def run(sock: socket.socket, ledger: Ledger) -> None:
    """Work until the bot closes the socket. Any exception means that this process should end."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
    sock.setblocking(False)
    try:
        Worker(sock, ledger).work()
    except wire.Gone:
        return


class Worker:
    """Commands, files that have been opened, and the clock: whatever comes first wakes it."""

    def __init__(self, sock: socket.socket, ledger: Ledger) -> None:
        self._sock = sock
        self._ledger = ledger
        self._feeds: dict[int, Feed] = {}
        self._unsent: collections.deque[wire.FromWorker] = collections.deque()
        self._openings = Openings(ledger)
        self._beat_at = 0.0
        self._selector = selectors.DefaultSelector()
        self._selector.register(sock, selectors.EVENT_READ)
        self._selector.register(self._openings.bell, selectors.EVENT_READ)

    def work(self) -> None:
        """Raises wire.Gone when the bot is gone."""
        in_need = False
        while True:
            self._beat()
            self._flush()
            busy = any(feed.busy for feed in self._feeds.values())
            self._selector.select(0 if in_need else _TICK if busy else BEAT)
            self._listen()
            self._take_openings()
            in_need = self._fill()

    # -- commands
    def _listen(self) -> None:
        while True:
            try:
                message, descriptors = wire.receive(self._sock)
            except BlockingIOError:
                return
            self._obey(message, descriptors)

    def _obey(self, message: wire.Message, descriptors: tuple[int, ...]) -> None:
        match message:
            case PutTape():
                self._feed(message.deck).put_tape(message.tape, descriptors[0], message.lead)
            case PutReader():
                self._feed(message.deck).put_reader(message.tape, descriptors[0])
            case Load():
                feed = self._feed(message.deck)
                feed.expect(message.turn)
                self._openings.ask(message, lambda: feed.turn == message.turn)
            case Silence():
                self._feed(message.deck).silence(message.turn)
            case Drop():
                self._feed(message.deck).close()
                del self._feeds[message.deck]
            case _:
                raise wire.Garbled(f"not for a worker: {message}")

    def _feed(self, deck: int) -> Feed:
        if deck not in self._feeds:
            self._feeds[deck] = Feed(deck, self._post)
        return self._feeds[deck]

    # -- sound
    def _take_openings(self) -> None:
        for load, opened in self._openings.done():
            feed = self._feeds.get(load.deck)
            wanted = feed is not None and feed.turn == load.turn
            match opened:
                case Decoder() if feed is not None and wanted:
                    self._ledger.take(_LOOP_SLOT, load.deck, load.turn)
                    feed.begin(opened, load.at)
                    self._ledger.put_back(_LOOP_SLOT)
                case Decoder():
                    opened.close()
                case TrackError() if feed is not None and wanted:
                    feed.silence(load.turn)
                    self._post(Failed(load.deck, load.turn, opened.trouble.value, opened.detail))

    def _fill(self) -> bool:
        """One slice for each deck; True if one of them is in need."""
        need = False
        for feed in self._feeds.values():
            if feed.busy:
                self._ledger.take(_LOOP_SLOT, feed.deck, feed.turn)
                need |= feed.fill()
                self._ledger.put_back(_LOOP_SLOT)
        return need

    # -- answers
    def _beat(self) -> None:
        now = time.monotonic()
        if now >= self._beat_at and not self._unsent:
            self._beat_at = now + BEAT
            self._post(Beat(time.process_time()))

    def _post(self, message: wire.FromWorker) -> None:
        self._unsent.append(message)

    def _flush(self) -> None:
        """Send what can be sent; a bot that does not listen for a while must not silence its calls."""
        try:
            while self._unsent:
                wire.send(self._sock, self._unsent[0])
                self._unsent.popleft()
        except BlockingIOError:
            pass
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._unsent else 0)
        self._selector.modify(self._sock, events)


Opened = Decoder | TrackError | None


class Openings:
    """Opens files in a few threads, because that may take long: a strange file, a slow disk."""

    def __init__(self, ledger: Ledger) -> None:
        self.bell = os.eventfd(0, os.EFD_NONBLOCK)  #: readable when something is done
        self._ledger = ledger
        self._pool = ThreadPoolExecutor(SLOTS - 1, "opener")
        self._done: queue.SimpleQueue[tuple[Load, Future[Opened]]] = queue.SimpleQueue()
        self._slots: queue.SimpleQueue[int] = queue.SimpleQueue()
        for slot in range(1, SLOTS):
            self._slots.put(slot)

    def ask(self, load: Load, wanted: Callable[[], bool]) -> None:
        """Have this opened, if it is still wanted when its time comes."""

        def ring(future: Future[Opened]) -> None:
            self._done.put((load, future))
            os.eventfd_write(self.bell, 1)

        self._pool.submit(self._open, load, wanted).add_done_callback(ring)

    def done(self) -> Iterator[tuple[Load, Opened]]:
        """What has been opened since; raises what no file should be able to raise."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self.bell)
        while not self._done.empty():
            load, future = self._done.get()
            yield load, future.result()

    def _open(self, load: Load, wanted: Callable[[], bool]) -> Opened:
        if not wanted():
            return None
        slot = self._slots.get()
        self._ledger.take(slot, load.deck, load.turn)
        opened: Opened
        try:
            opened = Decoder(load.path, load.offset, load.stated, _OPEN_WITHIN)
        except TrackError as error:
            opened = error
        # Not in a finally: what else may have been raised ends the process, and the ledger must tell why.
        self._ledger.put_back(slot)
        self._slots.put(slot)
        return opened
