"""The backends that tests marked ``anyio`` run on; a folder overrides ``anyio_backend`` to choose."""

from __future__ import annotations

from collections.abc import Mapping

import hypothesis
import signal

import pytest
import trio.testing

# A shell which starts us in the background has SIGINT ignored, and so would have every program that we start.
signal.signal(signal.SIGINT, signal.default_int_handler)
from clocks import JumpingLoop

# How long an example takes says something of the machine, not of the code.
hypothesis.settings.register_profile(
    "ryzen", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("ryzen")

Backend = tuple[str, Mapping[str, object]]


def trio_backend() -> Backend:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> Backend:
    """asyncio in real time, and trio with a jumping clock."""
    return trio_backend() if request.param == "trio" else ("asyncio", {})


@pytest.fixture(params=["asyncio", "trio"])
def jumping_backend(request: pytest.FixtureRequest) -> Backend:
    """asyncio and trio, both with a jumping clock: an hour takes no time."""
    return trio_backend() if request.param == "trio" else ("asyncio", {"loop_factory": JumpingLoop})
