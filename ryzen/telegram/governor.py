"""Who may write into which chat, and when: one lane a chat, Telegram's limits, newest edit wins.

The governor knows nothing of Telegram's wire: work is any coroutine function, and says ``FloodError`` when it
must be done again later. It runs in the task of whoever asked, so what it raises and how it is cancelled
are the caller's business, and a caller that is cancelled leaves its lane free.

Promises:
- within a chat, work of one method goes in the order in which it was asked for, one at a time;
- a flood stops that method in that chat alone; other methods there, and all other chats, go on;
- a waiting edit gives way to a newer edit, or to the deletion, of the same message, and counts as done;
- a lane that is full refuses (``SendError("busy")``), and so does one whose turn would come too late.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
import attrs

from ryzen.errors import SendError
from ryzen.telegram.pace import Bucket, Pace, Paces, Window

R = TypeVar("R")


@attrs.frozen
class Limits:
    """Telegram's limits for bots (core.telegram.org/bots/faq: 1/s a chat, 20/min a group, 30/s in all).

    ``burst``: Telegram allows short bursts over 1/s, and the answer to a command is often two messages.
    """

    burst: int = 3
    per_second: float = 1.0
    per_minute: int = 20  #: in groups
    overall: int = 30  #: a second, over all chats
    waiting: int = 32  #: in one lane; more is refused
    patience: float = 60.0  #: seconds; what would have to wait longer than this is refused


@attrs.frozen
class Traffic:
    """For /stats. Counts are since the start."""

    waiting: int
    sent: int
    floods: int
    outdated: int  #: edits that gave way to newer ones
    refused: int


class FloodError(Exception):
    """Raised by work: Telegram wants this method left alone in this chat for ``seconds``."""

    def __init__(self, seconds: float, reason: str) -> None:
        super().__init__(reason)
        self.seconds, self.reason = seconds, reason


@attrs.define(eq=False)
class _Ticket:
    """A place in a lane."""

    method: str
    about: int | None
    newest: bool
    paced: bool
    outdated: bool = False
    changed: anyio.Event = attrs.field(factory=anyio.Event)


@attrs.define(eq=False)
class _Bar:
    """A method that a flood stops, until when, and Telegram's word for it."""

    until: float
    reason: str


@attrs.define(eq=False)
class _Lane:
    """One chat. ``line`` is who waits, first come first; ``busy`` is whose work is under way."""

    pace: Pace
    line: list[_Ticket] = attrs.field(factory=list)
    busy: _Ticket | None = None
    bars: dict[str, _Bar] = attrs.field(factory=dict)

    def opens(self, ticket: _Ticket, now: float) -> tuple[float, str]:
        """When it is this ticket's turn, as far as is known, and what it waits for; inf: behind another."""
        if self.busy is not None:
            return math.inf, "busy"
        for other in self.line:
            bar = self.bars.get(other.method)
            barred = bar is not None and bar.until > now
            if other is ticket:
                start = self.pace.ready(now) if ticket.paced else now
                return (max(start, bar.until), bar.reason) if bar and barred else (start, "busy")
            if not barred:
                return math.inf, "busy"
        raise AssertionError("a ticket that is not in the line")

    def wake(self) -> None:
        """Something changed: the first of each method looks at the clock again."""
        seen: set[str] = set()
        for ticket in self.line:
            if ticket.method not in seen:
                seen.add(ticket.method)
                ticket.changed.set()

    def idle(self, now: float) -> bool:
        free = self.busy is None and not self.line and self.pace.ready(now) <= now
        return free and all(bar.until <= now for bar in self.bars.values())


class Governor:
    """The lanes of all chats under one overall limit."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._overall = Window(self._limits.overall, 1.0)
        self._lanes: dict[int, _Lane] = {}
        self._sweep_at = 256  # lanes; above it the idle ones are forgotten
        self._sent = self._floods = self._outdated = self._refused = 0

    @property
    def traffic(self) -> Traffic:
        waiting = sum(len(lane.line) for lane in self._lanes.values())
        return Traffic(waiting, self._sent, self._floods, self._outdated, self._refused)

    async def go(
        self,
        chat_id: int,
        method: str,
        work: Callable[[], Awaitable[R]],
        *,
        about: int | None = None,
        newest: bool = False,
        paced: bool = True,
    ) -> R | None:
        """Do ``work`` when it is this chat's turn; None if newer work ``about`` the same message came first.

        ``newest``: this may give way like that. ``paced``: it counts towards the limits of the chat.
        Raises SendError (lane full, or the turn would come too late) and whatever ``work`` raises.
        """
        lane = self._lane(chat_id)
        ticket = _Ticket(method, about, newest, paced)
        self._enter(lane, ticket)
        latest = anyio.current_time() + self._limits.patience
        try:
            while await self._turn(lane, ticket, latest):
                try:
                    result = await work()
                except FloodError as flood:
                    self._floods += 1
                    now = anyio.current_time()
                    lane.bars[method] = _Bar(now + flood.seconds, flood.reason)
                    if newest and any(other.about == about for other in lane.line):
                        self._outdated += 1
                        return None
                    lane.line.insert(0, ticket)
                else:
                    self._sent += 1
                    return result
                finally:
                    lane.busy = None
                    lane.wake()
            return None
        finally:
            if ticket in lane.line:
                lane.line.remove(ticket)
                lane.wake()

    def _lane(self, chat_id: int) -> _Lane:
        lane = self._lanes.get(chat_id)
        if lane is None:
            if len(self._lanes) >= self._sweep_at:
                now = anyio.current_time()
                self._lanes = {chat: kept for chat, kept in self._lanes.items() if not kept.idle(now)}
                self._sweep_at = max(256, 2 * len(self._lanes))
            limits = self._limits
            pace: Pace = Bucket(limits.burst, 1 / limits.per_second)
            if chat_id < 0:
                pace = Paces(pace, Window(limits.per_minute, 60.0))
            lane = self._lanes[chat_id] = _Lane(pace)
        return lane

    def _enter(self, lane: _Lane, ticket: _Ticket) -> None:
        older = [other for other in lane.line if other.newest and other.about == ticket.about]
        for old in older:
            lane.line.remove(old)
            old.outdated = True
            old.changed.set()
        self._outdated += len(older)
        lane.wake()
        if len(lane.line) >= self._limits.waiting:
            self._refused += 1
            raise SendError("busy")
        lane.line.append(ticket)

    async def _turn(self, lane: _Lane, ticket: _Ticket, latest: float) -> bool:
        """Wait until the ticket may go; False if it need not go any more."""
        while not ticket.outdated:
            now = anyio.current_time()
            opens, why = lane.opens(ticket, now)
            if now >= latest or (latest < opens < math.inf):
                self._refused += 1
                raise SendError(why)
            if opens <= now:
                lane.busy = ticket
                lane.line.remove(ticket)
                await self._start(lane, ticket, now)
                return True
            ticket.changed = anyio.Event()
            with anyio.CancelScope(deadline=min(opens, latest)):
                await ticket.changed.wait()
        return False

    async def _start(self, lane: _Lane, ticket: _Ticket, now: float) -> None:
        """Book a place in the overall limit, first come first served, and wait for it."""
        moment = self._overall.ready(now)
        self._overall.take(moment)
        if ticket.paced:
            lane.pace.take(moment)
        if moment > now:
            try:
                await anyio.sleep_until(moment)
            except BaseException:
                lane.busy = None
                lane.wake()
                raise
