"""The answering half of SCTP and of WebRTC's data channels (RFC 9260, 8831, 8832), without a timer.

The engine opens an association and a channel in it, and repeats itself until it is answered; so all that is
needed is an answer to each packet. What it says in the channel is acknowledged and not read.
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Iterator

DATA, INIT, INIT_ACK, SACK, HEARTBEAT, HEARTBEAT_ACK = 0, 1, 2, 3, 4, 5
SHUTDOWN, SHUTDOWN_ACK, COOKIE_ECHO, COOKIE_ACK = 7, 8, 10, 11
WHOLE_MESSAGE = 0x03
STATE_COOKIE = 7
DCEP, OPEN_CHANNEL, CHANNEL_OPENED = 50, 0x03, b"\x02"
WINDOW, STREAMS = 1 << 20, 1024


class SctpResponder:
    """One association, from the side that is called. ``open`` once a data channel has been opened in it."""

    def __init__(self) -> None:
        self.open = False
        self._tag = secrets.randbelow(0xFFFFFFFF) + 1
        self._their_tag = 0
        self._ports = (0, 0)
        self._sent = self._first = secrets.randbits(32)
        self._received = 0  # the last of their numbers up to which nothing is missing

    def feed(self, packet: bytes) -> list[bytes]:
        """The packets to send back; none to what is damaged or not for this association."""
        if _sealed(packet) != packet:
            return []
        theirs, ours, tag = struct.unpack_from("!HHI", packet)
        chunks = list(_chunks(packet))
        if tag != (0 if any(kind == INIT for kind, _, _ in chunks) else self._tag):
            return []
        self._ports = ours, theirs
        replies: list[bytes] = []
        for kind, flags, body in chunks:
            replies += self._reply(kind, flags, body)
        if any(kind == DATA for kind, _, _ in chunks):
            replies.append(_chunk(SACK, struct.pack("!IIHH", self._received, WINDOW, 0, 0)))
        return [self._packet(reply) for reply in replies]

    def _reply(self, kind: int, flags: int, body: bytes) -> list[bytes]:
        match kind:
            case 1 if len(body) >= 16:  # INIT
                self._their_tag, _, _, _, first = struct.unpack_from("!IIHHI", body)
                self._received, self._sent = (first - 1) & 0xFFFFFFFF, self._first
                cookie = struct.pack("!HH4s", STATE_COOKIE, 8, b"ryzn")
                answer = struct.pack("!IIHHI", self._tag, WINDOW, STREAMS, STREAMS, self._first)
                return [_chunk(INIT_ACK, answer + cookie)]
            case 10:  # COOKIE ECHO
                return [_chunk(COOKIE_ACK, b"")]
            case 4:  # HEARTBEAT
                return [_chunk(HEARTBEAT_ACK, body)]
            case 7:  # SHUTDOWN
                return [_chunk(SHUTDOWN_ACK, b"")]
            case 0 if len(body) >= 13:  # DATA
                return self._data(flags, body)
            case _:
                return []

    def _data(self, flags: int, body: bytes) -> list[bytes]:
        number, stream, _, protocol = struct.unpack_from("!IHHI", body)
        if number != (self._received + 1) & 0xFFFFFFFF:
            return []  # too early or again: they will send what is missing once more
        self._received = number
        if protocol != DCEP or body[12] != OPEN_CHANNEL or flags & WHOLE_MESSAGE != WHOLE_MESSAGE:
            return []
        self.open = True
        reply = struct.pack("!IHHI", self._sent, stream, 0, DCEP) + CHANNEL_OPENED
        self._sent = (self._sent + 1) & 0xFFFFFFFF
        return [_chunk(DATA, reply, WHOLE_MESSAGE)]

    def _packet(self, chunk: bytes) -> bytes:
        return _sealed(struct.pack("!HHII", *self._ports, self._their_tag, 0) + chunk)


def _chunks(packet: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(kind, flags, body) of each chunk."""
    at = 12
    while at + 4 <= len(packet):
        kind, flags, size = struct.unpack_from("!BBH", packet, at)
        if size < 4:
            return
        yield kind, flags, packet[at + 4 : at + size]
        at += size + (-size % 4)


def _chunk(kind: int, body: bytes, flags: int = 0) -> bytes:
    size = 4 + len(body)
    return struct.pack("!BBH", kind, flags, size) + body + bytes(-size % 4)


def _crc32c_table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return tuple(table)


_TABLE = _crc32c_table()


def _sealed(packet: bytes) -> bytes:
    """The packet with its checksum (CRC-32C, least significant byte first) in place."""
    crc = 0xFFFFFFFF
    for byte in packet[:8] + bytes(4) + packet[12:]:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return packet[:8] + struct.pack("<I", crc ^ 0xFFFFFFFF) + packet[12:]
