"""Who may. Telegram is asked; its answer holds for a minute, or until anybody's standing changes."""

from __future__ import annotations

import enum
from collections.abc import Callable

import anyio
from cachetools import TTLCache
from loguru import logger

from ryzen.errors import SendError
from ryzen.ports import Groups, Person

#: Seconds that a group's admins are remembered, for the case that Telegram's update about a change got lost.
HOLD = 60.0
#: Groups whose admins are remembered; those not heard of for longest go first.
SIZE = 1024
#: Seconds that Telegram may take to name the admins.
WITHIN = 5.0
#: Times it is asked again because the admins changed while it answered.
TRIES = 3


class Who(enum.Enum):
    EVERYONE = "everyone"
    ADMIN = "admin"  #: the owner of the group, or an admin with «manage video chats»; sudoers everywhere
    SUDOER = "sudoer"
    OWNER = "owner"  #: of the bot


class Verdict(enum.StrEnum):
    """Each but YES has a sentence ``denied.<code>``."""

    YES = "yes"
    NOT_ADMIN = "not-admin"
    NOT_SUDOER = "not-sudoer"
    NOT_OWNER = "not-owner"
    UNKNOWN = "unknown"  #: Telegram could not be asked: no


class Guard:
    """One for the bot. ``owner`` and ``sudoers`` are Telegram ids."""

    def __init__(
        self,
        groups: Groups,
        owner: int,
        sudoers: frozenset[int] = frozenset(),
        clock: Callable[[], float] = anyio.current_time,
    ) -> None:
        self._groups, self._owner, self._sudoers = groups, owner, sudoers | {owner}
        self._known: TTLCache[int, frozenset[int]] = TTLCache(SIZE, HOLD, timer=clock)
        self._flights: dict[int, anyio.Event] = {}

    async def may(self, who: Who, person: Person, chat_id: int) -> Verdict:
        """Whether this person may, in this chat, now."""
        match who:
            case Who.EVERYONE:
                return Verdict.YES
            case Who.OWNER:
                return Verdict.YES if person.id == self._owner else Verdict.NOT_OWNER
            case Who.SUDOER:
                return Verdict.YES if self.trusts(person) else Verdict.NOT_SUDOER
        if self.trusts(person) or (person.anonymous and person.id == chat_id):
            return Verdict.YES
        managers = await self._managers(chat_id)
        if managers is None:
            return Verdict.UNKNOWN
        return Verdict.YES if person.id in managers else Verdict.NOT_ADMIN

    def trusts(self, person: Person) -> bool:
        """Whether this is the owner or a sudoer, who may do as they like, and as often."""
        return person.id in self._sudoers

    def forget(self, chat_id: int) -> None:
        """Somebody's standing changed: what is known of this group, or being asked, is no longer true."""
        self._known.pop(chat_id, None)
        self._flights.pop(chat_id, None)

    async def _managers(self, chat_id: int) -> frozenset[int] | None:
        """None if Telegram could not be asked."""
        for _ in range(TRIES):
            while (landing := self._flights.get(chat_id)) is not None:
                await landing.wait()
            if (known := self._known.get(chat_id)) is not None:
                return known
            landed = self._flights[chat_id] = anyio.Event()
            try:
                managers = await self._ask(chat_id)
                if self._flights.get(chat_id) is landed:
                    if managers is not None:
                        self._known[chat_id] = managers
                    return managers
            finally:
                if self._flights.get(chat_id) is landed:
                    del self._flights[chat_id]
                landed.set()
        return None

    async def _ask(self, chat_id: int) -> frozenset[int] | None:
        try:
            with anyio.fail_after(WITHIN):
                return await self._groups.managers(chat_id)
        except (SendError, TimeoutError) as error:
            logger.warning("the admins of {} could not be had: {}", chat_id, str(error) or "no answer")
            return None
