"""Messages: entities, replies, edits, deletions, doubles, buttons, files."""

from __future__ import annotations

import io
import os
from typing import Any

import anyio
import pytest
from boxes import F, T, town
from pyrogram import Client, enums, errors, filters
from pyrogram.handlers import CallbackQueryHandler, MessageHandler
from pyrogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from ryzen.sandbox.box import Kind, PressAnswer, RequestError

pytestmark = pytest.mark.anyio

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x05\x00\x00\x00\x02\xd0\x08\x02\x00\x00\x00"
    + b"\x00" * 3000
)  # says 1280 x 720
SKIP = InlineKeyboardMarkup(
    [[InlineKeyboardButton("⏭ Skip", callback_data="skip"), InlineKeyboardButton("Help", url="https://x.y")]]
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_command_is_marked_by_the_server_and_reaches_the_bot() -> None:
    async with town() as t, t.online(t.bot) as bot:
        await t.box.say(t.group, t.owner, "🎵 /play@music_bot tone, see https://a.b/c or a/b and @olga_x")
        message = await bot.inbox.text("🎵 /play@music_bot tone, see https://a.b/c or a/b and @olga_x")
        marks = [(type(e), e.offset, e.length) for e in message.entities]
        assert marks == [
            (T.MessageEntityBotCommand, 3, 15),  # the note takes two UTF-16 units
            (T.MessageEntityUrl, 29, 13),
            (T.MessageEntityMention, 54, 7),
        ]


async def test_what_the_client_marked_stays_marked() -> None:
    async with town() as t, t.online(t.owner) as owner:
        sent = await owner.send_message(t.group.chat_id, "**/play** and __this__ `/code`")
        assert [(e.type, e.offset) for e in sent.entities] == [
            (enums.MessageEntityType.BOLD, 0),
            (enums.MessageEntityType.ITALIC, 10),
            (enums.MessageEntityType.CODE, 15),
        ]


async def test_a_reply_names_its_message_and_the_message_can_be_fetched_by_it() -> None:
    async with town() as t, t.online(t.bot) as bot:
        first = await t.box.say(t.group, t.owner, "listen")
        reply = await t.box.say(t.group, t.member, "to what?", reply_to=first.id)
        raw = await bot.inbox.text("to what?")
        assert raw.reply_to.reply_to_msg_id == first.id
        fetched = await bot.get_messages(t.group.chat_id, reply.id)
        assert fetched.reply_to_message.text == "listen"
        peer = await bot.resolve_peer(t.group.chat_id)
        found = await bot.invoke(
            F.channels.GetMessages(channel=peer, id=[T.InputMessageReplyTo(id=reply.id)])
        )
        assert found.messages[0].id == first.id


async def test_a_reply_to_a_message_that_is_gone_is_a_plain_message() -> None:
    async with town() as t, t.online(t.bot) as bot:
        sent = await bot.send_message(t.group.chat_id, "playing", reply_to_message_id=77)
        assert sent.reply_to_message_id is None


async def test_the_same_random_id_twice_is_one_message() -> None:
    async with town() as t, t.online(t.bot) as bot:
        peer = await bot.resolve_peer(t.group.chat_id)
        request = F.messages.SendMessage(peer=peer, message="once", random_id=4711)
        first, second = await bot.invoke(request), await bot.invoke(request)
        ids = [next(u.id for u in r.updates if isinstance(u, T.UpdateMessageID)) for r in (first, second)]
        assert ids[0] == ids[1]
        assert [entry.text for entry in t.box.transcript.of(t.group.chat_id, Kind.MESSAGE)] == ["once"]


async def test_an_answer_lost_with_its_connection_is_given_again_and_the_message_is_there_once() -> None:
    async with town() as t, t.online(t.bot) as bot:
        t.box.faults.drop("messages.SendMessage", handled=True)
        sent = await bot.send_message(t.group.chat_id, "once")
        assert sent.text == "once"
        assert len(t.box.transcript.of(t.group.chat_id, Kind.MESSAGE)) == 1


async def test_an_edit_is_told_to_everyone_and_counted() -> None:
    async with town() as t, t.online(t.bot) as bot, t.online(t.owner) as owner:
        sent = await bot.send_message(t.group.chat_id, "playing", reply_markup=SKIP)
        before = t.group.ledger.pts
        await bot.edit_message_text(t.group.chat_id, sent.id, "paused", reply_markup=SKIP)
        edit = await owner.inbox.next(T.UpdateEditChannelMessage)
        assert (edit.message.message, edit.pts, edit.pts_count) == ("paused", before + 1, 1)
        entry = t.box.transcript.of(t.group.chat_id, Kind.EDIT)[-1]
        assert (entry.text, entry.buttons, entry.message_id) == ("paused", ("⏭ Skip", "Help"), sent.id)


async def test_an_edit_that_changes_nothing_or_another_ones_message_is_refused() -> None:
    async with town() as t, t.online(t.bot) as bot:
        sent = await bot.send_message(t.group.chat_id, "playing", reply_markup=SKIP)
        with pytest.raises(errors.MessageNotModified):
            await bot.edit_message_text(t.group.chat_id, sent.id, "playing", reply_markup=SKIP)
        other = await t.box.say(t.group, t.owner, "mine")
        with pytest.raises(errors.MessageAuthorRequired):
            await bot.edit_message_text(t.group.chat_id, other.id, "yours")
        with pytest.raises(errors.MessageIdInvalid):
            await bot.edit_message_text(t.group.chat_id, 999, "nobody's")


async def test_only_an_admin_with_that_right_deletes_what_others_wrote() -> None:
    async with town() as t, t.online(t.bot) as bot:
        message = await t.box.say(t.group, t.owner, "/play x")
        with pytest.raises(errors.MessageDeleteForbidden):
            await bot.delete_messages(t.group.chat_id, message.id)
        await t.box.promote(t.group, t.bot, delete_messages=True)
        assert await bot.delete_messages(t.group.chat_id, message.id) == 1
        gone = await bot.get_messages(t.group.chat_id, message.id)
        assert gone.empty


async def test_a_bot_deletes_nothing_older_than_two_days_and_edits_its_own_for_ever() -> None:
    async with town() as t, t.online(t.bot) as bot:
        await t.box.say(t.box.private(t.owner, t.bot), t.owner, "hello")
        await t.box.promote(t.group, t.bot, delete_messages=True)
        for chat, ledger in ((t.group.chat_id, t.group.ledger), (t.owner.id, t.bot.ledger)):
            sent = await bot.send_message(chat, "playing", reply_markup=SKIP)
            ledger.messages[sent.id].date -= 49 * 3600
            await bot.edit_message_text(chat, sent.id, "paused", reply_markup=SKIP)
            with pytest.raises(errors.MessageDeleteForbidden):
                await bot.delete_messages(chat, sent.id)
            ledger.messages[sent.id].date += 2 * 3600
            assert await bot.delete_messages(chat, sent.id) == 1


async def test_a_deletion_is_told_with_an_exact_pts() -> None:
    async with town() as t, t.online(t.bot) as bot, t.online(t.owner) as owner:
        ids = [(await bot.send_message(t.group.chat_id, str(i))).id for i in range(3)]
        before = t.group.ledger.pts
        await bot.delete_messages(t.group.chat_id, [*ids, 999])
        told = await owner.inbox.next(T.UpdateDeleteChannelMessages)
        assert (told.messages, told.pts, told.pts_count) == (ids, before + 3, 3)


async def test_every_event_of_a_group_takes_the_next_pts() -> None:
    async with town() as t, t.online(t.owner) as owner:
        start = t.group.ledger.pts
        for i in range(5):
            await t.box.say(t.group, t.member, str(i))
        seen = [(await owner.inbox.next(T.UpdateNewChannelMessage)).pts for _ in range(5)]
        assert seen == [start + 1 + i for i in range(5)]


async def test_texts_that_are_empty_or_too_long_are_refused() -> None:
    async with town() as t, t.online(t.bot) as bot:
        with pytest.raises(errors.MessageEmpty):
            await bot.send_message(t.group.chat_id, "")
        peer = await bot.resolve_peer(t.group.chat_id)
        with pytest.raises(errors.MessageTooLong):
            await bot.invoke(F.messages.SendMessage(peer=peer, message="x" * 4097, random_id=1))
        with pytest.raises(errors.MediaCaptionTooLong):
            await bot.send_photo(t.group.chat_id, io.BytesIO(PNG), caption="x" * 1025)
        sent = await bot.send_message(t.group.chat_id, "good")
        with pytest.raises(errors.MessageTooLong):
            await bot.invoke(F.messages.EditMessage(peer=peer, id=sent.id, message="x" * 4097))
        assert t.group.ledger.messages[sent.id].text == "good"


async def test_a_button_carries_at_most_64_bytes() -> None:
    async with town() as t, t.online(t.bot) as bot:
        for size in (64, 65):
            keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("x", callback_data="x" * size)]])
            if size == 64:
                await bot.send_message(t.group.chat_id, "good", reply_markup=keyboard)
            else:
                with pytest.raises(errors.ButtonDataInvalid):
                    await bot.send_message(t.group.chat_id, "bad", reply_markup=keyboard)


async def test_private_chats_work_in_both_directions() -> None:
    async with town() as t, t.online(t.bot) as bot:

        async def echo(client: Client, message: Any) -> None:
            await message.reply(f"you said {message.text}")

        bot.add_handler(MessageHandler(echo, filters.private & filters.incoming))
        async with t.online(t.owner) as owner:
            sent = await owner.send_message("music_bot", "hello")
            reply = await owner.inbox.next(T.UpdateNewMessage)
            assert (reply.message.message, reply.message.peer_id.user_id) == ("you said hello", t.bot.id)
            await owner.delete_messages("music_bot", sent.id)
            assert (await bot.inbox.next(T.UpdateDeleteMessages)).messages == [sent.id]


async def test_bots_are_not_shown_what_other_bots_write() -> None:
    async with town() as t:
        other = t.box.add_user(202, "Other", "other_bot", bot=True)
        await t.box.join(t.group, other)
        async with t.online(t.bot) as bot:
            await t.box.say(t.group, other, "from a bot")
            await t.box.say(t.group, t.owner, "from a person")
            await bot.inbox.text("from a person")
            history = t.box.transcript.of(t.group.chat_id, Kind.MESSAGE)
            assert [entry.text for entry in history] == ["from a bot", "from a person"]
            fetched = await bot.get_messages(t.group.chat_id, history[0].message_id)
            assert fetched.empty


async def test_a_press_is_answered_with_a_text_or_an_alert() -> None:
    async with town() as t:
        bot = t.client(t.bot)

        async def pressed(_: Client, query: Any) -> None:
            await query.answer(f"{query.data} no", show_alert=query.from_user.id == t.member.id)

        bot.add_handler(CallbackQueryHandler(pressed))
        async with bot, t.online(t.owner) as owner:
            sent = await bot.send_message(t.group.chat_id, "playing", reply_markup=SKIP)
            card = t.box.newest_card(t.group)
            assert card is not None
            assert card.id == sent.id
            assert await t.box.press(t.group, t.member, sent.id, "Skip") == PressAnswer("skip no", alert=True)
            entry = t.box.transcript.of(t.group.chat_id, Kind.ALERT)[0]
            assert (entry.sender, entry.text) == ("Max", "skip no")
            answer = await owner.request_callback_answer(t.group.chat_id, sent.id, "skip")
            assert (answer.message, bool(answer.alert)) == ("skip no", False)


async def test_a_press_that_the_bot_ignores_times_out() -> None:
    async with town(patience=0.2) as t, t.online(t.bot) as bot:
        sent = await bot.send_message(t.group.chat_id, "playing", reply_markup=SKIP)
        with pytest.raises(RequestError, match="BOT_RESPONSE_TIMEOUT"):
            await t.box.press(t.group, t.owner, sent.id, "⏭ Skip")


async def test_only_buttons_that_are_there_can_be_pressed() -> None:
    async with town(patience=0.2) as t, t.online(t.bot) as bot, t.online(t.owner) as owner:
        sent = await bot.send_message(t.group.chat_id, "playing", reply_markup=SKIP)
        for label in ("Stop", "Help"):  # Help is a link
            with pytest.raises(LookupError):
                await t.box.press(t.group, t.owner, sent.id, label)
        with pytest.raises(errors.DataInvalid):
            await owner.request_callback_answer(t.group.chat_id, sent.id, "forged")


async def test_a_bot_answers_for_no_other_bot() -> None:
    async with town() as t:
        other = t.box.add_user(202, "Other", "other_bot", bot=True)
        async with t.online(t.bot) as bot, t.online(other) as thief, anyio.create_task_group() as tasks:
            sent = await bot.send_message(t.group.chat_id, "playing", reply_markup=SKIP)
            tasks.start_soon(t.box.press, t.group, t.owner, sent.id, "Skip")
            press = await bot.inbox.next(T.UpdateBotCallbackQuery)
            assert (press.user_id, press.data) == (t.owner.id, b"skip")
            with pytest.raises(errors.QueryIdInvalid):
                await thief.answer_callback_query(str(press.query_id))
            await bot.answer_callback_query(str(press.query_id))


async def test_an_answer_to_nobody_is_refused() -> None:
    async with town() as t, t.online(t.bot) as bot:
        with pytest.raises(errors.QueryIdInvalid):
            await bot.answer_callback_query("4711", "late")


async def test_photos_go_up_and_come_down_byte_for_byte() -> None:
    async with town() as t, t.online(t.bot) as bot, t.online(t.owner) as owner:
        await bot.send_photo(t.group.chat_id, io.BytesIO(PNG), caption="cover")
        message = (await owner.inbox.text("cover")).media
        assert (message.photo.sizes[0].w, message.photo.sizes[0].h) == (1280, 720)
        history = [m async for m in owner.get_chat_history(t.group.chat_id, limit=1)]
        down = await owner.download_media(history[0], in_memory=True)
        assert bytes(down.getbuffer()) == PNG
        assert t.box.transcript.entries[-1].media == "photo"


async def test_a_document_of_several_parts_goes_up_and_comes_down_byte_for_byte() -> None:
    data = os.urandom(1_300_000)
    async with town() as t, t.online(t.owner) as owner, t.online(t.bot) as bot:
        file = io.BytesIO(data)
        file.name = "tune.bin"
        await owner.send_document(t.group.chat_id, file, caption="tune")
        await bot.inbox.text("tune")
        message = await bot.get_messages(t.group.chat_id, t.group.last_id)
        assert message.document.file_name == "tune.bin"
        down = await bot.download_media(message, in_memory=True)
        assert bytes(down.getbuffer()) == data
        again = await bot.send_document(t.group.chat_id, message.document.file_id)
        assert again.document.file_size == len(data)


async def test_a_photo_that_is_none_is_refused() -> None:
    async with town() as t, t.online(t.bot) as bot:
        with pytest.raises(errors.PhotoInvalidDimensions):
            await bot.send_photo(t.group.chat_id, io.BytesIO(b"not a picture"))


async def test_a_pinned_message_needs_the_right() -> None:
    async with town() as t, t.online(t.bot) as bot:
        sent = await bot.send_message(t.group.chat_id, "now playing")
        with pytest.raises(errors.ChatAdminRequired):
            await bot.pin_chat_message(t.group.chat_id, sent.id)
        await t.box.promote(t.group, t.bot, pin_messages=True)
        await bot.pin_chat_message(t.group.chat_id, sent.id)
        assert t.group.ledger.messages[sent.id].pinned
