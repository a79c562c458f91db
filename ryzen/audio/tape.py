"""The memory file which the voice engine reads as a sound card reads its buffer."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from ryzen.audio import pcm

#: A week. The file is sparse and costs nothing; where it ends the engine would hang up.
LENGTH = pcm.size(7 * 24 * 3600.0) // pcm.CHUNK * pcm.CHUNK

_OPEN_FILES = Path("/proc/self/fd")


class Tape:
    """One file, for one attachment of the engine, which always begins to read at 0.

    What was never written reads as zeros: starving is silence. The size is sealed, so that nothing the
    audio worker does can make the engine meet an end.
    """

    def __init__(self, serial: int) -> None:
        self.serial = serial
        self.handed_out = False
        self.reader: int | None = None  #: shares the engine's open file; found by ``find_reader``
        self._name = f"ryzen-deck-{serial}"
        self.descriptor = os.memfd_create(self._name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.descriptor, LENGTH)
        seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
        fcntl.fcntl(self.descriptor, fcntl.F_ADD_SEALS, seals)

    def hand_out(self) -> str:
        """The path for the engine to open, within this process."""
        self.handed_out = True
        return f"/proc/self/fd/{self.descriptor}"

    def find_reader(self) -> bool:
        """Look for a descriptor of this file that somebody reads; True once it has been found.

        It is duplicated, so that its offset can be asked for from here on, by the worker too: both
        descriptors are one open file with one offset. (fdinfo would tell the same, to this process
        alone, at fifty times the price.)
        """
        if self.reader is None and self.handed_out:
            self.reader = next(filter(None, map(self._duplicate, _OPEN_FILES.iterdir())), None)
        return self.reader is not None

    def _duplicate(self, entry: Path) -> int | None:
        try:
            if self._name not in str(entry.readlink()):
                return None
            copy = os.dup(int(entry.name))
        except OSError:  # closed meanwhile
            return None
        # A number may have been taken over by another file by now: it is the copy that is looked at.
        same = os.path.samestat(os.fstat(copy), os.fstat(self.descriptor))
        read_only = fcntl.fcntl(copy, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
        if same and read_only and os.lseek(copy, 0, os.SEEK_CUR) > 0:
            return copy
        os.close(copy)
        return None

    def bytes_read(self) -> int:
        """Where the engine will read next; 0 until ``find_reader`` has found it.

        It is not looked for here: whoever finds it must tell the worker, once.
        """
        return 0 if self.reader is None else pcm.next_read(self.reader)

    def close(self) -> None:
        os.close(self.descriptor)
        if self.reader is not None:
            os.close(self.reader)
            self.reader = None
