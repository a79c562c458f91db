"""Laws of the accounts: what is said when they cannot start, and that they stop."""

import base64
import logging
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from io_stage import PATIENCE, TOKEN, Heard, street, until
from loguru import logger
from pyrogram import raw

from ryzen.errors import ConfigError, SendError
from ryzen.ports import Said
from ryzen.sandbox.box import local_connection
from ryzen.sandbox.box.keys import AuthKey
from ryzen.telegram.client import Access
from ryzen.telegram.logs import ThroughLoguru, redact
from ryzen.telegram.memory import Session, SessionStringError

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def printed() -> Iterator[list[str]]:
    """All that goes into the log, standard logging's lines of every level included."""
    lines: list[str] = []
    sink = logger.add(lambda line: lines.append(str(line)), level=0, format="{level} {message} {exception}")
    before = logging.root.handlers[:], logging.root.level
    ThroughLoguru.install(level=logging.DEBUG)
    yield lines
    logger.remove(sink)
    logging.root.handlers[:], level = before
    logging.root.setLevel(level)


async def test_a_wrong_token_names_its_variable_and_where_to_get_a_right_one() -> None:
    async with street() as town:
        account = town.access.bot("123456789:wrong")
        with pytest.raises(ConfigError, match=r"BOT_TOKEN .*@BotFather"):
            await account.start()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hunter2", "not a session string"),
        ("A" * 361, "not a session string"),
        ("A" * 362, "not a session string"),
    ],
)
async def test_a_malformed_session_is_named_before_anything_is_asked(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=rf"SESSION2 is {says}.*session-gen\.py.*SESSION2") as caught:
        Access(1, "x").assistant(text, "SESSION2")
    assert text not in str(caught.value)


async def test_a_bots_session_cannot_be_an_assistants() -> None:
    async with street() as town:
        with pytest.raises(ConfigError, match=r"SESSION belongs to a bot.*session-gen\.py"):
            town.access.assistant(town.box.session_string(town.bot.id))


async def test_a_session_that_telegram_does_not_know_is_said_to_have_ended_and_soon() -> None:
    async with street() as town:
        unknown = AuthKey(user_id=town.helper.id).session_string(town.helper.id, False, 1)
        start = time.monotonic()
        with pytest.raises(ConfigError, match=r"SESSION has expired or was ended.*session-gen\.py"):
            await town.access.assistant(unknown).start()
        assert time.monotonic() - start < PATIENCE


@pytest.mark.parametrize(
    ("code", "reason", "says"),
    [
        (401, "AUTH_KEY_UNREGISTERED", r"SESSION has expired or was ended"),
        (401, "SESSION_REVOKED", r"SESSION has expired or was ended"),
        (401, "USER_DEACTIVATED", r"account of SESSION has been deleted"),
        (401, "USER_DEACTIVATED_BAN", r"account of SESSION has been banned"),
        (406, "AUTH_KEY_DUPLICATED", r"SESSION was used in two places"),
    ],
)
@pytest.mark.parametrize("method", ["updates.GetState", "help.GetConfig"])
async def test_each_end_of_a_session_has_its_sentence(code: int, reason: str, says: str, method: str) -> None:
    async with street() as town:
        town.box.faults.fail(method, code, reason)
        with pytest.raises(ConfigError, match=rf"{says}.*session-gen\.py"):
            await town.access.assistant(town.box.session_string(town.helper.id)).start()


@pytest.mark.parametrize("reason", ["API_ID_INVALID", "API_ID_PUBLISHED_FLOOD"])
async def test_a_wrong_api_id_says_where_both_come_from(reason: str) -> None:
    async with street() as town:
        town.box.faults.fail("auth.ImportBotAuthorization", 400, reason)
        with pytest.raises(ConfigError, match=r"API_ID.*my\.telegram\.org"):
            await town.access.bot(TOKEN).start()


async def test_a_flood_at_the_login_is_waited_for() -> None:
    async with street() as town:
        town.box.faults.flood("auth.ImportBotAuthorization", 3, times=1)
        bot = town.access.bot(TOKEN)
        await bot.start(within=2.5)  # the flood does not count
        assert bot.id == town.bot.id
        await bot.stop()


async def test_without_a_server_the_start_says_so_in_time_and_leaves_nothing_behind() -> None:
    async with street() as town:
        connection = local_connection(town.box.host, town.box.port)
        session = town.box.session_string(town.helper.id)
    for account in (Access(1, "x", connection).bot(TOKEN), Access(1, "x", connection).assistant(session)):
        start = time.monotonic()
        with pytest.raises(SendError, match="unreachable"):
            await account.start(within=0.5)
        assert time.monotonic() - start < PATIENCE
    await _alone()


async def test_a_server_that_never_answers_is_the_same() -> None:
    async def hold(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            await anyio.sleep_forever()

    async with street() as town:
        session = town.box.session_string(town.helper.id)
    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1") as listener,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(listener.serve, hold)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        for account in (
            Access(1, "x", local_connection("127.0.0.1", port)).bot(TOKEN),
            Access(1, "x", local_connection("127.0.0.1", port)).assistant(session),
        ):
            start = time.monotonic()
            with pytest.raises(SendError, match="unreachable"):
                await account.start(within=0.5)
            assert time.monotonic() - start < PATIENCE
        tasks.cancel_scope.cancel()
    await _alone()


async def test_a_server_that_hangs_up_at_once_is_not_stormed() -> None:
    calls: list[float] = []

    async def hang_up(stream: anyio.abc.SocketStream) -> None:
        calls.append(time.monotonic())
        await stream.aclose()

    async with street() as town:
        session = town.box.session_string(town.helper.id)
    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1") as listener,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(listener.serve, hang_up)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        with pytest.raises(SendError, match="unreachable"):
            await Access(1, "x", local_connection("127.0.0.1", port)).assistant(session).start(within=1.5)
        tasks.cancel_scope.cancel()
    assert 2 <= len(calls) <= 5


async def test_stopping_ends_in_time_though_the_server_has_died() -> None:
    async with street() as town:
        bot = town.access.bot(TOKEN)
        await bot.start()
        helper = town.access.assistant(town.box.session_string(town.helper.id))
        await helper.start()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_ask_in_vain, bot)
        await anyio.sleep(0.3)  # the clients try to connect again by now
        start = time.monotonic()
        await bot.stop(within=3)
        await helper.stop(within=3)
        assert time.monotonic() - start < PATIENCE
    await _alone()


async def _ask_in_vain(account: object) -> None:
    with pytest.raises(SendError, match="unreachable"):
        await account.call(raw.functions.updates.GetState(), within=60)


async def _alone() -> None:
    """No task of the client's is left; asyncio's own view."""
    import asyncio

    def others() -> list[str]:
        mine = asyncio.current_task()
        return [repr(task) for task in asyncio.all_tasks() if task is not mine and "pyrogram" in repr(task)]

    await until(lambda: not others())


async def test_an_account_goes_on_after_its_connection_was_cut_and_the_server_was_away() -> None:
    heard = Heard()
    async with street() as town, town.bot_online(heard) as bot:
        town.box.refusing = True
        town.box.drop_connections()
        await anyio.sleep(0.2)
        town.box.refusing = False
        await bot.call(raw.functions.updates.GetState())
        await town.box.say(town.group, town.owner, "still there?")
        assert (await heard.next(Said)).text == "still there?"


async def test_a_request_that_falls_between_two_connections_is_sent_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """kurigram drops what is sent then without a word, and waits 15 s for the answer."""
    answers: list[object] = []
    async with street() as town, town.bot_online() as bot, anyio.create_task_group() as tasks:
        noticed = bot._line.broken

        async def ask() -> None:
            answers.append(await bot.call(raw.functions.updates.GetState()))

        def noticed_and_asked(connection: object) -> None:
            noticed(connection)
            tasks.start_soon(ask)

        monkeypatch.setattr(bot._line, "broken", noticed_and_asked)
        town.box.drop_connections(town.bot.id)
        await until(lambda: answers)
        monkeypatch.undo()


async def test_an_account_that_is_shut_out_while_it_runs_says_so() -> None:
    async with street() as town:
        for trouble in ("a request", "a reconnection"):
            async with town.helper_online() as helper:
                if trouble == "a request":
                    town.box.faults.fail("updates.GetState", 401, "SESSION_REVOKED")
                    with pytest.raises(Exception, match="SESSION_REVOKED"):
                        await helper.call(raw.functions.updates.GetState())
                else:
                    town.box.faults.fail("help.GetConfig", 401, "SESSION_REVOKED", user_id=town.helper.id)
                    town.box.drop_connections(town.helper.id)
                with (
                    anyio.fail_after(PATIENCE),
                    pytest.raises(ConfigError, match="SESSION has expired or was ended"),
                ):
                    await helper.watch()


async def test_a_cancelled_request_leaves_nothing_behind() -> None:
    async with street() as town, town.bot_online() as bot:
        town.box.faults.delay("updates.GetState", 0.2, times=1)
        with anyio.move_on_after(0.05):
            await bot.call(raw.functions.updates.GetState())
        await until(lambda: not bot.client.session.results)


async def test_nothing_is_written_into_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with street() as town, town.bot_online() as bot:
        town.box.faults.fail("updates.GetState", 400, "NEVER_HEARD_OF_IT")
        with pytest.raises(Exception, match="NEVER_HEARD_OF_IT"):
            await bot.call(raw.functions.updates.GetState())
    assert list(tmp_path.iterdir()) == []


async def test_nothing_secret_is_printed(printed: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    async with street() as town:
        session = town.box.session_string(town.helper.id)
        async with town.bot_online() as bot, town.helper_online() as helper:
            print(bot, helper, town.access, Session.parse(session))
            await bot.call(raw.functions.updates.GetState())
        wrong = AuthKey(user_id=1).session_string(1, False, 1)
        for account in (town.access.bot(TOKEN + "x"), town.access.assistant(wrong)):
            with pytest.raises(ConfigError) as caught:
                await account.start()
            print(account, caught.value, caught.value.__cause__)
        said = "".join(printed) + "".join(capfd.readouterr())
        assert "Music" in said
        key = base64.urlsafe_b64decode(session + "==")[6:262]
        for secret in (TOKEN, "hash-which-nobody-may-see", session, wrong, repr(key)[2:60]):
            assert secret not in said


def test_secrets_are_known_by_their_looks_and_by_name() -> None:
    session = base64.urlsafe_b64encode(
        struct.pack(">BI?256sQ?", 2, 1, False, bytes(range(256)), 7, False)
    ).decode()
    text = redact(f"a {session} b 123456789:{'A' * 35} c hunter2 d", ["hunter2", ""])
    assert text == "a … b … c … d"
    assert (
        redact("12:34 played, /queue 5, https://t.me/+AbCdEf")
        == "12:34 played, /queue 5, https://t.me/+AbCdEf"
    )


def test_the_librarys_lines_are_warnings_at_most_unless_there_was_an_exception(printed: list[str]) -> None:
    library = logging.getLogger("pyrogram.session.session")
    library.error("retrying with %s", "123456789:" + "A" * 35)
    try:
        int("123456789:" + "B" * 35)
    except ValueError:
        library.exception("a handler failed")
    assert [line.split()[0] for line in printed] == ["WARNING", "ERROR"]
    assert printed[0].startswith("WARNING pyrogram.session.session: retrying with …")
    assert "a handler failed: ValueError: " in printed[1]
    assert "BBB" not in printed[1]


@pytest.mark.parametrize("kind", [">BI?256sQ?", ">B?256sQ?", ">B?256sI?"])
def test_session_strings_of_every_kind_are_read(kind: str) -> None:
    values = {">BI?256sQ?": (2, 5, False, b"k" * 256, 301, False)}.get(
        kind, (2, False, b"k" * 256, 301, False)
    )
    text = base64.urlsafe_b64encode(struct.pack(kind, *values)).decode().rstrip("=")
    session = Session.parse(text)
    assert (session.dc_id, session.user_id, session.is_bot, session.auth_key) == (2, 301, False, b"k" * 256)
    with pytest.raises(SessionStringError):
        Session.parse(text[:-4])
