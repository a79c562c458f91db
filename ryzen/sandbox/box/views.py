"""How one account sees a record, as TL.

Views that go out with every message are kept encoded; what they show is their key, so none goes stale.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Final

from ryzen.sandbox.box.records import (
    RIGHTS,
    CallMember,
    Chat,
    Group,
    Invite,
    Message,
    User,
    VoiceChat,
    now,
)
from ryzen.sandbox.box.tl import Encoded, T, Tl, encoded, filled

_KEPT: Final = 4096


def rights(names: frozenset[str]) -> Tl:
    return T.ChatAdminRights(**dict.fromkeys(names, True))


def banned_rights(denied: frozenset[str], until: int) -> Tl:
    return T.ChatBannedRights(until_date=until, **dict.fromkeys(denied, True))


def user(one: User, me: User) -> Encoded:
    is_self = one is me
    return _user(
        one.id, one.access_hash, one.name, one.username, one.bot, is_self, one.phone if is_self else None
    )


@functools.lru_cache(_KEPT)
def _user(
    user_id: int,
    access_hash: int,
    name: str,
    username: str | None,
    bot: bool,
    is_self: bool,
    phone: str | None,
) -> Encoded:
    return encoded(
        T.User(
            id=user_id,
            is_self=is_self or None,
            access_hash=access_hash,
            first_name=name,
            username=username,
            phone=phone,
            bot=bot or None,
            bot_info_version=1 if bot else None,
            status=None if bot else T.UserStatusRecently(),
        )
    )


def group(one: Group, me: User) -> Encoded:
    """A Channel; for somebody who was thrown out a ChannelForbidden."""
    if one.is_out(me):
        return encoded(
            T.ChannelForbidden(id=one.id, access_hash=one.access_hash, title=one.title, megagroup=True)
        )
    return _group(
        one.id,
        one.access_hash,
        one.title,
        one.username,
        me.id in one.members,
        me is one.owner,
        frozenset() if me is one.owner else one.rights_of(me),
        len(one.members),
        one.call is not None,
        one.call is not None and bool(one.call.members),
    )


@functools.lru_cache(_KEPT)
def _group(
    group_id: int,
    access_hash: int,
    title: str,
    username: str | None,
    member: bool,
    owner: bool,
    admin: frozenset[str],
    count: int,
    call: bool,
    call_members: bool,
) -> Encoded:
    return encoded(
        T.Channel(
            id=group_id,
            title=title,
            access_hash=access_hash,
            date=0,
            photo=T.ChatPhotoEmpty(),
            megagroup=True,
            username=username,
            left=None if member else True,
            creator=owner or None,
            participants_count=count,
            admin_rights=rights(RIGHTS) if owner else rights(admin) if admin else None,
            default_banned_rights=T.ChatBannedRights(until_date=0),
            call_active=call or None,
            call_not_empty=call_members or None,
        )
    )


def message(one: Message, me: User) -> Encoded:
    if not isinstance(one.chat, Group):  # each side names the chat after the other one
        return _message(one, me)
    out = one.sender is me
    if out not in one.seen_as:
        one.seen_as[out] = _message(one, me)
    return one.seen_as[out]


def _message(one: Message, me: User) -> Encoded:
    peer = one.chat.peer_for(me)
    common = {
        "id": one.id,
        "peer_id": peer,
        "from_id": peer if one.anonymous else T.PeerUser(user_id=one.sender.id),
        "date": one.date,
        "out": one.sender is me or None,
        "reply_to": T.MessageReplyHeader(reply_to_msg_id=one.reply_to) if one.reply_to else None,
    }
    if one.action is not None:
        return encoded(T.MessageService(action=one.action, **common))
    return encoded(
        T.Message(
            message=one.text,
            edit_date=one.edited,
            entities=one.entities or None,
            reply_markup=one.markup,
            media=one.media,
            pinned=one.pinned or None,
            **common,
        )
    )


def participant(one: Group, who: User, me: User | None = None) -> Tl | None:
    """A ChannelParticipant of the kind that fits, or None for somebody who is neither in nor banned."""
    if who is one.owner and who.id in one.members:
        return T.ChannelParticipantCreator(user_id=who.id, admin_rights=rights(one.rights_of(who)))
    ban = one.bans.get(who.id)
    if ban is not None:
        return T.ChannelParticipantBanned(
            peer=T.PeerUser(user_id=who.id),
            kicked_by=ban.by,
            date=0,
            left=None if who.id in one.members else True,
            banned_rights=banned_rights(ban.denied, ban.until),
        )
    if who.id not in one.members:
        return None
    admin = one.admins.get(who.id)
    if admin is not None:
        return T.ChannelParticipantAdmin(
            user_id=who.id,
            promoted_by=admin.by,
            date=0,
            admin_rights=rights(admin.rights),
            can_edit=True if me is not None and me is one.owner else None,
            is_self=True if me is who else None,
            inviter_id=one.owner.id if me is who else None,
        )
    if me is who:
        return T.ChannelParticipantSelf(user_id=who.id, inviter_id=one.owner.id, date=0)
    return T.ChannelParticipant(user_id=who.id, date=0)


def invite(one: Invite) -> Tl:
    return T.ChatInviteExported(
        link=f"https://t.me/+{one.hash}",
        admin_id=one.by.id,
        date=one.date,
        revoked=one.revoked or None,
        permanent=one.permanent or None,
        request_needed=one.request_needed or None,
        expire_date=one.expires,
        usage_limit=one.limit,
        usage=one.used,
        title=one.title,
    )


# -- voice chats
def call_ref(call: VoiceChat) -> Tl:
    return T.InputGroupCall(id=call.id, access_hash=call.access_hash)


def call(one: VoiceChat) -> Tl:
    return T.GroupCall(
        id=one.id,
        access_hash=one.access_hash,
        participants_count=len(one.members),
        version=one.version,
        title=one.title,
        unmuted_video_limit=30,
        can_start_video=True,
    )


def call_member(one: CallMember, me: User, *, just_joined: bool = False, left: bool = False) -> Tl:
    return T.GroupCallParticipant(
        peer=T.PeerUser(user_id=one.user.id),
        date=one.joined,
        source=one.ssrc,
        is_self=one.user is me or None,
        muted=one.muted or None,
        volume=one.volume,
        can_self_unmute=None if one.muted_by_admin else True,
        just_joined=just_joined or None,
        left=left or None,
        versioned=True,
    )


# -- envelopes
def updates(news: list[Tl], me: User, users: Iterable[User], chat: Chat | None) -> Encoded:
    return encoded(
        T.Updates(
            updates=news,
            users=[user(one, me) for one in users],
            chats=[group(chat, me)] if isinstance(chat, Group) else [],
            date=now(),
            seq=0,
        )
    )


def listing(found: list[Message | int], me: User, chat: Chat | None) -> Tl:
    """A messages.Messages; a number stands for a message that is not there."""
    there = [one for one in found if isinstance(one, Message)]
    known = {
        "count": len(found),
        "messages": [
            message(one, me) if isinstance(one, Message) else filled(T.MessageEmpty, id=one) for one in found
        ],
        "users": [user(one, me) for one in {me, *(m.sender for m in there)}],
        "chats": [group(chat, me)] if isinstance(chat, Group) else [],
        "topics": [],
    }
    if isinstance(chat, Group):
        return T.messages.ChannelMessages(pts=chat.ledger.pts, **known)
    del known["count"]
    return T.messages.Messages(**known)
