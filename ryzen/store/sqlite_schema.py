"""The tables of ``schema`` in SQLite's words, their indexes, and how an older file becomes a newer one."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

#: In the header of each of our files: another program's database is not ours to change.
APPLICATION_ID = int.from_bytes(b"Ryzn")

#: A migration is never edited once it has been released: later shapes come from later migrations.
_FIRST = """
CREATE TABLE tracks (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, source TEXT NOT NULL, ref TEXT NOT NULL, artist TEXT NOT NULL,
    duration REAL, link TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE chat_settings (
    chat_id INTEGER, name TEXT, value TEXT NOT NULL, PRIMARY KEY (chat_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE rolls (
    roll TEXT, scope INTEGER, id INTEGER, name TEXT NOT NULL, "by" INTEGER NOT NULL, at REAL NOT NULL,
    reason TEXT NOT NULL, PRIMARY KEY (roll, scope, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX rolls_oldest ON rolls (roll, scope, at, id);

CREATE TABLE chats (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, first REAL NOT NULL, last REAL NOT NULL
) STRICT;

CREATE TABLE users (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, first REAL NOT NULL, last REAL NOT NULL, language TEXT
) STRICT;

CREATE TABLE playlist_items (
    user_id INTEGER, playlist TEXT, track_id TEXT REFERENCES tracks (id), at REAL NOT NULL,
    PRIMARY KEY (user_id, playlist, track_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX playlist_items_oldest ON playlist_items (user_id, playlist, at, track_id);

CREATE TABLE plays (
    id TEXT PRIMARY KEY, chat_id INTEGER NOT NULL, user_id INTEGER NOT NULL, user_name TEXT NOT NULL,
    track_id TEXT NOT NULL REFERENCES tracks (id), at REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX plays_newest ON plays (chat_id, at DESC, id);
CREATE INDEX plays_at ON plays (at);

CREATE TABLE counters (
    chart TEXT, scope TEXT, day TEXT, key TEXT, plays INTEGER NOT NULL, PRIMARY KEY (chart, scope, day, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX counters_top ON counters (chart, scope, day, plays DESC, key);
CREATE INDEX counters_day ON counters (day) WHERE day <> '';

CREATE TABLE assistants (chat_id INTEGER PRIMARY KEY, assistant_id INTEGER NOT NULL) STRICT;

CREATE TABLE broadcasts (
    id TEXT PRIMARY KEY, "by" INTEGER NOT NULL, at REAL NOT NULL, chat_id INTEGER NOT NULL,
    message_id INTEGER NOT NULL, flags TEXT NOT NULL, after INTEGER, sent INTEGER NOT NULL,
    failed INTEGER NOT NULL, over INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX broadcasts_open ON broadcasts (at, id) WHERE over = 0;

CREATE TABLE live (
    chat_id INTEGER PRIMARY KEY, revision INTEGER NOT NULL, saved_at REAL NOT NULL, process TEXT NOT NULL,
    moving_since REAL, card INTEGER, card_entry INTEGER, attempts INTEGER NOT NULL, counted INTEGER NOT NULL,
    busy INTEGER NOT NULL, player TEXT NOT NULL
) STRICT;
CREATE INDEX live_newest ON live (saved_at DESC, chat_id);

CREATE TABLE beats (process TEXT PRIMARY KEY, at REAL NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE flags (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- Tokens of batches whose plays have been counted, in their order.
CREATE TABLE batches (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE) STRICT;
"""

#: The first makes an empty file ours; each of the others lifts a file from one version to the next.
MIGRATIONS: tuple[str, ...] = (_FIRST,)

Migrations = Sequence[str]


def version_of(connection: sqlite3.Connection) -> int:
    """How many migrations this file has seen."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def migrate(connection: sqlite3.Connection, migrations: Migrations) -> None:
    """Do those that are still to be done: each wholly, or not at all. Raises sqlite3.Error."""
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    for version, script in enumerate(migrations, 1):
        if version <= version_of(connection):
            continue
        try:
            connection.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {version}; COMMIT;")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.rollback()
            raise
