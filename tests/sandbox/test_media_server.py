"""The media server's door: who is let in, who is not, and what is left when it closes."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from anyio.abc import SocketAttribute

from ryzen.sandbox.media import MediaServer, OfferError

pytestmark = pytest.mark.anyio

OFFER = json.dumps({"ssrc": -1, "fingerprints": [{"fingerprint": "AB:CD"}]})


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"  # the media server knows no other


@pytest.fixture
async def media() -> AsyncIterator[MediaServer]:
    async with MediaServer.serve() as server:
        yield server


async def test_the_answer_says_where_to_come_and_as_whom(media: MediaServer) -> None:
    peer, text = media.join(OFFER)
    transport = json.loads(text)["transport"]
    assert (transport["ufrag"], transport["pwd"]) == (peer.name, peer.password)
    candidate = transport["candidates"][0]
    assert (candidate["ip"], candidate["port"]) == ("127.0.0.1", str(media.port))
    assert peer.ssrc == 0xFFFFFFFF  # ntgcalls writes it signed
    assert media.peers == (peer,)
    assert peer.hears().packets == 0
    assert (peer.first_rtp_at, peer.first_sound_at, peer.heard_at(440)) == (None, None, None)


async def test_someone_who_knows_the_name_but_not_the_password_is_not_answered(media: MediaServer) -> None:
    peer, _ = media.join(OFFER)
    async with await anyio.create_connected_udp_socket(media.host, media.port) as stranger:
        await stranger.send(binding_request(peer.name, b"a guess"))
        with anyio.fail_after(5):
            while not media.statistics().garbage:
                await anyio.sleep(0.01)
        assert peer.reached_at is None
        await stranger.send(binding_request(peer.name, peer.password.encode()))
        with anyio.fail_after(5):
            assert (await stranger.receive())[:2] == b"\x01\x01"
        assert peer.address == stranger.extra(SocketAttribute.local_address)


async def test_every_address_that_has_proved_itself_stays_good_until_the_caller_is_dropped(
    media: MediaServer,
) -> None:
    """ntgcalls pings from 8 to 15 sockets, and sends from whichever of them it likes."""
    peer, _ = media.join(OFFER)
    request = binding_request(peer.name, peer.password.encode())
    first, second = ("127.0.0.1", 9), ("127.0.0.1", 10)
    for address in (first, second):
        media.datagram_received(request, address)
    handshake = bytes([22]) + bytes(20)
    for address in (first, second):
        media.datagram_received(handshake, address)
        assert peer.address == address  # the answer goes where the last one came from
    assert media.statistics().stray == 0
    media.drop(peer)
    for address in (first, second):
        media.datagram_received(handshake, address)
    assert media.statistics().stray == 2


async def test_an_offer_that_is_none_is_refused(media: MediaServer) -> None:
    for offer in ("", "{}", "[]", "7", '{"ssrc": "x", "fingerprints": [{"fingerprint": ""}]}', "[" * 100_000):
        with pytest.raises(OfferError):
            media.join(offer)
    assert media.peers == ()


async def test_closing_leaves_nothing() -> None:
    tasks = asyncio.all_tasks()
    timers = live_timers()
    descriptors = set(Path("/proc/self/fd").iterdir())
    async with MediaServer.serve(delay=30) as media:
        peer, _ = media.join(OFFER)
        request = binding_request(peer.name, peer.password.encode())
        media.datagram_received(request, ("127.0.0.1", 9))  # a handshake, and post on its way
        assert live_timers() - timers
    assert asyncio.all_tasks() == tasks
    assert live_timers() == timers
    assert set(Path("/proc/self/fd").iterdir()) == descriptors


async def test_it_listens_on_loopback_alone(media: MediaServer) -> None:
    assert media.host == "127.0.0.1"
    listening = [line.split()[1] for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
    assert [at for at in listening if at.endswith(f":{media.port:04X}")] == [f"0100007F:{media.port:04X}"]


def live_timers() -> set[asyncio.TimerHandle]:
    scheduled = asyncio.get_running_loop()._scheduled  # type: ignore[attr-defined]  # no public way
    return {timer for timer in scheduled if not timer.cancelled()}


def binding_request(name: str, password: bytes) -> bytes:
    user = f"{name}:them".encode()
    body = struct.pack("!HH", 0x0006, len(user)) + user + bytes(-len(user) % 4)
    header = struct.pack("!HHI", 1, len(body) + 24, 0x2112A442) + bytes(12)
    mac = hmac.new(password, header + body, hashlib.sha1).digest()
    return header + body + struct.pack("!HH", 0x0008, 20) + mac
