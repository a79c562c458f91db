"""How Telegram is reached, and the accounts that reach it: the bot and its assistants.

    access = Access(api_id, api_hash)                       # or Access(…, connection=…) for the sandbox
    bot, assistant = access.bot(token), access.assistant(session)
    bot.listen(inbox.take)                                  # before start
    await bot.start()                                       # ConfigError says which variable and what to do
    …
    await bot.stop()

An account is started once; to start again, make a new one. Neither token nor session string is in any repr,
message or log line.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import attrs
from loguru import logger
from pyrogram import raw, utils
from pyrogram.connection import Connection
from pyrogram.errors import FloodWait, PeerIdInvalid, RPCError

from ryzen.errors import ConfigError, SendError
from ryzen.telegram.line import NO_ANSWER, Line, Listener, reason_of
from ryzen.telegram.memory import Memory, Session, SessionStringError

MAKE_SESSION = "make a new one with `python scripts/session-gen.py` and put it into {variable}"
TAKE_KEY = "take both from https://my.telegram.org (API development tools)"

KEY_TROUBLES = {
    "API_ID_INVALID": f"API_ID and API_HASH do not belong together: {TAKE_KEY}.",
    "API_ID_PUBLISHED_FLOOD": f"API_ID is a published one, which Telegram blocks: get your own; {TAKE_KEY}.",
    "CONNECTION_API_ID_INVALID": f"API_ID is not known to Telegram: {TAKE_KEY}.",
}
BOT_TROUBLES = {
    "ACCESS_TOKEN_INVALID": "{variable} is not a token that Telegram knows: "
    "copy it again from @BotFather (/mybots, API Token).",
    "ACCESS_TOKEN_EXPIRED": "{variable} has been replaced by a newer one: "
    "copy it again from @BotFather (/mybots, API Token).",
    "": "{variable} was refused by Telegram ({reason}): copy it again from @BotFather (/mybots, API Token).",
}
SESSION_TROUBLES = {
    "AUTH_KEY_DUPLICATED": "{variable} was used in two places at once, so Telegram has ended it: "
    f"{MAKE_SESSION}, and use it nowhere else.",
    "USER_DEACTIVATED": "The account of {variable} has been deleted: use another account; "
    + MAKE_SESSION
    + ".",
    "USER_DEACTIVATED_BAN": "The account of {variable} has been banned by Telegram: use another account; "
    f"{MAKE_SESSION}.",
    "SESSION_PASSWORD_NEEDED": "{variable} was made without its password step: " + MAKE_SESSION + ".",
    "": "{variable} has expired or was ended in Telegram's settings ({reason}): " + MAKE_SESSION + ".",
}


@attrs.frozen
class Access:
    """How Telegram is reached: the real one, or where ``connection`` (a kurigram Connection class) leads."""

    api_id: int
    api_hash: str = attrs.field(repr=False)
    connection: type[Connection] = Connection

    def bot(self, token: str, variable: str = "BOT_TOKEN") -> Account:
        """The bot's account; ``variable`` is what its token is called in the settings."""
        line = Line("bot", self.api_id, self.api_hash, Memory(self.api_id), self.connection)
        return Account(line, variable, BOT_TROUBLES, token)

    def assistant(self, session: str, variable: str = "SESSION") -> Account:
        """An assistant's account. Raises ConfigError if the session string is none, or a bot's."""
        try:
            known = Session.parse(session.strip())
        except SessionStringError as error:
            problem = f"{{variable}} is not a session string ({error}): {MAKE_SESSION}."
            raise ConfigError((problem.format(variable=variable),)) from None
        if known.is_bot:
            problem = "{variable} belongs to a bot, and bots cannot join voice chats: log in as a user; "
            raise ConfigError(((problem + MAKE_SESSION + ".").format(variable=variable),))
        memory = Memory(self.api_id, known)
        line = Line(variable.lower(), self.api_id, self.api_hash, memory, self.connection)
        return Account(line, variable, SESSION_TROUBLES)


class Account:
    """One account of ours on Telegram. ``client`` is kurigram's, for py-tgcalls alone."""

    def __init__(self, line: Line, variable: str, troubles: dict[str, str], token: str | None = None) -> None:
        self._line, self._variable, self._troubles, self._token = line, variable, troubles, token
        self._refused = anyio.Event()
        self.id, self.name, self.username = 0, "", ""
        self.call = line.call

    def __repr__(self) -> str:
        return f"<Account {self._line.name} {self.id or 'not started'}>"

    @property
    def client(self) -> Any:
        return self._line.client

    def listen(self, listener: Listener) -> None:
        """Who is told of updates; to be set before the start."""
        self._line.listener = listener

    def now(self) -> float:
        """Telegram's clock, seconds since 1970."""
        return float(self._line.client.server_time)

    async def peer(self, chat_id: int) -> Any:
        """The InputPeer. Raises RPCError if Telegram does not let us see it, ValueError if it can be none.

        A bot may ask for what it does not know by id alone; Telegram refuses that to a user.
        """
        memory = self._line.memory
        if not memory.knows(chat_id):
            number = utils.get_raw_peer_id(chat_id)
            match utils.get_peer_type(chat_id):
                case "chat":
                    return raw.types.InputPeerChat(chat_id=number)
                case "user":
                    user = raw.types.InputUser(user_id=number, access_hash=0)
                    await self.learn(await self.call(raw.functions.users.GetUsers(id=[user])))
                case _:
                    channel = raw.types.InputChannel(channel_id=number, access_hash=0)
                    await self.call(raw.functions.channels.GetChannels(id=[channel]))
        if not memory.knows(chat_id):
            raise PeerIdInvalid
        return await memory.get_peer_by_id(chat_id)

    def knows(self, chat_id: int) -> bool:
        """Whether the peer's access hash is at hand, which a user account cannot ask for."""
        return self._line.memory.knows(chat_id)

    async def learn(self, chats: list[Any]) -> None:
        """Remember these raw chats or users."""
        await self._line.client.fetch_peers(chats)

    async def start(self, within: float = 60.0) -> None:
        """Log in and let updates come.

        Raises ConfigError if Telegram refuses the account, and SendError («unreachable») after ``within``
        seconds without a word from it. When Telegram asks us to wait before a login, we wait, and say so.
        """
        started = False
        try:
            with anyio.CancelScope(deadline=anyio.current_time() + within) as scope:
                self._line.on_refused = scope.cancel
                await self._log_in(scope)
                started = True
        except RPCError as error:
            raise self._problem(reason_of(error)) from error
        finally:
            if not started:
                await self._line.close()
        if not started:
            if self._line.refused:
                raise self._problem(self._line.refused)
            raise SendError(NO_ANSWER)
        self._line.on_refused = self._refused.set
        logger.info("{}: on Telegram as {} ({})", self._line.name, self.name, self.id)

    async def _log_in(self, scope: anyio.CancelScope) -> None:
        client, for_ever = self._line.client, float("inf")

        async def ask_as_bot() -> None:
            await self._line.up()
            await client.sign_in_bot(self._token)

        async def ask_for_updates() -> None:
            """Telegram pushes them only to those who asked for their state."""
            await self.call(raw.functions.updates.GetState(), within=for_ever)

        async def ask_who_we_are() -> None:
            query = raw.functions.users.GetUsers(id=[raw.types.InputUserSelf()])
            (me,) = await self.call(query, within=for_ever)
            self.id, self.username = me.id, me.username or ""
            self.name = " ".join(filter(None, (me.first_name, me.last_name)))

        steps = [client.connect, ask_as_bot, ask_for_updates, ask_who_we_are, client.initialize]
        if self._token is None:
            steps.remove(ask_as_bot)
        for step in steps:
            await self._insist(step, scope)

    async def _insist(self, step: Callable[[], Awaitable[object]], scope: anyio.CancelScope) -> None:
        """Through floods, which do not count, and bad connections."""
        while True:
            try:
                await step()
            except FloodWait as flood:
                logger.warning(
                    "{}: Telegram asks to wait {} s before the login", self._line.name, flood.value
                )
                scope.deadline += float(flood.value)
                await anyio.sleep(float(flood.value))
            except OSError as error:
                logger.warning("{}: cannot reach Telegram yet: {}", self._line.name, type(error).__name__)
                await anyio.sleep(1.0)
            else:
                return

    async def watch(self) -> None:
        """Wait until Telegram refuses the running account for good (revoked, banned): raises ConfigError."""
        await self._refused.wait()
        raise self._problem(self._line.refused or "")

    async def stop(self, within: float = 5.0) -> None:
        """Off Telegram within about this many seconds, even if the server is dead; the session lives on."""
        await self._line.close(within)

    def _problem(self, reason: str) -> ConfigError:
        sentence = KEY_TROUBLES.get(reason) or self._troubles.get(reason) or self._troubles[""]
        return ConfigError((sentence.format(variable=self._variable, reason=reason),))
