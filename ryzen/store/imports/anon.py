"""The documents of AnonXMusic as it was written anew in 2025.

As in AnonymousX1025/AnonXMusic, ``anony/core/mongo.py`` (database «Anon», in which an older version may have
left its own collections: see ``yukki``):

=========  ==========================================================================================
chats      ``{_id: chat, cmd_delete?: bool, admin_play?: bool}``
users      ``{_id: user}``
auth       ``{_id: chat, user_ids: [user, …]}``: who may do what admins may
lang       ``{_id: chat or user, lang}``
cache      ``{_id: "sudoers" | "bl_users", user_ids: […]}``, ``{_id: "bl_chats", chat_ids: […]}``, and more
=========  ==========================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ryzen.records import Member, PlayType, Roll
from ryzen.store.imports import yukki
from ryzen.store.imports.parts import (
    Part,
    Reader,
    Strange,
    Unread,
    chat_id,
    chat_row,
    field,
    roll_row,
    setting_row,
    several,
    user_id,
    user_row,
)
from ryzen.store.mongo_reading import Document

#: In «cache»: of its ``_id``, the roll and the field that has the members.
_ROLLS = {
    "sudoers": (Roll.SUDOER, "user_ids"),
    "bl_users": (Roll.BLOCKED, "user_ids"),
    "bl_chats": (Roll.CLOSED_CHAT, "chat_ids"),
}


def chats(document: Document) -> Iterator[Part]:
    chat = chat_id(document.fields, "_id")
    yield chat_row(chat, document.made)
    if document.fields.get("cmd_delete") is True:
        yield setting_row(chat, "delete_commands", True)
    if document.fields.get("admin_play") is True:
        yield setting_row(chat, "play_type", PlayType.ADMINS.value)


def old_and_new_chats(document: Document) -> Iterator[Part]:
    return yukki.chats(document) if "chat_id" in document.fields else chats(document)


def users(document: Document) -> Iterator[Part]:
    yield user_row(user_id(document.fields, "_id"), document.made)


def authorised(document: Document) -> Iterator[Part]:
    chat = chat_id(document.fields, "_id")
    yield from _members(Roll.AUTHORISED, several(field(document.fields, "user_ids")), chat)


def cache(document: Document) -> Iterator[Part]:
    """Whatever else it keeps here means nothing to us."""
    key = document.fields.get("_id")
    if isinstance(key, str) and key in _ROLLS:
        roll, members = _ROLLS[key]
        yield from _members(roll, several(field(document.fields, members)))


def _members(roll: Roll, found: list[object], scope: int = 0) -> Iterator[Part]:
    read = chat_id if roll is Roll.CLOSED_CHAT else user_id
    for each in found:
        try:
            yield roll_row(roll, Member(read({"": each}, "")), scope)
        except Strange:
            yield Unread()


READERS: Mapping[str, Reader] = {
    "lang": yukki.language,
    "chats": old_and_new_chats,
    "users": users,
    "auth": authorised,
    "cache": cache,
}
