"""How Telegram is reached, and the accounts that reach it: the bot and its assistants.

    access = Access(api_id, api_hash)                       # or Access(…, connection=…) for the sandbox
    bot, assistant = access.bot(token, state_dir / "bot.session-string"), access.assistant(session)
    bot.listen(inbox.take)                                  # before start
    await bot.start()                                       # ConfigError says which variable and what to do
    …
    await bot.stop()

An account is started once; to start again, make a new one. Neither token nor session string is in any repr,
message or log line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import attrs
from loguru import logger
from pyrogram import raw, utils
from pyrogram.connection import Connection
from pyrogram.errors import FloodWait, PeerIdInvalid, RPCError

from ryzen.errors import ConfigError, SendError
from ryzen.telegram.line import NO_ANSWER, Line, Listener, reason_of
from ryzen.telegram.memory import Memory, Session, SessionFile, SessionStringError

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


class RefusedError(Exception):
    """Telegram does not let this account in; its text is Telegram's own word for why."""


@attrs.frozen
class Access:
    """How Telegram is reached: the real one, or where ``connection`` (a kurigram Connection class) leads."""

    api_id: int
    api_hash: str = attrs.field(repr=False)
    connection: type[Connection] = Connection

    def bot(self, token: str, keep: Path | None = None, variable: str = "BOT_TOKEN") -> Account:
        """The bot's account; ``variable`` is what its token is called in the settings.

        ``keep`` is a file for its session: while that lives, a start needs no login.
        """
        file = SessionFile(keep, token, self.api_id) if keep is not None else None
        return BotAccount(lambda known: self._line("bot", known), variable, token, file)

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
        return Account(self._line(variable.lower(), known), variable, SESSION_TROUBLES)

    def _line(self, name: str, known: Session | None) -> Line:
        return Line(name, self.api_id, self.api_hash, Memory(self.api_id, known), self.connection)


class Account:
    """One account of ours on Telegram. ``client`` is kurigram's, for py-tgcalls alone."""

    def __init__(self, line: Line, variable: str, troubles: dict[str, str]) -> None:
        self._line, self._variable, self._troubles = line, variable, troubles
        self._refused = anyio.Event()
        self.id, self.name, self.username = 0, "", ""

    def __repr__(self) -> str:
        return f"<Account {self._line.name} {self.id or 'not started'}>"

    @property
    def client(self) -> Any:
        return self._line.client

    def listen(self, listener: Listener) -> None:
        """Who is told of updates; to be set before the start."""
        self._line.listener = listener

    async def call(self, query: Any, within: float = 30.0, files_of: int | None = None) -> Any:
        """Telegram's answer; see ``Line.call``."""
        return await self._line.call(query, within, files_of)

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
        try:
            await self._start(within)
        except RefusedError as refusal:
            raise self._problem(str(refusal)) from refusal

    async def _start(self, within: float) -> None:
        """On the present line, which is closed if it fails. Raises RefusedError or SendError."""
        started = False
        try:
            with anyio.CancelScope(deadline=anyio.current_time() + within) as scope:
                self._line.on_refused = scope.cancel
                for step in self._steps():
                    await self._insist(step, scope)
                started = True
        except RPCError as error:
            raise RefusedError(reason_of(error)) from error
        finally:
            if not started:
                await self._line.close()
        if not started:
            raise RefusedError(self._line.refused) if self._line.refused else SendError(NO_ANSWER)
        self._line.on_refused = self._refused.set
        logger.info("{}: on Telegram as {} ({})", self._line.name, self.name, self.id)

    def _steps(self) -> list[Callable[[], Awaitable[object]]]:
        client = self._line.client
        return [client.connect, self._introduce, client.initialize]

    async def _introduce(self) -> None:
        """Ask who we are, and for updates: Telegram pushes them only to those who asked for their state."""
        who = self.call(raw.functions.users.GetUsers(id=[raw.types.InputUserSelf()]), within=float("inf"))
        state = self.call(raw.functions.updates.GetState(), within=float("inf"))
        (me,), _ = await asyncio.gather(who, state)  # one way there and back instead of two
        await self.learn([me])
        self.id, self.username = me.id, me.username or ""
        self.name = " ".join(filter(None, (me.first_name, me.last_name)))

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


class BotAccount(Account):
    """Logs in by its token, unless there is a session that was kept in a file and is still good."""

    def __init__(
        self, line: Callable[[Session | None], Line], variable: str, token: str, file: SessionFile | None
    ) -> None:
        kept = file.read() if file is not None else None
        super().__init__(line(kept), variable, BOT_TROUBLES)
        self._make_line, self._token, self._file, self._is_kept = line, token, file, kept is not None

    async def start(self, within: float = 60.0) -> None:
        if self._is_kept:
            try:
                await self._start(within)
            except RefusedError as refusal:
                logger.warning("{}: the kept session is over ({}), logging in", self._line.name, refusal)
            else:
                return
            listener, self._line = self._line.listener, self._make_line(None)
            self._line.listener, self._is_kept = listener, False
        await super().start(within)
        if self._file is not None:
            self._file.write(str(await self._line.client.export_session_string()))

    def _steps(self) -> list[Callable[[], Awaitable[object]]]:
        connect, *others = super()._steps()
        return [connect, *others] if self._is_kept else [connect, self._log_in, *others]

    async def _log_in(self) -> None:
        await self._line.up()
        await self._line.client.sign_in_bot(self._token)
