"""`ryzen demo` as a process, with an eye on everything that it starts."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import attrs

#: Seconds that anything may take: far more than it does, on any machine.
PATIENCE = 50.0


def ryzen(*words: str, cwd: Path, within: float = PATIENCE) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    return subprocess.run(
        [sys.executable, "-m", "ryzen", *words], cwd=cwd, capture_output=True, text=True, timeout=within
    )


def children_of(pid: int) -> set[tuple[int, str]]:
    """(pid, start time) of every process below this one."""
    parents: dict[int, tuple[int, str]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (stat := _stat(int(entry.name))) is not None:
            parents[int(entry.name)] = int(stat[1]), stat[19]
    found: set[tuple[int, str]] = set()
    waiting = [pid]
    while waiting:
        parent = waiting.pop()
        below = [child for child, (above, _) in parents.items() if above == parent]
        found.update((child, parents[child][1]) for child in below)
        waiting += below
    return found


def await_end_of(processes: set[tuple[int, str]]) -> None:
    """Until none of them runs any more."""
    deadline = time.monotonic() + PATIENCE
    while left := {each for each in processes if _runs(*each)}:
        assert time.monotonic() < deadline, f"still running: {left}"
        time.sleep(0.05)


def _runs(pid: int, started: str) -> bool:
    stat = _stat(pid)
    return stat is not None and stat[19] == started and stat[0] not in "ZX"


def _stat(pid: int) -> list[str] | None:
    """/proc/PID/stat from the state on: state, parent, …; the 20th is when it started."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


@attrs.define
class Terminal:
    """`ryzen demo` at a terminal of its own."""

    pid: int
    screen: int
    seen: str = ""

    @classmethod
    def open(cls, *words: str, cwd: Path) -> Terminal:
        pid, screen = pty.fork()
        if pid == 0:
            os.chdir(cwd)
            os.execv(sys.executable, [sys.executable, "-m", "ryzen", "demo", *words])
        return cls(pid, screen)

    def type(self, text: str) -> None:
        os.write(self.screen, text.encode())

    def read(self, words: str) -> None:
        """Until these words are on the screen."""
        deadline = time.monotonic() + PATIENCE
        while words not in self.seen:
            assert time.monotonic() < deadline, f"no {words!r} in {self.seen}"
            assert self._look(), f"it has ended without {words!r}: {self.seen}"

    def end(self) -> int:
        """Its exit code, when it has said its last."""
        deadline = time.monotonic() + PATIENCE
        while self._look():
            assert time.monotonic() < deadline, f"it does not end: {self.seen}"
        os.close(self.screen)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def _look(self) -> bool:
        if select.select([self.screen], [], [], 0.1)[0]:
            try:
                piece = os.read(self.screen, 4096)
            except OSError:  # nobody has the other end any more
                return False
            self.seen += piece.decode(errors="replace").replace("\r\n", "\n")
        return True
