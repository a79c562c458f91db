"""When the next message may go: arithmetic only, the caller brings the time (seconds, any one clock)."""

from __future__ import annotations

from collections import deque
from typing import Protocol


class Pace(Protocol):
    """A limit on how often something may happen."""

    def ready(self, now: float) -> float:
        """The first moment, not before ``now``, at which one more may go."""
        ...

    def take(self, moment: float) -> None:
        """One goes at this moment. Moments never go back, and may be ahead of the clock: booked."""
        ...


class Bucket:
    """At most ``burst`` at once, and one more each ``interval`` seconds."""

    def __init__(self, burst: int, interval: float) -> None:
        self._slack, self._interval = (burst - 1) * interval, interval
        self._due = float("-inf")  # when the bucket is full again

    def ready(self, now: float) -> float:
        return max(now, self._due - self._slack)

    def take(self, moment: float) -> None:
        self._due = max(self._due, moment) + self._interval


class Window:
    """At most ``count`` in any ``period`` seconds, wherever the window is laid."""

    def __init__(self, count: int, period: float) -> None:
        self._period = period
        self._taken: deque[float] = deque(maxlen=count)

    def ready(self, now: float) -> float:
        if len(self._taken) < (self._taken.maxlen or 0):
            return max(now, self._taken[-1]) if self._taken else now
        return max(now, self._taken[-1], self._taken[0] + self._period)

    def take(self, moment: float) -> None:
        self._taken.append(moment)


class Paces:
    """Several limits that all hold."""

    def __init__(self, *paces: Pace) -> None:
        self._paces = paces

    def ready(self, now: float) -> float:
        return max((pace.ready(now) for pace in self._paces), default=now)

    def take(self, moment: float) -> None:
        for pace in self._paces:
            pace.take(moment)
