"""What sources share: origins for the moment after looking, and libraries that block."""

from __future__ import annotations

import threading
from pathlib import Path

import anyio
import pytest

from ryzen.errors import SourceAway, SourceTrouble
from ryzen.origins import Job, OnDisk, Origin
from ryzen.sources.asking import Fresh, ask
from ryzen.sources.threads import Threads

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def origin(name: str) -> Origin:
    return Origin(name, OnDisk(Path(name)))


def test_an_origin_is_given_out_once() -> None:
    fresh = Fresh()
    fresh.keep("a", origin("a"))
    assert fresh.take("a") == origin("a")
    assert fresh.take("a") is None
    assert fresh.take("b") is None


def test_an_origin_gets_stale_and_the_newest_counts() -> None:
    now = [0.0]
    fresh = Fresh(lasts=10, clock=lambda: now[0])
    fresh.keep("a", origin("old"))
    now[0] = 5
    fresh.keep("a", origin("new"))
    now[0] = 14.9
    assert fresh.take("a") == origin("new")
    fresh.keep("a", origin("a"))
    now[0] = 25
    assert fresh.take("a") is None


def test_no_more_are_kept_than_there_is_room_for() -> None:
    fresh = Fresh(most=2)
    for name in ("a", "b", "a", "c"):
        fresh.keep(name, origin(name))
    assert [name for name in ("a", "b", "c") if fresh.take(name)] == ["a", "c"]


async def test_a_refusal_is_in_the_name_of_who_asked() -> None:
    class Away:
        async def extract(self, job: Job, *, within: float) -> dict[str, object]:
            assert within == 7
            raise SourceAway("", SourceTrouble.RATE_LIMITED, "why", 5.0)

    with pytest.raises(SourceAway) as away:
        await ask(Away(), "site", Job("x"), 7)
    assert (away.value.source, away.value.detail, away.value.retry_after) == ("site", "why", 5.0)


async def test_a_call_that_hangs_is_left_behind_and_the_next_one_has_its_place() -> None:
    threads, release, ended = Threads(most=1, within=0.05), threading.Event(), threading.Event()

    def hang() -> None:
        release.wait(20)
        ended.set()

    with pytest.raises(TimeoutError):
        await threads.run(hang)
    assert not ended.is_set()
    assert await threads.run(lambda a, *, b: a + b, 1, b=2) == 3
    release.set()
    assert ended.wait(20)


async def test_an_error_of_a_library_comes_out_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        await Threads().run(divmod, 1, 0)


async def test_only_so_many_calls_run_at_once() -> None:
    threads, inside, most = Threads(most=2, within=20), [0], [0]
    lock, gate = threading.Lock(), threading.Barrier(2)

    def work() -> None:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        gate.wait(20)
        with lock:
            inside[0] -= 1

    async with anyio.create_task_group() as tasks:
        for _ in range(6):
            tasks.start_soon(threads.run, work)
    assert most[0] == 2
