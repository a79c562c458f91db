"""One piece of work for everyone who wants the same thing at the same time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

import anyio
import attrs
from anyio.abc import TaskGroup

from ryzen.errors import RyzenError

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")


@attrs.define(eq=False)
class _Flight(Generic[R]):
    landed: anyio.Event = attrs.Factory(anyio.Event)
    result: R | None = None
    error: RyzenError | None = None


class Flights(Generic[K, R]):
    """``join(key, work)``: the first who comes starts the work, the others wait for the same result.

    The work runs in ``tasks`` and is not cancelled when one who waits goes away. A RyzenError is raised to
    everyone who waits; any other exception crashes ``tasks``. Nothing is kept after the landing.
    """

    def __init__(self, tasks: TaskGroup) -> None:
        self._tasks = tasks
        self._under_way: dict[K, _Flight[R]] = {}

    async def join(self, key: K, work: Callable[[], Awaitable[R]]) -> R:
        flight = self._under_way.get(key)
        if flight is None:
            flight = self._under_way[key] = _Flight()
            self._tasks.start_soon(self._fly, key, flight, work)
        await flight.landed.wait()
        if flight.error is not None:
            raise flight.error
        result: R = flight.result  # type: ignore[assignment]  # None only if R has it
        return result

    async def _fly(self, key: K, flight: _Flight[R], work: Callable[[], Awaitable[R]]) -> None:
        try:
            flight.result = await work()
        except RyzenError as error:
            flight.error = error
        finally:
            del self._under_way[key]
            flight.landed.set()
