"""One caller of the media server, from its first STUN request to what is heard of it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

import anyio
import attrs
from loguru import logger
from pylibsrtp import Error as SrtpError
from pylibsrtp import Policy, Session

from ryzen.sandbox.media import rtp
from ryzen.sandbox.media.dtls import DtlsClient, Identity
from ryzen.sandbox.media.ear import Ear, Heard
from ryzen.sandbox.media.offer import Offer
from ryzen.sandbox.media.sctp import SctpResponder
from ryzen.sandbox.media.stun import Address, Binding, binding_success


@attrs.frozen
class PeerStatistics:
    """Moments are seconds of ``time.monotonic()``, None for what has not happened.

    ``other`` are packets of the engine's idle video channel, ``refused`` those which SRTP did not believe
    (or which came before there were keys), ``undecodable`` no Opus.
    """

    joined_at: float
    reached_at: float | None
    connected_at: float | None
    channel_at: float | None
    first_rtp_at: float | None
    first_sound_at: float | None
    last_rtp_at: float | None
    packets: int
    lost: int
    rtcp: int
    other: int
    refused: int
    undecodable: int
    trouble: str | None


class Peer:
    """One caller. ``name`` and ``password`` are what its STUN requests must know.

    Every ``since`` is a moment of ``time.monotonic()``; about ten seconds are remembered.
    """

    def __init__(self, offer: Offer, identity: Identity, send: Callable[[bytes, Address], None]) -> None:
        self.ssrc = offer.ssrc
        self.name, self.password = secrets.token_hex(4), secrets.token_hex(12)
        self.address: Address | None = None  #: where our side of the handshake goes
        self.addresses: set[Address] = set()  #: all from which it has proved itself
        self.joined_at = time.monotonic()
        self.reached_at: float | None = None
        self.connected_at: float | None = None
        self.channel_at: float | None = None
        self.rtcp = self.other = self.refused = 0
        self._send = send
        self._to_lose = 0
        self._news = anyio.Event()
        self._ear = Ear()
        self._sctp = SctpResponder()
        self._srtp: Session | None = None
        self._dtls = DtlsClient(identity, offer.fingerprint, self._reply)

    # -- what is asked
    @property
    def first_rtp_at(self) -> float | None:
        """When its first audio packet came."""
        return self._ear.first_at

    @property
    def last_rtp_at(self) -> float | None:
        return self._ear.last_at

    @property
    def first_sound_at(self) -> float | None:
        """When the first packet came that is not silent (RMS above 0.01)."""
        return self._ear.first_sound_at

    @property
    def packets(self) -> int:
        return self._ear.count.received

    @property
    def lost(self) -> int:
        """Packets missing since it joined."""
        return self._ear.count.lost

    @property
    def trouble(self) -> str | None:
        """Why it is not, and will not be, connected."""
        return self._dtls.trouble

    def hears(self, since: float | None = None, seconds: float = 1.0, until: float | None = None) -> Heard:
        """What was heard ``until`` then, or now: from ``since``, or in the last ``seconds`` of it."""
        end = time.monotonic() if until is None else until
        return self._ear.hears(end - seconds if since is None else since, end)

    def heard_at(self, hz: float, since: float = 0.0) -> float | None:
        """When the first packet came in which ``hz`` is the loudest tone."""
        return self._ear.heard_at(hz, since)

    def tone_changed_at(self, since: float) -> float | None:
        """When the first sound came whose tone is not the last one from before ``since``."""
        return self._ear.tone_changed_at(since)

    async def until_heard(self, hz: float, since: float = 0.0, within: float = 5.0) -> float:
        """``heard_at``, waiting for it. Raises TimeoutError after ``within`` seconds."""
        with anyio.fail_after(within):
            while (at := self.heard_at(hz, since)) is None:
                await self._news.wait()
        return at

    def statistics(self) -> PeerStatistics:
        return PeerStatistics(
            joined_at=self.joined_at,
            reached_at=self.reached_at,
            connected_at=self.connected_at,
            channel_at=self.channel_at,
            first_rtp_at=self.first_rtp_at,
            first_sound_at=self.first_sound_at,
            last_rtp_at=self.last_rtp_at,
            packets=self.packets,
            lost=self.lost,
            rtcp=self.rtcp,
            other=self.other,
            refused=self.refused,
            undecodable=self._ear.undecodable,
            trouble=self.trouble,
        )

    # -- faults
    def lose(self, packets: int) -> None:
        """Have this many of its next audio packets vanish on the way."""
        self._to_lose += packets

    # -- what comes
    def on_stun(self, binding: Binding, address: Address) -> bool:
        """Answer a request; False if it is not from the caller. The first one starts the DTLS handshake."""
        if not binding.is_from(self.password.encode()):
            return False
        self.addresses.add(address)
        self.address = self.address or address
        self._send(binding_success(binding.transaction, address, self.password.encode()), address)
        if self.reached_at is None:
            self.reached_at = time.monotonic()
            self._dtls.start()
        return True

    def on_dtls(self, datagram: bytes, address: Address) -> None:
        """The answer goes where the last one came from: the way that the caller has chosen."""
        self.address = address
        for message in self._dtls.feed(datagram):
            for packet in self._sctp.feed(message):
                self._dtls.say(packet)
        now = time.monotonic()
        if self.connected_at is None and self._dtls.srtp_key is not None:
            self.connected_at = now
            self._srtp = _listen_with(self._dtls.srtp_key)
            logger.debug("media: {} is connected after {:.0f} ms", self.name, 1000 * (now - self.joined_at))
        if self.channel_at is None and self._sctp.open:
            self.channel_at = now

    def on_media(self, datagram: bytes, at: float) -> None:
        """RTP or RTCP, encrypted; at least 13 bytes."""
        if rtp.is_rtcp(datagram):
            self.rtcp += 1
            return
        sequence, ssrc = rtp.sequence_and_ssrc(datagram)
        if ssrc != self.ssrc:
            self.other += 1
        elif self._to_lose:
            self._to_lose -= 1
        elif (opened := self._open(datagram)) is None:
            self.refused += 1
        else:
            self._ear.take(sequence, rtp.payload(opened), at)
            self._news.set()
            self._news = anyio.Event()

    def _open(self, datagram: bytes) -> bytes | None:
        if self._srtp is None:  # nobody sends before the handshake is over
            return None
        try:
            opened: bytes = self._srtp.unprotect(datagram)
        except SrtpError:
            return None
        return opened

    def close(self) -> None:
        """Forget the connection; what was heard stays readable."""
        self._dtls.stop()
        self._srtp = None

    def _reply(self, datagram: bytes) -> None:
        if self.address is not None:
            self._send(datagram, self.address)


def _listen_with(key: bytes) -> Session:
    return Session(
        Policy(
            key=key,
            ssrc_type=Policy.SSRC_ANY_INBOUND,
            srtp_profile=Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
        )
    )
