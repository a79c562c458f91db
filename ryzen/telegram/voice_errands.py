"""Work that must be brought to an end, or undone, although whoever asked for it is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVarTuple

import anyio
from loguru import logger

from ryzen.errors import VoiceError, VoiceTrouble

Args = TypeVarTuple("Args")


class Errands:
    """Work in tasks of its own, which outlives a caller who is cancelled. Whatever it raises is logged."""

    def __init__(self) -> None:
        self._running: dict[asyncio.Task[None], anyio.CancelScope] = {}

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        scope = anyio.CancelScope()
        task = asyncio.create_task(_within(scope, work))
        self._running[task] = scope
        task.add_done_callback(self._forget)
        return task

    def soon(self, work: Callable[[*Args], None], *args: *Args) -> None:
        self.start(_called(work, *args))

    async def run(self, work: Coroutine[Any, Any, None], *, to_its_end: bool = False) -> None:
        """Wait for it. If we are cancelled, it is told to end too, unless it is to run ``to_its_end``."""
        task = self.start(work)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if not to_its_end and task in self._running:
                self._running[task].cancel()
            raise

    async def end(self) -> None:
        """Tell all to end, and wait until they have."""
        for scope in self._running.values():
            scope.cancel()
        with anyio.CancelScope(shield=True):
            await asyncio.gather(*self._running, return_exceptions=True)

    def _forget(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        error = task.exception()
        if error is not None and not isinstance(error, VoiceError):  # the caller may be gone
            logger.opt(exception=error).error("voice: a bug")


async def _within(scope: anyio.CancelScope, work: Coroutine[Any, Any, None]) -> None:
    with scope:
        await work
    if scope.cancelled_caught:
        raise VoiceError(VoiceTrouble.LOST, "given up")


async def _called(work: Callable[[*Args], None], *args: *Args) -> None:
    work(*args)
