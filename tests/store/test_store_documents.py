"""Records as rows: what comes back is what went, also from an older or a newer version."""

from __future__ import annotations

import json
from collections import Counter

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ryzen.player.state import Asker, Entry, Loop, Media, Phase, Player, Track
from ryzen.records import Broadcast, ChatSettings, LiveChat, Member, Play, Served
from ryzen.store import documents
from ryzen.store.schema import BROADCASTS, LIVE, PLAYS, TRACKS

whole = st.integers(-(2**63), 2**63 - 1)
numbers = st.floats(allow_nan=False, allow_infinity=False).map(lambda number: number + 0.0)
texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20)
tracks = st.builds(Track, texts, texts, texts, texts, texts, st.none() | numbers, st.none() | texts)
entries = st.builds(Entry, whole, tracks, st.builds(Asker, whole, texts))
lines = st.lists(entries, max_size=3).map(tuple)
players = st.builds(
    Player, limit=whole, phase=st.sampled_from(Phase), current=st.none() | entries, queue=lines,
    history=lines, cleared=lines, loop=st.sampled_from(Loop), loops_left=st.none() | whole, epoch=whole,
    offset=numbers, failures=whole, next_id=whole,
)  # fmt: skip
TRACK = Track("local:a", "A", "local", "a.ogg")


@given(players)
def test_a_player_comes_back(player: Player) -> None:
    assert documents.decode_player(documents.encode_player(player)) == player


def test_what_means_nothing_to_another_process_is_not_written() -> None:
    moving = Player(since=5.0, media=Media("/tmp/x"))
    assert documents.decode_player(documents.encode_player(moving)) == Player()


@given(tracks, whole, texts, numbers)
def test_the_other_records_come_back(track: Track, number: int, text: str, at: float) -> None:
    assert documents.read_track(documents.track_fields(track)) == track
    play = Play(text, number, Asker(number, text), track, at)
    assert documents.read_play(documents.play_fields(play), track) == play
    broadcast = Broadcast(text, number, at, number, number, (text, ""), number, over=number > 0)
    assert documents.read_broadcast(documents.broadcast_fields(broadcast)) == broadcast
    live = LiveChat(number, Player(current=Entry(1, track, Asker(1, text))), at, text, at, number)
    assert documents.read_live(documents.live_fields(live)) == live


def test_the_fields_are_those_of_the_tables() -> None:
    play = Play("p", 1, Asker(1, "A"), TRACK, 1.0)
    made = {
        TRACKS: documents.track_fields(TRACK),
        PLAYS: documents.play_fields(play),
        BROADCASTS: documents.broadcast_fields(Broadcast("b", 1, 1.0, 1, 1)),
        LIVE: documents.live_fields(LiveChat(1, Player(), 1.0, "p")),
    }
    for table, fields in made.items():
        assert tuple(fields) == table.names


def test_what_a_newer_version_adds_is_passed_by_and_what_an_older_one_lacks_is_the_default() -> None:
    player = Player(current=Entry(1, TRACK, Asker(1, "A")), loop=Loop.QUEUE)
    newer = json.loads(documents.encode_player(player))
    newer["mood"] = newer["current"]["track"]["smell"] = {"any": ["thing"]}
    assert documents.decode_player(json.dumps(newer)) == player
    older = {name: newer[name] for name in ("current", "loop")}
    del older["current"]["track"]["duration"]
    assert documents.decode_player(json.dumps(older)) == player
    assert documents.read_served({"id": 1, "name": "A", "first": 1, "last": 2}) == Served(1, "A", 1.0, 2.0)
    assert documents.read_member({"id": 1, "new": 7}) == Member(1)


@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "[]", "5", '{"queue": 5}', '{"queue": [5]}', '{"phase": "dancing"}', '{"limit": "5"}',
     '{"limit": true}', '{"offset": NaN}', '{"offset": "1"}', '{"current": {"id": 1}}', "[" * 100_000,
     '{"current": {"id": 1, "track": {"id": null}}}'],
)  # fmt: skip
def test_what_cannot_be_read_raises_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="no player"):
        documents.decode_player(text)


@pytest.mark.parametrize("text", ["", "{", "5", "[5]", "[NaN]", "[" * 100_000])
def test_flags_that_cannot_be_read_raise_value_error(text: str) -> None:
    fields = documents.broadcast_fields(Broadcast("b", 1, 1.0, 1, 1))
    with pytest.raises(ValueError, match="Broadcast"):
        documents.read_broadcast({**fields, "flags": text})


def test_a_setting_that_cannot_be_read_is_passed_by() -> None:
    odd = [("volume", text) for text in ("", "{", "true", "201", "NaN", "[" * 100_000)]
    assert documents.read_settings([("crossfade", "5"), *odd]) == ChatSettings(crossfade=5)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_only_finite_numbers_are_kept(number: float) -> None:
    with pytest.raises(ValueError):
        documents.finite(number)
    with pytest.raises(ValueError):
        documents.track_fields(attrs.evolve(TRACK, duration=number))
    with pytest.raises(ValueError):
        documents.encode_player(Player(offset=number))
    with pytest.raises(ValueError):
        documents.day_of(number)


def test_a_play_counts_seven_times_for_ever_and_seven_times_for_its_day() -> None:
    counters = list(documents.counters_of(Play("p", -5, Asker(7, "A"), TRACK, 86_400.0)))
    assert len(set(counters)) == 14
    assert Counter(day for _, _, day, _ in counters) == {"": 7, "1970-01-02": 7}
    assert Counter(chart for chart, *_ in counters) == {"tracks": 6, "chats": 4, "users": 4}
    assert ("tracks", "chat:-5", "", "local:a") in counters
    assert ("chats", "user:7", "1970-01-02", "-5") in counters
