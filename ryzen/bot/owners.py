"""Whose buttons are under a message that answers one person, and which tracks they are about."""

from __future__ import annotations

from cachetools import LRUCache

from ryzen.player.state import Track

#: Messages that are remembered, and the tracks which they list counted in: some 10 MB. Whoever presses on one
#: from before must ask again, as after a restart.
SIZE = 10_000


class Owners:
    """Kept here, and not in the data of the buttons, which anybody may forge."""

    def __init__(self, size: int = SIZE) -> None:
        self._owners: LRUCache[tuple[int, int], tuple[int, tuple[Track, ...]]] = LRUCache(
            size, getsizeof=lambda noted: 1 + len(noted[1])
        )

    def note(self, chat_id: int, message_id: int, owner: int, tracks: tuple[Track, ...] = ()) -> None:
        self._owners[chat_id, message_id] = owner, tracks

    def of(self, chat_id: int, message_id: int) -> int | None:
        """None if that is not known (any more); a private chat is its person's, with all that is in it."""
        if chat_id > 0:
            return chat_id
        owner, _ = self._owners.get((chat_id, message_id), (None, ()))
        return owner

    def tracks(self, chat_id: int, message_id: int) -> tuple[Track, ...]:
        """Those that the message lists; empty if they are not known (any more)."""
        _, tracks = self._owners.get((chat_id, message_id), (None, ()))
        return tracks
