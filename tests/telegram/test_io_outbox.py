"""Laws of the outbox: a real client against the local Telegram."""

import time

import anyio
import pytest
from io_stage import FREE, PATIENCE, Heard, street, until
from pyrogram import raw

from ryzen.errors import MessageGone, SendError
from ryzen.ports import Button, Pressed
from ryzen.sandbox.box import posting
from ryzen.sandbox.box.transcript import Kind
from ryzen.telegram.governor import Limits
from ryzen.telegram.outbox import BotOutbox

pytestmark = pytest.mark.anyio
ROWS = ((Button("Pause", "pause"), Button("Skip", "skip")), (Button("Stop", "stop"),))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_message_arrives_with_its_look_its_buttons_and_what_it_answers() -> None:
    async with street() as town, town.outbox() as outbox:
        question = await town.box.say(town.group, town.owner, "/np")
        sent = await outbox.send(town.group.chat_id, "<b>One</b> &amp; two", ROWS, reply_to=question.id)
        message = town.group.ledger.messages[sent]
        assert message.text == "One & two"
        assert [(one.offset, one.length) for one in message.entities] == [(0, 3)]
        assert message.callbacks == (("Pause", b"pause"), ("Skip", b"skip"), ("Stop", b"stop"))
        assert message.reply_to == question.id


async def test_a_message_can_be_changed_to_the_same_and_deleted_twice() -> None:
    async with street() as town, town.outbox() as outbox:
        for chat in (town.group.chat_id, town.owner.id):
            await town.box.say(town.box.private(town.owner, town.bot), town.owner, "hello")
            sent = await outbox.send(chat, "one", ROWS)
            await outbox.edit(chat, sent, "two", ROWS)
            await outbox.edit(chat, sent, "two", ROWS)
            await outbox.delete(chat, sent)
            await outbox.delete(chat, sent)
            with pytest.raises(MessageGone, match="MESSAGE_ID_INVALID"):
                await outbox.edit(chat, sent, "three")
        assert town.texts() == []


async def test_the_card_that_an_admin_has_deleted_is_gone_and_deleting_it_is_no_error() -> None:
    async with street() as town, town.outbox() as outbox:
        card = await outbox.send(town.group.chat_id, "card", ROWS)
        posting.delete(town.box, town.group, [card], town.owner)
        with pytest.raises(MessageGone, match=r"^MESSAGE_ID_INVALID$"):
            await outbox.edit(town.group.chat_id, card, "card, newer", ROWS)
        await outbox.delete(town.group.chat_id, card)


async def test_a_message_that_was_never_ours_is_gone_too() -> None:
    async with street() as town, town.outbox() as outbox:
        theirs = await town.box.say(town.group, town.owner, "mine")
        with pytest.raises(MessageGone, match=r"^MESSAGE_AUTHOR_REQUIRED$"):
            await outbox.edit(town.group.chat_id, theirs.id, "yours")
        assert town.texts() == ["mine"]


@pytest.mark.parametrize("reason", ["MSG_ID_INVALID", "MESSAGE_EDIT_TIME_EXPIRED"])
async def test_what_else_telegram_says_of_a_message_that_cannot_be_edited_any_more(reason: str) -> None:
    async with street() as town, town.outbox() as outbox:
        card = await outbox.send(town.group.chat_id, "card")
        town.box.faults.fail("messages.EditMessage", 400, reason)
        with pytest.raises(MessageGone, match=reason):
            await outbox.edit(town.group.chat_id, card, "card, newer")


async def test_a_chat_that_is_closed_to_us_is_no_message_that_is_gone() -> None:
    async with street() as town, town.outbox() as outbox:
        card = await outbox.send(town.group.chat_id, "card")
        await town.box.silence(town.group, town.bot)
        with pytest.raises(SendError, match="CHAT_WRITE_FORBIDDEN") as caught:
            await outbox.edit(town.group.chat_id, card, "card, newer")
        assert not isinstance(caught.value, MessageGone)


async def test_an_old_card_can_be_edited_and_not_deleted() -> None:
    async with street() as town, town.outbox() as outbox:
        card = await outbox.send(town.group.chat_id, "card")
        town.group.ledger.messages[card].date -= 49 * 3600
        await outbox.edit(town.group.chat_id, card, "card, newer")
        with pytest.raises(SendError, match=r"^MESSAGE_DELETE_FORBIDDEN$"):
            await outbox.delete(town.group.chat_id, card)


async def test_a_message_is_sent_once_though_the_connection_drops_before_the_answer() -> None:
    async with street() as town, town.outbox() as outbox:
        town.box.faults.drop("messages.SendMessage", handled=True)
        start = time.monotonic()
        sent = await outbox.send(town.group.chat_id, "only once")
        assert town.group.ledger.messages[sent].text == "only once"
        assert town.texts() == ["only once"]
        assert time.monotonic() - start < 10  # the library alone takes its 15 s timeout and a second


async def test_a_message_is_sent_though_the_connection_drops_before_it_is_handled() -> None:
    async with street() as town, town.outbox() as outbox:
        town.box.faults.drop("messages.SendMessage", times=2)
        await outbox.send(town.group.chat_id, "only once")
        assert town.texts() == ["only once"]


async def test_what_is_asked_for_while_there_is_no_connection_goes_when_it_is_back() -> None:
    async with street() as town, town.outbox() as outbox, anyio.create_task_group() as tasks:
        town.box.drop_connections(town.bot.id)
        for n in range(3):
            tasks.start_soon(outbox.send, town.group.chat_id, f"after {n}")
        with anyio.fail_after(10):
            await until(lambda: len(town.texts()) == 3)


async def test_a_passing_error_of_the_server_is_tried_again() -> None:
    async with street() as town, town.outbox() as outbox:
        town.box.faults.fail("messages.SendMessage", 500, "INTERDC_2_CALL_ERROR", times=2)
        await outbox.send(town.group.chat_id, "there")
        assert town.texts() == ["there"]


async def test_a_flood_in_one_group_leaves_the_other_alone() -> None:
    async with street() as town, town.outbox() as outbox, anyio.create_task_group() as tasks:
        await outbox.send(town.group.chat_id, "before")
        town.box.faults.flood("messages.SendMessage", 1, chat_id=town.group.chat_id, times=1)
        tasks.start_soon(outbox.send, town.group.chat_id, "late")
        await until(lambda: outbox.traffic.floods)
        await outbox.send(town.other.chat_id, "at once")
        assert town.texts() == ["before"]
        assert town.texts(town.other) == ["at once"]
    assert town.texts() == ["before", "late"]


async def test_an_edit_goes_on_while_sending_is_flooded() -> None:
    async with street() as town, town.outbox() as outbox, anyio.create_task_group() as tasks:
        card = await outbox.send(town.group.chat_id, "card")
        town.box.faults.flood("messages.SendMessage", 1, chat_id=town.group.chat_id, times=1)
        tasks.start_soon(outbox.send, town.group.chat_id, "late")
        await until(lambda: outbox.traffic.floods)
        await outbox.edit(town.group.chat_id, card, "card, newer")
        assert town.texts() == ["card, newer"]


async def test_the_newest_card_wins() -> None:
    async with street() as town, town.outbox(FREE) as outbox:
        card = await outbox.send(town.group.chat_id, "card")
        town.box.faults.delay("messages.EditMessage", 0.1, times=1)
        async with anyio.create_task_group() as tasks:
            for n in range(10):
                tasks.start_soon(outbox.edit, town.group.chat_id, card, f"card {n}")
                await anyio.sleep(0)
        shown = [one.text for one in town.box.transcript.of(town.group.chat_id, Kind.EDIT)]
        assert shown == ["card 0", "card 9"]


async def test_order_within_a_group_is_kept() -> None:
    async with street() as town, town.outbox() as outbox, anyio.create_task_group() as tasks:
        town.box.faults.delay("messages.SendMessage", 0.05, times=2)
        for n in range(6):
            tasks.start_soon(outbox.send, town.group.chat_id, str(n))
            await anyio.sleep(0)
        await until(lambda: len(town.texts()) == 6)
        assert town.texts() == list("012345")


async def test_what_telegram_refuses_is_said_in_its_own_word() -> None:
    async with street() as town, town.outbox() as outbox:
        await town.box.silence(town.group, town.bot)
        with pytest.raises(SendError, match=r"^CHAT_WRITE_FORBIDDEN$"):
            await outbox.send(town.group.chat_id, "hush")
        for nowhere in (-1002599999999, 999, 2**62):
            with pytest.raises(SendError, match="INVALID"):
                await outbox.send(nowhere, "hello?")
        town.box.faults.fail("messages.SendMessage", 400, "NEVER_HEARD_OF_IT")
        with pytest.raises(SendError, match=r"^NEVER_HEARD_OF_IT$"):
            await outbox.send(town.other.chat_id, "hello?")
        assert await outbox.send(town.other.chat_id, "hello!")


async def test_a_press_is_answered_however_long_the_lane_of_its_chat() -> None:
    heard = Heard()
    async with street() as town, town.bot_online(heard) as bot, anyio.create_task_group() as tasks:
        outbox = BotOutbox(bot, Limits(burst=1, per_second=0.1))
        card = await outbox.send(town.group.chat_id, "card", ROWS)
        tasks.start_soon(outbox.send, town.group.chat_id, "in ten seconds")
        tasks.start_soon(_answer, heard, outbox)
        with anyio.fail_after(PATIENCE):
            answer = await town.box.press(town.group, town.member, card, "Skip")
        assert (answer.text, answer.alert) == ("skip, as you say", True)
        assert town.texts() == ["card"]
        tasks.cancel_scope.cancel()


async def _answer(heard: Heard, outbox: BotOutbox) -> None:
    press = await heard.next(Pressed)
    await outbox.answer(press.press_id, f"{press.data}, as you say", alert=True)


async def test_an_answer_that_comes_too_late_is_no_error() -> None:
    async with street() as town, town.outbox() as outbox:
        await outbox.answer(12345, "too late", alert=True)


async def test_without_a_server_a_caller_is_told_so_in_time() -> None:
    async with street() as town, town.bot_online() as bot:
        town.box.refusing = True
        town.box.drop_connections()
        start = time.monotonic()
        with pytest.raises(SendError, match="unreachable"):
            await bot.call(raw.functions.updates.GetState(), within=0.5)
        assert time.monotonic() - start < PATIENCE
