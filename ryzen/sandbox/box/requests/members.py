"""Members of groups: looking, joining, leaving, inviting, promoting, banning."""

from __future__ import annotations

from typing import Final

from ryzen.sandbox.box import membership, views
from ryzen.sandbox.box.faults import RequestError
from ryzen.sandbox.box.records import Group, User
from ryzen.sandbox.box.rpc import Rpc, on
from ryzen.sandbox.box.tl import F, T, Tl
from ryzen.sandbox.box.world import require

_DENIALS: Final = frozenset(T.ChatBannedRights.__slots__) - {"until_date"}


def joined(rpc: Rpc, group: Group, own: Tl | None) -> Tl:
    return T.messages.ChatInviteJoinResultOk(updates=own or views.updates([], rpc.me, (), group))


@on(F.channels.GetParticipant)
def get_participant(rpc: Rpc) -> Tl:
    me = rpc.me
    group = rpc.box.world.group(rpc.query.channel, me)
    user = rpc.box.world.user(rpc.query.participant, me)
    participant = views.participant(group, user, me)
    if participant is None:
        raise RequestError(400, "USER_NOT_PARTICIPANT")
    named = {user, group.owner, *_actors(rpc, group, user)}
    return T.channels.ChannelParticipant(
        participant=participant,
        chats=[views.group(group, me)],
        users=[views.user(one, me) for one in named],
    )


def _actors(rpc: Rpc, group: Group, user: User) -> list[User]:
    """Who made this member what it is."""
    standing = group.admins.get(user.id) or group.bans.get(user.id)
    return [rpc.box.world.users[standing.by]] if standing else []


@on(F.channels.GetParticipants)
def get_participants(rpc: Rpc) -> Tl:
    me, query = rpc.me, rpc.query
    group = rpc.box.world.group(query.channel, me)
    found = _filtered(rpc, group)
    page = found[query.offset : query.offset + query.limit]
    named = {group.owner, *page, *(actor for one in page for actor in _actors(rpc, group, one))}
    return T.channels.ChannelParticipants(
        count=len(found),
        participants=[views.participant(group, one, me) for one in page],
        chats=[views.group(group, me)],
        users=[views.user(one, me) for one in named],
    )


def _filtered(rpc: Rpc, group: Group) -> list[User]:
    members = sorted(group.members.values(), key=lambda one: one.id)
    words = getattr(rpc.query.filter, "q", "").casefold()
    match rpc.query.filter:
        case T.ChannelParticipantsAdmins():
            return [one for one in members if one is group.owner or one.id in group.admins]
        case T.ChannelParticipantsBots():
            return [one for one in members if one.bot]
        case T.ChannelParticipantsKicked():
            return [rpc.box.world.users[one] for one, ban in group.bans.items() if ban.out]
        case T.ChannelParticipantsBanned():
            return [rpc.box.world.users[one] for one, ban in group.bans.items() if not ban.out]
    return [one for one in members if words in one.name.casefold()]


@on(F.channels.JoinChannel, bots=False)
def join(rpc: Rpc) -> Tl:
    me = rpc.me
    group = rpc.box.world.group(rpc.query.channel, me, for_joining=True)
    if group.username is None and me.id not in group.members:
        raise RequestError(400, "CHANNEL_PRIVATE")
    if group.join_request:
        membership.ask_to_join(rpc.box, group, me, None)
        raise RequestError(400, "INVITE_REQUEST_SENT")
    return joined(rpc, group, membership.admit(rpc.box, group, me, caller=rpc.session))


@on(F.channels.LeaveChannel)
def leave(rpc: Rpc) -> Tl:
    group = rpc.box.world.group(rpc.query.channel, rpc.me)
    return membership.remove(rpc.box, group, rpc.me, caller=rpc.session)


@on(F.channels.InviteToChannel, bots=False)
def bring_in(rpc: Rpc) -> Tl:
    me = rpc.me
    group = rpc.box.world.group(rpc.query.channel, me)
    require(group, me, "invite_users")
    own = None
    for peer in rpc.query.users:
        user = rpc.box.world.user(peer, me)
        if user.id not in group.members:
            own = membership.admit(rpc.box, group, user, by=me, caller=rpc.session)
    return T.messages.InvitedUsers(updates=own or views.updates([], me, (), group), missing_invitees=[])


@on(F.channels.EditAdmin)
def edit_admin(rpc: Rpc) -> Tl:
    me = rpc.me
    group = rpc.box.world.group(rpc.query.channel, me)
    require(group, me, "add_admins")
    user = rpc.box.world.user(rpc.query.user_id, me)
    wanted = rpc.query.admin_rights
    rights = frozenset(name for name in wanted.__slots__ if getattr(wanted, name))
    if rights - group.rights_of(me) - {"other", "anonymous"}:
        raise RequestError(403, "RIGHT_FORBIDDEN")
    membership.promote(rpc.box, group, user, rights, by=me)
    return views.updates([], me, {me, user}, group)


@on(F.channels.EditBanned)
def edit_banned(rpc: Rpc) -> Tl:
    me = rpc.me
    group = rpc.box.world.group(rpc.query.channel, me)
    require(group, me, "ban_users")
    user = rpc.box.world.user(rpc.query.participant, me)
    wanted = rpc.query.banned_rights
    denied = frozenset(name for name in _DENIALS if getattr(wanted, name))
    own = membership.restrict(
        rpc.box, group, user, denied, by=me, until=wanted.until_date, caller=rpc.session
    )
    return own or views.updates([], me, {me, user}, group)
