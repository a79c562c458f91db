"""What a player wants done. Values only: the chat actor carries them out."""

from __future__ import annotations

import enum

import attrs

from ryzen.player.state import Entry, Media, Track


class Answered(enum.StrEnum):
    """How a wish was granted; each has a sentence ``answer.<code>``."""

    STARTING = "starting"  #: the card says the rest; ``number`` were taken
    QUEUED = "queued"  #: ``number`` is its place in the line
    QUEUED_MANY = "queued-many"  #: ``number`` were taken, one at least of more
    PAUSED = "paused"
    RESUMED = "resumed"
    SKIPPED = "skipped"  #: ``track`` is what plays now, None if the line was empty
    WENT_BACK = "went-back"
    STOPPED = "stopped"
    SOUGHT = "sought"  #: ``seconds`` is the new position
    REPLAYED = "replayed"
    LOOP_OFF = "loop-off"
    LOOP_TRACK = "loop-track"
    LOOP_TIMES = "loop-times"  #: ``number`` more times
    LOOP_QUEUE = "loop-queue"
    SHUFFLED = "shuffled"
    MOVED = "moved"  #: ``track`` is now at ``number``
    REMOVED = "removed"
    CLEARED = "cleared"  #: ``number`` entries
    RESTORED = "restored"


class Refused(enum.StrEnum):
    """Why a wish was not granted; each has a sentence ``refuse.<code>``."""

    NOTHING_PLAYING = "nothing-playing"
    NOT_PAUSED = "not-paused"
    ALREADY_PAUSED = "already-paused"
    NOT_MUTED = "not-muted"  #: said by the chat, not the player, which knows nothing of loudness
    ALREADY_MUTED = "already-muted"  #: so is this
    QUEUE_FULL = "queue-full"  #: ``number`` is the limit
    QUEUE_EMPTY = "queue-empty"
    NO_SUCH_PLACE = "no-such-place"  #: ``number`` entries wait
    NO_PREVIOUS = "no-previous"
    PAST_THE_END = "past-the-end"  #: ``seconds`` is the length
    NOTHING_CLEARED = "nothing-cleared"
    NOT_SEEKABLE = "not-seekable"  #: it is live
    NEEDS_TWO = "needs-two"  #: one entry cannot be shuffled


class Noticed(enum.StrEnum):
    """What the whole chat should know; each has a sentence ``notice.<code>``."""

    TRACK_FAILED = "track-failed"  #: ``track``, ``reason`` (a TrackTrouble)
    GAVE_UP = "gave-up"  #: too many failed in a row; the line is kept
    SOURCE_AWAY = "source-away"  #: ``reason`` (a SourceTrouble) of ``source``; the line is kept
    NO_CALL = "no-call"  #: ``reason`` (a VoiceTrouble); the line is kept
    RECOVERED = "recovered"  #: after a crash, at the same position
    SKIPPED_AFTER_CRASH = "skipped-after-crash"  #: ``track``
    STOPPED_AFTER_CRASH = "stopped-after-crash"
    FELL_OVER = "fell-over"  #: crashed too often: the chat's actor is gone; the line is kept
    FINISHED = "finished"  #: the line has run out
    RESUMED = "resumed"  #: after a restart of the bot: ``track`` at ``seconds``
    STILL_PAUSED = "still-paused"  #: after a restart: ``track`` waits at ``seconds``
    NOT_RESUMED = "not-resumed"  #: several restarts brought no sound: the line is kept, with ``track`` first
    LINE_FOUND = "line-found"  #: ``number`` entries of before, for Restore
    MUST_WAIT = "must-wait"  #: ``seconds`` until Telegram lets us join; said by the chat, not the player


@attrs.frozen
class Connect:
    """Be in the call."""


@attrs.frozen
class Leave:
    """Be out of the call."""


@attrs.frozen
class Resolve:
    """Ask for the media; answer Resolved, TrackFailed or SourceFailed with this epoch.

    ``again``: what was had before ended too early.
    """

    epoch: int
    entry: Entry
    again: bool = False


@attrs.frozen
class Load:
    """Put this on the deck from ``offset`` seconds; answer Started, Ended, TrackFailed."""

    epoch: int
    media: Media
    offset: float


@attrs.frozen
class Silence:
    """Nothing more of what is on the deck."""


@attrs.frozen
class Hush:
    """Stand still where you are."""


@attrs.frozen
class Unhush:
    """Go on where you stood still."""


@attrs.frozen
class Prefetch:
    """This is next: have its media ready."""

    entry: Entry


@attrs.frozen
class Card:
    """What a listener can see has changed: draw it again."""


@attrs.frozen
class Answer:
    """To the one who asked."""

    code: Answered
    track: Track | None = None
    number: int | None = None
    seconds: float | None = None


@attrs.frozen
class Refuse:
    """To the one who asked; the player has not changed."""

    code: Refused
    number: int | None = None
    seconds: float | None = None


@attrs.frozen
class Notice:
    """To the whole chat."""

    code: Noticed
    track: Track | None = None
    reason: str | None = None
    source: str | None = None
    number: int | None = None
    seconds: float | None = None


Effect = (
    Connect | Leave | Resolve | Load | Silence | Hush | Unhush | Prefetch | Card | Answer | Refuse | Notice
)
