"""What was played most, where, and for whom."""

from __future__ import annotations

import datetime as dt

from ryzen.bot import arguments, show
from ryzen.bot.arguments import Ranking
from ryzen.bot.desk import Desk, Order, Reply, somebody
from ryzen.bot.keeping import recall
from ryzen.bot.words import Html, Words
from ryzen.records import Chart, Ranked, Top

_CHARTS = {Chart.TRACKS: "top.tracks", Chart.CHATS: "top.chats", Chart.USERS: "top.users"}
#: Sources of files and links that one group has sent: neither their names nor their links are for others.
_OWN_AFFAIRS = ("telegram", "web")
_MEDALS = {1: "🥇", 2: "🥈", 3: "🥉"}


async def top(desk: Desk, order: Order) -> Reply:
    words, asked, person = desk.words, arguments.ranking(order.args), order.said.sender
    if asked.here and order.said.private:
        return Reply(words("command.group-only"))
    if asked.mine and not somebody(person):
        return Reply(words("top.nobody"))
    if asked.chart is Chart.CHATS and not desk.guard.trusts(person):  # a group's title may be its own affair
        return Reply(words("top.chats-are-private"))
    question = Top(
        asked.chart,
        chat_id=order.chat_id if asked.here else None,
        user_id=person.id if asked.mine else None,
        day=dt.datetime.fromtimestamp(desk.wall(), dt.UTC).date() if asked.today else None,
    )
    ranked = await recall(desk, lambda store: store.top(question))
    head = _head(words, asked)
    if not ranked:
        return Reply(Html.lines([head, words("top.empty")]))
    return Reply(Html.lines([head, *(_line(words, asked, *each) for each in enumerate(ranked, 1))]))


def _head(words: Words, asked: Ranking) -> Html:
    where = words("top.here") if asked.here else words("top.mine") if asked.mine else words("top.everywhere")
    when = words("top.today") if asked.today else words("top.ever")
    return words("top.head", chart=words(_CHARTS[asked.chart]), where=where, when=when)


def _line(words: Words, asked: Ranking, place: int, ranked: Ranked) -> Html:
    return words(
        "top.line",
        place=_MEDALS.get(place, f"{place}."),
        name=_name(words, asked, ranked),
        plays=ranked.plays,
    )


def _name(words: Words, asked: Ranking, ranked: Ranked) -> Html:
    chart, everywhere = asked.chart, not (asked.here or asked.mine)
    if ranked.track is not None:
        private = everywhere and ranked.track.source in _OWN_AFFAIRS
        return words("top.a-file") if private else show.named(ranked.track)
    if chart is Chart.USERS and ranked.key.startswith("-"):
        return words("top.anonymous")  # who speaks for a group has its title for a name
    if ranked.label:
        return Html.of(show.cut(ranked.label, show.TITLE))
    return Html.of(ranked.key) if chart is Chart.CHATS else words("top.unknown")
