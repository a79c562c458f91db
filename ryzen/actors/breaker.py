"""Stands between us and a database that is away: it says when to try again, and lets nobody wait for it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import anyio

from ryzen.actors.policy import RestartPolicy

#: Half a minute of good running makes the next outage a first one: what flaps is tried ever more rarely.
BACKOFF = RestartPolicy(first=1.0, ceiling=10.0, jitter=0.2, stable_after=30.0)


class Breaker:
    """Closed while all is well; open, which is ``away``, from a failure until somebody mends it.

    It outlives the StoreActor's incarnations: a crash does not bring a database back. Times are seconds of
    the loop's clock.
    """

    def __init__(self, backoff: RestartPolicy = BACKOFF, rng: random.Random | None = None) -> None:
        self.cause = ""  #: of the present outage, for people
        self._backoff, self._rng = backoff, rng or random.Random()
        self._since: float | None = None
        self._mended = float("-inf")
        self._attempt = 1
        self._waits: set[anyio.CancelScope] = set()

    @property
    def away(self) -> bool:
        return self._since is not None

    def trip(self, now: float, cause: str) -> bool:
        """Open it; whoever waits inside ``bounded`` is sent away at once. False if it was open already."""
        self.cause = cause
        if self._since is not None:
            return False
        self._since = now
        self._attempt = 1 if now - self._mended >= self._backoff.stable_after else self._attempt + 1
        for scope in self._waits:
            scope.cancel()
        return True

    def delay(self) -> float:
        """Seconds until it is worth trying."""
        return self._backoff.delay(self._attempt, self._rng.uniform(-1, 1))

    def missed(self) -> None:
        """That was tried in vain."""
        self._attempt += 1

    def mend(self, now: float) -> float:
        """Close it. Returns how many seconds it was open."""
        away_for = self.away_for(now)
        self._since, self._mended = None, now
        return away_for

    def away_for(self, now: float) -> float:
        return 0.0 if self._since is None else now - self._since

    @contextmanager
    def bounded(self, seconds: float) -> Iterator[anyio.CancelScope]:
        """Cancels what is in the block after so many seconds, or when the breaker opens; at once if it is."""
        with anyio.move_on_after(0 if self.away else seconds) as scope:
            self._waits.add(scope)
            try:
                yield scope
            finally:
                self._waits.discard(scope)
