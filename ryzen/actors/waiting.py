"""Changes that wait to be written, in order; of some only the newest counts."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from itertools import islice

import anyio
import attrs

from ryzen.records import Batch, Beat, Change, LostChat, Played, Prune, SaveLive, SawChat, SawUser


@attrs.define(eq=False)
class Receipt:
    """How it stands with changes that somebody waits for."""

    open: int = 0  #: that may still be written
    refused: bool = False  #: the database has refused one of them at least
    settled: anyio.Event = attrs.Factory(anyio.Event)  #: none is open any more

    def settle_one(self, refused: bool) -> None:
        self.open -= 1
        self.refused = self.refused or refused
        if not self.open:
            self.settled.set()


@attrs.define(eq=False)
class Entry:
    """One change on its way; while it waits, a newer one may take its place."""

    change: Change
    receipts: list[Receipt] = attrs.Factory(list)

    def promise(self, receipt: Receipt) -> None:
        receipt.open += 1
        self.receipts.append(receipt)


@attrs.frozen(eq=False)
class Lot:
    """What the database is given, or about to be; it keeps its id until it is known to be written."""

    id: str
    entries: tuple[Entry, ...]

    @property
    def batch(self) -> Batch:
        return Batch(self.id, tuple(entry.change for entry in self.entries))

    def apart(self) -> tuple[Lot, ...]:
        """Each change alone, under an id that is always the same."""
        return tuple(Lot(f"{self.id}.{number}", (entry,)) for number, entry in enumerate(self.entries))


class Waiting:
    """The newest player of a chat, sight of a chat or person, and heartbeat of a process take the place of
    the one that waits, unless something came between them that the order matters for.
    """

    def __init__(self) -> None:
        self.players = 0
        self._entries: dict[Entry, None] = {}  # in order
        self._places: dict[Hashable, Entry] = {}  # those that make way for a newer one
        self._plays: dict[Entry, None] = {}  # those that nobody waits for, in order

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def plays(self) -> int:
        """That nobody waits for."""
        return len(self._plays)

    def takes(self, change: Change) -> bool:
        """Whether it needs no place of its own."""
        return place_of(change) in self._places

    def add(self, change: Change, receipt: Receipt | None) -> None:
        place = place_of(change)
        entry = self._places.get(place)
        if entry is None:
            entry = Entry(change)
            self._entries[entry] = None
            self.players += isinstance(change, SaveLive)
            if place is not None:
                self._places[place] = entry
            if receipt is None and isinstance(change, Played):
                self._plays[entry] = None
        entry.change = change
        if receipt is not None:
            entry.promise(receipt)
        self._separate(change)

    def last(self, players: bool) -> Entry | None:
        """The one that is taken last."""
        return next(_without(players, reversed(self._entries)), None)

    def take(self, most: int, players: bool) -> tuple[Entry, ...]:
        """The oldest; with or without the players."""
        taken = tuple(islice(_without(players, iter(self._entries)), most))
        for entry in taken:
            self._remove(entry)
        return taken

    def take_play(self) -> Entry:
        """The oldest play that nobody waits for."""
        entry = next(iter(self._plays))
        self._remove(entry)
        return entry

    def _remove(self, entry: Entry) -> None:
        del self._entries[entry]
        self._plays.pop(entry, None)
        self.players -= isinstance(entry.change, SaveLive)
        place = place_of(entry.change)
        if self._places.get(place) is entry:
            del self._places[place]

    def _separate(self, change: Change) -> None:
        """What waits stays before this change; what comes goes behind it."""
        match change:
            case LostChat(chat_id):
                for kind in (SawChat, SaveLive):
                    self._places.pop((kind, chat_id), None)
            case Prune():
                self._places.clear()


def place_of(change: Change) -> Hashable:
    """Where only the newest counts; None if each does."""
    match change:
        case SaveLive(live):
            return SaveLive, live.chat_id
        case SawChat(chat_id):
            return SawChat, chat_id
        case SawUser(user_id):
            return SawUser, user_id
        case Beat(process):
            return Beat, process
    return None


def _without(players: bool, entries: Iterator[Entry]) -> Iterator[Entry]:
    return (entry for entry in entries if players or not isinstance(entry.change, SaveLive))
