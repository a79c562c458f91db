"""What people type after a command, read. Pure; raises Misread, whose sentence shows how to do it."""

from __future__ import annotations

import re

import attrs

from ryzen.errors import Misread
from ryzen.player.events import Seek, SeekBy, SetLoop
from ryzen.player.state import Loop
from ryzen.records import Chart

#: A track may be told to play this many more times.
MOST_LOOPS = 10

_COLONS = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{2})")
_UNITS = re.compile(r"(?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s?)?")
_LOOPS = {
    "off": Loop.OFF,
    "no": Loop.OFF,
    "disable": Loop.OFF,
    "track": Loop.TRACK,
    "on": Loop.TRACK,
    "enable": Loop.TRACK,
    "queue": Loop.QUEUE,
    "all": Loop.QUEUE,
}
_OUT = ("remove", "rm", "delete", "del")
_CHARTS = {chart.value: chart for chart in Chart}
#: No group can be ranked within a group, and nobody within what is theirs.
_NO_CHARTS = ((Chart.CHATS, "here"), (Chart.USERS, "mine"))


def seconds(text: str) -> float:
    """``90``, ``1:30``, ``1:02:03``, ``90s``, ``1m30s``, ``1h2m``: seconds."""
    typed = re.sub(r"\s+", "", text).lower()
    if not typed:
        raise Misread("time", given=text)
    if match := _COLONS.fullmatch(typed) or _UNITS.fullmatch(typed):
        hours, minutes, rest = (int(part or 0) for part in match.groups())
        return float(hours * 3600 + minutes * 60 + rest)
    raise Misread("time", given=text)


def time_or_none(text: str) -> float | None:
    """How long, in seconds; nothing is None: until told otherwise."""
    return seconds(text) if text.strip() else None


def seek(text: str) -> Seek | SeekBy:
    """A position (``1:30``), or a distance if there is a sign before it (``+15``, ``-15``)."""
    sign, rest = _sign(text)
    return Seek(seconds(rest)) if sign is None else SeekBy(sign * seconds(rest))


def forward(text: str) -> SeekBy:
    """A distance: ``30``, ``+30``, ``-30``."""
    sign, rest = _sign(text)
    return SeekBy((sign or 1) * seconds(rest))


def backward(text: str) -> SeekBy:
    """A distance back; its sign, if any, does not matter."""
    return SeekBy(-seconds(_sign(text)[1]))


def count(text: str) -> int:
    """How many; nothing is 1."""
    typed = text.strip()
    return place(typed) if typed else 1


def place(text: str) -> int:
    """A place in the line: 1 is the next."""
    if (typed := text.strip().removeprefix("#")).isascii() and re.fullmatch(r"\d{1,6}", typed) and int(typed):
        return int(typed)
    raise Misread("number", given=text)


def two_places(text: str) -> tuple[int, int]:
    """From and to: ``5 1``."""
    if len(parts := text.split()) != 2:
        raise Misread("two-places", given=text)
    return place(parts[0]), place(parts[1])


def loop(text: str) -> SetLoop:
    """``off``, ``track``, ``queue``, or how many more times the track is to play."""
    typed = text.strip().lower()
    if typed in _LOOPS:
        return SetLoop(_LOOPS[typed])
    if re.fullmatch(r"[0-9]{1,3}", typed) and int(typed) <= MOST_LOOPS:
        return SetLoop(Loop.TRACK, int(typed)) if int(typed) else SetLoop(Loop.OFF)
    raise Misread("loop", given=text, most=MOST_LOOPS)


@attrs.frozen
class Favourite:
    """Number ``place`` of the favourites: to be played, or taken ``out``."""

    place: int
    out: bool = False


def favourite(text: str) -> Favourite | None:
    """``3``, or ``remove 3``; nothing is None: all of them are to be shown."""
    if not (parts := text.split(maxsplit=1)):
        return None
    if parts[0].lower() in _OUT:
        return Favourite(place(parts[1] if len(parts) > 1 else ""), out=True)
    return Favourite(place(text))


@attrs.frozen
class Ranking:
    """A chart of everything, or of what was played ``here``, or asked for by whoever asks (``mine``)."""

    chart: Chart = Chart.TRACKS
    here: bool = False
    mine: bool = False
    today: bool = False


def ranking(text: str) -> Ranking:
    """``users here today``: one word of each kind, in any order, and any of them may be missing."""
    typed = text.lower().split()
    charts = [_CHARTS[word] for word in typed if word in _CHARTS]
    places = [word for word in typed if word in ("here", "mine")]
    days = [word for word in typed if word == "today"]
    chart = charts[0] if charts else Chart.TRACKS
    if (
        len(charts) + len(places) + len(days) < len(typed)
        or max(len(charts), len(places), len(days)) > 1
        or any((chart, word) in _NO_CHARTS for word in places)
    ):
        raise Misread("ranking", given=text)
    return Ranking(chart, "here" in places, "mine" in places, bool(days))


def link(text: str) -> str:
    """A link with its protocol, and nothing else."""
    if re.fullmatch(r"https?://\S+", typed := text.strip(), re.IGNORECASE):
        return typed
    raise Misread("link")


def _sign(text: str) -> tuple[int | None, str]:
    typed = text.strip()
    match typed[:1]:
        case "+":
            return 1, typed[1:]
        case "-" | "−" | "–":  # phones type the long ones by themselves
            return -1, typed[1:]
    return None, typed
