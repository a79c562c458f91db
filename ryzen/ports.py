"""What the actors and the bot need of the outside, in our words.

A fake and the real thing pass the same contract test; ``origins.py`` has the ports of sources and the cache.
Who implements what:

Deck, Decks          audio/client.py         the file which the voice engine reads
Call, Calls          telegram/voice.py       the assistant in one voice chat
Groups               telegram/groups.py      members, admins, invitations
Outbox               telegram/outbox.py      everything that is written into chats
Screen               bot/screen.py           the card and the notices of one chat
Store                store/{sqlite,mongo}.py what is kept
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Protocol

import attrs

from ryzen import records
from ryzen.actors.ref import Ref
from ryzen.errors import VoiceTrouble
from ryzen.messages import ToChat, View
from ryzen.player.effects import Notice
from ryzen.player.state import Media, Track


# -- sound
@attrs.frozen
class SoundStarted:
    """The engine has read the first sample of this epoch."""

    epoch: int


@attrs.frozen
class SoundEnded:
    """The last samples of this epoch are about to be read (within 0.3 s): time for the next track.

    ``played`` is how many seconds of the track there were. What is loaded now follows without a gap.
    """

    epoch: int
    played: float


@attrs.frozen
class SoundFailed:
    """This epoch cannot be decoded (any further); ``trouble`` is an ``errors.TrackTrouble``.

    ``played`` is how many seconds of the track there were; None if nothing of it can be played.
    """

    epoch: int
    trouble: str
    played: float | None = None


@attrs.frozen
class SoundStalled:
    """The engine has not read for ``seconds`` although it should: the call is sick."""

    seconds: float


SoundEvent = SoundStarted | SoundEnded | SoundFailed | SoundStalled


class Deck(Protocol):
    """What one call plays. None of this waits; what happens comes as SoundEvents."""

    def renew(self) -> str:
        """A new file, for each (re)attachment of the engine; returns the path to open.

        What was loaded goes on in it from where the last reader stood.
        """
        ...

    def load(self, epoch: int, media: Media, offset: float) -> None:
        """Play this from ``offset`` seconds: at once, or right behind a track that has SoundEnded."""
        ...

    def silence(self) -> None:
        """Take back what has not been read, and forget what was loaded."""
        ...

    def hold(self, held: bool) -> None:
        """Whether the engine is paused on purpose: a held deck that stands still is no SoundStalled."""
        ...

    def position(self) -> tuple[int, float] | None:
        """(epoch, seconds into its track) at the engine's reader; None if nothing is loaded or read."""
        ...

    def bytes_read(self) -> int:
        """How far the engine has read the present file; 0 until it has begun."""
        ...

    def close(self) -> None: ...


class Decks(Protocol):
    def open(self, chat_id: int, on_event: Callable[[SoundEvent], None]) -> Deck:
        """The deck of this chat, empty; one that was open for it is closed.

        ``on_event`` is called on the event loop and must not wait.
        """
        ...


# -- calls
class Call(Protocol):
    """The assistant in one voice chat. Every method ends by itself, in seconds."""

    async def join(self, deck: Deck) -> None:
        """Be in the call with this deck as the microphone. Raises VoiceError.

        In a call already: only the deck is changed. Returns when the engine is reading the deck.
        """
        ...

    async def leave(self) -> None:
        """Be out of the call; nothing if we are. Never raises."""
        ...

    async def release(self) -> None:
        """Send no more sound, and tell Telegram nothing: the assistant stays listed in the voice chat.

        For the end of a process whose next one joins over it. Within about a second, and never raises;
        nothing if we are not in the call. The next ``join`` is one of a new call.
        """
        ...

    async def pause(self) -> None: ...

    async def resume(self) -> None: ...

    async def mute(self, muted: bool) -> None:
        """Whether we are silent while the deck is read on. No other deck changes it; a new call is loud."""
        ...


class Calls(Protocol):
    def of(self, chat_id: int, on_lost: Callable[[VoiceTrouble, str], None]) -> Call:
        """The call of this chat. ``on_lost`` is called on the event loop if it is gone, not if we left."""
        ...


# -- groups
@attrs.frozen
class Assistant:
    """The account that joins the calls."""

    id: int
    name: str
    username: str | None = None


class Groups(Protocol):
    async def admit_assistant(self, chat_id: int) -> Assistant:
        """Have the assistant in the group, through an invitation the bot makes if need be.

        Raises VoiceError ASSISTANT_MISSING or ASSISTANT_BANNED.
        """
        ...

    async def managers(self, chat_id: int) -> frozenset[int]:
        """Ids of the owner and of the admins with «manage video chats». Raises SendError."""
        ...


# -- writing
@attrs.frozen
class Button:
    """``data`` is an opaque action of at most 64 bytes; it never names a chat."""

    label: str
    data: str


Rows = tuple[tuple[Button, ...], ...]


class Outbox(Protocol):
    """All that is written into chats, kept within Telegram's limits; a slow chat holds up no other.

    Texts are Telegram HTML. Every method raises SendError if Telegram refuses for good.
    """

    async def send(self, chat_id: int, text: str, rows: Rows = (), reply_to: int | None = None) -> int:
        """Returns the message id."""
        ...

    async def edit(self, chat_id: int, message_id: int, text: str, rows: Rows = ()) -> None:
        """The same text again is not an error. Raises MessageGone if there is nothing to edit any more."""
        ...

    async def delete(self, chat_id: int, message_id: int) -> None:
        """A message that is gone is not an error."""
        ...

    async def answer(self, press_id: int, text: str = "", alert: bool = False) -> None:
        """Answer the press of a button."""
        ...


@attrs.frozen
class Card:
    """The message that shows a chat's player, and the id of the entry that it shows."""

    message: int
    entry: int


class Screen(Protocol):
    """What a chat shows of its player: one card, and notices."""

    @property
    def card(self) -> Card | None:
        """The one that is there; the same object until it changes."""
        ...

    def adopt(self, card: Card) -> None:
        """This message is the card: an earlier process drew it."""
        ...

    async def show(self, view: View, fresh: bool = False, drawn: Callable[[], None] | None = None) -> None:
        """Draw or redraw the card; ``fresh``: as a new message, the old one goes.

        ``drawn`` is called as soon as ``card`` is the one that shows it, before an old one is taken away.
        """
        ...

    async def discard(self, message: int) -> None:
        """Take away a message that is not our card any more, or never was."""
        ...

    async def notify(self, notice: Notice) -> None: ...


# -- what comes in from Telegram (telegram/inbox.py makes these; bot/router.py takes them)
@attrs.frozen
class Person:
    """Who said or pressed something. An anonymous admin has the id of the group."""

    id: int
    name: str
    username: str | None = None
    anonymous: bool = False


@attrs.frozen
class Said:
    """A new message: a text, or a file with a caption. In private chats ``chat_id`` is the person's id."""

    chat_id: int
    message_id: int
    sender: Person
    text: str = attrs.field(repr=False)
    private: bool = False
    chat_title: str = ""
    reply_to: int | None = None
    holds_file: bool = False


@attrs.frozen
class Pressed:
    """A button of one of the bot's messages."""

    press_id: int
    chat_id: int
    message_id: int
    sender: Person
    data: str


@attrs.frozen
class MemberMoved:
    """Somebody joined, left, was promoted, demoted, banned; the bot itself included."""

    chat_id: int
    user_id: int


@attrs.frozen
class VoiceChatMoved:
    """The voice chat of a group was opened or ended."""

    chat_id: int
    open: bool


Incoming = Said | Pressed | MemberMoved | VoiceChatMoved


# -- the running chats, as the bot sees them
class Chats(Protocol):
    def open(self, chat_id: int) -> Ref[ToChat]:
        """The chat's actor; started if it is not there."""
        ...

    def get(self, chat_id: int) -> Ref[ToChat] | None: ...


# -- what is kept
class Store(Protocol):
    """What outlives the process. Every method ends by itself within seconds, and raises StoreAway if it must.

    Lists are complete and in the order that is said; what was never stored reads as its default.
    """

    name: str  #: of the back end, for people

    async def apply(self, batch: records.Batch) -> None:
        """Make these changes; all of them are durable on return. Raises StoreAway or StoreRefused.

        After StoreAway some may have been made: apply the same batch again before any other.
        """
        ...

    async def settings(self, chat_id: int) -> records.ChatSettings: ...

    async def roll(self, roll: records.Roll, scope: int = 0) -> tuple[records.Member, ...]:
        """Oldest first, then by id."""
        ...

    async def chats(self, after: int | None = None, limit: int = 1000) -> tuple[records.Served, ...]:
        """Chats that use the bot, by id; ``after`` is the last id of the page before."""
        ...

    async def users(self, after: int | None = None, limit: int = 1000) -> tuple[records.Served, ...]: ...

    async def user(self, user_id: int) -> records.Served | None: ...

    async def sizes(self) -> Mapping[str, int]:
        """Rows in each table of ``store/schema.py``."""
        ...

    async def playlists(self, user_id: int) -> tuple[records.Playlist, ...]:
        """By name. A playlist is there as long as there is a track in it."""
        ...

    async def playlist(self, user_id: int, name: str) -> tuple[Track, ...]:
        """In the order in which they were added, then by id."""
        ...

    async def history(self, chat_id: int, limit: int = 20) -> tuple[records.Play, ...]:
        """Newest first, then by id."""
        ...

    async def top(self, top: records.Top) -> tuple[records.Ranked, ...]: ...

    async def assistants(self) -> Mapping[int, int]:
        """chat -> assistant"""
        ...

    async def broadcasts(self) -> tuple[records.Broadcast, ...]:
        """Those that are not over, oldest first."""
        ...

    async def live(self, chat_id: int | None = None) -> tuple[records.LiveChat, ...]:
        """Every player that was kept, newest first; or that of one chat.

        What cannot be read is logged, and left as it is.
        """
        ...

    async def beats(self) -> Mapping[str, float]:
        """process -> when it was last known to live"""
        ...

    async def flags(self) -> Mapping[str, str]: ...

    # -- for the operator
    async def ping(self) -> None:
        """Returns if it answers."""
        ...

    async def check(self) -> tuple[str, ...]:
        """What is wrong with it, one sentence each; empty if all is well. May take minutes."""
        ...

    def dump(self) -> AsyncIterator[records.Row]:
        """All rows of all tables, those first that others refer to."""
        ...

    async def load(self, rows: Sequence[records.Row]) -> None:
        """Write rows as they were dumped, over what is there."""
        ...

    async def clear(self) -> None:
        """Remove everything."""
        ...
