"""Everything that crosses between actors, grouped by the actor that receives it.

Commands are imperative, events past tense, questions nouns. All are frozen; collections are tuples.
An ``Event`` is taken by a full mailbox too; a ``Request[R]`` is answered with an ``R``.
"""

from __future__ import annotations

import attrs

from ryzen.actors.ref import Event, Request
from ryzen.errors import VoiceTrouble
from ryzen.player.effects import Answer
from ryzen.player.events import Fact, Wish
from ryzen.player.state import Media, Player, Track


# -- to a ChatActor
@attrs.frozen
class Command(Request[Answer]):
    """A listener's wish. Refused (``Refusal``) if the player says no."""

    wish: Wish


@attrs.frozen
class View:
    """What a listener may see of a chat: the player and the true position, in seconds."""

    player: Player
    position: float


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
class Redraw(Event):
    """Draw the card afresh, as a new message at the end of the chat."""


@attrs.frozen
class Tick(Event):
    """Time has passed: the progress row moves on, and a chat with nothing to do retires."""


ToChat = Command | Look | Happened | CallLost | Redraw | Tick


# -- to the DownloadActor
@attrs.frozen
class Find(Request[tuple[Track, ...]]):
    """Tracks that match these words, best first; empty if there are none."""

    words: str
    limit: int = 5


@attrs.frozen
class Fetch(Request[Media]):
    """The media of a track, for a listener who waits. Raises TrackError."""

    track: Track


@attrs.frozen
class Warm:
    """The media of a track will be wanted soon; nobody waits."""

    track: Track


ToDownload = Find | Fetch | Warm


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


ToAssistant = Admit | MemberChanged
