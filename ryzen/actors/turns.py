"""So much at once, and whoever is most urgent goes first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
import attrs

from ryzen.origins import Urgency


@attrs.define(eq=False)
class _Waiter:
    urgency: Callable[[], Urgency]
    called: anyio.Event = attrs.Factory(anyio.Event)


class Turns:
    """``at_once`` may be inside ``turn``. Those equally urgent come in the order in which they came."""

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: list[_Waiter] = []

    @asynccontextmanager
    async def turn(self, urgency: Callable[[], Urgency]) -> AsyncIterator[None]:
        """``urgency`` is asked whenever a place is free: it may have changed while this one waited."""
        await self._come_in(urgency)
        try:
            yield
        finally:
            self._go_out()

    async def _come_in(self, urgency: Callable[[], Urgency]) -> None:
        if self._free:
            self._free -= 1
            return
        me = _Waiter(urgency)
        self._waiting.append(me)
        try:
            await me.called.wait()
        except anyio.get_cancelled_exc_class():
            if me in self._waiting:
                self._waiting.remove(me)
            else:
                self._go_out()  # called and cancelled in one moment: the place is somebody else's
            raise

    def _go_out(self) -> None:
        """The place goes to the one who waits for it, so that nobody slips in between."""
        if self._waiting:
            first = min(self._waiting, key=lambda waiter: waiter.urgency())  # of equals the first
            self._waiting.remove(first)
            first.called.set()
        else:
            self._free += 1
