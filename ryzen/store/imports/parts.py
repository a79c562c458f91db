"""What is made of another bot's documents: rows of ours, and plays to be counted. All of it values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

import attrs

from ryzen.player.state import Track
from ryzen.records import Chart, Member, Roll, Row, Value
from ryzen.store import schema
from ryzen.store.documents import encode_setting, track_fields
from ryzen.store.mongo_reading import Document


class Strange(ValueError):
    """This is not of the shape that we know."""


@attrs.frozen
class Plays:
    """So many plays, ever: of a track in a chat, or by a user. ``scope`` is a counter's (``documents``)."""

    scope: str
    track: Track
    plays: int


@attrs.frozen
class Unread:
    """A part of a document that is of no shape that we know; the rest of it may be well."""


Part = Row | Plays | Unread
Reader = Callable[[Document], Iterator[Part]]


# -- what a document holds; each raises Strange
def field(fields: Mapping[str, object], *names: str) -> object:
    """The first of these that is there."""
    for name in names:
        if name in fields:
            return fields[name]
    raise Strange


def whole(value: object) -> int:
    """Some of these bots write numbers as texts."""
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,19}", value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63:
        return int(value)
    raise Strange


def chat_id(fields: Mapping[str, object], *names: str) -> int:
    """A group or a channel."""
    found = whole(field(fields, *names))
    if found >= 0:
        raise Strange
    return found


def user_id(fields: Mapping[str, object], *names: str) -> int:
    found = whole(field(fields, *names))
    if found <= 0:
        raise Strange
    return found


def several(value: object) -> list[object]:
    if not isinstance(value, list):
        raise Strange
    return value


def mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise Strange
    return value


def name(value: object) -> str:
    return value if isinstance(value, str) else ""


def track(video: str, fields: Mapping[str, object]) -> Track:
    """One of YouTube's. What came from Telegram or SoundCloud these bots all call «telegram»: it is lost."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{11}", video):
        raise Strange
    link = f"https://www.youtube.com/watch?v={video}"
    title = name(fields.get("title")) or video
    return Track(
        f"youtube:{video}", title, "youtube", link, duration=_seconds(fields.get("duration")), link=link
    )


def _seconds(value: object) -> float | None:
    """Of ``3:45`` or ``1:02:03``; «Live», «None» and the like have no length."""
    if not isinstance(value, str) or not re.fullmatch(r"(?:[0-9]{1,3}:)?[0-9]{1,3}:[0-9]{2}", value):
        return None
    seconds = 0
    for part in value.split(":"):
        seconds = seconds * 60 + int(part)
    return float(seconds) or None


# -- rows of ours
def row(table: schema.Table, *values: Value) -> Row:
    return table.name, dict(zip(table.names, values, strict=True))


def chat_row(id: int, made: float) -> Row:
    return row(schema.CHATS, id, "", made, made)


def user_row(id: int, made: float, language: str | None = None) -> Row:
    return row(schema.USERS, id, "", made, made, language)


def setting_row(chat: int, setting: str, value: Value) -> Row:
    return row(schema.CHAT_SETTINGS, chat, setting, encode_setting(value))


def roll_row(roll: Roll, member: Member, scope: int = 0) -> Row:
    return row(schema.ROLLS, roll.value, scope, member.id, member.name, member.by, member.at, member.reason)


def track_row(one: Track) -> Row:
    return schema.TRACKS.name, track_fields(one)


def item_row(user: int, playlist: str, one: Track, at: float) -> Row:
    return row(schema.PLAYLIST_ITEMS, user, playlist, one.id, at)


def counter_row(chart: Chart, scope: str, key: str, plays: int) -> Row:
    """Of all time: on which day it was, these bots do not know."""
    return row(schema.COUNTERS, chart.value, scope, "", key, plays)
