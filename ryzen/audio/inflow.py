"""A growing file as FFmpeg reads it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from ryzen.growing import GrowingFile, LeftBehind, page_of

#: For the writer to come with one more byte, in seconds; a flight that fails says so long before.
NO_BYTE_WITHIN = 60.0
#: Into what has been kept of a live file one goes by this part of it.
_LEEWAY = 4
#: What AVIO understands as "no": where the end is nobody shall ask, as long as there is none.
_REFUSED = -1


def is_growing(path: str) -> bool:
    """Whether somebody writes this file just now, or has died over it."""
    return page_of(Path(path)).exists()


class Inflow:
    """What goes wrong in a read ends the file for FFmpeg, and is kept in ``failure``.

    (PyAV 18.1 keeps an exception that a read raises for the next call of the same thread, whichever file
    that is about.) All but ``stop`` and ``look`` is for the thread that decodes. ``rest`` is called with True
    before the thread waits, with False behind it.
    """

    def __init__(self, path: str, rest: Callable[[bool], None]) -> None:
        """Raises OSError."""
        self._file = GrowingFile(Path(path))
        self._rest = rest
        self._stopped = False
        self._seen, self._seen_at = -1, 0.0
        self.jumps = False  #: whether FFmpeg may jump; where it may, it looks at the end before it begins
        self.failure: OSError | None = None
        self.waited = 0.0  #: seconds spent on waiting for bytes

    def find_start(self) -> int:
        """Where to enter what is on the air: at its beginning or, if that has been given up, a good way
        behind the oldest byte that has not, which may be the next to go. What lies there does not wait."""
        there = most = self._file.available()
        least = 0
        while least < most:
            middle = (least + most) // 2
            self._file.seek(middle)
            try:
                self._file.read(1)
            except LeftBehind:
                least = middle + 1
            else:
                most = middle
        return least + (there - least) // _LEEWAY if least else 0

    # -- what PyAV calls
    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self.jumps

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return _REFUSED if whence == os.SEEK_END else self._file.seek(offset, whence)

    def read(self, size: int) -> bytes:
        """What there is, at least a byte; nothing at the end, wherever that is."""
        if self._stopped:
            return b""
        begun = time.monotonic()
        self._rest(True)
        try:
            return self._file.read(size) or b""
        except OSError as error:
            self.failure = error
            return b""
        finally:
            self._rest(False)
            self.waited += time.monotonic() - begun

    def close(self) -> None:
        self._file.close()

    # -- for other threads
    def stop(self) -> None:
        """End a read that waits, and every later one."""
        self._stopped = True
        self._file.stop()

    def look(self, now: float) -> None:
        """To be called now and then: stops a read for which nothing comes for too long."""
        there = self._file.available()
        if there != self._seen or not self._file.waiting:
            self._seen, self._seen_at = there, now
        elif now - self._seen_at > NO_BYTE_WITHIN:
            self._file.stop()
