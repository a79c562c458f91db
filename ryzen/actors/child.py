"""What a supervisor keeps of one actor, whichever incarnation is alive."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import attrs
from loguru import logger

from ryzen.actors.actor import Actor
from ryzen.actors.health import Health, Status, Vitals, cause, redacted, trail
from ryzen.actors.life import Life
from ryzen.actors.mailbox import Mailbox
from ryzen.actors.policy import RestartPolicy, Window
from ryzen.actors.ref import Ref


@attrs.define(eq=False)
class Child:
    """A name, a mailbox and a recipe; incarnations come and go."""

    name: str
    make: Callable[[object, int], Actor[object]]  #: (last good snapshot, attempt) -> a fresh actor
    policy: RestartPolicy
    mailbox: Mailbox
    grace: float
    snapshot: object
    before: Child | None = None  #: one of the same name that is on its way out
    attempt: int = 0  #: crashes in a row without a good run between them
    last_error: Exception | None = None
    was_ready: bool = False
    #: Shielded: whoever cancels the supervisor's block gets a drain, not a massacre.
    scope: anyio.CancelScope = attrs.Factory(lambda: anyio.CancelScope(shield=True))
    stopping: anyio.Event = attrs.Factory(anyio.Event)
    settled: anyio.Event = attrs.Factory(anyio.Event)  #: ready for the first time, or gone
    gone: anyio.Event = attrs.Factory(anyio.Event)
    crashes: Window = attrs.field(init=False)
    _status: Status = Status.STARTING
    _since: float = attrs.field(init=False)
    _life: Life | None = None
    _handled: int = 0  #: by those who lived before
    _vitals: Vitals = attrs.Factory(Vitals)

    def __attrs_post_init__(self) -> None:
        self.crashes = Window(self.policy.period)
        self._since = self.mailbox.clock()

    @property
    def ref(self) -> Ref[object]:
        return Ref(self.name, self.mailbox)

    async def live(self) -> Exception | None:
        """One incarnation, to its end. Returns the crash to be forgiven, or not; None after a clean end."""
        self.enter(Status.STARTING)
        try:
            actor = self.make(self.snapshot, self.attempt)
            actor.ref = self.ref
            self._life = Life(self.name, actor, self.mailbox, self.grace, self.snapshot, self.enter)
            await self._life.live()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this child's crash
            return self.fell(cause(error))
        finally:
            self._bequeath()
        self.attempt = 0
        return None

    def enter(self, status: Status) -> None:
        if status is Status.RUNNING:
            self.was_ready = True
            self.settled.set()
        if self.stopping.is_set() and status in (Status.STARTING, Status.RUNNING):
            return  # on its way out, whatever it is doing there
        if status is not self._status:
            self._status, self._since = status, self.mailbox.clock()

    def stop(self) -> None:
        """Finish the mail and go; what is not done ``grace`` seconds after the first call is cancelled."""
        if not self.stopping.is_set():
            self.enter(Status.DRAINING)
            self.stopping.set()
            self.mailbox.close()
            self.scope.deadline = self.mailbox.clock() + self.grace

    def fell(self, error: Exception) -> Exception | None:
        """Take note of a crash; returns it unless the child is going anyway."""
        self.last_error = error
        if self.stopping.is_set() or (self._life is not None and self._life.leaving):
            logger.warning("{} crashed on its way out: {} at {}", self.name, redacted(error), trail(error))
            if self.stopping.is_set():
                self.mailbox.seal()
            return None
        well_for = 0.0 if self._life is None else self._life.well_for(self.mailbox.clock())
        self.attempt = 1 if well_for >= self.policy.stable_after else self.attempt + 1
        return error

    def bury(self, status: Status) -> None:
        """It is gone for good: nobody is left waiting for it."""
        self.stopping.set()
        self.mailbox.seal()
        self.settled.set()
        self.gone.set()
        self._status, self._since = status, self.mailbox.clock()

    def health(self, now: float) -> Health:
        life, box = self._life, self.mailbox
        vitals = self._look(now)
        busy_since = None if life is None else life.busy_since
        return Health(
            name=self.name,
            status=self._status,
            in_status_for=now - self._since,
            mailbox_used=box.used,
            mailbox_capacity=box.capacity,
            oldest_mail=None if box.oldest is None else now - box.oldest,
            busy_for=None if busy_since is None else now - busy_since,
            handled=self._handled + (0 if life is None else life.handled),
            refused=box.refused,
            restarts=self.crashes.count(now),
            last_error=None if self.last_error is None else redacted(self.last_error),
            epoch=vitals.epoch,
            position=vitals.position,
            condition=vitals.condition,
        )

    def _look(self, now: float) -> Vitals:
        """The vitals, or the last ones known: a sick actor must not bring down whoever looks at it."""
        if self._life is not None:
            try:
                self._vitals = self._life.actor.vitals(now)
            except Exception as error:  # noqa: BLE001 - see above
                logger.debug("{} cannot tell its vitals: {}", self.name, redacted(error))
        return self._vitals

    def _bequeath(self) -> None:
        if self._life is not None:
            self.snapshot = self._life.snapshot
            self._handled += self._life.handled
            self._look(self.mailbox.clock())
            self._life = None
