"""Everything that Ryzen raises on purpose.

RyzenError
├── ActorError              what a sender may meet
│   ├── MailboxFull             the actor is busy; nothing was queued
│   ├── ActorStopped            it is gone, or going
│   ├── ActorCrashed            it fell over with this very message in hand
│   ├── AskExpired              no answer within the time the asker gave
│   └── Refusal                 it understood and said no: an answer, not a failure
├── TrackError              this track cannot be played; the chat is well
├── SourceAway              a source refuses everything: no track's fault
├── WebError                a server of others does not answer, or not as it should
│   └── WebForbidden            the egress guard does not let us go there
├── VoiceError              the call cannot be had, or is gone
├── Misread                 what a person typed cannot be read
├── SendError               Telegram refused a message, an edit or a question
│   └── MessageGone             there is no such message to edit (any more)
├── StoreError              the database cannot do it
│   ├── StoreAway               it cannot be reached, is too slow or full: try again later
│   ├── StoreRefused            it will never take this change
│   └── StoreUnusable           this is no database of ours, or of a newer version
├── UnhandledMessage        an actor was sent what it does not know: a bug, and a crash
├── ConfigError             the settings are wrong; the process ends with 2
└── Escalation              a supervisor could not keep its children alive; ends with 70
"""

from __future__ import annotations

import enum
from typing import Never


class RyzenError(Exception):
    """Base of every error that Ryzen raises on purpose."""


class ActorError(RyzenError):
    """Base of what a sender may meet."""


class MailboxFull(ActorError):
    """The mailbox has no room for this kind of mail; nothing was queued."""


class ActorStopped(ActorError):
    """The actor has stopped, or is stopping, and takes no more mail."""


class ActorCrashed(ActorError):
    """The actor crashed while it worked on this message; the message is lost, the mailbox is not."""


class AskExpired(ActorError):
    """No answer came within the time that the asker gave."""


class Refusal(ActorError):
    """The actor understood and said no; it is well, and goes on.

    ``code`` names a sentence in ``locales`` (``refuse.<code>``), ``details`` fill its blanks.
    """

    def __init__(self, code: str, **details: object) -> None:
        super().__init__(code)
        self.code, self.details = code, details


class TrackTrouble(enum.StrEnum):
    """Why a track cannot be played; each has a sentence ``track.<code>``."""

    MISSING = "missing"  #: the file is not there (any more)
    UNSUPPORTED = "unsupported"  #: not one of the formats on our list
    BROKEN = "broken"  #: it claims to be one of them, and cannot be decoded
    CUT_SHORT = "cut-short"  #: it ended well before its stated length
    UNAVAILABLE = "unavailable"  #: the source says no
    PRIVATE = "private"  #: only some may see it
    AGE = "age"  #: the source wants to know how old we are
    REGION = "region"  #: not in the country where the bot runs
    PAID = "paid"  #: for members or buyers
    NOT_YET = "not-yet"  #: it has not begun
    FORBIDDEN = "forbidden"  #: the link leads where the bot does not go: a private address, another protocol
    UNREACHABLE = "unreachable"  #: its server does not answer, or breaks off again and again
    TOO_BIG = "too-big"  #: more bytes than may be fetched
    DISK_FULL = "disk-full"  #: there is no room for it on the bot's machine
    NO_MATCH = "no-match"  #: known by name, and not to be found where it can be played
    NO_SOURCE = "no-source"  #: a link that no source takes, or only one that the owner has not allowed
    EMPTY = "empty"  #: a playlist with nothing in it that can be played


class TrackError(RyzenError):
    """This track cannot be played; the chat is well."""

    def __init__(self, trouble: TrackTrouble, detail: str = "") -> None:
        super().__init__(f"{trouble}: {detail}" if detail else str(trouble))
        self.trouble, self.detail = trouble, detail


class SourceTrouble(enum.StrEnum):
    """Why a source refuses everything; each has a sentence ``source.<code>``."""

    BOT_CHECK = "bot-check"  #: it takes us for a robot
    RATE_LIMITED = "rate-limited"  #: we have asked too often
    SIGN_IN = "sign-in"  #: it wants to know who we are
    DOWN = "down"  #: it does not answer


class SourceAway(RyzenError):
    """A source refuses everything, so it is nobody's track that is at fault: nothing is dropped for it.

    ``source`` is as in ``Track.source``; ``retry_after`` in seconds if it is known when to ask again.
    """

    def __init__(
        self, source: str, trouble: SourceTrouble, detail: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(f"{source}: {trouble}: {detail}" if detail else f"{source}: {trouble}")
        self.source, self.trouble, self.detail, self.retry_after = source, trouble, detail, retry_after


class WebError(RyzenError):
    """A server of others does not answer, or not as it should.

    ``status`` is HTTP's, None if there was no answer.
    """

    def __init__(self, what: str, status: int | None = None) -> None:
        super().__init__(what)
        self.status = status


class WebForbidden(WebError):
    """The egress guard does not let us go there; says why, in words for people."""


class VoiceTrouble(enum.StrEnum):
    """Why there is no call; each has a sentence ``voice.<code>``."""

    NO_VOICE_CHAT = "no-voice-chat"  #: nobody has started one in this group
    ASSISTANT_MISSING = "assistant-missing"  #: not in the group, and the bot may not invite it
    ASSISTANT_BANNED = "assistant-banned"  #: an admin must unban it first
    JOIN_REFUSED = "join-refused"  #: Telegram refused the join, and the retries too
    FLOODED = "flooded"  #: Telegram wants this account to ask less; ``retry_after`` says until when
    UNREACHABLE = "unreachable"  #: the media server never answered
    LOST = "lost"  #: it was up, and broke: kicked, stalled, server gone
    CLOSED = "closed"  #: an admin has ended the voice chat


class VoiceError(RyzenError):
    """The call cannot be had, or is gone.

    ``lasting`` troubles need a person, or time; trying again at once would only annoy. ``retry_after`` is
    after how many seconds it may be tried again, and is set for FLOODED alone.
    """

    def __init__(self, trouble: VoiceTrouble, detail: str = "", retry_after: float | None = None) -> None:
        super().__init__(f"{trouble}: {detail}" if detail else str(trouble))
        self.trouble, self.detail, self.retry_after = trouble, detail, retry_after

    @property
    def lasting(self) -> bool:
        return self.trouble is not VoiceTrouble.LOST


class Misread(RyzenError):
    """What a person typed cannot be read.

    ``code`` names a sentence in ``locales`` (``misread.<code>``), ``details`` fill its blanks.
    """

    def __init__(self, code: str, **details: object) -> None:
        super().__init__(code)
        self.code, self.details = code, details


class SendError(RyzenError):
    """Telegram refused a message, an edit or a question; ``reason`` is its own word for why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class MessageGone(SendError):
    """The message to edit was deleted, or cannot be edited any more, or is none of ours: send a new one."""


class StoreError(RyzenError):
    """Base of what the database may say. Names what is wrong; never holds a password or a query."""


class StoreAway(StoreError):
    """It cannot be reached, does not answer in time, or is full. Nothing is known of what was asked last:
    a change may have been made, so make the same batch again."""


class StoreRefused(StoreError):
    """It will never take this change: a value too big, say. Of a batch with it nothing counts as made."""


class StoreUnusable(StoreError):
    """It cannot be used at all: not a database of ours, of a newer version, or damaged. Says what to do."""


class UnhandledMessage(RyzenError):
    """For the last case of a ``match`` over mail: mypy proves it unreachable, at run time it is a crash.

    Shows the message's type only, never what is in it.
    """

    def __init__(self, message: Never) -> None:
        super().__init__(type(message).__name__)


class ConfigError(RyzenError):
    """The settings are wrong. ``problems`` has one sentence for each, with what to do."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Escalation(RyzenError):
    """A supervisor could not keep its children alive; its cause is the last crash."""
