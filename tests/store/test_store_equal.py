"""The two back ends are one store: whatever is done to both, they answer alike.

``STORE_EXAMPLES=2000 pytest tests/store/test_store_equal.py --timeout 0`` looks deeper.
"""

from __future__ import annotations

import math
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import attrs
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import given, settings
from hypothesis import strategies as st
from mongod import Mongod
from store_places import mongo_place, sqlite_place
from store_values import (
    ANN,
    BOB,
    DAY,
    GROUP,
    MIDNIGHT,
    TODAY,
    YESTERDAY,
    answers,
    as_set,
    batch,
    kept,
    played,
    playing,
    rows,
    track,
)

from ryzen.errors import StoreRefused
from ryzen.player.state import Asker, Phase, Player, Track
from ryzen.ports import Store
from ryzen.records import (
    AddToPlaylist,
    AssignAssistant,
    Batch,
    Beat,
    Broadcast,
    Change,
    DropPlaylist,
    Enlist,
    LostChat,
    Member,
    Play,
    Played,
    Prune,
    ResetSettings,
    Roll,
    SaveBroadcast,
    SaveLive,
    SawChat,
    SawUser,
    SetFlag,
    SetLanguage,
    SetSetting,
    Strike,
    TakeFromPlaylist,
)

EXAMPLES = int(os.environ.get("STORE_EXAMPLES", "40"))

CHATS, USERS, DAYS = (GROUP, 5), (ANN, BOB, 5), (TODAY, YESTERDAY)


# -- what may be done
chats = st.sampled_from(CHATS)
users = st.sampled_from(USERS)
moments = st.sampled_from(
    [MIDNIGHT - DAY, MIDNIGHT - 0.5, MIDNIGHT, MIDNIGHT + 1 / 3, int(MIDNIGHT) + 1, MIDNIGHT + DAY]
)
names = st.sampled_from(["a", "B", "♥", "a:b", "", "0"])
tracks = st.builds(
    track, st.sampled_from(["x", "y", "z:1"]), st.sampled_from(["one", "two"]), st.sampled_from([None, 1.5])
)
rolls = st.sampled_from(list(Roll))
scopes = st.sampled_from([0, GROUP])
players = st.one_of(
    st.builds(lambda *line: playing(*line), tracks, tracks),
    st.builds(lambda one: attrs.evolve(playing(one, one), phase=Phase.IDLE, current=None), tracks),
    st.just(Player()),
)
choices = st.sampled_from(
    [
        ("volume", 5),
        ("volume", 100),
        ("language", "de"),
        ("clean", True),
        ("queue_limit", None),
        ("queue_limit", 3),
    ]
)

CHANGES: dict[str, st.SearchStrategy[Change]] = {
    "set": st.builds(lambda chat, choice: SetSetting(chat, *choice), chats, choices),
    "reset": st.builds(ResetSettings, chats),
    "enlist": st.builds(Enlist, rolls, st.builds(Member, users, names, users, moments, names), scopes),
    "strike": st.builds(Strike, rolls, users, scopes),
    "saw a chat": st.builds(SawChat, chats, names, moments),
    "saw a user": st.builds(SawUser, users, names, moments),
    "lost": st.builds(LostChat, chats),
    "language": st.builds(SetLanguage, users, st.sampled_from([None, "de", "en"])),
    "add": st.builds(AddToPlaylist, users, names, tracks, moments),
    "take": st.builds(TakeFromPlaylist, users, names, tracks.map(lambda each: each.id)),
    "drop": st.builds(DropPlaylist, users, names),
    "play": st.builds(
        lambda *values: Played(Play("", *values)), chats, st.builds(Asker, users, names), tracks, moments
    ),
    "assign": st.builds(AssignAssistant, chats, st.sampled_from([None, 1, 2])),
    "broadcast": st.builds(
        lambda *values: SaveBroadcast(Broadcast(*values)),
        st.sampled_from(["b1", "b2"]), users, moments, chats, st.just(7),
        st.sampled_from([(), ("-pin",), ("", "-user")]), st.sampled_from([None, 5]), st.integers(0, 2),
        st.just(0), st.booleans(),
    ),
    "live": st.builds(
        lambda *values: SaveLive(kept(*values)),
        chats, players, moments, st.integers(1, 4), st.sampled_from(["p1", "p2"]), st.booleans(),
    ),
    "beat": st.builds(Beat, st.sampled_from(["p1", "p2"]), moments),
    "flag": st.builds(SetFlag, names, st.sampled_from([None, "", "on"])),
    "prune": st.builds(Prune, moments),
}  # fmt: skip


@st.composite
def histories(draw: st.DrawFn) -> list[Batch]:
    """Batches in a row, some of them twice as after StoreAway; plays and batches have ids of their own."""
    plays = iter(range(1000))
    made: list[Batch] = []
    one_batch = st.tuples(st.lists(st.one_of(*CHANGES.values()), max_size=8), st.booleans())
    for number, (changes, again) in enumerate(draw(st.lists(one_batch, max_size=6))):
        named = (
            Played(attrs.evolve(each.play, id=f"p{next(plays)}")) if isinstance(each, Played) else each
            for each in changes
        )
        made += [Batch(f"b{number}", tuple(named))] * (1 + again)
    return made


# -- where it is done
@attrs.frozen
class Pair:
    """Both stores, open on the loop of ``portal``."""

    portal: BlockingPortal
    sqlite: Store
    mongo: Store

    def both(self, changes: list[Batch]) -> tuple[object, object]:
        """What each says afterwards, having been empty."""
        return tuple(self.portal.call(_outcome, store, changes) for store in (self.sqlite, self.mongo))  # type: ignore[return-value]


async def _outcome(store: Store, batches: list[Batch]) -> object:
    await store.clear()
    try:
        for each in batches:
            await store.apply(each)
    except StoreRefused:
        return "refused"
    said = await answers(store, CHATS, USERS, DAYS)
    said["check"] = await store.check()
    said["dump"] = as_set(await rows(store))
    return said


@pytest.fixture(scope="module")
def pair(mongod_of_the_session: Mongod, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    @asynccontextmanager
    async def opened() -> AsyncIterator[tuple[Store, Store]]:
        async with (
            sqlite_place(tmp_path_factory.mktemp("equal")).open() as sqlite,
            mongo_place(mongod_of_the_session).open() as mongo,
        ):
            yield sqlite, mongo

    with start_blocking_portal("asyncio") as portal, portal.wrap_async_context_manager(opened()) as stores:
        yield Pair(portal, *stores)


@settings(max_examples=EXAMPLES)
@given(batches=histories())
def test_whatever_is_done_both_answer_alike(pair: Pair, batches: list[Batch]) -> None:
    sqlite, mongo = pair.both(batches)
    assert sqlite == mongo
    assert sqlite != "refused"


SURROGATE = "\udcff"
NAN, INFINITE = math.nan, math.inf
ODDITIES: dict[str, Callable[[], Change]] = {
    "a moment that is no number": lambda: SawUser(ANN, "A", NAN),
    "a moment without end": lambda: SawUser(ANN, "A", INFINITE),
    "a beat that is no number": lambda: Beat("p", NAN),
    "a beat without end": lambda: Beat("p", INFINITE),
    "a beat before all": lambda: Beat("p", -INFINITE),
    "a play that is no number": lambda: played("p", "x", NAN),
    "a play without end": lambda: played("p", "x", INFINITE),
    "a play after all calendars": lambda: played("p", "x", 1e15),
    "a play before all calendars": lambda: played("p", "x", -1e15),
    "a play before 1970": lambda: played("p", "x", -5 * DAY - 0.5),
    "a length that is no number": lambda: AddToPlaylist(ANN, "a", Track("t", "T", "s", "r", "", NAN), 1.0),
    "a length without end": lambda: AddToPlaylist(ANN, "a", Track("t", "T", "s", "r", "", INFINITE), 1.0),
    "an offset that is no number": lambda: SaveLive(kept(5, playing(track(1), offset=NAN))),
    "pruning to no number": lambda: Prune(NAN),
    "pruning without end": lambda: Prune(INFINITE),
    "pruning before all": lambda: Prune(-INFINITE),
    "zero below zero": lambda: Beat("p", -0.0),
    "half a character in a name": lambda: SawUser(ANN, SURROGATE, 1.0),
    "half a character in an id": lambda: AddToPlaylist(ANN, "a", Track(SURROGATE, "T", "s", "r"), 1.0),
    "half a character in a playlist": lambda: AddToPlaylist(ANN, SURROGATE, track(1), 1.0),
    "half a character in a reason": lambda: Enlist(Roll.BLOCKED, Member(1, reason=SURROGATE)),
    "half a character in a language": lambda: SetSetting(5, "language", SURROGATE),
    "half a character in a player": lambda: SaveLive(kept(5, playing(track(1, SURROGATE)))),
    "half a character in a broadcast": lambda: SaveBroadcast(Broadcast("b", 1, 1.0, 1, 1, (SURROGATE,))),
    "nothing in a name": lambda: SawUser(ANN, "\0", 1.0),
    "nothing in a process": lambda: Beat("\0", 1.0),
    "nothing in an id": lambda: AddToPlaylist(ANN, "\0", Track("\0", "\0", "\0", "\0"), 1.0),
    "no names at all": lambda: AddToPlaylist(0, "", Track("", "", "", ""), 0.0),
    "a number beyond 64 bits": lambda: SawChat(2**63, "C", 1.0),
    "a number beyond 64 bits in a player": lambda: SaveLive(
        kept(5, attrs.evolve(playing(track(1)), epoch=2**70))
    ),
    "a number beyond 64 bits in a setting": lambda: SetSetting(5, "linked_chat", -(2**63) - 1),
    "striking beyond 64 bits": lambda: Strike(Roll.BLOCKED, 2**63),
    "pruning beyond 64 bits": lambda: Prune(1e300),
}


@pytest.mark.parametrize("odd", ODDITIES)
def test_both_take_or_refuse_the_same(pair: Pair, odd: str) -> None:
    before = batch(
        SawUser(ANN, "Ann", 1.0), played("q", "y"), Beat("p", 1.0), SaveLive(kept(GROUP)), id="before"
    )
    sqlite, mongo = pair.both([before, batch(ODDITIES[odd](), id="odd")])
    assert _comparable(sqlite) == _comparable(mongo)


def _comparable(outcome: object) -> str:
    """As a text: NaN is not even equal to itself."""
    if not isinstance(outcome, dict):
        return str(outcome)
    dumped = sorted(f"{table} {sorted(fields)}" for table, fields in outcome["dump"].elements())
    return repr({**outcome, "dump": dumped})
