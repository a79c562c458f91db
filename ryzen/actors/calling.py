"""A chat's way into its call, and what is done when it is not let in."""

from __future__ import annotations

import random
from collections.abc import Callable

import anyio

from ryzen.actors.lanes import CallLane
from ryzen.actors.ref import Ref
from ryzen.errors import ActorError, VoiceError, VoiceTrouble
from ryzen.messages import Admit, Missed, ToAssistant
from ryzen.player.effects import Notice, Noticed
from ryzen.player.events import Fact, VoiceFailed

#: Seconds over which those who were told to wait come back: not all in one moment.
SPREAD = 3.0

_NOT_INSIDE = (VoiceTrouble.ASSISTANT_MISSING, VoiceTrouble.ASSISTANT_BANNED)


class Doorman:
    """Has the assistant in the group of one chat, before each join. ``within`` in seconds."""

    def __init__(self, chat_id: int, assistants: Ref[ToAssistant], within: float) -> None:
        self._chat_id, self._assistants, self._within = chat_id, assistants, within

    async def admit(self) -> None:
        """Raises VoiceError, also if the assistants' actor does not answer."""
        try:
            await self._assistants.ask(Admit(self._chat_id), within=self._within)
        except ActorError as error:
            raise VoiceError(VoiceTrouble.LOST, "the assistant did not answer") from error

    def missed(self) -> None:
        """It is not inside, whatever was known: an update about it was missed, perhaps."""
        self._assistants.tell(Missed(self._chat_id))


async def keep_call(
    call: CallLane, doorman: Doorman, happened: Callable[[Fact], None], notify: Callable[[Notice], None]
) -> None:
    """Keep ``call`` as it is wanted, for ever.

    A trouble that lasts is told as VoiceFailed; one that only takes time is waited for. A call that is lost
    comes out as VoiceError, a crash: a fresh incarnation joins again.
    """
    while True:
        try:
            await call.run()
        except VoiceError as error:
            if not error.lasting:
                raise
            if error.retry_after is not None:
                notify(Notice(Noticed.MUST_WAIT, seconds=error.retry_after))
                await anyio.sleep(error.retry_after + random.uniform(0.0, SPREAD))
                call.again()
                continue
            call.want(False)
            if error.trouble in _NOT_INSIDE:
                doorman.missed()
            happened(VoiceFailed(error.trouble))
