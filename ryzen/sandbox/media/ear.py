"""What was heard of one caller: counted as it comes, decoded when somebody asks."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

import attrs
import av
import numpy as np
import numpy.typing as npt

from ryzen.sandbox.media.offer import RATE
from ryzen.sandbox.media.rtp import Count

#: Seconds of packets that are remembered: 40 kB a caller, and 1 MB once they have been decoded.
MEMORY = 10.0
#: Packets that are remembered, however short they are.
PACKETS = 1000
#: RMS above which a packet is sound (full scale is 1).
AUDIBLE = 0.01
#: Hz within which two tones are the same.
SAME = 10.0

Samples = npt.NDArray[np.int16]


@attrs.frozen
class Heard:
    """One window of time: ``hz`` is the dominant tone (0 in silence), ``share`` the part of the energy within
    10 Hz of it, ``rms`` the level of what came (full scale is 1), ``packets`` and ``lost`` count RTP packets,
    ``gap`` is the longest time without one, in seconds.
    """

    hz: float = 0.0
    share: float = 0.0
    rms: float = 0.0
    packets: int = 0
    lost: int = 0
    gap: float = 0.0


@attrs.define(eq=False)
class _Packet:
    at: float
    number: int
    opus: bytes
    samples: Samples | None = None
    tone: Heard | None = None


class Ear:
    """Packets in, in the order of their arrival; answers about the last ten seconds out.

    Moments are seconds of one steady clock. Until the first sound each packet is decoded as it comes, so that
    ``first_sound_at`` is known; after that, what nobody asks about within ten seconds is never decoded.
    """

    def __init__(self) -> None:
        self.count = Count()
        self.first_at: float | None = None
        self.last_at: float | None = None
        self.first_sound_at: float | None = None
        self.undecodable = 0
        self._packets: deque[_Packet] = deque(maxlen=PACKETS)
        # One channel: libopus mixes a stereo packet down, at no cost.
        self._decoder = av.AudioCodecContext.create("libopus", "r")
        self._decoder.sample_rate, self._decoder.layout = RATE, "mono"

    def take(self, sequence: int, opus: bytes, at: float) -> None:
        """Hear a packet. It must not be a repetition (SRTP refuses those)."""
        packet = _Packet(at, self.count.take(sequence), opus)
        self._packets.append(packet)
        while self._packets[0].at < at - MEMORY:
            self._packets.popleft()
        self.last_at = at
        if self.first_at is None:
            self.first_at = at
        if self.first_sound_at is None and self._tone(packet).rms > AUDIBLE:
            self.first_sound_at = at

    def hears(self, since: float, until: float) -> Heard:
        """What came in [since, until]; it reaches back at most ten seconds before the last packet."""
        window: list[_Packet] = []
        base: int | None = None  # the number from which on none may be missing
        for packet in self._packets:
            if packet.at < since:
                base = packet.number if base is None else max(base, packet.number)
            elif packet.at <= until:
                window.append(packet)
        if not window:
            return Heard(gap=until - since)
        numbers = {packet.number for packet in window}
        if base is None:
            base = min(numbers)
        lost = max(0, max(numbers) - base - sum(number > base for number in numbers))
        start = since if self.first_at is None else max(since, self.first_at)
        moments = [start, *(packet.at for packet in window), until]
        gap = max(later - earlier for earlier, later in pairwise(moments))
        sound = _dominant(np.concatenate([self._samples(packet) for packet in window]))
        return attrs.evolve(sound, packets=len(window), lost=lost, gap=gap)

    def heard_at(self, hz: float, since: float) -> float | None:
        """When the first packet came in which this tone is the loudest; None if it has not."""
        return next((at for at, heard in self._tones(since) if abs(heard - hz) <= SAME), None)

    def tone_changed_at(self, since: float) -> float | None:
        """When the first sound came whose tone is not the last one from before ``since``; None if none has.

        If there was none before, that is the first sound of all. Silence is no tone.
        """
        old: float | None = None
        for at, hz in self._tones(0.0):
            if at < since:
                old = hz
            elif old is None or abs(hz - old) > SAME:
                return at
        return None

    def _tones(self, since: float) -> Iterator[tuple[float, float]]:
        """(arrival, loudest tone) of each audible packet."""
        for packet in self._packets:
            if packet.at >= since and (tone := self._tone(packet)).rms > AUDIBLE:
                yield packet.at, tone.hz

    def _tone(self, packet: _Packet) -> Heard:
        if packet.tone is None:
            packet.tone = _dominant(self._samples(packet))
        return packet.tone

    def _samples(self, packet: _Packet) -> Samples:
        if packet.samples is None:
            # The decoder remembers the packet before, so they are decoded in their order, none twice.
            for earlier in self._packets:
                if earlier.samples is None:
                    earlier.samples = self._decode(earlier.opus)
                if earlier is packet:
                    break
        assert packet.samples is not None
        return packet.samples

    def _decode(self, opus: bytes) -> Samples:
        try:
            # An empty packet would tell FFmpeg that this is the end, and it would take no more.
            frames = self._decoder.decode(av.Packet(opus)) if opus else []
        except av.FFmpegError:
            frames = []
        if not frames:
            self.undecodable += 1
            return np.zeros(0, np.int16)
        return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames]).astype(
            np.int16, copy=False
        )


def _dominant(samples: Samples) -> Heard:
    """The loudest tone of some 48 kHz mono samples, interpolated between the bins of the FFT."""
    if len(samples) < 3:
        return Heard()
    wave = samples.astype(np.float32) / 32768
    rms = float(np.sqrt(np.mean(wave**2)))
    power = np.abs(np.fft.rfft(wave * _window(len(wave)))) ** 2
    energy = float(power.sum())
    if not energy > 0:
        return Heard(rms=rms)
    bin_hz = RATE / len(wave)
    top = int(power.argmax())
    hz = (top + _lean(power, top)) * bin_hz
    near = np.abs(np.arange(len(power)) * bin_hz - hz) <= SAME
    return Heard(hz=hz, share=float(power[near].sum()) / energy, rms=rms)


@lru_cache(maxsize=32)
def _window(length: int) -> npt.NDArray[np.float32]:
    return np.hanning(length).astype(np.float32)


def _lean(power: npt.NDArray[np.floating], top: int) -> float:
    """How far the true peak lies from its bin, -0.5 to 0.5, by a parabola through the logarithms."""
    if not 0 < top < len(power) - 1 or not power[top - 1 : top + 2].all():
        return 0.0
    left, middle, right = (float(value) for value in np.log(power[top - 1 : top + 2]))
    bend = left - 2 * middle + right
    return 0.5 * (left - right) / bend if bend < 0 else 0.0
