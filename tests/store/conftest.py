"""A proxy in front of the real mongod (``tests/conftest.py``)."""

from collections.abc import AsyncIterator

import pytest
from faults import FaultProxy, fault_proxy
from mongod import Mongod


@pytest.fixture(name="fault_proxy")
async def _fault_proxy(mongod: Mongod, anyio_backend_name: str) -> AsyncIterator[FaultProxy]:
    """In front of ``mongod``; for tests marked ``anyio``."""
    async with fault_proxy(mongod.port) as proxy:
        yield proxy
