"""A lane for each chat: its work is done one by one, and what one chat does is nobody else's business."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Awaitable, Callable, Hashable

import anyio
import attrs
from anyio.abc import TaskGroup
from loguru import logger

from ryzen.actors.health import trail


class Failure(enum.Enum):
    HUNG = enum.auto()  #: not done within the patience of the lane, and cut off
    CRASHED = enum.auto()


@attrs.frozen
class Job:
    """``name`` is for the log. ``failed`` is told of a failure, and must neither wait nor raise."""

    name: str
    work: Callable[[], Awaitable[None]]
    failed: Callable[[Failure], None]


class Lanes:
    """Lanes run in ``tasks``; one comes with its first job and goes when it is empty.

    ``capacity`` jobs may wait in a lane. ``patience`` is the seconds that a job may take.

    A lane is no actor, on purpose: it keeps no state that could have gone bad, so that backoff, give-up and
    the storm window could only turn one bad command into a deaf chat, or a dead bot. Hence its
    ``except Exception``.
    """

    def __init__(self, tasks: TaskGroup, capacity: int, patience: float) -> None:
        self._tasks, self._capacity, self._patience = tasks, capacity, patience
        self._lanes: dict[Hashable, deque[Job]] = {}

    def put(self, key: Hashable, job: Job) -> bool:
        """Never waits. False if the lane is full: the job is dropped."""
        if (lane := self._lanes.get(key)) is None:
            lane = self._lanes[key] = deque()
            self._tasks.start_soon(self._run, key, lane, name=f"lane {key}")
        if len(lane) >= self._capacity:
            return False
        lane.append(job)
        return True

    async def _run(self, key: Hashable, lane: deque[Job]) -> None:
        while lane:
            await self._do(key, lane.popleft())
        del self._lanes[key]

    async def _do(self, key: Hashable, job: Job) -> None:
        with anyio.move_on_after(self._patience) as deadline:
            try:
                await job.work()
            except Exception as crash:  # noqa: BLE001  # see the docstring of the class
                # not its text, which may quote what a user wrote
                logger.error("{} in {} crashed: {} at {}", job.name, key, type(crash).__name__, trail(crash))
                job.failed(Failure.CRASHED)
        if deadline.cancelled_caught:
            logger.warning("{} in {} was cut off after {:g} s", job.name, key, self._patience)
            job.failed(Failure.HUNG)
