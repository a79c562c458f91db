"""The thread that writes: many share a commit, each fails alone, and nobody waits for ever."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from threading import Event

import anyio
import pytest
from anyio import to_thread
from sqlite_stage import busy, files_no_longer_than, fill, flags, opened
from store_values import apply, batch, played, rows

from ryzen.errors import StoreAway, StoreRefused
from ryzen.records import Batch, Chart, Enlist, Member, Roll, SawChat, SetFlag, Top
from ryzen.store import sqlite_writer
from ryzen.store.sqlite import SqliteStore, open_sqlite

pytestmark = pytest.mark.anyio

CALLERS = 64


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Both with a real clock: a thread's work cannot be jumped over."""
    return str(request.param)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ryzen.db"


async def refused(store: SqliteStore, one: Batch) -> None:
    with pytest.raises(StoreRefused):
        await store.apply(one)


async def away(store: SqliteStore, one: Batch, said: list[str]) -> None:
    with pytest.raises(StoreAway) as caught:
        await store.apply(one)
    said.append(str(caught.value))


# -- together
async def test_all_who_come_during_a_commit_share_the_next_one(path: Path) -> None:
    async with opened(path) as (store, writer), anyio.create_task_group() as tasks, busy(writer):
        for number in range(CALLERS):
            tasks.start_soon(store.apply, batch(SetFlag(f"{number}", "x")))
        await anyio.wait_all_tasks_blocked()
        before = writer.commits
        assert await flags(store) == set()
    assert writer.commits == before + 2  # the one that was busy, and one for all
    async with opened(path) as (store, _):
        assert await flags(store) == {"dawdled", *(f"{number}" for number in range(CALLERS))}


async def test_a_bad_batch_fails_wholly_and_alone(path: Path) -> None:
    bad = batch(SetFlag("half", "x"), Enlist(Roll.BLOCKED, Member(2**63)), SetFlag("other half", "x"))
    async with opened(path) as (store, writer), anyio.create_task_group() as tasks, busy(writer):
        for number in range(CALLERS):
            tasks.start_soon(store.apply, batch(SetFlag(f"{number}", "x"), played(f"{number}", "x")))
            if number == CALLERS // 2:
                tasks.start_soon(refused, store, bad)
        await anyio.wait_all_tasks_blocked()
    async with opened(path) as (store, _):
        assert await flags(store) == {"dawdled", *(f"{number}" for number in range(CALLERS))}
        (place,) = await store.top(Top(Chart.TRACKS))
        assert place.plays == CALLERS  # though all were tried twice


@pytest.mark.parametrize(
    "change",
    [
        SawChat(2**63, "beyond 64 bits", 1.0),
        SawChat(1, "half of \ud83d", 1.0),
        SawChat(1, "no moment", float("nan")),
        SetFlag("too big", "x" * 17_000_000),
        SetFlag("no text", {}),  # type: ignore[arg-type]
        Enlist(Roll.BLOCKED, Member(None)),  # type: ignore[arg-type]
    ],
    ids=lambda change: type(change).__name__,
)
async def test_what_no_database_can_hold_is_refused_without_being_quoted(path: Path, change: SawChat) -> None:
    async with opened(path) as (store, _):
        with pytest.raises(StoreRefused) as caught:
            await apply(store, SetFlag("before", "x"), change)
        assert len(str(caught.value)) < 200
        assert "half of" not in str(caught.value)
        assert await rows(store) == []


async def test_a_bug_falls_on_who_made_it_and_the_writer_goes_on(path: Path) -> None:
    def stumble(_: sqlite3.Cursor) -> None:
        raise ZeroDivisionError

    async def fall() -> None:
        with pytest.raises(ZeroDivisionError):
            await writer.do(stumble)

    async with opened(path) as (store, writer):
        async with anyio.create_task_group() as tasks, busy(writer):
            tasks.start_soon(fall)
            tasks.start_soon(store.apply, batch(SetFlag("another's", "x")))
            await anyio.wait_all_tasks_blocked()
        assert await flags(store) == {"dawdled", "another's"}


# -- waiting, and not waiting
async def test_readers_do_not_wait_for_the_writer(path: Path) -> None:
    async with opened(path) as (store, writer):
        await apply(store, SetFlag("early", "x"))
        async with busy(writer):
            assert await flags(store) == {"early"}
            assert len(await rows(store)) == 1
            assert await store.check() == ()
            await store.ping()
        assert await flags(store) == {"early", "dawdled"}


async def test_who_no_longer_waits_has_it_written_all_the_same(path: Path) -> None:
    async with opened(path) as (store, writer):
        async with busy(writer), anyio.create_task_group() as tasks:
            tasks.start_soon(store.apply, batch(SetFlag("left", "x")))
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()
        await apply(store, SetFlag("last", "x"))
        assert "left" in await flags(store)


async def test_close_writes_all_that_was_asked_for(path: Path) -> None:
    async with opened(path) as (store, writer), anyio.create_task_group() as tasks, busy(writer):
        for number in range(CALLERS):
            tasks.start_soon(store.apply, batch(SetFlag(f"{number}", "x")))
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    async with opened(path) as (store, _):
        assert len(await flags(store)) == CALLERS + 1


async def test_a_closed_store_is_away(path: Path) -> None:
    async with opened(path) as (store, _):
        pass
    for attempt in (apply(store, SetFlag("late", "x")), store.flags(), store.ping()):
        with pytest.raises(StoreAway):
            await attempt


async def test_a_disk_that_does_not_answer_is_not_waited_for(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(path) as (store, writer):
        async with busy(writer), anyio.create_task_group() as tasks:
            said: list[str] = []
            monkeypatch.setattr(sqlite_writer, "PATIENCE", 0.05)
            first = anyio.CancelScope()

            async def leave() -> None:
                with first:
                    await store.apply(batch(SetFlag("left", "x")))

            tasks.start_soon(leave)
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(away, store, batch(SetFlag("slow", "x")), said)
            tasks.start_soon(away, store, batch(SetFlag("slow too", "x")), said)
            await anyio.wait_all_tasks_blocked()
            first.cancel()  # it was the one who watched the time
        monkeypatch.undo()
        assert len(said) == 2
        assert "has not answered" in said[0]
        await apply(store, SetFlag("again", "x"))
        assert await flags(store) == {"dawdled", "left", "slow", "slow too", "again"}


async def test_a_question_that_was_given_up_keeps_the_connection_until_it_ends(path: Path) -> None:
    begun, gate = Event(), Event()
    order: list[str] = []

    def hang(_: sqlite3.Connection) -> None:
        begun.set()
        gate.wait()
        order.append("first")

    async with opened(path) as (store, _), anyio.create_task_group() as others:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(store._ask, hang)
            await to_thread.run_sync(begun.wait)
            tasks.cancel_scope.cancel()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(store._ask, lambda _: order.append("given up"))
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()
        others.start_soon(store._ask, lambda _: order.append("next"))
        await anyio.wait_all_tasks_blocked()
        gate.set()
    assert order == ["first", "next"]


async def test_a_question_that_was_given_up_is_cut_short(path: Path) -> None:
    begun = Event()

    def endless(db: sqlite3.Connection) -> None:
        db.create_function("begun", 0, begun.set)
        db.execute("WITH RECURSIVE c AS (SELECT begun() UNION ALL SELECT 1 FROM c) SELECT count(*) FROM c")

    async with opened(path) as (store, _):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(store._ask, endless)
            await to_thread.run_sync(begun.wait)
            tasks.cancel_scope.cancel()
        assert await flags(store) == set()


# -- trouble
async def test_a_full_disk_is_told_to_all_and_costs_nothing_that_was_there(path: Path) -> None:
    said: list[str] = []
    more = [batch(*fill(400)), batch(SetFlag("small", "x"), played("p", "x"))]
    async with opened(path) as (store, writer):
        await apply(store, SetFlag("there", "x"))
        await writer.do(lambda cursor: cursor.execute("PRAGMA max_page_count = 1") and None)
        async with anyio.create_task_group() as tasks, busy(writer):
            for one in more:
                tasks.start_soon(away, store, one, said)
            await anyio.wait_all_tasks_blocked()
        assert len(said) == 2
        assert all("the disk is full" in each for each in said)
        assert await flags(store) == {"there", "dawdled"}
        await writer.do(lambda cursor: cursor.execute("PRAGMA max_page_count = 1000000") and None)
        for one in more:
            await store.apply(one)
        assert {"there", "small", "flag 000399"} <= await flags(store)
        assert [place.plays for place in await store.top(Top(Chart.TRACKS))] == [1]
        assert await store.check() == ()


async def test_a_disk_that_fails_is_told_and_the_same_batch_goes_in_afterwards(path: Path) -> None:
    said: list[str] = []
    one = batch(*fill(2000), played("p", "x"))
    async with opened(path) as (store, _):
        await apply(store, SetFlag("there", "x"))
        with files_no_longer_than(100_000):
            await away(store, one, said)
            assert "the disk fails" in said[0]
            assert await flags(store) == {"there"}
        await store.apply(one)
        assert len(await flags(store)) == 2001
        assert [place.plays for place in await store.top(Top(Chart.TRACKS))] == [1]
        assert await store.check() == ()


async def test_another_programs_lock_is_told(path: Path) -> None:
    said: list[str] = []
    async with opened(path) as (store, writer):
        await writer.do(lambda cursor: cursor.execute("PRAGMA busy_timeout = 0") and None)
        with sqlite3.connect(path) as shell:
            shell.execute("BEGIN IMMEDIATE")
            await away(store, batch(SetFlag("x", "x")), said)
        shell.close()
        assert said == ["the database cannot do it: another program has locked it"]
        await apply(store, SetFlag("x", "x"))


async def test_the_last_ten_thousand_batches_are_known_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ryzen.store.sqlite_writes.TOKENS", 3)
    batches = [batch(played(f"{number}", "x")) for number in range(6)]
    async with open_sqlite(str(path)) as store:
        for one in (*batches, *batches[3:]):
            await store.apply(one)
        assert [place.plays for place in await store.top(Top(Chart.TRACKS))] == [6]
        await store.apply(batches[0])
        assert [place.plays for place in await store.top(Top(Chart.TRACKS))] == [7]
