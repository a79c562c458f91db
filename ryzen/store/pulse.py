"""A sign of life on this machine's disk, ten times a second: it tells to the moment when a bot was killed.

The heartbeat in the database comes every five seconds, and a listener would hear five seconds again. This one
costs no system call: a few bytes in a mapped file, which the kernel keeps when the process is killed.
"""

from __future__ import annotations

import mmap
import os
import struct
from pathlib import Path
from types import TracebackType
from typing import Self

from loguru import logger

#: Name of the process as UTF-8, padded with NUL; moment on the wall clock.
_FORM = struct.Struct("<64sd")


class Pulse:
    """The file ``path``, read on entry for what the process before left; ``take_over`` makes it ours."""

    def __init__(self, path: Path, process: str) -> None:
        self._path, self._process = path, process.encode()
        self._before: tuple[str, float] | None = None
        self._map: mmap.mmap | None = None

    def __enter__(self) -> Self:
        try:
            self._before = _read(self._path.read_bytes())
        except FileNotFoundError:
            pass  # the first start here
        except OSError as error:
            self._complain(error)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._map is not None:
            self._map.close()
            self._map = None

    def take_over(self) -> None:
        """What it told is kept elsewhere by now: a start that fails before that leaves the sign as it was."""
        try:
            with self._path.open("a+b") as file:
                os.posix_fallocate(file.fileno(), 0, _FORM.size)  # a full disk is said here, not by a SIGBUS
                file.truncate(_FORM.size)
                self._map = mmap.mmap(file.fileno(), _FORM.size)
        except OSError as error:
            self._complain(error)

    def beat(self, at: float) -> None:
        """We are alive at this moment; nothing before ``take_over``."""
        if self._map is not None:
            _FORM.pack_into(self._map, 0, self._process, at)

    def _complain(self, error: OSError) -> None:
        """It costs seconds of position after a kill, and no start."""
        logger.warning("no sign of life can be kept in {}: {}", self._path, error.strerror)

    def last(self, process: str) -> float | None:
        """When that process, the one before us, was last alive; None if it was another."""
        if self._before is None or self._before[0] != process:
            return None
        return self._before[1]


def _read(found: bytes) -> tuple[str, float] | None:
    if len(found) != _FORM.size:
        return None
    name, at = _FORM.unpack(found)
    return name.rstrip(b"\0").decode(errors="replace"), at
