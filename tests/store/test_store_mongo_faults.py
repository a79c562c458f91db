"""A server that is killed, a network that fails; a real mongod behind a real proxy, in real time.

Nothing that was acknowledged is lost, nothing counts twice, and every call ends in its time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial

import anyio
import pytest
from anyio import to_thread
from faults import FaultProxy, Way
from faults import fault_proxy as in_front_of
from mongod import Mongod
from store_values import ANN, GROUP, apply, batch, everything, kept, played, rows

from ryzen.errors import StoreAway
from ryzen.ports import Store
from ryzen.records import Batch, Chart, Roll, SaveLive, SetFlag, Top
from ryzen.store.mongo import CLOSE, open_mongo
from ryzen.store.mongo_store import PING, READ, WRITE

pytestmark = pytest.mark.anyio

#: Seconds for two cores which have other things to do.
SLACK = 1.5


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def standalone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """Where the driver repeats no write by itself."""
    with Mongod(tmp_path_factory.mktemp("alone"), standalone=True) as server:
        yield server


@pytest.fixture
async def behind(fault_proxy: FaultProxy) -> AsyncIterator[Store]:
    """A store that has been used, behind the proxy."""
    async with open_mongo(fault_proxy.url("behind")) as store:
        await store.clear()
        await apply(store, *everything())
        yield store


async def persist(store: Store, batch: Batch) -> None:
    """As the store's actor does: the same batch, until it is acknowledged."""
    with anyio.fail_after(50):
        while True:
            try:
                return await store.apply(batch)
            except StoreAway:
                await anyio.sleep(0.05)


async def away(call: Callable[[], Awaitable[object]]) -> None:
    with pytest.raises(StoreAway):
        await call()


# -- the server
async def test_two_kills_in_mid_write_lose_nothing_and_count_nothing_twice(mongod: Mongod) -> None:
    acknowledged: set[str] = set()
    stopping = anyio.Event()

    async def write(store: Store, writer: int) -> None:
        number = 0
        while not stopping.is_set():
            name = f"{writer}:{number}"
            await persist(store, batch(SetFlag(name, "x"), played(name, f"t{number % 3}")))
            acknowledged.add(name)
            number += 1

    async def more(than: int) -> None:
        while len(acknowledged) < than:
            await anyio.sleep(0.01)

    async with open_mongo(mongod.url()) as store:
        async with anyio.create_task_group() as tasks:
            for writer in range(6):
                tasks.start_soon(write, store, writer)
            for _ in range(2):
                await more(len(acknowledged) + 30)
                mongod.kill()
                mongod.spawn()
                await to_thread.run_sync(mongod.wait)
            await more(len(acknowledged) + 30)
            stopping.set()
        assert set(await store.flags()) == acknowledged
        assert await _plays(store) == len(acknowledged)
        assert [place.plays for place in await store.top(Top(Chart.CHATS, user_id=ANN))] == [
            len(acknowledged)
        ]
        assert len(await store.history(GROUP, limit=10**6)) == len(acknowledged)
        assert await store.check() == ()


async def test_a_server_that_is_stopped_for_a_while_is_away_and_then_there(mongod: Mongod) -> None:
    async with open_mongo(mongod.url()) as store:
        await apply(store, SetFlag("before", "x"))
        await to_thread.run_sync(mongod.stop)
        async with anyio.create_task_group() as tasks:
            for ask in (store.ping, store.flags, partial(store.settings, GROUP)):
                tasks.start_soon(away, ask)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(persist, store, batch(SetFlag("after", "y")))
            mongod.spawn()
            await to_thread.run_sync(mongod.wait)
        assert await store.flags() == {"before": "x", "after": "y"}


# -- replies that are lost
async def test_a_reply_that_is_lost_is_made_good_by_the_driver(
    behind: Store, fault_proxy: FaultProxy
) -> None:
    before = await _plays(behind)
    fault_proxy.cut_reply_to(b"$concatArrays")
    await apply(behind, played("cut", "x"))
    assert fault_proxy.cuts == 1
    assert await _plays(behind) == before + 1


async def test_the_same_batch_after_a_lost_reply_counts_once(standalone: Mongod) -> None:
    async with in_front_of(standalone.port) as proxy, open_mongo(proxy.url("lost")) as store:
        first = batch(played("1", "x"), played("2", "x"), SaveLive(kept()))
        await apply(store, played("0", "x"))
        proxy.cut_reply_to(b"$concatArrays")
        with pytest.raises(StoreAway):
            await store.apply(first)
        assert proxy.cuts == 1
        await store.apply(first)
        await store.apply(first)
        assert await _plays(store) == 3


async def test_a_write_that_arrives_late_counts_once(behind: Store, fault_proxy: FaultProxy) -> None:
    before = await _plays(behind)
    first = batch(*(played(f"late {n}", "x") for n in range(5)), SaveLive(kept(revision=50)))
    fault_proxy.way = Way.HOLE
    with pytest.raises(StoreAway):
        await behind.apply(first)
    fault_proxy.way = Way.PASS
    await persist(behind, first)
    assert await _plays(behind) == before + 5
    assert (await behind.live(GROUP))[0].revision == 50


# -- a network that carries nothing
async def test_in_a_black_hole_every_call_ends_in_time_and_afterwards_works(
    behind: Store, fault_proxy: FaultProxy
) -> None:
    calls: dict[str, tuple[float, Callable[[], Awaitable[object]]]] = {
        "apply": (WRITE, lambda: apply(behind, SetFlag("a", "b"))),
        "settings": (READ, lambda: behind.settings(GROUP)),
        "roll": (READ, lambda: behind.roll(Roll.BLOCKED)),
        "chats": (READ, behind.chats),
        "users": (READ, behind.users),
        "user": (READ, lambda: behind.user(ANN)),
        "sizes": (READ, behind.sizes),
        "playlists": (READ, lambda: behind.playlists(ANN)),
        "playlist": (READ, lambda: behind.playlist(ANN, "a:b")),
        "history": (READ, lambda: behind.history(GROUP)),
        "top": (READ, lambda: behind.top(Top(Chart.TRACKS))),
        "assistants": (READ, behind.assistants),
        "broadcasts": (READ, behind.broadcasts),
        "live": (WRITE, behind.live),
        "live of a chat": (READ, lambda: behind.live(GROUP)),
        "beats": (READ, behind.beats),
        "flags": (READ, behind.flags),
        "ping": (PING, behind.ping),
        "check": (PING, behind.check),
        "dump": (WRITE, lambda: rows(behind)),
        "load": (WRITE, lambda: behind.load([("flags", {"name": "c", "value": "d"})])),
        "clear": (WRITE, behind.clear),
    }

    async def lost(seconds: float, call: Callable[[], Awaitable[object]]) -> None:
        with anyio.fail_after(seconds + SLACK):
            await away(call)

    fault_proxy.way = Way.HOLE
    async with anyio.create_task_group() as tasks:
        for seconds, call in calls.values():
            tasks.start_soon(lost, seconds, call)
    fault_proxy.way = Way.PASS
    await persist(behind, batch(SetFlag("and", "again")))
    for name, (_, call) in calls.items():
        if name != "clear":
            await call()


@pytest.mark.parametrize("opened", ["before the hole", "in the hole"])
async def test_sixteen_readers_in_a_black_hole_all_end_in_time(opened: str, fault_proxy: FaultProxy) -> None:
    async with open_mongo(fault_proxy.url("readers")) as store:
        if opened == "before the hole":
            await store.ping()
        fault_proxy.way = Way.HOLE

        with anyio.fail_after(READ + SLACK):
            async with anyio.create_task_group() as tasks:
                for _ in range(16):
                    tasks.start_soon(away, partial(store.settings, GROUP))
        fault_proxy.way = Way.PASS
        await persist(store, batch(SetFlag("a", "b")))


async def test_a_slow_network_is_no_fault(fault_proxy: FaultProxy) -> None:
    fault_proxy.delay = 0.2
    async with open_mongo(fault_proxy.url("slow")) as store:
        await apply(store, *everything())
        assert len(await store.live()) == 2
        assert await _plays(store) > 0
        assert sum((await store.sizes()).values()) > 0


@pytest.mark.parametrize("way", [Way.HOLE, Way.CLOSED])
async def test_closing_does_not_wait_for_a_dead_server(way: Way, fault_proxy: FaultProxy) -> None:
    async with anyio.create_task_group() as tasks, open_mongo(fault_proxy.url("closing")) as store:
        async with anyio.create_task_group() as before:  # sessions, which the driver wants to end politely
            for _ in range(8):
                before.start_soon(store.flags)
        fault_proxy.way = way
        for _ in range(4):
            tasks.start_soon(away, store.flags)
        await anyio.sleep(0.1)
        began = anyio.current_time()
    assert anyio.current_time() - began < CLOSE + 1  # a law: a stop of the bot has seconds


async def _plays(store: Store) -> int:
    return sum(place.plays for place in await store.top(Top(Chart.TRACKS, limit=1000)))
