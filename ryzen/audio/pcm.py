"""The sound on a deck: 48 kHz mono s16le, and the pace at which the voice engine takes it."""

from __future__ import annotations

import os

RATE = 48_000
SAMPLE = 2  #: bytes
BYTES_PER_SECOND = RATE * SAMPLE

#: What ntgcalls 3.0.5 takes at once: 100 ms. It seeks back to a multiple of this before each read.
CHUNK = BYTES_PER_SECOND // 10


def seconds(size: int) -> float:
    """How long this many bytes sound."""
    return size / BYTES_PER_SECOND


def size(length: float) -> int:
    """Bytes of whole samples nearest to this many seconds."""
    return round(length * RATE) * SAMPLE


def next_read(descriptor: int) -> int:
    """Where the engine will read next, asked of any descriptor that shares its open file.

    Its buffered input leaves the offset up to a page past the chunk it wanted: hence the rounding down.
    """
    return os.lseek(descriptor, 0, os.SEEK_CUR) // CHUNK * CHUNK
