"""A bounded queue with one reader. It belongs to the supervisor, so it survives the actor's crashes."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable

import anyio

from ryzen.actors.ref import Event
from ryzen.errors import ActorStopped, MailboxFull, RyzenError


class Envelope:
    """A message that was told: nobody waits for an answer."""

    __slots__ = ("message", "sent_at")

    def __init__(self, message: object, sent_at: float) -> None:
        self.message, self.sent_at = message, sent_at


class Question(Envelope):
    """A message that was asked, and the place where its one answer goes."""

    __slots__ = ("answered", "error", "value", "withdrawn")

    def __init__(self, message: object, sent_at: float) -> None:
        super().__init__(message, sent_at)
        self.withdrawn = False  #: the asker has gone: not worth beginning
        self.answered = anyio.Event()
        self.value: object = None
        self.error: RyzenError | None = None

    def answer(self, value: object) -> None:
        """The first answer or error counts; what comes later is dropped."""
        if not self.answered.is_set():
            self.value = value
            self.answered.set()

    def fail(self, error: RyzenError) -> None:
        if not self.answered.is_set():
            self.error = error
            self.answered.set()


class Overflow(enum.Enum):
    """What a command meets when its part of the mailbox is full."""

    REFUSE = enum.auto()  #: its sender hears MailboxFull: right for what people ask for
    DROP_OLDEST = (
        enum.auto()
    )  #: the oldest command makes room, its asker hears MailboxFull: right for snapshots


class Mailbox:
    """At most ``capacity`` messages, in order; the last ``reserve`` places are for Events alone.

    ``refused`` counts what was lost to a lack of room: turned away, or dropped for something newer.
    Events are never dropped; they are turned away only if the reserve is full too.
    """

    def __init__(self, capacity: int = 64, reserve: int = 8, overflow: Overflow = Overflow.REFUSE) -> None:
        if not 0 <= reserve < capacity:
            raise ValueError(f"a mailbox of {capacity} cannot keep {reserve} places for events")
        self.capacity, self.reserve, self.overflow = capacity, reserve, overflow
        self.refused = 0
        self.closed = False  #: takes no more commands, only Events
        #: Gives ``sent_at``; the supervisor sets a faster one that shows the same time.
        self.clock: Callable[[], float] = anyio.current_time
        self._sealed = False
        self._mail: deque[Envelope] = deque()
        self._wake: anyio.Event | None = None

    @property
    def used(self) -> int:
        return len(self._mail)

    @property
    def oldest(self) -> float | None:
        """When the mail that is next was sent."""
        return self._mail[0].sent_at if self._mail else None

    # -- for senders
    def put(self, message: object) -> None:
        """Raises MailboxFull or ActorStopped."""
        if self.closed or len(self._mail) >= self.capacity - self.reserve:
            self._make_room(message)
        self._mail.append(Envelope(message, self.clock()))
        if self._wake is not None:
            self._rouse()

    def put_question(self, message: object) -> Question:
        """Raises MailboxFull or ActorStopped."""
        if self.closed or len(self._mail) >= self.capacity - self.reserve:
            self._make_room(message)
        question = Question(message, self.clock())
        self._mail.append(question)
        if self._wake is not None:
            self._rouse()
        return question

    # -- for the one reader
    def take(self) -> Envelope | None:
        """The next mail, or None if there is none."""
        return self._mail.popleft() if self._mail else None

    async def wait(self) -> None:
        """Until there is mail, or the mailbox closes."""
        while not self._mail and not self.closed:
            self._wake = anyio.Event()
            try:
                await self._wake.wait()
            finally:
                self._wake = None

    # -- for the supervisor
    def close(self) -> None:
        """No more commands. Events are taken still: they come from the actor's own lanes, too."""
        self.closed = True
        self._rouse()

    def seal(self) -> None:
        """Nothing more at all; what is in it is answered ActorStopped."""
        self.close()
        self._sealed = True
        while self._mail:
            envelope = self._mail.popleft()
            if isinstance(envelope, Question):
                envelope.fail(ActorStopped())

    def _rouse(self) -> None:
        if self._wake is not None:
            self._wake.set()
            self._wake = None

    def _make_room(self, message: object) -> None:
        urgent = isinstance(message, Event)
        if self._sealed or (self.closed and not urgent):
            raise ActorStopped
        if urgent and len(self._mail) < self.capacity:
            return
        self.refused += 1
        if self.overflow is Overflow.REFUSE or not self._drop_oldest():
            raise MailboxFull

    def _drop_oldest(self) -> bool:
        for envelope in self._mail:
            if not isinstance(envelope.message, Event):
                self._mail.remove(envelope)
                if isinstance(envelope, Question):
                    envelope.fail(MailboxFull())
                return True
        return False
