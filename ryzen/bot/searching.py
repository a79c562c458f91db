"""Hits to choose from: a list, and a numbered button for each."""

from __future__ import annotations

import re

from ryzen.bot import paging, show
from ryzen.bot.desk import Desk, Order, Press, Reply, Toast, asker
from ryzen.bot.playing import FIND_WITHIN, nothing_found, play, put_on
from ryzen.bot.words import Html, Words
from ryzen.messages import Find
from ryzen.player.state import Track
from ryzen.ports import Button

#: Hits in a list, and buttons in a row.
HITS, ROW = 10, 5


async def search(desk: Desk, order: Order) -> Reply:
    if not order.args:
        return Reply(desk.words("search.help"))
    return _offer(desk.words, order, await _find(desk, order.args))


async def radio(desk: Desk, order: Order) -> Reply | None:
    """Stations; the only one there is plays at once."""
    if not order.args:
        return Reply(desk.words("radio.help"))
    stations = await _find(desk, order.args, "radio")
    if len(stations) == 1:
        return await play(desk, order, stations[0])
    return _offer(desk.words, order, stations)


async def choose(desk: Desk, press: Press) -> Toast:
    """Play the hit with this number."""
    hits = desk.owners.tracks(press.chat_id, press.pressed.message_id)
    if not re.fullmatch(r"[1-9][0-9]?", press.rest) or int(press.rest) > len(hits):
        return Toast(desk.words("press.unknown"), alert=True)
    track = hits[int(press.rest) - 1]
    said = await put_on(desk, press.chat_id, asker(press.pressed.sender), track)
    return Toast(desk.words("answer.starting", track=show.title(track)) if said is None else said)


async def _find(desk: Desk, text: str, *among: str) -> tuple[Track, ...]:
    found = await desk.download.ask(Find(text, limit=HITS, most=HITS, among=among), within=FIND_WITHIN)
    return found.tracks


def _offer(words: Words, order: Order, tracks: tuple[Track, ...]) -> Reply:
    if not tracks:
        return Reply(nothing_found(words, order.args))
    lines = [words("search.head", words=show.cut(order.args, show.TITLE))]
    for place, track in enumerate(tracks, 1):
        length = paging.length(words, track.duration)
        lines.append(
            words("search.line", place=place, track=show.named(track), length=length, source=track.source)
        )
    buttons = [Button(str(place), f"s:play={place}") for place in range(1, len(tracks) + 1)]
    rows = tuple(tuple(buttons[start : start + ROW]) for start in range(0, len(buttons), ROW))
    return Reply(Html.lines(lines), rows, order.said.sender.id, tracks)
