"""One account's line to Telegram: a kurigram client made to fit a bot that must not stall.

What kurigram 2.2.26 does by itself and what is done about it here:
- a request in flight when the connection breaks waits 15 s for its answer, and one sent while there is no
  connection is dropped without a word and waits, too: both are sent again once the line is up;
- a key that the server does not know ends the reader in silence: ``refused`` says so;
- a server that hangs up is called again at once, for ever: attempts get rarer;
- ``stop()`` with a dead server waits for such attempts: they are cut short;
- a cancelled request leaves an entry behind for good: requests run to their end in tasks of the line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import anyio
from loguru import logger
from pyrogram import raw
from pyrogram.connection import Connection
from pyrogram.errors import (
    InternalServerError,
    RandomIdDuplicate500,
    RPCError,
    ServiceUnavailable,
    Unauthorized,
)

from ryzen.errors import SendError
from ryzen.telegram.library import fitted_client
from ryzen.telegram.memory import Memory

R = TypeVar("R")

Listener = Callable[[Any, dict[int, Any], dict[int, Any]], None]
"""Takes (update, users by id, chats by id), on the event loop, in the order of arrival; must not wait."""

ANSWER_WITHIN = 15.0  #: seconds for one request on a connection that works
RARER, RAREST = 0.1, 5.0  #: seconds between attempts to connect, doubled each time
NO_ANSWER = "unreachable"


def reason_of(error: RPCError) -> str:
    """Telegram's own word for why, such as CHAT_WRITE_FORBIDDEN or FLOOD_WAIT_7."""
    word = error.ID or str(error.value or error.NAME)
    if error.ID and error.ID.endswith("_X") and error.value is not None:
        return f"{word[:-1]}{error.value}"
    return word.strip("[]").split(" ", 1)[-1] if not error.ID else word


class Line:
    """What the client, its connections and its requests share."""

    def __init__(self, name: str, api_id: int, api_hash: str, memory: Memory, base: type[Connection]) -> None:
        self.name, self.memory = name, memory
        self.listener: Listener | None = None
        self.refused: str | None = None  #: why Telegram will not have this account any more
        self.on_refused: Callable[[], None] = lambda: None
        self.closed = False
        self.client = fitted_client(self, name, api_id, api_hash, memory, base)
        self._attempts = 0  # since Telegram last knew us
        self._connections: set[Connection] = set()
        self._waits: set[anyio.CancelScope] = set()
        self._requests: set[asyncio.Task[Any]] = set()

    async def call(self, query: Any, within: float = 30.0, files_of: int | None = None) -> Any:
        """The answer, whatever happens to the connection meanwhile: the very same query is sent again.

        ``files_of`` asks the file servers of this data centre, on a connection of its own: a long file holds
        up nothing else.

        Raises RPCError if Telegram says no (also FloodWait: nothing is slept here), and SendError
        («unreachable») if there is no answer ``within`` seconds.
        """
        deadline, pause = anyio.current_time() + within, 0.1
        while True:
            try:
                answer = await self._unless_closed(lambda: self._request(query, files_of), deadline)
                if isinstance(answer, raw.types.BadMsgNotification):
                    raise ConnectionError(f"bad message: {answer.error_code}")
            except RandomIdDuplicate500:
                raise
            except Unauthorized as error:
                self.refuse(reason_of(error))
                raise
            except (OSError, InternalServerError, ServiceUnavailable) as error:
                if anyio.current_time() + pause >= deadline or self.closed:
                    raise SendError(NO_ANSWER) from error
                await anyio.sleep(pause)
                pause = min(2 * pause, 2.0)
            else:
                await self.client.fetch_peers(getattr(answer, "users", []))
                await self.client.fetch_peers(getattr(answer, "chats", []))
                return answer

    async def up(self) -> None:
        """Wait for a connection on which Telegram knows who we are."""
        await self.client.session.is_started.wait()

    async def _unless_closed(self, work: Callable[[], Any], deadline: float = float("inf")) -> Any:
        """Raises ConnectionAbortedError if the line is closed, or the deadline reached, before it is done."""
        with anyio.CancelScope(deadline=deadline) as scope:
            self._waits.add(scope)
            try:
                if not self.closed:
                    return await work()
            finally:
                self._waits.discard(scope)
        raise ConnectionAbortedError

    async def _request(self, query: Any, files_of: int | None) -> Any:
        await self.up()
        task = asyncio.ensure_future(self._send(query, files_of))
        self._requests.add(task)
        task.add_done_callback(self._settled)
        return await asyncio.shield(task)

    async def _send(self, query: Any, files_of: int | None) -> Any:
        session = self.client.session
        if files_of is not None:
            session = await self.client.get_session(files_of, is_media=True)
            await session.is_started.wait()
        return await session.send(query, timeout=ANSWER_WITHIN)

    def _settled(self, task: asyncio.Task[Any]) -> None:
        self._requests.discard(task)
        if not task.cancelled():
            task.exception()  # whoever asked may be gone; asyncio would log it as never retrieved

    # -- what Telegram sends
    def hear(self, update: Any, users: dict[int, Any], chats: dict[int, Any]) -> None:
        if self.listener is not None:
            self.listener(update, users, chats)

    async def hear_short(self, short: Any) -> None:
        """A private message as Telegram abbreviates it: who sent it must be asked for.

        Only this message waits; kurigram handles each packet in a task of its own.
        """
        if self.listener is None or short.out:
            return
        try:
            users = await self.call(
                raw.functions.users.GetUsers(id=[raw.types.InputUser(user_id=short.user_id, access_hash=0)])
            )
        except (RPCError, SendError) as error:
            logger.warning("{}: a private message is lost: {}", self.name, type(error).__name__)
            return
        await self.client.fetch_peers(users)
        peer = raw.types.PeerUser(user_id=short.user_id)
        message = raw.types.Message(
            id=short.id,
            peer_id=peer,
            from_id=peer,
            date=short.date,
            message=short.message,
            reply_to=short.reply_to,
        )
        update = raw.types.UpdateNewMessage(message=message, pts=short.pts, pts_count=short.pts_count)
        self.hear(update, {user.id: user for user in users}, {})

    # -- what the connections report
    def refuse(self, reason: str) -> None:
        if self.refused is None:
            self.refused = reason
            self.on_refused()

    async def connected(self, _client: Any, _session: Any) -> None:
        self._attempts = 0

    async def disconnected(self, _client: Any, session: Any) -> None:
        """kurigram stops the session of a running client only if Telegram refuses it at a reconnection.

        Then it raises in a task whose exception nobody would ever see; so that task ends here.
        """
        if self.client.is_initialized and session is self.client.session and session._must_stay_stopped:
            self.refuse("SESSION_REVOKED")
            raise asyncio.CancelledError

    def broken(self, connection: Connection) -> None:
        """Requests that wait for an answer on this connection need not wait any longer."""
        client = self.client
        sessions = (client.session, *client.sessions.values(), *client.media_sessions.values())
        for session in sessions:
            if session is not None and session.connection is connection:
                for result in session.results.values():
                    result.event.set()

    def gone(self, connection: Connection) -> None:
        self._connections.discard(connection)

    async def attempt(self, connection: Connection, connect: Callable[[], Any]) -> None:
        """Connect, unless and until the line is closed; then the task that wanted it ends."""
        self.broken(connection)
        if self.refused is not None:
            raise asyncio.CancelledError
        self._connections.add(connection)
        try:
            # The first two are free: a key exchange has a connection of its own.
            if self._attempts > 1:
                pause = min(RARER * 2**self._attempts, RAREST)
                await self._unless_closed(lambda: anyio.sleep(pause))
            self._attempts += 1
            await self._unless_closed(connect)
        except ConnectionAbortedError:
            if self.closed:
                raise asyncio.CancelledError from None
            raise

    async def close(self, within: float = 5.0) -> None:
        """Stop in bounded time, whatever the state and the server. Not cancelled with its caller."""
        self.closed = True
        for wait in tuple(self._waits):
            wait.cancel()
        with anyio.move_on_after(within, shield=True) as scope:
            await self._stop()
        if scope.cancelled_caught:
            logger.warning("{}: did not stop within {} s", self.name, within)
        with anyio.move_on_after(1.0, shield=True):
            for connection in list(self._connections):
                await connection.close()
            for task in list(self._requests):
                task.cancel()
            await asyncio.gather(*self._requests, return_exceptions=True)
        self.client.executor.shutdown(wait=False)

    async def _stop(self) -> None:
        client = self.client
        try:
            if client.is_initialized:
                await client.terminate()
            if client.is_connected:
                await client.disconnect()
        except (OSError, RPCError) as error:
            logger.warning("{}: {} while stopping", self.name, type(error).__name__)
