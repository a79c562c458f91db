"""Messages: writing, changing and removing them, for clients and for people who act server-side."""

from __future__ import annotations

import attrs

from ryzen.sandbox.box import views
from ryzen.sandbox.box.entities import marked
from ryzen.sandbox.box.faults import RequestError
from ryzen.sandbox.box.records import Chat, Group, Message, User, now
from ryzen.sandbox.box.sessions import Session
from ryzen.sandbox.box.telegram import Telegram
from ryzen.sandbox.box.tl import Encoded, T, Tl
from ryzen.sandbox.box.transcript import Kind
from ryzen.sandbox.box.updates import ledgers
from ryzen.sandbox.box.world import require, sees

# https://core.telegram.org/api/config, https://core.telegram.org/bots/api#inlinekeyboardbutton
_LONGEST_TEXT, _LONGEST_CAPTION, _LONGEST_DATA = 4096, 1024, 64
# seconds; https://core.telegram.org/bots/api#deletemessage. Edits of a bot's own messages have no such limit.
_BOT_MAY_DELETE = 48 * 3600


def require_writable(chat: Chat, sender: User) -> None:
    """Raises RequestError unless this account may write there."""
    if not isinstance(chat, Group):
        return
    ban = chat.bans.get(sender.id)
    if sender.id not in chat.members or (ban is not None and "send_messages" in ban.denied):
        raise RequestError(403, "CHAT_WRITE_FORBIDDEN")


def write(
    box: Telegram,
    chat: Chat,
    sender: User,
    text: str,
    *,
    entities: list[Tl] | None = None,
    markup: Tl = None,
    media: Tl = None,
    reply_to: int | None = None,
    random_id: int = 0,
    anonymous: bool | None = None,
    caller: Session | None = None,
) -> tuple[Message, Encoded | None]:
    """A message of a person or a bot. The same ``random_id`` again is the same message: nobody else is told.

    Raises RequestError if the text is empty or too long, or if the sender may not write there.
    """
    require_writable(chat, sender)
    known = box.world.sent.get((sender.id, random_id)) if random_id else None
    if known is not None:
        return known, views.updates(_as_new(known, sender, random_id), sender, _named(known), chat)
    if anonymous is None:
        anonymous = isinstance(chat, Group) and "anonymous" in chat.rights_of(sender)
    message = Message(
        0,
        chat,
        sender,
        text,
        entities=marked(text, entities),
        markup=markup,
        media=media,
        reply_to=reply_to,
        anonymous=anonymous,
    )
    _require_valid(message)
    message.id = _next_id(box, chat)
    if random_id:
        box.world.sent[sender.id, random_id] = message
    return message, _publish(box, message, random_id, caller)


def announce(
    box: Telegram,
    chat: Chat,
    sender: User,
    action: Tl,
    *,
    about: tuple[User, ...] = (),
    moved: User | None = None,
    caller: Session | None = None,
) -> Encoded | None:
    """A service message. Whoever has ``moved`` in or out by it is told so, and told even when out."""
    message = Message(_next_id(box, chat), chat, sender, action=action)
    return _publish(box, message, 0, caller, about, moved)


def _require_valid(message: Message) -> None:
    if not message.text and message.media is None:
        raise RequestError(400, "MESSAGE_EMPTY")
    if message.media is None and len(message.text) > _LONGEST_TEXT:
        raise RequestError(400, "MESSAGE_TOO_LONG")
    if message.media is not None and len(message.text) > _LONGEST_CAPTION:
        raise RequestError(400, "MEDIA_CAPTION_TOO_LONG")
    if any(len(data) > _LONGEST_DATA for _, data in message.callbacks):
        raise RequestError(400, "BUTTON_DATA_INVALID")


def _next_id(box: Telegram, chat: Chat) -> int:
    if not isinstance(chat, Group):
        return next(box.world.private_ids)
    chat.last_id += 1
    return chat.last_id


def _publish(
    box: Telegram,
    message: Message,
    random_id: int,
    caller: Session | None,
    about: tuple[User, ...] = (),
    moved: User | None = None,
) -> Encoded | None:
    chat = message.chat
    for ledger in ledgers(chat):
        ledger.add(message)
    if message.action is None:
        _note(box, Kind.MESSAGE, message)

    def news(viewer: User) -> list[Tl]:
        if not sees(viewer, message):
            return []
        new = _as_new(message, viewer, random_id if viewer is message.sender else 0)
        return (
            [T.UpdateChannel(channel_id=chat.id), *new]
            if isinstance(chat, Group) and viewer is moved
            else new
        )

    viewers = chat.people() | ({moved} if moved else set())
    return box.updates.tell(viewers, news, about={*_named(message), *about}, chat=chat, caller=caller)


def _as_new(message: Message, viewer: User, random_id: int) -> list[Tl]:
    kind = T.UpdateNewChannelMessage if isinstance(message.chat, Group) else T.UpdateNewMessage
    pts = message.chat.ledger_of(viewer).pts
    new = kind(message=views.message(message, viewer), pts=pts, pts_count=1)
    return [T.UpdateMessageID(id=message.id, random_id=random_id), new] if random_id else [new]


def _named(message: Message) -> set[User]:
    if isinstance(message.chat, Group):
        return set() if message.anonymous else {message.sender}
    return message.chat.people()


def _note(box: Telegram, kind: Kind, message: Message) -> None:
    name = (
        message.chat.title if message.anonymous and isinstance(message.chat, Group) else message.sender.name
    )
    box.transcript.note(
        kind,
        message.chat.chat_id,
        name,
        message.text,
        buttons=message.buttons,
        message_id=message.id,
        media=message.media_kind,
    )


def edit(
    box: Telegram,
    message: Message,
    editor: User,
    *,
    text: str | None,
    entities: list[Tl] | None,
    markup: Tl,
    media: Tl = None,
    caller: Session | None = None,
) -> Encoded | None:
    """Raises RequestError if nothing would change, or if it is somebody else's message."""
    if message.sender is not editor or message.action is not None:
        raise RequestError(403, "MESSAGE_AUTHOR_REQUIRED")
    require_writable(message.chat, editor)
    new_text = message.text if text is None else text
    new_entities = message.entities if text is None else marked(new_text, entities)
    if (new_text, new_entities, markup) == (message.text, message.entities, message.markup) and media is None:
        raise RequestError(400, "MESSAGE_NOT_MODIFIED")
    changed = {"text": new_text, "entities": new_entities, "markup": markup, "media": media or message.media}
    _require_valid(attrs.evolve(message, **changed))
    for name, value in changed.items():
        setattr(message, name, value)
    message.edited = now()
    return _republish(box, message, caller)


def pin(
    box: Telegram, message: Message, pinned: bool, who: User, *, caller: Session | None
) -> Encoded | None:
    chat = message.chat
    if isinstance(chat, Group):
        require(chat, who, "pin_messages")
    message.pinned = pinned
    return _republish(box, message, caller)


def _republish(box: Telegram, message: Message, caller: Session | None) -> Encoded | None:
    chat = message.chat
    message.seen_as.clear()
    for ledger in ledgers(chat):
        ledger.change(message)
    _note(box, Kind.EDIT, message)

    def news(viewer: User) -> list[Tl]:
        return [as_edited(message, viewer)] if sees(viewer, message) else []

    return box.updates.tell(chat.people(), news, about=_named(message), chat=chat, caller=caller)


def as_edited(message: Message, viewer: User) -> Tl:
    kind = T.UpdateEditChannelMessage if isinstance(message.chat, Group) else T.UpdateEditMessage
    pts = message.chat.ledger_of(viewer).pts
    return kind(message=views.message(message, viewer), pts=pts, pts_count=1)


def delete(box: Telegram, chat: Chat, ids: list[int], who: User, *, caller: Session | None = None) -> int:
    """Remove those of these messages that are there; returns how many. Others' need a right.

    Bots may delete nothing that is older than two days. Raises RequestError.
    """
    found = [chat.ledger_of(who).messages[i] for i in ids if i in chat.ledger_of(who).messages]
    if not all(_may_delete(who, message) for message in found):
        raise RequestError(403, "MESSAGE_DELETE_FORBIDDEN")
    if not found:
        return 0
    gone = [message.id for message in found]
    for ledger in ledgers(chat):
        ledger.remove(gone)
    for message in found:
        _note(box, Kind.DELETE, message)
    box.updates.tell(
        chat.people(), lambda viewer: [as_deleted(chat, gone, viewer)], about=(), chat=chat, caller=caller
    )
    return len(gone)


def _may_delete(who: User, message: Message) -> bool:
    if who.bot and now() - message.date > _BOT_MAY_DELETE:
        return False
    chat = message.chat
    return not isinstance(chat, Group) or message.sender is who or "delete_messages" in chat.rights_of(who)


def as_deleted(chat: Chat, ids: list[int], viewer: User) -> Tl:
    known = {"messages": ids, "pts": chat.ledger_of(viewer).pts, "pts_count": len(ids)}
    if isinstance(chat, Group):
        return T.UpdateDeleteChannelMessages(channel_id=chat.id, **known)
    return T.UpdateDeleteMessages(**known)
