"""The two JSON texts of a join: what the caller's engine offers, and what the media server answers."""

from __future__ import annotations

import json
import secrets

import attrs

from ryzen.sandbox.media.stun import Address

RATE = 48_000


class OfferError(ValueError):
    """The ``params`` of JoinGroupCall are not what an engine offers."""


@attrs.frozen
class Offer:
    """``ssrc`` marks the caller's audio; ``fingerprint`` is of the certificate it must show (upper case)."""

    ssrc: int
    fingerprint: str


def read_offer(text: str) -> Offer:
    """Raises OfferError."""
    try:
        offer = json.loads(text)
        fingerprint = offer["fingerprints"][0]["fingerprint"]
        # ntgcalls writes the ssrc as a signed number.
        return Offer(int(offer["ssrc"]) & 0xFFFFFFFF, str(fingerprint).upper())
    except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        raise OfferError(f"not an offer: {error!r}") from error


def write_answer(address: Address, name: str, password: str, fingerprint: str) -> str:
    """The ``params`` of updateGroupCallConnection: come to ``address``, as ``name``.

    Every number of the candidate is a string; ntgcalls 3.0.5 refuses numbers.
    """
    candidate = {
        "id": "1",
        "component": "1",
        "foundation": "1",
        "generation": "0",
        "network": "0",
        "type": "host",
        "protocol": "udp",
        "priority": "2130706431",
        "ip": address[0],
        "port": str(address[1]),
    }
    level = {"id": 1, "uri": "urn:ietf:params:rtp-hdrext:ssrc-audio-level"}
    sent_at = {"id": 2, "uri": "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"}
    order = {
        "id": 3,
        "uri": "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    }
    opus = {
        "id": 111,
        "name": "opus",
        "clockrate": RATE,
        "channels": 2,
        "parameters": {"minptime": 10, "useinbandfec": 1},
        "rtcp-fbs": [{"type": "transport-cc"}],
    }
    vp8 = {
        "id": 100,
        "name": "VP8",
        "clockrate": 90_000,
        "channels": 1,
        "parameters": {},
        "rtcp-fbs": [{"type": "goog-remb"}, {"type": "transport-cc"}, {"type": "nack"}],
    }
    rtx = {"id": 101, "name": "rtx", "clockrate": 90_000, "channels": 1, "parameters": {"apt": 100}}
    return json.dumps(
        {
            "transport": {
                "ufrag": name,
                "pwd": password,
                "fingerprints": [{"hash": "sha-256", "setup": "active", "fingerprint": fingerprint}],
                "candidates": [candidate],
                "rtcp-mux": True,
                "xmlns": "urn:xmpp:jingle:transports:ice-udp:1",
            },
            "audio": {"payload-types": [opus], "rtp-hdrexts": [level, sent_at, order]},
            "video": {
                "endpoint": secrets.token_hex(4),
                "payload-types": [vp8, rtx],
                "rtp-hdrexts": [sent_at, order],
                "server_sources": [],
            },
        }
    )
