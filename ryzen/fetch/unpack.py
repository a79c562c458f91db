"""Unpacking of what a server has packed, which may be a bomb: a thousand bytes for each that came."""

from __future__ import annotations

import zlib

from ryzen.errors import WebError

#: What is asked for where the answer is unpacked here.
ACCEPTED = "gzip"


class Unpacker:
    """``encoding`` is a Content-Encoding, ``most`` the bytes that may come out. Raises WebError."""

    def __init__(self, encoding: str, most: int) -> None:
        self._most = most
        self._came = self._size = 0
        self._zlib = _decompressor(encoding.strip().lower())

    def feed(self, data: bytes) -> bytes:
        self._came += len(data)
        out = data if self._zlib is None else self._unpacked(data)
        self._size += len(out)
        if max(self._came, self._size) > self._most:
            raise WebError(f"the answer is more than {self._most} bytes")
        return out

    def end(self) -> None:
        """There is no more. Raises WebError if there should be."""
        if self._zlib is not None and self._size and not self._zlib.eof:
            raise WebError("the packed answer breaks off")

    def _unpacked(self, data: bytes) -> bytes:
        assert self._zlib is not None
        if self._zlib.eof:  # what comes behind the end zlib would hoard, and copy again with each chunk
            return b""
        try:
            return self._zlib.decompress(data, self._most - self._size + 1)
        except zlib.error as error:
            raise WebError("the answer is not packed as it says") from error


def _decompressor(encoding: str) -> zlib._Decompress | None:
    match encoding:
        case "" | "identity":
            return None
        case "gzip" | "x-gzip" | "deflate":
            return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # either header
        case _:
            raise WebError("the answer is packed in a way that was not asked for")
