"""The sign of life on this machine's disk."""

import subprocess
import sys
import time
from pathlib import Path

from ryzen.store.pulse import Pulse

CHILD = """
import sys, time
from pathlib import Path
from ryzen.store.pulse import Pulse
with Pulse(Path(sys.argv[1]), "child") as pulse:
    pulse.take_over()
    while True:
        now = time.time()
        pulse.beat(now)
        print(repr(now), flush=True)
        time.sleep(0.01)
"""


def test_it_tells_the_next_process_when_the_last_one_was_alive(tmp_path: Path) -> None:
    path = tmp_path / "pulse"
    with Pulse(path, "first") as pulse:
        assert pulse.last("first") is None
        pulse.take_over()
        pulse.beat(5.0)
        pulse.beat(7.25)
    with Pulse(path, "second") as pulse:
        assert pulse.last("first") == 7.25
        assert pulse.last("another") is None
        pulse.beat(8.0)  # it is not ours yet
    with Pulse(path, "second") as pulse:
        assert pulse.last("first") == 7.25
        pulse.take_over()
        pulse.beat(9.0)
        assert pulse.last("first") == 7.25  # it was read at the start
    with Pulse(path, "third") as pulse:
        assert pulse.last("first") is None
        assert pulse.last("second") == 9.0


def test_it_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "pulse"
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    for _ in range(20):
        said = float(child.stdout.readline())
    child.kill()
    child.wait()
    rest = child.stdout.read().split()
    child.stdout.close()
    last = float(rest[-1]) if rest else said
    with Pulse(path, "next") as pulse:
        found = pulse.last("child")
        assert found is not None
        assert last <= found <= time.time()


def test_a_file_that_is_something_else_is_no_sign_and_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "pulse"
    path.write_bytes(b"short")
    with Pulse(path, "first") as pulse:
        assert pulse.last("first") is None
        pulse.take_over()
        pulse.beat(1.0)
    with Pulse(path, "second") as pulse:
        assert pulse.last("first") == 1.0


def test_a_place_that_cannot_be_written_costs_no_start(tmp_path: Path) -> None:
    with Pulse(tmp_path / "no such folder" / "pulse", "first") as pulse:
        pulse.take_over()
        pulse.beat(1.0)
        assert pulse.last("first") is None
