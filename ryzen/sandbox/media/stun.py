"""STUN as an ICE-lite agent needs it: recognise a binding request, believe it, answer it (RFC 8489)."""

from __future__ import annotations

import hashlib
import hmac
import socket
import struct
import zlib

import attrs

Address = tuple[str, int]

COOKIE = 0x2112A442
HEADER = 20
BINDING_REQUEST, BINDING_SUCCESS = 0x0001, 0x0101
USERNAME, MESSAGE_INTEGRITY, XOR_MAPPED_ADDRESS, FINGERPRINT = 0x0006, 0x0008, 0x0020, 0x8028
MAC_ATTRIBUTE, CRC_ATTRIBUTE = 4 + hashlib.sha1(usedforsecurity=False).digest_size, 4 + 4


@attrs.frozen
class Binding:
    """A binding request: whom it is for (our name of a caller), and what proves that the caller sent it."""

    name: str
    transaction: bytes
    mac: bytes
    covered: bytes = attrs.field(repr=False)

    def is_from(self, password: bytes) -> bool:
        """Whether the sender knows the password of our answer."""
        return hmac.compare_digest(_mac(password, self.covered), self.mac)


def read_binding(data: bytes) -> Binding | None:
    """None for whatever is no complete binding request with a name and a MAC."""
    if len(data) < HEADER or struct.unpack_from("!H2xI", data) != (BINDING_REQUEST, COOKIE):
        return None
    name, at = b"", HEADER
    while at + 4 <= len(data):
        kind, size = struct.unpack_from("!HH", data, at)
        value = data[at + 4 : at + 4 + size]
        if kind == USERNAME:
            name = value.partition(b":")[0]
        elif kind == MESSAGE_INTEGRITY:
            # The MAC covers a header which says that the message ends with the MAC itself.
            covered = data[:2] + struct.pack("!H", at + MAC_ATTRIBUTE - HEADER) + data[4:at]
            return Binding(name.decode("ascii", "replace"), data[8:HEADER], value, covered)
        at += 4 + size + (-size % 4)
    return None


def binding_success(transaction: bytes, address: Address, password: bytes) -> bytes:
    """Yes, and this is where I see you: ``address`` (IPv4)."""

    def header(body: int) -> bytes:
        return struct.pack("!HHI", BINDING_SUCCESS, body, COOKIE) + transaction

    ip = int.from_bytes(socket.inet_aton(address[0])) ^ COOKIE
    port = address[1] ^ (COOKIE >> 16)
    body = struct.pack("!HHxBHI", XOR_MAPPED_ADDRESS, 8, 1, port, ip)
    mac = _mac(password, header(len(body) + MAC_ATTRIBUTE) + body)
    body += struct.pack("!HH", MESSAGE_INTEGRITY, len(mac)) + mac
    crc = zlib.crc32(header(len(body) + CRC_ATTRIBUTE) + body) ^ 0x5354554E
    body += struct.pack("!HHI", FINGERPRINT, 4, crc)
    return header(len(body)) + body


def _mac(password: bytes, covered: bytes) -> bytes:
    return hmac.new(password, covered, hashlib.sha1).digest()
