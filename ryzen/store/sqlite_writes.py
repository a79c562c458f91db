"""Every change as SQL. All of this runs within a transaction that is somebody else's.

Raises sqlite3.Error, and ValueError or OverflowError for what no database can hold.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import assert_never

from ryzen.records import (
    AddToPlaylist,
    AssignAssistant,
    Batch,
    Beat,
    Change,
    DropPlaylist,
    Enlist,
    LostChat,
    Play,
    Played,
    Prune,
    ResetSettings,
    Row,
    SaveBroadcast,
    SaveLive,
    SawChat,
    SawUser,
    SetFlag,
    SetLanguage,
    SetSetting,
    Strike,
    TakeFromPlaylist,
    Value,
)
from ryzen.store.documents import (
    broadcast_fields,
    counters_of,
    day_of,
    encode_setting,
    finite,
    live_fields,
    play_fields,
    track_fields,
)
from ryzen.store.schema import TABLES, Table

#: Tokens of batches that are remembered: of those which somebody may try again, and far more.
TOKENS = 10_000


def _upsert(table: Table) -> str:
    """A row by the names of its fields; over the one with its key, if there is one."""
    fields = ", ".join(f'"{name}"' for name in table.names)
    values = ", ".join(f":{name}" for name in table.names)
    key = ", ".join(f'"{field.name}"' for field in table.key)
    rest = ", ".join(f'"{field.name}" = excluded."{field.name}"' for field in table.rest)
    return f"INSERT INTO {table.name} ({fields}) VALUES ({values}) ON CONFLICT ({key}) DO UPDATE SET {rest}"  # noqa: S608


#: table -> the statement that writes a row of it
UPSERTS: Mapping[str, str] = {table.name: _upsert(table) for table in TABLES}

_OPTIONAL: Mapping[str, Mapping[str, None]] = {
    table.name: {field.name: None for field in table.fields if field.optional} for table in TABLES
}
_SAVE_LIVE = f"{UPSERTS['live']} WHERE excluded.revision > live.revision"
_COUNT = """
INSERT INTO counters (chart, scope, day, key, plays) VALUES (?, ?, ?, ?, 1)
ON CONFLICT (chart, scope, day, key) DO UPDATE SET plays = plays + 1
"""
_SEE_CHAT = """
INSERT INTO chats (id, name, first, last) VALUES (?1, ?2, ?3, ?3)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, last = excluded.last
"""
_SEE_USER = """
INSERT INTO users (id, name, first, last) VALUES (?1, ?2, ?3, ?3)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, last = excluded.last
"""
_MEET_USER = """
INSERT INTO users (id, name, first, last) VALUES (?1, ?2, ?3, ?3) ON CONFLICT (id) DO NOTHING
"""
_ADD_TO_PLAYLIST = """
INSERT INTO playlist_items (user_id, playlist, track_id, at) VALUES (?, ?, ?, ?)
ON CONFLICT (user_id, playlist, track_id) DO NOTHING
"""
_BEAT = """
INSERT INTO beats (process, at) VALUES (?, ?)
ON CONFLICT (process) DO UPDATE SET at = excluded.at WHERE excluded.at > at
"""
PRUNE_COUNTERS = "DELETE FROM counters WHERE day <> '' AND day < :day"
PRUNE = (
    "DELETE FROM plays WHERE at < :moment",
    "DELETE FROM beats WHERE at < :moment",
    "DELETE FROM live WHERE saved_at < :moment AND busy = 0",
)


def write_batch(batch: Batch, cursor: sqlite3.Cursor) -> None:
    """Make its changes, in their order. One whose plays have been counted touches no counter any more."""
    plays = any(isinstance(change, Played) for change in batch.changes)
    counts = not plays or _remember(batch.id, cursor)
    for change in batch.changes:
        _write(change, counts, cursor)


def write_rows(rows: Sequence[Row], cursor: sqlite3.Cursor) -> None:
    """Rows as they were dumped, over those that are there. Raises ValueError for one that is none of ours."""
    for table, fields in rows:
        if table not in UPSERTS:
            raise ValueError("there is no such table")
        cursor.execute(UPSERTS[table], {**_OPTIONAL[table], **fields})


def remove_all(cursor: sqlite3.Cursor) -> None:
    for table in reversed(TABLES):
        cursor.execute(f"DELETE FROM {table.name}")  # noqa: S608
    cursor.execute("DELETE FROM batches")


def _write(change: Change, counts: bool, cursor: sqlite3.Cursor) -> None:
    execute = cursor.execute
    match change:
        case SaveLive(live):
            execute(_SAVE_LIVE, live_fields(live))
        case Beat(process, at):
            execute(_BEAT, (process, finite(at)))
        case Played(play):
            _played(play, counts, cursor)
        case SetFlag(name, None):
            execute("DELETE FROM flags WHERE name = ?", (name,))
        case SetFlag(name, value):
            _put("flags", {"name": name, "value": value}, cursor)
        case SetSetting(chat_id, name, value):
            _put("chat_settings", {"chat_id": chat_id, "name": name, "value": encode_setting(value)}, cursor)
        case ResetSettings(chat_id):
            execute("DELETE FROM chat_settings WHERE chat_id = ?", (chat_id,))
        case SawChat(chat_id, title, at):
            execute(_SEE_CHAT, (chat_id, title, finite(at)))
        case SawUser(user_id, name, at):
            execute(_SEE_USER, (user_id, name, finite(at)))
        case LostChat(chat_id):
            execute("DELETE FROM chats WHERE id = ?", (chat_id,))
        case SetLanguage(user_id, language):
            execute("UPDATE users SET language = ? WHERE id = ?", (language, user_id))
        case Enlist():
            _enlist(change, cursor)
        case Strike(roll, id, scope):
            execute("DELETE FROM rolls WHERE roll = ? AND scope = ? AND id = ?", (roll.value, scope, id))
        case AddToPlaylist(user_id, playlist, track, at):
            _put("tracks", track_fields(track), cursor)
            execute(_ADD_TO_PLAYLIST, (user_id, playlist, track.id, finite(at)))
        case TakeFromPlaylist(user_id, playlist, track_id):
            execute(
                "DELETE FROM playlist_items WHERE user_id = ? AND playlist = ? AND track_id = ?",
                (user_id, playlist, track_id),
            )
        case DropPlaylist(user_id, playlist):
            execute("DELETE FROM playlist_items WHERE user_id = ? AND playlist = ?", (user_id, playlist))
        case AssignAssistant(chat_id, None):
            execute("DELETE FROM assistants WHERE chat_id = ?", (chat_id,))
        case AssignAssistant(chat_id, assistant_id):
            _put("assistants", {"chat_id": chat_id, "assistant_id": assistant_id}, cursor)
        case SaveBroadcast(broadcast):
            _put("broadcasts", broadcast_fields(broadcast), cursor)
        case Prune(before):
            _prune(before, counts, cursor)
        case _:
            assert_never(change)


def _put(table: str, fields: Mapping[str, Value], cursor: sqlite3.Cursor) -> None:
    cursor.execute(UPSERTS[table], fields)


def _enlist(change: Enlist, cursor: sqlite3.Cursor) -> None:
    member = change.member
    fields: dict[str, Value] = {
        "roll": change.roll.value,
        "scope": change.scope,
        "id": member.id,
        "name": member.name,
        "by": member.by,
        "at": finite(member.at),
        "reason": member.reason,
    }
    _put("rolls", fields, cursor)


def _remember(token: str, cursor: sqlite3.Cursor) -> bool:
    """Whether this batch is new. Forgets those that were long ago."""
    cursor.execute("INSERT INTO batches (id) VALUES (?) ON CONFLICT (id) DO NOTHING", (token,))
    if cursor.rowcount == 0:
        return False
    newest = cursor.lastrowid or 0
    cursor.execute("DELETE FROM batches WHERE number <= ?", (newest - TOKENS,))
    return True


def _played(play: Play, counts: bool, cursor: sqlite3.Cursor) -> None:
    _put("tracks", track_fields(play.track), cursor)
    _put("plays", play_fields(play), cursor)
    cursor.execute(_MEET_USER, (play.asker.id, play.asker.name, play.at))
    if counts:
        cursor.executemany(_COUNT, counters_of(play))


def _prune(before: float, counts: bool, cursor: sqlite3.Cursor) -> None:
    day = day_of(before)
    for statement in PRUNE:
        cursor.execute(statement, {"moment": before})
    if counts:
        cursor.execute(PRUNE_COUNTERS, {"day": day})
