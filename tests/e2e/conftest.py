"""Real clients, the real engine, real sound: on asyncio, which they need."""

import wave
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from scene import Opener, scene, sweep


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tones of 60 s, a sweep that tells the position, a short tone, and a file that is none."""
    folder = tmp_path_factory.mktemp("music")
    at = np.arange(60 * 48_000) / 48_000
    for hz in (440, 660, 880, 1320):
        _write(folder / f"tone {hz}.wav", (np.sin(2 * np.pi * hz * at) * 0.35 * 32767).astype(np.int16))
    for number in range(10):
        hz = 500 + 100 * number
        _write(
            folder / f"group {number + 1}.wav", (np.sin(2 * np.pi * hz * at) * 0.35 * 32767).astype(np.int16)
        )
    _write(folder / "sweep.wav", sweep(60))
    _write(
        folder / "short.wav", (np.sin(2 * np.pi * 1000 * at[: 3 * 48_000]) * 0.35 * 32767).astype(np.int16)
    )
    broken = (folder / "tone 440.wav").read_bytes()[:44] + b"\0" * 2000
    (folder / "hollow.wav").write_bytes(broken)
    return folder


@pytest.fixture
def ryzen(music: Path, tmp_path: Path) -> Opener:
    """``async with ryzen(groups=2) as scene``."""
    return partial(scene, music, tmp_path / "state")


def _write(path: Path, samples: np.ndarray) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(samples.tobytes())
