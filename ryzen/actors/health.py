"""What can be seen of an actor from outside: a stuck one cannot be asked."""

from __future__ import annotations

import enum
import re
import traceback
from pathlib import PurePath

import attrs

#: Bot tokens, and anything as long as a session string or a key.
_SECRET = re.compile(r"\d+:[A-Za-z0-9_-]{30,}|[A-Za-z0-9+/_-]{40,}={0,2}")
_LONGEST = 120


class Status(enum.Enum):
    STARTING = "starting"
    RUNNING = "running"
    WAITING = "waiting to restart"
    DRAINING = "draining"
    STOPPED = "stopped"
    FAILED = "gave up"


@attrs.frozen
class Vitals:
    """What an actor shows of its stream: epoch, and position in seconds; and what is wrong around it."""

    epoch: int | None = None
    position: float | None = None
    condition: str | None = None  #: in words («DEGRADED for 12 s: …»); None if all is well


@attrs.frozen
class Health:
    """One row of /stats. Times are seconds, None where there is nothing to measure."""

    name: str
    status: Status
    in_status_for: float
    mailbox_used: int
    mailbox_capacity: int
    oldest_mail: float | None  #: age of the mail that is next
    busy_for: float | None  #: in the message at hand
    handled: int  #: messages, by all incarnations
    refused: int  #: messages lost to a full mailbox
    restarts: int  #: crashes within the policy's period
    last_error: str | None  #: redacted
    epoch: int | None
    position: float | None
    condition: str | None = None


def redacted(error: BaseException) -> str:
    """The type and a short first line, with whatever looks like a token or a session string taken out."""
    lines = _SECRET.sub("…", str(error)).splitlines()
    return f"{type(error).__name__}: {lines[0][:_LONGEST]}" if lines else type(error).__name__


def trail(error: BaseException) -> str:
    """Where it happened, innermost first: ``voice.py:120 < chat.py:83``."""
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join(f"{PurePath(frame.filename).name}:{frame.lineno}" for frame in reversed(frames[-3:]))


def cause(error: Exception) -> Exception:
    """The one crash inside nested groups, or the group itself if there are more."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
