"""Real clients, the real engine, real sound: on asyncio, which they need."""

import wave
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from e2e_internet import Songs
from scene import Opener, scene, sweep

from ryzen.sandbox.internet.songs import Song, beep, record
from ryzen.sandbox.synth import RATE, Wave


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tones of 60 s, a sweep that tells the position, a short tone, and a file that is none."""
    folder = tmp_path_factory.mktemp("music")
    for hz in (440, 660, 880, 1320):
        _write(folder / f"tone {hz}.wav", _tone(hz, 60))
    for number in range(10):
        _write(folder / f"group {number + 1}.wav", _tone(500 + 100 * number, 60))
    _write(folder / "sweep.wav", sweep(60))
    _write(folder / "short.wav", _tone(1000, 3))
    broken = (folder / "tone 440.wav").read_bytes()[:44] + b"\0" * 2000
    (folder / "hollow.wav").write_bytes(broken)
    return folder


@pytest.fixture(scope="session")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Songs:
    recorded = record(
        tmp_path_factory.mktemp("songs"),
        (
            beep("LowTide_550", "Low Tide", "Shore Band", 550, 40),
            beep("HighTide990", "High Tide", "Shore Band", 990, 40),
            Song("RisingRoad1", "Rising Road", "Shore Band", partial(sweep, 12)),
        ),
    )
    return Songs(*recorded)


@pytest.fixture
def ryzen(music: Path, tmp_path: Path) -> Opener:
    """``async with ryzen(groups=2) as scene``."""
    return partial(scene, music, tmp_path / "state")


def _write(path: Path, sound: Wave) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((sound * 32767).astype(np.int16).tobytes())


def _tone(hz: float, seconds: float) -> Wave:
    at = np.arange(int(seconds * RATE)) / RATE
    return (0.35 * np.sin(2 * np.pi * hz * at)).astype(np.float32)
