"""What is known without asking the database: what was read before, and what we have changed since."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from functools import reduce
from typing import Generic, TypeVar

import attrs
from cachetools import LRUCache

from ryzen.records import Change, ChatSettings, Enlist, Member, ResetSettings, Roll, SetSetting, Strike

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Known(Generic[K, V]):
    """The answers to one kind of question, by key; those asked for least recently are forgotten.

    Our own changes are seen at once. Those that are not in the database yet are remembered apart, for as long
    as they are not, and made again to whatever is read from there: forgetting an answer forgets no change.
    """

    def __init__(
        self, size: int, default: V, key: Callable[[Change], K | None], made: Callable[[V, Change], V]
    ) -> None:
        self._answers: LRUCache[K, V] = LRUCache(size)
        self._default, self._key, self._made = default, key, made
        self._own: dict[K, deque[Change]] = {}  # not in the database yet, oldest first
        self._reading: dict[K, list[Change]] = {}  # own changes that a read under way may have missed

    def recall(self, key: K) -> V | None:
        """The answer, if it is known."""
        return self._answers.get(key)

    def guess(self, key: K) -> V:
        """The answer, as far as it is known without the database."""
        answer = self._answers.get(key)
        return reduce(self._made, self._own.get(key, ()), self._default) if answer is None else answer

    async def learn(self, key: K, ask: Callable[[K], Awaitable[V]]) -> V:
        """Ask the database, and know the answer from now on. One at a time for each key."""
        # What is written while the answer is on its way may be in it or not. Making all of it again, in
        # order, leads to the same end.
        missed = self._reading[key] = list(self._own.get(key, ()))
        try:
            answer = await ask(key)
        finally:
            del self._reading[key]
        answer = self._answers[key] = reduce(self._made, missed, answer)
        return answer

    # -- told by the ledger
    def changed(self, change: Change) -> None:
        """This will be in the database."""
        key = self._key(change)
        if key is None:
            return
        self._own.setdefault(key, deque()).append(change)
        if key in self._reading:
            self._reading[key].append(change)
        if (answer := self._answers.get(key)) is not None:
            self._answers[key] = self._made(answer, change)

    def settled(self, change: Change, refused: bool) -> None:
        """The oldest of a key's own changes is in the database now, or never will be."""
        key = self._key(change)
        if key is None:
            return
        own = self._own[key]
        own.popleft()
        if not own:
            del self._own[key]
        if refused:
            self._answers.pop(key, None)  # it has that change in it
            if key in self._reading:
                self._reading[key].remove(change)


def settings(size: int) -> Known[int, ChatSettings]:
    """chat -> its settings"""
    return Known(size, ChatSettings(), _chat_of, _set)


def rolls(size: int) -> Known[tuple[Roll, int], tuple[Member, ...]]:
    """(roll, scope) -> who is on it, oldest first, then by id"""
    return Known(size, (), _roll_of, _enlisted)


def _chat_of(change: Change) -> int | None:
    return change.chat_id if isinstance(change, SetSetting | ResetSettings) else None


def _set(before: ChatSettings, change: Change) -> ChatSettings:
    if isinstance(change, SetSetting):
        return attrs.evolve(before, **{change.name: change.value})  # type: ignore[arg-type]  # it has checked
    return ChatSettings()


def _roll_of(change: Change) -> tuple[Roll, int] | None:
    return (change.roll, change.scope) if isinstance(change, Enlist | Strike) else None


def _enlisted(before: tuple[Member, ...], change: Change) -> tuple[Member, ...]:
    match change:
        case Enlist(member=member):
            others = [each for each in before if each.id != member.id]
            return tuple(sorted([*others, member], key=lambda each: (each.at, each.id)))
        case Strike(id=gone):
            return tuple(each for each in before if each.id != gone)
    return before
