"""A stand-in for the voice engine's file reader, and ears for what it reads."""

from __future__ import annotations

import os
import threading
import time

import numpy as np

CHUNK = 9600
RATE = 48_000
#: Chunks that are read at once when the reader is late.
_MADE_UP = 10


class FakeReader:
    """Reads as ntgcalls 3.0.5 does (`file_reader.cpp`): opens the path, seeks back to its own multiple
    of 9600 bytes, takes so many through a buffer which leaves the offset up to a page too far, and does
    so every 100 ms. A thread, as the engine's; ``pace`` shortens the 100 ms where time is no matter.

    A thread that got no processor makes up for it, but for a second of sound at the most: less than the lead
    of the tests. A pause is nothing to make up for.
    """

    def __init__(self, path: str, pace: float = 0.1) -> None:
        self._file = os.open(path, os.O_RDONLY)
        self._pace = pace
        self._lock = threading.Lock()
        self._heard = bytearray()
        self._running = threading.Event()
        self._running.set()
        self._ended = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        chunks = 0
        due = time.monotonic()
        while not self._ended:
            if not self._running.is_set():
                self._running.wait()
                due = time.monotonic()
            os.lseek(self._file, chunks * CHUNK, os.SEEK_SET)
            data = os.read(self._file, CHUNK)
            os.lseek(self._file, (chunks + 1) * CHUNK + (chunks * 1709) % 4096, os.SEEK_SET)
            with self._lock:
                self._heard += data
            chunks += 1
            due = max(due + self._pace, time.monotonic() - _MADE_UP * self._pace)
            time.sleep(max(0.0, due - time.monotonic()))

    @property
    def heard(self) -> bytes:
        with self._lock:
            return bytes(self._heard)

    @property
    def samples(self) -> np.ndarray:
        return np.frombuffer(self.heard, np.int16).astype(np.float64)

    def pause(self) -> None:
        self._running.clear()

    def resume(self) -> None:
        self._running.set()

    def close(self) -> None:
        self._ended = True
        self._running.set()
        self._thread.join()
        os.close(self._file)


def dominant(samples: np.ndarray) -> float:
    """The loudest frequency in Hz, to about one; 0 if it is silent."""
    if len(samples) < 64 or np.abs(samples).max() < 200:
        return 0.0
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 8 * RATE // 4))
    return float(np.argmax(spectrum)) * RATE / (8 * RATE // 4)


def silence_runs(samples: np.ndarray, least: float = 0.005) -> list[tuple[float, float]]:
    """(from, to) in seconds of each run of near-zero samples longer than ``least``."""
    quiet = np.abs(samples) < 20
    edges = np.flatnonzero(np.diff(np.concatenate(([0], quiet.view(np.int8), [0]))))
    return [(a / RATE, b / RATE) for a, b in edges.reshape(-1, 2) if (b - a) / RATE >= least]
