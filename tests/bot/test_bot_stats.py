"""The table of actors."""

from __future__ import annotations

import html
import re

import attrs
from bot_fakes import WORDS

from ryzen.actors.health import Health, Status
from ryzen.bot import stats

WELL = Health(
    name="chat:-1001",
    status=Status.RUNNING,
    in_status_for=725.0,
    mailbox_used=0,
    mailbox_capacity=64,
    oldest_mail=None,
    busy_for=None,
    handled=12,
    refused=3,
    restarts=0,
    last_error=None,
    epoch=1,
    position=72.0,
)
ILL = attrs.evolve(
    WELL,
    name="chat:-1002",
    status=Status.WAITING,
    in_status_for=2.0,
    mailbox_used=5,
    oldest_mail=61.0,
    busy_for=4.0,
    restarts=2,
    last_error="ValueError: a < b",
    position=None,
)


def table(text: str) -> list[str]:
    match = re.search(r"<pre>(.*)</pre>", text, re.DOTALL)
    assert match
    return html.unescape(match[1]).splitlines()


def test_an_actor_in_trouble_comes_first_and_all_is_said_of_it() -> None:
    text = stats.full(WORDS, (WELL, ILL), uptime=3725.0, lag=0.0042).markup
    head, ill, well = table(text)
    assert re.split(r"\s{2,}", head) == ["actor", "state", "mail", "done", "lost", "rst", "at", "last error"]
    assert re.split(r"\s{2,}", ill) == [
        "chat:-1002",
        "waiting to restart 2s, busy 4s",
        "5/64 1m 1s",
        "12",
        "3",
        "2",
        "-",
        "ValueError: a < b",
    ]
    assert re.split(r"\s{2,}", well) == ["chat:-1001", "running 12m 5s", "0/64", "12", "3", "0", "01:12", "-"]
    assert "<b>2</b> actors · chats playing: 1 · up 1h 2m" in text
    assert "handled 24 · refused 6 · restarts 2 · loop 4 ms late" in text


def test_an_actor_whose_surroundings_are_ill_comes_before_all_others_and_says_so() -> None:
    condition = "DEGRADED for 12 s, 34 changes wait: StoreAway: <gone>"
    store = attrs.evolve(WELL, name="store", position=None, condition=condition)
    text = stats.full(WORDS, (WELL, ILL, store), 1.0, 0.0).markup
    rows = [re.split(r"\s{2,}", row) for row in table(text)[1:]]
    assert [row[0] for row in rows] == ["store", "chat:-1002", "chat:-1001"]
    assert [row[-1] for row in rows] == [condition, "ValueError: a < b", "-"]
    fallen = attrs.evolve(store, last_error="KeyError: 1")
    assert table(stats.full(WORDS, (fallen,), 1.0, 0.0).markup)[1].endswith(f"{condition}; KeyError: 1")


def test_many_actors_are_cut_between_rows_to_one_message() -> None:
    many = tuple(attrs.evolve(WELL, name=f"chat:-100{n:06}", last_error="<" * 50) for n in range(500))
    text = stats.full(WORDS, many, 1.0, 0.0).markup
    rows = table(text)
    assert len(text) <= 4096
    assert len(text) > 3500
    match = re.fullmatch(r"… and (\d+) more", rows[-1])
    assert match
    assert int(match[1]) + len(rows) - 2 == 500
    assert all(row.endswith("<" * 50) for row in rows[1:-1])


def test_without_actors_there_is_a_table_all_the_same() -> None:
    assert len(table(stats.full(WORDS, (), 1.0, 0.0).markup)) == 1


def test_the_public_part_names_nobody() -> None:
    text = stats.public(WORDS, (WELL, ILL), 3725.0)
    assert text.plain == "🎧 Playing in 1 chats now · up 1h 2m"
