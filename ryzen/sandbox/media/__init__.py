"""A stand-in for Telegram's group-call media server, on loopback, that says what it hears.

For each caller it is an ICE-lite responder, a DTLS client (the engine takes the server role), an SRTP
receiver and an SCTP responder; the Opus it gets is decoded when somebody asks what was heard.
"""

from ryzen.sandbox.media.ear import Heard
from ryzen.sandbox.media.offer import OfferError
from ryzen.sandbox.media.peer import Peer, PeerStatistics
from ryzen.sandbox.media.server import MediaServer, ServerStatistics

__all__ = ["Heard", "MediaServer", "OfferError", "Peer", "PeerStatistics", "ServerStatistics"]
