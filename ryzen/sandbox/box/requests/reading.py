"""Fetching messages and chats."""

from __future__ import annotations

from ryzen.sandbox.box import views
from ryzen.sandbox.box.records import Chat, Ledger, Message, User
from ryzen.sandbox.box.rpc import Rpc, on
from ryzen.sandbox.box.tl import F, T, Tl
from ryzen.sandbox.box.world import sees

_PAGE = 100


def _wanted(ledger: Ledger, me: User, one: Tl) -> Message | int:
    """One of the messages that a request names: by its id, or as what another one replies to."""
    message_id: int = one if isinstance(one, int) else one.id
    message = ledger.messages.get(message_id)
    if isinstance(one, T.InputMessageReplyTo):
        message_id = (message.reply_to if message else None) or 0
        message = ledger.messages.get(message_id)
    return message if message is not None and sees(me, message) else message_id


@on(F.messages.GetMessages)
def get_private(rpc: Rpc) -> Tl:
    found = [_wanted(rpc.me.ledger, rpc.me, one) for one in rpc.query.id]
    return views.listing(found, rpc.me, None)


@on(F.channels.GetMessages)
def get_in_group(rpc: Rpc) -> Tl:
    group = rpc.box.world.group(rpc.query.channel, rpc.me)
    return views.listing([_wanted(group.ledger, rpc.me, one) for one in rpc.query.id], rpc.me, group)


def _history(chat: Chat, me: User) -> list[Message]:
    """Newest first."""
    messages = chat.ledger_of(me).messages
    return [one for one in reversed(messages.values()) if one.chat is chat and sees(me, one)]


@on(F.messages.GetHistory, bots=False)
def get_history(rpc: Rpc) -> Tl:
    chat = rpc.box.world.chat(rpc.query.peer, rpc.me)
    offset = rpc.query.offset_id
    found = [one for one in _history(chat, rpc.me) if not offset or one.id < offset]
    start = max(rpc.query.add_offset, 0)
    return views.listing(list(found[start : start + (rpc.query.limit or _PAGE)]), rpc.me, chat)


@on(F.messages.GetDialogs, bots=False)
def get_dialogs(rpc: Rpc) -> Tl:
    """All of them in one page: who asks for a second one has seen everything."""
    me, groups = rpc.me, rpc.box.world.groups.values()
    chats: list[Chat] = [one for one in groups if me.id in one.members]
    chats += list(dict.fromkeys(one.chat for one in me.ledger.messages.values()))
    newest = {chat: found[0] for chat in chats if (found := _history(chat, me))}
    if rpc.query.offset_id or rpc.query.offset_date:
        newest.clear()
    people = {me, *(message.sender for message in newest.values())}
    for chat in newest:
        people |= chat.people() if chat not in groups else set()
    return T.messages.Dialogs(
        dialogs=[_dialog(chat, message, me) for chat, message in newest.items()],
        messages=[views.message(message, me) for message in newest.values()],
        users=[views.user(one, me) for one in people],
        chats=[views.group(one, me) for one in groups if one in newest],
    )


def _dialog(chat: Chat, newest: Message, me: User) -> Tl:
    return T.Dialog(
        peer=chat.peer_for(me),
        top_message=newest.id,
        read_inbox_max_id=0,
        read_outbox_max_id=0,
        unread_count=0,
        unread_mentions_count=0,
        unread_reactions_count=0,
        unread_poll_votes_count=0,
        notify_settings=T.PeerNotifySettings(),
        pts=chat.ledger_of(me).pts,
    )


@on(F.messages.ReadHistory, bots=False)
def read_private(rpc: Rpc) -> Tl:
    return T.messages.AffectedMessages(pts=rpc.me.ledger.pts, pts_count=0)


@on(F.channels.ReadHistory, bots=False)
def read_group(rpc: Rpc) -> Tl:
    return bool(rpc.box.world.group(rpc.query.channel, rpc.me))
