"""The bot of the demo, in a process of its own: ``python -m ryzen.sandbox.demo.bot``.

It is ``ryzen run`` but for the connection, which leads to the local Telegram. It says what it logs as JSON
lines on standard output, and takes orders as JSON lines on standard input; when that ends, so does it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import anyio
from loguru import logger

from ryzen import app
from ryzen.__main__ import exit_code
from ryzen.errors import ActorStopped, MailboxFull
from ryzen.messages import ToChat
from ryzen.sandbox.box import PublicKey, local_connection, trust
from ryzen.settings import Settings
from ryzen.telegram.client import Access
from ryzen.telegram.logs import ThroughLoguru

#: In the environment: ``{"host", "port", "key": {"n", "e", "fingerprint"}}`` of the local Telegram.
ADDRESS = "RYZEN_LOCAL_TELEGRAM"


class Sabotage:
    """Mail that no actor knows: whoever gets it crashes."""


def main() -> int:
    """Returns what ``ryzen run`` would; the same sentences are on standard error."""
    return exit_code(_perform)


def _perform() -> int:
    address = json.loads(os.environ[ADDRESS])
    trust(PublicKey(**address["key"]))
    connection = local_connection(address["host"], address["port"])
    settings = Settings.load(os.environ, Path(os.devnull))
    logger.remove()
    logger.add(_say_record, level=settings.log_level, format="{message}")
    ThroughLoguru.install()

    def reach(api_id: int, api_hash: str) -> Access:
        return Access(api_id, api_hash, connection)

    anyio.run(_run, settings, reach)
    return 0


async def _run(settings: Settings, reach: app.Reach) -> None:
    async with anyio.create_task_group() as tasks:

        def ready(bot: app.Running) -> None:
            _say(kind="ready", worker=bot.audio.worker_pid)
            tasks.start_soon(_take_orders, bot)

        await app.run(settings, reach, ready)
        tasks.cancel_scope.cancel()


async def _take_orders(bot: app.Running) -> None:
    async for order in _lines():
        match order:
            case {"do": "kill worker"}:
                _kill_worker(bot)
            case {"do": "crash chat", "chat": int(chat_id)}:
                _crash_chat(bot, chat_id)
            case {"do": "report"}:
                _say(kind="report", worker=bot.audio.worker_pid, handled=_handled(bot))
    os.kill(os.getpid(), signal.SIGTERM)  # whoever gives the orders is gone


def _kill_worker(bot: app.Running) -> None:
    if (pid := bot.audio.worker_pid) is None:
        _say(kind="refused", text="kill worker: there is none just now")
    else:
        os.kill(pid, signal.SIGKILL)


def _crash_chat(bot: app.Running, chat_id: int) -> None:
    chat = bot.chats.get(chat_id)
    try:
        if chat is not None:
            chat.tell(cast("ToChat", Sabotage()))
    except (ActorStopped, MailboxFull):
        chat = None
    if chat is None:
        _say(kind="refused", text="crash chat: nothing plays in this group, so it has no actor to crash")


def _handled(bot: app.Running) -> int:
    return sum(health.handled for health in bot.gauges.health())


async def _lines() -> AsyncIterator[dict[str, Any]]:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    try:
        async for line in reader:
            yield json.loads(line)
    finally:
        transport.close()


def _say_record(message: Any) -> None:
    record = message.record
    _say(kind="log", level=record["level"].name, text=str(message).rstrip("\n"))


def _say(**what: object) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    sys.exit(main())
