"""No question of SQLite's store reads more than it answers: each has an index, and none has to sort."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ryzen.records import Chart
from ryzen.store import sqlite_reads as reads
from ryzen.store.schema import TABLES
from ryzen.store.sqlite_file import writing
from ryzen.store.sqlite_schema import MIGRATIONS
from ryzen.store.sqlite_writes import PRUNE, PRUNE_COUNTERS

#: question -> the index, and the values it is asked with
PLANS = {
    "settings": (reads.SETTINGS, "PRIMARY KEY (chat_id=?)"),
    "roll": (reads.ROLL, "rolls_oldest (roll=? AND scope=?)"),
    "chats": (reads.CHATS, "INTEGER PRIMARY KEY (rowid>?)"),
    "users": (reads.USERS, "INTEGER PRIMARY KEY (rowid>?)"),
    "user": (reads.USER, "INTEGER PRIMARY KEY (rowid=?)"),
    "playlists": (reads.PLAYLISTS, "(user_id=?)"),
    "playlist": (reads.PLAYLIST, "playlist_items_oldest (user_id=? AND playlist=?)"),
    "history": (reads.HISTORY, "plays_newest (chat_id=?)"),
    "top tracks": (reads.TOP[Chart.TRACKS], "counters_top (chart=? AND scope=? AND day=?)"),
    "top chats": (reads.TOP[Chart.CHATS], "counters_top (chart=? AND scope=? AND day=?)"),
    "top users": (reads.TOP[Chart.USERS], "counters_top (chart=? AND scope=? AND day=?)"),
    "live, one": (reads.LIVE_CHAT, "INTEGER PRIMARY KEY (rowid=?)"),
    "prune counters": (PRUNE_COUNTERS, "counters_day (day<?)"),
    "prune plays": (PRUNE[0], "plays_at (at<?)"),
    "prune players": (PRUNE[2], "live_newest (saved_at<?)"),
}
#: These read all that there is, in an order that is there already.
WHOLE = {
    "first chats": (reads.FIRST_CHATS, "SCAN chats"),
    "first users": (reads.FIRST_USERS, "SCAN users"),
    "live, all": (reads.LIVE_CHATS, "SCAN live USING INDEX live_newest"),
    "broadcasts": (reads.BROADCASTS, "USING INDEX broadcasts_open"),
    "assistants": (reads.ASSISTANTS, "SCAN assistants"),
    "beats": (reads.BEATS, "SCAN beats"),
    "flags": (reads.FLAGS, "SCAN flags"),
}


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(writing(tmp_path / "plans.db", MIGRATIONS)) as made:
        yield made


def plan(db: sqlite3.Connection, sql: str) -> list[str]:
    named = {"moment": 0.0, "day": ""} if ":" in sql else (0,) * sql.count("?")
    return [step for *_, step in db.execute(f"EXPLAIN QUERY PLAN {sql}", named)]


@pytest.mark.parametrize("question", PLANS)
def test_a_question_has_its_index_and_sorts_nothing(db: sqlite3.Connection, question: str) -> None:
    sql, index = PLANS[question]
    steps = plan(db, sql)
    assert index in steps[0]
    assert all(step.startswith("SEARCH") for step in steps)


@pytest.mark.parametrize("question", WHOLE)
def test_who_reads_everything_sorts_nothing(db: sqlite3.Connection, question: str) -> None:
    sql, scan = WHOLE[question]
    (step,) = plan(db, sql)
    assert scan in step


def test_this_finds_a_question_without_an_index(db: sqlite3.Connection) -> None:
    steps = plan(db, "SELECT id FROM plays WHERE chat_id = ? ORDER BY user_name")
    assert any("TEMP B-TREE" in step for step in steps)
    assert plan(db, "SELECT * FROM plays WHERE user_id = ?")[0].startswith("SCAN")


def test_the_tables_are_those_of_every_back_end(db: sqlite3.Connection) -> None:
    made = {
        name
        for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        if not name.startswith("sqlite_")
    }
    assert made == {table.name for table in TABLES} | {"batches"}
    for table in TABLES:
        columns = list(db.execute(f"PRAGMA table_info({table.name})"))
        assert [(name, kind) for _, name, kind, *_ in columns] == [
            (field.name, field.kind) for field in table.fields
        ]
        assert [name for _, name, _, _, _, place in columns if place] == [field.name for field in table.key]
        assert [name for _, name, _, needed, _, place in columns if not needed and not place] == [
            field.name for field in table.fields if field.optional
        ]
