"""A whole Ryzen in a Telegram and an internet of its own, for one test: the bot in another process, as in
the demo."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TypeVar

import anyio
import attrs
import numpy as np

from ryzen.bot.words import Words
from ryzen.sandbox.box import Entry, Group, Kind, PressAnswer, posting
from ryzen.sandbox.demo.process import BotProcess, Line
from ryzen.sandbox.demo.stage import Stage, set_stage
from ryzen.sandbox.internet import Internet, Site
from ryzen.sandbox.media import Heard, Peer
from ryzen.sandbox.synth import RATE, Wave

T = TypeVar("T")

#: The sweep starts here and rises so many Hz each second: what is heard tells the position.
SWEEP_FROM, SWEEP_RISE = 300.0, 40.0
LOOK = 0.02
#: Seconds of one packet of sound.
PACKET = 0.06
#: Root mean square above which it is sound.
AUDIBLE = 0.05

#: What the bot says, to be asked for by key: ``SAYS("track.forbidden").plain``.
SAYS = Words.load(assistant="@ryzen_voice")


def sweep(seconds: float) -> Wave:
    at = np.arange(int(seconds * RATE)) / RATE
    phase = 2 * np.pi * (SWEEP_FROM * at + SWEEP_RISE * at**2 / 2)
    return (0.35 * np.sin(phase)).astype(np.float32)


@attrs.define
class Scene:
    stage: Stage
    bot: BotProcess
    log: list[Line]

    def group(self, number: int = 1) -> Group:
        return self.stage.groups[number - 1]

    @property
    def internet(self) -> Internet:
        return self.stage.internet

    @property
    def state(self) -> Path:
        """The bot's own folder."""
        return Path(self.bot.environment["STATE_DIR"])

    # -- people
    async def say(
        self, text: str, group: int = 1, who: str | None = None, reply_to: int | None = None
    ) -> float:
        """When it was said."""
        said = time.monotonic()
        await self.stage.box.say(self.group(group), self.stage.person(who), text, reply_to)
        return said

    async def press(self, label: str, group: int = 1, who: str | None = None) -> PressAnswer:
        card = self.stage.box.newest_card(self.group(group))
        assert card is not None
        return await self.stage.box.press(self.group(group), self.stage.person(who), card.id, label)

    # -- eyes
    def entries(self, group: int = 1) -> list[Entry]:
        return self.stage.box.transcript.of(self.group(group).chat_id)

    async def read(self, words: str, group: int = 1, since: float = 0.0, within: float = 10.0) -> Entry:
        """Wait for a message, or an edit of one, of the bot with these words."""

        def found() -> Entry | None:
            return next(
                (
                    entry
                    for entry in self.entries(group)
                    if entry.sender == self.stage.bot.name
                    and entry.kind in (Kind.MESSAGE, Kind.EDIT)
                    and entry.at >= since
                    and words in entry.text
                ),
                None,
            )

        return await until(found, within, lambda: f"{words!r} in group {group}; {self.story(group)}")

    def cards(self, group: int = 1) -> list[int]:
        """The messages with buttons that are there."""
        messages = self.group(group).ledger.messages.values()
        return [message.id for message in messages if message.buttons]

    def delete(self, message: int, group: int = 1) -> None:
        """The owner deletes it."""
        assert posting.delete(self.stage.box, self.group(group), [message], self.stage.owner) == 1

    async def until_cards(self, number: int, group: int = 1, within: float = 10.0) -> None:
        """Wait until there are just so many cards."""

        def found() -> bool | None:
            return True if len(self.cards(group)) == number else None

        await until(found, within, lambda: f"{number} cards in group {group}; {self.story(group)}")

    # -- ears
    def peer(self, group: int = 1) -> Peer:
        peer = self.stage.peer(self.group(group))
        assert peer is not None, f"the assistant is not in the voice chat; {self.story(group)}"
        return peer

    async def until_heard(self, hz: float, group: int = 1, since: float = 0.0, within: float = 10.0) -> float:
        """When the tone was heard first."""

        def found() -> float | None:
            peer = self.stage.peer(self.group(group))
            return None if peer is None else peer.heard_at(hz, since)

        return await until(found, within, lambda: f"{hz} Hz in group {group}; {self.story(group)}")

    async def until_heard_anything(self, group: int = 1, within: float = 10.0) -> None:
        """Wait for a second of unbroken sound."""

        def found() -> bool | None:
            peer = self.stage.peer(self.group(group))
            heard = Heard() if peer is None else peer.hears(seconds=1.0)
            return True if heard.rms > 0.05 and heard.gap < 0.3 else None

        await until(found, within, lambda: f"sound in group {group}; {self.story(group)}")

    def longest_silence(self, since: float, group: int = 1) -> float:
        """The longest time without sound since then (ten seconds ago at most), in seconds; packets that come
        late, which the listener's own buffer makes up for, are a part of it."""
        peer, longest, silent = self.peer(group), 0.0, 0.0
        now = time.monotonic() - PACKET
        for number in range(int((now - since) / PACKET)):
            begin = since + number * PACKET
            quiet = peer.hears(begin, until=begin + PACKET).rms < AUDIBLE
            silent = silent + PACKET if quiet else 0.0
            longest = max(longest, silent)
        return longest

    async def hears(self, seconds: float = 1.0, group: int = 1) -> Heard:
        """Listen for so long from now."""
        since = time.monotonic()
        await anyio.sleep(seconds)
        return self.peer(group).hears(since)

    async def position(self, group: int = 1) -> tuple[float, float]:
        """A moment, and where in the sweep the listener was at that moment, in seconds."""
        since = time.monotonic()
        await anyio.sleep(0.4)
        heard = self.peer(group).hears(since)
        assert heard.rms > 0.05, heard
        return since + 0.2, (heard.hz - SWEEP_FROM) / SWEEP_RISE  # the loudest tone is that of the middle

    # -- the bot's own words
    def sessions(self) -> list[str]:
        """The session string that the bot was started with."""
        return [self.bot.environment["SESSION"]]

    def story(self, group: int) -> str:
        """All that was written and heard in a group, and what the bot logged: for the reader of a failure."""
        heard = Heard() if self.stage.peer(self.group(group)) is None else self.peer(group).hears()
        said = [(round(e.at, 2), str(e.kind), e.text) for e in self.entries(group)]
        return "\n".join(map(str, [heard, *said, *self.log[-20:]]))

    def grave(self) -> list[str]:
        return [
            line["text"]
            for line in self.log
            if line["kind"] == "log" and line["level"] in ("ERROR", "CRITICAL")
        ]


async def until(look: Callable[[], T | None], within: float, what: Callable[[], str]) -> T:
    deadline = time.monotonic() + within
    while (found := look()) is None:
        assert time.monotonic() < deadline, f"waited {within:g} s in vain for {what()}"
        await anyio.sleep(LOOK)
    return found


def last_sound(peer: Peer, since: float) -> float:
    """When it was last heard, to a packet (0.06 s)."""
    moment = since
    while peer.hears(moment, until=moment + 0.06).rms > 0.05:
        moment += 0.02
    return moment


async def resumed(s: Scene, group: int = 1) -> float:
    """Where in the sweep the new process began to be heard, in seconds."""
    started = s.bot.started_at

    def again() -> float | None:
        peer = s.stage.peer(s.group(group))
        first = None if peer is None else peer.first_sound_at
        return first if first is not None and first > started else None

    first = await until(again, 15.0, lambda: s.story(group))
    await anyio.sleep(0.5)
    moment, there = await s.position(group)
    return there - (moment - first)


@asynccontextmanager
async def scene(
    music: Path,
    state: Path,
    groups: int = 1,
    delay: float = 0.02,
    sites: Iterable[Site] = (),
    pointed: Mapping[str, Sequence[Sequence[str]]] | None = None,
    **settings: str,
) -> AsyncIterator[Scene]:
    """Everything up, the bot ready; at the end the bot is stopped by SIGTERM, which must end with 0.

    ``sites`` are all there is of the internet; ``pointed`` gives hosts of it other addresses, one answer of
    the DNS after another. The local Telegram must have known every request, and made no mistake of its own.
    """
    log: list[Line] = []
    async with set_stage(groups, delay, sites) as stage, anyio.create_task_group() as tasks:
        for host, answers in (pointed or {}).items():
            stage.internet.network.point(host, *answers)
        environment = {"MUSIC_DIR": str(music), "STATE_DIR": str(state), **settings}
        bot = BotProcess(stage, environment, tasks, log.append)
        await bot.start()
        yield Scene(stage, bot, log)
        assert await bot.stop() == 0
        tasks.cancel_scope.cancel()
    assert stage.box.unknown == set()
    assert stage.box.bugs == []


Opener = Callable[..., AbstractAsyncContextManager[Scene]]
