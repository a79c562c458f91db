"""MTProto sessions: they outlive their connections."""

from __future__ import annotations

import random
import struct
import time
from typing import TYPE_CHECKING, Final

from ryzen.sandbox.box.keys import AuthKey
from ryzen.sandbox.box.tl import T

if TYPE_CHECKING:
    from ryzen.sandbox.box.connection import Connection

ANSWER, NEWS = 1, 3  # the two low bits of a server's message id
_UNACKED_LIMIT: Final = 2000  # messages kept for a client which confirms none; the oldest are dropped
_HEAVY: Final = 64 * 1024  # bytes; what is longer is a file part: the client asks for it again
_PATIENCE: Final = 60.0  # seconds; a client away for longer asks for the difference


class MessageIds:
    """Server message ids: they grow, and tell the time."""

    def __init__(self) -> None:
        self._last = 0

    def next(self, kind: int) -> int:
        self._last = max(int(time.time() * 2**32) & ~3, (self._last & ~3) + 4) | kind
        return self._last


class Session:
    """It outlives its connections, and keeps what the client has not confirmed."""

    def __init__(self, auth: AuthKey, session_id: bytes, ids: MessageIds) -> None:
        self.auth, self.id = auth, session_id
        self.connection: Connection | None = None
        self.wants_updates = False  # until it asks for the state, as with Telegram
        self.away_since = time.monotonic()
        self._ids = ids
        self._unacked: dict[int, tuple[int, bytes]] = {}  # message id -> sequence number, body
        self._content_sent = 0

    @property
    def lost(self) -> bool:
        return self.connection is None and time.monotonic() - self.away_since > _PATIENCE

    def send(self, body: bytes, *, kind: int = ANSWER, content: bool = True) -> None:
        """``content`` is to be confirmed; without a connection it is kept until there is one."""
        message_id = self._ids.next(kind)
        number = self._content_sent * 2 + content
        self._content_sent += content
        if content and len(body) <= _HEAVY:
            self._unacked[message_id] = (number, body)
            if len(self._unacked) > _UNACKED_LIMIT:
                del self._unacked[next(iter(self._unacked))]
        if self.connection is not None:
            self.connection.write(self, message_id, number, body)

    def confirmed(self, message_ids: list[int]) -> None:
        for message_id in message_ids:
            self._unacked.pop(message_id, None)

    def greet(self, first_message_id: int) -> None:
        """Say that this session is new to the box."""
        self.send(
            T.NewSessionCreated(
                first_msg_id=first_message_id,
                unique_id=random.getrandbits(62),
                server_salt=self.auth.salt,
            ).write()
        )

    def attach(self, connection: Connection) -> None:
        """From now on this connection carries it: what may have been lost with the last one goes first."""
        self.connection = connection
        for message_id, (number, body) in self._unacked.items():
            connection.write(self, message_id, number, body)

    def detach(self, connection: Connection) -> None:
        if self.connection is connection:
            self.connection, self.away_since = None, time.monotonic()


class Sessions:
    """All keys and sessions of the box."""

    def __init__(self) -> None:
        self.ids = MessageIds()
        self._keys: dict[bytes, AuthKey] = {}
        self._sessions: dict[tuple[bytes, bytes], Session] = {}

    def add_key(self, auth: AuthKey) -> None:
        self._keys[auth.id] = auth

    def key(self, key_id: bytes) -> AuthKey | None:
        return self._keys.get(key_id)

    def open(self, auth: AuthKey, session_id: bytes, first_message_id: int) -> Session:
        """The session of this id, made and greeted if it is new."""
        session = self._sessions.get((auth.id, session_id))
        if session is None:
            session = self._sessions[auth.id, session_id] = Session(auth, session_id, self.ids)
            session.greet(first_message_id)
        return session

    def listening(self) -> dict[int, list[Session]]:
        """Who wants updates, by account; sessions that nobody came back to are forgotten."""
        for key in [key for key, session in self._sessions.items() if session.lost]:
            del self._sessions[key]
        by_account: dict[int, list[Session]] = {}
        for session in self._sessions.values():
            if session.wants_updates and session.auth.user_id is not None:
                by_account.setdefault(session.auth.user_id, []).append(session)
        return by_account


def plain(body: bytes, message_id: int) -> bytes:
    """An unencrypted message, as the key exchange uses them."""
    return bytes(8) + struct.pack("<qi", message_id, len(body)) + body
