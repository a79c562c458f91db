"""Commands about the bot itself."""

from __future__ import annotations

from collections.abc import Callable

import anyio

from ryzen.bot import show, stats
from ryzen.bot.desk import NOTHING, Desk, Order, Reply
from ryzen.bot.guard import Verdict, Who
from ryzen.bot.table import Handler, Table
from ryzen.bot.words import Html


async def ping(desk: Desk, order: Order) -> Reply:
    waited = anyio.current_time() - order.at
    instruments = desk.instruments
    return Reply(
        desk.words(
            "ping.pong",
            waited=f"{waited * 1000:.0f}",
            lag=f"{instruments.loop_lag() * 1000:.0f}",
            uptime=show.span(instruments.uptime()),
        )
    )


async def start(desk: Desk, order: Order) -> Reply:
    return Reply(desk.words("start.private" if order.said.private else "start.group"))


async def show_stats(desk: Desk, order: Order) -> Reply:
    instruments = desk.instruments
    health, uptime = instruments.health(), instruments.uptime()
    if await desk.guard.may(Who.SUDOER, order.said.sender, order.chat_id) is Verdict.YES:
        return Reply(stats.full(desk.words, health, uptime, instruments.loop_lag()))
    return Reply(stats.public(desk.words, health, uptime))


def helping(table: Callable[[], Table]) -> Handler:
    """The command that lists all commands, this one too."""

    async def handler(desk: Desk, _: Order) -> Reply:
        lines = [desk.words("help.head")]
        for who in Who:
            if rows := [row for row in table() if row.who is who]:
                lines += [NOTHING, desk.words(f"help.{who.value}"), *(desk.words(row.usage) for row in rows)]
        return Reply(Html.lines(lines))

    return handler
