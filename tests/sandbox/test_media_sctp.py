"""The data channel is answered; whatever else comes on that way changes nothing."""

from __future__ import annotations

import struct

from ryzen.sandbox.media.sctp import SctpResponder, _sealed

OURS = 0xCAFE
INIT, INIT_ACK, DATA, SACK, COOKIE_ECHO, COOKIE_ACK = 1, 2, 0, 3, 10, 11
OPEN_CHANNEL = bytes([3, 0]) + bytes(10)
FIRST = 0xFFFFFFFF  # the next one wraps around


def chunk(kind: int, body: bytes = b"", flags: int = 0) -> bytes:
    return struct.pack("!BBH", kind, flags, 4 + len(body)) + body + bytes(-len(body) % 4)


def packet(tag: int, *chunks: bytes) -> bytes:
    return _sealed(struct.pack("!HHII", 5000, 5001, tag, 0) + b"".join(chunks))


def data(number: int, body: bytes = OPEN_CHANNEL, protocol: int = 50, flags: int = 3) -> bytes:
    return chunk(DATA, struct.pack("!IHHI", number, 7, 0, protocol) + body, flags)


def kinds(replies: list[bytes]) -> list[int]:
    return [reply[12] for reply in replies]


def associated() -> tuple[SctpResponder, int]:
    """A responder that has been greeted, and the tag it wants to see."""
    responder = SctpResponder()
    (ack,) = responder.feed(packet(0, chunk(INIT, struct.pack("!IIHHI", OURS, 1 << 16, 9, 9, FIRST))))
    ports, tag, theirs = struct.unpack_from("!IIxxxxxxxxI", ack)
    assert (ports, tag, ack[12]) == (5001 << 16 | 5000, OURS, INIT_ACK)
    return responder, theirs


def test_the_checksum_is_crc_32c() -> None:
    assert _sealed(bytes(32))[8:12] == (0x8A9136AA).to_bytes(4, "little")  # RFC 3720, B.4


def test_a_channel_is_opened() -> None:
    responder, tag = associated()
    assert kinds(responder.feed(packet(tag, chunk(COOKIE_ECHO, b"ryzn")))) == [COOKIE_ACK]
    assert not responder.open
    opened, acknowledged = responder.feed(packet(tag, data(FIRST)))
    assert responder.open
    assert (opened[12], opened[28]) == (DATA, 2)
    assert struct.unpack_from("!H", opened, 20)[0] == 7
    assert (acknowledged[12], acknowledged[16:20]) == (SACK, FIRST.to_bytes(4))


def test_what_comes_too_early_is_asked_for_again_and_what_comes_twice_is_taken_once() -> None:
    responder, tag = associated()
    (waiting,) = responder.feed(packet(tag, data(0)))
    assert waiting[16:20] == (FIRST - 1).to_bytes(4)
    assert not responder.open
    responder.feed(packet(tag, data(FIRST)))
    (again,) = responder.feed(packet(tag, data(FIRST)))
    assert again[16:20] == FIRST.to_bytes(4)
    (wrapped,) = responder.feed(packet(tag, data(0, b"hello", protocol=51)))
    assert wrapped[16:20] == bytes(4)


def test_what_is_said_in_a_channel_opens_none() -> None:
    responder, tag = associated()
    for number, said in enumerate((data(FIRST, protocol=51), data(0, b"\x02"), data(1, flags=2))):
        assert kinds(responder.feed(packet(tag, said))) == [SACK], number
    assert not responder.open


def test_what_is_damaged_or_for_another_association_is_not_answered() -> None:
    responder, tag = associated()
    good = packet(tag, data(FIRST))
    for at in range(len(good)):
        assert responder.feed(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]) == []
        assert responder.feed(good[:at]) == []
    assert responder.feed(packet(tag ^ 1, data(FIRST))) == []
    assert responder.feed(packet(tag, chunk(INIT, struct.pack("!IIHHI", 1, 1, 1, 1, 1)))) == []
    assert not responder.open


def test_chunks_that_lie_about_their_size_are_survived() -> None:
    responder, tag = associated()
    for size in (0, 1, 3, 5, 0xFFFF):
        for kind in range(256):
            for to in (0, tag):
                responder.feed(packet(to, struct.pack("!BBH", kind, 3, size) + bytes(3)))
    assert not responder.open
    assert kinds(responder.feed(packet(tag, data(FIRST)))) == [DATA, SACK]


def test_a_greeting_again_is_answered_again() -> None:
    responder, _ = associated()
    greeting = packet(0, chunk(INIT, struct.pack("!IIHHI", OURS, 1 << 16, 9, 9, 5)))
    assert responder.feed(greeting) == responder.feed(greeting)
