"""How much louder or softer a file must be played to be as loud as the others (EBU R 128).

It takes a second and more, so it is done in a process of its own, of which nobody is to feel anything.
"""

from __future__ import annotations

import math
import os
import resource
import socket
import threading
from collections.abc import Mapping

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.filter import Graph
from av.filter.context import FilterContext

from ryzen.audio import pcm, wire
from ryzen.audio.decoder import Decoder
from ryzen.audio.wire import Measured
from ryzen.errors import TrackError

#: In LUFS: what YouTube and others hold loud music to is -14, broadcasting -23; phones in a chat are between.
TARGET = -16.0
#: More than this is not made good, in dB: it is soft on purpose, or no music.
LARGEST = 12.0
#: What the loudest peak between two samples may come to, in dB below full scale.
_CEILING = -1.0
#: What the filter calls silence.
_SILENCE = -69.9
#: Tags tell the gain towards their own targets: R128_* -23 LUFS in 256ths of a dB (RFC 7845), ReplayGain 2.0
#: -18 LUFS in dB, and so does Apple's Sound Check, in another notation.
_R128_TARGET, _REPLAY_GAIN_TARGET = -23.0, -18.0

#: So much is measured, in seconds; what comes behind two hours is taken to be alike.
_ENOUGH = 2 * 3600.0
_PIECE = pcm.size(2.0)
_OPEN_WITHIN = 8.0
#: For all of it: processor time in seconds, and bytes.
_CPU, _MEMORY = 120, 512 << 20
_NICE = 19


def run(sock: socket.socket, path: str) -> None:
    """The life of a measuring process: the answer goes to the socket; when that is closed it is unwanted."""
    os.nice(_NICE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU, _CPU))
    threading.Thread(target=_end_with, args=(sock,), daemon=True).start()
    wire.send(sock, Measured(find_gain(path)))


def _end_with(sock: socket.socket) -> None:
    sock.recv(1)  # nothing is ever sent this way
    os._exit(0)


def find_gain(path: str) -> float | None:
    """In dB, towards TARGET: by its tags, or measured. None if there is nothing to be heard in it."""
    try:
        decoder = Decoder(path, 0.0, None, _OPEN_WITHIN)
    except TrackError:
        return None
    try:
        gain = tagged(decoder.metadata)
        return measured(decoder) if gain is None else gain
    finally:
        decoder.close()


def tagged(metadata: Mapping[str, str]) -> float | None:
    """What the file's own tags (names in lower case) say; None if they say nothing, or nonsense."""
    gain = None
    if (r128 := _number(metadata.get("r128_track_gain"))) is not None:
        gain = r128 / 256 + TARGET - _R128_TARGET
    elif (replay := _number(metadata.get("replaygain_track_gain"))) is not None:
        gain = replay + TARGET - _REPLAY_GAIN_TARGET
    elif (check := _sound_check(metadata.get("itunnorm"))) is not None:
        gain = check + TARGET - _REPLAY_GAIN_TARGET
    return None if gain is None else _limited(gain, _number(metadata.get("replaygain_track_peak")))


def measured(decoder: Decoder) -> float | None:
    """By hearing it through to the end, as it will be played: mixed to one channel, on both ears."""
    graph = Graph()
    graph.threads = 1
    source = graph.add(
        "abuffer",
        sample_rate=str(pcm.RATE),
        sample_fmt="s16",
        channel_layout="mono",
        time_base=f"1/{pcm.RATE}",
    )
    meter, sink = graph.add("ebur128", "metadata=1:dualmono=1:peak=true"), graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    said: dict[str, str] = {}
    while not decoder.spent and decoder.position < _ENOUGH:
        if sound := decoder.read(_PIECE, float("inf")):
            source.push(_frame(sound))
            said = _last_said(sink) or said
    loudness = _number(said.get("lavfi.r128.I"))
    if loudness is None or loudness <= _SILENCE:
        return None
    return _limited(TARGET - loudness, _number(said.get("lavfi.r128.true_peak")))


def _frame(sound: bytes) -> AudioFrame:
    frame = AudioFrame.from_ndarray(np.frombuffer(sound, "<i2").reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = pcm.RATE
    return frame


def _last_said(sink: FilterContext) -> dict[str, str]:
    """Metadata of the last frame that comes out now: the filter tells the loudness of all so far."""
    said: dict[str, str] = {}
    while True:
        try:
            said = sink.pull().metadata or said
        except (av.BlockingIOError, av.EOFError):
            return said


def _limited(gain: float, peak: float | None) -> float:
    """``peak`` is a share of full scale."""
    if peak is not None and peak > 0:
        gain = min(gain, _CEILING - 20 * math.log10(peak))
    return min(LARGEST, max(-LARGEST, gain))


def _number(text: str | None) -> float | None:
    """The number that a tag begins with; a unit may follow."""
    words = (text or "").split()
    try:
        number = float(words[0]) if words else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _sound_check(text: str | None) -> float | None:
    """Apple's ten hexadecimal numbers; of the first two the louder channel's counts, in mW per 1000."""
    try:
        loudest = max(int(word, 16) for word in (text or "").split()[:2])
    except ValueError:
        return None
    return -10 * math.log10(loudest / 1000) if loudest > 0 else None
