"""Laws of the gates, on both backends, with a clock that jumps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
import pytest
import trio.testing
from clocks import JumpingLoop
from pyrogram.errors import FloodWait

from ryzen.errors import VoiceError, VoiceTrouble
from ryzen.telegram.voice_gate import AT_ONCE, FLOOD_PATIENCE, Gates

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, object]]:
    if request.param == "trio":
        return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}
    return "asyncio", {"loop_factory": JumpingLoop}


class Telegram:
    """Answers after ``takes`` seconds; ``floods`` are what it asks the next callers to wait."""

    def __init__(self, takes: float = 0.1) -> None:
        self.takes = takes
        self.floods: list[int] = []
        self.until = 0.0  # it floods whoever comes before
        self.asked: list[float] = []
        self.now = self.most = 0

    async def ask(self) -> str:
        self.asked.append(anyio.current_time())
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await anyio.sleep(self.takes)
        finally:
            self.now -= 1
        if self.floods:
            raise FloodWait(self.floods.pop(0))
        if (left := self.until - anyio.current_time()) > 0:
            raise FloodWait(left)
        return "answer"


async def told(work: Callable[[], Awaitable[object]]) -> VoiceError:
    with pytest.raises(VoiceError) as caught:
        await work()
    assert caught.value.trouble is VoiceTrouble.FLOODED
    assert caught.value.lasting
    return caught.value


async def test_an_open_gate_is_no_hindrance() -> None:
    gates, telegram = Gates(), Telegram(takes=0.0)
    begun = anyio.current_time()
    assert await gates.through("join", telegram.ask) == "answer"
    assert anyio.current_time() == begun


async def test_a_short_flood_is_waited_for_and_asked_again() -> None:
    gates, telegram = Gates(), Telegram(takes=0.0)
    telegram.floods = [int(FLOOD_PATIENCE)]
    begun = anyio.current_time()
    assert await gates.through("join", telegram.ask) == "answer"
    assert telegram.asked == [begun, begun + FLOOD_PATIENCE]


async def test_a_long_flood_is_told_at_once_and_to_all_who_come_while_it_runs() -> None:
    gates, telegram = Gates(), Telegram(takes=0.0)
    telegram.floods = [60]
    begun = anyio.current_time()
    assert (await told(lambda: gates.through("join", telegram.ask))).retry_after == 60
    await anyio.sleep(20)
    error = await told(lambda: gates.through("join", telegram.ask))
    assert error.retry_after == 40
    assert "40 s" in error.detail
    assert anyio.current_time() == begun + 20
    assert telegram.asked == [begun]


async def test_whoever_comes_when_it_is_nearly_over_waits_for_the_rest() -> None:
    gates, telegram = Gates(), Telegram(takes=0.0)
    telegram.floods = [60]
    begun = anyio.current_time()
    await told(lambda: gates.through("join", telegram.ask))
    await anyio.sleep(60 - FLOOD_PATIENCE)
    assert await gates.through("join", telegram.ask) == "answer"
    assert telegram.asked == [begun, begun + 60]


async def test_short_floods_in_a_row_are_borne_no_longer_than_one() -> None:
    gates, telegram = Gates(), Telegram(takes=0.0)
    telegram.floods = [3, 3, 3]
    begun = anyio.current_time()
    assert (await told(lambda: gates.through("join", telegram.ask))).retry_after == 3
    assert telegram.asked == [begun, begun + 3]


async def test_after_the_wait_that_was_told_it_is_open() -> None:
    gates, telegram = Gates(), Telegram(takes=0.0)
    telegram.floods = [60]
    error = await told(lambda: gates.through("join", telegram.ask))
    assert error.retry_after is not None
    await anyio.sleep(error.retry_after)
    begun = anyio.current_time()
    await gates.through("join", telegram.ask)
    assert anyio.current_time() == begun


async def test_a_shorter_word_does_not_open_a_gate_before_its_time() -> None:
    gates, telegram = Gates(), Telegram()
    telegram.floods = [60, 5]
    async with anyio.create_task_group() as tasks:
        for _ in range(2):
            tasks.start_soon(told, lambda: gates.through("join", telegram.ask))
    assert (await told(lambda: gates.through("join", telegram.ask))).retry_after == 60


async def test_each_method_has_a_gate_of_its_own() -> None:
    gates, telegram = Gates(), Telegram()
    telegram.floods = [60]
    await told(lambda: gates.through("join", telegram.ask))
    assert await gates.through("leave", telegram.ask) == "answer"


async def test_a_crowd_meets_a_flood_with_a_few_and_passes_when_it_is_over() -> None:
    gates, telegram = Gates(), Telegram()
    telegram.until = anyio.current_time() + 60
    async with anyio.create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(told, lambda: gates.through("join", telegram.ask))
    assert len(telegram.asked) == AT_ONCE
    await anyio.sleep_until(telegram.until)
    async with anyio.create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(gates.through, "join", telegram.ask)
    assert len(telegram.asked) == AT_ONCE + 50
    assert telegram.most == AT_ONCE


async def test_who_is_cancelled_while_it_waits_asks_nothing_and_holds_up_nobody() -> None:
    gates, telegram = Gates(), Telegram()
    telegram.floods = [4]
    for _ in range(2 * AT_ONCE):
        with anyio.move_on_after(0.2):
            await gates.through("join", telegram.ask)
    assert len(telegram.asked) == 1
    assert await gates.through("join", telegram.ask) == "answer"


async def test_what_else_goes_wrong_is_the_askers_and_leaves_the_place_free() -> None:
    gates = Gates()

    async def fail() -> None:
        raise ValueError

    for _ in range(2 * AT_ONCE):
        with pytest.raises(ValueError):
            await gates.through("join", fail)
