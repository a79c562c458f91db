"""The bot's end of the lines to one fetch server."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import attrs
from loguru import logger

from ryzen.beside import beside
from ryzen.fetch import wire
from ryzen.fetch.wire import Request, Setup

#: Seconds for a server to import yt-dlp (1–2 s of CPU), to fork a job, and to end itself once its line is
#: closed, on a machine that has other work as well. Who takes longer hangs, and is killed.
_TO_BE_READY, _TO_FORK, _TO_END = 60.0, 10.0, 2.0
_ROOT = Path(__file__).parents[2]


class NotReadyError(Exception):
    """The server did not come up; its own words are on standard error."""


class NotStartedError(NotReadyError):
    """This machine did not let us start one: no memory, no room, no descriptors. Says which."""


class GoneError(Exception):
    """The server died, or was killed because it hung, with this job in hand. No fault of the job is known."""


@attrs.frozen
class Launch:
    """How a server is started. ``packages`` come before those that Ryzen was installed with."""

    setup: Setup
    packages: Path | None = None
    authorities: Path | None = None

    @property
    def environment(self) -> Mapping[str, str]:
        """All of it: nothing of the bot's own, which holds its secrets."""
        folders = (self.packages, _ROOT) if self.packages else (_ROOT,)
        environment = {"PYTHONPATH": os.pathsep.join(map(str, folders)), "HOME": self.setup.work}
        if not self.setup.plugins:
            environment["YTDLP_NO_PLUGINS"] = "1"
        if self.authorities:
            environment["SSL_CERT_FILE"] = str(self.authorities)
        return environment


class FetchProcess:
    """A server that is ready."""

    def __init__(self, life: socket.socket, process: subprocess.Popen[bytes], launch: Launch) -> None:
        self.pid = process.pid
        self.launch = launch
        self.version = ""
        self._life, self._process = life, process
        self._jobs: dict[socket.socket, int] = {}  #: pid of each, 0 before it has one
        self._orphans: list[int] = []  #: pids of jobs that the server can have left behind
        self._retired = False
        self._over = anyio.Event()

    @classmethod
    @contextlib.asynccontextmanager
    async def start(cls, launch: Launch) -> AsyncIterator[FetchProcess]:
        """Raises NotReadyError. After the block neither it nor a job of it is there."""
        try:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        except OSError as error:
            raise NotStartedError(f"fetch server: {error.strerror}") from error
        ours.setblocking(False)
        with ours:
            with theirs:
                try:
                    process = await anyio.to_thread.run_sync(_spawn, launch, theirs.fileno())
                except OSError as error:
                    raise NotStartedError(f"fetch server: {error.strerror}") from error
            started = cls(ours, process, launch)
            try:
                await started._greet()
                async with beside() as tasks:
                    tasks.start_soon(started._watch)
                    yield started
            finally:
                ours.close()
                with anyio.CancelScope(shield=True):
                    await anyio.to_thread.run_sync(_bury, process)
                started._bury_orphans()

    async def run(self, request: Request) -> Mapping[str, Any]:
        """The last event of the job. Cancelling it kills the job. Raises GoneError, OSError if the bot has no
        descriptors left, and ValueError if the job talks nonsense."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self._jobs[ours] = 0
        try:
            with ours:
                with theirs:
                    self._hand_over(theirs)
                await _send(ours, request.dump())
                return await self._outcome(ours)
        except GoneError:
            self._orphans.append(self._jobs[ours])
            raise
        finally:
            del self._jobs[ours]
            self._leave_if_idle()

    @property
    def running(self) -> int:
        return len(self._jobs)

    def retire(self) -> None:
        """Take no more jobs; ends when those that run have ended."""
        self._retired = True
        self._leave_if_idle()

    async def over(self) -> None:
        """Until it is dead, or has retired and nothing runs on it."""
        await self._over.wait()

    def kill(self) -> None:
        self._process.kill()

    # -- inside
    async def _greet(self) -> None:
        with anyio.move_on_after(_TO_BE_READY):
            await anyio.wait_readable(self._life)
            with contextlib.suppress(ConnectionError):
                if greeting := self._life.recv(4096):
                    self.version = str(wire.read_event(greeting)["version"])
                    return
        raise NotReadyError(f"fetch server {self.pid}")

    async def _watch(self) -> None:
        await anyio.wait_readable(self._life)  # it has nothing more to say but that it ends
        self._over.set()

    def _hand_over(self, line: socket.socket) -> None:
        try:
            socket.send_fds(self._life, [b"job"], [line.fileno()])
        except OSError as error:  # a full buffer too: it has not read for hundreds of jobs
            self.kill()
            raise GoneError from error

    async def _outcome(self, line: socket.socket) -> Mapping[str, Any]:
        events = _events(line)
        async with contextlib.aclosing(events):
            with anyio.move_on_after(_TO_FORK):
                async for event in events:
                    if event["event"] != "started":
                        return event
                    self._jobs[line] = int(event["pid"])
                    break
                else:
                    return await self._without_a_word()
            if not self._jobs[line]:
                logger.warning("fetch server {}: hangs, killed", self.pid)
                self.kill()
                raise GoneError
            async for event in events:
                if event["event"] != "progress":
                    return event
        return await self._without_a_word()

    async def _without_a_word(self) -> Mapping[str, Any]:
        """The line has ended: the server is dying, or has killed the job and could not say so."""
        with anyio.move_on_after(_TO_END):
            await self.over()
            raise GoneError
        return {"event": "died", "code": None}

    def _leave_if_idle(self) -> None:
        if self._retired and not self._jobs:
            with contextlib.suppress(OSError):  # it is dead already
                self._life.shutdown(socket.SHUT_RDWR)

    def _bury_orphans(self) -> None:
        """A server that was killed takes its jobs along, but not what those have started."""
        for pid in filter(None, (*self._orphans, *self._jobs.values())):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)


async def _events(line: socket.socket) -> AsyncGenerator[Mapping[str, Any], None]:
    """Until the line ends. Raises ValueError."""
    rest = b""
    while True:
        await anyio.wait_readable(line)
        try:
            data = line.recv(1 << 18)
        except ConnectionError:
            return
        if not data:
            return
        *whole, rest = (rest + data).split(b"\n")
        for each in whole:
            yield wire.read_event(each)
        if len(rest) > wire.MOST:
            raise ValueError("too long")


async def _send(line: socket.socket, data: bytes) -> None:
    while data:
        try:
            data = data[line.send(data) :]
        except BlockingIOError:
            await anyio.wait_writable(line)
        except ConnectionError as error:
            raise GoneError from error


def _spawn(launch: Launch, descriptor: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - nothing in it comes from outside
        [sys.executable, "-P", "-m", "ryzen.fetch.server", str(descriptor), launch.setup.dump()],
        pass_fds=[descriptor],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env=launch.environment,
        cwd="/",
        start_new_session=True,
    )


def _bury(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_TO_END)
    except subprocess.TimeoutExpired:
        logger.warning("fetch server {}: did not end by itself, killed", process.pid)
        process.kill()
        process.wait()
