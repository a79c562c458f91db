"""Has the assistant in the groups whose voice chats it is to join."""

from __future__ import annotations

from ryzen.actors.actor import Actor
from ryzen.actors.flights import Flights
from ryzen.messages import Admit, MemberChanged, Missed, ToAssistant
from ryzen.ports import Groups


class AssistantActor(Actor[ToAssistant]):
    """Remembers where the assistant is a member, until Telegram says that something changed."""

    def __init__(self, groups: Groups, assistant_id: int) -> None:
        self._groups, self._assistant_id = groups, assistant_id
        self._inside: set[int] = set()

    async def started(self) -> None:
        self._flights: Flights[int, None] = Flights(self.tasks)

    async def receive(self, message: ToAssistant) -> object:
        match message:
            case Admit(chat_id):
                if chat_id in self._inside:
                    return None
                return self.later(self._flights.join, chat_id, lambda: self._admit(chat_id))
            case MemberChanged(chat_id, user_id):
                if user_id == self._assistant_id:
                    self._inside.discard(chat_id)
            case Missed(chat_id):
                self._inside.discard(chat_id)
            case _:
                self.unhandled(message)
        return None

    async def _admit(self, chat_id: int) -> None:
        await self._groups.admit_assistant(chat_id)
        self._inside.add(chat_id)
