"""What happened while a client was away arrives when it is back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest
from boxes import F, T, town
from pyrogram import Client, errors
from pyrogram.handlers import MessageHandler

from ryzen.sandbox.box import trust

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_messages_sent_while_a_client_was_away_arrive_when_it_is_back(tmp_path: Path) -> None:
    """The client keeps where it stood in its session file; its next life asks for the difference."""
    async with town() as t:
        trust(t.box.rsa.public)
        chats = (t.group, t.box.private(t.owner, t.bot))
        for life, texts in enumerate((["first"], ["second", "third"])):
            heard: list[str] = []
            done = anyio.Event()

            async def note(
                _: Client,
                message: Any,
                heard: list[str] = heard,
                texts: list[str] = texts,
                done: anyio.Event = done,
            ) -> None:
                heard.append(message.text)
                if len(heard) == len(texts) * len(chats):
                    done.set()

            bot = t.client(bot_token="201:token", in_memory=False, workdir=tmp_path, skip_updates=False)
            bot.add_handler(MessageHandler(note))
            if life == 0:
                await bot.start()
            for text in texts:
                for chat in chats:
                    await t.box.say(chat, t.owner, text)
            if life == 1:
                await bot.start()
            with anyio.fail_after(5):
                await done.wait()
            assert sorted(heard) == sorted(texts * len(chats))
            await bot.stop()
        assert t.box.calls["updates.GetChannelDifference"] == 1


async def test_a_group_difference_is_what_came_changed_and_went_since() -> None:
    async with town() as t, t.online(t.owner) as owner:
        kept = await t.box.say(t.group, t.owner, "kept")
        gone = await t.box.say(t.group, t.owner, "gone")
        peer = await owner.resolve_peer(t.group.chat_id)
        seen = t.group.ledger.pts
        new = await t.box.say(t.group, t.member, "new")
        brief = await owner.send_message(t.group.chat_id, "brief")
        await owner.edit_message_text(t.group.chat_id, kept.id, "kept, and changed")
        await owner.delete_messages(t.group.chat_id, [gone.id, brief.id])
        request = F.updates.GetChannelDifference(
            channel=peer, filter=T.ChannelMessagesFilterEmpty(), pts=seen, limit=100, force=False
        )
        difference = await owner.invoke(request)
        assert [m.id for m in difference.new_messages] == [new.id]
        edited, deleted = difference.other_updates
        assert edited.message.message == "kept, and changed"
        assert deleted.messages == [gone.id]
        assert difference.pts == t.group.ledger.pts == seen + 5
        request.pts = difference.pts
        assert isinstance(await owner.invoke(request), T.updates.ChannelDifferenceEmpty)


async def test_a_private_difference_is_what_came_changed_and_went_since() -> None:
    async with town() as t, t.online(t.bot) as bot:
        chat = t.box.private(t.owner, t.bot)
        await t.box.say(chat, t.owner, "before")
        state = await bot.invoke(F.updates.GetState())
        await t.box.say(chat, t.owner, "after")
        difference = await bot.invoke(F.updates.GetDifference(pts=state.pts, date=0, qts=0))
        assert [m.message for m in difference.new_messages] == ["after"]
        assert difference.state.pts == state.pts + 1
        assert {user.id for user in difference.users} >= {t.owner.id}


async def test_a_client_that_knows_more_than_there_is_is_told_so() -> None:
    async with town() as t, t.online(t.owner) as owner:
        peer = await owner.resolve_peer(t.group.chat_id)
        with pytest.raises(errors.PersistentTimestampInvalid):
            await owner.invoke(
                F.updates.GetChannelDifference(
                    channel=peer, filter=T.ChannelMessagesFilterEmpty(), pts=99, limit=9, force=False
                )
            )


async def test_updates_of_a_cut_connection_come_with_the_next_one_and_come_once() -> None:
    async with town() as t, t.online(t.owner) as owner:
        await t.box.say(t.group, t.member, "before")
        await owner.inbox.text("before")
        assert t.box.drop_connections(t.owner.id) == 1
        await t.box.say(t.group, t.member, "in between")
        await owner.inbox.text("in between")
        await t.box.say(t.group, t.member, "after")
        await owner.inbox.text("after")
        assert owner.inbox.updates == []


async def test_a_cut_concerns_the_account_that_was_named_or_everyone() -> None:
    async with town() as t, t.online(t.owner) as owner, t.online(t.bot) as bot:
        assert t.box.drop_connections(t.member.id) == 0
        assert t.box.drop_connections() == 2
        await t.box.say(t.group, t.member, "still there")
        await owner.inbox.text("still there")
        await bot.inbox.text("still there")


async def test_one_who_never_asked_for_the_state_gets_no_updates() -> None:
    async with town() as t:
        client = t.client(t.owner)
        await client.connect()
        pushed = t.box.updates.pushed
        await t.box.say(t.group, t.member, "to nobody")
        assert t.box.updates.pushed == pushed
        await client.disconnect()
