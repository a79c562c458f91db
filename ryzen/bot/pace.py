"""How often somebody may: a sliding window for each."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable, Hashable

import anyio
import attrs
from cachetools import TTLCache

#: Windows kept at a time; the one unused for longest goes first, and its owner starts afresh.
SIZE = 10_000


class Pace(enum.Enum):
    FINE = enum.auto()
    TOO_FAST = enum.auto()  #: and not told so yet in this window
    STILL_TOO_FAST = enum.auto()  #: told already


@attrs.frozen
class Rate:
    """At most ``count`` in any ``period`` seconds; a count of 0 is no limit."""

    count: int
    period: float


@attrs.define
class _Window:
    times: deque[float] = attrs.Factory(deque)
    told: float | None = None


class Paces:
    """The windows of all keys (people, or chats) under one rate."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = anyio.current_time) -> None:
        self._rate, self._clock = rate, clock
        self._windows: TTLCache[Hashable, _Window] = TTLCache(SIZE, rate.period, timer=clock)

    def take(self, key: Hashable) -> Pace:
        """One more by ``key``, now; only those which are FINE count."""
        if self._rate.count == 0:
            return Pace.FINE
        now = self._clock()
        window = self._windows[key] = self._windows.get(key) or _Window()
        while window.times and window.times[0] <= now - self._rate.period:
            window.times.popleft()
        if len(window.times) < self._rate.count:
            window.times.append(now)
            return Pace.FINE
        if window.told is not None and window.told > now - self._rate.period:
            return Pace.STILL_TOO_FAST
        window.told = now
        return Pace.TOO_FAST
