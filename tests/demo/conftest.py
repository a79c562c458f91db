"""The demo as its users have it: processes of their own, real sound, on asyncio."""

import wave
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A music folder with two tones of 60 s."""
    folder = tmp_path_factory.mktemp("tones")
    at = np.arange(60 * 48_000) / 48_000
    for hz in (440, 880):
        with wave.open(str(folder / f"tone {hz}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(48_000)
            file.writeframes((np.sin(2 * np.pi * hz * at) * 0.35 * 32767).astype(np.int16).tobytes())
    return folder
