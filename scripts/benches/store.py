"""How many small writes a second are durable, in a file of SQLite's on this disk."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import anyio

from ryzen.ports import Store
from ryzen.records import Batch, SetFlag
from ryzen.store import open_store

CALLERS = (1, 64)
SECONDS = 4.0
#: Flags that are written over and over, as a bot's chats are.
KEYS = 10_000


def measure() -> dict[str, dict[str, int]]:
    """Batches of one change, each awaited by its caller until it is committed and on the disk."""
    return {
        "durable_writes_per_s": {f"{callers} callers": anyio.run(_writes, callers) for callers in CALLERS}
    }


async def _writes(callers: int) -> int:
    with tempfile.TemporaryDirectory(prefix="ryzen-store-") as folder:
        async with open_store(f"sqlite:///{Path(folder) / 'bench.db'}") as store:
            written = [0] * callers
            began = time.perf_counter()
            async with anyio.create_task_group() as tasks:
                for caller in range(callers):
                    tasks.start_soon(_write, store, caller, began + SECONDS, written)
            return round(sum(written) / (time.perf_counter() - began))


async def _write(store: Store, caller: int, until: float, written: list[int]) -> None:
    while time.perf_counter() < until:
        number = written[caller]
        name = f"flag {(number * CALLERS[-1] + caller) % KEYS}"
        await store.apply(Batch(f"{caller}:{number}", (SetFlag(name, str(number)),)))
        written[caller] += 1
