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
class Outcome(Generic[R]):
    """What comes of work that several may wait for. What is settled stays so."""

    _landed: anyio.Event = attrs.Factory(anyio.Event)
    _result: R | None = None
    _error: RyzenError | None = None

    @property
    def settled(self) -> bool:
        return self._landed.is_set()

    def succeed(self, result: R) -> None:
        if not self.settled:
            self._result = result
            self._landed.set()

    def fail(self, error: RyzenError) -> None:
        if not self.settled:
            self._error = error
            self._landed.set()

    async def wait(self) -> R:
        await self._landed.wait()
        if self._error is not None:
            raise self._error
        result: R = self._result  # type: ignore[assignment]  # None only if R has it
        return result


class Flights(Generic[K, R]):
    """``join(key, work)``: the first who comes starts the work, the others wait for the same result.

    The work runs in ``tasks`` and is not cancelled when one who waits goes away. A RyzenError is raised to
    everyone who waits; any other exception crashes ``tasks``. Nothing is kept after the landing.
    """

    def __init__(self, tasks: TaskGroup) -> None:
        self._tasks = tasks
        self._under_way: dict[K, Outcome[R]] = {}

    async def join(self, key: K, work: Callable[[], Awaitable[R]]) -> R:
        outcome = self._under_way.get(key)
        if outcome is None:
            outcome = self._under_way[key] = Outcome()
            self._tasks.start_soon(self._fly, key, outcome, work)
        return await outcome.wait()

    async def _fly(self, key: K, outcome: Outcome[R], work: Callable[[], Awaitable[R]]) -> None:
        try:
            outcome.succeed(await work())
        except RyzenError as error:
            outcome.fail(error)
        finally:
            del self._under_way[key]
