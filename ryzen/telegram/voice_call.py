"""One chat's call: joining, the deck, pause and mute, leaving, being lost.

How a join gets heard soon and surely:

- Offer (a new native call), JoinGroupCall, connect, and only then the deck: the engine reads it at once.
- ntgcalls 3.0.5 reports CONNECTED when the way to the media server is open. On a fast way or a busy machine
  the report is lost (``voice_engine`` says why). So it is waited for no longer than ``REPORT_WITHIN`` after
  ``connect``, and then the deck is given to the engine all the same. If the report was lost, the sound starts
  at once. If the way is only slow, it starts when the way opens, and what was read meanwhile goes unheard:
  that is why the deck is not given at once.
- Believed is the deck whose reader moves. A media server that never answers shows after 10 s, when the engine
  gives up: then the call is lost, UNREACHABLE.

A call's own operations go one after the other, in tasks of their own: a caller who is cancelled is gone at
once, and what was begun for him is brought to an end or undone behind him.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import attrs
from loguru import logger

from ryzen.errors import VoiceError, VoiceTrouble
from ryzen.ports import Deck
from ryzen.telegram.voice_chats import Gone, OutdatedError, Seat, SsrcError, VoiceChats
from ryzen.telegram.voice_engine import Engine, EngineError, Link
from ryzen.telegram.voice_errands import Errands

REPORT_WITHIN = 0.25  #: seconds for CONNECTED after connect; ICE and DTLS take 3 round trips
READ_WITHIN = 2.0  #: seconds until the engine reads a file it was given; 5 ms is usual
READ_LOOK = 0.005
JOIN_WITHIN = 15.0
LEAVE_WITHIN = 5.0
RELEASE_WITHIN = 1.0  #: a native call is over within 0.2 s; what takes longer goes on behind the caller
OFFERS = 3  #: how often a new SSRC is tried if Telegram says that it has ours already
CHECK_AGAIN = 2.0

OnLost = Callable[[VoiceTrouble, str], None]


@attrs.define(eq=False)
class Sitting:
    """One stay in a voice chat, from the offer to the end. What concerns an earlier one changes nothing."""

    scope: anyio.CancelScope = attrs.field(factory=anyio.CancelScope)  #: of the join
    linked: anyio.Event = attrs.field(factory=anyio.Event)
    seat: Seat | None = None
    joined: bool = False
    kept: bool = False  #: Telegram is not to be told of its end
    trouble: VoiceError | None = None


class GroupCall:
    """Implements ``ports.Call``; what each method promises is said there."""

    def __init__(
        self, chat_id: int, engine: Engine, chats: VoiceChats, errands: Errands, on_lost: OnLost
    ) -> None:
        self.on_lost = on_lost
        self._chat_id, self._engine, self._chats, self._errands = chat_id, engine, chats, errands
        self._lock = anyio.Lock()
        self._sitting: Sitting | None = None

    # -- ports.Call
    async def join(self, deck: Deck) -> None:
        await self._errands.run(self._join(deck))

    async def leave(self) -> None:
        """A join under way is undone and ends with VoiceError."""
        if self._sitting is not None and not self._sitting.joined:
            self._lose(self._sitting, VoiceTrouble.LOST, "left while joining")
        await self._errands.run(self._leave(), to_its_end=True)

    async def release(self) -> None:
        """A join under way ends with VoiceError; what it has asked Telegram already, Telegram may do."""
        sitting = self._sitting
        if sitting is None:
            return
        sitting.kept = True
        if not sitting.joined:
            self._lose(sitting, VoiceTrouble.LOST, "released while joining")
        with anyio.move_on_after(RELEASE_WITHIN):
            await self._errands.run(self._leave(), to_its_end=True)

    async def pause(self) -> None:
        await self._errands.run(self._command(self._engine.pause), to_its_end=True)

    async def resume(self) -> None:
        await self._errands.run(self._command(self._engine.resume), to_its_end=True)

    async def mute(self, muted: bool) -> None:
        await self._errands.run(
            self._command(lambda chat_id: self._engine.mute(chat_id, muted)), to_its_end=True
        )

    # -- joining
    async def _join(self, deck: Deck) -> None:
        async with self._lock:
            if self._sitting is not None and await self._change(self._sitting, deck):
                return
            for number in range(1, OFFERS + 1):
                try:
                    await self._enter(deck)
                except SsrcError:
                    logger.warning("voice {}: offer {} refused, its SSRC is taken", self._chat_id, number)
                else:
                    return
            raise VoiceError(VoiceTrouble.JOIN_REFUSED, f"{OFFERS} SSRCs were said to be taken")

    async def _change(self, sitting: Sitting, deck: Deck) -> bool:
        try:
            await self._attach(deck)
        except (EngineError, TimeoutError) as error:
            logger.warning("voice {}: no other deck can be attached, joining anew: {}", self._chat_id, error)
            await self._quit(sitting)
            return False
        return True

    async def _enter(self, deck: Deck) -> None:
        sitting = self._sitting = Sitting()
        begun = anyio.current_time()
        try:
            with anyio.fail_after(JOIN_WITHIN), sitting.scope:
                await self._connect(sitting)
                with anyio.move_on_after(REPORT_WITHIN):
                    await sitting.linked.wait()
                await self._attach(deck)
                sitting.joined = True
        except EngineError as error:
            raise VoiceError(VoiceTrouble.LOST, f"the voice engine failed: {error}") from error
        except TimeoutError as error:
            raise VoiceError(VoiceTrouble.UNREACHABLE, f"not joined within {JOIN_WITHIN:g} s") from error
        finally:
            if not sitting.joined:
                await self._quit(sitting)
        if sitting.trouble is not None:
            raise sitting.trouble
        logger.info(
            "voice {}: joined in {:.0f} ms{}",
            self._chat_id,
            1000 * (anyio.current_time() - begun),
            "" if sitting.linked.is_set() else ", connection not reported (yet)",
        )

    async def _connect(self, sitting: Sitting) -> None:
        offer = await self._engine.offer(self._chat_id)
        try:
            answer = await self._take_seat(sitting, offer)
        except OutdatedError:
            answer = await self._take_seat(sitting, offer)
        await anyio.lowlevel.checkpoint()
        await self._engine.connect(self._chat_id, answer)

    async def _take_seat(self, sitting: Sitting, offer: str) -> str:
        sitting.seat = await self._chats.find(self._chat_id, offer)
        try:
            return await self._chats.join(sitting.seat, offer)
        except VoiceError as error:
            if error.trouble is VoiceTrouble.FLOODED:
                sitting.seat = None  # nobody sits there, so that there is nothing to leave
            raise

    async def _attach(self, deck: Deck) -> None:
        await self._engine.read(self._chat_id, deck.renew())
        with anyio.fail_after(READ_WITHIN):
            while not deck.bytes_read():  # noqa: ASYNC110 - only looking tells: no reader is reported
                await anyio.sleep(READ_LOOK)

    # -- leaving
    async def _leave(self) -> None:
        async with self._lock:
            if (sitting := self._sitting) is not None:
                await self._quit(sitting)
                logger.info("voice {}: {}", self._chat_id, "released" if sitting.kept else "left")

    async def _quit(self, sitting: Sitting) -> None:
        """Undo whatever there is of it: in the engine, then with Telegram. In bounded time; never raises.

        What is ``kept`` stays with Telegram: only a join of this account can take the seat over.
        """
        if self._sitting is sitting:
            self._sitting = None
        with anyio.CancelScope(shield=True):
            try:
                await self._engine.drop(self._chat_id)
            except EngineError as error:
                logger.error("voice {}: the engine does not let go: {}", self._chat_id, error)
            closed = sitting.trouble is not None and sitting.trouble.trouble is VoiceTrouble.CLOSED
            if sitting.seat is not None and not closed and not sitting.kept:
                with anyio.move_on_after(LEAVE_WITHIN):
                    await self._chats.leave(sitting.seat)

    # -- pause, resume and mute
    async def _command(self, command: Callable[[int], Coroutine[Any, Any, None]]) -> None:
        async with self._lock:
            sitting = self._sitting
            if sitting is None:
                return
            try:
                await command(self._chat_id)
            except EngineError as error:
                self._lose(sitting, VoiceTrouble.LOST, f"the voice engine failed: {error}")

    # -- being lost
    def on_link(self, link: Link) -> None:
        sitting = self._sitting
        if sitting is None:
            return
        match link:
            case Link.UP:
                sitting.linked.set()
            case Link.SILENT:
                self._lose(sitting, VoiceTrouble.UNREACHABLE, "the media server does not answer")
            case Link.BROKEN:
                self._lose(sitting, VoiceTrouble.LOST, "the media connection broke")

    def on_end(self) -> None:
        if self._sitting is not None:
            self._lose(self._sitting, VoiceTrouble.LOST, "the end of the deck")

    def on_gone(self, gone: Gone) -> None:
        sitting = self._sitting
        if sitting is not None and sitting.seat is not None and gone.concerns(sitting.seat):
            self._lose(sitting, gone.trouble, gone.detail)

    async def check(self) -> None:
        """Ask Telegram whether it still has us; a no counts if it is said twice."""
        sitting = self._sitting
        if sitting is None or sitting.seat is None or not sitting.joined:
            return
        try:
            if await self._chats.sits(sitting.seat):
                return
            await anyio.sleep(CHECK_AGAIN)
            if await self._chats.sits(sitting.seat):
                return
        except VoiceError:
            return  # it will not say: asked again in its turn
        self._lose(sitting, VoiceTrouble.LOST, "Telegram has us in the voice chat no more")

    def _lose(self, sitting: Sitting, trouble: VoiceTrouble, detail: str) -> None:
        if sitting is not self._sitting:
            return  # it was left, or lost, already
        sitting.trouble = VoiceError(trouble, detail)
        if not sitting.joined:
            sitting.scope.cancel()  # the join says it
            return
        logger.warning("voice {}: {}", self._chat_id, sitting.trouble)
        self._sitting = None
        self._errands.start(self._bury(sitting))
        self._errands.soon(
            self.on_lost, trouble, detail
        )  # what it raises is not for whoever brought the news

    async def _bury(self, sitting: Sitting) -> None:
        async with self._lock:
            await self._quit(sitting)
