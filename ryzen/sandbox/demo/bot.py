"""The bot of the demo, in a process of its own: ``python -m ryzen.sandbox.demo.bot``.

It is ``ryzen run`` but for the connection, which leads to the local Telegram. It says what it logs as JSON
lines on standard output, and takes orders as JSON lines on standard input; when that ends, so does it::

    {"do": "kill worker"}, {"do": "kill fetcher"}, {"do": "crash chat", "chat": id}
    {"do": "report"}                    → {"kind": "report", "worker", "fetcher", "handled", "reached"}
    {"do": "ticks", "seconds": 5}       → {"kind": "ticks", "late", "own"}, after so long

``worker`` and ``fetcher`` are pids, ``handled`` counts the messages of all actors, ``reached`` are the
addresses that it has tried to connect to; ``late`` and ``own``: see ``_tick``.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import anyio
from anyio.abc import TaskGroup
from loguru import logger

from ryzen import app
from ryzen.__main__ import exit_code
from ryzen.errors import ActorStopped, MailboxFull
from ryzen.messages import ToChat
from ryzen.outside import Outside
from ryzen.sandbox.box import PublicKey, local_connection, trust
from ryzen.sandbox.internet import LocalNetwork
from ryzen.settings import Settings
from ryzen.telegram.client import Access
from ryzen.telegram.logs import ThroughLoguru

#: In the environment: ``{"host", "port", "key": {"n", "e", "fingerprint"}}`` of the local Telegram.
ADDRESS = "RYZEN_LOCAL_TELEGRAM"
#: Likewise: ``{"network": LocalNetwork.describe(), "authorities": path}`` of the local internet.
INTERNET = "RYZEN_LOCAL_INTERNET"
_TICK = 0.01


class Sabotage:
    """Mail that no actor knows: whoever gets it crashes."""


def main() -> int:
    """Returns what ``ryzen run`` would; the same sentences are on standard error."""
    return exit_code(_perform)


def _perform() -> int:
    address = json.loads(os.environ[ADDRESS])
    trust(PublicKey(**address["key"]))
    connection = local_connection(address["host"], address["port"])
    internet = json.loads(os.environ[INTERNET])
    network = LocalNetwork.from_description(internet["network"])
    outside = Outside(network, Path(internet["authorities"]))
    settings = Settings.load(os.environ, Path(os.devnull))
    logger.remove()
    logger.add(_say_record, level=settings.log_level, format="{message}")
    ThroughLoguru.install()

    def reach(api_id: int, api_hash: str) -> Access:
        return Access(api_id, api_hash, connection)

    gc.freeze()  # as ``ryzen run`` does: a full collection would stop the event loop for 0.15 s
    anyio.run(_run, settings, reach, outside, network)
    return 0


async def _run(settings: Settings, reach: app.Reach, outside: Outside, network: LocalNetwork) -> None:
    async with anyio.create_task_group() as tasks:

        def ready(bot: app.Running) -> None:
            _say(kind="ready", worker=bot.audio.worker_pid)
            tasks.start_soon(_take_orders, bot, network, tasks)

        await app.run(settings, reach, outside, ready)
        tasks.cancel_scope.cancel()


async def _take_orders(bot: app.Running, network: LocalNetwork, tasks: TaskGroup) -> None:
    async for order in _lines():
        match order:
            case {"do": "kill worker"}:
                _kill("worker", bot.audio.worker_pid)
            case {"do": "kill fetcher"}:
                _kill("fetcher", bot.music.extractor.pid)
            case {"do": "crash chat", "chat": int(chat_id)}:
                _crash_chat(bot, chat_id)
            case {"do": "report"}:
                _say(
                    kind="report",
                    worker=bot.audio.worker_pid,
                    fetcher=bot.music.extractor.pid,
                    handled=_handled(bot),
                    reached=sorted({address for address, _ in network.connected}),
                )
            case {"do": "ticks", "seconds": int() | float() as seconds}:
                tasks.start_soon(_tick, seconds)
    os.kill(os.getpid(), signal.SIGTERM)  # whoever gives the orders is gone


def _kill(what: str, pid: int | None) -> None:
    if pid is None:
        _say(kind="refused", text=f"kill {what}: there is none just now")
    else:
        os.kill(pid, signal.SIGKILL)


async def _tick(seconds: float) -> None:
    """How late our own loop is with what is due every 10 ms, and how much of that it has spent working
    itself: the rest of it, the machine was busy with others.

    A tick that could not be on time because the one before it was late counts as well: it was due.
    """
    began = anyio.current_time()
    late: list[float] = []
    own: list[float] = []
    worked = time.thread_time()
    while (due := began + _TICK * (len(late) + 1)) < began + seconds:
        await anyio.sleep_until(due)
        late.append(anyio.current_time() - due)
        before, worked = worked, time.thread_time()
        own.append(min(late[-1], worked - before))
    _say(kind="ticks", late=_spread(late), own=_spread(own))


def _spread(seconds: list[float]) -> dict[str, float]:
    """In milliseconds."""
    ordered = sorted(round(each * 1000, 1) for each in seconds)
    return {
        "p50": ordered[len(ordered) // 2],
        "p99": ordered[len(ordered) * 99 // 100],
        "max": ordered[-1],
    }


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
