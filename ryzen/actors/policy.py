"""How often a crash is forgiven, and how long a restart waits. Pure: time is an argument."""

from __future__ import annotations

from collections import deque

import attrs
from attrs.validators import ge, gt, lt


@attrs.frozen
class RestartPolicy:
    """More than ``intensity`` crashes within ``period`` seconds is giving up.

    The wait before a restart is ``first`` seconds, doubled with each attempt, spread by ``jitter`` so that
    chats which fell together do not rise together, and never longer than ``ceiling``.
    """

    intensity: int = attrs.field(default=4, validator=ge(0))
    period: float = attrs.field(default=60.0, validator=gt(0))
    first: float = attrs.field(default=0.25, validator=gt(0))
    ceiling: float = attrs.field(default=15.0, validator=gt(0))
    jitter: float = attrs.field(default=0.2, validator=[ge(0), lt(1)])
    stable_after: float = 30.0  #: seconds of good running which make the next crash a first one
    escalates: bool = False  #: giving up on this child brings its supervisor down

    def delay(self, attempt: int, spread: float) -> float:
        """Seconds before restart ``attempt`` (1 is the first), for a ``spread`` in -1..1."""
        doublings = min(attempt - 1, 60)  # a float holds no more than 1,023
        exact = min(self.ceiling, self.first * 2.0**doublings)
        return min(self.ceiling, exact * (1 + self.jitter * spread))


class Window:
    """The crashes of the last ``period`` seconds."""

    def __init__(self, period: float) -> None:
        self._period = period
        self._times: deque[float] = deque()

    def add(self, now: float) -> int:
        """Returns how many there are with this one."""
        self._times.append(now)
        return self.count(now)

    def count(self, now: float) -> int:
        while self._times and self._times[0] <= now - self._period:
            self._times.popleft()
        return len(self._times)
