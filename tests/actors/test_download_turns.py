"""Turns: no more at once than may be, and the most urgent first."""

from __future__ import annotations

import anyio
import pytest

from ryzen.actors.turns import Turns
from ryzen.origins import Urgency

pytestmark = pytest.mark.anyio
LISTENER, AHEAD, KEEPSAKE = Urgency.LISTENER, Urgency.AHEAD, Urgency.KEEPSAKE


class Line:
    """People who come, each for a second inside."""

    def __init__(self, at_once: int) -> None:
        self.turns = Turns(at_once)
        self.urgencies: dict[str, Urgency] = {}
        self.came_in: list[str] = []
        self.inside = self.most = 0

    async def come(self, name: str, urgency: Urgency) -> None:
        self.urgencies[name] = urgency
        async with self.turns.turn(lambda: self.urgencies[name]):
            self.came_in.append(name)
            self.inside += 1
            self.most = max(self.most, self.inside)
            try:
                await anyio.sleep(1)
            finally:
                self.inside -= 1


async def test_who_waits_goes_by_urgency_and_equals_go_as_they_came() -> None:
    line = Line(1)
    async with anyio.create_task_group() as tasks:
        for name, urgency in [
            ("first", KEEPSAKE),
            ("song", KEEPSAKE),
            ("ahead 1", AHEAD),
            ("ear 1", LISTENER),
            ("ahead 2", AHEAD),
            ("ear 2", LISTENER),
        ]:
            tasks.start_soon(line.come, name, urgency)
            await anyio.sleep(0.01)
    assert line.came_in == ["first", "ear 1", "ear 2", "ahead 1", "ahead 2", "song"]


async def test_no_more_are_inside_than_may_be() -> None:
    line = Line(3)
    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(line.come, str(number), Urgency(number % 3))
            await anyio.sleep(0.05)
    assert line.most == 3
    assert len(line.came_in) == 20


async def test_who_becomes_urgent_while_it_waits_is_taken_as_urgent() -> None:
    line = Line(1)
    async with anyio.create_task_group() as tasks:
        for name in "one", "two", "three":
            tasks.start_soon(line.come, name, AHEAD)
            await anyio.sleep(0.01)
        line.urgencies["three"] = LISTENER
    assert line.came_in == ["one", "three", "two"]


async def test_who_goes_away_while_it_waits_is_not_waited_for() -> None:
    line = Line(1)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(line.come, "one", AHEAD)
        await anyio.sleep(0.01)
        with anyio.move_on_after(0.1):
            await line.come("gone", LISTENER)
        tasks.start_soon(line.come, "two", AHEAD)
        await anyio.sleep(1.5)
        assert line.came_in == ["one", "two"]


async def test_who_goes_away_and_is_called_in_one_moment_leaves_the_place_to_another() -> None:
    line = Line(1)
    going = anyio.CancelScope()

    async def goes() -> None:
        with going:
            await line.come("gone", LISTENER)

    async with anyio.create_task_group() as tasks, line.turns.turn(lambda: AHEAD):
        tasks.start_soon(goes)
        await anyio.sleep(0.01)
        tasks.start_soon(line.come, "stays", AHEAD)
        await anyio.sleep(0.01)
        going.cancel()  # it goes, and is called before it is gone
    assert line.came_in == ["stays"]


async def test_a_place_is_free_again_after_an_error() -> None:
    turns = Turns(1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            async with turns.turn(lambda: LISTENER):
                raise ZeroDivisionError
    with anyio.fail_after(1):
        async with turns.turn(lambda: LISTENER):
            pass
