"""The server that tests are made on: it may not outlive them, whatever becomes of them."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from mongod import Mongod

STARTER = """\
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from mongod import Mongod
server = Mongod(Path(sys.argv[2]))
server.spawn()
print(server.pid, flush=True)
time.sleep(60)
"""


def test_a_server_dies_with_whoever_started_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STARTER, str(Path(__file__).parents[1]), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        while "mongod" not in _program(pid):
            time.sleep(0.01)
        starter.kill()
    while _program(pid):
        time.sleep(0.01)


def _program(pid: int) -> str:
    """What runs there; nothing if it has ended, even if nobody has asked for its status yet."""
    try:
        return str(Path(f"/proc/{pid}/exe").readlink())
    except OSError:
        return ""


def test_data_outlives_a_kill(mongod: Mongod) -> None:
    with mongod.client() as client:
        client.kept.things.insert_one({"_id": 1})
    mongod.kill()
    assert not mongod.running
    mongod.start()
    with mongod.client() as client:
        assert client.kept.things.find_one() == {"_id": 1}
