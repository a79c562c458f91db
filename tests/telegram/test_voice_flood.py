"""Laws of joining when Telegram asks to wait: few requests, everybody is told, and later all get in."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
import pytest
from voice_stage import Chat, Stage, until, voice_stage

from ryzen.errors import VoiceError, VoiceTrouble
from ryzen.telegram import voice_gate

pytestmark = pytest.mark.anyio

JOIN, LEAVE, LOOK = "phone.JoinGroupCall", "phone.LeaveGroupCall", "channels.GetFullChannel"
CROWD = 20


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"  # the libraries know no other


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with voice_stage() as stage:
        yield stage


async def refused(stage: Stage, chat: Chat) -> VoiceError:
    with pytest.raises(VoiceError) as caught:
        await chat.call.join(stage.deck(440))
    assert caught.value.trouble is VoiceTrouble.FLOODED
    return caught.value


async def all_join(stage: Stage, chats: list[Chat]) -> None:
    async with anyio.create_task_group() as tasks:
        for number, chat in enumerate(chats):
            tasks.start_soon(chat.call.join, stage.deck(400 + 50 * number))
    for number, chat in enumerate(chats):
        await stage.hear(chat, 400 + 50 * number)
    assert all(chat.lost == [] for chat in chats)


async def test_a_short_flood_wait_is_waited_for_by_a_crowd_that_then_gets_in(stage: Stage) -> None:
    chats = [await stage.chat() for _ in range(CROWD)]
    order = stage.box.faults.flood(JOIN, 1)
    await all_join(stage, chats)
    assert 0 < order.met <= voice_gate.AT_ONCE
    assert stage.box.calls[JOIN] == order.met + CROWD


@pytest.mark.parametrize("method", [JOIN, LOOK])
async def test_a_long_flood_wait_is_said_and_no_voice_chat_is_made(stage: Stage, method: str) -> None:
    chat = await stage.chat(voice_chat=method == JOIN)
    stage.box.faults.flood(method, 77, times=1)
    error = await refused(stage, chat)
    assert error.retry_after == pytest.approx(77, abs=1)
    assert error.lasting
    assert "77 s" in error.detail
    assert stage.box.calls["phone.CreateGroupCall"] == 0
    assert not await stage.is_in_engine(chat)


async def test_a_crowd_in_a_long_flood_asks_a_few_times_and_gets_in_after_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voice_gate, "FLOOD_PATIENCE", 0.0)  # so that two seconds are a long flood
    chats = [await stage.chat() for _ in range(CROWD)]
    waits: list[float] = []

    async def try_it(chat: Chat) -> None:
        error = await refused(stage, chat)
        assert error.retry_after is not None
        waits.append(anyio.current_time() + error.retry_after)

    order = stage.box.faults.flood(JOIN, 2)
    for _ in range(3):
        async with anyio.create_task_group() as tasks:
            for chat in chats:
                tasks.start_soon(try_it, chat)
    assert 0 < order.met <= voice_gate.AT_ONCE
    assert (stage.box.calls[JOIN], stage.box.calls[LEAVE]) == (order.met, 0)
    assert await stage.calls.in_engine() == frozenset()
    await anyio.sleep_until(max(waits))
    await all_join(stage, chats)
    assert stage.box.calls[JOIN] == order.met + CROWD


async def test_a_flood_of_one_method_does_not_hold_up_another(stage: Stage) -> None:
    inside, known, unknown = await stage.chat(), await stage.chat(), await stage.chat(voice_chat=False)
    await inside.call.join(stage.deck(440))
    stage.box.faults.flood(LOOK, 77)
    await refused(stage, unknown)
    await known.call.join(stage.deck(880))  # whose voice chat updates have told
    await stage.hear(known, 880)
    stage.box.faults.flood(JOIN, 77)
    await refused_again(stage, known)
    await inside.call.leave()
    assert not stage.is_listed(inside)


async def refused_again(stage: Stage, chat: Chat) -> None:
    await chat.call.leave()
    await refused(stage, chat)


async def test_leaving_does_not_wait_for_a_flood_that_a_join_bears(stage: Stage) -> None:
    chat = await stage.chat()
    order = stage.box.faults.flood(JOIN, 3)

    async def join() -> None:
        with pytest.raises(VoiceError):
            await chat.call.join(stage.deck(440))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(join)
        await until(lambda: order.met)
        with anyio.fail_after(1):
            await chat.call.leave()
    assert order.met == 1
    assert not await stage.is_in_engine(chat)
