"""The documents of YukkiMusicBot and of what was made from it, older AnonXMusic among them.

Collections and shapes as their public source has them:

- TeamYukki/YukkiMusicBot, ``YukkiMusic/utils/database/{mongodatabase,memorydatabase}.py`` (database «Yukki»),
  the same in TheTeamVivek/YukkiMusic; before that ``Yukki/Database/*.py``, whose playlists had genres
- AnonymousX1025/AnonXMusic until 2025, ``AnonX/utils/database/*.py``, later ``AnonXMusic/utils/database.py``
  (database «Anon»)

=====================  ==================================================================================
chats, privatechats    ``{chat_id}``; with PRIVATE_BOT_MODE, only the latter may use the bot
tgusersdb              ``{user_id}``
sudoers                ``{sudo: "sudo", sudoers: [user, …]}``
gban                   ``{user_id}``: in spite of its name whom /block blocked (``plugins/sudo/block.py``)
blockedusers           ``{user_id}``: whom /gban banned everywhere (``plugins/sudo/globalban.py``)
blacklistChat          ``{chat_id}``
authuser               ``{chat_id, notes: {token: {auth_user_id, auth_name, admin_id, admin_name}}}``
adminauth              ``{chat_id}``: everybody may do what admins may
language               ``{chat_id, lang}``; in a private chat the chat is the user
playmode, playtypedb   ``{chat_id, mode: "Direct" | "Inline"}``, ``{chat_id, mode: "Everyone" | "Admin"}``
cplaymode              ``{chat_id, mode: channel}``
playlist               ``{chat_id: user, notes: {video: {videoid, title, duration: "3:45"}}}``
chatstats, userstats   ``{chat_id: chat or user, vidid: {video: {spot: plays, title}}}``
=====================  ==================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from ryzen.records import FAVOURITES, Control, Member, PlayType, Roll, Search, Value
from ryzen.store.imports.parts import (
    Part,
    Plays,
    Reader,
    Strange,
    Unread,
    chat_id,
    chat_row,
    field,
    item_row,
    mapping,
    name,
    roll_row,
    setting_row,
    several,
    track,
    track_row,
    user_id,
    user_row,
    whole,
)
from ryzen.store.mongo_reading import Document

_SEARCH: Mapping[str, Value] = {"Direct": Search.DIRECT.value, "Inline": Search.LIST.value}
_PLAY_TYPE: Mapping[str, Value] = {"Everyone": PlayType.EVERYONE.value, "Admin": PlayType.ADMINS.value}


def chats(document: Document) -> Iterator[Part]:
    yield chat_row(chat_id(document.fields, "chat_id"), document.made)


def users(document: Document) -> Iterator[Part]:
    yield user_row(user_id(document.fields, "user_id"), document.made)


def people(roll: Roll, document: Document) -> Iterator[Part]:
    yield roll_row(roll, Member(user_id(document.fields, "user_id"), at=document.made))


def places(roll: Roll, document: Document) -> Iterator[Part]:
    yield roll_row(roll, Member(chat_id(document.fields, "chat_id"), at=document.made))


def sudoers(document: Document) -> Iterator[Part]:
    for each in several(field(document.fields, "sudoers")):
        try:
            yield roll_row(Roll.SUDOER, Member(user_id({"": each}, ""), at=document.made))
        except Strange:
            yield Unread()


def authorised(document: Document) -> Iterator[Part]:
    chat = chat_id(document.fields, "chat_id")
    for note in mapping(field(document.fields, "notes")).values():
        try:
            fields = mapping(note)
            by = whole(fields.get("admin_id", 0))
            member = Member(user_id(fields, "auth_user_id"), name(fields.get("auth_name")), by, document.made)
            yield roll_row(Roll.AUTHORISED, member, chat)
        except Strange:
            yield Unread()


def admins_not_needed(document: Document) -> Iterator[Part]:
    yield setting_row(chat_id(document.fields, "chat_id"), "control", Control.EVERYONE.value)


def language(document: Document) -> Iterator[Part]:
    where, chosen = whole(field(document.fields, "chat_id", "_id")), field(document.fields, "lang")
    if not isinstance(chosen, str) or not 0 < len(chosen) <= 16:
        raise Strange
    yield setting_row(where, "language", chosen) if where < 0 else user_row(where, document.made, chosen)


def mode(setting: str, meanings: Mapping[str, Value], document: Document) -> Iterator[Part]:
    chosen = field(document.fields, "mode")
    if not isinstance(chosen, str) or chosen not in meanings:
        raise Strange
    yield setting_row(chat_id(document.fields, "chat_id"), setting, meanings[chosen])


def channel(document: Document) -> Iterator[Part]:
    chat, linked = chat_id(document.fields, "chat_id"), field(document.fields, "mode")
    if linked is not None:  # else it was taken away again
        yield setting_row(chat, "linked_chat", chat_id({"": linked}, ""))


def playlist(called: str, document: Document) -> Iterator[Part]:
    """In the order in which they were added: a thousandth of a second lies between two."""
    user = user_id(document.fields, "chat_id")
    for number, (video, note) in enumerate(mapping(field(document.fields, "notes")).items()):
        try:
            one = track(video, mapping(note))
        except Strange:
            yield Unread()
            continue
        yield track_row(one)
        yield item_row(user, called, one, document.made + number / 1000)


def plays(scope: str, document: Document) -> Iterator[Part]:
    """``scope`` is «chat» or «user»."""
    whose = (chat_id if scope == "chat" else user_id)(document.fields, "chat_id")
    for video, counted in mapping(field(document.fields, "vidid")).items():
        try:
            fields = mapping(counted)
            spot, one = whole(field(fields, "spot")), track(video, fields)
        except Strange:
            yield Unread()
            continue
        if spot > 0:
            yield Plays(f"{scope}:{whose}", one, spot)


GENRES = {
    "playlistlofi": "Lofi",
    "playlistrock": "Weeb",  # that is what it was called
    "playlistsad": "Sad",
    "playlistparty": "Party",
    "playlistbollywood": "Bollywood",
    "playlisthollywood": "Hollywood",
    "playlistpunjabi": "Punjabi",
    "playlistothers": "Others",
}

READERS: Mapping[str, Reader] = {
    "language": language,
    "chats": chats,
    "tgusersdb": users,
    "sudoers": sudoers,
    "gban": partial(people, Roll.BLOCKED),
    "blockedusers": partial(people, Roll.BANNED),
    "blacklistChat": partial(places, Roll.CLOSED_CHAT),
    "privatechats": partial(places, Roll.ALLOWED_CHAT),
    "authuser": authorised,
    "adminauth": admins_not_needed,
    "playmode": partial(mode, "search", _SEARCH),
    "playtypedb": partial(mode, "play_type", _PLAY_TYPE),
    "cplaymode": channel,
    "playlist": partial(playlist, FAVOURITES),
    **{collection: partial(playlist, genre) for collection, genre in GENRES.items()},
    "chatstats": partial(plays, "chat"),
    "userstats": partial(plays, "user"),
}
