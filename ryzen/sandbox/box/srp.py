"""The server's half of the two-step password (SRP 6a). https://core.telegram.org/api/srp"""

from __future__ import annotations

import os
import random
from hashlib import pbkdf2_hmac, sha256
from typing import Final

from pyrogram.crypto import aes, prime

from ryzen.sandbox.box.tl import T, Tl, filled

_P: Final[int] = prime.CURRENT_DH_PRIME
_G: Final = 3


def _hash(data: bytes) -> bytes:
    return sha256(data).digest()


def _padded(number: int) -> bytes:
    return number.to_bytes(256, "big")


_K: Final = int.from_bytes(_hash(_padded(_P) + _padded(_G)), "big")


class Password:
    """A two-step password. The box keeps the verifier alone, as Telegram does."""

    def __init__(self, text: str) -> None:
        self._salt1, self._salt2 = os.urandom(40), os.urandom(16)
        inner = _hash(self._salt2 + _hash(self._salt1 + text.encode() + self._salt1) + self._salt2)
        slow = pbkdf2_hmac("sha512", inner, self._salt1, 100_000)
        x = int.from_bytes(_hash(self._salt2 + slow + self._salt2), "big")
        self._verifier = pow(_G, x, _P)
        self._challenges: dict[int, tuple[int, int]] = {}  # srp id -> b, B; each is good for one try

    @property
    def _algo(self) -> Tl:
        return T.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow(
            salt1=self._salt1, salt2=self._salt2, g=_G, p=_padded(_P)
        )

    def challenge(self) -> Tl:
        """The account.Password for a client which is about to prove that it knows the password."""
        b = int.from_bytes(os.urandom(256), "big")
        public = (_K * self._verifier + pow(_G, b, _P)) % _P
        srp_id = random.getrandbits(62)
        self._challenges = {srp_id: (b, public)}
        return filled(
            T.account.Password,
            has_password=True,
            current_algo=self._algo,
            srp_B=_padded(public),
            srp_id=srp_id,
            new_algo=T.PasswordKdfAlgoUnknown(),
            new_secure_algo=T.SecurePasswordKdfAlgoUnknown(),
            secure_random=os.urandom(256),
        )

    def is_stale(self, proof: Tl) -> bool:
        return getattr(proof, "srp_id", None) not in self._challenges

    def accepts(self, proof: Tl) -> bool:
        """Whether this InputCheckPasswordSRP was made with the password; the challenge is used up."""
        b, public = self._challenges.pop(proof.srp_id)
        a = int.from_bytes(proof.A, "big")
        u = int.from_bytes(_hash(_padded(a) + _padded(public)), "big")
        shared = pow(a * pow(self._verifier, u, _P) % _P, b, _P)
        expected = _hash(
            aes.xor(_hash(_padded(_P)), _hash(_padded(_G)))
            + _hash(self._salt1)
            + _hash(self._salt2)
            + _padded(a)
            + _padded(public)
            + _hash(_padded(shared))
        )
        return bool(a % _P) and expected == proof.M1


def no_password() -> Tl:
    """The account.Password of an account without one."""
    return filled(
        T.account.Password,
        new_algo=T.PasswordKdfAlgoUnknown(),
        new_secure_algo=T.SecurePasswordKdfAlgoUnknown(),
        secure_random=os.urandom(256),
    )
