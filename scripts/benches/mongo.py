"""What MongoDB's back end takes, on a mongod of its own: ``python scripts/benches/mongo.py [--outage 60]``.

flush_ms        one batch with the players of 1,000 chats, ten tracks waiting in each, encoding included
heartbeat_ms    what the same chats cost while nothing changes
batches_per_s   small batches of 64 callers at once: a flag each, or a play with its fourteen counters
after_kill_s    from kill -9 of the server, started again at once, to the first change that is kept
after_hole_s    from the end of a black hole to the first change that is kept
after_outage_s  the same for a server that was stopped for --outage seconds while 16 callers wrote;
                ``lost`` is to be 0, and ``counted`` as many as were acknowledged
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import attrs
from anyio import to_thread

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "store"))

from faults import Way, fault_proxy
from mongod import Mongod
from store_values import MIDNIGHT, batch, kept, played, playing, track

from ryzen.errors import StoreAway
from ryzen.ports import Store
from ryzen.records import Batch, Beat, Change, Chart, SaveLive, SetFlag, Top
from ryzen.store.mongo import open_mongo

CHATS, FLUSHES = 1000, 10
CALLERS, EACH = 64, 10
PLAYER = playing(*(track(number, f"A title of ordinary length, the {number}th") for number in range(11)))


def _milliseconds(took: list[float]) -> dict[str, int]:
    return {"p50": round(statistics.median(took) * 1000), "worst": round(max(took) * 1000)}


async def flush(store: Store) -> dict[str, object]:
    took, idle = [], []
    for number in range(1, FLUSHES + 3):
        player = attrs.evolve(PLAYER, offset=float(number))
        lives = (kept(-chat, player, MIDNIGHT + number, number) for chat in range(1, CHATS + 1))
        changes = batch(*map(SaveLive, lives))
        began = time.perf_counter()
        await store.apply(changes)
        took.append(time.perf_counter() - began)
        began = time.perf_counter()
        await store.apply(batch(Beat("bench", MIDNIGHT + number)))
        idle.append(time.perf_counter() - began)
    # the first two make the documents and warm the pool
    return {"flush_ms": _milliseconds(took[2:]), "heartbeat_ms": _milliseconds(idle[2:])}


async def singles(store: Store) -> dict[str, object]:
    async def rate(change: Callable[[str], Change]) -> int:
        async def call(caller: int) -> None:
            for number in range(EACH):
                await store.apply(batch(change(f"{caller}:{number}")))

        began = time.perf_counter()
        async with anyio.create_task_group() as tasks:
            for caller in range(CALLERS):
                tasks.start_soon(call, caller)
        return round(CALLERS * EACH / (time.perf_counter() - began))

    flags = await rate(lambda name: SetFlag(name, "x"))
    plays = await rate(lambda name: played(name, f"t{hash(name) % 100}", chat=-(hash(name) % 50)))
    return {"batches_per_s": {"flag": flags, "play": plays}}


async def kill(store: Store, server: Mongod) -> dict[str, object]:
    took = []
    for _ in range(3):
        server.kill()
        began = time.perf_counter()
        server.spawn()
        await _until_kept(store, batch(SetFlag("back", "x")))
        took.append(round(time.perf_counter() - began, 2))
    return {"after_kill_s": took}


async def hole(server: Mongod) -> dict[str, object]:
    took = []
    async with fault_proxy(server.port) as proxy, open_mongo(proxy.url("hole")) as store:
        await store.ping()
        for _ in range(3):
            proxy.way = Way.HOLE
            try:
                await store.ping()
            except StoreAway:
                proxy.way = Way.PASS
            began = time.perf_counter()
            await _until_kept(store, batch(SetFlag("back", "x")))
            took.append(round(time.perf_counter() - began, 2))
    return {"after_hole_s": took}


async def outage(server: Mongod, seconds: float) -> dict[str, object]:
    """The server stops and comes back while everybody goes on writing."""
    acknowledged: set[str] = set()
    numbers = itertools.count()
    over = anyio.Event()
    slowest = 0.0

    async def write(store: Store) -> None:
        nonlocal slowest
        while not over.is_set():
            name = str(next(numbers))
            slowest = max(slowest, await _until_kept(store, batch(SetFlag(name, "x"), played(name, "x"))))
            acknowledged.add(name)

    async with open_mongo(server.url("outage")) as store:
        async with anyio.create_task_group() as tasks:
            for _ in range(16):
                tasks.start_soon(write, store)
            await anyio.sleep(3)
            await to_thread.run_sync(server.stop)
            await anyio.sleep(seconds)
            began, before = time.perf_counter(), len(acknowledged)
            server.spawn()
            while len(acknowledged) == before:
                await anyio.sleep(0.01)
            back = time.perf_counter() - began
            await anyio.sleep(3)
            over.set()
        kept = set(await store.flags())
        (counted,) = await store.top(Top(Chart.TRACKS))
        return {
            "after_outage_s": round(back, 2),
            "longest_call_s": round(slowest, 2),
            "acknowledged": len(acknowledged),
            "lost": len(acknowledged - kept),
            "counted": counted.plays,
        }


async def _until_kept(store: Store, changes: Batch) -> float:
    """As the store's actor: the same batch again. Returns the seconds of the longest call."""
    longest = 0.0
    while True:
        began = time.perf_counter()
        try:
            await store.apply(changes)
            return max(longest, time.perf_counter() - began)
        except StoreAway:
            longest = max(longest, time.perf_counter() - began)
            await anyio.sleep(0.1)


async def measure(seconds: float | None = None) -> dict[str, object]:
    """All of it; the outage only if it is asked for."""
    with tempfile.TemporaryDirectory() as folder, Mongod(Path(folder)) as server:
        async with open_mongo(server.url()) as store:
            parts: list[Awaitable[dict[str, object]]] = [flush(store), singles(store), kill(store, server)]
            figures = {name: figure for part in parts for name, figure in (await part).items()}
        figures |= await hole(server)
        if seconds is not None:
            figures |= await outage(server, seconds)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(
        "mongo.py", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--outage", type=float, metavar="SECONDS", help="stop the server for so long, too")
    given = parser.parse_args()
    print(json.dumps(anyio.run(measure, given.outage), indent=2))


if __name__ == "__main__":
    main()
