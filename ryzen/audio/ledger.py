"""Which tracks the worker has in hand, written down where the bot can read it after the worker's death."""

from __future__ import annotations

import mmap
import os
import struct

#: Slots: one for the loop of the worker, and one for each of its threads.
SLOTS = 256

_ENTRY = struct.Struct("<QQ")
_NOTHING = _ENTRY.pack(0, 0)


class Ledger:
    """A page of shared memory. Deck and turn numbers begin at 1: zeros mean nothing is in hand."""

    def __init__(self, descriptor: int) -> None:
        """Takes over the descriptor."""
        self.descriptor = descriptor
        self._page = mmap.mmap(descriptor, mmap.PAGESIZE)

    @classmethod
    def blank(cls) -> Ledger:
        descriptor = os.memfd_create("ryzen-ledger")
        os.ftruncate(descriptor, mmap.PAGESIZE)
        return cls(descriptor)

    def take(self, slot: int, deck: int, turn: int) -> None:
        """From here on, whatever happens may be this track's fault."""
        _ENTRY.pack_into(self._page, slot * _ENTRY.size, deck, turn)

    def put_back(self, slot: int) -> None:
        self._page[slot * _ENTRY.size : (slot + 1) * _ENTRY.size] = _NOTHING

    def in_hand(self) -> frozenset[tuple[int, int]]:
        """(deck, turn) of each track being opened or decoded."""
        entries = (_ENTRY.unpack_from(self._page, slot * _ENTRY.size) for slot in range(SLOTS))
        return frozenset((deck, turn) for deck, turn in entries if deck)

    def close(self) -> None:
        self._page.close()
        os.close(self.descriptor)


class Hand:
    """One slot, and the track that belongs in it."""

    def __init__(self, ledger: Ledger, slot: int, deck: int, turn: int) -> None:
        self._ledger = ledger
        self._entry = (slot, deck, turn)

    def rest(self, resting: bool) -> None:
        """While its thread only waits, the track can be at fault for nothing."""
        if resting:
            self._ledger.put_back(self._entry[0])
        else:
            self._ledger.take(*self._entry)
