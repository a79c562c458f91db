"""The stage for the laws of the voice adapter: a local Telegram, its media server, an assistant, decks."""

from __future__ import annotations

import fcntl
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import attrs
import numpy as np

from ryzen.errors import VoiceTrouble
from ryzen.sandbox.box import Box, local_connection
from ryzen.sandbox.box.records import Group, User
from ryzen.sandbox.media import MediaServer, Peer
from ryzen.telegram.client import Access, Account
from ryzen.telegram.voice import VoiceCalls
from ryzen.telegram.voice_call import GroupCall

RATE = 48_000
OWNER, ASSISTANT = 2_000_001, 2_000_002
FIRST_GROUP = 2_500_000_000  # above 2**31, as new groups are


class HumDeck:
    """Plays one tone from a file that ends after ``seconds``; as much of a ``ports.Deck`` as a call needs."""

    def __init__(self, hz: float, seconds: float = 120.0) -> None:
        at = np.arange(int(min(seconds, 20.0) * RATE))
        self._tone = (np.sin(2 * np.pi * hz * at / RATE) * 0.35 * 32767).astype(np.int16).tobytes()
        self._size = int(seconds * RATE) * 2
        self._files: list[int] = []

    def renew(self) -> str:
        descriptor = os.memfd_create("hum")
        os.ftruncate(descriptor, self._size)  # zeros where nothing is written
        os.pwrite(descriptor, self._tone, 0)
        self._files.append(descriptor)
        return f"/proc/self/fd/{descriptor}"

    @property
    def renewed(self) -> int:
        return len(self._files)

    def bytes_read(self) -> int:
        mine = os.fstat(self._files[-1])
        for entry in Path("/proc/self/fd").iterdir():
            try:
                theirs = entry.stat()
                if not os.path.samestat(mine, theirs):
                    continue
                if fcntl.fcntl(int(entry.name), fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
                    return int(Path(f"/proc/self/fdinfo/{entry.name}").read_text().split()[1])
            except OSError:
                continue  # closed meanwhile
        return 0

    def close(self) -> None:
        while self._files:
            os.close(self._files.pop())

    # what a call does not ask for
    def load(self, *_: object) -> None: ...
    def silence(self) -> None: ...
    def hold(self, held: bool) -> None: ...
    def position(self) -> tuple[int, float] | None:
        return None


@attrs.define
class Chat:
    """One group with its call, and what was said of its loss."""

    group: Group
    call: GroupCall
    lost: list[tuple[VoiceTrouble, str]] = attrs.field(factory=list)

    @property
    def id(self) -> int:
        return self.group.chat_id


@attrs.define
class Stage:
    box: Box
    media: MediaServer
    owner: User
    assistant: User
    session: str = attrs.field(repr=False)
    account: Account
    calls: VoiceCalls
    decks: list[HumDeck] = attrs.field(factory=list)
    chats: list[Chat] = attrs.field(factory=list)

    def deck(self, hz: float, seconds: float = 120.0) -> HumDeck:
        self.decks.append(HumDeck(hz, seconds))
        return self.decks[-1]

    async def chat(self, voice_chat: bool = True) -> Chat:
        """A group that the assistant is in and knows."""
        group = self.box.add_group(
            FIRST_GROUP + len(self.chats), "Music", self.owner, members=[self.assistant]
        )
        await self.box.say(group, self.owner, "hello")
        await until(lambda: self.account.knows(group.chat_id))
        if voice_chat:
            self.box.open_voice_chat(group)
        lost: list[tuple[VoiceTrouble, str]] = []
        call = self.calls.of(group.chat_id, lambda trouble, detail: lost.append((trouble, detail)))
        self.chats.append(Chat(group, call, lost))
        return self.chats[-1]

    async def back_in(self, before: Chat) -> Chat:
        """A group that another process has played in, as this one's account sees it."""
        await self.box.say(before.group, self.owner, "hello again")
        await until(lambda: self.account.knows(before.id))
        lost: list[tuple[VoiceTrouble, str]] = []
        call = self.calls.of(before.id, lambda trouble, detail: lost.append((trouble, detail)))
        return Chat(before.group, call, lost)

    @asynccontextmanager
    async def again(self) -> AsyncIterator[Stage]:
        """The next process: another client of the same session, with calls of its own."""
        async with _performing(self.box, self.media, self.session) as stage:
            yield stage

    def peer(self, chat: Chat) -> Peer:
        """The media server's end of the assistant's connection."""
        peer = self.box.call_of(chat.group).members[ASSISTANT].peer
        assert peer is not None
        return peer

    def is_listed(self, chat: Chat) -> bool:
        return chat.group.call is not None and ASSISTANT in chat.group.call.members

    async def hear(self, chat: Chat, hz: float, within: float = 5.0) -> Peer:
        peer = self.peer(chat)
        await peer.until_heard(hz, within=within)
        return peer

    async def is_in_engine(self, chat: Chat) -> bool:
        return chat.id in await self.calls.in_engine()


async def until(condition: Callable[[], object], within: float = 5.0) -> None:
    with anyio.fail_after(within):
        while not condition():
            await anyio.sleep(0.01)


@asynccontextmanager
async def voice_stage(delay: float = 0.02, *, leave_at_end: bool = False) -> AsyncIterator[Stage]:
    async with MediaServer.serve(delay=delay) as media, Box.serve(media=media) as box:
        box.add_user(OWNER, "Olga")
        box.add_user(ASSISTANT, "Assistant")
        session = box.session_string(ASSISTANT)
        async with _performing(box, media, session, leave_at_end=leave_at_end) as stage:
            yield stage


@asynccontextmanager
async def _performing(
    box: Box, media: MediaServer, session: str, *, leave_at_end: bool = False
) -> AsyncIterator[Stage]:
    account = Access(1, "x", local_connection(box.host, box.port)).assistant(session)
    calls = VoiceCalls(account, leave_at_end=leave_at_end)
    await account.start()
    users = box.world.users
    try:
        async with calls:
            stage = Stage(box, media, users[OWNER], users[ASSISTANT], session, account, calls)
            yield stage
        for deck in stage.decks:
            deck.close()
    finally:
        await account.stop()
