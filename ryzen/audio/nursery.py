"""The nursery: a small process that has everything imported and forks audio workers when the bot asks, and
those that measure how loud a file is.

The bot starts it before anything native runs, and never starts a child itself afterwards (a fork in
the middle of the voice engine's threads has hung whole calls). A fork here takes milliseconds, where a
fresh interpreter takes half a second: a killed worker is replaced before its lead has been played.

    python -m ryzen.audio.nursery DESCRIPTOR      (of a SOCK_SEQPACKET socket; see ryzen.audio.wire)
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import selectors
import signal
import socket
import sys
from collections.abc import Callable

import av.logging

from ryzen.audio import loudness, wire, worker
from ryzen.audio.ledger import Ledger
from ryzen.audio.wire import Died, Fork, Forked, Kill, Measure

_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15


class Nursery:
    """Forks, buries, and kills on request; ends when the bot closes the socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._children: dict[int, int] = {}  #: pid of each, by the descriptor that tells of its death
        self._measuring: set[int] = set()  #: pids of those nobody is told of
        self._selector = selectors.DefaultSelector()
        self._selector.register(sock, selectors.EVENT_READ)

    def work(self) -> None:
        """Raises wire.Gone when the bot is gone."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._sock:
                    self._obey(*wire.receive(self._sock))
                else:
                    self._bury(key.fd)

    def close(self) -> None:
        """Leave no child behind, dead or alive."""
        for pid in self._children.values():
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def _obey(self, message: wire.Message, descriptors: tuple[int, ...]) -> None:
        match message:
            case Fork():
                sock, ledger = descriptors
                pid = self._fork(
                    b"ryzen-audio", lambda: worker.run(socket.socket(fileno=sock), Ledger(ledger))
                )
                os.close(sock)
                os.close(ledger)
                wire.send(self._sock, Forked(pid))
            case Measure():
                (sock,) = descriptors
                path = message.path
                pid = self._fork(b"ryzen-loudness", lambda: loudness.run(socket.socket(fileno=sock), path))
                os.close(sock)
                self._measuring.add(pid)
            case Kill() if message.pid in self._children.values():
                os.kill(message.pid, signal.SIGKILL)
            case Kill():
                pass  # it has died meanwhile
            case _:
                raise wire.Garbled(f"not for a nursery: {message}")

    def _fork(self, name: bytes, work: Callable[[], None]) -> int:
        nursery = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become(nursery, name, work)
        tomb = os.pidfd_open(pid)
        self._children[tomb] = pid
        self._selector.register(tomb, selectors.EVENT_READ)
        return pid

    def _become(self, nursery: int, name: bytes, work: Callable[[], None]) -> None:
        """In the child: never returns. Python prints what went wrong, if anything did."""
        status = 1
        try:
            _set_process(_PR_SET_NAME, name)
            _set_process(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != nursery:
                return
            self._selector.close()
            self._sock.close()
            for tomb in self._children:
                os.close(tomb)
            work()
            status = 0
        except BaseException:  # noqa: BLE001 - nothing is above this but the nursery's own loop
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(status)

    def _bury(self, tomb: int) -> None:
        pid = self._children.pop(tomb)
        self._selector.unregister(tomb)
        os.close(tomb)
        _, status = os.waitpid(pid, 0)
        if pid in self._measuring:
            self._measuring.discard(pid)
            return
        wire.send(self._sock, Died(pid, os.waitstatus_to_exitcode(status)))


def _set_process(option: int, value: bytes | int) -> None:
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def main(descriptor: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the bot says when to stop
    av.logging.set_level(None)
    gc.freeze()  # what the children share stays shared
    nursery = Nursery(socket.socket(fileno=descriptor))
    with contextlib.suppress(wire.Gone):
        nursery.work()
    nursery.close()


if __name__ == "__main__":
    main(int(sys.argv[1]))
