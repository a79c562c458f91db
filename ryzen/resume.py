"""After a start: every chat goes on where the process before left it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Protocol

import anyio
from anyio.abc import TaskStatus
from attrs import evolve
from loguru import logger

from ryzen.actors.ref import Ref
from ryzen.errors import ActorError, ActorStopped, MailboxFull
from ryzen.messages import Commit, FoundLate, Restorable, Saved, ToStore
from ryzen.player.state import Phase
from ryzen.records import Change, LiveChat, SaveLive
from ryzen.running import RunningChats, standing

#: Seconds that the first commands wait for the store, so that they find the chats as they were left.
PATIENCE = 5.0
#: Seconds between two questions to a store that is away.
AGAIN = 1.0
#: Seconds that the store may take for one answer; it gives up by itself a little earlier.
WITHIN = 12.0


class LifeSign(Protocol):
    """What is known of when an earlier process died, beside its heartbeats in the store."""

    def last(self, process: str) -> float | None:
        """Wall clock; None if it is another process that left the sign."""
        ...

    def take_over(self) -> None:
        """What it told is known now: from here on it is our own."""
        ...


class Restorer:
    """Restores what the store has, newest first, ``rate`` chats a second so that Telegram is not flooded."""

    def __init__(
        self,
        store: Ref[ToStore],
        chats: RunningChats,
        sign: LifeSign,
        rate: float,
        rng: random.Random | None = None,
    ) -> None:
        self._store, self._chats, self._sign, self._rate = store, chats, sign, rate
        self._rng = rng or random.Random()

    async def run(self, *, task_status: TaskStatus[None]) -> None:
        """«Started» once the chats are known, or have taken too long to be waited for. Then restores them."""
        known = anyio.Event()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._restore, known)
            with anyio.move_on_after(PATIENCE):
                await known.wait()
            if not known.is_set():
                logger.warning("the store does not answer: chats are restored as soon as it does")
            task_status.started()

    async def _restore(self, known: anyio.Event) -> None:
        try:
            waiting = self._know(await self._saved())
            known.set()
            await self._keep([SaveLive(live) for live in waiting])  # where they stand, whatever becomes of us
            self._sign.take_over()
            await self._wake(waiting)
        except ActorStopped:
            logger.info("stopping before every chat was restored")

    async def _saved(self) -> Saved:
        told: set[str] = set()
        while True:
            try:
                return await self._store.ask(Restorable(), within=WITHIN)
            except ActorStopped:
                raise
            except ActorError as error:
                if (cause := repr(error)) not in told:
                    logger.warning("nothing can be restored yet, and no player is written: {}", cause)
                    told.add(cause)
            await anyio.sleep(AGAIN)

    def _know(self, saved: Saved) -> list[LiveChat]:
        """Hand everything to the chats; returns those which have something to go on with."""
        waiting = []
        for live in reversed(saved.chats):  # of those that are too many to be remembered, the oldest go
            found = standing(live, self._died(live, saved.beats))
            if not self._chats.put_to_sleep(found):
                self._recollect(found)
            elif live.live or live.card is not None:
                waiting.append(found)
        return waiting[::-1]

    def _died(self, live: LiveChat, beats: Mapping[str, float]) -> float:
        signs = (live.saved_at, beats.get(live.process), self._sign.last(live.process))
        return max(sign for sign in signs if sign is not None)

    def _recollect(self, found: LiveChat) -> None:
        """This chat has begun anew while the store was away."""
        player = found.player
        line = (player.current, *player.queue) if player.current is not None else player.queue
        chat = self._chats.get(found.chat_id)
        if chat is None or not (line or found.card):
            return
        try:
            chat.tell(FoundLate(line, found.card))
        except (ActorStopped, MailboxFull) as error:
            logger.warning("chat {} could not be told of its old line: {!r}", found.chat_id, error)

    async def _wake(self, waiting: list[LiveChat]) -> None:
        if waiting:
            logger.info("restoring {} chats", len(waiting))
        for live in waiting:
            if await self._try(live):
                await anyio.sleep(self._rng.uniform(0.5, 1.5) / self._rate)

    async def _try(self, live: LiveChat) -> bool:
        """Counted durably before it is tried: a chat that kills us must not do so at every start.

        Returns False if there is nothing to do: somebody has asked for it before its turn came.
        """
        sounds = live.live and live.player.phase is not Phase.PAUSED  # else no sound is missed
        tried = evolve(live, attempts=live.attempts + sounds)
        if not self._chats.replace(live, tried):
            return False
        if sounds:
            await self._keep([SaveLive(tried)])
        self._chats.get(live.chat_id)  # waking it is all that it takes
        return True

    async def _keep(self, changes: list[Change]) -> None:
        if not changes:
            return
        try:
            await self._store.ask(Commit(tuple(changes)), within=WITHIN)
        except ActorStopped:
            raise
        except ActorError as error:
            logger.warning("what is to be restored could not be noted: {!r}", error)
