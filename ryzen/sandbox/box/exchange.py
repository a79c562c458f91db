"""The server's half of the key exchange: req_pq, req_DH_params, set_client_DH_params.

https://core.telegram.org/mtproto/auth_key
"""

from __future__ import annotations

import os
import random
import time
from hashlib import sha1
from io import BytesIO
from typing import Final

from pyrogram.crypto import aes, prime
from pyrogram.raw.core import TLObject

from ryzen.sandbox.box.keys import AuthKey, RsaKey
from ryzen.sandbox.box.tl import F, T, Tl
from ryzen.sandbox.box.transport import PacketError

_FIRST: Final = 2**30 + 1
_PRIMES: Final = tuple(p for p in range(_FIRST, _FIRST + 2000, 2) if all(p % q for q in range(3, 32800, 2)))
_DH_PRIME: Final[int] = prime.CURRENT_DH_PRIME


def _sha1(data: bytes) -> bytes:
    return sha1(data).digest()  # noqa: S324 - as MTProto has it


def _checked(data: bytes, what: str) -> Tl:
    """The object behind its own SHA-1; random padding may follow."""
    inner = TLObject.read(BytesIO(data[20:]))
    if _sha1(inner.write()) != data[:20]:
        raise PacketError(f"{what}: wrong hash")
    return inner


class KeyExchange:
    """One exchange; ``auth`` is there after the last step."""

    def __init__(self, rsa_key: RsaKey) -> None:
        self.auth: AuthKey | None = None
        self._rsa = rsa_key
        self._server_nonce = int.from_bytes(os.urandom(16), "little", signed=True)
        self._p, self._q = sorted(random.sample(_PRIMES, 2))
        self._new_nonce = self._key = self._iv = b""
        self._secret = 0

    def answer(self, query: Tl) -> Tl:
        """Raises PacketError if the client does not keep to the exchange."""
        if isinstance(query, (F.ReqPqMulti, F.ReqPq)):
            return T.ResPQ(
                nonce=query.nonce,
                server_nonce=self._server_nonce,
                pq=(self._p * self._q).to_bytes(8, "big"),
                server_public_key_fingerprints=[self._rsa.public.fingerprint],
            )
        if isinstance(query, F.ReqDHParams) and query.server_nonce == self._server_nonce:
            return self._offer(query)
        if (
            isinstance(query, F.SetClientDHParams)
            and query.server_nonce == self._server_nonce
            and self._secret
        ):
            return self._agree(query)
        raise PacketError("unexpected in a key exchange")

    def _offer(self, query: Tl) -> Tl:
        if int.from_bytes(query.p, "big") != self._p:
            raise PacketError("wrong factors")
        inner = _checked(self._rsa.decrypt(query.encrypted_data)[1:], "p_q_inner_data")
        new = self._new_nonce = inner.new_nonce.to_bytes(32, "little", signed=True)
        server = self._server_nonce.to_bytes(16, "little", signed=True)
        a, b, c = _sha1(new + server), _sha1(server + new), _sha1(new + new)
        self._key, self._iv = a + b[:12], b[12:] + c + new[:4]
        self._secret = int.from_bytes(os.urandom(256), "big")
        answer = T.ServerDHInnerData(
            nonce=query.nonce,
            server_nonce=self._server_nonce,
            g=3,
            dh_prime=_DH_PRIME.to_bytes(256, "big"),
            g_a=pow(3, self._secret, _DH_PRIME).to_bytes(256, "big"),
            server_time=int(time.time()),
        ).write()
        blob = _sha1(answer) + answer
        blob += os.urandom(-len(blob) % 16)
        return T.ServerDHParamsOk(
            nonce=query.nonce,
            server_nonce=self._server_nonce,
            encrypted_answer=aes.ige256_encrypt(blob, self._key, self._iv),
        )

    def _agree(self, query: Tl) -> Tl:
        inner = _checked(
            aes.ige256_decrypt(query.encrypted_data, self._key, self._iv), "client_DH_inner_data"
        )
        key = pow(int.from_bytes(inner.g_b, "big"), self._secret, _DH_PRIME).to_bytes(256, "big")
        server = self._server_nonce.to_bytes(16, "little", signed=True)
        salt = int.from_bytes(aes.xor(self._new_nonce[:8], server[:8]), "little", signed=True)
        self.auth = AuthKey(key, salt=salt)
        proof = _sha1(self._new_nonce + b"\x01" + _sha1(key)[:8])[4:20]
        return T.DhGenOk(
            nonce=query.nonce,
            server_nonce=self._server_nonce,
            new_nonce_hash1=int.from_bytes(proof, "little", signed=True),
        )
