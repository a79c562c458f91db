"""Supervisors: they own the mailboxes, restart what crashes, and know when to give up.

Nothing here is particular to asyncio or trio, and nothing to music.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar, cast

import anyio
from anyio.abc import TaskGroup
from loguru import logger

from ryzen.actors.actor import Actor
from ryzen.actors.child import Child
from ryzen.actors.health import Health, Status, cause, redacted, trail
from ryzen.actors.mailbox import Mailbox
from ryzen.actors.policy import RestartPolicy, Window
from ryzen.actors.ref import Ref
from ryzen.errors import ActorCrashed, ActorStopped, Escalation, TrackError, VoiceError

__all__ = ["Health", "RestartPolicy", "Status", "Supervisor", "supervise"]

M = TypeVar("M")
S = TypeVar("S")

#: Children that were given up and are still shown by ``health``.
_REMEMBERED = 32


@asynccontextmanager
async def supervise(
    name: str,
    *,
    on_give_up: Callable[[str, Exception], None] | None = None,
    storm: int = 12,
    storm_period: float = 60.0,
    together: bool = False,
    rng: random.Random | None = None,
) -> AsyncIterator[Supervisor]:
    """Keep children for the length of the block, then drain them: last started first, or all ``together``.

    ``on_give_up(name, crash)`` is called when a child that crashed more often than its policy forgives is
    gone. More than ``storm`` crashes of all children within ``storm_period`` seconds cancel the block, drain,
    and raise Escalation; so does giving up on a child whose policy escalates.
    """
    failure: Exception | None = None
    async with anyio.create_task_group() as tasks:
        supervisor = Supervisor(
            name, tasks, on_give_up, Window(storm_period), storm, together, rng or random.Random()
        )
        try:
            with supervisor.body:
                yield supervisor
        except Exception as error:  # noqa: BLE001 - raised below, as itself: a task group would wrap it
            failure = error
        finally:
            with anyio.CancelScope(shield=True):
                await supervisor.drain()
    if supervisor.fatal is not None:
        if failure is not None:
            logger.warning("{} was left with: {} at {}", name, redacted(failure), trail(failure))
        raise Escalation(name) from supervisor.fatal
    if failure is not None:
        raise failure


class Supervisor:
    """Keeps its children alive, one for one; made by ``supervise``."""

    def __init__(
        self,
        name: str,
        tasks: TaskGroup,
        on_give_up: Callable[[str, Exception], None] | None,
        crashes: Window,
        storm: int,
        together: bool,
        rng: random.Random,
    ) -> None:
        self.name = name
        self.body = anyio.CancelScope()  #: around the block that keeps us; cancelled by an escalation
        self.fatal: Exception | None = None  #: the crash behind the escalation
        self._tasks, self._on_give_up = tasks, on_give_up
        self._crashes, self._storm, self._together, self._rng = crashes, storm, together, rng
        self._children: dict[str, Child] = {}  # in the order they were started
        self._given_up: dict[str, Child] = {}
        self._draining = False
        self._clock = _loop_clock()

    def spawn(
        self,
        name: str,
        make: Callable[[S | None, int], Actor[M]],
        *,
        policy: RestartPolicy | None = None,
        mailbox: Mailbox | None = None,
        grace: float = 5.0,
        snapshot: S | None = None,
    ) -> Ref[M]:
        """Start a child; if one of that name is alive, nothing changes and this is its Ref.

        ``make(snapshot, attempt)`` gives a fresh actor: for the first time from the ``snapshot`` given here
        and attempt 0, after the n-th crash in a row from the last good snapshot and attempt n. ``grace`` is
        how many seconds a stop may take. If one of that name is stopping, the new child takes mail at once
        and starts when the old one is gone. Raises ActorStopped if the supervisor itself is draining.
        """
        if self._draining:
            raise ActorStopped(name)
        before = self._children.get(name)
        if before is not None and not before.stopping.is_set():
            return cast("Ref[M]", before.ref)
        mailbox = mailbox or Mailbox()
        mailbox.clock = self._clock
        child = Child(
            name=name,
            make=cast("Callable[[object, int], Actor[object]]", make),
            policy=policy or RestartPolicy(),
            mailbox=mailbox,
            grace=grace,
            snapshot=snapshot,
            before=before,
        )
        self._children.pop(name, None)  # a new child is the last started
        self._children[name] = child
        self._given_up.pop(name, None)
        self._tasks.start_soon(self._keep, child, name=name)
        return cast("Ref[M]", child.ref)

    async def start(
        self,
        name: str,
        make: Callable[[S | None, int], Actor[M]],
        *,
        policy: RestartPolicy | None = None,
        mailbox: Mailbox | None = None,
        grace: float = 5.0,
        snapshot: S | None = None,
    ) -> Ref[M]:
        """``spawn``, and wait until it is ready: what starts next may rely on it.

        Raises ActorCrashed if it was given up before that, ActorStopped if it was stopped.
        """
        ref = self.spawn(name, make, policy=policy, mailbox=mailbox, grace=grace, snapshot=snapshot)
        child = self._children[name]
        await child.settled.wait()
        if child.was_ready:
            return ref
        if child.last_error is not None:
            raise ActorCrashed(name) from child.last_error
        raise ActorStopped(name)

    def get(self, name: str) -> Ref[object] | None:
        """The child of that name, unless it is stopping or gone."""
        child = self._children.get(name)
        return None if child is None or child.stopping.is_set() else child.ref

    async def stop(self, name: str) -> None:
        """Let a child finish its mail and go; returns when it is gone, within its grace.

        A cancelled ``stop`` goes on without its caller. An actor cannot stop itself so: it retires.
        """
        if (child := self._children.get(name)) is not None:
            child.stop()
            await child.gone.wait()

    async def drain(self) -> None:
        """Stop all children, for good."""
        self._draining = True
        if self._together:
            for child in self._children.values():
                child.stop()
        for name in reversed(list(self._children)):
            await self.stop(name)

    def health(self) -> tuple[Health, ...]:
        """One row per child, in the order they were started; then those given up, until started anew."""
        now = self._clock()
        return tuple(child.health(now) for child in (*self._children.values(), *self._given_up.values()))

    async def _keep(self, child: Child) -> None:
        crash: Exception | None = None
        try:
            with child.scope:
                crash = await self._lives(child)
        except Exception as error:  # noqa: BLE001 - it crashed just when its grace ended
            child.fell(cause(error))
        finally:
            if self._children.get(child.name) is child:
                del self._children[child.name]
            child.bury(Status.STOPPED if crash is None else Status.FAILED)
        if child.scope.cancelled_caught:
            logger.warning("{} did not stop within {:g} s and was killed", child.name, child.grace)
        if crash is not None:
            self._give_up(child, crash)

    async def _lives(self, child: Child) -> Exception | None:
        """One incarnation after the other; returns the crash that was one too many, if there was one."""
        if child.before is not None:
            await child.before.gone.wait()
            child.before = None
        while child.mailbox.used or not child.stopping.is_set():
            crash = await child.live()
            if crash is None:
                if child.mailbox.used:
                    continue  # it came for one who was about to retire
                break
            now = self._clock()
            lately, all_lately = child.crashes.add(now), self._crashes.add(now)
            if all_lately > self._storm:
                self._escalate(f"{all_lately} crashes of its children", crash)
                return crash
            if lately > child.policy.intensity:
                return crash
            delay = child.policy.delay(child.attempt, self._rng.uniform(-1, 1))
            # A lost call is the weather; anything else is a bug of ours, and somebody should look at it.
            level = "WARNING" if isinstance(crash, (VoiceError, TrackError)) else "ERROR"
            logger.log(
                level,
                "{} crashed and restarts in {:.2f} s, attempt {}: {} at {}",
                child.name, delay, child.attempt, redacted(crash), trail(crash),
            )  # fmt: skip
            child.enter(Status.WAITING)
            with anyio.move_on_after(delay):
                await child.stopping.wait()
                break
        return None

    def _give_up(self, child: Child, crash: Exception) -> None:
        logger.error(
            "{} is given up after {} crashes: {} at {}",
            child.name, child.crashes.count(self._clock()), redacted(crash), trail(crash),
        )  # fmt: skip
        self._given_up[child.name] = child
        while len(self._given_up) > _REMEMBERED:
            del self._given_up[next(iter(self._given_up))]
        if child.policy.escalates:
            self._escalate(f"{child.name} was given up", crash)
        if self._on_give_up is None or self.fatal is not None:
            return
        try:
            self._on_give_up(child.name, crash)
        except Exception as error:  # noqa: BLE001 - who cannot tell one chat must not bring down the others
            logger.error(
                "giving up on {} could not be told: {} at {}", child.name, redacted(error), trail(error)
            )

    def _escalate(self, why: str, crash: Exception) -> None:
        if self.fatal is None:
            self.fatal = crash
            logger.critical("{} escalates: {}", self.name, why)
            self.body.cancel()


def _loop_clock() -> Callable[[], float]:
    """What ``anyio.current_time`` shows, without its look-up of the backend at each call.

    That takes 0.6 µs (anyio 4.16), and twice per message it would be half the cost of a ``tell``.
    """
    try:
        return asyncio.get_running_loop().time
    except RuntimeError:
        return anyio.current_time
