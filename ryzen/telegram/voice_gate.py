"""What Telegram's FLOOD_WAITs at voice chats mean for all calls of an account: one gate a method.

A gate is shut while a FLOOD_WAIT of its method runs: whoever comes is told at once how long, without asking
Telegram again, which might only lengthen the wait. Only so many requests of a method are under way at a
time, so that a crowd which comes together meets a flood with a few of them, and not with all.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
import attrs
from loguru import logger
from pyrogram.errors import FloodWait

from ryzen.errors import VoiceError, VoiceTrouble

R = TypeVar("R")

FLOOD_PATIENCE = 4.0  #: seconds of FLOOD_WAIT that a listener may be made to wait for
AT_ONCE = 8  #: requests of one method; from afar one takes 0.3 to 0.5 s, so fifty joins take some 3 s


@attrs.define(eq=False)
class _Gate:
    opens: float = 0.0
    places: anyio.Semaphore = attrs.field(factory=lambda: anyio.Semaphore(AT_ONCE))


class Gates:
    """The gates of one account."""

    def __init__(self) -> None:
        self._gates: dict[str, _Gate] = {}

    async def through(self, method: str, ask: Callable[[], Awaitable[R]]) -> R:
        """What ``ask`` gives, when the gate of ``method`` lets us; again if Telegram asked to wait.

        Raises VoiceError FLOODED if it is shut longer than FLOOD_PATIENCE seconds in all, and what ``ask``
        raises but for FloodWait. Nothing is asked any more once it is cancelled while it waits.
        """
        gate = self._gates.setdefault(method, _Gate())
        patience: float | None = None  # until when, from the first time that it was shut on
        while True:
            while gate.opens > (now := anyio.current_time()):
                patience = now + FLOOD_PATIENCE if patience is None else patience
                if gate.opens > patience:
                    raise flooded(method, gate.opens - now)
                await anyio.sleep_until(gate.opens)
            async with gate.places:
                if gate.opens > anyio.current_time():
                    continue  # shut by one of those before us
                try:
                    return await ask()
                except FloodWait as wait:
                    self._shut(gate, method, float(wait.value))

    def _shut(self, gate: _Gate, method: str, seconds: float) -> None:
        opens = anyio.current_time() + seconds
        if opens > gate.opens:
            if gate.opens <= anyio.current_time():  # said once, though others were under way
                logger.warning("voice: Telegram asks to wait {:g} s before the next {}", seconds, method)
            gate.opens = opens


def flooded(method: str, seconds: float) -> VoiceError:
    detail = f"Telegram asks to wait {seconds:.0f} s before {method}"
    return VoiceError(VoiceTrouble.FLOODED, detail, retry_after=seconds)
