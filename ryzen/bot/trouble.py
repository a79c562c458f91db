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
    SourceAway,
    TrackError,
    VoiceError,
    WebError,
)
from ryzen.messages import Declined


def explain(words: Words, error: RyzenError) -> Html:
    """The sentence of an error that a command or a button met."""
    match error:
        case Refusal(code=code, details=details):
            return words(f"refuse.{code}", **_shown(details))
        case Misread(code=code, details=details):
            return words(f"misread.{code}", **_shown(details))
        case TrackError(trouble=track):
            return words("trouble.track", reason=words(f"track.{track}"))
        case SourceAway(source=source, trouble=trouble):
            return words(f"source.{trouble}", source=source)
        case WebError():
            return words("trouble.web")
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


def passing(error: RyzenError) -> bool:
    """Whether it may pass by whoever pressed a button: the player's own no, which needs nothing done."""
    return isinstance(error, Refusal) and error.code not in frozenset(Declined)


def _shown(details: dict[str, object]) -> dict[str, object]:
    shown = {
        name: show.cut(each, show.TITLE) if isinstance(each, str) else each for name, each in details.items()
    }
    if isinstance(seconds := details.get("seconds"), int | float):
        shown["seconds"] = show.clock(seconds)
    return shown
