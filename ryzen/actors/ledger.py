"""What is to be written, and what is known meanwhile: all that must outlive a crash of the StoreActor."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Hashable, Iterable, Sequence

import attrs
from cachetools import LRUCache
from loguru import logger

from ryzen.actors import known
from ryzen.actors.breaker import Breaker
from ryzen.actors.waiting import Entry, Lot, Receipt, Waiting, place_of
from ryzen.errors import Refusal
from ryzen.messages import Declined, Saved
from ryzen.records import Batch, Beat, Change, LostChat, SaveLive, SawChat, SawUser

#: Seconds in which somebody who is seen again under the same name needs no writing down.
SEEN_LATELY = 3600.0
#: Changes in one batch of what is left at the end.
_BATCH = 500


class Ledger:
    """Made once, handed to each incarnation. A change is in exactly one of three places:

    - *waiting*, in order; see ``Waiting`` for what makes way for something newer;
    - *aloft*, in lots with an id of their own: only the first is tried, and again under the same id until it
      is known to be written or refused. ``backlog``, an earlier process' spill, is aloft from the beginning;
    - *closed*: written, refused, or let go.

    At most ``bound`` changes are waiting or aloft, players and heartbeats aside, of which there is one per
    chat and process. To make room, the oldest plays that nobody waits for are let go.

    Players stay until ``restore`` was called; then each gets a revision above every one given or seen before.
    Each method is one step for whoever else looks on, so lanes may call them as well as ``receive``.
    """

    def __init__(
        self,
        bound: int = 10_000,
        backlog: Iterable[Batch] = (),
        *,
        breaker: Breaker | None = None,
        settings: int = 10_000,
        rolls: int = 2_000,
        seen: int = 20_000,
    ) -> None:
        """``settings``, ``rolls`` and ``seen`` are how many of these are remembered."""
        self.breaker = breaker or Breaker()
        self.settings, self.rolls = known.settings(settings), known.rolls(rolls)
        self.found: Saved | None = None  #: what earlier processes left, once that is known
        self.closed = self.written = self.let_go = 0  #: changes, since the beginning
        self.before = 0, 0  #: written and let go when the last outage began
        self._bound = bound
        self._size = 0  # of what is bounded
        self._told_full = False
        self._revision = 0
        self._seen: LRUCache[Hashable, tuple[str, float]] = LRUCache(seen)
        self._waiting = Waiting()
        self._lots: deque[Lot] = deque()
        for batch in backlog:
            self._take_over(batch)
        self._inherited = len(self._lots)

    # -- what comes in
    def keep(self, change: Change) -> None:
        """Nobody waits for it. If there is no room, and no play to let go for it, it is let go itself."""
        if self._known_already(change):
            return
        if self._make_room(self._needs_room(change)):
            self._add(change, None)
        else:
            self._let_go()

    def commit(self, changes: Sequence[Change]) -> Receipt:
        """Somebody waits for these. Raises Refusal, and then none of them was taken."""
        if not self._make_room(sum(self._needs_room(change) for change in changes)):
            raise Refusal(Declined.FULL)
        receipt = Receipt()
        for change in changes:
            self._add(change, receipt)
        return receipt

    def receipt(self) -> Receipt:
        """For all that may be written now: it goes in order, so the last of it stands for the rest."""
        receipt = Receipt()
        last = self._waiting.last(self.restored)
        if last is None and self._lots:
            last = self._lots[-1].entries[-1]
        if last is not None:
            last.promise(receipt)
        return receipt

    def restore(self, found: Saved) -> None:
        """It is known what earlier processes left: from now on it may be written over."""
        self._revision = max([self._revision, *(live.revision for live in found.chats)])
        self.found = found

    @property
    def restored(self) -> bool:
        """Whether players may be written."""
        return self.found is not None

    # -- what goes out
    @property
    def due(self) -> int:
        """Changes waiting that may be written."""
        return len(self._waiting) - (0 if self.restored else self._waiting.players)

    @property
    def writable(self) -> int:
        """Changes aloft, or waiting that may be written."""
        return self.due + self._aloft

    @property
    def unsettled(self) -> int:
        """Changes waiting or aloft."""
        return len(self._waiting) + self._aloft

    @property
    def aloft(self) -> Lot | None:
        """The lot to be written next."""
        return self._lots[0] if self._lots else None

    @property
    def inherited(self) -> bool:
        """Whether some of the backlog is not written yet."""
        return self._inherited > 0

    def load(self, most: int, now: float) -> bool:
        """Put together one more lot, at ``now`` on the wall clock. False if there is nothing for it."""
        return self._load(most, now, self.restored)

    def settle(self) -> None:
        """The first lot is in the database."""
        for entry in self._land():
            self.written += 1
            self._close(entry)

    def take_apart(self) -> None:
        """The first lot was refused, and nothing of it was made: each change is to be tried alone."""
        alone = self._lots.popleft().apart()
        self._lots.extendleft(reversed(alone))
        if self._inherited:
            self._inherited += len(alone) - 1

    def refuse(self) -> None:
        """The first lot will never be in the database."""
        for entry in self._land():
            self._close(entry, refused=True)

    def unwritten(self, now: float) -> tuple[Batch, ...]:
        """At the end of the process: everything that is not known to be written, in order, for a spill.

        If the players there were not known, ours have the revision 0: they fill a gap, and replace nothing.
        """
        while self._load(_BATCH, now, players=True):
            pass
        return tuple(lot.batch for lot in self._lots)

    # -- within
    @property
    def _aloft(self) -> int:
        return sum(len(lot.entries) for lot in self._lots)

    def _known_already(self, change: Change) -> bool:
        match change:
            case SawChat(at=at, title=name) | SawUser(at=at, name=name):
                last_name, last = self._seen.get(place_of(change), (None, 0.0))
                return last_name == name and abs(at - last) < SEEN_LATELY
        return False

    def _needs_room(self, change: Change) -> int:
        return _bounded(change) and not self._waiting.takes(change)

    def _make_room(self, places: int) -> bool:
        missing = self._size + places - self._bound if places else 0
        if missing > self._waiting.plays:
            return False
        for _ in range(missing):
            play = self._waiting.take_play()
            self._let_go()
            self._close(play)
        return True

    def _let_go(self) -> None:
        if not self._told_full:
            logger.warning(
                "there is no room for more than {} changes: what nobody waits for is let go, plays first",
                self._size,
            )  # fmt: skip
            self._told_full = True
        self.let_go += 1

    def _add(self, change: Change, receipt: Receipt | None) -> None:
        self._size += self._needs_room(change)
        self._waiting.add(change, receipt)
        self._note(change)

    def _note(self, change: Change) -> None:
        self.settings.changed(change)
        self.rolls.changed(change)
        match change:
            case SawChat(at=at, title=name) | SawUser(at=at, name=name):
                self._seen[place_of(change)] = (name, at)
            case LostChat(chat_id):
                self._seen.pop((SawChat, chat_id), None)

    def _load(self, most: int, now: float, players: bool) -> bool:
        entries = self._waiting.take(most, players)
        for entry in entries:
            if isinstance(entry.change, SaveLive):
                entry.change = self._stamped(entry.change, now)
        if entries:
            self._lots.append(Lot(uuid.uuid4().hex, entries))
        if not self.due:
            self._told_full = False
        return bool(entries)

    def _stamped(self, change: SaveLive, now: float) -> SaveLive:
        if not self.restored:
            return SaveLive(attrs.evolve(change.live, revision=0))
        self._revision = max(int(now * 1e6), self._revision + 1)
        return SaveLive(attrs.evolve(change.live, revision=self._revision))

    def _land(self) -> tuple[Entry, ...]:
        self._inherited = max(0, self._inherited - 1)
        return self._lots.popleft().entries

    def _close(self, entry: Entry, refused: bool = False) -> None:
        change = entry.change
        self.closed += 1
        self._size -= _bounded(change)
        self.settings.settled(change, refused)
        self.rolls.settled(change, refused)
        if refused and isinstance(change, SawChat | SawUser):
            self._seen.pop(place_of(change), None)
        for receipt in entry.receipts:
            receipt.settle_one(refused)

    def _take_over(self, batch: Batch) -> None:
        for change in batch.changes:
            self._size += _bounded(change)
            self._note(change)
        self._lots.append(Lot(batch.id, tuple(Entry(change) for change in batch.changes)))


def _bounded(change: Change) -> bool:
    return not isinstance(change, SaveLive | Beat)
