"""Every question as SQL. All of this blocks; errors are sqlite3.Error.

``tests/store/test_store_sqlite_plans.py`` sees to it that each of them has the index it needs.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from loguru import logger

from ryzen.player.state import Track
from ryzen.records import (
    Broadcast,
    Chart,
    ChatSettings,
    LiveChat,
    Member,
    Play,
    Playlist,
    Ranked,
    Roll,
    Served,
    Top,
    Value,
)
from ryzen.store.documents import (
    chart_of,
    decode_player,
    read_broadcast,
    read_live,
    read_member,
    read_play,
    read_served,
    read_settings,
    read_track,
)
from ryzen.store.schema import LIVE, TABLES, TRACKS, Table
from ryzen.store.sqlite_errors import damaged

#: A row as SQLite gives it; what is in it, STRICT tables see to.
Found = tuple[Any, ...]

_TRACK = ", ".join(f"tracks.{name}" for name in TRACKS.names)
_LIVE = ", ".join(LIVE.names)

SETTINGS = "SELECT name, value FROM chat_settings WHERE chat_id = ?"
ROLL = """
SELECT id, name, "by", at, reason FROM rolls WHERE roll = ? AND scope = ? ORDER BY at, id
"""
CHATS = "SELECT id, name, first, last FROM chats WHERE id > ? ORDER BY id LIMIT ?"
FIRST_CHATS = "SELECT id, name, first, last FROM chats ORDER BY id LIMIT ?"
USERS = "SELECT id, name, first, last, language FROM users WHERE id > ? ORDER BY id LIMIT ?"
FIRST_USERS = "SELECT id, name, first, last, language FROM users ORDER BY id LIMIT ?"
USER = "SELECT id, name, first, last, language FROM users WHERE id = ?"
PLAYLISTS = """
SELECT playlist, count(*) FROM playlist_items WHERE user_id = ? GROUP BY playlist ORDER BY playlist
"""
PLAYLIST = f"""
SELECT {_TRACK} FROM playlist_items JOIN tracks ON tracks.id = track_id
WHERE user_id = ? AND playlist = ? ORDER BY at, track_id
"""  # noqa: S608
HISTORY = f"""
SELECT plays.id, chat_id, user_id, user_name, at, {_TRACK} FROM plays JOIN tracks ON tracks.id = track_id
WHERE chat_id = ? ORDER BY at DESC, plays.id LIMIT ?
"""  # noqa: S608
TOP = {
    Chart.TRACKS: f"""
SELECT key, coalesce(title, ''), plays, {_TRACK} FROM counters LEFT JOIN tracks ON tracks.id = key
WHERE chart = ? AND scope = ? AND day = ? ORDER BY plays DESC, key LIMIT ?
""",  # noqa: S608
    Chart.CHATS: """
SELECT key, coalesce(name, ''), plays FROM counters LEFT JOIN chats ON chats.id = CAST(key AS INTEGER)
WHERE chart = ? AND scope = ? AND day = ? ORDER BY plays DESC, key LIMIT ?
""",
    Chart.USERS: """
SELECT key, coalesce(name, ''), plays FROM counters LEFT JOIN users ON users.id = CAST(key AS INTEGER)
WHERE chart = ? AND scope = ? AND day = ? ORDER BY plays DESC, key LIMIT ?
""",
}
ASSISTANTS = "SELECT chat_id, assistant_id FROM assistants"
BROADCASTS = """
SELECT id, "by", at, chat_id, message_id, flags, after, sent, failed, over FROM broadcasts
WHERE over = 0 ORDER BY at, id
"""
LIVE_CHATS = f"SELECT {_LIVE} FROM live ORDER BY saved_at DESC, chat_id"  # noqa: S608
LIVE_CHAT = f"SELECT {_LIVE} FROM live WHERE chat_id = ?"  # noqa: S608
BEATS = "SELECT process, at FROM beats"
FLAGS = "SELECT name, value FROM flags"


def settings(db: sqlite3.Connection, chat_id: int) -> ChatSettings:
    return read_settings(_found(db, SETTINGS, chat_id))


def roll(db: sqlite3.Connection, roll: Roll, scope: int) -> tuple[Member, ...]:
    return tuple(read_member(fields) for fields in _fields(db, ROLL, roll.value, scope))


def chats(db: sqlite3.Connection, after: int | None, limit: int) -> tuple[Served, ...]:
    page = (FIRST_CHATS, limit) if after is None else (CHATS, after, limit)
    return tuple(read_served(fields) for fields in _fields(db, *page))


def users(db: sqlite3.Connection, after: int | None, limit: int) -> tuple[Served, ...]:
    page = (FIRST_USERS, limit) if after is None else (USERS, after, limit)
    return tuple(read_served(fields) for fields in _fields(db, *page))


def user(db: sqlite3.Connection, user_id: int) -> Served | None:
    return next((read_served(fields) for fields in _fields(db, USER, user_id)), None)


def sizes(db: sqlite3.Connection) -> Mapping[str, int]:
    return {
        table.name: db.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0]  # noqa: S608
        for table in TABLES
    }


def playlists(db: sqlite3.Connection, user_id: int) -> tuple[Playlist, ...]:
    return tuple(Playlist(name, tracks) for name, tracks in _found(db, PLAYLISTS, user_id))


def playlist(db: sqlite3.Connection, user_id: int, name: str) -> tuple[Track, ...]:
    return tuple(_track(row) for row in _found(db, PLAYLIST, user_id, name))


def history(db: sqlite3.Connection, chat_id: int, limit: int) -> tuple[Play, ...]:
    return tuple(_play(row) for row in _found(db, HISTORY, chat_id, limit))


def top(db: sqlite3.Connection, top: Top) -> tuple[Ranked, ...]:
    return tuple(_ranked(row) for row in _found(db, TOP[top.chart], *chart_of(top), top.limit))


def assistants(db: sqlite3.Connection) -> Mapping[int, int]:
    return dict(_found(db, ASSISTANTS))


def broadcasts(db: sqlite3.Connection) -> tuple[Broadcast, ...]:
    """What cannot be read is logged, and left out."""
    return tuple(_readable_broadcasts(_fields(db, BROADCASTS)))


def _readable_broadcasts(rows: Iterable[Mapping[str, Value]]) -> Iterator[Broadcast]:
    for fields in rows:
        try:
            yield read_broadcast(fields)
        except ValueError as error:
            logger.warning("broadcast {} is left as it is: {}", fields["id"], error)


def live(db: sqlite3.Connection, chat_id: int | None) -> tuple[LiveChat, ...]:
    """What cannot be read is logged, and left out."""
    rows = _fields(db, LIVE_CHATS) if chat_id is None else _fields(db, LIVE_CHAT, chat_id)
    return tuple(_readable(rows))


def _readable(rows: Iterable[Mapping[str, Value]]) -> Iterator[LiveChat]:
    for fields in rows:
        try:
            yield read_live(fields)
        except ValueError as error:
            logger.warning("chat {}: its player is left as it is: {}", fields["chat_id"], error)


def beats(db: sqlite3.Connection) -> Mapping[str, float]:
    return dict(_found(db, BEATS))


def flags(db: sqlite3.Connection) -> Mapping[str, str]:
    return dict(_found(db, FLAGS))


# -- for the operator
def ping(db: sqlite3.Connection) -> None:
    db.execute("SELECT count(*) FROM beats").fetchone()


def problems(db: sqlite3.Connection) -> tuple[str, ...]:
    """Sentences; the file, then what refers to nothing, then what cannot be read."""
    found: list[str] = []
    try:
        for look in (_broken_pages, _dangling, _unreadable):
            found.extend(look(db))
    except sqlite3.DatabaseError as error:
        if not damaged(error):
            raise
        found.append(f"the file is damaged: {error}.")
    return tuple(found)


def _broken_pages(db: sqlite3.Connection) -> Iterator[str]:
    for (finding,) in db.execute("PRAGMA integrity_check"):
        if finding != "ok":
            yield f"the file is damaged: {finding}."


def _dangling(db: sqlite3.Connection) -> Iterator[str]:
    for table, _, parent, _ in db.execute("PRAGMA foreign_key_check"):
        yield f"a row of {table} refers to one of {parent} that is not there."


def _unreadable(db: sqlite3.Connection) -> Iterator[str]:
    for chat_id, text in db.execute("SELECT chat_id, player FROM live"):
        try:
            decode_player(text)
        except ValueError:
            yield f"the player of chat {chat_id} cannot be read; its next one replaces it."
    for fields in _fields(db, BROADCASTS):
        try:
            read_broadcast(fields)
        except ValueError:
            yield f"the broadcast {fields['id']} cannot be read; it does not go on."


def all_rows(db: sqlite3.Connection, table: Table) -> sqlite3.Cursor:
    """Its fields in the order of the schema."""
    names = ", ".join(f'"{name}"' for name in table.names)
    return db.execute(f"SELECT {names} FROM {table.name}")  # noqa: S608


# -- rows
def _found(db: sqlite3.Connection, sql: str, *values: Value) -> list[Found]:
    try:
        return db.execute(sql, values).fetchall()
    except (OverflowError, UnicodeEncodeError):  # no such number or text can be stored: nothing has it
        return []


def _fields(db: sqlite3.Connection, sql: str, *values: Value) -> Iterator[Mapping[str, Value]]:
    try:
        cursor = db.execute(sql, values)
    except (OverflowError, UnicodeEncodeError):
        return
    names = [column[0] for column in cursor.description]
    for row in cursor.fetchall():
        yield dict(zip(names, row, strict=True))


def _track(row: Found) -> Track:
    return read_track(dict(zip(TRACKS.names, row, strict=True)))


def _play(row: Found) -> Play:
    names = ("id", "chat_id", "user_id", "user_name", "at")
    return read_play(dict(zip(names, row, strict=False)), _track(row[len(names) :]))


def _ranked(row: Found) -> Ranked:
    key, label, plays, *track = row
    return Ranked(key, label, plays, _track(tuple(track)) if track and track[0] is not None else None)
