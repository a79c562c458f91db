"""The media server with the real voice engine (ntgcalls), without Telegram in between."""

from __future__ import annotations

import json
import os
import random
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
import numpy as np
import pytest
from ntgcalls import AudioDescription, MediaDescription, MediaSource, NTgCalls, StreamMode

from ryzen.sandbox.media import Heard, MediaServer, Peer

pytestmark = pytest.mark.anyio

RATE = 48_000


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"  # the engine's bindings know no other


class Caller:
    """One engine that plays from memory: what was never written is silence."""

    def __init__(self) -> None:
        self.engine = NTgCalls()
        self.file = os.memfd_create("tone")
        os.ftruncate(self.file, 60 * RATE * 2)

    def write(self, hz: float, seconds: float = 60, start: float = 0) -> None:
        at = np.arange(int(start * RATE), int((start + seconds) * RATE)) / RATE
        samples = (np.sin(2 * np.pi * hz * at) * 0.35 * 32767).astype(np.int16)
        os.pwrite(self.file, samples.tobytes(), int(start * RATE) * 2)

    async def offer(self) -> str:
        offer: str = await self.engine.create_call(1)
        path = f"/proc/self/fd/{self.file}"
        microphone = AudioDescription(MediaSource.FILE, RATE, 1, path, False)
        await self.engine.set_stream_sources(
            1, StreamMode.CAPTURE, MediaDescription(microphone, None, None, None)
        )
        return offer

    async def call(self, media: MediaServer) -> Peer:
        peer, answer = media.join(await self.offer())
        await self.engine.connect(1, answer, False)
        return peer


@asynccontextmanager
async def calling() -> AsyncIterator[Caller]:
    caller = Caller()
    try:
        yield caller
    finally:
        if await caller.engine.calls():
            await caller.engine.stop(1)
        os.close(caller.file)


@pytest.fixture
async def media() -> AsyncIterator[MediaServer]:
    # Far from the race in which ntgcalls misses that it is connected, however busy the machine is.
    async with MediaServer.serve(delay=0.1) as server:
        yield server


async def listen(peer: Peer, seconds: float = 1.0) -> Heard:
    """The next second of this caller, and not a packet of the one before."""
    since = anyio.current_time()
    await anyio.sleep(seconds)
    return peer.hears(since)


async def until(condition: Callable[[], object]) -> None:
    with anyio.fail_after(10):
        while not condition():
            await anyio.sleep(0.01)


async def test_a_tone_is_heard_as_that_tone_and_nothing_is_lost(media: MediaServer) -> None:
    async with calling() as caller:
        caller.write(440)
        peer = await caller.call(media)
        await peer.until_heard(440)
        heard = await listen(peer)
    assert heard.hz == pytest.approx(440, abs=1)
    assert heard.share > 0.95
    assert heard.rms == pytest.approx(0.35 / np.sqrt(2), rel=0.05)
    assert heard.packets > 10
    assert (heard.lost, peer.lost, peer.refused) == (0, 0, 0)
    assert heard.gap < 0.5


async def test_the_moments_of_a_call_come_in_their_order(media: MediaServer) -> None:
    async with calling() as caller:
        caller.write(440, start=0.5)
        peer = await caller.call(media)
        await peer.until_heard(440)
        await until(lambda: peer.channel_at)
        seen = peer.statistics()
    moments = (seen.joined_at, seen.reached_at, seen.connected_at, seen.first_rtp_at, seen.first_sound_at)
    assert list(moments) == sorted(moment for moment in moments if moment is not None)
    assert seen.first_sound_at is not None
    assert seen.first_rtp_at is not None
    assert seen.first_sound_at - seen.first_rtp_at > 0.25
    assert peer.heard_at(440) == seen.first_sound_at


async def test_two_callers_are_not_mixed(media: MediaServer) -> None:
    async with calling() as one, calling() as other:
        one.write(440)
        other.write(1000)
        first, second = await one.call(media), await other.call(media)
        await first.until_heard(440)
        await second.until_heard(1000)
        since = anyio.current_time()
        await anyio.sleep(1)
        low, high = first.hears(since), second.hears(since)
    assert low.hz == pytest.approx(440, abs=1)
    assert high.hz == pytest.approx(1000, abs=1)
    assert min(low.share, high.share) > 0.95


async def test_silence_is_silence_and_what_comes_after_it_is_heard(media: MediaServer) -> None:
    async with calling() as caller:
        peer = await caller.call(media)
        await until(lambda: peer.packets > 5)
        assert peer.hears().rms < 0.001
        assert peer.first_sound_at is None
        caller.write(440)
        since = anyio.current_time()
        assert await peer.until_heard(440) > since
        assert peer.first_sound_at == peer.heard_at(440)


async def test_the_moment_of_a_switch_is_known(media: MediaServer) -> None:
    async with calling() as caller:
        caller.write(440)
        peer = await caller.call(media)
        await peer.until_heard(440)
        await anyio.sleep(0.3)
        switched_at = anyio.current_time()
        assert peer.tone_changed_at(switched_at) is None
        caller.write(880)
        heard_at = await peer.until_heard(880, switched_at)
        assert peer.tone_changed_at(switched_at) == heard_at
        assert peer.heard_at(440, heard_at) is None


async def test_a_silenced_server_hears_nothing_and_then_again(media: MediaServer) -> None:
    async with calling() as caller:
        caller.write(440)
        peer = await caller.call(media)
        await peer.until_heard(440)
        before = peer.packets
        media.silence(1.5)
        heard = await listen(peer)
        assert (heard.packets, heard.hz, heard.rms) == (0, 0, 0)
        assert heard.gap >= 1
        assert peer.packets == before
        back_at = await peer.until_heard(440, anyio.current_time())
        assert peer.lost > 15
        assert peer.hears(back_at - 1.5).gap > 1.2


async def test_a_deaf_server_is_never_reached(media: MediaServer) -> None:
    media.deaf = True
    async with calling() as caller:
        peer = await caller.call(media)
        await anyio.sleep(0.3)
        assert peer.reached_at is None
        media.deaf = False
        await until(lambda: peer.connected_at)


async def test_a_handshake_whose_first_word_is_lost_is_begun_again(media: MediaServer) -> None:
    async with calling() as caller:
        caller.write(440)
        peer = await caller.call(media)
        await until(lambda: peer.reached_at)
        media.silence(0.3)
        await anyio.sleep(0.3)
        assert peer.connected_at is None
        await peer.until_heard(440)
        await until(lambda: peer.channel_at)


async def test_loss_on_the_way_is_counted_exactly(media: MediaServer) -> None:
    async with calling() as caller:
        caller.write(440)
        peer = await caller.call(media)
        await peer.until_heard(440)
        since = anyio.current_time()
        peer.lose(7)
        await until(lambda: peer.lost)
        assert (peer.lost, peer.hears(since).lost) == (7, 7)
        heard = await listen(peer, 0.3)
        assert (peer.lost, heard.lost) == (7, 0)


async def test_a_certificate_that_is_not_the_one_of_the_offer_is_refused(media: MediaServer) -> None:
    async with calling() as caller:
        caller.write(440)
        offer = json.loads(await caller.offer())
        digest = offer["fingerprints"][0]["fingerprint"]
        offer["fingerprints"][0]["fingerprint"] = digest[:-2] + ("00" if digest[-2:] != "00" else "01")
        peer, answer = media.join(json.dumps(offer))
        await caller.engine.connect(1, answer, False)
        await until(lambda: peer.trouble)
        await anyio.sleep(0.3)
    assert "certificate" in str(peer.trouble)
    assert peer.connected_at is None
    assert peer.packets == 0


async def test_a_caller_that_was_dropped_is_a_stranger(media: MediaServer) -> None:
    async with calling() as caller:
        caller.write(440)
        peer = await caller.call(media)
        await peer.until_heard(440)
        media.drop(peer)
        media.drop(peer)
        packets = peer.packets
        await until(lambda: media.statistics().stray > 3)
        assert media.peers == ()
        assert peer.packets == packets
        assert peer.heard_at(440) is not None


async def test_garbage_hurts_nobody(media: MediaServer) -> None:
    chance = random.Random(7)
    async with calling() as caller:
        caller.write(440)
        peer = await caller.call(media)
        await peer.until_heard(440)
        since = anyio.current_time()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for size in (0, 1, 12, 13, 20, 24, 60, 1400):
                for first in (0, 1, 20, 22, 63, 64, 128, 191, 192, 255):
                    body = bytes([first, 1]) + chance.randbytes(size)
                    stranger.sendto(body[:size], (media.host, media.port))
                    stun = bytes.fromhex("0001ffff2112a442") + body
                    stranger.sendto(stun, (media.host, media.port))
        # The same from the address of the caller itself, as a broken engine would send it.
        assert peer.address is not None
        for first in (0, 22, 63, 128, 144, 200):
            for body in (
                bytes(12),
                chance.randbytes(60),
                struct.pack("!BHII", 111, 9, 9, peer.ssrc) + bytes(9),
            ):
                media.datagram_received(bytes([first]) + body, peer.address)
        await until(lambda: media.statistics().garbage > 50)
        heard = await listen(peer)
    assert heard.share > 0.95
    assert peer.hears(since).lost == 0
    assert peer.refused > 0
