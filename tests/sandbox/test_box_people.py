"""People who act without a client, and the transcript of it all."""

from __future__ import annotations

import pytest
from boxes import T, town

from ryzen.sandbox.box import Entry, Kind, RequestError

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_the_transcript_has_everything_in_order_and_tells_who_listens() -> None:
    async with town() as t, t.online(t.bot) as bot:
        heard: list[Entry] = []
        stop = t.box.transcript.subscribe(heard.append)
        said = await t.box.say(t.group, t.owner, "/play tone 440")
        sent = await bot.send_message(t.group.chat_id, "playing")
        await bot.edit_message_text(t.group.chat_id, sent.id, "paused")
        await bot.delete_messages(t.group.chat_id, sent.id)
        await t.box.join(t.group, t.stranger)
        await t.box.leave(t.group, t.stranger)
        t.box.open_voice_chat(t.group)
        stop()
        t.box.close_voice_chat(t.group)
        assert [(e.kind, e.sender, e.text) for e in heard] == [
            (Kind.MESSAGE, "Olga", "/play tone 440"),
            (Kind.MESSAGE, "Music", "playing"),
            (Kind.EDIT, "Music", "paused"),
            (Kind.DELETE, "Music", "paused"),
            (Kind.JOIN, "Sven", ""),
            (Kind.LEAVE, "Sven", ""),
            (Kind.VOICE, "Olga", "opened"),
        ]
        assert heard[0].message_id == said.id
        assert {e.chat for e in heard} == {t.group.chat_id}
        assert [e.at for e in heard] == sorted(e.at for e in heard)
        assert list(t.box.transcript) == [*heard, t.box.transcript.entries[-1]]


async def test_a_private_chat_goes_by_the_id_of_the_person() -> None:
    async with town() as t, t.online(t.bot) as bot:
        await t.box.say(t.box.private(t.owner, t.bot), t.owner, "/start")
        told = await bot.inbox.next(T.UpdateNewMessage)
        await bot.send_message(told.message.peer_id.user_id, "hello")
        assert [e.text for e in t.box.transcript.of(t.owner.id)] == ["/start", "hello"]


async def test_people_are_refused_what_telegram_would_refuse_them() -> None:
    async with town() as t:
        with pytest.raises(RequestError, match="CHAT_WRITE_FORBIDDEN"):
            await t.box.say(t.group, t.stranger, "hello?")
        with pytest.raises(RequestError, match="USER_ALREADY_PARTICIPANT"):
            await t.box.join(t.group, t.member)
        with pytest.raises(RequestError, match="MESSAGE_EMPTY"):
            await t.box.say(t.group, t.owner, "")
        with pytest.raises(KeyError):
            await t.box.press(t.group, t.owner, 99, "Skip")


async def test_without_cards_there_is_no_newest_card() -> None:
    async with town() as t:
        await t.box.say(t.group, t.owner, "no buttons here")
        assert t.box.newest_card(t.group) is None


async def test_groups_know_nothing_of_each_other() -> None:
    async with town() as t:
        other = t.box.add_group(1002, "Others", t.member, [t.bot])
        async with t.online(t.owner) as owner:
            await t.box.say(other, t.member, "elsewhere")
            await t.box.say(t.group, t.member, "here")
            await owner.inbox.text("here")
            assert owner.inbox.updates == []
        assert [e.text for e in t.box.transcript.of(other.chat_id)] == ["elsewhere"]
