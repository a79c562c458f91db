"""DTLS as a client, over whatever carries datagrams; the keys for SRTP come out of it (RFC 5764)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import attrs
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL

SRTP_PROFILE = b"SRTP_AES128_CM_SHA1_80"
KEY, SALT = 16, 14
#: Bytes of a datagram; DTLS cuts its handshake into pieces of this size.
MTU = 1200


@attrs.frozen(eq=False)
class Identity:
    """A certificate of our own, made up on the spot; callers know it by its fingerprint."""

    context: SSL.Context = attrs.field(repr=False)
    fingerprint: str

    @classmethod
    def make(cls) -> Identity:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ryzen sandbox")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=30))
            .sign(key, hashes.SHA256())
        )
        context = SSL.Context(SSL.DTLS_METHOD)
        # Any certificate will do for OpenSSL: we compare it with the fingerprint of the offer.
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
        context.use_certificate(certificate)
        context.use_privatekey(key)
        context.set_tlsext_use_srtp(SRTP_PROFILE)
        return cls(context, fingerprint_of(certificate))


def fingerprint_of(certificate: x509.Certificate) -> str:
    """SHA-256, as ``AB:CD:…``."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


class DtlsClient:
    """One connection. ``srtp_key`` (key and salt of what the server sends) is there once it is up;
    ``trouble`` says why it never will be; ``closed`` once the other side has said goodbye.
    """

    def __init__(self, identity: Identity, fingerprint: str, send: Callable[[bytes], None]) -> None:
        self.srtp_key: bytes | None = None
        self.trouble: str | None = None
        self.closed = False
        self._fingerprint, self._send = fingerprint, send
        self._timer: asyncio.TimerHandle | None = None
        self._connection = SSL.Connection(identity.context)
        self._connection.set_ciphertext_mtu(MTU)
        self._connection.set_connect_state()

    def start(self) -> None:
        """Say hello, and again until it is answered."""
        self._handshake()

    def feed(self, datagram: bytes) -> Iterator[bytes]:
        """The messages for the application in what has come."""
        if self.trouble or self.closed:
            return
        self._connection.bio_write(datagram)
        if self.srtp_key is None:
            self._handshake()
        while self.srtp_key is not None:
            try:
                yield self._connection.recv(4096)
            except SSL.WantReadError:
                break
            except SSL.Error:  # a goodbye, with or without a reason
                self.closed = True
                break
        self._flush()

    def say(self, message: bytes) -> None:
        """Send a message of the application."""
        if self.srtp_key is not None and not self.closed:
            self._connection.send(message)
            self._flush()

    def stop(self) -> None:
        """No more timers; the other side is told nothing, as when a server dies."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _handshake(self) -> None:
        self.stop()
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            self._wait()
        except SSL.Error as error:
            self.trouble = f"the DTLS handshake failed: {error!r}"
        else:
            self._finish()
        self._flush()

    def _wait(self) -> None:
        wait = self._connection.DTLSv1_get_timeout()
        if wait is not None:
            self._timer = asyncio.get_running_loop().call_later(wait, self._again)

    def _again(self) -> None:
        try:
            self._connection.DTLSv1_handle_timeout()
        except SSL.Error as error:
            self.trouble = f"the DTLS handshake was not answered: {error!r}"
        else:
            self._handshake()

    def _finish(self) -> None:
        certificate = self._connection.get_peer_certificate(as_cryptography=True)
        if certificate is None or fingerprint_of(certificate) != self._fingerprint:
            self.trouble = "the certificate is not the one of the offer"
            self._connection.shutdown()
            return
        # In this order: client key, server key, client salt, server salt. We are the client.
        keys = self._connection.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (KEY + SALT))
        self.srtp_key = keys[KEY : 2 * KEY] + keys[2 * KEY + SALT :]

    def _flush(self) -> None:
        while True:
            try:
                self._send(self._connection.bio_read(MTU))
            except SSL.WantReadError:
                return
