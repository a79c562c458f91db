"""Who is in a group, who leads it, who is out; with the updates and service messages that tell of it."""

from __future__ import annotations

from ryzen.sandbox.box import posting, views, voice
from ryzen.sandbox.box.faults import RequestError
from ryzen.sandbox.box.records import Admin, Ban, Group, Invite, User, now
from ryzen.sandbox.box.sessions import Session
from ryzen.sandbox.box.telegram import Telegram
from ryzen.sandbox.box.tl import Encoded, T, Tl
from ryzen.sandbox.box.transcript import Kind


def admit(
    box: Telegram,
    group: Group,
    user: User,
    *,
    by: User | None = None,
    invite: Invite | None = None,
    approved: bool = False,
    caller: Session | None = None,
) -> Encoded | None:
    """``user`` is in: brought in ``by`` a member, by a link, an admin's approval, or the public name."""
    if group.is_out(user) and by is None:
        raise RequestError(400, "USER_BANNED_IN_CHANNEL")
    if user.id in group.members:
        raise RequestError(400, "USER_ALREADY_PARTICIPANT")
    before = views.participant(group, user)
    group.members[user.id] = user
    group.bans.pop(user.id, None)
    group.pending.pop(user.id, None)
    if invite is not None:
        invite.used += 1
    box.transcript.note(Kind.JOIN, group.chat_id, user.name)
    if approved:
        action = T.MessageActionChatJoinedByRequest()
    elif invite is not None:
        action = T.MessageActionChatJoinedByLink(inviter_id=invite.by.id)
    else:
        action = T.MessageActionChatAddUser(users=[user.id])
    sender = by or user
    own = posting.announce(
        box, group, user if approved else sender, action, about=(user,), caller=caller, moved=user
    )
    _tell_bots(box, group, user, sender, before, invite)
    return own


def remove(box: Telegram, group: Group, user: User, *, caller: Session | None = None) -> Encoded | None:
    """``user`` leaves by itself."""
    before = views.participant(group, user)
    if user.id not in group.members:
        raise RequestError(400, "USER_NOT_PARTICIPANT")
    voice.expel(box, group, user)
    del group.members[user.id]
    group.admins.pop(user.id, None)
    box.transcript.note(Kind.LEAVE, group.chat_id, user.name)
    own = posting.announce(
        box,
        group,
        user,
        T.MessageActionChatDeleteUser(user_id=user.id),
        about=(user,),
        caller=caller,
        moved=user,
    )
    _tell_bots(box, group, user, user, before)
    return own


def restrict(
    box: Telegram,
    group: Group,
    user: User,
    denied: frozenset[str],
    *,
    by: User,
    until: int = 0,
    caller: Session | None = None,
) -> Encoded | None:
    """Take these permissions away; with ``view_messages`` among them the user is out. None: all are back."""
    if user is group.owner or (user.id in group.admins and by is not group.owner):
        raise RequestError(400, "USER_ADMIN_INVALID")
    before = views.participant(group, user)
    group.bans.pop(user.id, None)
    if denied:
        group.bans[user.id] = Ban(denied, by.id, until)
        group.admins.pop(user.id, None)
    own = None
    if group.is_out(user) and user.id in group.members:
        voice.expel(box, group, user)
        del group.members[user.id]
        box.transcript.note(Kind.LEAVE, group.chat_id, user.name)
        action = T.MessageActionChatDeleteUser(user_id=user.id)
        own = posting.announce(box, group, by, action, about=(user,), caller=caller)
    _tell_bots(box, group, user, by, before)
    _tell_subject(box, group, user)
    return own


def promote(box: Telegram, group: Group, user: User, rights: frozenset[str], *, by: User) -> None:
    """Give these admin rights and no others; none at all: a member like any other."""
    if user.id not in group.members:
        raise RequestError(400, "USER_NOT_PARTICIPANT")
    if user is group.owner and user is not by:
        raise RequestError(400, "USER_CREATOR")
    before = views.participant(group, user)
    group.admins.pop(user.id, None)
    if rights:
        group.admins[user.id] = Admin(rights, by.id)
    _tell_bots(box, group, user, by, before)
    _tell_subject(box, group, user)


def ask_to_join(box: Telegram, group: Group, user: User, invite: Invite | None) -> None:
    """Note the wish and tell the admins: bots one by one, people as a number."""
    if group.is_out(user):
        raise RequestError(400, "USER_BANNED_IN_CHANNEL")
    if user.id in group.members:
        raise RequestError(400, "USER_ALREADY_PARTICIPANT")
    group.pending[user.id] = invite
    _tell_pending(box, group)

    def news(bot: User) -> list[Tl]:
        bot.qts += 1
        return [
            T.UpdateBotChatInviteRequester(
                peer=T.PeerChannel(channel_id=group.id),
                date=now(),
                user_id=user.id,
                about="",
                invite=views.invite(invite) if invite else T.ChatInvitePublicJoinRequests(),
                qts=bot.qts,
            )
        ]

    bots = [one for one in group.people() if one.bot and "invite_users" in group.rights_of(one)]
    box.updates.tell(bots, news, about={user, *([invite.by] if invite else [])}, chat=group)


def decide(box: Telegram, group: Group, user: User, approved: bool, *, by: User) -> None:
    """An admin's answer to a wish to join."""
    if user.id not in group.pending:
        raise RequestError(400, "HIDE_REQUESTER_MISSING")
    invite = group.pending.pop(user.id)
    _tell_pending(box, group)
    if approved:
        admit(box, group, user, by=by, invite=invite, approved=True)


def _tell_pending(box: Telegram, group: Group) -> None:
    update = T.UpdatePendingJoinRequests(
        peer=T.PeerChannel(channel_id=group.id),
        requests_pending=len(group.pending),
        recent_requesters=list(group.pending),
    )
    admins = [one for one in group.people() if not one.bot and "invite_users" in group.rights_of(one)]
    about = [box.world.users[one] for one in group.pending]
    box.updates.tell(admins, lambda _: [update], about=about, chat=group)


def _tell_bots(
    box: Telegram, group: Group, user: User, actor: User, before: Tl, invite: Invite | None = None
) -> None:
    """A change of somebody's standing goes to bots alone: to admins, and to the one it is about."""
    after = views.participant(group, user)

    def news(bot: User) -> list[Tl]:
        bot.qts += 1
        return [
            T.UpdateChannelParticipant(
                channel_id=group.id,
                date=now(),
                actor_id=actor.id,
                user_id=user.id,
                prev_participant=before,
                new_participant=after,
                invite=views.invite(invite) if invite else None,
                qts=bot.qts,
            )
        ]

    bots = {one for one in group.people() | {user} if one.bot and (one is user or one.id in group.admins)}
    named = {user, actor, group.owner, *([invite.by] if invite else [])}
    box.updates.tell(bots, news, about=named, chat=group)


def _tell_subject(box: Telegram, group: Group, user: User) -> None:
    update = T.UpdateChannel(channel_id=group.id)
    box.updates.tell([user], lambda _: [update], about=(), chat=group)
