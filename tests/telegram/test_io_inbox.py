"""Laws of the inbox: what a real client is sent by the local Telegram becomes values, at once and once."""

import time

import anyio
import pytest
from io_stage import Heard, street, until
from pyrogram import raw

from ryzen.ports import Incoming, MemberMoved, Person, Pressed, Said, VoiceChatMoved
from ryzen.telegram.inbox import Inbox

pytestmark = pytest.mark.anyio
T = raw.types


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_command_in_a_group_tells_who_where_and_what() -> None:
    heard = Heard()
    async with street() as town, town.bot_online(heard):
        first = await town.box.say(town.group, town.owner, "/play tone 440")
        second = await town.box.say(town.group, town.member, "/np", reply_to=first.id)
        olga, max_ = Person(101, "Olga", "olga"), Person(102, "Max")
        chat, title = town.group.chat_id, "Friends"
        assert await heard.next(Said) == Said(chat, first.id, olga, "/play tone 440", False, title)
        assert await heard.next(Said) == Said(chat, second.id, max_, "/np", False, title, first.id)


async def test_a_private_message_has_the_id_of_the_person_as_its_chat() -> None:
    heard = Heard()
    async with street() as town, town.bot_online(heard):
        message = await town.box.say(town.box.private(town.member, town.bot), town.member, "/start")
        assert await heard.next(Said) == Said(102, message.id, Person(102, "Max"), "/start", True)


async def test_a_private_message_in_telegrams_short_form_is_complete_all_the_same() -> None:
    heard = Heard()
    async with street() as town, town.bot_online(heard) as bot:
        short = T.UpdateShortMessage(
            id=9, user_id=102, message="/start", pts=1, pts_count=1, date=int(time.time())
        )
        await bot.client.handle_updates(short)
        assert await heard.next(Said) == Said(102, 9, Person(102, "Max"), "/start", True)


async def test_an_anonymous_admin_speaks_as_the_group() -> None:
    heard = Heard()
    async with street() as town, town.bot_online(heard):
        await town.box.say(town.group, town.owner, "/skip", anonymous=True)
        said = await heard.next(Said)
        assert said.sender == Person(town.group.chat_id, "Friends", anonymous=True)


async def test_a_press_tells_who_pressed_what_where() -> None:
    heard = Heard()
    async with street() as town, town.bot_online(heard) as bot:
        markup = T.ReplyInlineMarkup(
            rows=[
                T.KeyboardInlineButtonRow(
                    buttons=[T.KeyboardInlineButton(text="Skip", type=T.InlineButtonTypeCallback(data=b"sk"))]
                )
            ]
        )
        await bot.call(
            raw.functions.messages.SendMessage(
                peer=await bot.peer(town.group.chat_id), message="card", random_id=1, reply_markup=markup
            )
        )
        card = town.box.newest_card(town.group)
        assert card is not None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(town.box.press, town.group, town.member, card.id, "Skip")
            press = await heard.next(Pressed)
            assert press == Pressed(press.press_id, town.group.chat_id, card.id, Person(102, "Max"), "sk")
            tasks.cancel_scope.cancel()


async def test_members_who_come_go_rise_and_fall_are_told_of() -> None:
    heard = Heard()
    async with street() as town, town.bot_online(heard):
        moved = MemberMoved(town.group.chat_id, town.helper.id)
        for move in (
            town.box.join(town.group, town.helper),
            town.box.promote(town.group, town.helper),
            town.box.demote(town.group, town.helper),
            town.box.ban(town.group, town.helper),
        ):
            heard.all.clear()
            await move
            assert await heard.next(MemberMoved) == moved
        await town.box.ban(town.other, town.bot)
        assert await heard.next(MemberMoved, lambda one: one.user_id == town.bot.id) == MemberMoved(
            town.other.chat_id, town.bot.id
        )


async def test_a_voice_chat_is_opened_once_and_ended_once() -> None:
    heard = Heard()
    async with street() as town, town.bot_online(heard):
        town.box.open_voice_chat(town.group)
        town.box.close_voice_chat(town.group)
        await town.box.say(town.group, town.owner, "and now?")
        await heard.next(Said)
        chat = town.group.chat_id
        assert heard.of(VoiceChatMoved) == [VoiceChatMoved(chat, True), VoiceChatMoved(chat, False)]


def test_each_change_of_a_call_is_no_news_and_neither_is_one_that_is_only_planned() -> None:
    heard: list[Incoming] = []
    inbox = Inbox(heard.append)
    peer = T.PeerChannel(channel_id=5)
    common = {"id": 1, "access_hash": 1, "participants_count": 0, "unmuted_video_limit": 1, "version": 1}
    planned, running = T.GroupCall(**common, schedule_date=2_000_000_000), T.GroupCall(**common)
    over = T.GroupCallDiscarded(id=1, access_hash=1, duration=9)
    for call in (planned, running, running, over, over):
        inbox.take(T.UpdateGroupCall(peer=peer, call=call), {}, {})
    chat = -1000000000005
    assert heard[-2:] == [VoiceChatMoved(chat, True), VoiceChatMoved(chat, False)]
    assert VoiceChatMoved(chat, True) not in heard[:-2]
    assert len(heard) <= 3


async def test_an_old_command_is_not_acted_on_and_a_recent_one_is() -> None:
    heard = Heard()
    async with street() as town:
        async with town.bot_online(heard, now=lambda: time.time() + 61, stale_after=60):
            await town.box.say(town.group, town.owner, "/play old")
            await town.box.join(town.group, town.helper)
            await heard.next(MemberMoved)
            assert heard.of(Said) == []
        async with town.bot_online(heard, now=lambda: time.time() + 50, stale_after=60):
            await town.box.say(town.group, town.owner, "/play recent")
            assert (await heard.next(Said)).text == "/play recent"


@pytest.mark.parametrize(("elsewhere", "replied"), [(None, 41), (T.PeerChannel(channel_id=6), None)])
async def test_a_reply_to_a_message_of_another_chat_is_none_to_one_of_this(
    elsewhere: object, replied: int | None
) -> None:
    """The number of that message is another message here."""
    heard = Heard()
    header = T.MessageReplyHeader(reply_to_msg_id=41, reply_to_peer_id=elsewhere)
    message = T.Message(
        id=7,
        peer_id=T.PeerChannel(channel_id=5),
        from_id=T.PeerUser(user_id=1),
        date=int(time.time()),
        message="/play",
        reply_to=header,
    )
    Inbox(heard).take(T.UpdateNewChannelMessage(message=message, pts=1, pts_count=1), {}, {})
    assert (await heard.next(Said)).reply_to == replied


async def test_a_command_that_is_delivered_again_is_acted_on_once() -> None:
    heard = Heard()
    inbox = Inbox(heard)
    message = T.Message(
        id=7, peer_id=T.PeerChannel(channel_id=5), from_id=T.PeerUser(user_id=1), date=0, message="/skip"
    )
    message.date = int(time.time())
    update = T.UpdateNewChannelMessage(message=message, pts=1, pts_count=1)
    for _ in range(3):
        inbox.take(update, {}, {})
    assert len(heard.all) == 1


async def test_edits_own_messages_media_and_other_bots_are_nothing_to_us() -> None:
    heard = Heard()
    async with street() as town, town.bot_online(heard) as bot:
        peer = T.PeerChannel(channel_id=town.group.id)
        common = {"peer_id": peer, "date": int(time.time()), "message": "/play it"}
        anna = T.PeerUser(user_id=101)
        for update in (
            T.UpdateEditChannelMessage(message=T.Message(id=1, from_id=anna, **common), pts=1, pts_count=1),
            _new(T.Message(id=2, from_id=anna, out=True, **common)),
            _new(T.Message(id=3, from_id=anna, media=T.MessageMediaContact, **common)),
            _new(T.Message(id=4, from_id=T.PeerUser(user_id=999), **common)),
            _new(T.Message(id=5, from_id=anna, **{**common, "message": ""})),
            _new(T.MessageEmpty(id=6)),
        ):
            other_bot = T.User(id=999, first_name="Other", bot=True)
            bot._line.hear(update, {999: other_bot}, {})
        await town.box.say(town.group, town.owner, "end")
        assert (await heard.next(Said)).text == "end"
        assert heard.of(Said) == []


def _new(message: object) -> object:
    return T.UpdateNewChannelMessage(message=message, pts=1, pts_count=1)


async def test_two_thousand_commands_in_one_group_do_not_hold_up_another() -> None:
    """Each is handed on as it comes, without a request of ours, not even for what it replies to."""
    heard = Heard()
    async with street() as town, town.bot_online(heard):
        first = await town.box.say(town.group, town.owner, "first")
        before = town.box.calls.total()
        for n in range(2000):
            await town.box.say(town.group, town.member, f"/queue {n}", reply_to=first.id)
        await town.box.say(town.other, town.member, "/ping")
        await heard.next(Said, lambda one: one.chat_id == town.other.chat_id)
        assert [one.text for one in heard.of(Said)] == ["first", *(f"/queue {n}" for n in range(2000))]
        assert town.box.calls.total() == before


async def test_what_the_callback_hears_after_a_broken_connection_is_each_message_once() -> None:
    heard = Heard()
    async with street() as town, town.bot_online(heard):
        for n in range(5):
            await town.box.say(town.group, town.owner, f"/skip {n}")
            town.box.drop_connections(town.bot.id)
        await until(lambda: len(heard.of(Said)) >= 5)
        await town.box.say(town.group, town.owner, "end")
        await heard.next(Said, lambda one: one.text == "end")
        assert [one.text for one in heard.of(Said)] == [f"/skip {n}" for n in range(5)]


def test_the_memory_of_what_was_heard_has_a_bound() -> None:
    heard: list[Incoming] = []
    inbox = Inbox(heard.append)
    for n in range(10_000):
        inbox.take(
            T.UpdateBotCallbackQuery(
                query_id=n, user_id=1, peer=T.PeerUser(user_id=1), msg_id=1, chat_instance=1, data=b"x"
            ),
            {1: T.User(id=1, first_name="A")},
            {},
        )
    assert len(heard) == 10_000
    assert len(inbox._seen) <= 4096
