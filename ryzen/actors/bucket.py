"""How often something may be done: a bucket of tokens that fills by itself."""

from __future__ import annotations

import anyio


class Bucket:
    """``rate`` tokens a second, up to ``burst`` of them; full to begin with. First come, first served."""

    def __init__(self, rate: float, burst: int) -> None:
        self._every, self._span = 1.0 / rate, (burst - 1) / rate
        self._next = float("-inf")  # when the next token would be due if the bucket had held none

    async def take(self, within: float) -> float:
        """Take a token as soon as there is one, and return 0.

        If that would take longer than ``within`` seconds, nothing is taken: return at once how long.
        """
        now = anyio.current_time()
        due = max(self._next, now - self._span)
        if (wait := due - now) > within:
            return wait
        self._next = due + self._every
        if wait > 0:
            try:
                await anyio.sleep(wait)
            except anyio.get_cancelled_exc_class():
                self._next -= self._every  # it was not used
                raise
        return 0.0
