"""What of kurigram 2.2.26 is made to fit, by its own hooks where it has them.

- Every message is parsed, with requests of its own (replies, topics, senders): here updates go on raw.
- What connections meet is known to nobody: here they report it.
- An error that it does not know is appended to ``unknown_errors.txt`` in the working directory: never here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from pyrogram import Client, raw
from pyrogram.connection import Connection
from pyrogram.errors import RPCError
from pyrogram.storage import Storage

KEY_UNKNOWN = (-404).to_bytes(4, "little", signed=True)  #: core.telegram.org/mtproto/mtproto-transports


class Switchboard(Protocol):
    """Who is told of what a client and its connections meet."""

    def hear(self, update: Any, users: dict[int, Any], chats: dict[int, Any]) -> None: ...

    async def hear_short(self, short: Any) -> None:
        """An updateShortMessage: without the person who sent it."""
        ...

    async def attempt(self, connection: Connection, connect: Callable[[], Any]) -> None:
        """A connection is to be made; ``connect`` does it."""
        ...

    def broken(self, connection: Connection) -> None: ...

    def gone(self, connection: Connection) -> None:
        """Closed, by us."""
        ...

    def refuse(self, reason: str) -> None:
        """Telegram does not want this account."""
        ...

    async def connected(self, _client: Any, _session: Any) -> None:
        """Telegram knows who we are."""
        ...

    async def disconnected(self, _client: Any, session: Any) -> None: ...


def _keep_unknown_errors_out_of_the_working_directory() -> None:
    plain = RPCError.__init__

    def init(
        self: RPCError, value: object = None, rpc_name: str | None = None, *_: object, **known: bool
    ) -> None:
        plain(self, value, rpc_name, False, known.get("is_signed", False))

    RPCError.__init__ = init


_keep_unknown_errors_out_of_the_working_directory()


def fitted_client(
    line: Switchboard,
    name: str,
    api_id: int,
    api_hash: str,
    storage: Storage,
    base: type[Connection],
) -> Client:
    """Not started; it connects by way of ``base``, keeps nothing on disk, and never sleeps in a flood."""

    class LineConnection(base):  # type: ignore[misc] # kurigram is untyped
        async def connect(self) -> None:
            await line.attempt(self, super().connect)

        async def close(self) -> None:
            if self.protocol is not None:  # else it has never been tried, and kurigram does not expect that
                await super().close()
            line.gone(self)

        async def recv(self) -> bytes | None:
            packet: bytes | None = await super().recv()
            if packet == KEY_UNKNOWN:
                line.refuse("AUTH_KEY_UNREGISTERED")
                packet = None
            if packet is None:
                line.broken(self)
            return packet

    class LineClient(Client):  # type: ignore[misc] # kurigram is untyped
        async def handle_updates(self, updates: Any) -> None:
            self.last_update_time = datetime.now()  # noqa: DTZ005 # kurigram compares it with its own naive clock
            match updates:
                case raw.types.Updates() | raw.types.UpdatesCombined():
                    await self.fetch_peers(updates.users)
                    await self.fetch_peers(updates.chats)
                    users = {user.id: user for user in updates.users}
                    chats = {chat.id: chat for chat in updates.chats}
                    for update in updates.updates:
                        line.hear(update, users, chats)
                case raw.types.UpdateShort():
                    line.hear(updates.update, {}, {})
                case raw.types.UpdateShortMessage():
                    await line.hear_short(updates)

    LineClient.__module__ = Client.__module__  # py-tgcalls 3.0.0 looks there for which library it is
    client = LineClient(
        name,
        api_id=api_id,
        api_hash=api_hash,
        storage_engine=storage,
        connection_factory=LineConnection,
        workers=1,  # updates do not go that way
        sleep_threshold=0,
    )
    client.connect_handler, client.disconnect_handler = line.connected, line.disconnected
    return client
