"""One incarnation of an actor: from ``started`` to its clean end, its crash, or its death by cancellation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import anyio
import attrs
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint

from ryzen.actors.actor import Actor, Later
from ryzen.actors.health import Status
from ryzen.actors.mailbox import Envelope, Mailbox, Question
from ryzen.errors import (
    ActorCrashed,
    ActorError,
    ActorStopped,
    Refusal,
    SourceAway,
    TrackError,
    VoiceError,
)

#: What an actor may raise as an answer; anything else is a crash.
Answers = (Refusal, TrackError, SourceAway, VoiceError)

#: Messages handled in a row before others get their turn on the event loop.
TURN = 32


class Stuck(Exception):
    """Something took longer than the actor's patience."""

    def __init__(self, what: str, patience: float) -> None:
        super().__init__(f"{what} took longer than {patience:g} s")


class StrayCancellation(Exception):
    """A cancellation that nobody here asked for: somebody else cancelled an asyncio future we waited for."""


@attrs.define(eq=False)
class Life:
    """Handles mail until the mailbox is closed, or the actor retires, and no mail is left."""

    name: str
    actor: Actor[object]
    mailbox: Mailbox
    grace: float  #: seconds for ``stopped``
    snapshot: object
    enter: Callable[[Status], None]  #: is told of RUNNING and DRAINING
    handled: int = 0
    leaving: bool = False  #: all is done but the farewell: what fails now needs no restart
    ready_since: float | None = None
    busy_since: float | None = None
    failing_since: float | None = None  #: when the later-work began that crashed it
    _fallen: bool = False
    _hand: object = None  #: the message that is, or was last, worked on
    _open: set[Question] = attrs.Factory(set)  #: begun, and not answered yet
    _jobs: TaskGroup = attrs.field(init=False)

    async def live(self) -> None:
        """Raises the crash, in ExceptionGroups perhaps; whoever waits has been answered by then."""
        try:
            with self._crash_site():
                async with anyio.create_task_group() as self.actor.tasks:
                    self.actor.tasks.start_soon(self._watch, name=f"{self.name}: watch")
                    self.busy_since = self.mailbox.clock()
                    with self._crash_site():
                        await self.actor.started()
                    self.busy_since, self.ready_since = None, self.mailbox.clock()
                    self.enter(Status.RUNNING)
                    await self._work()
                    self.actor.tasks.cancel_scope.cancel()
                with anyio.move_on_after(self.grace) as limit:
                    await self.actor.stopped()
                if limit.cancelled_caught:
                    raise Stuck("stopped", self.grace)
        finally:
            self._fail_open(ActorStopped)

    def well_for(self, now: float) -> float:
        """Seconds from being ready to the beginning of what made it fall."""
        if self.ready_since is None:
            return 0.0
        for fell_at in (self.failing_since, self.busy_since):
            if fell_at is not None:
                return fell_at - self.ready_since
        return now - self.ready_since

    @property
    def _doing(self) -> str:
        return "started" if self._hand is None else type(self._hand).__name__

    async def _work(self) -> None:
        while not self.leaving:
            async with anyio.create_task_group() as self._jobs:
                with self._crash_site():
                    await self._handle_mail()
            self.leaving = not self.mailbox.used  # later-work may have sent some
        self.enter(Status.DRAINING)
        if self.mailbox.closed:
            self.mailbox.seal()

    async def _handle_mail(self) -> None:
        mailbox = self.mailbox
        while True:
            for _ in range(TURN):
                if self._fallen:
                    await anyio.sleep_forever()  # later-work has crashed; our cancellation is on its way
                if (envelope := mailbox.take()) is None:
                    break
                await self._handle(envelope)
            self.busy_since = None
            if mailbox.used:
                await checkpoint()
            elif mailbox.closed or self.actor.retiring:
                return
            else:
                await mailbox.wait()

    async def _handle(self, envelope: Envelope) -> None:
        now = self.mailbox.clock()
        question = envelope if isinstance(envelope, Question) else None
        if question is not None:
            if question.withdrawn:
                return
            self._open.add(question)
        self.busy_since, self._hand = now, envelope.message
        try:
            answer = await self.actor.receive(envelope.message)
        except Answers as error:
            self._refuse(question, error)
        else:
            if isinstance(answer, Later):
                self._jobs.start_soon(self._finish, answer, question, name=f"{self.name}: {self._doing}")
            elif question is not None:
                self._open.discard(question)
                question.answer(answer)
        self.handled += 1
        self.snapshot = self.actor.snapshot()

    async def _finish(self, later: Later, question: Question | None) -> None:
        """Carry out later-work and answer with its result."""
        began, what = self.mailbox.clock(), self._doing
        with self._crash_site(began):
            try:
                with anyio.move_on_after(self.actor.patience) as limit:
                    answer = await later.work()
            except Answers as error:
                self._refuse(question, error)
                return
            if limit.cancelled_caught:
                raise Stuck(f"the work for {what}", self.actor.patience)
            if question is not None:
                self._open.discard(question)
                question.answer(answer)

    def _refuse(
        self, question: Question | None, error: Refusal | TrackError | SourceAway | VoiceError
    ) -> None:
        """An answer to whoever asked. With nobody there, only a Refusal is harmless."""
        if question is not None:
            self._open.discard(question)
            question.fail(error)
        elif not isinstance(error, Refusal):
            raise error

    async def _watch(self) -> None:
        """Crash a handler that is stuck.

        Cheaper than a timeout around each message (10 µs on asyncio, anyio 4.16): it sleeps until the message
        at hand would be too old, or one that begins right now would be.
        """
        with self._crash_site():
            while True:
                patience = self.actor.patience
                now = self.mailbox.clock()
                limit = (now if self.busy_since is None else self.busy_since) + patience
                if limit <= now:
                    raise Stuck(self._doing, patience)
                await anyio.sleep_until(limit)

    @contextmanager
    def _crash_site(self, began: float | None = None) -> Iterator[None]:
        """What fails in here is a crash. Who waits hears of it at once: lanes may take a while to die."""
        try:
            yield
        except Exception:
            if self.failing_since is None:
                self.failing_since = began
            self._fall()
            raise
        except anyio.get_cancelled_exc_class() as error:
            if anyio.current_effective_deadline() == -math.inf:
                raise
            self._fall()
            raise StrayCancellation from error

    def _fall(self) -> None:
        self._fallen = True
        self._fail_open(ActorCrashed)

    def _fail_open(self, error: type[ActorError]) -> None:
        while self._open:
            self._open.pop().fail(error(self.name))
