"""Decoding what is still being fetched: in a thread of its own, because it must wait for bytes."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from ryzen.audio import pcm
from ryzen.audio.decoder import Decoder
from ryzen.audio.inflow import Inflow
from ryzen.audio.ledger import Hand
from ryzen.audio.wire import Load
from ryzen.errors import TrackError, TrackTrouble
from ryzen.player.state import Span

#: To open it and to find the place, in seconds of work: waiting for bytes does not count.
OPEN_WITHIN = 8.0
#: How far ahead of its reader it decodes, in bytes: four seconds.
_AHEAD = pcm.size(4.0)
#: Positions closer than this are the same: half a sample, in seconds.
_SAME = 0.5 / pcm.RATE


class Ahead:
    """What a Decoder is, for another thread than the one that decodes; ``read`` never waits.

    ``work`` is that thread's. It ends promptly after ``close``, wherever it hangs.
    """

    def __init__(self, load: Load, hand: Hand, inflow: Inflow, ring: Callable[[], None]) -> None:
        """``ring`` is called, in the thread, once ``ready``."""
        self.load = load
        self.failure: TrackError | None = None  #: once ready: it could not be opened
        self._hand = hand
        self._inflow = inflow
        self._ring = ring
        self._lock = threading.Condition()
        self._sound: deque[tuple[float, bytes]] = deque()  #: by the second where each piece begins
        self._size = 0
        self._next = self._end = load.offset
        self._opened = self._ended = self._stopped = False
        self._trouble: TrackTrouble | None = None

    # -- for the reader
    @property
    def ready(self) -> bool:
        """There is sound, or a failure."""
        return self._opened

    @property
    def trouble(self) -> TrackTrouble | None:
        return self._trouble

    @property
    def position(self) -> float:
        with self._lock:
            return self._sound[0][0] if self._sound else self._next

    @property
    def spent(self) -> bool:
        with self._lock:
            return self._ended and not self._sound

    @property
    def dry(self) -> bool:
        with self._lock:
            return not self._ended and not self._sound

    def read(self, size: int, _until: float, /) -> bytes:
        """As ``Decoder.read``, of what has been decoded."""
        taken = bytearray()
        with self._lock:
            while self._sound and len(taken) < size:
                start, piece = self._sound[0]
                if taken and abs(start - self._next) > _SAME:
                    break
                self._sound.popleft()
                part = piece[: size - len(taken)]
                taken += part
                self._next = start + pcm.seconds(len(part))
                if len(part) < len(piece):
                    self._sound.appendleft((self._next, piece[len(part) :]))
            if self._ended and not self._sound:
                self._next = self._end
            self._size -= len(taken)
            self._lock.notify()
        if not taken:
            self.look(time.monotonic())
        return bytes(taken)

    def look(self, now: float) -> None:
        """To be called now and then while there is nothing to read: it is not waited for endlessly."""
        with self._lock:
            if not self._ended:
                self._inflow.look(now)

    def close(self) -> None:
        with self._lock:
            self._stopped = True
            if not self._ended:
                self._inflow.stop()
            self._lock.notify()

    # -- the thread
    def work(self) -> None:
        try:
            self._decode()
        except TrackError as error:
            self.failure = error
            self._end_with(None, self._next)

    def _decode(self) -> None:
        load = self.load
        decoder = Decoder(
            load.path,
            load.offset,
            load.stated,
            OPEN_WITHIN,
            inflow=self._inflow,
            live=load.live,
            skips=tuple(Span(start, end) for start, end in load.skips),
            gain=load.gain,
        )
        while not decoder.spent and not self._stopped:
            start = decoder.position
            self._put(start, decoder.read(pcm.CHUNK, float("inf")))
        decoder.close()
        self._end_with(decoder.trouble, decoder.position)

    def _put(self, start: float, sound: bytes) -> None:
        """Behind what is there, once there is room."""
        if not sound:
            return
        with self._lock:
            self._sound.append((start, sound))
            self._size += len(sound)
            self._open()
            if self._size >= _AHEAD and not self._stopped:
                self._hand.rest(True)
                self._lock.wait_for(lambda: self._size < _AHEAD or self._stopped)
                self._hand.rest(False)

    def _end_with(self, trouble: TrackTrouble | None, position: float) -> None:
        with self._lock:
            self._trouble, self._end, self._ended = trouble, position, True
            if not self._sound:
                self._next = position
            self._inflow.close()
            self._open()

    def _open(self) -> None:
        if not self._opened:
            self._opened = True
            self._ring()
