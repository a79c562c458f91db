"""Kills a writing process in mid-write, again and again: is all there that it was told is kept?

Sixty-four callers write flags and plays through the real store and note each one that was acknowledged. After
each kill the next process opens what is left, and everything that was noted must be in it, every play counted
once, and the file whole. Exit code 1 if not.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import anyio
import attrs

from ryzen.player.state import Asker, Track
from ryzen.ports import Store
from ryzen.records import Batch, Chart, Play, Played, SetFlag, Top
from ryzen.store import open_store, sqlite
from ryzen.store.sqlite_writer import Group, Writer

CALLERS = 64
CHAT, USER = -1001, Asker(42, "Ann")
#: Seconds of writing before a kill.
LEAST, MOST = 0.05, 0.5
#: Seconds until the first write of a process at the latest.
START = 30.0
#: Seconds by which a writer that acknowledges early commits too late: longer than it is left to live, for a
#: kill in the middle of a commit may find all of it in the file already.
DELAY = 5.0


# -- the one that is killed
class EarlyWriter(Writer):
    """Says that it is written before it is: the mistake that this program is there to find."""

    def _write(self, group: Group) -> None:
        self._tell(group)
        time.sleep(DELAY)
        super()._write(group)


async def write(url: str, run: str) -> None:
    async with open_store(url) as store, anyio.create_task_group() as tasks:
        for caller in range(CALLERS):
            tasks.start_soon(_write_on, store, f"{run}:{caller}", caller % 2 == 0)


async def _write_on(store: Store, name: str, flags: bool) -> None:
    number = 0
    while True:
        key = f"{name}:{number}"
        track = Track(f"local:{number % 50}", "Title", "local", "x.ogg")
        change = SetFlag(key, "x") if flags else Played(Play(key, CHAT, USER, track, float(number)))
        await store.apply(Batch(key, (change,)))
        os.write(1, f"{key}\n".encode())  # one system call: what is noted outlives us
        number += 1


# -- the one that kills
@attrs.frozen
class Findings:
    acknowledged: int
    lost: int
    miscounted: int  #: plays that are there and not counted, or counted and not there
    problems: tuple[str, ...]

    @property
    def good(self) -> bool:
        return not (self.lost or self.miscounted or self.problems) and self.acknowledged > 0


def crash(kills: int, early: bool) -> Findings:
    with tempfile.TemporaryDirectory(prefix="ryzen-crash-") as folder:
        url, notes = f"sqlite:///{folder}/crash.db", Path(folder) / "notes"
        for run in range(1, kills + 1):
            _kill_one(url, run, notes, early)
            findings = anyio.run(_look, url, notes.read_text().split())
            print(f"{run:3}: {findings.acknowledged} acknowledged, {findings.lost} lost", flush=True)
        return findings


def _kill_one(url: str, run: int, notes: Path, early: bool) -> None:
    before = notes.stat().st_size if notes.exists() else 0
    command = [sys.executable, __file__, "--write", url, str(run), *(["--early"] if early else [])]
    with notes.open("ab") as file, subprocess.Popen(command, stdout=file) as writer:
        try:
            deadline = time.monotonic() + START
            while notes.stat().st_size == before:
                if writer.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit("the writing process has not begun to write")
                time.sleep(0.005)
            time.sleep(random.uniform(LEAST, MOST))
        finally:
            writer.send_signal(signal.SIGKILL)


async def _look(url: str, noted: list[str]) -> Findings:
    async with open_store(url) as store:
        plays = {play.id for play in await store.history(CHAT, limit=sys.maxsize)}
        there = plays | (await store.flags()).keys()
        counted = sum(place.plays for place in await store.top(Top(Chart.TRACKS, limit=sys.maxsize)))
        return Findings(len(noted), len(set(noted) - there), abs(counted - len(plays)), await store.check())


def main() -> int:
    parser = argparse.ArgumentParser("scripts/soak crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument(
        "--early", action="store_true", help="acknowledge before the commit: must be found out"
    )
    parser.add_argument("--write", nargs=2, metavar=("URL", "RUN"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.write is not None:
        if given.early:
            sqlite.Writer = EarlyWriter  # type: ignore[misc]  # on purpose
        anyio.run(write, *given.write)
        return 0
    findings = crash(given.kills, given.early)
    print(json.dumps({"kills": given.kills, **attrs.asdict(findings)}))
    return 0 if findings.good else 1


if __name__ == "__main__":
    sys.exit(main())
