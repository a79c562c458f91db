"""The bot's ends of the lines to the nursery and to the audio worker."""

from __future__ import annotations

import collections
import contextlib
import errno
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import anyio.to_thread
from loguru import logger

from ryzen.audio import wire
from ryzen.audio.ledger import Ledger
from ryzen.audio.wire import Died, Fork, Forked, Kill, Measure, Measured

#: For the nursery to bury a worker, or to end itself once its line is closed, in seconds.
_BURIAL = 2.0
#: All that the nursery is told of the world. (numpy's OpenBLAS would start threads to share work we do not
#: have, and a process with threads is none to fork.)
_ENVIRONMENT = {"PYTHONPATH": str(Path(__file__).parents[2]), "OPENBLAS_NUM_THREADS": "1"}


class Nursery:
    """A running nursery process. Its methods raise wire.Gone when it is there no more."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    @classmethod
    @contextlib.asynccontextmanager
    async def start(cls) -> AsyncIterator[Nursery]:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        with ours:
            with theirs:
                process = await anyio.to_thread.run_sync(_spawn, theirs.fileno())
            try:
                yield cls(ours)
            finally:
                ours.close()
                with anyio.CancelScope(shield=True):
                    await anyio.to_thread.run_sync(_bury, process)

    async def fork(self) -> Link:
        """A new worker."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        ledger = Ledger.blank()
        try:
            with theirs:
                wire.send(self._sock, Fork(), (theirs.fileno(), ledger.descriptor))
            while True:
                message = await self._receive()
                if isinstance(message, Forked):
                    return Link(ours, ledger, message.pid)
        except BaseException:
            ours.close()
            ledger.close()
            raise

    async def measure(self, path: str) -> float | None:
        """The gain in dB that this file wants; None if nobody can say. Cancelled, the work ends at once."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        with ours:
            try:
                with theirs:
                    wire.send(self._sock, Measure(path), (theirs.fileno(),))
                answer, _ = await _receive(ours)
            except (wire.Gone, wire.Garbled):  # it died over it, was killed by its limits, or raved
                return None
            return answer.gain if isinstance(answer, Measured) else None

    async def bury(self, pid: int) -> int:
        """Kill this worker if it is alive; its exit status, or minus the signal's number."""
        wire.send(self._sock, Kill(pid))
        with anyio.move_on_after(_BURIAL):
            while True:
                message = await self._receive()
                if isinstance(message, Died) and message.pid == pid:
                    return message.status
        raise wire.Gone

    async def _receive(self) -> wire.Message:
        return (await _receive(self._sock))[0]


class Link:
    """A worker, and what it had in hand when it died."""

    def __init__(self, sock: socket.socket, ledger: Ledger, pid: int) -> None:
        self.pid = pid
        self.ledger = ledger
        self._sock = sock
        self._waiting: collections.deque[tuple[wire.ToWorker, tuple[int, ...]]] = collections.deque()
        self._more = anyio.Event()

    def post(self, message: wire.ToWorker, *descriptors: int) -> None:
        """Send now or, while the line is full, from ``flush``. Never waits.

        What waits is bounded by time: a worker that does not read is replaced within seconds, and what
        was meant for it is dropped.
        """
        if self._waiting or not self._sent(message, descriptors):
            self._waiting.append((message, tuple(map(os.dup, descriptors))))
            self._more.set()

    def _sent(self, message: wire.ToWorker, descriptors: tuple[int, ...]) -> bool:
        try:
            wire.send(self._sock, message, descriptors)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno == errno.ETOOMANYREFS:  # descriptors under way count against a limit
                return False
            raise
        except wire.Gone:
            pass  # the receiving side has seen it, or will
        return True

    async def flush(self) -> None:
        """Send what could not be sent at once, for ever."""
        while True:
            await self._more.wait()
            self._more = anyio.Event()
            while self._waiting:
                message, descriptors = self._waiting[0]
                if self._sent(message, descriptors):
                    self._waiting.popleft()
                    _close(descriptors)
                else:
                    await anyio.wait_writable(self._sock)
                    await anyio.sleep(0.002)

    async def receive(self, within: float) -> wire.Message:
        """Raises TimeoutError, wire.Gone, wire.Garbled."""
        with anyio.fail_after(within):
            return (await _receive(self._sock))[0]

    def close(self) -> None:
        self._sock.close()
        self.ledger.close()
        while self._waiting:
            _close(self._waiting.popleft()[1])


async def _receive(sock: socket.socket) -> tuple[wire.Message, tuple[int, ...]]:
    while True:
        try:
            return wire.receive(sock)
        except BlockingIOError:
            await anyio.wait_readable(sock)


def _close(descriptors: tuple[int, ...]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _spawn(descriptor: int) -> subprocess.Popen[bytes]:
    """A bare environment, no terminal, no descriptor but its line and our stderr."""
    return subprocess.Popen(  # noqa: S603 - nothing in it comes from outside
        [sys.executable, "-P", "-m", "ryzen.audio.nursery", str(descriptor)],
        pass_fds=[descriptor],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env=_ENVIRONMENT,
        cwd="/",
        start_new_session=True,
    )


def _bury(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_BURIAL)
    except subprocess.TimeoutExpired:
        logger.warning("audio nursery {}: did not end by itself, killed", process.pid)
        process.kill()
        process.wait()
