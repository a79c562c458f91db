"""Lists that are shown ten a page. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

import attrs

from ryzen.bot import show
from ryzen.bot.words import Html, Words
from ryzen.ports import Button, Rows

T = TypeVar("T")

#: Entries on a page.
PAGE = 10


@attrs.frozen
class Page(Generic[T]):
    """``places`` are counted from 1 through the whole list; ``number`` and ``last`` from 0."""

    number: int
    last: int
    places: tuple[tuple[int, T], ...]

    def turns(self, words: Words, action: str) -> Rows:
        """The buttons to the pages beside this one; none if this is all. ``action=number`` is their data."""
        buttons: list[Button] = []
        if self.number > 0:
            buttons.append(Button(words("button.earlier").plain, f"{action}={self.number - 1}"))
        if self.number < self.last:
            buttons.append(Button(words("button.later").plain, f"{action}={self.number + 1}"))
        return (tuple(buttons),) if buttons else ()


def page(whole: Sequence[T], number: int) -> Page[T]:
    """Page ``number``; the last one if there are not that many."""
    last = max(0, (len(whole) - 1) // PAGE)
    number = min(max(0, number), last)
    begin = number * PAGE
    return Page(number, last, tuple(enumerate(whole[begin : begin + PAGE], begin + 1)))


def length(words: Words, duration: float | None) -> Html | str:
    """How long a track is, as a list says it."""
    return words("queue.endless") if duration is None else show.clock(duration)
