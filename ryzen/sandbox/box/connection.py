"""One client connection: the key exchange in the open, then encrypted messages."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from hashlib import sha256
from io import BytesIO
from typing import Final, Protocol

from pyrogram.crypto import aes
from pyrogram.crypto.mtproto import kdf
from pyrogram.raw.core import Message as RawMessage
from pyrogram.raw.core import MsgContainer, TLObject

from ryzen.sandbox.box.exchange import KeyExchange
from ryzen.sandbox.box.keys import AuthKey, RsaKey
from ryzen.sandbox.box.sessions import ANSWER, Session, Sessions, plain
from ryzen.sandbox.box.tl import F, T, Tl
from ryzen.sandbox.box.transport import PacketError, Packets

_UNKNOWN_KEY: Final = struct.pack("<i", -404)
_WRONG_SALT: Final = 48


class OnRequest(Protocol):
    def __call__(self, session: Session, request_id: int, query: Tl) -> None: ...


class Connection:
    """Carries the session that its last packet belonged to."""

    def __init__(
        self, packets: Packets, sessions: Sessions, rsa: Callable[[], RsaKey], on_request: OnRequest
    ) -> None:
        self.packets = packets
        self.session: Session | None = None
        self._sessions, self._rsa, self._on_request = sessions, rsa, on_request
        self._exchange: KeyExchange | None = None

    async def serve(self) -> None:
        """Until the client goes. Raises IncompleteReadError or ConnectionResetError then, or PacketError."""
        try:
            while True:
                packet = await self.packets.read()
                if packet[:8] == bytes(8):
                    self._on_plain(packet)
                else:
                    self._on_encrypted(packet)
        finally:
            if self.session is not None:
                self.session.detach(self)

    def cut(self) -> None:
        """Close it at once, as a broken network would."""
        self.packets.abort()

    # -- in the open
    def _on_plain(self, packet: bytes) -> None:
        query = TLObject.read(BytesIO(packet[20:]))
        if self._exchange is None or isinstance(query, (F.ReqPqMulti, F.ReqPq)):
            self._exchange = KeyExchange(self._rsa())
        answer = self._exchange.answer(query).write()
        if self._exchange.auth is not None:
            self._sessions.add_key(self._exchange.auth)
            self._exchange = None
        self.packets.write(plain(answer, self._sessions.ids.next(ANSWER)))

    # -- encrypted
    def _on_encrypted(self, packet: bytes) -> None:
        auth = self._sessions.key(packet[:8])
        if auth is None:
            self.packets.write(_UNKNOWN_KEY)
            raise ConnectionResetError("an unknown authorisation key")
        data = aes.ige256_decrypt(packet[24:], *kdf(auth.key, packet[8:24], True))
        if sha256(auth.key[88:120] + data).digest()[8:24] != packet[8:24]:
            raise PacketError("a wrong msg_key")
        message = RawMessage.read(BytesIO(data[16:]))
        session = self._sessions.open(auth, data[8:16], message.msg_id)
        if session is not self.session:
            if self.session is not None:
                self.session.detach(self)
            self.session = session
            session.attach(self)
        if int.from_bytes(data[:8], "little", signed=True) != auth.salt:
            self._correct_salt(session, message, auth)
            return
        body = message.body
        for one in body.messages if isinstance(body, MsgContainer) else (message,):
            self._on_message(session, one)

    def _correct_salt(self, session: Session, message: Tl, auth: AuthKey) -> None:
        correction = T.BadServerSalt(
            bad_msg_id=message.msg_id,
            bad_msg_seqno=message.seq_no,
            error_code=_WRONG_SALT,
            new_server_salt=auth.salt,
        )
        session.send(correction.write(), content=False)

    def _on_message(self, session: Session, message: Tl) -> None:
        query = message.body
        if isinstance(query, T.MsgsAck):
            session.confirmed(query.msg_ids)
        elif isinstance(query, (F.Ping, F.PingDelayDisconnect)):
            pong = T.Pong(msg_id=message.msg_id, ping_id=query.ping_id)
            session.send(pong.write(), content=False)
        elif not isinstance(query, (T.HttpWait, T.MsgsStateReq)):
            self._on_request(session, message.msg_id, query)

    def write(self, session: Session, message_id: int, number: int, body: bytes) -> None:
        """Encrypt and send one message."""
        auth = session.auth
        data = struct.pack("<q", auth.salt) + session.id
        data += struct.pack("<qii", message_id, number, len(body)) + body
        data += os.urandom(-(len(data) + 12) % 16 + 12)
        msg_key = sha256(auth.key[96:128] + data).digest()[8:24]
        sealed = aes.ige256_encrypt(data, *kdf(auth.key, msg_key, False))
        self.packets.write(auth.id + msg_key + sealed)
