"""Rights and paces, on a clock that the test holds."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import anyio
import pytest
from bot_fakes import ADMIN, GROUP, GUEST, OTHER, OWNER, SUDOER, FakeGroups
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from ryzen.bot.guard import HOLD, Guard, Verdict, Who
from ryzen.bot.pace import Pace, Paces, Rate
from ryzen.ports import Person

pytestmark = pytest.mark.anyio


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def guard(groups: FakeGroups, clock: Callable[[], float] = anyio.current_time) -> Guard:
    return Guard(groups, OWNER.id, frozenset({SUDOER.id}), clock)


async def test_telegram_is_asked_once_in_a_while() -> None:
    groups, clock = FakeGroups(), Clock()
    asking = guard(groups, clock)
    for clock.now in (0.0, 1.0, HOLD - 1):
        assert await asking.may(Who.ADMIN, ADMIN, GROUP) is Verdict.YES
        assert await asking.may(Who.ADMIN, GUEST, GROUP) is Verdict.NOT_ADMIN
    assert groups.asked == 1
    groups.admins[GROUP] = frozenset()
    clock.now = HOLD + 1
    assert await asking.may(Who.ADMIN, ADMIN, GROUP) is Verdict.NOT_ADMIN
    assert groups.asked == 2


async def test_the_admins_of_one_group_are_nothing_in_another() -> None:
    groups = FakeGroups()
    groups.admins[OTHER] = frozenset({GUEST.id})
    asking = guard(groups)
    assert await asking.may(Who.ADMIN, ADMIN, GROUP) is Verdict.YES
    assert await asking.may(Who.ADMIN, ADMIN, OTHER) is Verdict.NOT_ADMIN
    assert await asking.may(Who.ADMIN, GUEST, OTHER) is Verdict.YES


async def test_a_change_of_members_is_heeded_at_once() -> None:
    groups = FakeGroups()
    asking = guard(groups)
    await asking.may(Who.ADMIN, ADMIN, GROUP)
    groups.admins[GROUP] = frozenset({GUEST.id})
    asking.forget(GROUP)
    assert await asking.may(Who.ADMIN, ADMIN, GROUP) is Verdict.NOT_ADMIN
    assert await asking.may(Who.ADMIN, GUEST, GROUP) is Verdict.YES


async def test_many_who_ask_at_once_are_one_question_to_telegram() -> None:
    groups = FakeGroups()
    groups.gate = anyio.Event()
    asking, verdicts = guard(groups), []

    async def ask(person: Person) -> None:
        verdicts.append(await asking.may(Who.ADMIN, person, GROUP))

    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(ask, ADMIN)
        await anyio.sleep(0.01)
        groups.gate.set()
    assert verdicts == [Verdict.YES] * 10
    assert groups.asked == 1


async def test_an_answer_that_is_overtaken_by_a_change_is_not_believed() -> None:
    groups = FakeGroups()
    groups.gate = anyio.Event()
    asking, verdicts = guard(groups), []

    async def ask() -> None:
        verdicts.append(await asking.may(Who.ADMIN, ADMIN, GROUP))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        tasks.start_soon(ask)
        await anyio.sleep(0.01)
        groups.admins[GROUP] = frozenset()  # demoted, while Telegram's answer is on its way
        asking.forget(GROUP)
        groups.gate.set()
    assert verdicts == [Verdict.NOT_ADMIN] * 2


async def test_who_gives_up_waiting_leaves_the_others_their_answer() -> None:
    groups = FakeGroups()
    groups.gate = anyio.Event()
    asking, verdicts = guard(groups), []

    async def ask() -> None:
        verdicts.append(await asking.may(Who.ADMIN, ADMIN, GROUP))

    async with anyio.create_task_group() as tasks:
        with anyio.move_on_after(0.02):
            async with anyio.create_task_group() as first:
                first.start_soon(ask)
                await anyio.sleep(0.01)
                tasks.start_soon(ask)
        groups.gate.set()
    assert verdicts == [Verdict.YES]


async def test_no_answer_is_a_no_that_is_not_remembered() -> None:
    groups = FakeGroups()
    asking = guard(groups)
    groups.down = True
    assert await asking.may(Who.ADMIN, ADMIN, GROUP) is Verdict.UNKNOWN
    groups.down = False
    assert await asking.may(Who.ADMIN, ADMIN, GROUP) is Verdict.YES


@pytest.mark.parametrize("anyio_backend", [("trio", {"clock": MockClock(autojump_threshold=0)})])
async def test_while_telegram_is_silent_the_answer_is_no_in_seconds() -> None:
    groups = FakeGroups()
    groups.gate = anyio.Event()
    with anyio.fail_after(6):
        assert await guard(groups).may(Who.ADMIN, ADMIN, GROUP) is Verdict.UNKNOWN


async def test_only_the_group_itself_is_an_anonymous_admin() -> None:
    groups = FakeGroups()
    asking = guard(groups)
    assert await asking.may(Who.ADMIN, Person(GROUP, "Group", anonymous=True), GROUP) is Verdict.YES
    assert await asking.may(Who.ADMIN, Person(OTHER, "Channel", anonymous=True), GROUP) is Verdict.NOT_ADMIN
    assert await asking.may(Who.ADMIN, Person(GROUP, "Group", anonymous=False), GROUP) is Verdict.NOT_ADMIN


async def test_staff_is_from_the_settings_and_needs_no_telegram() -> None:
    groups = FakeGroups()
    groups.down = True
    asking = guard(groups)
    for person, verdicts in {
        OWNER: (Verdict.YES, Verdict.YES, Verdict.YES, Verdict.YES),
        SUDOER: (Verdict.YES, Verdict.YES, Verdict.YES, Verdict.NOT_OWNER),
        GUEST: (Verdict.YES, Verdict.UNKNOWN, Verdict.NOT_SUDOER, Verdict.NOT_OWNER),
    }.items():
        assert tuple([await asking.may(who, person, GROUP) for who in Who]) == verdicts


# -- pace
def test_five_in_ten_seconds_and_told_once_a_window() -> None:
    clock = Clock()
    paces = Paces(Rate(5, 10.0), clock)
    assert [paces.take("gus") for _ in range(8)] == [
        *[Pace.FINE] * 5,
        Pace.TOO_FAST,
        *[Pace.STILL_TOO_FAST] * 2,
    ]
    assert paces.take("ada") is Pace.FINE
    clock.now = 9.9
    assert paces.take("gus") is Pace.STILL_TOO_FAST
    clock.now = 10.0
    assert [paces.take("gus") for _ in range(6)] == [*[Pace.FINE] * 5, Pace.TOO_FAST]


def test_no_limit() -> None:
    paces = Paces(Rate(0, 10.0), Clock())
    assert {paces.take("gus") for _ in range(100)} == {Pace.FINE}


@given(st.lists(st.integers(0, 60), min_size=1, max_size=80), st.integers(1, 6), st.integers(1, 20))
def test_no_window_ever_holds_more_than_the_rate(moments: list[int], most: int, period: int) -> None:
    clock = Clock()
    paces = Paces(Rate(most, period), clock)
    fine, told = [], []
    for clock.now in sorted(moments):
        match paces.take("gus"):
            case Pace.FINE:
                fine.append(clock.now)
            case Pace.TOO_FAST:
                told.append(clock.now)
    for start in fine:
        assert sum(start <= moment < start + period for moment in fine) <= most
    assert all(later - earlier >= period for earlier, later in pairwise(told))
    assert fine[0] == min(moments)
