"""What MongoDB is told to do for a batch: little, and nothing that harms when it is done twice."""

from __future__ import annotations

from itertools import product

import pytest
from store_values import ANN, GROUP, MIDNIGHT, batch, everything, kept, played, track

from ryzen.records import (
    AddToPlaylist,
    Beat,
    Change,
    DropPlaylist,
    Prune,
    SaveLive,
    SawChat,
    SetFlag,
    SetSetting,
)
from ryzen.store import schema
from ryzen.store.mongo_ops import ops_of
from ryzen.store.mongo_shape import PART, Op, Run, id_of, put, runs
from ryzen.store.schema import TABLES, Table


def ops(table: Table, *changes: Change) -> list[Op]:
    return ops_of(batch(*changes, id="b"))[table]


def goes(table: Table, *changes: Change) -> list[Run]:
    return list(runs(ops(table, *changes)))


def test_two_keys_have_two_ids() -> None:
    parts = ["".join(each) for length in range(4) for each in product(":%3A", repeat=length)]
    keys = list(product(parts, repeat=2))
    ids = {
        id_of(schema.PLAYLIST_ITEMS, {"user_id": 1, "playlist": playlist, "track_id": track_id})
        for playlist, track_id in keys
    }
    assert len(ids) == len(keys)


def test_a_key_of_one_field_is_the_id() -> None:
    assert id_of(schema.CHATS, {"id": GROUP}) == GROUP
    assert id_of(schema.FLAGS, {"name": "a:b"}) == "a:b"


@pytest.mark.parametrize("id", [2**63, -(2**63) - 1])
def test_a_number_that_only_a_text_would_hold_is_refused(id: int) -> None:
    with pytest.raises(OverflowError):
        id_of(schema.ROLLS, {"roll": "blocked", "scope": 0, "id": id})


@pytest.mark.parametrize(
    "wrong",
    [{"name": 5}, {"id": "5"}, {"first": "1.0"}, {"first": float("nan")}, {"last": None}, {"id": None}],
)
def test_a_row_that_does_not_fit_its_table_is_refused(wrong: dict[str, str | int | float | None]) -> None:
    with pytest.raises(ValueError):
        put(schema.CHATS, {"id": 1, "name": "A", "first": 1.0, "last": 1.0, **wrong})


def test_of_a_chats_players_the_newest_alone_is_written() -> None:
    changes = [SaveLive(kept(GROUP, None, MIDNIGHT, revision)) for revision in (3, 9, 5)]
    (written,) = ops(schema.LIVE, *changes, SaveLive(kept(GROUP, None, MIDNIGHT + 1, 9)))
    assert written == ops(schema.LIVE, SaveLive(kept(GROUP, None, MIDNIGHT, 9)))[0]


def test_a_thousand_plays_of_a_track_are_fourteen_increments() -> None:
    plays = [played(str(number), "x") for number in range(1000)]
    assert len(ops(schema.COUNTERS, *plays)) == len(ops(schema.COUNTERS, *plays[:1])) == 14


def test_a_long_name_of_a_batch_is_a_short_token() -> None:
    short, long = (repr(ops_of(batch(played("1", "x"), id=id))[schema.COUNTERS]) for id in ("b", "c" * 1000))
    assert len(long) < len(short) + 100
    assert long != short


def test_the_same_batch_is_the_same_writes() -> None:
    assert ops_of(batch(*everything(), id="b")) == ops_of(batch(*everything(), id="b"))


def test_what_cannot_meet_goes_at_once_in_parts() -> None:
    (go,) = goes(schema.FLAGS, *(SetFlag(str(number), "x") for number in range(100)))
    assert not go.ordered
    lives = [SaveLive(kept(chat)) for chat in range(1000)]
    parts = goes(schema.LIVE, *lives)
    assert {part.ordered for part in parts} == {False}
    assert [op for part in parts for op in part.ops] == ops(schema.LIVE, *lives)
    assert max(len(part.ops) for part in parts) == PART


@pytest.mark.parametrize(
    ("table", "changes"),
    [
        (schema.FLAGS, [SetFlag("a", "1"), SetFlag("b", "2"), SetFlag("a", "3")]),
        (schema.FLAGS, [SetFlag("a", "1"), SetFlag("a", None)]),
        (schema.CHATS, [SawChat(GROUP, "a", 1.0), SawChat(GROUP, "b", 1.0)]),
        (schema.CHAT_SETTINGS, [SetSetting(GROUP, "volume", 1), SetSetting(GROUP, "volume", 2)]),
        (schema.PLAYLIST_ITEMS, [AddToPlaylist(ANN, "a", track(1), 1.0), DropPlaylist(ANN, "a")]),
        (schema.BEATS, [Beat("p", 1.0), Prune(2.0)]),
        (schema.LIVE, [SaveLive(kept(GROUP)), Prune(5.0), SaveLive(kept(GROUP, revision=7))]),
    ],
)  # fmt: skip
def test_what_can_meet_goes_in_its_order(table: Table, changes: list[Change]) -> None:
    (go,) = goes(table, *changes)
    assert go.ordered
    assert len(go.ops) == len(changes)


def test_what_goes_in_its_order_is_not_parted() -> None:
    (go,) = goes(schema.FLAGS, *(SetFlag(str(number % 2), "x") for number in range(3 * PART)))
    assert len(go.ops) == 3 * PART


def test_plays_on_both_sides_of_a_pruning_have_tokens_of_their_own() -> None:
    written = ops(schema.COUNTERS, played("1", "x"), Prune(5.0), played("2", "x"))
    before, after = written[:14], written[15:]
    assert len(after) == 14
    assert not any(op in after for op in before)


def test_each_table_is_written_in_one_go() -> None:
    written = ops_of(batch(*everything()))
    assert set(written) == set(TABLES)
    assert [len(list(runs(each))) for each in written.values()] == [1] * len(TABLES)
