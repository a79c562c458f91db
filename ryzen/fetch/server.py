"""The fetch server: yt-dlp, imported once, in a process of its own that forks another one for every job.

It has one thread, for threads and forks do not mix, and touches nothing that comes from outside: a job's
process does, which knows none of the bot's secrets, has limits, and can be killed at any moment, even in the
middle of a regular expression. Who says what: ryzen.fetch.wire.

    python -m ryzen.fetch.server DESCRIPTOR SETUP
"""

from __future__ import annotations

import collections
import contextlib
import ctypes
import gc
import os
import selectors
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NoReturn

from ryzen.fetch import job, wire
from ryzen.fetch.wire import Setup

#: Pages that are looked into may take all of the processor that the bot and the sound do not want just now.
_NICE = 10
_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15


class _Work:
    """A job: its line to the bot, what has come on it, and then its process and folder."""

    def __init__(self, line: socket.socket) -> None:
        self.line = line
        self.request = bytearray()
        self.pid = 0
        self.tomb = -1  #: the descriptor that tells of the death of ``pid``
        self.folder = ""


class Server:
    """Forks, kills, buries and tidies up after; ends when the bot closes the life line."""

    def __init__(self, life: socket.socket, setup: Setup) -> None:
        self._life, self._setup = life, setup
        self._waiting: collections.deque[_Work] = collections.deque()
        self._running: set[_Work] = set()
        self._over = False
        self._selector = selectors.DefaultSelector()
        self._watch(life, self._accept)

    def work(self) -> None:
        """Until the bot is gone. No job outlives it."""
        while not self._over:
            for key, _ in self._selector.select():
                if (
                    self._selector.get_map().get(key.fd) is key
                ):  # an earlier one of this round may have ended it
                    key.data()
        for work in list(self._running):
            self._bury(work)

    def _watch(self, fileobj: socket.socket | int, then: Callable[[], None]) -> None:
        self._selector.register(fileobj, selectors.EVENT_READ, then)

    # -- the lines
    def _accept(self) -> None:
        message, descriptors, _, _ = socket.recv_fds(self._life, 16, 1)
        if not message:
            self._over = True
            return
        for descriptor in descriptors:
            work = _Work(socket.socket(fileno=descriptor))
            self._watch(work.line, partial(self._listen, work))

    def _listen(self, work: _Work) -> None:
        try:
            data = work.line.recv(wire.MOST_ASKED, socket.MSG_DONTWAIT)
        except ConnectionError:
            data = b""
        work.request += data
        if not data or len(work.request) > wire.MOST_ASKED:
            self._drop(work)
        elif work.request.endswith(b"\n") and not work.pid:
            self._waiting.append(work)
            self._fork_who_may()

    def _drop(self, work: _Work) -> None:
        """The bot has lost interest: that is how it cancels a job."""
        self._selector.unregister(work.line)
        if work in self._running:
            os.killpg(work.pid, signal.SIGKILL)  # and what is left is done when it has died
        else:
            if work in self._waiting:
                self._waiting.remove(work)
            work.line.close()

    # -- the processes
    def _fork_who_may(self) -> None:
        while self._waiting and len(self._running) < self._setup.jobs:
            self._fork(self._waiting.popleft())

    def _fork(self, work: _Work) -> None:
        server = os.getpid()
        try:
            # Somebody may have tidied up.
            Path(self._setup.work).mkdir(mode=0o700, parents=True, exist_ok=True)
            work.folder = tempfile.mkdtemp(dir=self._setup.work)
            work.pid = os.fork()
        except OSError as error:
            self._turn_away(work, error)
            return
        if work.pid == 0:
            self._become_job(server, work)
        with contextlib.suppress(ProcessLookupError):  # already dead: its own call was the first
            os.setpgid(work.pid, work.pid)
        work.tomb = os.pidfd_open(work.pid)
        self._running.add(work)
        self._watch(work.tomb, partial(self._bury, work))

    def _turn_away(self, work: _Work, error: OSError) -> None:
        """The machine has no room for it just now; the other jobs go on."""
        if work.folder:
            shutil.rmtree(work.folder, ignore_errors=True)
        self._selector.unregister(work.line)
        with contextlib.suppress(OSError):  # it does not read
            told = wire.event("error", kind="NoRoom", message=os.strerror(error.errno or 0))
            work.line.send(told, socket.MSG_DONTWAIT)
        work.line.close()

    def _become_job(self, server: int, work: _Work) -> NoReturn:
        """In the child."""
        status = 1
        try:
            os.setpgid(0, 0)  # a JavaScript runtime that it starts dies with it
            _set_process(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() == server:
                self._let_go_of_all_but(work)
                job.run(bytes(work.request), work.line, work.folder, self._setup)
                status = 0
        except BaseException:  # noqa: BLE001 - nothing is above this but the server's own loop
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(status)

    def _let_go_of_all_but(self, work: _Work) -> None:
        """A copy of another job's line would keep the bot from seeing that one's end."""
        for key in list(self._selector.get_map().values()):
            if key.fileobj is not work.line:
                os.close(key.fd)
        self._selector.close()

    def _bury(self, work: _Work) -> None:
        """Of a job that has died, or has to."""
        with contextlib.suppress(ProcessLookupError):  # what it has started; its number is its own till then
            os.killpg(work.pid, signal.SIGKILL)
        _, status = os.waitpid(work.pid, 0)
        self._running.remove(work)
        self._selector.unregister(work.tomb)
        os.close(work.tomb)
        shutil.rmtree(work.folder, ignore_errors=True)  # the bot removes all of them in the end
        if not self._over:
            self._tell(work, os.waitstatus_to_exitcode(status))
            self._fork_who_may()

    def _tell(self, work: _Work, code: int) -> None:
        """The bot, if it has not lost interest."""
        if self._selector.get_map().get(work.line.fileno()):
            self._selector.unregister(work.line)
            if code:
                with contextlib.suppress(OSError):  # it does not read
                    work.line.send(wire.event("died", code=code), socket.MSG_DONTWAIT)
        work.line.close()


def _set_process(option: int, value: bytes | int) -> None:
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def main(descriptor: int, setup: Setup) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the bot says when to stop
    _set_process(_PR_SET_NAME, b"ryzen-fetch")
    os.nice(_NICE)
    os.umask(0o077)
    version = job.warm_up(setup)
    gc.freeze()  # what the children share stays shared
    with socket.socket(fileno=descriptor) as life:
        with contextlib.suppress(BrokenPipeError):  # the bot has ended meanwhile, which is found out next
            life.send(wire.event("ready", version=version))
        Server(life, setup).work()


if __name__ == "__main__":
    main(int(sys.argv[1]), Setup.load(sys.argv[2]))
