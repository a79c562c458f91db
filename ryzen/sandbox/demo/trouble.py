"""The trouble that `--do` makes, and which errors of the bot it explains."""

from __future__ import annotations

import re
import time

import attrs

from ryzen.sandbox.demo.process import BotProcess
from ryzen.sandbox.demo.script import Do, Trouble
from ryzen.sandbox.demo.stage import Stage

#: Seconds in which an error may follow from a trouble that was made.
_AFTERMATH = 30.0
_EXPLAINS = {
    Trouble.KILL_BOT: "",
    Trouble.KILL_WORKER: "audio|deck",
    Trouble.KILL_FETCHER: "fetch server",
    Trouble.CRASH_CHAT: "chat:",
    Trouble.SILENCE_MEDIA: "chat:|voice",
    Trouble.FLOOD: "(?i)flood|wait|card|reply",
    Trouble.DROP_CONNECTIONS: "(?i)pyrogram|connection|telegram|answer|card|reply",
}


@attrs.frozen
class _Made:
    at: float
    until: float
    explains: str


class TroubleMaker:
    """Makes trouble, and remembers it."""

    def __init__(self, stage: Stage, bot: BotProcess) -> None:
        self.bot = bot
        self._stage = stage
        self._made: list[_Made] = []

    async def make(self, do: Do) -> None:
        """Returns when it is made; a killed bot has been started again by then.

        Raises DemoError if that bot does not come up, or is gone and can take no orders.
        """
        now = time.monotonic()
        self._made.append(_Made(now, now + do.seconds + _AFTERMATH, _EXPLAINS[do.trouble]))
        match do.trouble:
            case Trouble.KILL_BOT:
                await self.bot.restart()
            case Trouble.KILL_WORKER:
                await self.bot.order(do="kill worker")
            case Trouble.KILL_FETCHER:
                await self.bot.order(do="kill fetcher")
            case Trouble.CRASH_CHAT:
                await self.bot.order(do="crash chat", chat=self._stage.groups[do.group - 1].chat_id)
            case Trouble.SILENCE_MEDIA:
                self._stage.media.silence(do.seconds)
            case Trouble.FLOOD:
                self._stage.box.faults.flood(do.method, do.seconds)
            case Trouble.DROP_CONNECTIONS:
                self._stage.box.drop_connections()

    def explains(self, error: str, at: float) -> bool:
        """Whether trouble of ours is behind this error, which was logged then (``time.monotonic``)."""
        return any(made.at <= at <= made.until and re.search(made.explains, error) for made in self._made)
