"""Title and length of a Matroska or WebM file, which mutagen does not read. Pure Python, a few reads."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

import attrs

_SEGMENT, _INFO, _CLUSTER = 0x18538067, 0x1549A966, 0x1F43B675
_SCALE, _DURATION, _TITLE = 0x2AD7B1, 0x4489, 0x7BA9
_USUAL_SCALE = 1_000_000  #: nanoseconds a tick
_LARGEST_VALUE = 4096
#: Elements looked at before we stop believing that there is an Info.
_PATIENCE = 64


@attrs.frozen
class MatroskaInfo:
    """``duration`` in seconds; None and empty where the file does not say."""

    title: str = ""
    duration: float | None = None


def read_info(file: BinaryIO) -> MatroskaInfo:
    """Raises ValueError if this is no Matroska file."""
    for _, size in _elements(file):  # the EBML header
        file.seek(size, 1)
        break
    for ident, _ in _elements(file):
        if ident != _SEGMENT:
            break
        for inner, size in _elements(file):
            if inner == _INFO:
                return _info(file, file.tell() + size)
            if inner == _CLUSTER:
                return MatroskaInfo()
            file.seek(size, 1)
    raise ValueError("no segment")


def _info(file: BinaryIO, end: int) -> MatroskaInfo:
    scale, ticks, title = _USUAL_SCALE, None, ""
    for ident, size in _elements(file):
        value = file.read(min(size, _LARGEST_VALUE))
        if ident == _SCALE:
            scale = int.from_bytes(value, "big")
        elif ident == _DURATION and size in (4, 8):
            (ticks,) = struct.unpack(">f" if size == 4 else ">d", value)
        elif ident == _TITLE:
            title = value.decode("utf-8", "replace").rstrip("\0")
        if file.tell() >= end:
            break
    return MatroskaInfo(title, None if ticks is None else ticks * scale / 1e9)


def _elements(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """(id, size) of the elements from here on; the reader moves the file past each."""
    for _ in range(_PATIENCE):
        ident, size = _number(file, keep_marker=True), _number(file, keep_marker=False)
        if ident is None or size is None:
            return
        yield ident, size


def _number(file: BinaryIO, keep_marker: bool) -> int | None:
    first = file.read(1)
    if not first or not first[0]:
        return None
    length = 9 - first[0].bit_length()
    lead = first[0] if keep_marker else first[0] & (0xFF >> length)
    rest = file.read(length - 1)
    return None if len(rest) < length - 1 else int.from_bytes(bytes([lead]) + rest, "big")
