"""What was played in a chat, newest first."""

from __future__ import annotations

from ryzen.bot import show
from ryzen.bot.desk import Desk, Order, Reply
from ryzen.bot.keeping import recall
from ryzen.bot.words import Html

#: Plays that are shown.
PLAYS = 10


async def history(desk: Desk, order: Order) -> Reply:
    plays = await recall(desk, lambda store: store.history(order.chat_id, PLAYS))
    if not plays:
        return Reply(desk.words("history.empty"))
    now = desk.wall()
    lines = [desk.words("history.head")]
    for place, play in enumerate(plays, 1):
        track, name = show.named(play.track), show.cut(play.asker.name, show.NAME)
        ago = show.span(now - play.at)
        lines.append(desk.words("history.line", place=place, track=track, name=name, ago=ago))
    return Reply(Html.lines(lines))
