"""What is to be undone after a while, unless something newer comes first."""

from __future__ import annotations

from collections.abc import Callable

import anyio
from anyio.abc import TaskGroup

from ryzen.messages import TimeUp


class Alarm:
    """Mails ``TimeUp`` when its time is over. Once it is set anew, or off, mail still on its way is void."""

    def __init__(self, tasks: TaskGroup, mail: Callable[[TimeUp], None]) -> None:
        self._tasks, self._mail = tasks, mail
        self._waiting: anyio.CancelScope | None = None

    def set(self, seconds: float) -> None:
        self.off()
        self._waiting = anyio.CancelScope()
        self._tasks.start_soon(self._wait, self._waiting, seconds, name="alarm")

    def off(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def rings(self, news: TimeUp) -> bool:
        """Whether this news is of the time that is set now."""
        return news.mark is self._waiting

    async def _wait(self, scope: anyio.CancelScope, seconds: float) -> None:
        with scope:
            await anyio.sleep(seconds)
            self._mail(TimeUp(scope))
