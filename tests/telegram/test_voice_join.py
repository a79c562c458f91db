"""Laws of joining: with the real client, py-tgcalls and the native engine on the local Telegram."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
import pytest
from pytgcalls.pytgcalls_session import PyTgCallsSession
from voice_stage import ASSISTANT, FIRST_GROUP, HumDeck, Stage, until, voice_stage

from ryzen.errors import VoiceError, VoiceTrouble
from ryzen.telegram import voice_engine
from ryzen.telegram.voice import VoiceCalls

pytestmark = pytest.mark.anyio

JOIN = "phone.JoinGroupCall"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"  # the libraries know no other


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with voice_stage() as stage:
        yield stage


async def refused(stage: Stage, chat_id: int, deck: HumDeck) -> VoiceError:
    with pytest.raises(VoiceError) as caught:
        await stage.calls.of(chat_id, lambda *_: None).join(deck)
    return caught.value


async def test_who_has_joined_is_read_and_heard(stage: Stage) -> None:
    chat, deck = await stage.chat(), stage.deck(440)
    await chat.call.join(deck)
    assert deck.bytes_read() > 0
    peer = await stage.hear(chat, 440)
    since = anyio.current_time()
    await anyio.sleep(0.5)
    heard = peer.hears(since)
    assert heard.hz == pytest.approx(440, abs=3)
    assert heard.share > 0.9
    assert not chat.group.call.members[ASSISTANT].muted  # type: ignore[union-attr]


@pytest.mark.parametrize("delay", [0.0, 0.4])
async def test_heard_on_a_way_too_fast_to_be_reported_and_on_a_slow_one(delay: float) -> None:
    async with voice_stage(delay) as stage:
        chat = await stage.chat()
        for _ in range(2 if delay else 10):
            await chat.call.join(stage.deck(440))
            await stage.hear(chat, 440)
            await chat.call.leave()
    assert chat.lost == []


async def test_joining_again_changes_the_deck_and_keeps_the_call(stage: Stage) -> None:
    chat, first, second = await stage.chat(), stage.deck(440), stage.deck(880)
    await chat.call.join(first)
    peer = await stage.hear(chat, 440)
    await chat.call.join(second)
    since = anyio.current_time()
    await peer.until_heard(880, since)
    assert stage.peer(chat) is peer
    assert stage.box.calls[JOIN] == 1
    assert first.bytes_read() == 0  # nobody reads it any more


async def test_groups_that_join_at_once_are_all_heard_and_not_mixed_up(stage: Stage) -> None:
    chats = [await stage.chat() for _ in range(10)]
    async with anyio.create_task_group() as tasks:
        for number, chat in enumerate(chats):
            tasks.start_soon(chat.call.join, stage.deck(400 + 100 * number))
    for number, chat in enumerate(chats):
        await stage.hear(chat, 400 + 100 * number)
    async with anyio.create_task_group() as tasks:
        for chat in chats:
            tasks.start_soon(chat.call.leave)
    assert await stage.calls.in_engine() == frozenset()
    assert not any(stage.is_listed(chat) for chat in chats)


async def test_no_voice_chat_is_said_and_one_opened_later_is_found(stage: Stage) -> None:
    chat = await stage.chat(voice_chat=False)
    error = await refused(stage, chat.id, stage.deck(440))
    assert error.trouble is VoiceTrouble.NO_VOICE_CHAT
    assert not await stage.is_in_engine(chat)
    stage.box.open_voice_chat(chat.group)
    await chat.call.join(stage.deck(440))
    await stage.hear(chat, 440)
    assert stage.box.calls["phone.CreateGroupCall"] == 0


async def test_a_voice_chat_replaced_unseen_is_found_anew(stage: Stage) -> None:
    chat = await stage.chat()
    await chat.call.join(stage.deck(440))
    await chat.call.leave()
    stage.account.listen(lambda *_: None)  # the updates are missed
    stage.box.close_voice_chat(chat.group)
    stage.box.open_voice_chat(chat.group)
    await stage.box.say(chat.group, stage.owner, "again")
    await anyio.sleep(0.1)
    stage.account.listen(stage.calls.take)
    await chat.call.join(stage.deck(880))
    await stage.hear(chat, 880)


async def test_a_voice_chat_closed_unseen_is_no_voice_chat(stage: Stage) -> None:
    chat = await stage.chat()
    await chat.call.join(stage.deck(440))
    await chat.call.leave()
    stage.account.listen(lambda *_: None)
    stage.box.close_voice_chat(chat.group)
    await anyio.sleep(0.1)
    assert (await refused(stage, chat.id, stage.deck(440))).trouble is VoiceTrouble.NO_VOICE_CHAT


async def test_an_ssrc_refused_once_is_replaced_and_heard(stage: Stage) -> None:
    chat = await stage.chat()
    stage.box.faults.fail(JOIN, 400, "GROUPCALL_SSRC_DUPLICATE_MUCH")
    await chat.call.join(stage.deck(440))
    await stage.hear(chat, 440)
    assert stage.box.calls[JOIN] == 2


async def test_ssrcs_refused_for_good_are_said_and_the_next_join_works(stage: Stage) -> None:
    chat = await stage.chat()
    order = stage.box.faults.fail(JOIN, 400, "GROUPCALL_SSRC_DUPLICATE_MUCH", times=100)
    error = await refused(stage, chat.id, stage.deck(440))
    assert error.trouble is VoiceTrouble.JOIN_REFUSED
    assert order.met == 3
    assert not await stage.is_in_engine(chat)
    stage.box.faults.clear()
    await chat.call.join(stage.deck(440))
    await stage.hear(chat, 440)


async def test_forbidden_for_good_is_asked_twice_at_most(stage: Stage) -> None:
    chat = await stage.chat()
    order = stage.box.faults.fail(JOIN, 403, "GROUPCALL_FORBIDDEN", times=100)
    error = await refused(stage, chat.id, stage.deck(440))
    assert (error.trouble, error.detail) == (VoiceTrouble.JOIN_REFUSED, "GROUPCALL_FORBIDDEN")
    assert order.met <= 2
    assert not await stage.is_in_engine(chat)


async def test_an_assistant_outside_the_group_is_missing(stage: Stage) -> None:
    chat = await stage.chat()
    await stage.box.ban(chat.group, stage.assistant)
    assert (await refused(stage, chat.id, stage.deck(440))).trouble is VoiceTrouble.ASSISTANT_MISSING
    unknown = -1_000_000_000_000 - FIRST_GROUP - 77
    assert (await refused(stage, unknown, stage.deck(440))).trouble is VoiceTrouble.ASSISTANT_MISSING


async def test_a_join_whose_answer_was_lost_on_the_way_is_heard(stage: Stage) -> None:
    chat = await stage.chat()
    stage.box.faults.drop(JOIN, handled=True)
    await chat.call.join(stage.deck(440))
    await stage.hear(chat, 440)


async def test_a_cancelled_join_leaves_nothing_behind(stage: Stage) -> None:
    chat = await stage.chat()
    order = stage.box.faults.delay(JOIN, 0.4, times=1)
    with anyio.move_on_after(0.1) as scope:
        await chat.call.join(stage.deck(440))
    assert scope.cancelled_caught
    assert anyio.current_time() < scope.deadline + 0.2  # the caller does not wait for the cleaning
    deck = stage.deck(880)
    await chat.call.join(deck)  # but the next join does
    assert order.met == 1
    await stage.hear(chat, 880)
    await chat.call.leave()
    assert not stage.is_listed(chat)
    assert not await stage.is_in_engine(chat)
    assert chat.lost == []


async def test_a_join_cancelled_before_its_answer_leaves_no_ghost(stage: Stage) -> None:
    chat = await stage.chat()
    stage.box.faults.delay(JOIN, 0.3, times=1)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(chat.call.join, stage.deck(440))
        await until(lambda: stage.box.calls[JOIN])
        tasks.cancel_scope.cancel()
    await until(lambda: stage.box.calls["phone.LeaveGroupCall"] == 1)
    await anyio.sleep(0.4)  # the join has been answered by now
    assert not stage.is_listed(chat)
    assert not await stage.is_in_engine(chat)


async def test_leaving_undoes_a_join_under_way(stage: Stage) -> None:
    chat = await stage.chat()
    stage.box.faults.delay(JOIN, 0.2, times=1)
    ended: list[VoiceError] = []

    async def join() -> None:
        with pytest.raises(VoiceError) as caught:
            await chat.call.join(stage.deck(440))
        ended.append(caught.value)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(join)
        await anyio.sleep(0.1)
        await chat.call.leave()
    assert [error.trouble for error in ended] == [VoiceTrouble.LOST]
    assert not stage.is_listed(chat)
    assert not await stage.is_in_engine(chat)


async def test_an_engine_that_hangs_in_one_chat_holds_up_no_other(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, well = await stage.chat(), await stage.chat()
    engine = stage.calls._engine
    create_call, never = engine._binding.create_call, anyio.Event()

    class Binding:
        """The native one, but for a call that never comes back."""

        def __init__(self, native: object) -> None:
            self.native = native

        def __getattr__(self, name: str) -> object:
            return getattr(self.native, name)

        def create_call(self, chat_id: int) -> object:
            if chat_id == stuck.id:
                return engine.loop.create_future()
            return create_call(chat_id)

    monkeypatch.setattr(voice_engine, "NATIVE_WITHIN", 1.0)
    monkeypatch.setattr(engine, "_binding", Binding(engine._binding))
    async with anyio.create_task_group() as tasks:

        async def join() -> None:
            assert (await refused(stage, stuck.id, stage.deck(440))).trouble is VoiceTrouble.LOST
            never.set()

        tasks.start_soon(join)
        await well.call.join(stage.deck(880))
        await stage.hear(well, 880)
        assert not never.is_set()


async def test_no_web_server_is_asked_for_a_newer_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PyTgCallsSession, "notice_displayed", False)

    async def ask(_: str) -> str:
        raise AssertionError("asked")

    monkeypatch.setattr(PyTgCallsSession, "_remote_version", staticmethod(ask))
    async with voice_stage():
        assert PyTgCallsSession.notice_displayed


async def test_the_start_of_the_calls_asks_telegram_nothing(stage: Stage) -> None:
    asked = sum(stage.box.calls.values())
    async with VoiceCalls(stage.account) as calls:
        assert await calls.in_engine() == frozenset()
    assert sum(stage.box.calls.values()) == asked
