"""The assistant in voice chats: implements ``ports.Calls`` and ``ports.Call``.

    calls = VoiceCalls(account)             # before the account is started, so that no update is missed
    await account.start()
    async with calls:
        call = calls.of(chat_id, on_lost)
        await call.join(deck)

Its parts: ``voice_call`` one call, ``voice_engine`` the native side, ``voice_chats`` Telegram's side of it.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

import anyio

from ryzen.telegram.client import Account
from ryzen.telegram.voice_call import LEAVE_WITHIN, GroupCall, OnLost
from ryzen.telegram.voice_chats import Gone, VoiceChats
from ryzen.telegram.voice_engine import Engine, Link
from ryzen.telegram.voice_errands import Errands

#: Seconds between two questions whether Telegram still has us; official clients ask every 10.
CHECK_EVERY = 20.0
#: For leaving or releasing all calls at the end.
CLOSE_WITHIN = LEAVE_WITHIN + 3.0


class VoiceCalls:
    """All calls of one assistant account. A chat has one call: ``of`` twice gives the same.

    From then on the newer ``on_lost`` is told. Needs asyncio, as its libraries do.
    """

    def __init__(self, account: Account, *, leave_at_end: bool = False) -> None:
        """``leave_at_end``: the end of the block leaves the calls, rather than releasing them."""
        self._account, self._leave_at_end = account, leave_at_end
        self._chats = VoiceChats(account, self._on_gone)
        self._calls: dict[int, GroupCall] = {}
        self._errands = Errands()
        self.take = self._chats.take  #: a ``client.Listener``
        account.listen(self.take)

    async def __aenter__(self) -> Self:
        self._engine = Engine(self._account, self._on_link, self._on_end)
        await self._engine.start()
        self._errands.start(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends all calls; after ``CLOSE_WITHIN`` seconds what has not ended is given up."""
        ends = [call.leave if self._leave_at_end else call.release for call in self._calls.values()]
        with anyio.move_on_after(CLOSE_WITHIN, shield=True):
            await asyncio.gather(*(end() for end in ends))
        await self._errands.end()

    def of(self, chat_id: int, on_lost: OnLost) -> GroupCall:
        call = self._calls.get(chat_id)
        if call is None:
            call = GroupCall(chat_id, self._engine, self._chats, self._errands, on_lost)
            self._calls[chat_id] = call
        call.on_lost = on_lost
        return call

    async def in_engine(self) -> frozenset[int]:
        """The chats of which the native engine has a call, whatever we think."""
        return await self._engine.chats()

    # -- what happens to calls
    def _on_link(self, chat_id: int, link: Link) -> None:
        if (call := self._calls.get(chat_id)) is not None:
            self._errands.soon(call.on_link, link)

    def _on_end(self, chat_id: int) -> None:
        if (call := self._calls.get(chat_id)) is not None:
            self._errands.soon(call.on_end)

    def _on_gone(self, gone: Gone) -> None:
        for call in self._calls.values():
            call.on_gone(gone)

    async def _watch(self) -> None:
        """A media server that vanishes is never reported by the engine, nor an update that we missed."""
        while True:
            await anyio.sleep(CHECK_EVERY)
            async with anyio.create_task_group() as tasks:
                for call in self._calls.values():
                    tasks.start_soon(call.check)
