"""Where a store can be: a file of SQLite's, or a database in a real mongod; and the fixtures for both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import attrs
import pytest
from mongod import Mongod

from ryzen.ports import Store
from ryzen.store import open_store


@attrs.frozen
class Place:
    """Empty at first; what is stored there outlives ``open``."""

    url: str

    def open(self, *, shared: bool = False) -> AbstractAsyncContextManager[Store]:
        return open_store(self.url, shared=True) if shared else open_store(self.url)


def sqlite_place(folder: Path, name: str = "ryzen.sqlite3") -> Place:
    return Place(f"sqlite:///{folder / name}")


def mongo_place(mongod: Mongod) -> Place:
    return Place(mongod.url())


@pytest.fixture
def anyio_backend() -> str:
    """motor knows asyncio alone."""
    return "asyncio"


@pytest.fixture(params=["sqlite", "mongo"])
def place(request: pytest.FixtureRequest) -> Place:
    """Each back end; for a file, no server is started."""
    if request.param == "sqlite":
        return sqlite_place(request.getfixturevalue("tmp_path"))
    return mongo_place(request.getfixturevalue("mongod"))


@pytest.fixture
async def store(place: Place) -> AsyncIterator[Store]:
    async with place.open() as opened:
        yield opened
