from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from audio_growing import NET_FORMATS, Growth, remux
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
        if key not in made and kind in NET_FORMATS:
            target = folder / f"{signal}-{hz:g}-{length:g}-{kind}"
            made[key] = remux(song("m4a", signal, hz, length), kind, target)
        elif key not in made:
            made[key] = make(folder, kind, signal, hz, length)
        return str(made[key])

    return song


@pytest.fixture
def grow(tmp_path: Path) -> Iterator[Callable[..., Growth]]:
    """Makes a file that grows: grow(data, total=True)."""
    growths: list[Growth] = []

    def begin(data: bytes | str, total: bool = True) -> Growth:
        whole = Path(data).read_bytes() if isinstance(data, str) else data
        growths.append(Growth(tmp_path / f"growth-{len(growths)}", whole, total))
        return growths[-1]

    yield begin
    for growth in growths:
        growth.close()


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
