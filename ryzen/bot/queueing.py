"""The line of a chat, ten places a page."""

from __future__ import annotations

from ryzen.bot import show
from ryzen.bot.desk import Desk, Order, Reply
from ryzen.bot.playing import look
from ryzen.bot.words import Html, Words
from ryzen.messages import View
from ryzen.player.state import Entry
from ryzen.ports import Button

#: Entries on a page.
PAGE = 10


async def queue(desk: Desk, order: Order) -> Reply:
    return page(desk.words, await look(desk, order.chat_id), 0)


def page(words: Words, view: View | None, number: int) -> Reply:
    """Page ``number`` of the line, counted from 0; the last one if there are not that many."""
    if view is None or (view.player.current is None and not view.player.queue):
        return Reply(words("queue.empty"))
    waiting = view.player.queue
    last = max(0, (len(waiting) - 1) // PAGE)
    number = min(max(0, number), last)
    lines = [_now(words, view)]
    for place, entry in enumerate(waiting[number * PAGE : (number + 1) * PAGE], number * PAGE + 1):
        lines.append(words("queue.line", place=place, **_entry(words, entry)))
    if last:
        lines.append(words("queue.page", page=number + 1, pages=last + 1, number=len(waiting)))
    turns = []
    if number > 0:
        turns.append(Button(words("button.earlier").plain, f"q:page={number - 1}"))
    if number < last:
        turns.append(Button(words("button.later").plain, f"q:page={number + 1}"))
    return Reply(Html.lines(lines), (tuple(turns),) if turns else ())


def _now(words: Words, view: View) -> Html:
    current = view.player.current
    if current is None:
        return words("queue.resting")
    return words("queue.now", position=show.clock(view.position), **_entry(words, current))


def _entry(words: Words, entry: Entry) -> dict[str, object]:
    duration = entry.track.duration
    return {
        "track": show.title(entry.track),
        "length": words("queue.endless") if duration is None else show.clock(duration),
        "name": show.cut(entry.asker.name, show.NAME),
    }
