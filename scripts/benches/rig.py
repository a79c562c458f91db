"""What the benches share: a bot in its own process, music to play, and how much it costs."""

from __future__ import annotations

import os
import tempfile
import time
import wave
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import attrs
import numpy as np

from ryzen.sandbox.box import Group
from ryzen.sandbox.demo.process import BotProcess, Line
from ryzen.sandbox.demo.stage import Stage, set_stage
from ryzen.sandbox.internet import Site
from ryzen.sandbox.synth import RATE, Wave
from ryzen.sandbox.tunes import make_music

LOOK = 0.005
_TICKS = os.sysconf("SC_CLK_TCK")


@attrs.frozen
class Rig:
    """``lines`` are all that the bot says."""

    stage: Stage
    bot: BotProcess
    lines: list[Line]

    @property
    def group(self) -> Group:
        return self.stage.groups[0]

    async def say(self, text: str, group: Group | None = None) -> float:
        """When it was said."""
        said = time.monotonic()
        await self.stage.box.say(group or self.group, self.stage.owner, text)
        return said

    async def first_rtp(self, group: Group, said: float, within: float = 15.0) -> float:
        """When the first packet came that is younger than ``said``. Raises TimeoutError."""
        with anyio.fail_after(within):
            while True:
                peer = self.stage.peer(group)
                if peer is not None and peer.first_rtp_at is not None and peer.first_rtp_at >= said:
                    return peer.first_rtp_at
                await anyio.sleep(LOOK)

    async def new_tone(self, group: Group, said: float, within: float = 15.0) -> float:
        """When another tone was heard. Raises TimeoutError."""
        with anyio.fail_after(within):
            while True:
                peer = self.stage.peer(group)
                if peer is not None and (changed := peer.tone_changed_at(said)) is not None:
                    return changed
                await anyio.sleep(LOOK)

    async def heard(self, hz: float, group: Group, said: float, within: float = 15.0) -> float:
        """When this tone was heard. Raises TimeoutError."""
        with anyio.fail_after(within):
            while True:
                peer = self.stage.peer(group)
                if peer is not None and (at := peer.heard_at(hz, said)) is not None:
                    return at
                await anyio.sleep(LOOK)

    async def ticks(self, seconds: float) -> Line:
        """How late a 10 ms tick of the bot's own loop is in so many seconds from now on, in milliseconds."""
        known = len(self.lines)
        await self.bot.order(do="ticks", seconds=seconds)
        with anyio.fail_after(seconds + 15):
            while True:
                for line in self.lines[known:]:
                    if line["kind"] == "ticks":
                        return line
                await anyio.sleep(LOOK)

    async def quiet(self, groups: Sequence[Group] = ()) -> None:
        """Stop the music everywhere, and wait until all calls are left."""
        for group in groups or (self.group,):
            await self.say("/stop", group)
        with anyio.fail_after(20):
            for group in groups or (self.group,):
                while self.stage.peer(group) is not None:
                    await anyio.sleep(LOOK)

    def processes(self) -> list[int]:
        """The bot and all its descendants."""
        assert self.bot.pid is not None
        family, parents = [self.bot.pid], _parents()
        for pid in family:
            family += [child for child, parent in parents.items() if parent == pid]
        return family

    def cpu(self) -> float:
        """Processor seconds that they have taken, children that have ended not counted."""
        return sum(_cpu(pid) for pid in self.processes())

    def rss(self) -> float:
        """Proportional memory in MB: what they share is counted once."""
        return sum(_pss(pid) for pid in self.processes()) / 1024


@asynccontextmanager
async def rig(
    groups: int = 1, music: Path | None = None, sites: Iterable[Site] = (), **more: str
) -> AsyncIterator[Rig]:
    """A bot that is ready, without limits on how often one may ask; ``sites`` are its internet, ``more`` are
    settings."""
    with tempfile.TemporaryDirectory(prefix="ryzen-bench-") as folder:
        settings = {
            "MUSIC_DIR": str(music or tones(Path(folder))),
            "STATE_DIR": folder,
            "PERSON_RATE": "0",
            "CHAT_RATE": "0",
            "LOG_LEVEL": "WARNING",
            **more,
        }
        lines: list[Line] = []
        async with set_stage(groups, sites=sites) as stage, anyio.create_task_group() as tasks:
            bot = BotProcess(stage, settings, tasks, lines.append)
            await bot.start()
            yield Rig(stage, bot, lines)
            await bot.stop()
            tasks.cancel_scope.cancel()


def tones(folder: Path) -> Path:
    """``tone 440`` and ``tone 880``, and the demo's tunes, which are mp3, m4a, opus and flac."""
    music = folder / "music"
    make_music(music)
    return music


def write_tone(path: Path, hz: float, seconds: float = 60.0) -> None:
    write_sweep(path, hz, 0.0, seconds)


def write_sweep(path: Path, hz: float, rise: float, seconds: float = 60.0) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((sweep(hz, rise, seconds) * 32767).astype(np.int16).tobytes())


def sweep(hz: float, rise: float, seconds: float) -> Wave:
    """A tone that begins at ``hz`` and rises ``rise`` Hz each second: what is heard tells the position."""
    at = np.arange(int(seconds * RATE)) / RATE
    return (0.35 * np.sin(2 * np.pi * (hz * at + rise * at**2 / 2))).astype(np.float32)


def spread(values: Sequence[float]) -> dict[str, float]:
    """p50 and p90, of milliseconds."""
    return {
        "p50": round(float(np.percentile(values, 50)), 1),
        "p90": round(float(np.percentile(values, 90)), 1),
    }


def _parents() -> dict[int, int]:
    found: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                found[int(entry.name)] = int(_fields(int(entry.name))[1])
            except OSError:
                continue  # it has ended meanwhile
    return found


def _fields(pid: int) -> list[str]:
    """Of /proc/PID/stat, from the state on: the name before it may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _cpu(pid: int) -> float:
    fields = _fields(pid)
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _pss(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
