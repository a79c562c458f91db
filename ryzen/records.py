"""What Ryzen keeps: records, the changes that can be made to them, and questions about them. Values only.

Moments are seconds of the wall clock (Unix time), for they are read by later processes; ``day`` is UTC.
Chats and users are Telegram's ids. What a change names that is not there yet is made by it; what it removes
may be gone already. So every change can be made twice without harm, but for ``Played``: see ``Batch``.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable

import attrs

from ryzen.player.state import Asker, Phase, Player, Track

#: The playlist that «♥» fills.
FAVOURITES = "♥"

Value = str | int | float | bool | None


# -- what a chat has chosen
class PlayType(enum.StrEnum):
    EVERYONE = "everyone"
    ADMINS = "admins"


class Control(enum.StrEnum):
    """Who may pause, skip and stop."""

    EVERYONE = "everyone"
    ADMINS = "admins"
    AUTHORISED = "authorised"
    VOTING = "voting"


class Search(enum.StrEnum):
    DIRECT = "direct"  #: the first hit plays
    LIST = "list"  #: the listener chooses


def _upto(most: int) -> Callable[[object, attrs.Attribute[int], int], object]:
    are = attrs.validators
    return are.and_(are.instance_of(int), are.not_(are.instance_of(bool)), are.ge(0), are.le(most))


_YES_NO = attrs.validators.instance_of(bool)
_TEXT = attrs.validators.and_(attrs.validators.instance_of(str), attrs.validators.max_len(16))
_COUNT = attrs.validators.optional(
    attrs.validators.and_(attrs.validators.instance_of(int), attrs.validators.ge(0))
)


@attrs.frozen
class ChatSettings:
    """One chat's choices; None is «as the bot has it». A wrong value raises ValueError or TypeError."""

    play_type: PlayType = attrs.field(default=PlayType.EVERYONE, converter=PlayType)
    control: Control = attrs.field(default=Control.ADMINS, converter=Control)
    search: Search = attrs.field(default=Search.DIRECT, converter=Search)
    language: str = attrs.field(default="en", validator=_TEXT)
    clean: bool = attrs.field(default=False, validator=_YES_NO)  #: delete our old notices
    delete_commands: bool = attrs.field(default=False, validator=_YES_NO)
    thumbnails: bool = attrs.field(default=True, validator=_YES_NO)
    announce: bool = attrs.field(default=True, validator=_YES_NO)  #: a card for each track
    volume: int = attrs.field(default=100, validator=_upto(200))
    crossfade: int = attrs.field(default=0, validator=_upto(15))  #: seconds
    normalise: bool = attrs.field(default=False, validator=_YES_NO)
    auto_end: bool = attrs.field(default=False, validator=_YES_NO)  #: leave when nobody listens
    auto_pause: bool = attrs.field(default=False, validator=_YES_NO)  #: pause when nobody listens
    always_on: bool = attrs.field(default=False, validator=_YES_NO)  #: stay in the call without music
    vote_ratio: int = attrs.field(default=50, validator=_upto(100))  #: of those who listen, per cent
    queue_limit: int | None = attrs.field(default=None, validator=_COUNT)
    linked_chat: int | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.instance_of(int))
    )  #: the channel that ``c…`` commands act on


# -- people and places
class Roll(enum.StrEnum):
    """Lists of people, or of chats. ``AUTHORISED`` has one per chat, which is its ``scope``."""

    SUDOER = "sudoer"
    BLOCKED = "blocked"  #: users whom the bot does not answer
    BANNED = "banned"  #: users who are banned in every group
    AUTHORISED = "authorised"  #: users who may what admins may, in one chat
    CLOSED_CHAT = "closed-chat"  #: chats that the bot leaves
    ALLOWED_CHAT = "allowed-chat"  #: chats that may use a private bot


@attrs.frozen
class Member:
    """One line of a roll: who, put there by whom and when."""

    id: int
    name: str = ""
    by: int = 0
    at: float = 0.0
    reason: str = ""


@attrs.frozen
class Served:
    """A chat or a person that has used the bot."""

    id: int
    name: str
    first: float
    last: float
    language: str | None = None  #: people only; None is the chat's


# -- music
@attrs.frozen
class Play:
    """One turn of a track in one chat. ``id`` is unique for ever."""

    id: str
    chat_id: int
    asker: Asker
    track: Track
    at: float


class Chart(enum.StrEnum):
    TRACKS = "tracks"
    CHATS = "chats"
    USERS = "users"


@attrs.frozen
class Top:
    """What was played most: of everything, of one chat or of one user, ever or on one day.

    A chart of chats within a chat, or of users within a user, is always empty.
    """

    chart: Chart
    chat_id: int | None = None
    user_id: int | None = None
    day: dt.date | None = None
    limit: int = 10

    def __attrs_post_init__(self) -> None:
        if self.chat_id is not None and self.user_id is not None:
            raise ValueError("a top list is of one chat or of one user")


@attrs.frozen
class Ranked:
    """One place in a top list. ``key`` is the id of a track, chat or user; ``label`` its last known name.

    Ties are in the order of ``key``, as text.
    """

    key: str
    label: str
    plays: int
    track: Track | None = None


@attrs.frozen
class Playlist:
    name: str
    tracks: int


@attrs.frozen
class Broadcast:
    """A message on its way to everybody; saved as it goes, so that a restart goes on behind ``after``."""

    id: str
    by: int
    at: float
    chat_id: int  #: where the message is
    message_id: int
    flags: tuple[str, ...] = ()
    after: int | None = None  #: the last one who has it, in the order of ids
    sent: int = 0
    failed: int = 0
    over: bool = False


# -- what plays
@attrs.frozen
class LiveChat:
    """One chat's player as it was when it last changed, and how to know where it is since.

    ``player`` stands still: it has neither ``since`` nor ``media``, which mean nothing to another process.
    """

    chat_id: int
    player: Player
    saved_at: float
    process: str  #: who keeps it; its heartbeat tells until when it played
    moving_since: float | None = None  #: when ``player.offset`` was the position; None: it stands still
    revision: int = 0  #: the highest is the newest; the store's actor gives it
    card: int | None = None  #: message id
    card_entry: int | None = None  #: the entry that the card shows
    attempts: int = 0  #: restores in a row from which no sound came
    counted: int = 0  #: the entry whose turn has been counted

    @property
    def live(self) -> bool:
        """Whether there is something to go on with."""
        return self.player.phase is not Phase.IDLE

    def position(self, until: float) -> float:
        """Seconds into the track, if its process lived ``until`` then."""
        moved = 0.0 if self.moving_since is None else max(0.0, until - self.moving_since)
        reached = self.player.offset + moved
        duration = self.player.duration
        return reached if duration is None else min(reached, duration)


# -- changes
@attrs.frozen
class SetSetting:
    """One choice of one chat; the others stay. Raises ValueError or TypeError for what is none."""

    chat_id: int
    name: str
    value: Value

    def __attrs_post_init__(self) -> None:
        if self.name not in SETTINGS:
            raise ValueError(f"there is no setting called {self.name}")
        ChatSettings(**{self.name: self.value})  # type: ignore[arg-type]  # its validators tell


SETTINGS = frozenset(field.name for field in attrs.fields(ChatSettings))


@attrs.frozen
class ResetSettings:
    chat_id: int


@attrs.frozen
class Enlist:
    """Put somebody on a roll; one who is there already is written anew."""

    roll: Roll
    member: Member
    scope: int = 0


@attrs.frozen
class Strike:
    """Take somebody off a roll."""

    roll: Roll
    id: int
    scope: int = 0


@attrs.frozen
class SawChat:
    """A chat has used the bot."""

    chat_id: int
    title: str
    at: float


@attrs.frozen
class SawUser:
    user_id: int
    name: str
    at: float


@attrs.frozen
class LostChat:
    """The bot is no longer there. Its settings stay, for it may come back."""

    chat_id: int


@attrs.frozen
class SetLanguage:
    """Of a person who has been seen; of anybody else there is nothing to change."""

    user_id: int
    language: str | None


@attrs.frozen
class AddToPlaylist:
    """At the end; a track that is there already stays where it is."""

    user_id: int
    playlist: str
    track: Track
    at: float


@attrs.frozen
class TakeFromPlaylist:
    user_id: int
    playlist: str
    track_id: str


@attrs.frozen
class DropPlaylist:
    user_id: int
    playlist: str


@attrs.frozen
class Played:
    """Remember a play, and count it in every top list it belongs to."""

    play: Play


@attrs.frozen
class AssignAssistant:
    """Which assistant serves a chat; None: none in particular."""

    chat_id: int
    assistant_id: int | None


@attrs.frozen
class SaveBroadcast:
    broadcast: Broadcast


@attrs.frozen
class SaveLive:
    """Unless what is stored has a higher ``revision``, or the same."""

    live: LiveChat


@attrs.frozen
class Beat:
    """This process was alive at this moment; an earlier moment changes nothing."""

    process: str
    at: float


@attrs.frozen
class SetFlag:
    """Something the whole bot remembers (maintenance, say); None: forget it."""

    name: str
    value: str | None


@attrs.frozen
class Prune:
    """Forget plays, daily charts, heartbeats and quiet chats' players from before this moment.

    The charts of all time stay, and so does every player with something current or waiting.
    """

    before: float


Change = (
    SetSetting
    | ResetSettings
    | Enlist
    | Strike
    | SawChat
    | SawUser
    | LostChat
    | SetLanguage
    | AddToPlaylist
    | TakeFromPlaylist
    | DropPlaylist
    | Played
    | AssignAssistant
    | SaveBroadcast
    | SaveLive
    | Beat
    | SetFlag
    | Prune
)


@attrs.frozen
class Batch:
    """Changes that are made in this order. The same ``id`` again changes nothing that is counted."""

    id: str
    changes: tuple[Change, ...]


#: One line of a backup: the table, and the row's fields as JSON has them.
Row = tuple[str, dict[str, Value]]
