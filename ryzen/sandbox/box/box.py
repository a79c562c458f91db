"""Telegram in a box: accounts, groups and voice chats, served over MTProto on loopback.

    async with Box.serve(media=media) as box:
        owner = box.add_user(1, "Olga")
        bot = box.add_user(2, "Music", "music_bot", bot=True, token="2:token")
        group = box.add_group(1001, "Friends", owner, members=[bot])
        client = Client("bot", api_id=1, api_hash="x", session_string=box.session_string(bot.id),
                        in_memory=True, connection_factory=local_connection(box.host, box.port))
        await box.say(group, owner, "/play tone 440")

The state is in memory and dies with the box.
"""

from __future__ import annotations

import asyncio
import functools
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from anyio.abc import TaskGroup

from ryzen.beside import beside
from ryzen.sandbox.box import requests as _handlers  # noqa: F401 - importing it registers them
from ryzen.sandbox.box.client import require_loopback
from ryzen.sandbox.box.connection import Connection
from ryzen.sandbox.box.keys import AuthKey, RsaKey
from ryzen.sandbox.box.people import People
from ryzen.sandbox.box.posting import announce
from ryzen.sandbox.box.records import RIGHTS, Admin, Group, User
from ryzen.sandbox.box.rpc import Dispatcher
from ryzen.sandbox.box.srp import Password
from ryzen.sandbox.box.tl import T
from ryzen.sandbox.box.transport import Packets

if TYPE_CHECKING:
    from ryzen.sandbox.media import MediaServer

CALLBACK_PATIENCE = 10.0  # seconds; https://core.telegram.org/api/bots/buttons
# what reading raises when the client has gone
_GONE = (asyncio.IncompleteReadError, ConnectionResetError, ConnectionAbortedError, BrokenPipeError)


class Box(People):
    """The server; made by ``Box.serve``. What people do in it is in ``People``."""

    def __init__(self, tasks: TaskGroup, media: MediaServer | None, patience: float) -> None:
        super().__init__(media, patience)
        self.requests = Dispatcher(self, self.faults, tasks)
        self.refusing = False  #: True: new connections are closed at once
        self.transports: Counter[str] = Counter()  #: connections by transport
        self._connections: set[Connection] = set()

    @classmethod
    @asynccontextmanager
    async def serve(
        cls,
        media: MediaServer | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        patience: float = CALLBACK_PATIENCE,
    ) -> AsyncIterator[Box]:
        """A box that listens; port 0 takes a free one. Without ``media`` voice chats are signalling only.

        Leaving closes every connection and ends every task. Raises ValueError unless ``host`` is loopback.
        Needs asyncio, as the client library does.
        """
        require_loopback(host)
        async with beside() as tasks:
            box = cls(tasks, media, patience)
            server = await asyncio.start_server(functools.partial(box._accept, tasks), host, port)
            box.host, box.port = server.sockets[0].getsockname()[:2]
            try:
                yield box
            finally:
                server.close()
                for connection in box._connections:  # one whose task has not begun would stay open
                    connection.cut()

    def _accept(self, tasks: TaskGroup, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(
            Packets(reader, writer), self.sessions, lambda: self.rsa, self.requests.receive
        )
        self._connections.add(connection)
        tasks.start_soon(self._converse, connection)

    async def _converse(self, connection: Connection) -> None:
        with self.requests.noting_bugs("a connection"):
            try:
                if not self.refusing:
                    await connection.packets.recognise()
                    self.transports[connection.packets.name] += 1
                    await connection.serve()
            except _GONE:
                pass
            finally:
                connection.packets.close()
                self._connections.discard(connection)

    # -- keys and sessions
    @functools.cached_property
    def rsa(self) -> RsaKey:
        """The box's own key pair, made when it is first needed; see ``keys.trust``."""
        return RsaKey()

    def session_string(self, user_id: int, api_id: int = 1) -> str:
        """A session that both sides know already: no key exchange, no login."""
        user = self.world.users[user_id]
        auth = AuthKey(user_id=user_id)
        self.sessions.add_key(auth)
        return auth.session_string(user_id, user.bot, api_id)

    def drop_connections(self, user_id: int | None = None) -> int:
        """Cut the connections of an account, or all; returns how many there were."""
        cut = [
            one
            for one in self._connections
            if user_id is None or (one.session is not None and one.session.auth.user_id == user_id)
        ]
        for connection in cut:
            connection.cut()
        return len(cut)

    def expire_files(self) -> None:
        """What clients know of files is too old from now on; reading the message again helps."""
        self.files.expire()
        for group in self.world.groups.values():
            for message in group.ledger.messages.values():
                message.seen_as.clear()

    # -- seeding: nobody is told
    def add_user(
        self,
        user_id: int,
        name: str,
        username: str | None = None,
        *,
        bot: bool = False,
        token: str | None = None,
        phone: str | None = None,
        password: str | None = None,
    ) -> User:
        """``phone`` in digits; ``password`` is the two-step one."""
        secret = Password(password) if password else None
        user = User(user_id, name, username, bot=bot, token=token, phone=phone, password=secret)
        self.world.users[user_id] = user
        return user

    def add_group(
        self,
        group_id: int,
        title: str,
        owner: User,
        members: Iterable[User] = (),
        admins: Iterable[User] = (),
        *,
        username: str | None = None,
        join_request: bool = False,
    ) -> Group:
        """``admins`` have every right but to be anonymous; they need not be named among the members."""
        group = Group(group_id, title, owner, username=username, join_request=join_request)
        admins = tuple(admins)
        group.members = {one.id: one for one in (owner, *admins, *members)}
        group.admins = {one.id: Admin(RIGHTS, owner.id) for one in admins}
        self.world.groups[group_id] = group
        announce(self, group, owner, T.MessageActionChannelCreate(title=title))
        return group

    # -- what tests look at
    @property
    def unknown(self) -> set[str]:
        """Methods that a client called and nobody has written."""
        return self.requests.unknown

    @property
    def bugs(self) -> list[str]:
        """Tracebacks of the box's own mistakes."""
        return self.requests.bugs

    @property
    def calls(self) -> Counter[str]:
        """How often each method was called."""
        return self.requests.counts
