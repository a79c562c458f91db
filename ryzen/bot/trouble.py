"""What went wrong, said so that a person knows what to do next."""

from __future__ import annotations

from ryzen.bot import show
from ryzen.bot.words import Html, Words
from ryzen.errors import (
    ActorCrashed,
    ActorStopped,
    AskExpired,
    MailboxFull,
    Misread,
    Refusal,
    RyzenError,
    SendError,
    TrackError,
    VoiceError,
)


def explain(words: Words, error: RyzenError) -> Html:
    """The sentence of an error that a command or a button met."""
    match error:
        case Refusal(code=code, details=details):
            return words(f"refuse.{code}", **_shown(details))
        case Misread(code=code, details=details):
            return words(f"misread.{code}", **details)
        case TrackError(trouble=track):
            return words(f"track.{track}")
        case VoiceError(trouble=voice):
            return words(f"voice.{voice}")
        case SendError(reason=reason):
            return words("trouble.telegram", reason=reason)
        case MailboxFull():
            return words("trouble.busy")
        case AskExpired():
            return words("trouble.expired")
        case ActorStopped():
            return words("trouble.stopped")
        case ActorCrashed():
            return words("trouble.crashed")
    return words("trouble.bug")


def _shown(details: dict[str, object]) -> dict[str, object]:
    seconds = details.get("seconds")
    return {**details, "seconds": show.clock(seconds)} if isinstance(seconds, int | float) else details
