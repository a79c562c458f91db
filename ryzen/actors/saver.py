"""What a chat has the store keep of it: its player, at each change that a listener would miss."""

from __future__ import annotations

from collections.abc import Callable

import anyio
from attrs import evolve
from loguru import logger

from ryzen.actors.ref import Ref
from ryzen.errors import ActorStopped, MailboxFull
from ryzen.messages import Keep, ToStore
from ryzen.player.state import Entry, Player
from ryzen.ports import Card
from ryzen.records import Change, LiveChat, Play, Played, SaveLive

#: Seconds by which a position may differ from what can be reckoned of the last one that was saved. The voice
#: engine and the wall clock drift by less; a seek, a stall or a pause makes more.
DRIFT = 0.25


class Saver:
    """One for a chat as long as it runs; it outlives the crashes of its actor.

    ``process`` is ours, ``wall`` the wall clock; ``last`` is what the process before us left, or we ourselves
    when the chat retired.
    """

    def __init__(
        self,
        chat_id: int,
        store: Ref[ToStore],
        process: str,
        wall: Callable[[], float],
        new_id: Callable[[], str],
        last: LiveChat | None = None,
    ) -> None:
        self.last = last
        self.attempts = 0 if last is None else last.attempts  #: restores in a row without a sound
        self._chat_id, self._store, self._process = chat_id, store, process
        self._wall, self._new_id = wall, new_id
        self._counted = 0 if last is None else last.counted
        self._player: Player | None = None  # of the last look, to see at once that nothing has changed
        self.shown: Card | None = None  #: what the last look saw
        self._told = True  # the store has what is in ``last``

    def save(self, player: Player, card: Card | None) -> None:
        """Tell the store how it stands, if that is news. Never waits."""
        if player is self._player and card is self.shown and self._told:
            return
        self._player, self.shown = player, card
        now = self._picture(player, card)
        if self._told and self.last is not None and _same(self.last, now):
            return
        self.last = now
        self._told = self._tell(SaveLive(now))

    def part(self, player: Player, card: Card | None) -> None:
        """The chat stops in good order: the player stands still from now on, however it seems to move."""
        self.attempts = 0
        stopped = evolve(player, offset=player.position(anyio.current_time()), since=None)
        self._player = None
        self.save(stopped, card)

    def heard(self, entry: Entry) -> None:
        """This entry sounds: it counts as played, once, and whatever restored it has worked."""
        self.attempts = 0
        self._player = None
        if entry.id == self._counted:
            return
        self._counted = entry.id
        play = Play(self._new_id(), self._chat_id, entry.asker, entry.track, self._wall())
        self._tell(Played(play))

    def _picture(self, player: Player, card: Card | None) -> LiveChat:
        wall = self._wall()
        moving = None if player.since is None else wall - (anyio.current_time() - player.since)
        return LiveChat(
            chat_id=self._chat_id,
            player=evolve(player, since=None, media=None),
            saved_at=wall,
            process=self._process,
            moving_since=moving,
            card=None if card is None else card.message,
            card_entry=None if card is None else card.entry,
            attempts=self.attempts,
            counted=self._counted,
        )

    def _tell(self, change: Change) -> bool:
        """Whether it was taken; a player that was not is offered again with the next change or tick."""
        try:
            self._store.tell(Keep(change))
        except (MailboxFull, ActorStopped) as error:
            logger.warning("chat {}: {} could not be kept: {!r}", self._chat_id, type(change).__name__, error)
            return False
        return True


def _same(one: LiveChat, other: LiveChat) -> bool:
    """Whether a listener who is given the one would not miss the other."""
    if (one.moving_since is None) != (other.moving_since is None):
        return False
    return abs(_origin(one) - _origin(other)) < DRIFT and _still(one) == _still(other)


def _origin(live: LiveChat) -> float:
    """The moment at which the track began, or would have; of one that stands still, less than nothing."""
    return (live.moving_since or 0.0) - live.player.offset


def _still(live: LiveChat) -> LiveChat:
    return evolve(live, player=evolve(live.player, offset=0.0), saved_at=0.0, moving_since=None, revision=0)
