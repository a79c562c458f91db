"""Everything that crosses between actors, grouped by the actor that receives it.

Commands are imperative, events past tense, questions nouns. All are frozen; collections are tuples.
An ``Event`` is taken by a full mailbox too; a ``Request[R]`` is answered with an ``R``.
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

import attrs

from ryzen.actors.ref import Event, Request
from ryzen.errors import VoiceTrouble
from ryzen.origins import Listing, Lyrics
from ryzen.player.effects import Answer
from ryzen.player.events import Fact, Wish
from ryzen.player.state import Entry, Media, Player, Track
from ryzen.records import Change, ChatSettings, LiveChat, Member, Roll

if TYPE_CHECKING:
    from ryzen.ports import Store

R = TypeVar("R")


# -- to a ChatActor
@attrs.frozen
class Command(Request[Answer]):
    """A listener's wish. Refused (``Refusal``) if the player says no."""

    wish: Wish


@attrs.frozen
class PauseFor(Request[Answer]):
    """Pause, and go on after so many seconds if it is still that pause. Refused as a pause is.

    A crash forgets the time, and the chat stays paused.
    """

    seconds: float


@attrs.frozen
class Mute(Request[None]):
    """Be silent while the track runs on: for so many seconds, or until told otherwise.

    The end of the call, or a crash, ends it too. Refused (``Refusal``) if nothing plays, or if it is muted.
    """

    seconds: float | None = None


@attrs.frozen
class Unmute(Request[None]):
    """Be heard again. Refused (``Refusal``) if nothing plays, or if it is not muted."""


@attrs.frozen
class View:
    """What a listener may see of a chat: the player, the true position in seconds, and if it is muted."""

    player: Player
    position: float
    muted: bool = False


@attrs.frozen
class Look(Request[View]):
    """How does it stand?"""


@attrs.frozen
class Happened(Event):
    """A fact about the track or the call, from one of the chat's own lanes."""

    fact: Fact


@attrs.frozen
class CallLost(Event):
    """The call is gone and nobody here asked for it.

    ``life`` is the incarnation whose call it was: a crash may leave such mail behind for the next one.
    """

    life: object = attrs.field(repr=False)
    trouble: VoiceTrouble
    detail: str = ""


@attrs.frozen
class CardMoved(Event):
    """The card is another message now, or there is none any more."""


@attrs.frozen
class FoundLate(Event):
    """What an earlier process left turns up when this chat has begun anew: a line, and a card to remove."""

    line: tuple[Entry, ...]
    card: int | None = None  #: message id


@attrs.frozen
class Redraw(Event):
    """Draw the card afresh, as a new message at the end of the chat."""


@attrs.frozen
class Tick(Event):
    """Time has passed: the progress row moves on, and a chat with nothing to do retires."""


@attrs.frozen
class TimeUp(Event):
    """The time of a pause or a mute is over; ``mark`` tells whether it is still the present one's."""

    mark: object = attrs.field(repr=False)


ToChat = (
    Command
    | PauseFor
    | Mute
    | Unmute
    | Look
    | Happened
    | CallLost
    | CardMoved
    | FoundLate
    | Redraw
    | Tick
    | TimeUp
)


# -- to the DownloadActor
@attrs.frozen
class Find(Request[Listing]):
    """What matches these words, best first, ``limit`` hits; or, if they are a link, what is behind it.

    ``most`` is how much of a playlist is wanted. ``among``: ask only these sources; empty for those that
    music is looked for in. Raises TrackError (a link that leads to nothing); SourceAway if nothing was found
    and a source was away.
    """

    text: str = attrs.field(repr=False)
    limit: int = 5
    most: int = 50
    among: tuple[str, ...] = ()


@attrs.frozen
class Fetch(Request[Media]):
    """The media of a track, as soon as decoding can begin. Raises TrackError, SourceAway.

    ``listener`` (a chat's id) wants it until it says Drop. ``again``: what was fetched before ended too
    early.
    """

    track: Track
    listener: int
    again: bool = False


@attrs.frozen
class Warm:
    """The media of a track will be wanted soon; nobody waits, but ``listener`` wants it until Drop."""

    track: Track
    listener: int


@attrs.frozen
class Drop:
    """This listener does not want the track any more: work for nobody ends at once. None: no track at all."""

    track_id: str | None
    listener: int


@attrs.frozen
class InUse:
    """This track is being listened to: the last to be put out of the cache."""

    track_id: str


@attrs.frozen
class LyricsOf(Request[Lyrics | None]):
    """None if nobody has them. Raises SourceAway."""

    title: str
    artist: str = ""
    duration: float | None = None


ToDownload = Find | Fetch | Warm | Drop | InUse | LyricsOf


# -- to the AssistantActor
@attrs.frozen
class Admit(Request[None]):
    """Have the assistant in this group. Refused with VoiceError if that takes a person."""

    chat_id: int


@attrs.frozen
class MemberChanged(Event):
    """Somebody's standing in a group changed: forget what was known of it."""

    chat_id: int
    user_id: int


@attrs.frozen
class Missed(Event):
    """The assistant is not in this group, whatever was known of it: the call found out."""

    chat_id: int


ToAssistant = Admit | MemberChanged | Missed


# -- to the StoreActor
class Stored(enum.StrEnum):
    """What became of a change that somebody asked for; LATER has a sentence ``stored.later``."""

    NOW = "now"  #: it is durable
    LATER = "later"  #: the database is away; it is written as soon as that is back


class Declined(enum.StrEnum):
    """Why the store said no; each has a sentence ``refuse.<code>``."""

    AWAY = "store-away"  #: what was asked is not known without the database
    FULL = "store-full"  #: the database is away, and there is no room for one more change
    REFUSED = "store-refused"  #: the database will never take this change


@attrs.frozen
class Keep(Event):
    """Something to be kept that nobody waits for. The newest of a chat's players wins."""

    change: Change


@attrs.frozen
class Commit(Request[Stored]):
    """Changes that somebody asked for. Refused (``Refusal``) aloud if they cannot be kept at all."""

    changes: tuple[Change, ...]


@attrs.frozen
class SettingsOf(Request[ChatSettings]):
    """From the cache, or the database; while that is away, what was last known, or the defaults."""

    chat_id: int


@attrs.frozen
class RollOf(Request[tuple[Member, ...]]):
    """As SettingsOf; while the database is away, what was last known, or nobody."""

    roll: Roll
    scope: int = 0


@attrs.frozen
class Saved:
    """Every chat's player that was kept, newest first, and when each process was last known to live."""

    chats: tuple[LiveChat, ...]
    beats: Mapping[str, float]


@attrs.frozen
class Restorable(Request[Saved]):
    """What an earlier process left behind. Refused (``Refusal``) while the database is away.

    Until it has been answered once, no player is written over what is there.
    """


@attrs.frozen
class Recall(Request[R]):
    """Any other question. What waits to be written is written first. Refused while the database is away."""

    question: Callable[[Store], Awaitable[R]]


ToStore = Keep | Commit | SettingsOf | RollOf | Restorable | Recall[object]
