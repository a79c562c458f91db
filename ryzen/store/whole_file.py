"""A file that is there whole or not at all, whatever happens while it is written."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import Self


class WholeFile:
    """Written under another name in the same folder; takes its place when it is complete and on the disk.

    Only its owner may read it. ``over``: even if there is a file of that name. Raises OSError.
    """

    def __init__(self, path: Path, *, over: bool) -> None:
        self._path, self._over = path, over
        self._part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")

    def __enter__(self) -> Self:
        if self._path.is_dir():
            raise IsADirectoryError
        if not self._over and os.path.lexists(self._path):
            raise FileExistsError
        descriptor = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(descriptor, "wb")
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # a full disk, which has been told already
            self._file.close()
        self._part.unlink(missing_ok=True)

    def write(self, data: bytes) -> None:
        self._file.write(data)

    def finish(self) -> int:
        """It is there now. Returns its size in bytes."""
        self._file.flush()
        os.fsync(self._file.fileno())
        size = os.fstat(self._file.fileno()).st_size
        self._take_place()
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return size

    def _take_place(self) -> None:
        if not self._over:
            try:
                os.link(self._part, self._path)  # unlike a rename, it never takes another file's place
            except FileExistsError:
                raise
            except OSError:  # a file system without links: all we can do is to look once more
                if os.path.lexists(self._path):
                    raise FileExistsError from None
            else:
                return
        self._part.replace(self._path)
