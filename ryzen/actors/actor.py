"""The base of every actor. ``docs/actors.md`` says what it may rely on and what it must obey."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, Never, ParamSpec, TypeVar

import attrs
from anyio.abc import TaskGroup

from ryzen.actors.health import Vitals
from ryzen.actors.ref import Ref
from ryzen.errors import UnhandledMessage

__all__ = ["Actor", "Later", "Vitals"]

M = TypeVar("M")
P = ParamSpec("P")


@attrs.frozen
class Later:
    """Work whose result is the answer; made by ``Actor.later``, returned from ``receive``."""

    work: Callable[[], Awaitable[object]]


class Actor(Generic[M]):
    """One mailbox, one task group, one state; subclass it and write ``receive``.

    Messages are handled one at a time, start to end. ``M`` is the union of what it understands.
    """

    patience = 30.0  #: seconds that one message, ``started`` or later-work may take before it is a crash
    retiring = False  #: set it to leave once the mailbox is empty
    ref: Ref[M]  #: to hand out, and for lanes to report to; set before ``started``
    tasks: TaskGroup  #: for lanes; a crash in one is a crash of the actor; cancelled before ``stopped``

    async def started(self) -> None:
        """Get ready; mail waits meanwhile. A failure is a crash."""

    async def receive(self, message: M) -> object:
        """Handle one message; what it returns answers whoever asked.

        An asked message may be answered by raising Refusal, TrackError, SourceAway or VoiceError.
        Anything else that is raised is a crash.
        """
        raise NotImplementedError

    async def stopped(self) -> None:
        """Tidy up after a clean stop, within the grace. Not called after a crash or a kill."""

    def snapshot(self) -> object:
        """The good state, taken after each message; the next incarnation is made from the last one.

        It must not change later: return a frozen value. It must be quick.
        """
        return None

    def vitals(self, now: float) -> Vitals:  # noqa: ARG002 - for those who have a position
        """What ``/stats`` shows of the stream; called from outside ``receive``, must not change anything."""
        return Vitals()

    def later(self, work: Callable[P, Awaitable[object]], *args: P.args, **kwargs: P.kwargs) -> Later:
        """``return self.later(work, ...)`` from ``receive``: the answer comes when the work is done.

        The work runs beside the next messages, so it must not touch the state: what changes the state
        comes back as mail. It is bounded by ``patience``; its result, or one of the errors that
        ``receive`` may answer with, is the answer; anything else is a crash. It
        goes on if the asker does not wait any longer.
        """
        return Later(lambda: work(*args, **kwargs))

    def unhandled(self, message: Never) -> Never:
        """For the last case of a ``match`` over ``M``: mypy proves that it never runs, or else we crash."""
        raise UnhandledMessage(message)
