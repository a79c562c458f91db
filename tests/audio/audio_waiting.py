"""Waiting for what must come, with a limit that only a broken program meets."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import anyio
import numpy as np
from audio_reader import RATE

from ryzen.ports import Deck, SoundEvent

E = TypeVar("E", bound=SoundEvent)


async def until(condition: Callable[[], object], within: float = 15.0) -> None:
    with anyio.fail_after(within):
        while not condition():
            await anyio.sleep(0.005)


class Log:
    """What a deck has told."""

    def __init__(self) -> None:
        self.events: list[SoundEvent] = []

    def __call__(self, event: SoundEvent) -> None:
        self.events.append(event)

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    async def first(self, kind: type[E]) -> E:
        await until(lambda: self.of(kind))
        return self.of(kind)[0]


def written(path: str) -> int:
    """How much sound lies at the start of a tape that nobody reads yet, in bytes."""
    with Path(path).open("rb", buffering=0) as tape:
        return len(tape.read(20 * 96_000).rstrip(b"\0"))


async def filled(deck: Deck, seconds: float = 0.01) -> str:
    """The path of this deck's tape, once there is sound on it: no test is about who comes first."""
    path = deck.renew()
    await until(lambda: written(path) > seconds * 96_000)
    return path


def on_tape(path: str, start: float, length: float) -> np.ndarray:
    """Samples from a tape, as they lie there now."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        data = os.pread(descriptor, int(length * RATE) * 2, int(start * RATE) * 2)
    finally:
        os.close(descriptor)
    return np.frombuffer(data, np.int16).astype(np.float64)


def lag(heard: np.ndarray, signal: np.ndarray, at: float, slack: float = 0.25) -> float:
    """How many seconds off ``heard`` is from the place ``at`` seconds into the signal (48 kHz)."""
    start = round((at - slack) * RATE)
    assert start >= 0
    window = signal[start : start + len(heard) + 2 * round(slack * RATE)]
    size = 1 << (len(window) + len(heard)).bit_length()
    products = np.fft.irfft(np.fft.rfft(window, size) * np.conj(np.fft.rfft(heard, size)), size)
    best = int(np.argmax(products[: len(window) - len(heard) + 1]))
    return (start + best) / RATE - at
