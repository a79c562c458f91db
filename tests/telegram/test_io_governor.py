"""Laws of the governor, on both backends, with a clock that jumps."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise

import anyio
import anyio.lowlevel
import pytest
import trio.testing
from anyio.abc import TaskGroup
from clocks import JumpingLoop

from ryzen.errors import SendError
from ryzen.telegram.governor import FloodError, Governor, Limits

pytestmark = pytest.mark.anyio
GROUP, OTHER, PRIVATE = -100123, -100456, 42
FREE = Limits(burst=1000, per_second=1000.0, per_minute=1000, overall=1000)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, object]]:
    if request.param == "trio":
        return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}
    return "asyncio", {"loop_factory": JumpingLoop}


@asynccontextmanager
async def crowd() -> AsyncIterator[TaskGroup]:
    """Callers, who go home at the end."""
    async with anyio.create_task_group() as group:
        yield group
        group.cancel_scope.cancel()


class Wire:
    """What went out: (chat, label, when)."""

    def __init__(self) -> None:
        self.gone: list[tuple[int, str, float]] = []
        self.floods: dict[tuple[int, str], list[float]] = {}

    def work(self, chat: int, label: str, takes: float = 0.0) -> Callable[[], Awaitable[str]]:
        async def work() -> str:
            await anyio.sleep(takes)
            waiting = self.floods.get((chat, label.split()[0]))
            if waiting:
                raise FloodError(waiting.pop(0), "FLOOD_WAIT")
            self.gone.append((chat, label, anyio.current_time()))
            return label

        return work

    def labels(self, chat: int) -> list[str]:
        return [label for where, label, _ in self.gone if where == chat]

    def times(self, chat: int) -> list[float]:
        return [when for where, _, when in self.gone if where == chat]


async def settle() -> None:
    """Let every task come to a stop, in no time; anyio's own way to do so takes some on asyncio."""
    for _ in range(20):
        await anyio.lowlevel.checkpoint()


async def test_a_quiet_chat_is_served_at_once() -> None:
    wire, governor, start = Wire(), Governor(), anyio.current_time()
    assert await governor.go(GROUP, "send", wire.work(GROUP, "send 1")) == "send 1"
    assert anyio.current_time() == start
    assert governor.traffic.sent == 1


async def test_a_group_gets_three_at_once_then_one_a_second_and_twenty_a_minute() -> None:
    async with crowd() as tasks:
        wire, governor, start = Wire(), Governor(Limits(patience=90.0)), anyio.current_time()
        for n in range(25):
            tasks.start_soon(governor.go, GROUP, "send", wire.work(GROUP, f"send {n}"))
        await anyio.sleep(59)
        when = [moment - start for moment in wire.times(GROUP)]
        assert when[:4] == pytest.approx([0, 0, 0, 1])
        assert when[19] == pytest.approx(17)
        assert len(when) == 20
        await anyio.sleep(2)
        assert len(wire.gone) == 23  # as many as a minute ago


async def test_a_private_chat_has_no_limit_per_minute() -> None:
    async with crowd() as tasks:
        wire, governor = Wire(), Governor()
        for n in range(30):
            tasks.start_soon(governor.go, PRIVATE, "send", wire.work(PRIVATE, f"send {n}"))
        await anyio.sleep(40)
        assert len(wire.gone) == 30


async def test_all_chats_together_keep_to_thirty_a_second_and_none_is_passed_over() -> None:
    async with crowd() as tasks:
        wire, governor, start = Wire(), Governor(), anyio.current_time()
        for chat in range(1, 91):
            tasks.start_soon(governor.go, chat, "send", wire.work(chat, "send"))
            await settle()
        await anyio.sleep(10)
        assert [sum(n <= when - start < n + 1 for _, _, when in wire.gone) for n in range(4)] == [
            30,
            30,
            30,
            0,
        ]
        order = [chat for chat, _, _ in wire.gone]  # who goes in the same moment is the scheduler's business
        assert [sorted(order[n : n + 30]) for n in (0, 30, 60)] == [
            list(range(n, n + 30)) for n in (1, 31, 61)
        ]


async def test_order_within_a_chat_is_the_order_of_asking() -> None:
    async with crowd() as tasks:
        wire, governor = Wire(), Governor()
        labels = [f"{'send' if n % 3 else 'delete'} {n}" for n in range(12)]
        for n, label in enumerate(labels):
            tasks.start_soon(governor.go, GROUP, label.split()[0], wire.work(GROUP, label, 0.5 / (n + 1)))
            await settle()
        await anyio.sleep(50)
        assert wire.labels(GROUP) == labels


async def test_a_flood_in_one_chat_leaves_the_others_alone() -> None:
    async with crowd() as tasks:
        wire, governor, start = Wire(), Governor(), anyio.current_time()
        wire.floods[GROUP, "send"] = [7.0]
        tasks.start_soon(governor.go, GROUP, "send", wire.work(GROUP, "send 1"))
        await settle()
        await governor.go(OTHER, "send", wire.work(OTHER, "send"))
        assert anyio.current_time() == start
        assert wire.labels(GROUP) == []
        await anyio.sleep(8)
        assert wire.times(GROUP) == [pytest.approx(start + 7.0)]
        assert governor.traffic.floods == 1


async def test_a_flood_stops_its_method_alone_and_keeps_that_method_in_order() -> None:
    async with crowd() as tasks:
        wire, governor = Wire(), Governor(FREE)
        wire.floods[GROUP, "send"] = [5.0]
        for n in range(3):
            tasks.start_soon(governor.go, GROUP, "send", wire.work(GROUP, f"send {n}", 1.0 if n == 0 else 0))
            await settle()
        tasks.start_soon(governor.go, GROUP, "edit", wire.work(GROUP, "edit 1"))
        await anyio.sleep(2)
        await governor.go(GROUP, "edit", wire.work(GROUP, "edit 2"))
        assert wire.labels(GROUP) == ["edit 1", "edit 2"]
        await anyio.sleep(6)
        assert wire.labels(GROUP) == ["edit 1", "edit 2", "send 0", "send 1", "send 2"]


async def test_a_flood_longer_than_our_patience_is_said_at_once() -> None:
    async with crowd():
        wire, governor, start = Wire(), Governor(), anyio.current_time()
        wire.floods[GROUP, "send"] = [3600.0]
        for n in range(2):  # the one that meets it, and the next, which must not try
            with pytest.raises(SendError, match="FLOOD_WAIT"):
                await governor.go(GROUP, "send", wire.work(GROUP, f"send {n}"))
        assert anyio.current_time() == start
        await anyio.sleep(3601)
        assert await governor.go(GROUP, "send", wire.work(GROUP, "send 3")) == "send 3"


async def test_the_newest_edit_wins_and_the_older_ones_count_as_done() -> None:
    async with crowd() as tasks:
        wire, governor, done = Wire(), Governor(), []

        async def edit(n: int, about: int) -> None:
            done.append(
                (n, await governor.go(GROUP, "edit", wire.work(GROUP, f"edit {n}"), about=about, newest=True))
            )

        for n in range(3):  # the burst is spent
            await governor.go(GROUP, "send", wire.work(GROUP, f"send {n}"))
        for n in range(5):
            tasks.start_soon(edit, n, 77)
            tasks.start_soon(edit, 100 + n, 78) if n == 2 else None
            await settle()
        assert sorted(done) == [(n, None) for n in range(4)]
        await anyio.sleep(5)
        assert wire.labels(GROUP)[3:] == ["edit 102", "edit 4"]
        assert governor.traffic.outdated == 4


async def test_an_edit_caught_by_a_flood_gives_way_to_a_newer_one() -> None:
    async with crowd() as tasks:
        wire, governor = Wire(), Governor(FREE)
        wire.floods[GROUP, "edit"] = [5.0]
        for n in range(2):  # the second is asked for while the first is under way
            tasks.start_soon(
                lambda n=n: governor.go(
                    GROUP, "edit", wire.work(GROUP, f"edit {n}", 1.0), about=7, newest=True
                )
            )
            await settle()
        await anyio.sleep(10)
        assert wire.labels(GROUP) == ["edit 1"]


async def test_a_deletion_takes_the_waiting_edits_of_that_message_with_it() -> None:
    async with crowd() as tasks:
        wire, governor = Wire(), Governor()
        wire.floods[GROUP, "edit"] = [5.0]
        tasks.start_soon(lambda: governor.go(GROUP, "edit", wire.work(GROUP, "edit"), about=7, newest=True))
        await settle()
        await governor.go(GROUP, "delete", wire.work(GROUP, "delete"), about=7, paced=False)
        await anyio.sleep(10)
        assert wire.labels(GROUP) == ["delete"]


async def test_a_full_lane_refuses_and_the_others_are_open() -> None:
    async with crowd() as tasks:
        wire, governor = Wire(), Governor()
        for n in range(3 + 32):  # a burst, and a full lane
            tasks.start_soon(governor.go, GROUP, "send", wire.work(GROUP, f"send {n}"))
            await settle()
        with pytest.raises(SendError, match="busy"):
            await governor.go(GROUP, "send", wire.work(GROUP, "one too many"))
        assert governor.traffic.waiting == 32
        assert governor.traffic.refused == 1
        assert await governor.go(OTHER, "send", wire.work(OTHER, "send"))


async def test_whoever_would_wait_past_the_patience_is_told_so() -> None:
    async with crowd():
        governor, wire, start = Governor(Limits(per_minute=2, patience=10.0)), Wire(), anyio.current_time()
        for n in range(2):
            await governor.go(GROUP, "send", wire.work(GROUP, f"send {n}"))
        with pytest.raises(SendError, match="busy"):
            await governor.go(GROUP, "send", wire.work(GROUP, "send 2"))
        assert anyio.current_time() == start


async def test_whoever_waits_behind_work_that_does_not_end_is_told_after_the_patience() -> None:
    async with crowd() as tasks:
        governor, wire, start = Governor(Limits(patience=10.0)), Wire(), anyio.current_time()
        tasks.start_soon(governor.go, GROUP, "send", wire.work(GROUP, "stuck", 1000.0))
        await settle()
        with pytest.raises(SendError, match="busy"):
            await governor.go(GROUP, "send", wire.work(GROUP, "behind"))
        assert anyio.current_time() == pytest.approx(start + 10.0)


async def test_what_does_not_count_towards_the_limits_of_a_chat_does_not_wait_for_them() -> None:
    governor, wire, start = Governor(), Wire(), anyio.current_time()
    for n in range(3):
        await governor.go(GROUP, "send", wire.work(GROUP, f"send {n}"))
    for n in range(3):
        await governor.go(GROUP, "delete", wire.work(GROUP, f"delete {n}"), paced=False)
    assert anyio.current_time() == start


async def test_what_the_overall_limit_delays_counts_for_its_chat_when_it_goes() -> None:
    governor, wire, start = Governor(Limits(overall=1, burst=1, per_second=0.5)), Wire(), anyio.current_time()
    await governor.go(OTHER, "send", wire.work(OTHER, "send"))
    for n in range(2):
        await governor.go(GROUP, "send", wire.work(GROUP, f"send {n}"))
    assert [when - start for when in wire.times(GROUP)] == pytest.approx([1.0, 3.0])


async def test_a_chat_under_a_flood_is_not_forgotten() -> None:
    governor, wire = Governor(FREE), Wire()
    wire.floods[GROUP, "send"] = [5000.0]
    with pytest.raises(SendError, match="FLOOD_WAIT"):
        await governor.go(GROUP, "send", wire.work(GROUP, "send"))
    for chat in range(1, 1000):
        await governor.go(chat, "send", wire.work(chat, "send"))
        await anyio.sleep(1)
    with pytest.raises(SendError, match="FLOOD_WAIT"):
        await governor.go(GROUP, "send", wire.work(GROUP, "send"))


async def test_a_cancelled_caller_leaves_its_lane_free() -> None:
    async with crowd() as tasks:
        wire, governor = Wire(), Governor(FREE)
        async with anyio.create_task_group() as doomed:
            doomed.start_soon(governor.go, GROUP, "send", wire.work(GROUP, "under way", 60.0))
            await settle()
            doomed.start_soon(governor.go, GROUP, "send", wire.work(GROUP, "waiting"))
            await settle()
            tasks.start_soon(governor.go, GROUP, "send", wire.work(GROUP, "patient"))
            await settle()
            doomed.cancel_scope.cancel()
        await settle()
        assert wire.labels(GROUP) == ["patient"]
        assert governor.traffic.waiting == 0


async def test_a_caller_cancelled_while_it_waits_for_the_overall_limit_leaves_its_lane_free() -> None:
    wire, governor = Wire(), Governor(Limits(overall=1))
    await governor.go(OTHER, "send", wire.work(OTHER, "send"))
    with anyio.move_on_after(0.5):
        await governor.go(GROUP, "send", wire.work(GROUP, "too late"))
    assert await governor.go(GROUP, "send", wire.work(GROUP, "send")) == "send"


async def test_an_error_goes_to_whoever_asked_and_costs_the_lane_nothing() -> None:
    governor, wire = Governor(), Wire()

    async def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await governor.go(GROUP, "send", broken)
    assert await governor.go(GROUP, "send", wire.work(GROUP, "send")) == "send"


async def test_chats_that_have_gone_quiet_are_forgotten() -> None:
    governor, wire = Governor(FREE), Wire()
    for chat in range(1, 1000):
        await governor.go(chat, "send", wire.work(chat, "send"))
        await anyio.sleep(1)
    assert len(governor._lanes) <= 256


async def test_what_goes_out_keeps_every_limit_under_any_load() -> None:
    """Bursts of all kinds into three groups; the wire's own record is judged."""
    async with crowd() as tasks:
        wire, governor = Wire(), Governor(Limits(waiting=1000, patience=10_000, overall=5))
        for n in range(90):
            chat = (GROUP, OTHER, -100789)[n * n % 3]
            tasks.start_soon(governor.go, chat, "send", wire.work(chat, f"send {n}"))
            await anyio.sleep((0, 0, 3.0, 0, 0.2)[n % 5])
        await anyio.sleep(1000)
        assert len(wire.gone) == 90
        every = [when for _, _, when in wire.gone]
        assert all(later - first >= 1.0 - 1e-6 for first, later in zip(every, every[5:], strict=False))
        for chat in (GROUP, OTHER, -100789):
            times = wire.times(chat)
            assert all(later - first >= 60.0 - 1e-6 for first, later in zip(times, times[20:], strict=False))
            assert all(later - first >= 1.0 - 1e-6 for first, later in zip(times, times[3:], strict=False))
            numbers = [int(label.split()[1]) for label in wire.labels(chat)]
            assert all(a < b for a, b in pairwise(numbers))
