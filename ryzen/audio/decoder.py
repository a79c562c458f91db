"""One track as 48 kHz mono s16le, from any second on, a slice at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from ryzen.audio import pcm
from ryzen.audio.sniff import Demuxer, Sniffed, sniff
from ryzen.errors import TrackError, TrackTrouble

_PCM: Final = ("u8", "s16le", "s24le", "s32le", "f32le", "f64le", "alaw", "mulaw")
_DECODERS: Final = frozenset(
    {"mp3float", "mp3", "aac", "alac", "flac", "opus", "vorbis"} | {f"pcm_{kind}" for kind in _PCM}
)
#: Given to FFmpeg, so that it opens neither another file nor the decoder of a picture or a film.
_OPTIONS: Final = {"protocol_whitelist": "file", "codec_whitelist": ",".join(sorted(_DECODERS))}

#: A WAV says all in its header; by default FFmpeg 8 reads 5 MB of it all the same.
_WAV_OPTIONS: Final = _OPTIONS | {"probesize": "32768"}
#: Decoded before the wanted sample and thrown away: Opus needs 80 ms to settle, MP3 half a dozen frames.
_RUN_UP = 0.3
#: MP3 is searched packet by packet up to this offset: FFmpeg 8's jump to a place in it is a frame or two off.
_WALK = 1800.0
#: For one packet, in seconds: a disk that hangs must not hang the worker.
_READ_WITHIN = 1.0
#: Bad packets, one behind the other, after which a file is given up: 2.6 s of MP3.
_BAD_IN_A_ROW = 100
#: Shorter than stated by more than this (seconds, and share of the length): it was cut short.
_SHORT_BY, _SHORT_SHARE = 2.0, 0.02

_Undecodable = (av.FFmpegError, ValueError, ArithmeticError, MemoryError)


class Decoder:
    """Not for two threads at once, but it may be opened in one and read in another."""

    def __init__(self, path: str, offset: float, stated: float | None, within: float) -> None:
        """Opens the file and finds the place; ``stated`` is the length its source tells, in seconds.

        Raises TrackError, also if ``within`` seconds do not suffice.
        """
        self.over = False  #: all of it has been decoded; ``read`` still gives what is left
        self.trouble: TrackTrouble | None = None  #: once over: it should not have ended like this
        self.position = offset  #: of what ``read`` gives next, in seconds
        self._left = bytearray()
        deadline = time.monotonic() + within
        sniffed = sniff(path)
        self._container = _open(path, sniffed.demuxer, within)
        try:
            self._stream = _sound_of(self._container)
            self._stated = _length(self._container, self._stream, sniffed, stated)
            self._base = float(self._stream.time_base or 0)
            self._first = (self._stream.start_time or 0) * self._base
            self._wanted = self._first + offset  #: on the stream's own clock; what comes before is dropped
            self._exact = offset <= 0
            self._resampler = _resampler()
            self._bad = 0
            self._decoded = 0
            self._to_drop = 0
            self._skip_to: float | None = None
            self._frames = self._decode(self._packets(sniffed.demuxer))
            self._reach(deadline)
        except _Undecodable as error:
            self.close()
            raise TrackError(TrackTrouble.BROKEN, _reason(error)) from error
        except TrackError:
            self.close()
            raise

    def read(self, size: int, until: float) -> bytes:
        """The next ``size`` bytes; fewer at the end, or at the moment ``until`` (``time.monotonic``)."""
        while len(self._left) < size and not self.over and time.monotonic() < until:
            self._step()
        taken = bytes(self._left[:size])
        del self._left[:size]
        self.position += pcm.seconds(len(taken))
        return taken

    @property
    def spent(self) -> bool:
        """Over, and all of it has been read."""
        return self.over and not self._left

    def close(self) -> None:
        self._container.close()
        # The generator holds this object and this object the generator: parted here, so that the threads of
        # FFmpeg's resampler (PyAV 18.1: two each, 16 MB of address space) end now, not at some collection.
        self._frames = iter(())

    # -- inside
    def _reach(self, deadline: float) -> None:
        """Decode until there is something to read."""
        while not self._left and not self.over:
            self._step()
            if time.monotonic() > deadline:
                raise TrackError(TrackTrouble.BROKEN, "it takes too long to open")
        if not self._decoded and (self._bad or self._wanted <= self._first):
            raise TrackError(TrackTrouble.BROKEN, "nothing in it can be decoded")

    def _step(self) -> None:
        """Take one more frame, or a packet in which there is none."""
        try:
            for frame in self._frames:
                if frame is not None:
                    self._append(frame)
                return
            self._append(None)
        except _Undecodable:
            self._bad = _BAD_IN_A_ROW
        self.over = True
        if self._is_short():
            self.trouble = TrackTrouble.CUT_SHORT
        elif self._bad >= _BAD_IN_A_ROW:
            self.trouble = TrackTrouble.BROKEN

    def _is_short(self) -> bool:
        if self._stated is None:
            return False
        missing = self._stated - self.position - pcm.seconds(len(self._left))
        return missing > max(_SHORT_BY, _SHORT_SHARE * self._stated)

    def _packets(self, demuxer: Demuxer) -> Iterator[Packet[Stream]]:
        """To the end, or until too many are bad."""
        start = self._wanted - _RUN_UP
        if start > self._first:
            if demuxer is Demuxer.MP3 and start < self._first + _WALK:
                self._skip_to = start
            else:
                self._jump(start)
        packets = self._container.demux()
        while self._bad < _BAD_IN_A_ROW:
            try:
                yield next(packets)
            except StopIteration:
                return
            except (av.FFmpegError, ValueError):
                self._bad += 1
                packets = self._container.demux()

    def _jump(self, start: float) -> None:
        try:
            self._container.seek(int(start / self._base), stream=self._stream)
        except av.FFmpegError:  # it has no index that can be used
            self._skip_to = start

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
        try:
            resampled = self._resampler.resample(frame)
        except ValueError:  # rate or channels have changed in mid-stream
            self._resampler = _resampler()
            resampled = self._resampler.resample(frame)
        for part in resampled:
            data = bytes(part.planes[0])[: part.samples * pcm.SAMPLE]
            dropped = min(self._to_drop, len(data))
            self._to_drop -= dropped
            self._left += data[dropped:]

    def _reaches(self, frame: AudioFrame) -> bool:
        """Whether the wanted sample is in this frame or behind it; then it is known how much to drop."""
        start = self._wanted if frame.pts is None else frame.pts * float(frame.time_base or self._base)
        if start + frame.samples / frame.sample_rate <= self._wanted:
            return False
        self._to_drop = pcm.size(max(0.0, self._wanted - start))
        self._exact = True
        return True


def _open(path: str, demuxer: Demuxer, within: float) -> InputContainer:
    try:
        return av.open(
            f"file:{path}",
            format=demuxer.value,
            container_options=_WAV_OPTIONS if demuxer is Demuxer.WAV else _OPTIONS,
            metadata_errors="ignore",
            timeout=(within, _READ_WITHIN),
        )
    except _Undecodable as error:
        raise TrackError(TrackTrouble.BROKEN, _reason(error)) from error


def _sound_of(container: InputContainer) -> AudioStream:
    for stream in container.streams.audio:
        if stream.codec_context is not None and stream.codec_context.name in _DECODERS:
            stream.codec_context.thread_count = 1
            return stream
    raise TrackError(TrackTrouble.UNSUPPORTED, "no sound in it that we can decode")


def _length(
    container: InputContainer, stream: AudioStream, sniffed: Sniffed, stated: float | None
) -> float | None:
    """Seconds that there should be, by the source's word or by the file's own; None if nobody knows."""
    own = None
    if stream.duration is not None and stream.time_base is not None:
        own = float(stream.duration * stream.time_base)
    elif container.duration is not None and len(container.streams) == 1:
        own = container.duration / av.time_base
    if stated is not None:
        return stated
    return own / sniffed.share if sniffed.measured and own is not None else None


def _resampler() -> AudioResampler:
    return AudioResampler(format="s16", layout="mono", rate=pcm.RATE)


def _reason(error: Exception) -> str:
    """Without the path, which FFmpeg's errors tell in their text."""
    return str(error.strerror) if isinstance(error, av.FFmpegError) else str(error)
