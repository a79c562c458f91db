"""Invite links, and the wishes to join that some of them make."""

from __future__ import annotations

import secrets

from ryzen.sandbox.box import membership, views
from ryzen.sandbox.box.faults import RequestError
from ryzen.sandbox.box.records import Group, Invite, now
from ryzen.sandbox.box.requests.members import joined
from ryzen.sandbox.box.rpc import Rpc, on
from ryzen.sandbox.box.tl import F, T, Tl, filled
from ryzen.sandbox.box.world import require


def _administered(rpc: Rpc) -> Group:
    """The group of the request, whose links this account may manage."""
    group = rpc.box.world.group(rpc.query.peer, rpc.me)
    require(group, rpc.me, "invite_users")
    return group


def _invite(group: Group, link: str) -> Invite:
    invite = group.invites.get(link.rsplit("/", 1)[-1].lstrip("+"))
    if invite is None:
        raise RequestError(400, "INVITE_HASH_EXPIRED")
    return invite


@on(F.messages.ExportChatInvite)
def export(rpc: Rpc) -> Tl:
    group, query = _administered(rpc), rpc.query
    permanent = not (query.expire_date or query.usage_limit or query.request_needed or query.title)
    for old in group.invites.values():
        if query.legacy_revoke_permanent and old.permanent and old.by is rpc.me:
            old.revoked = True
    invite = Invite(
        secrets.token_urlsafe(12),
        rpc.me,
        permanent=permanent,
        request_needed=bool(query.request_needed),
        expires=query.expire_date,
        limit=query.usage_limit,
        title=query.title,
    )
    group.invites[invite.hash] = invite
    return views.invite(invite)


@on(F.messages.EditExportedChatInvite)
def edit(rpc: Rpc) -> Tl:
    group, query = _administered(rpc), rpc.query
    invite = _invite(group, query.link)
    invite.revoked = invite.revoked or bool(query.revoked)
    if query.expire_date is not None:
        invite.expires = query.expire_date or None
    if query.usage_limit is not None:
        invite.limit = query.usage_limit or None
    if query.request_needed is not None:
        invite.request_needed = query.request_needed
    invite.title = query.title or invite.title
    return T.messages.ExportedChatInvite(invite=views.invite(invite), users=[views.user(invite.by, rpc.me)])


@on(F.messages.DeleteExportedChatInvite)
def delete(rpc: Rpc) -> Tl:
    group = _administered(rpc)
    del group.invites[_invite(group, rpc.query.link).hash]
    return True


@on(F.messages.CheckChatInvite, bots=False)
def check(rpc: Rpc) -> Tl:
    group, invite = rpc.box.world.by_invite(rpc.query.hash)
    if rpc.me.id in group.members:
        return T.ChatInviteAlready(chat=views.group(group, rpc.me))
    return filled(
        T.ChatInvite,
        title=group.title,
        photo=T.PhotoEmpty(id=0),
        participants_count=len(group.members),
        megagroup=True,
        channel=True,
        public=group.username is not None or None,
        request_needed=invite.request_needed or None,
    )


@on(F.messages.ImportChatInvite, bots=False)
def import_invite(rpc: Rpc) -> Tl:
    me = rpc.me
    group, invite = rpc.box.world.by_invite(rpc.query.hash)
    if invite.request_needed:
        membership.ask_to_join(rpc.box, group, me, invite)
        raise RequestError(400, "INVITE_REQUEST_SENT")
    return joined(rpc, group, membership.admit(rpc.box, group, me, invite=invite, caller=rpc.session))


@on(F.messages.GetChatInviteImporters, bots=False)
def get_importers(rpc: Rpc) -> Tl:
    """Only those who wait: who came in by a link is not kept."""
    group = _administered(rpc)
    users = [rpc.box.world.users[one] for one in group.pending] if rpc.query.requested else []
    if rpc.query.offset_date:  # the next page begins behind this one
        users = users[users.index(rpc.box.world.user(rpc.query.offset_user, rpc.me)) + 1 :]
    return T.messages.ChatInviteImporters(
        count=len(users),
        importers=[T.ChatInviteImporter(user_id=one.id, date=now(), requested=True) for one in users],
        users=[views.user(one, rpc.me) for one in users],
    )


@on(F.messages.HideChatJoinRequest)
def decide(rpc: Rpc) -> Tl:
    group = _administered(rpc)
    user = rpc.box.world.user(rpc.query.user_id, rpc.me)
    membership.decide(rpc.box, group, user, bool(rpc.query.approved), by=rpc.me)
    return views.updates([], rpc.me, {user}, group)


@on(F.messages.HideAllChatJoinRequests)
def decide_all(rpc: Rpc) -> Tl:
    group = _administered(rpc)
    for user_id in list(group.pending):
        user = rpc.box.world.users[user_id]
        membership.decide(rpc.box, group, user, bool(rpc.query.approved), by=rpc.me)
    return views.updates([], rpc.me, (), group)
