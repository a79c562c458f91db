"""All records, and finding one by whatever a request names it with."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from ryzen.sandbox.box.faults import RequestError
from ryzen.sandbox.box.records import Chat, Group, Invite, Message, Private, User, VoiceChat
from ryzen.sandbox.box.tl import T, Tl


class World:
    """Everything there is on this Telegram."""

    def __init__(self) -> None:
        self.users: dict[int, User] = {}
        self.groups: dict[int, Group] = {}
        self.private_ids: Iterator[int] = itertools.count(1)
        self.sent: dict[tuple[int, int], Message] = {}  # (sender, random_id): sent twice is one message
        self._private: dict[tuple[int, int], Private] = {}

    # -- by name
    def by_username(self, name: str) -> User | Group:
        name = name.lower().lstrip("@")
        everyone: list[User | Group] = [*self.users.values(), *self.groups.values()]
        for one in everyone:
            if (one.username or "").lower() == name:
                return one
        raise RequestError(400, "USERNAME_NOT_OCCUPIED")

    def by_phone(self, phone: str) -> User:
        digits = phone.lstrip("+")
        user = next((one for one in self.users.values() if one.phone == digits), None)
        if user is None:
            raise RequestError(400, "PHONE_NUMBER_UNOCCUPIED")
        return user

    def by_invite(self, invite_hash: str) -> tuple[Group, Invite]:
        for group in self.groups.values():
            invite = group.invites.get(invite_hash)
            if invite is not None and invite.usable:
                return group, invite
        raise RequestError(400, "INVITE_HASH_EXPIRED")

    def by_call(self, call: Tl) -> tuple[Group, VoiceChat]:
        """From an InputGroupCall."""
        for group in self.groups.values():
            if group.call and (group.call.id, group.call.access_hash) == (call.id, call.access_hash):
                return group, group.call
        raise RequestError(400, "GROUPCALL_INVALID")

    # -- by a peer of a request
    def private(self, one: User, other: User) -> Private:
        low, high = sorted((one, other), key=lambda user: user.id)
        return self._private.setdefault((low.id, high.id), Private(low, high))

    def chat(self, peer: Tl, me: User) -> Chat:
        """From an InputPeer, InputUser or InputChannel. A bot may leave the access hash out."""
        if isinstance(peer, (T.InputPeerChannel, T.InputChannel)):
            group = self.groups.get(peer.channel_id)
            if group is None or not _may_name(me, peer, group):
                raise RequestError(400, "CHANNEL_INVALID")
            return group
        return self.private(me, self.user(peer, me))

    def user(self, peer: Tl, me: User) -> User:
        if isinstance(peer, (T.InputPeerSelf, T.InputUserSelf)):
            return me
        if isinstance(peer, (T.InputPeerUser, T.InputUser)):
            user = self.users.get(peer.user_id)
            if user is not None and (user is me or _may_name(me, peer, user)):
                return user
        raise RequestError(400, "PEER_ID_INVALID")

    def group(self, peer: Tl, me: User, *, for_joining: bool = False) -> Group:
        """A group that this account may look into."""
        group = self.chat(peer, me)
        if not isinstance(group, Group):
            raise RequestError(400, "CHANNEL_INVALID")
        hidden = me.id not in group.members and not group.username and not for_joining
        if hidden or (group.is_out(me) and not for_joining):
            raise RequestError(400, "CHANNEL_PRIVATE")
        return group


def _may_name(me: User, peer: Tl, known: User | Group) -> bool:
    return peer.access_hash == known.access_hash or (me.bot and peer.access_hash == 0)


def require(group: Group, user: User, right: str) -> None:
    """Raises RequestError unless this member has this admin right."""
    if right not in group.rights_of(user):
        raise RequestError(400, "CHAT_ADMIN_REQUIRED")


def sees(viewer: User, message: Message) -> bool:
    """Bots are not shown what other bots write."""
    return not (viewer.bot and message.sender.bot and viewer is not message.sender)
