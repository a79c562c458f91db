"""Trouble on demand, and only where it was ordered."""

from __future__ import annotations

import time

import anyio
import pytest
from boxes import F, T, town
from pyrogram import errors

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_flood_wait_is_for_its_method_and_chat_alone() -> None:
    async with town() as t:
        other = t.box.add_group(1002, "Others", t.owner, [t.bot])
        async with t.online(t.bot, sleep_threshold=0) as bot:
            flood = t.box.faults.flood("messages.SendMessage", seconds=7, chat_id=t.group.chat_id, times=2)
            for _ in range(2):
                with pytest.raises(errors.FloodWait) as caught:
                    await bot.send_message(t.group.chat_id, "no")
                assert caught.value.value == 7
            await bot.send_message(other.chat_id, "another chat")
            sent = await bot.send_message(t.group.chat_id, "over")
            t.box.faults.flood("messages.SendMessage", seconds=7, chat_id=t.group.chat_id, times=1)
            await bot.edit_message_text(t.group.chat_id, sent.id, "another method")
            assert flood.met == 2


async def test_a_flood_wait_without_a_count_tells_what_is_left_and_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with town() as t, t.online(t.bot, sleep_threshold=0) as bot:
        t.box.faults.flood("messages.SendMessage", seconds=30)
        now = time.monotonic
        for later, left in ((0, 30), (25, 5)):
            monkeypatch.setattr("ryzen.sandbox.box.faults.time.monotonic", lambda later=later: now() + later)
            with pytest.raises(errors.FloodWait) as caught:
                await bot.send_message(t.group.chat_id, "no")
            assert caught.value.value == left
        monkeypatch.setattr("ryzen.sandbox.box.faults.time.monotonic", lambda: now() + 31)
        await bot.send_message(t.group.chat_id, "yes")


async def test_a_fault_of_one_groups_voice_chat_leaves_the_others_alone() -> None:
    async with town() as t, t.online(t.owner) as owner:
        other = t.box.add_group(1002, "Others", t.owner)
        t.box.faults.fail("phone.GetGroupCall", 400, "GROUPCALL_INVALID", chat_id=other.chat_id)
        calls = [t.box.open_voice_chat(group) for group in (t.group, other)]
        fine, faulty = [
            F.phone.GetGroupCall(call=T.InputGroupCall(id=one.id, access_hash=one.access_hash), limit=1)
            for one in calls
        ]
        assert (await owner.invoke(fine)).call.id == calls[0].id
        with pytest.raises(errors.GroupcallInvalid):
            await owner.invoke(faulty)


async def test_an_error_is_given_as_often_as_ordered() -> None:
    async with town() as t, t.online(t.bot) as bot:
        t.box.faults.fail("messages.SendMessage", 403, "CHAT_WRITE_FORBIDDEN", times=2)
        for _ in range(2):
            with pytest.raises(errors.ChatWriteForbidden):
                await bot.send_message(t.group.chat_id, "no")
        await bot.send_message(t.group.chat_id, "yes")


async def test_an_order_for_one_account_leaves_the_others_alone() -> None:
    async with town() as t, t.online(t.bot) as bot, t.online(t.owner) as owner:
        t.box.faults.fail("messages.SendMessage", 403, "CHAT_WRITE_FORBIDDEN", user_id=t.owner.id)
        await bot.send_message(t.group.chat_id, "yes")
        with pytest.raises(errors.ChatWriteForbidden):
            await owner.send_message(t.group.chat_id, "no")


async def test_a_delayed_request_is_handled_late_and_holds_up_no_other() -> None:
    async with town() as t, t.online(t.bot) as bot:
        other = t.box.add_group(1002, "Others", t.owner, [t.bot])
        t.box.faults.delay("messages.SendMessage", 0.3, chat_id=t.group.chat_id)
        order: list[str] = []

        async def send(chat_id: int, text: str) -> None:
            await bot.send_message(chat_id, text)
            order.append(text)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(send, t.group.chat_id, "slow")
            tasks.start_soon(send, other.chat_id, "quick")
        assert order == ["quick", "slow"]


async def test_a_request_whose_connection_is_cut_is_not_handled() -> None:
    async with town() as t, t.online(t.bot) as bot:
        t.box.faults.drop("users.GetFullUser")
        with pytest.raises(TimeoutError):
            await bot.session.send(F.users.GetFullUser(id=T.InputUserSelf()), timeout=0.2)
        assert (await bot.get_me()).id == t.bot.id


async def test_faults_can_be_taken_back() -> None:
    async with town() as t, t.online(t.bot) as bot:
        t.box.faults.fail("messages.SendMessage", 403, "CHAT_WRITE_FORBIDDEN", times=99)
        t.box.faults.clear()
        await bot.send_message(t.group.chat_id, "yes")


async def test_a_misspelt_method_is_refused_when_ordered() -> None:
    async with town() as t:
        for method in ("messages.SendMesage", "SendMessage", "nothing.At.All", ""):
            with pytest.raises(ValueError, match="no method"):
                t.box.faults.fail(method, 400, "X")


async def test_a_box_that_refuses_lets_nobody_in() -> None:
    async with town() as t:
        t.box.refusing = True
        stream = await anyio.connect_tcp(t.box.host, t.box.port)
        async with stream:
            with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
                await stream.receive()
        t.box.refusing = False
        async with t.online(t.owner) as owner:
            assert (await owner.get_me()).id == t.owner.id
