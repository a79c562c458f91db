"""Accounts: who is who, and what a bot says of itself."""

from __future__ import annotations

from ryzen.sandbox.box import views
from ryzen.sandbox.box.records import User
from ryzen.sandbox.box.rpc import Rpc, on
from ryzen.sandbox.box.tl import F, T, Tl, filled


@on(F.users.GetUsers)
def get_users(rpc: Rpc) -> Tl:
    return [views.user(rpc.box.world.user(one, rpc.me), rpc.me) for one in rpc.query.id]


@on(F.users.GetFullUser)
def get_full_user(rpc: Rpc) -> Tl:
    user = rpc.box.world.user(rpc.query.id, rpc.me)
    full = filled(T.UserFull, id=user.id, settings=T.PeerSettings(), notify_settings=T.PeerNotifySettings())
    return T.users.UserFull(full_user=full, chats=[], users=[views.user(user, rpc.me)])


@on(F.contacts.ResolveUsername)
def resolve_username(rpc: Rpc) -> Tl:
    found = rpc.box.world.by_username(rpc.query.username)
    if isinstance(found, User):
        return T.contacts.ResolvedPeer(
            peer=T.PeerUser(user_id=found.id), chats=[], users=[views.user(found, rpc.me)]
        )
    return T.contacts.ResolvedPeer(
        peer=T.PeerChannel(channel_id=found.id), chats=[views.group(found, rpc.me)], users=[]
    )


@on(F.contacts.GetContacts, bots=False)
def get_contacts(rpc: Rpc) -> Tl:
    """Nobody knows anybody's number here."""
    return T.contacts.Contacts(contacts=[], saved_count=0, users=[views.user(rpc.me, rpc.me)])


@on(F.bots.SetBotCommands)
def set_commands(rpc: Rpc) -> Tl:
    rpc.me.commands = list(rpc.query.commands)
    return True


@on(F.bots.GetBotCommands)
def get_commands(rpc: Rpc) -> Tl:
    return rpc.me.commands


@on(F.bots.ResetBotCommands)
def reset_commands(rpc: Rpc) -> Tl:
    rpc.me.commands = []
    return True


@on(F.account.UpdateStatus)
def update_status(rpc: Rpc) -> Tl:
    return bool(rpc.me)
