"""A database in memory that can be away, slow, forgetful of its answers, and choosy."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import anyio
import attrs

from ryzen.actors.breaker import Breaker
from ryzen.actors.ledger import Ledger
from ryzen.actors.mailbox import Mailbox
from ryzen.actors.ref import Ref
from ryzen.actors.store import Policy, StoreActor
from ryzen.errors import StoreAway, StoreRefused
from ryzen.messages import ToStore
from ryzen.player.state import Asker, Phase, Player, Track
from ryzen.records import (
    Batch,
    Beat,
    Change,
    ChatSettings,
    Enlist,
    LiveChat,
    LostChat,
    Member,
    Play,
    Played,
    ResetSettings,
    Roll,
    SaveLive,
    SawChat,
    SawUser,
    SetFlag,
    SetSetting,
    Strike,
)
from ryzen.supervisor import RestartPolicy, Supervisor, supervise

EPOCH = 1_800_000_000.0
QUICK = RestartPolicy(intensity=10**6, first=0.01, ceiling=0.01, jitter=0.0)


def wall() -> float:
    return EPOCH + anyio.current_time()


def played(id: str, title: str = "song") -> Played:
    return Played(Play(id, -1, Asker(1, "Ada"), Track(f"fake:{title}", title, "fake", title), EPOCH))


def loud(chat_id: int, volume: int) -> SetSetting:
    return SetSetting(chat_id, "volume", volume)


def live(chat_id: int, offset: float = 0.0, revision: int = 0, process: str = "me") -> LiveChat:
    return LiveChat(chat_id, Player(phase=Phase.PAUSED, offset=offset), EPOCH, process, revision=revision)


@attrs.define(eq=False)
class FakeStore:
    """What is in it is public; ``away``, ``hangs``, ``takes``, ``deaf``, ``refuses`` are its troubles."""

    name: str = "the database"
    away: bool = False
    hangs: bool = False  #: no answer for 8 s, and then StoreAway
    takes: float = 0.0  #: seconds for each answer
    deaf: int = 0  #: so many batches are made, and StoreAway is raised all the same
    refuses: Callable[[Change], bool] = lambda _: False
    calls: list[str] = attrs.Factory(list)
    batches: list[Batch] = attrs.Factory(list)  #: in the order in which they were made; repeated ones too
    set_by: dict[int, ChatSettings] = attrs.Factory(dict)
    rolls: dict[tuple[Roll, int], dict[int, Member]] = attrs.Factory(dict)
    plays: Counter[str] = attrs.Factory(Counter)
    flag_values: dict[str, str] = attrs.Factory(dict)
    chat_names: dict[int, str] = attrs.Factory(dict)
    user_names: dict[int, str] = attrs.Factory(dict)
    players: dict[int, LiveChat] = attrs.Factory(dict)
    beaten: dict[str, float] = attrs.Factory(dict)
    _made: set[str] = attrs.Factory(set)

    @property
    def changes(self) -> list[Change]:
        """All that were made, heartbeats aside."""
        return [each for batch in self.batches for each in batch.changes if not isinstance(each, Beat)]

    def fall(self) -> None:
        self.away = True

    def rise(self) -> None:
        self.away = self.hangs = False

    async def _reach(self, call: str) -> None:
        self.calls.append(call)
        await anyio.sleep(8.0 if self.hangs else self.takes)
        if self.away or self.hangs:
            raise StoreAway("nobody answers")

    async def apply(self, batch: Batch) -> None:
        await self._reach("apply")
        if any(map(self.refuses, batch.changes)):
            raise StoreRefused("not this")
        self.batches.append(batch)
        for change in batch.changes:
            if not (isinstance(change, Played) and batch.id in self._made):
                self.make(change)
        self._made.add(batch.id)
        if self.deaf:
            self.deaf -= 1
            raise StoreAway("the answer is lost")

    def make(self, change: Change) -> None:
        match change:
            case SetSetting(chat_id, name, value):
                before = self.set_by.get(chat_id, ChatSettings())
                self.set_by[chat_id] = attrs.evolve(before, **{name: value})  # type: ignore[arg-type]
            case ResetSettings(chat_id):
                self.set_by.pop(chat_id, None)
            case Enlist(roll, member, scope):
                self.rolls.setdefault((roll, scope), {})[member.id] = member
            case Strike(roll, id, scope):
                self.rolls.get((roll, scope), {}).pop(id, None)
            case Played(play):
                self.plays[play.id] += 1
            case SetFlag(name, value):
                self.flag_values.pop(name, None)
                if value is not None:
                    self.flag_values[name] = value
            case SawChat(chat_id, title):
                self.chat_names[chat_id] = title
            case LostChat(chat_id):
                self.chat_names.pop(chat_id, None)
            case SawUser(user_id, name):
                self.user_names[user_id] = name
            case Beat(process, at):
                self.beaten[process] = max(at, self.beaten.get(process, at))
            case SaveLive(live):
                there = self.players.get(live.chat_id)
                if there is None or there.revision < live.revision:
                    self.players[live.chat_id] = live

    async def ping(self) -> None:
        await self._reach("ping")

    async def settings(self, chat_id: int) -> ChatSettings:
        found = self.set_by.get(chat_id, ChatSettings())  # as it was when the question came in
        await self._reach("settings")
        return found

    async def roll(self, roll: Roll, scope: int = 0) -> tuple[Member, ...]:
        found = sorted(self.rolls.get((roll, scope), {}).values(), key=lambda each: (each.at, each.id))
        await self._reach("roll")
        return tuple(found)

    async def live(self, chat_id: int | None = None) -> tuple[LiveChat, ...]:
        await self._reach("live")
        return tuple(self.players.values())

    async def beats(self) -> Mapping[str, float]:
        await self._reach("beats")
        return dict(self.beaten)

    async def flags(self) -> Mapping[str, str]:
        await self._reach("flags")
        return dict(self.flag_values)


@attrs.frozen
class Kept:
    """A StoreActor that runs, and all around it."""

    sup: Supervisor
    ref: Ref[ToStore]
    store: FakeStore
    ledger: Ledger

    @property
    def condition(self) -> str | None:
        return self.sup.health()[0].condition


#: Heartbeats hours apart, for those who count what is written.
CALM = Policy(beat_every=1e6)


@asynccontextmanager
async def keeping(
    store: FakeStore | None = None,
    ledger: Ledger | None = None,
    policy: Policy = CALM,
    **more: object,
) -> AsyncIterator[Kept]:
    """A StoreActor for the length of the block, its first heartbeat written and forgotten."""
    store, ledger = store or FakeStore(), ledger or Ledger(breaker=steady())
    async with supervise("s") as sup:

        def make(*_: object) -> StoreActor:
            return StoreActor(store, ledger, "me", policy, wall=wall, **more)  # type: ignore[arg-type]

        ref = await sup.start("store", make, policy=QUICK, mailbox=Mailbox(4096), grace=10.0)
        await anyio.sleep(1)
        if not store.away:
            store.calls.clear()
            store.batches.clear()
        yield Kept(sup, ref, store, ledger)


def steady() -> Breaker:
    """Probes after exactly 1, 2, 4, 8, 10, 10 … s."""
    return Breaker(RestartPolicy(first=1.0, ceiling=10.0, jitter=0.0, stable_after=30.0))
