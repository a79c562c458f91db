"""The line of a chat, ten places a page."""

from __future__ import annotations

from ryzen.bot import paging, show
from ryzen.bot.desk import Desk, Order, Reply
from ryzen.bot.playing import look
from ryzen.bot.words import Html, Words
from ryzen.messages import View
from ryzen.player.state import Entry


async def queue(desk: Desk, order: Order) -> Reply:
    return page(desk.words, await look(desk, order.chat_id), 0)


def page(words: Words, view: View | None, number: int) -> Reply:
    """Page ``number`` of the line, counted from 0; the last one if there are not that many."""
    if view is None or (view.player.current is None and not view.player.queue):
        return Reply(words("queue.empty"))
    waiting = view.player.queue
    shown = paging.page(waiting, number)
    lines = [_now(words, view)]
    lines += (words("queue.line", place=place, **_entry(words, entry)) for place, entry in shown.places)
    if shown.last:
        lines.append(words("queue.page", page=shown.number + 1, pages=shown.last + 1, number=len(waiting)))
    return Reply(Html.lines(lines), shown.turns(words, "q:page"))


def _now(words: Words, view: View) -> Html:
    current = view.player.current
    if current is None:
        return words("queue.resting")
    return words("queue.now", position=show.clock(view.position), **_entry(words, current))


def _entry(words: Words, entry: Entry) -> dict[str, object]:
    return {
        "track": show.title(entry.track),
        "length": paging.length(words, entry.track.duration),
        "name": show.cut(entry.asker.name, show.NAME),
    }
