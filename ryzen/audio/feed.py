"""What the worker writes for one deck: always a little ahead of the engine, never behind it."""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Callable
from typing import Protocol

from ryzen.audio import pcm
from ryzen.audio.wire import FromWorker, Laid, Over, Starved
from ryzen.errors import TrackTrouble

#: One deck may hold up the others for this long, in seconds.
SLICE = 0.01
#: Less than this is not worth a write.
_LEAST = pcm.CHUNK // 2
#: Memory behind the reader is given back in pieces of this size: 11 s.
_PUNCH = 1 << 20


#: Positions further apart than this are not of one piece: a sample, in seconds.
_JUMP = 1 / pcm.RATE


class Sound(Protocol):
    """A track that is being decoded: Decoder, or Ahead."""

    @property
    def position(self) -> float:
        """Of what ``read`` gives next, in seconds; jumps between two reads where something is left out."""
        ...

    @property
    def spent(self) -> bool:
        """All of it has been read."""
        ...

    @property
    def dry(self) -> bool:
        """There is nothing just now, but there will be."""
        ...

    @property
    def trouble(self) -> TrackTrouble | None:
        """Once spent: it should not have ended like this."""
        ...

    def read(self, size: int, until: float, /) -> bytes: ...

    def close(self) -> None: ...


class Feed:
    """Bytes before ``_written`` belong to the track; from there to ``_dirty`` there may be something old."""

    def __init__(self, deck: int, post: Callable[[FromWorker], None]) -> None:
        self.deck = deck
        self.turn = 0
        self._post = post
        self._decoder: Sound | None = None
        self._expected = 0.0  #: the position at ``_written``, if nothing is left out there
        self._starved = False
        self._file: int | None = None
        self._reader: int | None = None
        self._tape = self._lead = 0
        self._written = self._dirty = self._punched = 0

    @property
    def busy(self) -> bool:
        """Whether there is a track to be written."""
        return self._decoder is not None

    # -- the file
    def put_tape(self, tape: int, file: int, lead: int) -> None:
        """Go on in this file, which the feed owns from here on; the track must be loaded anew.

        A worker before us may have written into it.
        """
        self.close()
        self._file, self._tape, self._lead = file, tape, lead
        self._written = self._punched = 0
        self._dirty = os.lseek(file, 0, os.SEEK_HOLE)

    def put_reader(self, tape: int, reader: int) -> None:
        """The engine has opened the file; the feed owns this descriptor, too."""
        if tape != self._tape or self._file is None or self._reader is not None:
            os.close(reader)
            return
        self._reader = reader
        self._dirty = max(self._dirty, os.lseek(self._file, self._here(), os.SEEK_HOLE))

    def close(self) -> None:
        """Let go of the file; openings under way are not wanted any more."""
        self.expect(0)
        for descriptor in (self._file, self._reader):
            if descriptor is not None:
                os.close(descriptor)
        self._file = self._reader = None

    # -- the sound
    def expect(self, turn: int) -> None:
        """Another track is being opened; what has been written of the old one is heard meanwhile."""
        self._forget()
        self.turn = turn

    def begin(self, decoder: Sound, at: int | None) -> None:
        """Let this track be heard: from ``at``, or at once, over whatever lies ahead of the reader."""
        self._forget()
        self._decoder = decoder
        offset = decoder.position
        self._lay(decoder.read(self._lead, time.monotonic() + SLICE), at or 0, offset)
        self._finish()

    def silence(self, turn: int) -> None:
        """Take back what has not been read."""
        self.expect(turn)
        self._wipe(self._here())
        self._written = self._here()

    def fill(self) -> bool:
        """Decode for at most one slice; True if the deck still needs more."""
        if self._decoder is None:
            return False
        here = self._here()
        if here > self._written and not self._starved:  # the track waits for its listeners
            self._starved = True
            self._post(Starved(self.deck, self._tape, self.turn, self._written))
        short_of = here + self._lead - max(here, self._written)
        if short_of < _LEAST:
            return False
        offset = self._decoder.position
        sound = self._decoder.read(short_of, time.monotonic() + SLICE)
        if sound and (self._starved or abs(offset - self._expected) > _JUMP):
            self._lay(sound, self._written, offset)
        elif sound:
            start = self._written
            self._write(sound, start)
            self._expected = offset + pcm.seconds(len(sound))
            if self._here() > start:  # the engine was there first, and has read silence
                self._lay(sound, start, offset)
        self._finish()
        self._punch(here)
        if self._decoder is None or self._decoder.dry:
            return False
        return self._written - here < self._lead // 2

    # -- inside
    def _here(self) -> int:
        return 0 if self._reader is None else pcm.next_read(self._reader)

    def _forget(self) -> None:
        if self._decoder is not None:
            self._decoder.close()
            self._decoder = None
        self._starved = False

    def _lay(self, sound: bytes, at: int, offset: float) -> None:
        """Write from ``at`` on, or from where the reader is, what does not continue what is there."""
        while True:
            start = max(at, self._here())
            self._write(sound, start)
            self._wipe(self._written)
            if self._here() <= start:
                break  # else the engine took the old bytes in this very moment: once more, further on
        self._post(Laid(self.deck, self._tape, self.turn, start, offset))
        self._expected = offset + pcm.seconds(len(sound))
        self._starved = False

    def _write(self, sound: bytes, start: int) -> None:
        if self._file is not None:
            os.pwrite(self._file, sound, start)
        self._written = start + len(sound)
        self._dirty = max(self._dirty, self._written)

    def _wipe(self, start: int) -> None:
        """Zeros from here to the last byte that anybody has written."""
        if self._file is not None and self._dirty > start:
            os.pwrite(self._file, bytes(self._dirty - start), start)
        self._dirty = start

    def _finish(self) -> None:
        """If that was the last of the track, say so."""
        decoder = self._decoder
        if decoder is None or not decoder.spent:
            return
        self._wipe(self._written)
        trouble = None if decoder.trouble is None else decoder.trouble.value
        self._post(Over(self.deck, self._tape, self.turn, self._written, decoder.position, trouble))
        self._forget()

    def _punch(self, here: int) -> None:
        """Give back the memory behind the reader."""
        end = (here - pcm.CHUNK) // mmap.PAGESIZE * mmap.PAGESIZE
        if self._file is not None and end - self._punched >= _PUNCH:
            with mmap.mmap(self._file, end - self._punched, offset=self._punched) as window:
                window.madvise(mmap.MADV_REMOVE)
            self._punched = end
