"""The lyrics of what plays, from the line that is sung now, or of any song."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from ryzen.bot import show
from ryzen.bot.desk import NOTHING, Desk, Order, Reply
from ryzen.bot.playing import FIND_WITHIN, look
from ryzen.bot.words import Html, Words
from ryzen.errors import Refusal
from ryzen.messages import LyricsOf
from ryzen.origins import Line, Lyrics
from ryzen.player.effects import Refused

#: Lines shown before the one that is sung now.
BEFORE = 2
#: Characters that stay free for the line which says that there is more.
_SPARE = 64


async def lyrics(desk: Desk, order: Order) -> Reply:
    position: float | None = None
    if order.args:
        wanted = _read(order.args)
    else:
        view = await look(desk, order.chat_id)
        if view is None or view.player.current is None:
            raise Refusal(Refused.NOTHING_PLAYING)
        track, position = view.player.current.track, view.position
        wanted = LyricsOf(track.title, track.artist, view.player.duration)
    found = await desk.download.ask(wanted, within=FIND_WITHIN)
    title = show.cut(wanted.title, show.TITLE)
    if found is None:
        return Reply(desk.words("lyrics.none", title=title))
    if not found.lines:
        return Reply(desk.words("lyrics.instrumental", title=title, source=found.source))
    head = desk.words("lyrics.head", title=title, source=found.source)
    return Reply(
        Html.lines([head, NOTHING, *_body(desk.words, found, position, show.MESSAGE - len(head.markup))])
    )


def _read(text: str) -> LyricsOf:
    """``artist - title``, or a title alone."""
    artist, dash, title = text.partition(" - ")
    return LyricsOf(title.strip(), artist.strip()) if dash and title.strip() else LyricsOf(text.strip())


def _body(words: Words, found: Lyrics, position: float | None, room: int) -> list[Html]:
    """From a little before the line that is sung now, as far as one message goes."""
    now = None if position is None or not found.timed else _sung(found.lines, position)
    start = 0 if now is None else max(0, now - BEFORE)
    room -= _SPARE
    shown: list[Html] = []
    for number, line in enumerate(found.lines[start:], start):
        silent = line.at is not None and not line.text  # and not between two verses without times
        text = words("lyrics.silent") if silent else Html.of(line.text)
        piece = words("lyrics.now", line=text) if number == now else text
        room -= len(piece.markup) + 1
        if room < 0:
            return [*shown, words("lyrics.more")]
        shown.append(piece)
    return shown


def _sung(lines: Sequence[Line], position: float) -> int | None:
    """The number of the line at this position in seconds; None before the first."""
    begun = bisect_right([0.0 if line.at is None else line.at for line in lines], position)
    return begun - 1 if begun else None
