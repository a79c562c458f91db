"""Sound files that grow while they are played, and some formats in which sound comes from the net."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import av
import numpy as np

from ryzen.audio.decoder import Decoder
from ryzen.audio.inflow import Inflow
from ryzen.growing import GrowingWriter

#: name: (container, options) for what is muxed anew from the packets of a plain AAC file.
NET_FORMATS = {
    "mp4-index-first": ("mp4", {"movflags": "faststart"}),
    "mp4-fragments": (
        "mp4",
        {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "500000"},
    ),
    "mp4-dash": ("mp4", {"movflags": "dash+global_sidx+frag_keyframe", "frag_duration": "500000"}),
    "ts": ("mpegts", {}),
}


def remux(source: str, kind: str, target: Path) -> Path:
    """The same packets of sound in one of NET_FORMATS."""
    container, options = NET_FORMATS[kind]
    with av.open(source) as old, av.open(str(target), "w", format=container, options=options) as new:
        stream = new.add_stream_from_template(old.streams.audio[0])
        for packet in old.demux(old.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                new.mux(packet)
    return target


class Growth:
    """A file that grows as far, or as fast, as a test says."""

    def __init__(self, path: Path, data: bytes, total: bool = True) -> None:
        self.path, self.data = path, data
        self.writer = GrowingWriter(path, len(data) if total else None)
        self.size = 0  #: bytes that are there
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()

    def grow_to(self, size: int) -> None:
        self.writer.write(self.data[self.size : size])
        self.size = self.writer.size

    def share(self, share: float) -> None:
        """Grow up to this part of it."""
        self.grow_to(round(share * len(self.data)))

    def flow(self, rate: float, piece: int = 2048) -> None:
        """Let the rest come at so many bytes a second, and finish."""

        def run() -> None:
            begun, start = time.monotonic(), self.size
            while self.size < len(self.data) and not self._ended.is_set():
                self.grow_to(self.size + piece)
                due = begun + (self.size - start) / rate
                self._ended.wait(max(0.0, due - time.monotonic()))
            if self.size == len(self.data):
                self.writer.finish()

        self._thread = threading.Thread(target=run)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        self.writer.fail()


def no_rest(_: bool) -> None:
    """For an inflow in whose waiting nobody is interested."""


def open_growth(growth: Growth, offset: float = 0.0, stated: float | None = None, **more: object) -> Decoder:
    """What ``Ahead`` opens, in this very thread."""
    inflow = Inflow(str(growth.path), no_rest)
    try:
        return Decoder(str(growth.path), offset, stated, 5.0, inflow=inflow, **more)  # type: ignore[arg-type]
    except BaseException:
        inflow.close()
        raise


def drain(decoder: Decoder) -> np.ndarray:
    """All samples up to the end; the decoder is closed."""
    sound = bytearray()
    while not decoder.spent:
        sound += decoder.read(96_000, float("inf"))
    decoder.close()
    if decoder._inflow is not None:
        decoder._inflow.close()
    return np.frombuffer(sound, np.int16).astype(np.float64)
