"""How one actor writes to another: marker bases for mail, and the typed reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar, cast

import anyio
import attrs

from ryzen.errors import AskExpired

if TYPE_CHECKING:
    from ryzen.actors.mailbox import Mailbox

M = TypeVar("M", contravariant=True)
R = TypeVar("R", covariant=True)


class Event:
    """Something that has happened: taken by a mailbox that is full for commands, or closing."""


class Request(Generic[R]):
    """A message that is answered with an ``R``."""


@attrs.frozen
class Ref(Generic[M]):
    """Where to write to an actor. It outlives the actor's crashes, not its stop."""

    name: str
    _mailbox: Mailbox = attrs.field(repr=False)

    def tell(self, message: M) -> None:
        """Post a message; never waits.

        Raises MailboxFull if there is no room for this kind of mail, and ActorStopped if the actor is
        stopping (an Event is taken until its last moment) or gone.
        """
        self._mailbox.put(message)

    async def ask(self, request: Request[R], *, within: float) -> R:
        """Post a question and wait ``within`` seconds for its answer.

        Raises what ``tell`` does at once; later the actor's own Refusal, TrackError, SourceAway or
        VoiceError, AskExpired, ActorCrashed if it crashed over this question, ActorStopped if it ended before
        answering. A question whose asker has expired or was cancelled is not begun; one that was begun
        goes on.
        """
        question = self._mailbox.put_question(request)
        try:
            with anyio.move_on_after(within):
                await question.answered.wait()
        finally:
            question.withdrawn = True
        if not question.answered.is_set():
            raise AskExpired(self.name)
        if question.error is not None:
            raise question.error
        return cast("R", question.value)
