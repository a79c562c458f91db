"""Whose buttons are under a message that answers one person."""

from __future__ import annotations

from cachetools import LRUCache

#: Messages that are remembered; whoever presses on one from before must ask again, as after a restart.
SIZE = 10_000


class Owners:
    """Kept here, and not in the data of the buttons, which anybody may forge."""

    def __init__(self, size: int = SIZE) -> None:
        self._owners: LRUCache[tuple[int, int], int] = LRUCache(size)

    def note(self, chat_id: int, message_id: int, owner: int) -> None:
        self._owners[chat_id, message_id] = owner

    def of(self, chat_id: int, message_id: int) -> int | None:
        """None if that is not known (any more); a private chat is its person's, with all that is in it."""
        return chat_id if chat_id > 0 else self._owners.get((chat_id, message_id))
