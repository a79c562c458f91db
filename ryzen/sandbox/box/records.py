"""What there is on this Telegram: accounts, groups, messages, voice chats. Plain records.

Ids are Telegram's own; ``chat_id`` is what client libraries make of them (-100… for a group).
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Final

import attrs

from ryzen.sandbox.box.srp import Password
from ryzen.sandbox.box.tl import Encoded, T, Tl

if TYPE_CHECKING:
    from ryzen.sandbox.media import Peer

_CHANNELS: Final = -1_000_000_000_000

#: every right of an admin; ``anonymous`` is rather a duty
RIGHTS: Final = frozenset(T.ChatAdminRights.__slots__) - {"anonymous"}


def _some_id() -> int:
    return random.getrandbits(62)


def now() -> int:
    return int(time.time())


@attrs.define(eq=False)
class Ledger:
    """The messages of one group, or of one account's private chats, and when each of them changed.

    Every event takes the next ``pts``, so what somebody missed follows from the last pts they saw.
    """

    pts: int = 1
    messages: dict[int, Message] = attrs.field(factory=dict)
    _born: dict[int, int] = attrs.field(factory=dict)
    _changed: dict[int, int] = attrs.field(factory=dict)
    _gone: dict[int, int] = attrs.field(factory=dict)

    def add(self, message: Message) -> None:
        self.pts += 1
        self.messages[message.id] = message
        self._born[message.id] = self.pts

    def change(self, message: Message) -> None:
        self.pts += 1
        self._changed[message.id] = self.pts

    def remove(self, ids: list[int]) -> None:
        self.pts += len(ids)
        for message_id in ids:
            del self.messages[message_id]
            self._gone[message_id] = self.pts

    def since(self, pts: int) -> Missed:
        """What has happened after ``pts``: new and still there, edited since, gone since."""
        return Missed(
            tuple(m for i, m in self.messages.items() if self._born[i] > pts),
            tuple(m for i, m in self.messages.items() if self._born[i] <= pts < self._changed.get(i, 0)),
            tuple(i for i, died in self._gone.items() if self._born[i] <= pts < died),
        )


@attrs.frozen
class Missed:
    new: tuple[Message, ...]
    edited: tuple[Message, ...]
    gone: tuple[int, ...]

    def __bool__(self) -> bool:
        return bool(self.new or self.edited or self.gone)


@attrs.define(eq=False)
class User:
    """An account; a bot has a ``token``, a person may have a ``phone`` and a two-step password."""

    id: int
    name: str
    username: str | None = None
    bot: bool = False
    token: str | None = attrs.field(default=None, repr=False)
    phone: str | None = None
    password: Password | None = attrs.field(default=None, repr=False)
    access_hash: int = attrs.field(factory=_some_id, repr=False)
    ledger: Ledger = attrs.field(factory=Ledger, repr=False)  #: of the private chats
    qts: int = 0  #: counts the updates that only bots get
    login_code: str = attrs.field(default="", repr=False)  #: the last one that was sent
    code_hash: str = attrs.field(default="", repr=False)
    commands: list[Tl] = attrs.field(factory=list, repr=False)


@attrs.define(eq=False)
class Message:
    """One message of any chat; ``action`` makes it a service message."""

    id: int
    chat: Chat
    sender: User
    text: str = ""
    date: int = attrs.field(factory=now)
    entities: list[Tl] = attrs.field(factory=list, repr=False)
    markup: Tl = attrs.field(default=None, repr=False)
    media: Tl = attrs.field(default=None, repr=False)
    reply_to: int | None = None
    action: Tl = attrs.field(default=None, repr=False)
    edited: int | None = None
    anonymous: bool = False  #: written by an admin in the name of the group
    pinned: bool = False
    seen_as: dict[bool, Encoded] = attrs.field(factory=dict, repr=False)  #: by ``out``; an edit clears it

    @property
    def buttons(self) -> tuple[str, ...]:
        """The labels of the inline keyboard, row by row."""
        return tuple(button.text for button in self._keyboard())

    @property
    def callbacks(self) -> tuple[tuple[str, bytes], ...]:
        """(label, data) of the buttons that ask the bot."""
        return tuple(
            (button.text, button.type.data)
            for button in self._keyboard()
            if isinstance(button.type, T.InlineButtonTypeCallback)
        )

    def _keyboard(self) -> list[Tl]:
        if not isinstance(self.markup, T.ReplyInlineMarkup):
            return []
        return [button for row in self.markup.rows for button in row.buttons]

    @property
    def media_kind(self) -> str:
        kinds = {T.MessageMediaPhoto: "photo", T.MessageMediaDocument: "document"}
        return kinds.get(type(self.media), "")


@attrs.define(eq=False)
class Private:
    """The chat of two accounts, or of one with itself."""

    low: User
    high: User

    def people(self) -> set[User]:
        return {self.low, self.high}

    def other(self, me: User) -> User:
        return self.low if me is self.high else self.high

    def ledger_of(self, viewer: User) -> Ledger:
        return viewer.ledger

    def peer_for(self, viewer: User) -> Tl:
        return T.PeerUser(user_id=self.other(viewer).id)

    @property
    def chat_id(self) -> int:
        """The person's id, where the other one is a bot."""
        return self.high.id if self.low.bot else self.low.id


@attrs.define(eq=False)
class Invite:
    """An invite link, without its ``https://t.me/+``."""

    hash: str
    by: User
    permanent: bool = False
    request_needed: bool = False
    expires: int | None = None
    limit: int | None = None
    title: str | None = None
    revoked: bool = False
    used: int = 0
    date: int = attrs.field(factory=now)

    @property
    def usable(self) -> bool:
        spent = self.limit is not None and self.used >= self.limit
        return not (self.revoked or spent or (self.expires is not None and self.expires <= now()))


@attrs.frozen
class Admin:
    rights: frozenset[str]
    by: int


@attrs.frozen
class Ban:
    """What somebody may not do; ``view_messages`` in it: they are out, and stay out."""

    denied: frozenset[str]
    by: int
    until: int = 0

    @property
    def out(self) -> bool:
        return "view_messages" in self.denied


@attrs.define(eq=False)
class CallMember:
    """One account in a voice chat; ``peer`` is the media server's end of its connection."""

    user: User
    ssrc: int
    muted: bool = False
    muted_by_admin: bool = False
    volume: int | None = None
    joined: int = attrs.field(factory=now)
    peer: Peer | None = None


@attrs.define(eq=False)
class VoiceChat:
    """A group call; ``version`` counts the changes of its members."""

    title: str | None = None
    id: int = attrs.field(factory=_some_id)
    access_hash: int = attrs.field(factory=_some_id, repr=False)
    version: int = 1
    started: int = attrs.field(factory=now)
    members: dict[int, CallMember] = attrs.field(factory=dict)  #: by user id


@attrs.define(eq=False)
class Group:
    """A supergroup."""

    id: int
    title: str
    owner: User
    username: str | None = None
    join_request: bool = False  #: joining by the public name needs an admin's consent, too
    access_hash: int = attrs.field(factory=_some_id, repr=False)
    members: dict[int, User] = attrs.field(factory=dict)
    admins: dict[int, Admin] = attrs.field(factory=dict)
    bans: dict[int, Ban] = attrs.field(factory=dict)
    invites: dict[str, Invite] = attrs.field(factory=dict)
    pending: dict[int, Invite | None] = attrs.field(factory=dict)  #: who asked to join, and by which link
    ledger: Ledger = attrs.field(factory=Ledger, repr=False)
    last_id: int = 0
    call: VoiceChat | None = None

    @property
    def chat_id(self) -> int:
        return _CHANNELS - self.id

    def people(self) -> set[User]:
        return set(self.members.values())

    def ledger_of(self, viewer: User) -> Ledger:  # noqa: ARG002 - a group's is everyone's
        return self.ledger

    def peer_for(self, viewer: User) -> Tl:  # noqa: ARG002 - a group looks the same to everyone
        return T.PeerChannel(channel_id=self.id)

    def rights_of(self, user: User) -> frozenset[str]:
        if user is self.owner:
            return RIGHTS
        admin = self.admins.get(user.id)
        return admin.rights if admin else frozenset()

    def is_out(self, user: User) -> bool:
        ban = self.bans.get(user.id)
        return ban is not None and ban.out


Chat = Private | Group
