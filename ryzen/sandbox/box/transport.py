"""One TCP stream cut into packets: every transport of the client library, obfuscated or not."""

from __future__ import annotations

import asyncio
import struct
from binascii import crc32
from typing import Final

from pyrogram.crypto import aes

ABRIDGED, INTERMEDIATE, PADDED, FULL = "abridged", "intermediate", "padded", "full"
_TAGS: Final = {b"\xef" * 4: ABRIDGED, b"\xee" * 4: INTERMEDIATE, b"\xdd" * 4: PADDED}
_LONGEST: Final = 4 * 2**20  # bytes; a file part has at most 2**19
_UNREAD_LIMIT: Final = 16 * 2**20  # bytes a client may leave unread

_Cipher = tuple[bytes, bytearray, bytearray]  # key, iv and counter, which the cipher moves on


class PacketError(ConnectionError):
    """The peer does not speak MTProto, or breaks its rules."""


class Packets:
    """Reads and writes whole packets. ``kind`` is known after ``recognise``."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.kind = ""
        self.obfuscated = False
        self._reader, self._writer = reader, writer
        self._outward: _Cipher | None = None
        self._inward: _Cipher | None = None
        self._head = b""  # what recognising "full" has read of the first packet
        self._written = 0

    @property
    def name(self) -> str:
        return f"{self.kind}-obfuscated" if self.obfuscated else self.kind

    async def recognise(self) -> None:
        """Read as much as tells the transport."""
        head = await self._reader.readexactly(1)
        if head == b"\xef":
            self.kind = ABRIDGED
            return
        head += await self._reader.readexactly(3)
        if head in _TAGS:
            self.kind = _TAGS[head]
            return
        head += await self._reader.readexactly(4)
        if head[4:] == bytes(4):  # a length, then the sequence number 0
            self.kind, self._head = FULL, head
            return
        self._deobfuscate(head + await self._reader.readexactly(56))

    def _deobfuscate(self, nonce: bytes) -> None:
        reverse = nonce[55:7:-1]
        self._inward = (nonce[8:40], bytearray(nonce[40:56]), bytearray(1))
        self._outward = (reverse[:32], bytearray(reverse[32:48]), bytearray(1))
        tag = bytes(aes.ctr256_decrypt(nonce, *self._inward))[56:60]
        if tag not in _TAGS:
            raise PacketError("an unknown transport")
        self.kind, self.obfuscated = _TAGS[tag], True

    async def _exactly(self, size: int) -> bytes:
        if not 0 <= size <= _LONGEST:
            raise PacketError(f"a packet of {size} bytes")
        data = await self._reader.readexactly(size)
        return bytes(aes.ctr256_decrypt(data, *self._inward)) if self._inward else data

    async def read(self) -> bytes:
        """The next packet. Raises IncompleteReadError at the end of the stream, PacketError for nonsense."""
        if self.kind == ABRIDGED:
            words = (await self._exactly(1))[0]
            if words >= 0x7F:
                words = int.from_bytes(await self._exactly(3), "little")
            return await self._exactly(words * 4)
        if self.kind == FULL:
            return await self._read_full()
        packet = await self._exactly(int.from_bytes(await self._exactly(4), "little"))
        return _without_padding(packet) if self.kind == PADDED else packet

    async def _read_full(self) -> bytes:
        head, self._head = self._head or await self._exactly(8), b""
        body = await self._exactly(int.from_bytes(head[:4], "little") - 8)
        if crc32(head + body[:-4]) != int.from_bytes(body[-4:], "little"):
            raise PacketError("a wrong checksum")
        return body[:-4]

    def write(self, data: bytes) -> None:
        """Send one packet without waiting; a client that reads nothing for long is cut off."""
        if self._writer.is_closing():
            return
        if self.kind == ABRIDGED:
            words = len(data) // 4
            data = (bytes([words]) if words < 0x7F else b"\x7f" + words.to_bytes(3, "little")) + data
        elif self.kind == FULL:
            data = struct.pack("<II", len(data) + 12, self._written) + data
            data += struct.pack("<I", crc32(data))
            self._written += 1
        else:
            data = struct.pack("<I", len(data)) + data
        self._writer.write(bytes(aes.ctr256_encrypt(data, *self._outward)) if self._outward else data)
        if self._writer.transport.get_write_buffer_size() > _UNREAD_LIMIT:
            self.abort()

    def close(self) -> None:
        """What was written is still sent."""
        self._writer.close()

    def abort(self) -> None:
        self._writer.transport.abort()


def _without_padding(packet: bytes) -> bytes:
    if packet[:8] == bytes(8):  # not encrypted: the length stands inside
        return packet[: 20 + int.from_bytes(packet[16:20], "little")]
    return packet[: len(packet) - (len(packet) - 24) % 16]  # key id, msg_key, whole AES blocks
