"""The media server: one UDP socket on loopback for any number of callers."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
import attrs
from loguru import logger

from ryzen.sandbox.media.dtls import Identity
from ryzen.sandbox.media.offer import read_offer, write_answer
from ryzen.sandbox.media.peer import Peer
from ryzen.sandbox.media.rtp import HEADER
from ryzen.sandbox.media.stun import Address, read_binding

LOOPBACK = "127.0.0.1"


@attrs.frozen
class ServerStatistics:
    """``stray``: media and handshakes from nobody who has joined. ``garbage``: what is no packet of ours
    at all, and STUN requests that prove nothing.
    """

    peers: int
    stray: int
    garbage: int


class MediaServer(asyncio.DatagramProtocol):
    """Runs within ``serve()``, on asyncio only; all methods are for the event loop's thread.

    ``deaf``: neither hears nor answers, as if it had vanished. ``host`` and ``port`` are where it listens.
    """

    @classmethod
    @asynccontextmanager
    async def serve(cls, delay: float = 0.02) -> AsyncIterator[MediaServer]:
        """A server on 127.0.0.1, for as long as the block lasts; then its callers are dropped.

        ``delay`` (seconds) holds back what it sends, as the way from a real server would. Without it, ICE and
        DTLS are through before ntgcalls 3.0.5 has registered its observer, and CONNECTED is never reported.
        """
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            # Fifty callers may speak while the loop is busy for a moment.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            sock.setblocking(False)
            sock.bind((LOOPBACK, 0))
            server = cls(sock.getsockname(), delay)
            server._transport, _ = await loop.create_datagram_endpoint(lambda: server, sock=sock)
            try:
                yield server
            finally:
                for peer in tuple(server._peers.values()):
                    server.drop(peer)
                server._post.close()
                server._transport.abort()
                with anyio.CancelScope(shield=True):
                    await server._closed.wait()

    def __init__(self, address: Address, delay: float) -> None:
        self.host, self.port = address
        self.deaf = False
        self._silent_until = 0.0
        self._identity = Identity.make()
        self._post = _Post(delay, self._send)
        self._peers: dict[str, Peer] = {}
        self._by_address: dict[Address, Peer] = {}
        self._stray = self._garbage = 0
        self._transport: asyncio.DatagramTransport | None = None
        self._closed = anyio.Event()

    # -- signalling
    def join(self, offer: str) -> tuple[Peer, str]:
        """A caller with this offer (the ``params`` of a JoinGroupCall) and its answer. Raises OfferError."""
        peer = Peer(read_offer(offer), self._identity, self._post.send)
        self._peers[peer.name] = peer
        address = (self.host, self.port)
        return peer, write_answer(address, peer.name, peer.password, self._identity.fingerprint)

    def drop(self, peer: Peer) -> None:
        """Hear no more of this caller; nothing if it is gone already."""
        if self._peers.pop(peer.name, None) is not None:
            peer.close()
            for address in peer.addresses:
                self._by_address.pop(address, None)

    @property
    def peers(self) -> tuple[Peer, ...]:
        return tuple(self._peers.values())

    def statistics(self) -> ServerStatistics:
        return ServerStatistics(len(self._peers), self._stray, self._garbage)

    # -- faults
    def silence(self, seconds: float) -> None:
        """Be deaf and mute for so long from now."""
        self._silent_until = time.monotonic() + seconds
        logger.info("media: silent for {:g} s", seconds)

    def _is_silent(self, now: float) -> bool:
        return self.deaf or now < self._silent_until

    # -- datagrams
    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._closed.set()

    def datagram_received(self, data: bytes, addr: Address) -> None:
        now = time.monotonic()
        if self._is_silent(now):
            return
        known = self._by_address.get(addr)
        first = data[0] if len(data) > HEADER else 255
        if 128 <= first < 192:  # RTP or RTCP; RFC 7983 tells the kinds apart
            if known is not None:
                known.on_media(data, now)
            else:
                self._stray += 1
        elif 20 <= first < 64:
            if known is not None:
                known.on_dtls(data, addr)
            else:
                self._stray += 1
        elif not self._answer_stun(data, addr):
            self._garbage += 1

    def _answer_stun(self, data: bytes, address: Address) -> bool:
        binding = read_binding(data)
        peer = self._peers.get(binding.name) if binding is not None else None
        if binding is None or peer is None:
            return False
        if not peer.on_stun(binding, address):
            return False
        # ntgcalls 3.0.5 tries 8 to 15 sockets at once: each that has proved itself stays good.
        self._by_address[address] = peer
        return True

    def _send(self, data: bytes, address: Address) -> None:
        assert self._transport is not None
        if not self._is_silent(time.monotonic()):
            self._transport.sendto(data, address)


class _Post:
    """Datagrams on their way: all take the same time, so that one timer serves them all."""

    def __init__(self, delay: float, deliver: Callable[[bytes, Address], None]) -> None:
        self._delay, self._deliver = delay, deliver
        self._waiting: deque[tuple[float, bytes, Address]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def send(self, data: bytes, address: Address) -> None:
        due = asyncio.get_running_loop().time() + self._delay
        self._waiting.append((due, data, address))
        if self._timer is None:
            self._wait()

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_at(self._waiting[0][0], self._deliver_due)

    def _deliver_due(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        while self._waiting and self._waiting[0][0] <= now:
            _, data, address = self._waiting.popleft()
            self._deliver(data, address)
        if self._waiting:
            self._wait()

    def close(self) -> None:
        """What is still on its way is lost."""
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
