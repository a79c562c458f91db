"""One track as 48 kHz mono s16le, from any second on, a slice at a time."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Iterator

import av
from av.audio.frame import AudioFrame
from av.packet import Packet
from av.stream import Stream

from ryzen.audio import pcm
from ryzen.audio.container import UNDECODABLE, open_growing, open_whole, own_length, reason, sound_of
from ryzen.audio.gain import louder
from ryzen.audio.inflow import Inflow
from ryzen.audio.resampler import Resampler
from ryzen.audio.skips import past
from ryzen.audio.sniff import Demuxer, Sniffed, sniff, sniff_growing
from ryzen.errors import TrackError, TrackTrouble
from ryzen.player.state import Span

#: Decoded before the wanted sample and thrown away: Opus needs 80 ms to settle, MP3 half a dozen frames.
_RUN_UP = 0.3
#: MP3 is searched packet by packet up to this offset: FFmpeg 8's jump to a place in it is a frame or two off.
_WALK = 1800.0
#: A span up to this long is decoded and dropped, to the sample; over a longer one it is jumped. In seconds.
_DROP_UP_TO = 3.0
#: Bad packets, one behind the other, after which a file is given up: 2.6 s of MP3.
_BAD_IN_A_ROW = 100
#: Shorter than stated by more than this (seconds, and share of the length): it was cut short.
_SHORT_BY, _SHORT_SHARE = 2.0, 0.02


class Decoder:
    """Not for two threads at once, but it may be opened in one and read in another."""

    dry = False  #: ``read`` need never wait for anybody

    def __init__(
        self,
        path: str,
        offset: float,
        stated: float | None,
        within: float,
        *,
        inflow: Inflow | None = None,
        live: bool = False,
        skips: tuple[Span, ...] = (),
        gain: float = 0.0,
    ) -> None:
        """Opens the file and finds the place; ``stated`` is the length its source tells, in seconds.

        ``inflow`` is what is at that path if it is growing still: then opening and reading wait for it.
        ``live``: it is entered at the oldest place that is there. ``skips`` (as from ``skips.tidy``) are left
        out: ``position`` jumps. ``gain`` in dB.

        Raises TrackError, also if ``within`` seconds of work do not suffice.
        """
        offset = past(skips, offset)
        self.over = False  #: all of it has been decoded; ``read`` still gives what is left
        self.trouble: TrackTrouble | None = None  #: once over: it should not have ended like this
        self.position = offset  #: of what ``read`` gives next, in seconds
        self._left = bytearray()
        self._frames: Iterator[AudioFrame | None] = iter(())
        self._inflow = inflow
        self._late = False  #: it was entered in the middle: its beginning has been given up
        self._skips = deque(span for span in skips if span.start >= offset)
        self._gain = gain
        deadline = time.monotonic() + within
        with contextlib.ExitStack() as undo:
            try:
                self._demuxer = self._open(path, stated, within, live)
                undo.callback(self.close)
                self._begin(offset, deadline)
            except UNDECODABLE as error:
                self._blame_inflow()
                raise TrackError(TrackTrouble.BROKEN, reason(error)) from error
            except TrackError:
                self._blame_inflow()
                raise
            undo.pop_all()

    def read(self, size: int, until: float) -> bytes:
        """The next ``size`` bytes; fewer at the end, at the moment ``until`` (``time.monotonic``), and before
        ``position`` jumps."""
        skipping = False
        if self._skips:
            ahead = max(0, pcm.size(self._skips[0].start - self.position))
            size, skipping = min(size, ahead), ahead <= size
        while len(self._left) < size and not self.over and time.monotonic() < until:
            self._step()
        taken = bytes(self._left[:size])
        del self._left[:size]
        self.position += pcm.seconds(len(taken))
        if skipping and len(taken) == size:
            self._skip(self._skips.popleft())
        return louder(taken, self._gain)

    @property
    def spent(self) -> bool:
        """Over, and all of it has been read."""
        return self.over and not self._left

    @property
    def metadata(self) -> dict[str, str]:
        """What the file says of itself, with lower-case names."""
        said = {**self._container.metadata, **self._stream.metadata}
        return {name.lower(): value for name, value in said.items()}

    def close(self) -> None:
        self._container.close()
        # The generator holds this object and this object the generator: parted here, so that all that FFmpeg
        # holds goes now, not at some collection.
        self._frames = iter(())

    # -- opening
    def _open(self, path: str, stated: float | None, within: float, live: bool) -> Demuxer:
        inflow = self._inflow
        if inflow is None:
            sniffed = sniff(path)
            self._container = open_whole(path, sniffed.demuxer, within)
        else:
            sniffed = self._enter(inflow, live)
            self._container = open_growing(inflow, sniffed)
        with contextlib.ExitStack() as undo:
            undo.callback(self._container.close)
            self._stream = sound_of(self._container)
            undo.pop_all()
        own = None if live else own_length(self._container, self._stream, sniffed)
        if live:
            self._stated = None
        else:
            self._stated = own if stated is None and inflow is None else stated
        # While it grows FFmpeg may not jump, so that what it tells stands at the start: the whole length or,
        # of fragments, the first one's. Nothing but «it is shorter still» follows from that.
        self._promised = own if self._stated is None else self._stated
        return sniffed.demuxer

    def _begin(self, offset: float, deadline: float) -> None:
        self._base = float(self._stream.time_base or 0)
        self._first = (self._stream.start_time or 0) * self._base
        self._bad = 0
        self._decoded = 0
        self._to_drop = 0
        self._skip_to: float | None = None
        self._go_to(offset)
        self._reach(deadline)

    def _enter(self, inflow: Inflow, live: bool) -> Sniffed:
        """Find out what it is, and stand where FFmpeg shall begin to read."""
        start = inflow.find_start() if live else 0
        self._late = start > 0
        sniffed = sniff_growing(inflow, start)
        inflow.seek(sniffed.start if start else 0)
        return sniffed

    def _blame_inflow(self) -> None:
        """Nothing can be decoded of what has not come, or has gone: then that is what is wrong."""
        if self._failed:
            raise TrackError(TrackTrouble.CUT_SHORT, "the rest of it does not come")
        if self._late:
            raise TrackError(TrackTrouble.CUT_SHORT, "it can be entered at its beginning alone")

    # -- inside
    def _go_to(self, second: float) -> None:
        """Let ``read`` go on from here; behind what has been decoded already, or at the very beginning."""
        self._wanted = self._first + second  #: on the stream's own clock; what comes before is dropped
        self._exact = second <= 0
        self._resampler = Resampler()
        self._left.clear()
        start = self._wanted - _RUN_UP
        if start > self._first:
            on_foot = self._inflow is not None and not self._inflow.jumps
            if on_foot or (self._demuxer is Demuxer.MP3 and start < self._first + _WALK):
                self._skip_to = start
                self._stream.codec_context.flush_buffers()
            else:
                self._jump(start)
        self._frames = self._decode(self._packets())

    def _jump(self, start: float) -> None:
        try:
            self._container.seek(int(start / self._base), stream=self._stream)
        except av.FFmpegError:  # it has no index that can be used
            self._skip_to = start

    def _skip(self, span: Span) -> None:
        """``position`` is at the start of this span, and is to be at its end."""
        length = span.end - self.position
        if self._stated is not None and span.end >= self._stated:
            self._left.clear()
            self._frames = iter(())
            self.over = True
        elif self.over or length <= _DROP_UP_TO:
            drop = pcm.size(length)
            self._to_drop += drop - len(self._left[:drop])
            del self._left[:drop]
        else:
            self._go_to(span.end)
        self.position = span.end

    # -- decoding
    def _reach(self, deadline: float) -> None:
        """Decode until there is something to read."""
        while not self._left and not self.over:
            self._step()
            waited = 0.0 if self._inflow is None else self._inflow.waited
            if time.monotonic() - waited > deadline:
                raise TrackError(TrackTrouble.BROKEN, "it takes too long to open")
        if not self._decoded and (self._bad or self._wanted <= self._first or self._failed):
            raise TrackError(TrackTrouble.BROKEN, "nothing in it can be decoded")

    @property
    def _failed(self) -> bool:
        return self._inflow is not None and self._inflow.failure is not None

    def _step(self) -> None:
        """Take one more frame, or a packet in which there is none."""
        try:
            for frame in self._frames:
                if frame is not None:
                    self._append(frame)
                return
            self._append(None)
        except UNDECODABLE:
            self._bad = _BAD_IN_A_ROW
        self.over = True
        if self._failed or self._is_short():
            self.trouble = TrackTrouble.CUT_SHORT
        elif self._bad >= _BAD_IN_A_ROW:
            self.trouble = TrackTrouble.BROKEN

    def _is_short(self) -> bool:
        if self._promised is None:
            return False
        missing = self._promised - self.position - pcm.seconds(len(self._left))
        return missing > max(_SHORT_BY, _SHORT_SHARE * self._promised)

    def _packets(self) -> Iterator[Packet[Stream]]:
        """To the end, or until too many are bad."""
        packets = self._container.demux()
        while self._bad < _BAD_IN_A_ROW:
            try:
                yield next(packets)
            except (StopIteration, IndexError):
                # PyAV 18.1 stumbles at the end of a transport stream in which another stream has turned up.
                return
            except (av.FFmpegError, ValueError):
                self._bad += 1
                packets = self._container.demux()

    def _is_early(self, packet: Packet[Stream]) -> bool:
        """Whether this packet may be skipped on the way to the wanted place."""
        if self._skip_to is None or packet.pts is None or packet.pts * self._base >= self._skip_to:
            self._skip_to = None
            return False
        return True

    def _decode(self, packets: Iterator[Packet[Stream]]) -> Iterator[AudioFrame | None]:
        """What is in the packets; None, as a moment to look at the clock, for those with nothing for us."""
        for packet in packets:
            if packet.stream is not self._stream or self._is_early(packet):
                yield None
                continue
            try:
                frames = self._stream.decode(packet)
            except (av.FFmpegError, ValueError):
                self._bad += 1
                continue
            if frames:
                self._bad = 0
            yield from frames or (None,)

    def _append(self, frame: AudioFrame | None) -> None:
        """Resample this frame, or at the end what is left in the resampler."""
        if frame is not None:
            self._decoded += 1
            if not self._exact and not self._reaches(frame):
                return
            frame.pts = None
        sound = self._resampler.rest() if frame is None else self._resampler.resample(frame)
        dropped = min(self._to_drop, len(sound))
        self._to_drop -= dropped
        self._left += sound[dropped:]

    def _reaches(self, frame: AudioFrame) -> bool:
        """Whether the wanted sample is in this frame or behind it; then it is known how much to drop."""
        start = self._wanted if frame.pts is None else frame.pts * float(frame.time_base or self._base)
        if start + frame.samples / frame.sample_rate <= self._wanted:
            return False
        self._to_drop = pcm.size(max(0.0, self._wanted - start))
        self._exact = True
        return True
