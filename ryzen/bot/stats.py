"""How the bot is doing, in one message. Pure."""

from __future__ import annotations

import html

from ryzen.actors.health import Health, Status
from ryzen.bot import show
from ryzen.bot.words import Html, Words

#: Characters that stay free for the line which says how many rows were cut.
_SPARE = 64
_HEAD = ("actor", "state", "mail", "done", "lost", "rst", "at", "last error")


def public(words: Words, health: tuple[Health, ...], uptime: float) -> Html:
    """For everyone: how many chats are playing, and since when the bot is up."""
    playing = sum(each.position is not None for each in health)
    return words("stats.public", playing=playing, uptime=show.span(uptime))


def full(words: Words, health: tuple[Health, ...], uptime: float, lag: float) -> Html:
    """For sudoers: totals, then one row an actor, those in trouble first; cut between rows to one message."""
    head = words(
        "stats.totals",
        playing=sum(each.position is not None for each in health),
        uptime=show.span(uptime),
        actors=len(health),
        handled=sum(each.handled for each in health),
        refused=sum(each.refused for each in health),
        restarts=sum(each.restarts for each in health),
        lag=f"{lag * 1000:.0f}",
    )
    lines = _aligned([_HEAD, *(_row(each) for each in sorted(health, key=_worst_first))])
    room = show.MESSAGE - len(head.markup) - _SPARE
    kept: list[str] = []
    for line in lines:
        room -= len(html.escape(line)) + 1
        if room < 0:
            break
        kept.append(line)
    table = "\n".join(kept)
    if len(kept) < len(lines):
        table += "\n" + words("stats.more", number=len(lines) - len(kept)).plain
    return Html(f"{head.markup}\n<pre>{html.escape(table, quote=False)}</pre>", f"{head.plain}\n{table}")


def _worst_first(health: Health) -> tuple[bool, bool, int, str]:
    return (health.condition is None, health.status is Status.RUNNING, -health.restarts, health.name)


def _row(health: Health) -> tuple[str, ...]:
    mail = f"{health.mailbox_used}/{health.mailbox_capacity}"
    if health.oldest_mail is not None:
        mail += f" {show.span(health.oldest_mail)}"
    state = f"{health.status.value} {show.span(health.in_status_for)}"
    if health.busy_for is not None:
        state += f", busy {show.span(health.busy_for)}"
    return (
        health.name,
        state,
        mail,
        str(health.handled),
        str(health.refused),
        str(health.restarts),
        "-" if health.position is None else show.clock(health.position),
        "; ".join(filter(None, (health.condition, health.last_error))) or "-",  # long, so it comes last
    )


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    padded = ([cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows)
    return ["  ".join(cells).rstrip() for cells in padded]
