"""Writing, editing, deleting, pinning."""

from __future__ import annotations

from ryzen.sandbox.box import posting, views
from ryzen.sandbox.box.faults import RequestError
from ryzen.sandbox.box.records import Chat, Message, Private
from ryzen.sandbox.box.rpc import Rpc, on
from ryzen.sandbox.box.tl import F, T, Tl


def message_of(rpc: Rpc, chat: Chat, message_id: int) -> Message:
    message = chat.ledger_of(rpc.me).messages.get(message_id)
    if message is None or message.chat is not chat:
        raise RequestError(400, "MESSAGE_ID_INVALID")
    return message


def _reply_to(rpc: Rpc, chat: Chat) -> int | None:
    """The message it answers, if that is still there: Telegram drops the reference otherwise."""
    message_id = getattr(rpc.query.reply_to, "reply_to_msg_id", None)
    return message_id if message_id in chat.ledger_of(rpc.me).messages else None


@on(F.messages.SendMessage, F.messages.SendMedia)
def send(rpc: Rpc) -> Tl:
    query, me = rpc.query, rpc.me
    chat = rpc.box.world.chat(query.peer, me)
    posting.require_writable(chat, me)
    media = rpc.box.files.from_input(query.media) if isinstance(query, F.messages.SendMedia) else None
    _, own = posting.write(
        rpc.box,
        chat,
        me,
        query.message,
        entities=query.entities,
        markup=query.reply_markup,
        media=media,
        reply_to=_reply_to(rpc, chat),
        random_id=query.random_id,
        caller=rpc.session,
    )
    return own


@on(F.messages.EditMessage)
def edit(rpc: Rpc) -> Tl:
    query, me = rpc.query, rpc.me
    chat = rpc.box.world.chat(query.peer, me)
    return posting.edit(
        rpc.box,
        message_of(rpc, chat, query.id),
        me,
        text=query.message,
        entities=query.entities,
        markup=query.reply_markup,
        media=rpc.box.files.from_input(query.media) if query.media else None,
        caller=rpc.session,
    )


@on(F.messages.DeleteMessages)
def delete_private(rpc: Rpc) -> Tl:
    me = rpc.me
    chats: dict[Private, list[int]] = {}
    for message_id in rpc.query.id:
        message = me.ledger.messages.get(message_id)
        if message is not None and isinstance(message.chat, Private):
            chats.setdefault(message.chat, []).append(message_id)
    gone = sum(posting.delete(rpc.box, chat, ids, me, caller=rpc.session) for chat, ids in chats.items())
    return T.messages.AffectedMessages(pts=me.ledger.pts, pts_count=gone)


@on(F.channels.DeleteMessages)
def delete_in_group(rpc: Rpc) -> Tl:
    group = rpc.box.world.group(rpc.query.channel, rpc.me)
    gone = posting.delete(rpc.box, group, rpc.query.id, rpc.me, caller=rpc.session)
    return T.messages.AffectedMessages(pts=group.ledger.pts, pts_count=gone)


@on(F.messages.UpdatePinnedMessage)
def pin(rpc: Rpc) -> Tl:
    chat = rpc.box.world.chat(rpc.query.peer, rpc.me)
    message = message_of(rpc, chat, rpc.query.id)
    own = posting.pin(rpc.box, message, not rpc.query.unpin, rpc.me, caller=rpc.session)
    return own or views.updates([], rpc.me, (), chat)


@on(F.messages.SetTyping)
def set_typing(rpc: Rpc) -> Tl:
    return bool(rpc.me)
