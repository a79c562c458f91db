"""Sound files for the tests: tones of any format, and all kinds of wrecks."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

#: name: (suffix, container, codec, rate, sample format)
FORMATS = {
    "mp3": (".mp3", "mp3", "libmp3lame", 44100, "s16p"),
    "mp3-without-index": (".mp3", "mp3", "libmp3lame", 44100, "s16p"),
    "m4a": (".m4a", "ipod", "aac", 44100, "fltp"),
    "aac": (".aac", "adts", "aac", 44100, "fltp"),
    "ogg-opus": (".opus", "ogg", "libopus", 48000, "s16"),
    "ogg-vorbis": (".ogg", "ogg", "vorbis", 44100, "fltp"),
    "webm": (".webm", "webm", "libopus", 48000, "s16"),
    "flac": (".flac", "flac", "flac", 44100, "s16"),
    "wav": (".wav", "wav", "pcm_s16le", 44100, "s16"),
}
Signal = NDArray[np.float64]


def tone(hz: float, length: float, rate: int, level: float = 0.4) -> Signal:
    return level * np.sin(2 * np.pi * hz * np.arange(round(length * rate)) / rate)


def chirp(length: float, rate: int, level: float = 0.4) -> Signal:
    """200 Hz to 3 kHz: no two moments are alike."""
    time = np.arange(round(length * rate)) / rate
    return level * np.sin(2 * np.pi * (200 * time + (2800 / length) * time**2 / 2))


def encode(path: Path, kind: str, signal: Signal, rate: int, channels: int = 2, kbps: int = 128) -> Path:
    """Write the signal, the same on each channel, in one of FORMATS."""
    _, container_name, codec, codec_rate, sample_format = FORMATS[kind]
    assert rate == codec_rate
    options = {"write_xing": "0"} if kind == "mp3-without-index" else {}
    layout = {1: "mono", 2: "stereo"}[channels]
    with av.open(str(path), "w", format=container_name, options=options) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.layout = layout
        stream.bit_rate = 1000 * kbps
        if codec == "vorbis":
            stream.codec_context.options = {"strict": "experimental"}
        samples = np.repeat((signal * 32767).astype(np.int16), channels).reshape(1, -1)
        resampler = av.AudioResampler(sample_format, layout, rate)
        size = stream.codec_context.frame_size or 4096
        fifo = av.AudioFifo()
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout=layout)
        frame.sample_rate = rate
        frame.pts = 0
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            fifo.write(part)
        while (piece := fifo.read(size, partial=True)) is not None:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


def make(folder: Path, kind: str, signal: str, hz: float = 440, length: float = 3.0) -> Path:
    """A "tone" or a "chirp" in one of FORMATS."""
    suffix, *_, rate, _ = FORMATS[kind]
    sound = tone(hz, length, rate) if signal == "tone" else chirp(length, rate)
    return encode(folder / f"{signal}-{hz:g}-{length:g}-{kind}{suffix}", kind, sound, rate)
