from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from audio_media import make
from audio_reader import FakeReader

from ryzen.audio.client import AudioEngine, serve


@pytest.fixture
def anyio_backend() -> str:
    """What the whole bot runs on; trio has a test of its own."""
    return "asyncio"


@pytest.fixture(scope="session")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Makes a sound file, once for all tests: songs(kind, signal, hz=, length=)."""
    folder = tmp_path_factory.mktemp("songs")
    made: dict[tuple[object, ...], Path] = {}

    def song(kind: str, signal: str, hz: float = 440, length: float = 3.0) -> str:
        key = (kind, signal, hz, length)
        if key not in made:
            made[key] = make(folder, kind, signal, hz, length)
        return str(made[key])

    return song


@pytest.fixture
def open_reader() -> Iterator[Callable[..., FakeReader]]:
    readers: list[FakeReader] = []

    def attach(path: str, pace: float = 0.1) -> FakeReader:
        readers.append(FakeReader(path, pace))
        return readers[-1]

    yield attach
    for reader in readers:
        reader.close()


@pytest.fixture
async def decks() -> AsyncIterator[AudioEngine]:
    """With a long lead, so that a busy machine is not heard."""
    before = set(Path("/proc/self/fd").iterdir())
    async with serve(lead=2.0) as engine:
        yield engine
    assert set(Path("/proc/self/fd").iterdir()) <= before, "a descriptor was left behind"
