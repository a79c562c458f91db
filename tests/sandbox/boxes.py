"""What the tests of the box share: a small town on it, and real clients whose updates can be awaited."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import attrs
from pyrogram import Client, raw
from pyrogram.handlers import RawUpdateHandler

from ryzen.sandbox.box import Box, Group, User, local_connection

T, F = raw.types, raw.functions
PATIENCE = 5.0  # seconds; for what takes milliseconds


@attrs.frozen
class Town:
    box: Box
    owner: User
    member: User
    stranger: User
    bot: User
    group: Group

    def client(self, user: User | None = None, **options: Any) -> Client:
        """Not started. With ``user`` its session is seeded; without it has to log in."""
        if user is not None:
            options["session_string"] = self.box.session_string(user.id)
        else:
            options.setdefault("in_memory", True)
        return Client(
            user.name if user else "nobody",
            api_id=1,
            api_hash="x",
            connection_factory=local_connection(self.box.host, self.box.port),
            workers=1,
            **options,
        )

    @asynccontextmanager
    async def online(self, user: User, **options: Any) -> AsyncIterator[Client]:
        """A started client which knows the group; ``client.inbox`` has its updates."""
        client = self.client(user, **options)
        client.inbox = Inbox(client)
        async with client:
            if not user.bot and user.id in self.group.members:
                async for _ in client.get_dialogs():
                    pass
            yield client


class Inbox:
    """The updates of one client, in order."""

    def __init__(self, client: Client) -> None:
        self.updates: list[Any] = []
        self.chats: dict[int, Any] = {}  # the newest view of each
        self._more = anyio.Event()
        client.add_handler(RawUpdateHandler(self._on_update), -1)

    async def _on_update(self, _: Client, update: Any, __: Any, chats: Any) -> None:
        self.chats.update(chats)
        self.updates.append(update)
        self._more.set()
        self._more = anyio.Event()

    async def next(self, kind: type, fits: Callable[[Any], Any] = lambda _: True) -> Any:
        """The first update of this kind that fits; it and what came before it are used up."""
        with anyio.fail_after(PATIENCE):
            while True:
                for i, update in enumerate(self.updates):
                    if isinstance(update, kind) and fits(update):
                        del self.updates[: i + 1]
                        return update
                await self._more.wait()

    async def text(self, text: str) -> Any:
        """The message with this text."""
        update = await self.next(
            T.UpdateNewChannelMessage, lambda u: getattr(u.message, "message", "") == text
        )
        return update.message


@asynccontextmanager
async def town(**options: Any) -> AsyncIterator[Town]:
    """A box with a group of an owner, a member and a bot; in the end it must know of no bug of its own."""
    async with Box.serve(**options) as box:
        owner = box.add_user(101, "Olga", "olga")
        member = box.add_user(102, "Max", phone="79990000102")
        stranger = box.add_user(103, "Sven", "sven", phone="79990000103", password="correct horse")
        bot = box.add_user(201, "Music", "music_bot", bot=True, token="201:token")
        group = box.add_group(
            2_500_000_123, "Friends", owner, [member, bot]
        )  # an id above 2**31, as new ones are
        yield Town(box, owner, member, stranger, bot, group)
        assert not box.bugs, box.bugs[0]
        assert not box.unknown
