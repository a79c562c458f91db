"""RTP's own few bytes: headers, payloads, and numbers that wrap around (RFC 3550)."""

from __future__ import annotations

import struct

import attrs

HEADER = 12


def is_rtcp(data: bytes) -> bool:
    """Whether a datagram of the RTP kind is a report (RFC 5761, section 4)."""
    return 64 <= data[1] & 0x7F < 96


def sequence_and_ssrc(data: bytes) -> tuple[int, int]:
    """Of a packet of at least 12 bytes, encrypted or not."""
    sequence, ssrc = struct.unpack_from("!H4xI", data, 2)
    return sequence, ssrc


def payload(data: bytes) -> bytes:
    """What a decrypted packet carries, without CSRCs, header extension and padding."""
    at = HEADER + 4 * (data[0] & 0x0F)
    if data[0] & 0x10:
        at += 4 + 4 * int.from_bytes(data[at + 2 : at + 4])
    padding = data[-1] if data[0] & 0x20 else 0
    return data[at : len(data) - padding]


@attrs.define
class Count:
    """How many packets have come, and how many should have: exact with wrap-around and reordering."""

    received: int = 0
    first: int = 0
    last: int = 0

    def take(self, sequence: int) -> int:
        """Count a packet (once); returns its number, which does not wrap around at 2¹⁶."""
        if not self.received:
            self.first = self.last = sequence
        ahead = (sequence - self.last) & 0xFFFF
        number = self.last + (ahead if ahead < 0x8000 else ahead - 0x10000)
        self.received += 1
        self.first, self.last = min(self.first, number), max(self.last, number)
        return number

    @property
    def lost(self) -> int:
        """Packets missing so far; one that comes late is found again."""
        return self.last - self.first + 1 - self.received if self.received else 0
