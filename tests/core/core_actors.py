"""Actors and mail for the laws of the core."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

import anyio
import attrs

from ryzen.actors.actor import Actor
from ryzen.actors.ref import Event, Request
from ryzen.supervisor import RestartPolicy

#: Restarts soon, exactly on time with ``Steady``, and gives up at the fourth crash in a second.
QUICK = RestartPolicy(intensity=3, period=1.0, first=0.01, ceiling=0.05, jitter=0.0, stable_after=0.2)
#: Never gives up.
PATIENT = attrs.evolve(QUICK, intensity=10**6)


class Steady(random.Random):
    """No spread."""

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


@attrs.frozen
class Add(Request[None]):
    n: int


@attrs.frozen
class Nudge(Event):
    """Adds, and is taken by a full mailbox."""

    n: int


@attrs.frozen
class Total(Request[int]): ...


@attrs.frozen
class Boom(Request[None]):
    """Spoils the state, then crashes."""


@attrs.frozen
class Do(Request[object]):
    """Anything: ``work`` gets the actor and is awaited in its ``receive``."""

    work: Callable[[Adder], Awaitable[object]]


class Unheard:
    """Mail that an Adder does not know."""


class Adder(Actor[Add | Nudge | Total | Boom | Do]):
    """Keeps a total."""

    def __init__(self, snapshot: int | None, attempt: int) -> None:
        self.total, self.attempt = snapshot or 0, attempt

    async def receive(self, message: Add | Nudge | Total | Boom | Do) -> object:
        match message:
            case Add(n) | Nudge(n):
                self.total += n
            case Total():
                return self.total
            case Boom():
                self.total = -999
                raise ValueError("boom")
            case Do(work):
                return await work(self)
            case _:
                self.unhandled(message)
        return None

    def snapshot(self) -> int:
        return self.total


def nap(seconds: float) -> Do:
    """Keeps the actor busy."""

    async def work(_: Adder) -> None:
        await anyio.sleep(seconds)

    return Do(work)


def throw(error: BaseException) -> Do:
    async def work(_: Adder) -> None:
        raise error

    return Do(work)


def errand(seconds: float, outcome: object = None, done: list[float] | None = None) -> Do:
    """Later-work of that many seconds, with this result, or raising it."""

    async def run() -> object:
        await anyio.sleep(seconds)
        if done is not None:
            done.append(anyio.current_time())
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    async def work(actor: Adder) -> object:
        return actor.later(run)

    return Do(work)


def lane(work: Callable[[Adder], Awaitable[object]]) -> Do:
    """Starts a task in the actor's own group."""

    async def start(actor: Adder) -> None:
        actor.tasks.start_soon(work, actor)

    return Do(start)


class Diary(Adder):
    """Writes down how it ended; ``diary`` is shared by all of a test."""

    def __init__(self, diary: list[str], snapshot: int | None, attempt: int) -> None:
        super().__init__(snapshot, attempt)
        self.diary = diary

    async def started(self) -> None:
        self.diary.append(f"{self.ref.name} started")

    async def stopped(self) -> None:
        self.diary.append(f"{self.ref.name} stopped at {self.total}")


def keeping(diary: list[str], kind: type[Diary] = Diary) -> Callable[[int | None, int], Diary]:
    return lambda snapshot, attempt: kind(diary, snapshot, attempt)
