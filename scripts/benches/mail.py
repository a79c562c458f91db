"""How fast mail is: Ryzen's actors beside asyncio's queue and pykka."""

from __future__ import annotations

import asyncio
import time

import anyio
import attrs
import pykka

from ryzen.actors.actor import Actor
from ryzen.actors.mailbox import Mailbox
from ryzen.actors.ref import Request
from ryzen.supervisor import supervise

TELLS, BATCH = 200_000, 1_000
ASKS = 10_000


@attrs.frozen
class Count:
    pass


@attrs.frozen
class Total(Request[int]):
    pass


class Counter(Actor[Count | Total]):
    def __init__(self) -> None:
        self.total = 0

    async def receive(self, message: Count | Total) -> object:
        match message:
            case Count():
                self.total += 1
            case Total():
                return self.total
        return None


class PykkaCounter(pykka.ThreadingActor):
    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def on_receive(self, message: object) -> int:
        if isinstance(message, Count):
            self.total += 1
        return self.total


def measure() -> dict[str, dict[str, int]]:
    """Messages told, and questions answered, per second."""
    tell, ask = anyio.run(_ryzen)
    pykka_tell, pykka_ask = _pykka()
    return {
        "tell_per_s": {"ryzen": tell, "asyncio_queue": asyncio.run(_queue()), "pykka": pykka_tell},
        "ask_per_s": {"ryzen": ask, "pykka": pykka_ask},
    }


async def _ryzen() -> tuple[int, int]:
    async with supervise("bench") as supervisor:
        ref = await supervisor.start("counter", lambda *_: Counter(), mailbox=Mailbox(2 * BATCH))
        message, began = Count(), time.perf_counter()
        for _ in range(TELLS // BATCH):
            for _ in range(BATCH):
                ref.tell(message)
            while await ref.ask(Total(), within=10) % BATCH:
                pass
        tell = TELLS / (time.perf_counter() - began)
        began = time.perf_counter()
        for _ in range(ASKS):
            await ref.ask(Total(), within=10)
        return round(tell), round(ASKS / (time.perf_counter() - began))


async def _queue() -> int:
    queue: asyncio.Queue[Count | asyncio.Future[int]] = asyncio.Queue(2 * BATCH)
    total = 0

    async def receive() -> None:
        nonlocal total
        while True:
            message = await queue.get()
            if isinstance(message, Count):
                total += 1
            else:
                message.set_result(total)

    task = asyncio.create_task(receive())
    message, began = Count(), time.perf_counter()
    for _ in range(TELLS // BATCH):
        for _ in range(BATCH):
            queue.put_nowait(message)
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        queue.put_nowait(answer)
        await answer
    speed = TELLS / (time.perf_counter() - began)
    task.cancel()
    return round(speed)


def _pykka() -> tuple[int, int]:
    ref = PykkaCounter.start()
    try:
        message, began = Count(), time.perf_counter()
        for _ in range(TELLS // BATCH):
            for _ in range(BATCH):
                ref.tell(message)
            ref.ask(Total())
        tell = TELLS / (time.perf_counter() - began)
        began = time.perf_counter()
        for _ in range(ASKS):
            ref.ask(Total())
        return round(tell), round(ASKS / (time.perf_counter() - began))
    finally:
        ref.stop()
