"""Raw updates become ``ports.Incoming`` values, at once and without a request to Telegram.

Kept to: what the bot acts on. Edits, messages without text (or caption of a file), messages of bots and our
own are nothing to it.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

from loguru import logger
from pyrogram import raw, utils

from ryzen.ports import Incoming, MemberMoved, Person, Pressed, Said, VoiceChatMoved

T = raw.types

STALE_AFTER = 60.0  #: seconds; whoever typed it that long ago does not wait for it any more
REMEMBERED = 4096  #: messages and presses; Telegram delivers again what was under way when a connection broke

Users = dict[int, Any]
Chats = dict[int, Any]


class Inbox:
    """Hands each Incoming to ``on_incoming``: on the event loop, in the order of arrival; it must not wait.

    ``now`` is Telegram's clock. Messages older than ``stale_after`` seconds are dropped, and what was
    delivered before is not handed on again.
    """

    def __init__(
        self,
        on_incoming: Callable[[Incoming], None],
        *,
        now: Callable[[], float] = time.time,
        stale_after: float = STALE_AFTER,
    ) -> None:
        self._hand_on, self._now, self._stale_after = on_incoming, now, stale_after
        self._seen: OrderedDict[Hashable, None] = OrderedDict()
        self._open: dict[int, bool] = {}  # whether a group's voice chat is, as last told
        self._stale = 0

    @property
    def stale(self) -> int:
        """How many messages were dropped for their age."""
        return self._stale

    def take(self, update: Any, users: Users, chats: Chats) -> None:
        """A ``client.Listener``."""
        match update:
            case (
                T.UpdateNewMessage(message=T.Message() as message)
                | T.UpdateNewChannelMessage(message=T.Message() as message)
            ):
                self._take_message(message, users, chats)
            case (
                T.UpdateNewMessage(message=T.MessageService() as service)
                | T.UpdateNewChannelMessage(message=T.MessageService() as service)
            ):
                self._take_service(service)
            case T.UpdateBotCallbackQuery():
                self._take_press(update, users)
            case T.UpdateChannelParticipant():
                self._hand_on(MemberMoved(utils.get_channel_id(update.channel_id), update.user_id))
            case T.UpdateChatParticipant():
                self._hand_on(MemberMoved(-update.chat_id, update.user_id))
            case T.UpdateGroupCall() if update.peer is not None:
                call = update.call
                scheduled = getattr(call, "schedule_date", None) is not None
                self._take_voice_chat(
                    utils.get_peer_id(update.peer), isinstance(call, T.GroupCall) and not scheduled
                )

    def _take_message(self, message: Any, users: Users, chats: Chats) -> None:
        file = isinstance(message.media, T.MessageMediaDocument)
        media = (
            message.media is not None and not file and not isinstance(message.media, T.MessageMediaWebPage)
        )
        if message.out or media or not message.message or self._again(message.peer_id, message.id):
            return
        sender = _sender(message, users, chats)
        if sender is None:
            return
        chat_id = utils.get_peer_id(message.peer_id)
        age = self._now() - message.date
        if age > self._stale_after:
            self._stale += 1
            logger.info("a message in {} was dropped: {:.0f} s old", chat_id, age)
            return
        private = isinstance(message.peer_id, T.PeerUser)
        chat = None if private else chats.get(utils.get_raw_peer_id(message.peer_id))
        self._hand_on(
            Said(
                chat_id,
                message.id,
                sender,
                message.message,
                private=private,
                chat_title=getattr(chat, "title", ""),
                reply_to=_answered(message.reply_to),
                holds_file=file,
            )
        )

    def _take_service(self, service: Any) -> None:
        if self._again(service.peer_id, service.id):
            return
        chat_id, action = utils.get_peer_id(service.peer_id), service.action
        match action:
            case T.MessageActionChatAddUser():
                moved = action.users
            case T.MessageActionChatDeleteUser():
                moved = [action.user_id]
            case T.MessageActionChatJoinedByLink() | T.MessageActionChatJoinedByRequest():
                moved = [service.from_id.user_id] if isinstance(service.from_id, T.PeerUser) else []
            case T.MessageActionGroupCall():
                self._take_voice_chat(chat_id, action.duration is None)
                return
            case _:
                return
        for user_id in moved:
            self._hand_on(MemberMoved(chat_id, user_id))

    def _take_press(self, update: Any, users: Users) -> None:
        user = users.get(update.user_id)
        if update.data is None or user is None or self._again("press", update.query_id):
            return
        chat_id = utils.get_peer_id(update.peer)
        data = update.data.decode(errors="replace")
        self._hand_on(Pressed(update.query_id, chat_id, update.msg_id, _person(user), data))

    def _take_voice_chat(self, chat_id: int, is_open: bool) -> None:
        """Told by the call's own update and by a service message, and the former at every change of it."""
        if self._open.get(chat_id) is not is_open:
            self._open[chat_id] = is_open
            self._hand_on(VoiceChatMoved(chat_id, is_open))

    def _again(self, where: Any, number: int) -> bool:
        key = (where if isinstance(where, str) else utils.get_peer_id(where), number)
        if key in self._seen:
            return True
        self._seen[key] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return False


def _answered(reply: Any) -> int | None:
    """The message of this chat that is replied to. One of another chat has a number of that chat's."""
    elsewhere = getattr(reply, "reply_to_peer_id", None) is not None
    return None if elsewhere else getattr(reply, "reply_to_msg_id", None)


def _sender(message: Any, users: Users, chats: Chats) -> Person | None:
    """Who said it; None for other bots. Without a name of its own, it was the chat: an anonymous admin."""
    match message.from_id or message.peer_id:
        case T.PeerUser(user_id=user_id):
            user = users.get(user_id)
            if user is None:
                return Person(user_id, str(user_id))
            return None if user.bot else _person(user)
        case peer:
            chat = chats.get(utils.get_raw_peer_id(peer))
            anonymous = utils.get_peer_id(peer) == utils.get_peer_id(message.peer_id)
            name, username = getattr(chat, "title", ""), getattr(chat, "username", None)
            return Person(utils.get_peer_id(peer), name, username, anonymous)


def _person(user: Any) -> Person:
    name = " ".join(part for part in (user.first_name, user.last_name) if part)
    username = user.username or next((one.username for one in user.usernames or () if one.active), None)
    return Person(user.id, name or username or str(user.id), username)
