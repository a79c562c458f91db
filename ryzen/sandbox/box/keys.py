"""The RSA pair of the box, and the authorisation keys of its clients."""

from __future__ import annotations

import base64
import os
import random
import struct
from hashlib import sha1
from typing import Final

import attrs
from cryptography.hazmat.primitives.asymmetric import rsa as rsa_keys
from pyrogram.crypto import rsa
from pyrogram.raw.core.primitives import Bytes

DC_ID: Final = 2
_EXPONENT: Final = 65537


@attrs.frozen
class PublicKey:
    """What a client must trust before it can exchange keys with the box."""

    n: int
    e: int
    fingerprint: int


def trust(public: PublicKey) -> None:
    """Make the client library of this process accept a box which has this key."""
    rsa.server_public_keys[public.fingerprint] = rsa.PublicKey(public.n, public.e)


class RsaKey:
    """The box's own key pair, 2048 bits."""

    def __init__(self) -> None:
        private = rsa_keys.generate_private_key(_EXPONENT, 2048).private_numbers()
        self._d, n = private.d, private.public_numbers.n
        encoded = bytes(Bytes(n.to_bytes(256, "big"))) + bytes(Bytes(_EXPONENT.to_bytes(3, "big")))
        fingerprint = int.from_bytes(sha1(encoded).digest()[-8:], "little", signed=True)  # noqa: S324 - as MTProto has it
        self.public = PublicKey(n, _EXPONENT, fingerprint)

    def decrypt(self, data: bytes) -> bytes:
        """256 bytes, padding and all."""
        return pow(int.from_bytes(data, "big"), self._d, self.public.n).to_bytes(256, "big")


@attrs.define(eq=False)
class AuthKey:
    """A key of 256 bytes which a client and the box share; an account may be logged in with it."""

    key: bytes = attrs.field(factory=lambda: os.urandom(256), repr=False)
    user_id: int | None = None
    pending_id: int | None = None  #: gave the right code, owes the password
    salt: int = attrs.field(factory=lambda: random.getrandbits(63))
    id: bytes = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.id = sha1(self.key).digest()[-8:]  # noqa: S324 - as MTProto has it

    def session_string(self, user_id: int, bot: bool, api_id: int) -> str:
        """What kurigram keeps of a session: with it the client neither exchanges keys nor logs in."""
        packed = struct.pack(">BI?256sQ?", DC_ID, api_id, False, self.key, user_id, bot)
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")
