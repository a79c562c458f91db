"""A writer that is killed loses nothing that it has acknowledged: ``scripts/soak crash``, in short."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

CRASH = Path(__file__).parents[2] / "scripts" / "benches" / "crash.py"


def crash(*options: str) -> tuple[int, dict[str, int]]:
    done = subprocess.run([sys.executable, str(CRASH), *options], capture_output=True, text=True, timeout=50)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


def test_what_was_acknowledged_survives_every_kill() -> None:
    code, found = crash("--kills", "3")
    assert (found["lost"], found["miscounted"], found["problems"]) == (0, 0, [])
    assert found["acknowledged"] > 0
    assert code == 0


def test_a_writer_that_acknowledges_too_early_is_found_out() -> None:
    code, found = crash("--kills", "1", "--early")
    assert found["lost"] > 0
    assert code == 1
