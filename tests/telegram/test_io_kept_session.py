"""Laws of the bot's session that is kept from one start to the next."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from io_stage import PATIENCE, TOKEN, Heard, Street, street
from loguru import logger
from pyrogram import raw

from ryzen.errors import ConfigError, SendError
from ryzen.ports import Said
from ryzen.telegram.client import Access, Account
from ryzen.telegram.inbox import Inbox
from ryzen.telegram.memory import Session, SessionFile
from ryzen.telegram.outbox import BotOutbox

pytestmark = pytest.mark.anyio

LOGIN = "auth.ImportBotAuthorization"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def keep(tmp_path: Path) -> Path:
    return tmp_path / "bot.session-string"


@asynccontextmanager
async def online(town: Street, keep: Path, heard: Heard | None = None) -> AsyncIterator[Account]:
    """One life of the bot."""
    bot = town.access.bot(TOKEN, keep)
    bot.listen(Inbox(heard or Heard(), now=bot.now).take)
    await bot.start(within=PATIENCE)
    try:
        yield bot
    finally:
        await bot.stop()


async def lives(town: Street, keep: Path) -> None:
    async with online(town, keep):
        pass


async def test_the_next_start_needs_no_login_and_is_as_good(keep: Path) -> None:
    heard = Heard()
    async with street() as town:
        await lives(town, keep)
        exchanges = town.box.calls[LOGIN]
        async with online(town, keep, heard) as bot:
            assert (bot.id, bot.name, bot.username) == (town.bot.id, "Music", "music_bot")
            sent = await BotOutbox(bot).send(town.group.chat_id, "here again")
            assert town.group.ledger.messages[sent].text == "here again"
            await town.box.say(town.group, town.owner, "hello")
            await heard.next(Said, lambda said: said.text == "hello")
        assert town.box.calls[LOGIN] == exchanges == 1


async def test_the_file_is_for_our_user_alone_and_nothing_lies_about(keep: Path) -> None:
    keep.with_name("bot.session-string.new").write_text("of a process that was killed")
    async with street() as town:
        await lives(town, keep)
    assert list(keep.parent.iterdir()) == [keep]
    assert stat.S_IMODE(keep.stat().st_mode) == 0o600
    session = Session.parse(keep.read_text().splitlines()[0])
    assert (session.user_id, session.is_bot, session.api_id) == (201, True, 1)
    assert TOKEN not in keep.read_text()


@pytest.mark.parametrize("reason", ["AUTH_KEY_UNREGISTERED", "SESSION_REVOKED", "USER_DEACTIVATED"])
async def test_a_session_that_telegram_ended_is_replaced_by_a_login(keep: Path, reason: str) -> None:
    heard = Heard()
    async with street() as town:
        await lives(town, keep)
        first = keep.read_text()
        town.box.faults.fail("updates.GetState", 401, reason)
        async with online(town, keep, heard) as bot:
            await town.box.say(town.group, town.owner, "hello")
            await heard.next(Said, lambda said: said.text == "hello")
            await bot.call(raw.functions.updates.GetState())
        assert town.box.calls[LOGIN] == 2
        assert keep.read_text() != first
        await lives(town, keep)
        assert town.box.calls[LOGIN] == 2


async def test_a_key_that_telegram_does_not_know_is_replaced_by_a_login(keep: Path) -> None:
    async with street() as town:
        await lives(town, keep)
    async with street() as town:  # which has never heard of it
        await lives(town, keep)
        await lives(town, keep)
        assert town.box.calls[LOGIN] == 1


async def test_a_session_counts_for_its_own_token_and_api_id_alone(keep: Path) -> None:
    async with street() as town:
        await lives(town, keep)
        mistyped = town.access.bot(TOKEN[:-1] + "X", keep)
        with pytest.raises(ConfigError, match="BOT_TOKEN is not a token that Telegram knows"):
            await mistyped.start()
        town.box.add_user(202, "Other", "other_bot", bot=True, token="202000000:another")
        other = town.access.bot("202000000:another", keep)
        await other.start()
        await other.stop()
        assert other.id == 202
        await lives(town, keep)
        elsewhere = Access(2, town.access.api_hash, town.access.connection).bot(TOKEN, keep)
        await elsewhere.start()
        await elsewhere.stop()
        assert town.box.calls[LOGIN] == 5


async def test_after_a_refused_session_a_bad_token_is_what_is_told(keep: Path) -> None:
    async with street() as town:
        await lives(town, keep)
        town.bot.token = "201000000:replaced"
        town.box.faults.fail("updates.GetState", 401, "SESSION_REVOKED")
        with pytest.raises(ConfigError, match=r"BOT_TOKEN.*@BotFather"):
            await town.access.bot(TOKEN, keep).start()


@pytest.mark.parametrize("content", [b"", b"nonsense", b"a b", b"\xff\xfe", b"a b c", b"\n" * 5000])
async def test_a_damaged_file_is_replaced(keep: Path, content: bytes) -> None:
    keep.write_bytes(content)
    async with street() as town:
        await lives(town, keep)
        await lives(town, keep)
        assert town.box.calls[LOGIN] == 1


async def test_a_file_that_cannot_be_written_is_told_and_no_error(tmp_path: Path) -> None:
    told: list[str] = []
    sink = logger.add(lambda line: told.append(str(line)), level="WARNING", format="{message}")
    async with street() as town:
        await lives(town, tmp_path / "no such folder" / "bot.session-string")
    logger.remove(sink)
    assert any("cannot be kept in" in line and "No such file" in line for line in told)


async def test_without_a_server_the_kept_session_is_kept(keep: Path) -> None:
    async with street() as town:
        await lives(town, keep)
        before, bot = keep.read_text(), town.access.bot(TOKEN, keep)
    with pytest.raises(SendError, match="unreachable"):
        await bot.start(within=0.3)
    assert keep.read_text() == before


async def test_neither_the_kept_session_nor_the_token_is_printed(keep: Path) -> None:
    said: list[str] = []
    sink = logger.add(lambda line: said.append(str(line)), level=0, format="{message} {exception}")
    async with street() as town:
        await lives(town, keep)
        session = keep.read_text().split()[0]
        keep.write_text(session)  # half of it: it says nothing of the token
        await lives(town, keep)
        town.box.faults.fail("updates.GetState", 401, "SESSION_REVOKED")
        async with online(town, keep) as bot:
            said.append(repr(bot))
            said.append(repr(SessionFile(keep, TOKEN, 1)))
    logger.remove(sink)
    everything = "".join(said)
    assert "cannot be used: ValueError" in everything
    assert "the kept session is over (SESSION_REVOKED)" in everything
    for secret in (TOKEN, session, keep.read_text().split()[0]):
        assert secret not in everything
