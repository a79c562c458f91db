"""A clock for asyncio that jumps as trio's MockClock does: when all wait, time moves to the next deadline."""

import asyncio
import selectors


class JumpingSelector(selectors.DefaultSelector):
    """Polls; if nothing is ready and the loop would sleep, its clock moves on instead."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:  # only another thread can wake us: that is real waiting
            return super().select(None)
        self.now += timeout
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    """For tests without I/O and without threads: a thread's work would be jumped over."""

    def __init__(self) -> None:
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now
