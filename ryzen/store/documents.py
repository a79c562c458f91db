"""Records as the fields of rows, and back; the same for every back end.

Reading takes a mapping with the fields of ``schema``, ignores what it does not know, takes the default for
what is missing, and raises ValueError for what it cannot read: older and newer versions read each other.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

import attrs
import cattrs
from cattrs.gen import make_dict_unstructure_fn, override

from ryzen.player.state import Asker, Entry, Player, Track
from ryzen.records import (
    SETTINGS,
    Broadcast,
    Chart,
    ChatSettings,
    LiveChat,
    Member,
    Play,
    Served,
    Top,
    Value,
)

Fields = dict[str, Value]
#: The key of a counter: chart, scope, day, key.
Counter = tuple[str, str, str, str]

R = TypeVar("R")

#: Escapes all but ASCII: then no text, however odd, is one that a database cannot take.
_to_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


# -- players
def encode_player(player: Player) -> str:
    """As JSON, without ``since`` and ``media``. Raises ValueError for a number that JSON has not."""
    return _to_json(_CONVERTER.unstructure(player, Player))


def decode_player(text: str) -> Player:
    """Raises ValueError."""
    try:
        fields = json.loads(text, parse_constant=no_number)
        if not isinstance(fields, dict):
            raise TypeError("not an object")
        return _CONVERTER.structure(fields, Player)
    except _UNREADABLE as error:
        raise ValueError(f"this is no player: {error!r}") from error


#: What comes of structuring a JSON value of another shape.
_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError)


def no_number(name: str) -> float:
    """For what Python's reader takes beside JSON: NaN and Infinity. Raises ValueError."""
    raise ValueError(f"{name} is no number of JSON")


# -- the other records
def track_fields(track: Track) -> Fields:
    return {
        "id": track.id,
        "title": track.title,
        "source": track.source,
        "ref": track.ref,
        "artist": track.artist,
        "duration": None if track.duration is None else finite(track.duration),
        "link": track.link,
    }


def read_track(fields: Mapping[str, object]) -> Track:
    return _read(Track, fields)


def play_fields(play: Play) -> Fields:
    """Without the track, whose row is its own."""
    return {
        "id": play.id,
        "chat_id": play.chat_id,
        "user_id": play.asker.id,
        "user_name": play.asker.name,
        "track_id": play.track.id,
        "at": finite(play.at),
    }


def read_play(fields: Mapping[str, object], track: Track) -> Play:
    asker = {"id": fields["user_id"], "name": fields["user_name"]}
    return _read(Play, {**fields, "asker": asker, "track": _CONVERTER.unstructure(track)})


def broadcast_fields(broadcast: Broadcast) -> Fields:
    fields: Fields = attrs.asdict(broadcast, recurse=False)
    return fields | {
        "at": finite(broadcast.at),
        "flags": _to_json(broadcast.flags),
        "over": int(broadcast.over),
    }


def read_broadcast(fields: Mapping[str, object]) -> Broadcast:
    """Raises ValueError."""
    try:
        flags = json.loads(str(fields["flags"]), parse_constant=no_number)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"these are no flags of a Broadcast: {error!r}") from error
    return _read(Broadcast, {**fields, "flags": flags, "over": bool(fields["over"])})


def live_fields(live: LiveChat) -> Fields:
    player = live.player
    return {
        "chat_id": live.chat_id,
        "revision": live.revision,
        "saved_at": finite(live.saved_at),
        "process": live.process,
        "moving_since": None if live.moving_since is None else finite(live.moving_since),
        "card": live.card,
        "card_entry": live.card_entry,
        "attempts": live.attempts,
        "counted": live.counted,
        "busy": int(player.current is not None or bool(player.queue)),
        "player": encode_player(player),
    }


def read_live(fields: Mapping[str, object]) -> LiveChat:
    player = decode_player(str(fields["player"]))
    return attrs.evolve(_read(LiveChat, {**fields, "player": {}}), player=player)


def read_member(fields: Mapping[str, object]) -> Member:
    return _read(Member, fields)


def read_served(fields: Mapping[str, object]) -> Served:
    return _read(Served, fields)


def _read(kind: type[R], fields: Mapping[str, object]) -> R:
    try:
        return _CONVERTER.structure(fields, kind)
    except _UNREADABLE as error:
        raise ValueError(f"this is no {kind.__name__}: {error!r}") from error


# -- settings
def encode_setting(value: Value) -> str:
    return _to_json(value)


def read_settings(rows: Iterable[tuple[str, str]]) -> ChatSettings:
    """From (name, value as JSON). What another version has written, and we cannot read, is passed by."""
    chosen: Fields = {}
    for name, text in rows:
        if name not in SETTINGS:
            continue
        try:
            value = json.loads(text)
            ChatSettings(**{name: value})
        except (ValueError, TypeError, RecursionError):
            continue
        chosen[name] = value
    return ChatSettings(**chosen)  # type: ignore[arg-type]  # its validators have looked at each


# -- numbers
def finite(number: float) -> float:
    """The same, for every moment and length that is stored: JSON has no other numbers. Raises ValueError."""
    if not math.isfinite(number):
        raise ValueError(f"{number} cannot be kept")
    return number + 0.0  # SQLite has no zero below zero


# -- charts
def counters_of(play: Play) -> Iterator[Counter]:
    """Every counter that grows by one with this play."""
    chat, user = f"chat:{play.chat_id}", f"user:{play.asker.id}"
    for day in ("", day_of(play.at)):
        for scope in ("", chat, user):
            yield Chart.TRACKS.value, scope, day, play.track.id
        for scope in ("", user):
            yield Chart.CHATS.value, scope, day, str(play.chat_id)
        for scope in ("", chat):
            yield Chart.USERS.value, scope, day, str(play.asker.id)


def chart_of(top: Top) -> tuple[str, str, str]:
    """chart, scope and day of the counters that this top list is made of."""
    scope = ""
    if top.chat_id is not None:
        scope = f"chat:{top.chat_id}"
    elif top.user_id is not None:
        scope = f"user:{top.user_id}"
    return top.chart.value, scope, "" if top.day is None else top.day.isoformat()


def day_of(at: float) -> str:
    """YYYY-MM-DD in UTC. Raises ValueError for a moment that no calendar has."""
    try:
        return dt.datetime.fromtimestamp(at, dt.UTC).date().isoformat()
    except (OverflowError, OSError) as error:
        raise ValueError(f"there is no day at {at}") from error


# -- how cattrs is to do it
def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=False)
    converter.register_structure_hook(int, _whole)
    converter.register_structure_hook(float, _real)
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(bool, _yes_or_no)
    for kind in (Track, Asker, Entry):
        converter.register_unstructure_hook(kind, make_dict_unstructure_fn(kind, converter))
    converter.register_unstructure_hook(
        Player,
        make_dict_unstructure_fn(Player, converter, since=override(omit=True), media=override(omit=True)),
    )
    return converter


# cattrs itself takes int("12") and str(None) for what they are not.
def _whole(value: object, _: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{type(value).__name__} instead of a whole number")
    return int(value)  # MongoDB's are of a class of their own


def _real(value: object, _: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{type(value).__name__} instead of a number")
    return float(value)


def _text(value: object, _: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} instead of a text")
    return value


def _yes_or_no(value: object, _: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{type(value).__name__} instead of yes or no")
    return value


_CONVERTER = _converter()
