"""Whatever comes in whatever order, with outages, lost answers and crashes: what was taken is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

import anyio
import attrs
import pytest
from clocks import JumpingLoop
from hypothesis import given, settings
from hypothesis import strategies as st
from store_fakes import FakeStore, Kept, keeping, live, played, steady
from trio.testing import MockClock

from ryzen.actors.ledger import Ledger
from ryzen.actors.store import Policy
from ryzen.errors import ActorCrashed, Refusal
from ryzen.messages import Commit, Keep, Recall, Restorable, RollOf, SettingsOf, Stored
from ryzen.ports import Store
from ryzen.records import (
    Change,
    ChatSettings,
    Enlist,
    LostChat,
    Member,
    Played,
    ResetSettings,
    Roll,
    SaveLive,
    SawChat,
    SetFlag,
    SetSetting,
    Strike,
)

BACKENDS: dict[str, Callable[[], Mapping[str, object]]] = {
    "asyncio": lambda: {"loop_factory": JumpingLoop},
    "trio": lambda: {"clock": MockClock(autojump_threshold=0)},
}
FEW = st.integers(1, 3)
POISON = SetFlag("poison", "x")

# -- what may be changed; plays get their ids on the way
CHANGES = st.one_of(
    st.builds(SetSetting, FEW, st.just("volume"), st.integers(0, 200)),
    st.builds(SetSetting, FEW, st.just("clean"), st.booleans()),
    st.builds(ResetSettings, FEW),
    st.builds(Enlist, st.just(Roll.BLOCKED), st.builds(Member, FEW, st.text(max_size=2), at=FEW)),
    st.builds(Strike, st.just(Roll.BLOCKED), FEW),
    st.builds(SetFlag, st.sampled_from("ab"), st.none() | st.text(max_size=2)),
    st.builds(SawChat, FEW, st.text(max_size=1), st.floats(0, 10_000)),
    st.builds(LostChat, FEW),
    st.just("play"),
    st.just("play"),
    st.builds(lambda chat, offset: SaveLive(live(chat, offset)), FEW, st.floats(0, 100)),
    st.just(POISON),
)

# -- what may happen
STEPS = st.one_of(
    st.tuples(st.just("keep"), CHANGES),
    st.tuples(st.just("keep"), CHANGES),
    st.tuples(st.just("commit"), st.lists(CHANGES, min_size=1, max_size=4)),
    st.tuples(st.just("commit"), st.lists(CHANGES, min_size=1, max_size=4)),
    st.tuples(st.just("wait"), st.sampled_from([0.0, 0.01, 0.1, 0.25, 1.0, 4.0, 30.0])),
    st.tuples(st.just("wait"), st.sampled_from([0.0, 0.01, 0.1, 0.25, 1.0, 4.0, 30.0])),
    st.tuples(st.just("takes"), st.sampled_from([0.0, 0.05, 0.5, 4.0, 20.0])),
    st.tuples(st.just("deaf"), st.integers(1, 3)),
    st.tuples(st.sampled_from(["away", "hangs", "back", "crash", "restorable", "look"]), st.none()),
)


@attrs.define
class Evening:
    """Does the steps, and notes what was taken."""

    kept: Kept
    taken: list[Change] = attrs.Factory(list)
    plays: int = 0

    def change(self, wanted: Change | str) -> Change:
        if isinstance(wanted, str):
            self.plays += 1
            return played(str(self.plays))
        return wanted

    async def commit(self, changes: tuple[Change, ...]) -> None:
        """What is taken is taken in the order in which it was sent, so it is noted before it is answered."""
        self.taken += changes
        began = anyio.current_time()
        stored: object
        try:
            stored = await self.kept.ref.ask(Commit(changes), within=60)
        except (Refusal, ActorCrashed) as answer:
            stored = answer
        if stored is Stored.NOW:
            plays = [change.play.id for change in changes if isinstance(change, Played)]
            assert all(self.kept.store.plays[id] == 1 for id in plays)
        assert POISON not in changes or stored is not Stored.NOW
        assert not isinstance(stored, Refusal) or (stored.code == "store-refused" and POISON in changes)
        assert anyio.current_time() - began <= 3.02  # a restart included

    async def look(self) -> None:
        """Who asks a database that is well finds what was taken before; nobody ever waits long."""
        well, before, began = self.well, len(self.taken), anyio.current_time()
        try:
            found = await self.kept.ref.ask(SettingsOf(1), within=60)
            members = await self.kept.ref.ask(RollOf(Roll.BLOCKED), within=60)
        except ActorCrashed:
            return
        assert anyio.current_time() - began <= 6.02
        if well and self.well:
            models = [model(self.taken[:length]) for length in range(before, len(self.taken) + 1)]
            assert found in [each.set_by.get(1, ChatSettings()) for each in models]
            assert {each.id: each for each in members} in [each.rolls[Roll.BLOCKED, 0] for each in models]

    @property
    def well(self) -> bool:
        return self.kept.condition is None and not self.kept.store.away

    async def restorable(self) -> None:
        began = anyio.current_time()
        with suppress(Refusal, ActorCrashed):
            await self.kept.ref.ask(Restorable(), within=60)
        assert anyio.current_time() - began <= 20.02  # it may join one that waits already

    async def crash(self) -> None:
        with suppress(Refusal, ActorCrashed):
            await self.kept.ref.ask(Recall(_bug), within=60)


async def _bug(_: Store) -> None:
    raise ZeroDivisionError


def model(changes: list[Change]) -> FakeStore:
    """What must be there in the end: each change made once, in the order in which they came."""
    store = FakeStore(rolls={(Roll.BLOCKED, 0): {}})
    for number, change in enumerate(changes, start=1):
        if isinstance(change, SaveLive):
            change = SaveLive(attrs.evolve(change.live, revision=number))
        if change != POISON:
            store.make(change)
    return store


def players(store: FakeStore) -> dict[int, float]:
    return {chat: each.player.offset for chat, each in store.players.items()}


async def spend(steps: list[tuple[str, object]]) -> None:
    store = FakeStore(refuses=lambda change: change == POISON)
    ledger = Ledger(settings=2, breaker=steady())
    policy = Policy(flush_size=4)
    async with keeping(store, ledger, policy) as kept:
        evening = Evening(kept)
        async with anyio.create_task_group() as people:
            for what, how in steps:
                await take_step(evening, people, what, how)
            store.rise()
            store.takes, store.deaf = 0.0, 0
        await anyio.sleep(40)
        await kept.ref.ask(Restorable(), within=60)
        await anyio.sleep(1)
        assert kept.condition is None
        check(store, evening.taken)
        await evening.look()
    assert ledger.unsettled == 0


async def take_step(evening: Evening, people: anyio.abc.TaskGroup, what: str, how: object) -> None:
    store = evening.kept.store
    match what, how:
        case "keep", change:
            evening.taken.append(evening.change(change))  # type: ignore[arg-type]
            evening.kept.ref.tell(Keep(evening.taken[-1]))
        case "commit", list(changes):
            people.start_soon(evening.commit, tuple(map(evening.change, changes)))
            await anyio.sleep(0.001)  # so that it is sent before what comes next
        case "wait", float(seconds):
            await anyio.sleep(seconds)
        case (("takes" | "deaf"), _):
            setattr(store, what, how)
        case (("away" | "hangs"), _):
            setattr(store, what, True)
        case "back", _:
            store.rise()
        case _:
            people.start_soon(getattr(evening, what))
            await anyio.sleep(0.001)


def check(store: FakeStore, taken: list[Change]) -> None:
    wanted = model(taken)
    assert store.plays == wanted.plays
    assert set(store.plays.values()) <= {1}
    assert store.set_by == wanted.set_by
    assert store.rolls.get((Roll.BLOCKED, 0), {}) == wanted.rolls.get((Roll.BLOCKED, 0), {})
    assert store.flag_values == wanted.flag_values
    assert store.chat_names == wanted.chat_names
    assert players(store) == players(wanted)


@pytest.mark.parametrize("backend", BACKENDS)
@given(st.lists(STEPS, max_size=40))
@settings(max_examples=150)
def test_what_was_taken_is_there_in_the_end_in_order_and_counted_once(
    backend: str, steps: list[tuple[str, object]]
) -> None:
    anyio.run(spend, steps, backend=backend, backend_options=dict(BACKENDS[backend]()))
