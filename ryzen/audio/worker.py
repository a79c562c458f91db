"""The audio worker: decodes all decks in one loop. It knows no secret and opens nothing but sound files.

It is forked by the nursery (``ryzen.audio.nursery``) and lives until the bot closes its socket.
"""

from __future__ import annotations

import collections
import resource
import selectors
import socket
import threading
import time

from ryzen.audio import wire
from ryzen.audio.ahead import Ahead
from ryzen.audio.decoder import Decoder
from ryzen.audio.feed import Feed, Sound
from ryzen.audio.ledger import Ledger
from ryzen.audio.openings import Openings
from ryzen.audio.wire import Beat, Drop, Failed, Load, PutReader, PutTape, Silence
from ryzen.errors import TrackError

#: How often the decks are looked after while there is something to write, in seconds: half a chunk.
_TICK = 0.05
#: How often the bot is told that all is well, in seconds.
BEAT = 0.25
#: Of each thread, in bytes: by default they are 8 MB, which counts as memory.
_STACK = 1 << 20
#: A file that claims to need more memory than this is broken.
_MEMORY = 1 << 30

_LOOP_SLOT = 0


def run(sock: socket.socket, ledger: Ledger) -> None:
    """Work until the bot closes the socket. Any exception means that this process should end."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
    threading.stack_size(_STACK)
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
        self._coming: dict[int, Ahead] = {}  #: by deck: growing files of which nothing can be heard yet
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
            self._take_coming()
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
                self._want_no_more(message.deck)
                feed.expect(message.turn)
                self._openings.ask(message, lambda: feed.turn == message.turn)
            case Silence():
                self._want_no_more(message.deck)
                self._feed(message.deck).silence(message.turn)
            case Drop():
                self._want_no_more(message.deck)
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
            if feed is None or feed.turn != load.turn:
                if isinstance(opened, Ahead | Decoder):
                    opened.close()
                continue
            match opened:
                case Ahead():
                    self._coming[load.deck] = opened
                case Decoder():
                    self._begin(feed, load, opened)
                case TrackError():
                    self._fail(feed, load, opened)

    def _take_coming(self) -> None:
        now = time.monotonic()
        for deck, ahead in tuple(self._coming.items()):
            ahead.look(now)
            if ahead.ready:
                del self._coming[deck]
                if ahead.failure is None:
                    self._begin(self._feeds[deck], ahead.load, ahead)
                else:
                    self._fail(self._feeds[deck], ahead.load, ahead.failure)

    def _want_no_more(self, deck: int) -> None:
        if deck in self._coming:
            self._coming.pop(deck).close()

    def _begin(self, feed: Feed, load: Load, sound: Sound) -> None:
        self._ledger.take(_LOOP_SLOT, load.deck, load.turn)
        feed.begin(sound, load.at)
        self._ledger.put_back(_LOOP_SLOT)

    def _fail(self, feed: Feed, load: Load, error: TrackError) -> None:
        feed.silence(load.turn)
        self._post(Failed(load.deck, load.turn, error.trouble.value, error.detail))

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
