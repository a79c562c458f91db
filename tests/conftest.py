"""The backends that tests marked ``anyio`` run on; a folder overrides ``anyio_backend`` to choose."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Mapping

import pytest
import trio.testing

Backend = tuple[str, Mapping[str, object]]


class JumpingLoop(asyncio.SelectorEventLoop):
    """Its clock jumps to the next timer when nothing is left to do: trio's MockClock for asyncio.

    Only for tests without sockets, threads or children: it would not wait for those.
    """

    def __init__(self) -> None:
        super().__init__(_JumpingSelector(self))
        self.jumped = 0.0

    def time(self) -> float:
        return self.jumped


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self, loop: JumpingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout > 0:
            self._loop.jumped += timeout
            timeout = 0
        return super().select(timeout)


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
