"""Answers that are remembered for a while, so that servers of others are not asked twice."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from time import monotonic
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Memory(Generic[K, V]):
    """``lasts`` in seconds; of more than ``most`` the oldest go."""

    def __init__(
        self, lasts: float = 3600.0, most: int = 256, clock: Callable[[], float] = monotonic
    ) -> None:
        self._lasts, self._most, self._clock = lasts, most, clock
        self._kept: dict[K, tuple[float, V]] = {}

    def __contains__(self, key: K) -> bool:
        return key in self._kept and self._clock() < self._kept[key][0]

    def __getitem__(self, key: K) -> V:
        """Raises KeyError; ask ``in`` before."""
        return self._kept[key][1]

    def __setitem__(self, key: K, value: V) -> None:
        self._kept.pop(key, None)
        while len(self._kept) >= self._most:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = self._clock() + self._lasts, value
