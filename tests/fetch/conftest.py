"""On asyncio, which aiohttp needs."""

from collections.abc import AsyncIterator

import pytest
from fetch_stage import Authority, Stage


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority that nobody else knows; made once, for it costs half a second."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def stage(authority: Authority) -> AsyncIterator[Stage]:
    async with Stage(authority) as stage:
        yield stage
