"""The stage for the laws of what goes in and out: a local Telegram, a bot, an assistant and two groups."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import attrs

from ryzen.ports import Incoming
from ryzen.sandbox.box import Box, Group, User, local_connection
from ryzen.sandbox.box.keys import RsaKey, trust
from ryzen.telegram.client import Access, Account
from ryzen.telegram.governor import Limits
from ryzen.telegram.groups import AccountGroups
from ryzen.telegram.inbox import Inbox
from ryzen.telegram.outbox import BotOutbox

PATIENCE = 5.0  # seconds; for what takes milliseconds
TOKEN = "201000000:token-of-the-bot-which-nobody-may-see"
FREE = Limits(burst=1000, per_second=1000.0, per_minute=1000, overall=1000)


@functools.cache
def key() -> RsaKey:
    """One pair for all boxes of these tests: making it takes longer than most of them."""
    made = RsaKey()
    trust(made.public)
    return made


@attrs.define
class Heard:
    """What came in, in order."""

    all: list[Incoming] = attrs.field(factory=list)
    _more: anyio.Event = attrs.field(factory=anyio.Event)

    def __call__(self, incoming: Incoming) -> None:
        self.all.append(incoming)
        self._more.set()
        self._more = anyio.Event()

    async def next(self, kind: type, fits: Callable[[Any], Any] = lambda _: True) -> Any:
        """The first of this kind that fits, or the next one; it is used up."""
        with anyio.fail_after(PATIENCE):
            while True:
                for one in self.all:
                    if isinstance(one, kind) and fits(one):
                        self.all.remove(one)
                        return one
                await self._more.wait()

    def of(self, kind: type) -> list[Any]:
        return [one for one in self.all if isinstance(one, kind)]


@attrs.frozen
class Street:
    box: Box
    owner: User
    member: User
    bot: User
    helper: User  #: the assistant's account
    group: Group
    other: Group

    @property
    def access(self) -> Access:
        return Access(1, "hash-which-nobody-may-see", local_connection(self.box.host, self.box.port))

    @asynccontextmanager
    async def bot_online(self, heard: Heard | None = None, **inbox: Any) -> AsyncIterator[Account]:
        account = self.access.bot(TOKEN)
        account.listen(Inbox(heard or Heard(), now=inbox.pop("now", account.now), **inbox).take)
        await account.start(within=PATIENCE)
        try:
            yield account
        finally:
            await account.stop()

    @asynccontextmanager
    async def helper_online(self) -> AsyncIterator[Account]:
        account = self.access.assistant(self.box.session_string(self.helper.id))
        await account.start(within=PATIENCE)
        try:
            yield account
        finally:
            await account.stop()

    @asynccontextmanager
    async def outbox(self, limits: Limits = FREE) -> AsyncIterator[BotOutbox]:
        async with self.bot_online() as account:
            yield BotOutbox(account, limits)

    @asynccontextmanager
    async def groups(self) -> AsyncIterator[tuple[AccountGroups, Account]]:
        async with self.bot_online() as bot, self.helper_online() as helper:
            yield AccountGroups(bot, helper), helper

    def texts(self, group: Group | None = None) -> list[str]:
        """What stands in the group now."""
        messages = (group or self.group).ledger.messages.values()
        return [one.text for one in messages if one.action is None]


@asynccontextmanager
async def street() -> AsyncIterator[Street]:
    """In the end the box must know of no bug of its own, and of no method that it lacks."""
    async with Box.serve() as box:
        box.rsa = key()
        owner = box.add_user(101, "Olga", "olga")
        member = box.add_user(102, "Max")
        bot = box.add_user(201, "Music", "music_bot", bot=True, token=TOKEN)
        helper = box.add_user(301, "Helper", "helper")
        group = box.add_group(2_500_000_123, "Friends", owner, [member], [bot])
        other = box.add_group(2_500_000_456, "Others", owner, [member], [bot])
        yield Street(box, owner, member, bot, helper, group, other)
        assert not box.bugs, box.bugs[0]
        assert not box.unknown


async def until(condition: Callable[[], Any]) -> Any:
    """What the condition gives once it is true."""
    with anyio.fail_after(PATIENCE):
        while not (value := condition()):
            await anyio.sleep(0.005)
        return value
