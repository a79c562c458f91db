"""Libraries that block, in threads of their own: few at once, and nobody waits for one that hangs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import anyio
import anyio.to_thread

T = TypeVar("T")


class Threads:
    """At most ``most`` calls at once; a call that takes longer than ``within`` seconds is left behind.

    What is left behind gives up its place, and ends by the library's own time-outs: it must have some.
    """

    def __init__(self, most: int = 2, within: float = 15.0) -> None:
        self._limiter, self._within = anyio.CapacityLimiter(most), within

    async def run(self, function: Callable[..., T], *arguments: object, **named: object) -> T:
        """Raises TimeoutError, and whatever the function does."""
        with anyio.fail_after(self._within):
            return await anyio.to_thread.run_sync(
                partial(function, *arguments, **named), abandon_on_cancel=True, limiter=self._limiter
            )
