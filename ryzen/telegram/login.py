"""Logging in as a person, to make a session string: what ``scripts/session-gen.py`` asks for, step by step.

Every step raises ``AnswerError`` if the answer was wrong and may be given again, and ``ConfigError`` if that
is the end of it. Neither has the number, the code or the password in it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import anyio
from pyrogram.errors import Flood, RPCError, SessionPasswordNeeded
from pyrogram.types import User

from ryzen.errors import ConfigError
from ryzen.telegram.client import KEY_TROUBLES, Access
from ryzen.telegram.line import Line, reason_of
from ryzen.telegram.memory import Memory

R = TypeVar("R")

AGAIN = {
    "PHONE_NUMBER_INVALID": "Telegram knows no such number. It begins with a country code: +49 170 123456.",
    "PHONE_CODE_INVALID": "That is not the code.",
    "PHONE_CODE_EMPTY": "That is not the code.",
    "PASSWORD_HASH_INVALID": "That is not the password.",
}
OVER = {
    **KEY_TROUBLES,
    "PHONE_CODE_EXPIRED": "The code has expired: start again.",
    "PHONE_NUMBER_BANNED": "Telegram has banned this number: use another account.",
    "PHONE_NUMBER_FLOOD": "Too many logins with this number: try again tomorrow.",
    "PHONE_PASSWORD_FLOOD": "Too many logins with this number: try again tomorrow.",
}
NO_ACCOUNT = "There is no account with this number: make one with a Telegram app first."


class AnswerError(Exception):
    """The answer was wrong; it may be given again."""


@asynccontextmanager
async def logging_in(access: Access, within: float = 30.0) -> AsyncIterator[Login]:
    """A new key for Telegram, which nobody is logged in with yet. ConfigError: cannot be reached."""
    memory = Memory(access.api_id)
    line = Line("login", access.api_id, access.api_hash, memory, access.connection)
    try:
        try:
            with anyio.fail_after(within):
                await line.client.connect()
                await line.up()
        except OSError as error:
            raise ConfigError(
                ("Telegram cannot be reached: is there a network, and does it let Telegram through?",)
            ) from error
        yield Login(line)
    finally:
        await line.close()


class Login:
    def __init__(self, line: Line) -> None:
        self._client = line.client
        self._phone, self._code_hash = "", ""

    async def send_code(self, phone: str) -> str:
        """Have a code sent; returns by which way, in Telegram's word (app, sms, call …)."""
        sent = await _asked(lambda: self._client.send_phone_number_code(phone))
        self._phone, self._code_hash = phone, sent.phone_code_hash
        return str(sent.type.name).lower().replace("_", " ")

    async def sign_in(self, code: str) -> bool:
        """True: logged in. False: the account has a two-step password as well."""
        try:
            who = await _asked(lambda: self._client.sign_in(self._phone, self._code_hash, code))
        except SessionPasswordNeeded:
            return False
        if not isinstance(who, User):
            raise ConfigError((NO_ACCOUNT,))
        return True

    async def hint(self) -> str:
        """What the person once noted to remember the password by."""
        return await _asked(self._client.get_password_hint) or ""

    async def check_password(self, password: str) -> None:
        await _asked(lambda: self._client.check_password(password))

    async def session_string(self) -> str:
        """Whoever has it is the account."""
        return str(await self._client.export_session_string())


async def _asked(ask: Callable[[], Awaitable[Any]]) -> Any:
    try:
        return await ask()
    except SessionPasswordNeeded:
        raise
    except Flood as error:
        raise ConfigError((f"Telegram asks to wait {error.value} s before the next try.",)) from error
    except RPCError as error:
        reason = reason_of(error)
        if reason in AGAIN:
            raise AnswerError(AGAIN[reason]) from None
        over = OVER.get(reason, f"Telegram refuses ({reason}).")
        raise ConfigError((NO_ACCOUNT if reason == "PHONE_NUMBER_UNOCCUPIED" else over,)) from error
    except OSError as error:
        raise ConfigError(("Telegram cannot be reached any more: start again.",)) from error
