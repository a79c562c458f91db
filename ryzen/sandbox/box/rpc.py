"""Requests: which function answers which, and what becomes of its answer, or of its trouble."""

from __future__ import annotations

import gzip
import inspect
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

import anyio
import attrs
from anyio.abc import TaskGroup
from loguru import logger
from pyrogram.raw.core import Int, Long
from pyrogram.raw.core.primitives import Bytes

from ryzen.sandbox.box.faults import Cut, Delay, Faults, Refuse, RequestError
from ryzen.sandbox.box.records import User
from ryzen.sandbox.box.sessions import Session
from ryzen.sandbox.box.telegram import Telegram
from ryzen.sandbox.box.tl import F, T, Tl, encode_result, repaired, unwrapped

_RPC_RESULT: Final = 0xF35C6D01
_GZIP_PACKED: Final = 0x3072CFA1
_GZIP_OVER: Final = 8192  # bytes
_CHANNELS: Final = -1_000_000_000_000
_WITHOUT_LOGIN: Final = ("auth.", "help.", "account.GetPassword", "langpack.")

_Handler = Callable[["Rpc"], Tl]  # its answer, or an awaitable of it
HANDLERS: Final[dict[type, _Handler]] = {}
_FOR_PEOPLE: Final[set[type]] = set()
_H = TypeVar("_H", bound=_Handler)


def on(*requests: type, bots: bool = True) -> Callable[[_H], _H]:
    """The decorated function answers these requests; it raises RequestError to refuse.

    ``bots``: whether Telegram lets bots ask this.
    """

    def register(handler: _H) -> _H:
        HANDLERS.update(dict.fromkeys(requests, handler))
        if not bots:
            _FOR_PEOPLE.update(requests)
        return handler

    return register


@attrs.frozen(eq=False)
class Rpc:
    """One call of one client."""

    box: Telegram
    session: Session
    request_id: int
    query: Tl

    @property
    def name(self) -> str:
        """As in the schema: ``messages.SendMessage``."""
        return str(self.query.QUALNAME).removeprefix("functions.")

    @property
    def me(self) -> User:
        """Who calls. Raises RequestError if nobody is logged in."""
        if self.session.auth.user_id is None:
            raise RequestError(401, "AUTH_KEY_UNREGISTERED")
        return self.box.world.users[self.session.auth.user_id]

    @property
    def chat_id(self) -> int | None:
        """Which chat it is about, if its arguments say so."""
        call: Tl = getattr(self.query, "call", None)
        for group in self.box.world.groups.values() if call is not None else ():
            if group.call is not None and group.call.id == call.id:
                return group.chat_id
        peer = getattr(self.query, "peer", None) or getattr(self.query, "channel", None)
        channel = getattr(peer, "channel_id", None)
        return _CHANNELS - channel if channel else getattr(peer, "user_id", None)

    def answer(self, result: Tl) -> None:
        body = encode_result(result)
        if len(body) > _GZIP_OVER and not isinstance(self.query, F.upload.GetFile):
            body = Int(_GZIP_PACKED, False) + bytes(Bytes(gzip.compress(body, 1)))
        self._send(body)

    def refuse(self, code: int, text: str) -> None:
        self._send(T.RpcError(error_code=code, error_message=text).write())

    def _send(self, body: bytes) -> None:
        self.session.send(Int(_RPC_RESULT, False) + Long(self.request_id) + body)


class Dispatcher:
    """Answers every request. What takes time runs in ``tasks``, the rest at once."""

    def __init__(self, box: Telegram, faults: Faults, tasks: TaskGroup) -> None:
        self.counts: Counter[str] = Counter()  #: calls by method
        self.unknown: set[str] = set()  #: methods that nobody has written
        self.bugs: list[str] = []  #: tracebacks: mistakes of the box, or clients that talk nonsense
        self.trace: list[tuple[int | None, str]] | None = (
            None  #: set to a list: (user id, method) of each call
        )
        self._box, self._faults, self._tasks = box, faults, tasks

    @contextmanager
    def noting_bugs(self, where: str) -> Iterator[None]:
        """A mistake of the box costs one request or connection, and is there to be seen in ``bugs``."""
        try:
            yield
        except Exception as bug:  # noqa: BLE001 - one client's request must not end Telegram for all the others
            self.bugs.append(traceback.format_exc())
            logger.error("local Telegram: {} in {}", type(bug).__name__, where)

    def receive(self, session: Session, request_id: int, query: Tl) -> None:
        rpc = Rpc(self._box, session, request_id, repaired(unwrapped(query)))
        self.counts[rpc.name] += 1
        if self.trace is not None:
            self.trace.append((session.auth.user_id, rpc.name))
        match self._faults.meet(rpc.name, rpc.chat_id, session.auth.user_id):
            case Refuse(code, text):
                rpc.refuse(code, text)
            case Delay(seconds):
                self._tasks.start_soon(self._answer_late, rpc, seconds)
            case Cut(handled):
                if session.connection is not None:
                    session.connection.cut()
                    session.detach(session.connection)
                if handled:
                    self._answer(rpc)
            case None:
                self._answer(rpc)

    async def _answer_late(self, rpc: Rpc, seconds: float) -> None:
        await anyio.sleep(seconds)
        self._answer(rpc)

    def _answer(self, rpc: Rpc) -> None:
        with self._refusing(rpc):
            result = self._handler(rpc)(rpc)
            if inspect.isawaitable(result):
                self._tasks.start_soon(self._finish, rpc, result)
            else:
                rpc.answer(result)

    async def _finish(self, rpc: Rpc, result: Tl) -> None:
        with self._refusing(rpc):
            rpc.answer(await result)

    def _handler(self, rpc: Rpc) -> _Handler:
        handler = HANDLERS.get(type(rpc.query))
        if handler is None:
            self.unknown.add(rpc.name)
            raise RequestError(400, "INPUT_METHOD_INVALID")
        if rpc.session.auth.user_id is None and not rpc.name.startswith(_WITHOUT_LOGIN):
            raise RequestError(401, "AUTH_KEY_UNREGISTERED")
        if type(rpc.query) in _FOR_PEOPLE and rpc.me.bot:
            raise RequestError(400, "BOT_METHOD_INVALID")
        return handler

    @contextmanager
    def _refusing(self, rpc: Rpc) -> Iterator[None]:
        sound = False
        with self.noting_bugs(rpc.name):
            try:
                yield
            except RequestError as fault:
                rpc.refuse(fault.code, fault.text)
            sound = True
        if not sound:
            rpc.refuse(400, "BOX_BUG")
