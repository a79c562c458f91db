"""What a client remembers of its account and of its peers: in memory; on disk at most a bot's session.

kurigram 2.2.26 offers SQLite for this, also in memory; plain dictionaries cost a tenth of the time per
update, and the session string need not be handed to the library at all.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import struct
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import attrs
from loguru import logger
from pyrogram import raw, utils
from pyrogram.storage import Storage, UpdateState
from pyrogram.storage.sqlite_storage import PROD, TEST

PORTS = {False: 443, True: 80}
USERS_KEPT = 20_000  #: some 10 MB; a bot asks Telegram again for those that were forgotten
FORMATS = (">BI?256sQ?", ">B?256sQ?", ">B?256sI?")  #: kurigram's, and two older ones of pyrogram


class SessionStringError(ValueError):
    """The text is not a session string."""


@attrs.frozen
class Session:
    """What a session string says; ``api_id`` is 0 if it is of an older kind."""

    dc_id: int
    api_id: int
    test_mode: bool
    auth_key: bytes = attrs.field(repr=False)
    user_id: int = 0
    is_bot: bool = False

    @classmethod
    def parse(cls, text: str) -> Session:
        """Raises SessionStringError; its message never has the text in it."""
        try:
            data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise SessionStringError("not base64") from None
        for kind in FORMATS:
            if len(data) == struct.calcsize(kind):
                fields = struct.unpack(kind, data)
                break
        else:
            raise SessionStringError("wrong length")
        dc_id, *api_id, test_mode, auth_key, user_id, is_bot = fields
        if dc_id not in (TEST if test_mode else PROD) or not user_id:
            raise SessionStringError("its fields make no sense")
        return cls(dc_id, api_id[0] if api_id else 0, test_mode, auth_key, user_id, is_bot)


@attrs.frozen
class SessionFile:
    """Keeps a bot's session for the next start, which then needs no login: Telegram floods those.

    It is as secret as the token. It counts for that very token and API_ID alone: a token that is mistyped,
    or of another bot, must not go unnoticed.
    """

    path: Path
    token: str = attrs.field(repr=False)
    api_id: int

    def read(self) -> Session | None:
        """None if there is none that counts."""
        try:
            text, made_with = self.path.read_text("ascii").split()
            session = Session.parse(text)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            logger.warning("{} cannot be used: {}", self.path, type(error).__name__)  # its text is secret
            return None
        return session if made_with == self._mark() and session.is_bot else None

    def write(self, session: str) -> None:
        """In one step, for our user alone. Without it the next start is only slower: told, and no error."""
        fresh = self.path.with_name(f"{self.path.name}.new")
        try:
            fresh.unlink(missing_ok=True)
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(f"{session}\n{self._mark()}\n")
            fresh.replace(self.path)
        except OSError as error:
            logger.warning("the bot's session cannot be kept in {}: {}", self.path, error.strerror)

    def _mark(self) -> str:
        return hashlib.sha256(f"{self.api_id} {self.token}".encode()).hexdigest()


def _fact(name: str) -> Callable[..., Awaitable[object]]:
    """kurigram reads a fact by calling with nothing, and writes it by calling with a value, even None."""

    async def fact(self: Memory, *value: object) -> object:
        if value:
            self._facts[name] = value[0]
        return self._facts[name]

    return fact


class Memory(Storage):  # type: ignore[misc] # mypy does not follow imports into kurigram, which is untyped
    """kurigram's storage, as dictionaries. Peers are learnt from every update and answer."""

    def __init__(self, api_id: int, session: Session | None = None) -> None:
        dc_id, test_mode = (session.dc_id, session.test_mode) if session else (2, False)
        self._facts: dict[str, object] = {
            "dc_id": dc_id,
            "test_mode": test_mode,
            "server_address": (TEST if test_mode else PROD)[dc_id],
            "port": PORTS[test_mode],
            "api_id": session.api_id if session and session.api_id else api_id,
            "auth_key": session.auth_key if session else None,
            "user_id": session.user_id if session else None,
            "is_bot": session.is_bot if session else None,
            "date": 0,
        }
        self._chats: dict[int, raw.base.InputPeer] = {}
        self._users: OrderedDict[int, raw.base.InputPeer] = OrderedDict()

    dc_id, api_id, test_mode = _fact("dc_id"), _fact("api_id"), _fact("test_mode")
    server_address, port = _fact("server_address"), _fact("port")
    auth_key, user_id, is_bot, date = _fact("auth_key"), _fact("user_id"), _fact("is_bot"), _fact("date")

    def knows(self, peer_id: int) -> bool:
        return peer_id in self._chats or peer_id in self._users

    async def open(self) -> None: ...

    async def save(self) -> None: ...

    async def close(self) -> None: ...

    async def delete(self) -> None: ...

    async def update_peers(self, peers: Iterable[tuple[int, int, str, str | None]]) -> None:
        for peer_id, access_hash, kind, _phone in peers:
            if kind in ("user", "bot"):
                self._users[peer_id] = raw.types.InputPeerUser(user_id=peer_id, access_hash=access_hash)
                self._users.move_to_end(peer_id)
                if len(self._users) > USERS_KEPT:
                    self._users.popitem(last=False)
            elif kind == "group":
                self._chats[peer_id] = raw.types.InputPeerChat(chat_id=-peer_id)
            else:
                channel_id = utils.get_channel_id(peer_id)
                self._chats[peer_id] = raw.types.InputPeerChannel(
                    channel_id=channel_id, access_hash=access_hash
                )

    async def update_usernames(self, usernames: Iterable[tuple[int, list[str | None]]]) -> None:
        """Not kept: a username can change hands, so whoever needs one asks Telegram."""

    async def get_peer_by_id(self, peer_id: int) -> raw.base.InputPeer:
        return self._chats[peer_id] if peer_id in self._chats else self._users[peer_id]

    async def get_peer_by_username(self, username: str) -> raw.base.InputPeer:
        raise KeyError(username)

    async def get_peer_by_phone_number(self, phone_number: str) -> raw.base.InputPeer:
        raise KeyError(phone_number)

    # The place in the stream of updates is not kept: what was missed while we were away is old.
    async def get_update_states(self, _ids: int | Iterable[int] | None = None) -> list[UpdateState]:
        return []

    async def set_update_state(self, update_state: UpdateState | Iterable[UpdateState]) -> None: ...

    async def delete_update_state(self, state_id: int | Iterable[int]) -> None: ...
