"""Commands, from the message to the answer: the laws of the router and its lanes."""

from __future__ import annotations

import anyio
import pytest
from bot_fakes import ADMIN, GROUP, GUEST, OTHER, OWNER, SUDOER, stage, until
from loguru import logger

from ryzen.bot.desk import Desk, Order, Reply
from ryzen.bot.guard import Who
from ryzen.bot.pace import Rate
from ryzen.bot.table import Row, Table, Where
from ryzen.messages import MemberChanged
from ryzen.ports import MemberMoved, Person, Pressed, VoiceChatMoved

pytestmark = pytest.mark.anyio


async def echo(desk: Desk, order: Order) -> Reply:
    return Reply(desk.words("play.nothing-found", words=order.args or "nothing"))


async def hang(desk: Desk, order: Order) -> Reply | None:
    await anyio.sleep_forever()
    return None


async def crash(desk: Desk, order: Order) -> Reply | None:
    raise ZeroDivisionError(f"over {order.args}")


TABLE = Table(
    (
        Row("echo", echo, aliases=("e",)),
        Row("hang", hang),
        Row("crash", crash),
        Row("alone", echo, where=Where.PRIVATE),
        Row("adminecho", echo, Who.ADMIN),
        Row("sudo", echo, Who.SUDOER),
        Row("own", echo, Who.OWNER),
    )
)


async def test_two_thousand_commands_in_one_chat_leave_the_lane_of_another_free() -> None:
    async with stage(TABLE) as s:
        s.outbox.slow.add(GROUP)
        for _ in range(2000):
            s.type("/echo")
        assert "here" in await s.say("/echo here", chat_id=OTHER)
        assert s.outbox.of(GROUP) == []


async def test_a_command_that_hangs_in_one_chat_leaves_another_free() -> None:
    async with stage(TABLE) as s:
        s.type("/hang")
        assert "here" in await s.say("/echo here", chat_id=OTHER)


async def test_a_full_lane_drops_and_the_chat_is_told_once() -> None:
    async with stage(TABLE, waiting=4) as s:
        s.type("/hang")
        await anyio.sleep(0.01)
        for _ in range(12):
            s.type("/echo")
        await until(lambda: s.outbox.of(GROUP))
        await anyio.sleep(0.01)
        assert [text for text in s.outbox.texts(GROUP) if "busy" in text] == s.outbox.texts(GROUP)
        assert len(s.outbox.of(GROUP)) == 1


async def test_commands_of_one_chat_are_done_in_their_order() -> None:
    done: list[str] = []

    async def note(desk: Desk, order: Order) -> Reply:
        done.append(order.args)
        await anyio.sleep(0)
        return await echo(desk, order)

    async with stage(Table((Row("note", note),))) as s:
        for number in range(10):
            s.type(f"/note {number}")
        await until(lambda: len(s.outbox.of(GROUP)) == 10)
        assert done == list("0123456789")
        assert [text.split("“")[1][0] for text in s.outbox.texts(GROUP)] == done


async def test_a_reply_that_telegram_holds_up_holds_up_no_command() -> None:
    async with stage() as s:
        await s.playing("one", "two")
        s.outbox.slow.add(GROUP)
        s.type("/ping")
        s.type("/pause")
        with anyio.fail_after(1):
            while (await s.player()).phase.value != "paused":
                await anyio.sleep(0.002)


async def test_a_handler_that_hangs_is_cut_off_and_the_user_told() -> None:
    async with stage(TABLE, patience=0.05) as s:
        assert "too long" in await s.say("/hang")
        assert "on" in await s.say("/echo on")


async def test_a_handler_that_crashes_costs_one_command_and_its_log_line_quotes_nobody() -> None:
    lines: list[str] = []
    sink = logger.add(lines.append, format="{level} {message}", level="WARNING")
    async with stage(TABLE) as s:
        assert "wrong on my side" in await s.say("/crash my secret")
        assert "on" in await s.say("/echo on")
    logger.remove(sink)
    [line] = lines
    assert line.startswith("ERROR /crash in -1001 crashed: ZeroDivisionError at test_bot_router.py")
    assert "secret" not in line
    assert line.count("\n") == 1


async def test_a_reply_that_telegram_refuses_is_logged_and_the_lane_goes_on() -> None:
    lines: list[str] = []
    sink = logger.add(lines.append, format="{level} {message}", level="WARNING")
    async with stage(TABLE) as s:
        s.outbox.closed.add(GROUP)
        s.type("/echo")
        await until(lambda: lines)
        s.outbox.closed.clear()
        assert "on" in await s.say("/echo on")
    logger.remove(sink)
    assert lines == ["WARNING a reply in -1001 was refused: CHAT_WRITE_FORBIDDEN\n"]


# -- who, where, which
@pytest.mark.parametrize(
    ("command", "sender", "answer"),
    [
        ("/echo", GUEST, "found"),
        ("/adminecho", GUEST, "Only admins"),
        ("/adminecho", ADMIN, "found"),
        ("/adminecho", SUDOER, "found"),
        ("/adminecho", Person(GROUP, "The group", anonymous=True), "found"),
        ("/sudo", ADMIN, "staff"),
        ("/sudo", SUDOER, "found"),
        ("/sudo", OWNER, "found"),
        ("/own", SUDOER, "owner"),
        ("/own", OWNER, "found"),
        ("/alone", GUEST, "in private"),
    ],
)
async def test_each_may_what_the_row_says(command: str, sender: Person, answer: str) -> None:
    async with stage(TABLE) as s:
        assert answer in await s.say(command, sender)


async def test_group_commands_do_not_work_in_private_and_unknown_ones_are_explained_there() -> None:
    async with stage(TABLE) as s:
        assert "in groups" in await s.say("/echo", GUEST, GUEST.id, private=True)
        assert "found" in await s.say("/alone", GUEST, GUEST.id, private=True)
        assert "/help" in await s.say("/nosuch", GUEST, GUEST.id, private=True)


@pytest.mark.parametrize(
    "text",
    ["/nosuch", "hello", "", "/", "//", "/echo@other_bot", "!echo", "echo", "/ echo", "/echo!", "/écho", "?"],
)
async def test_what_is_no_command_of_ours_is_ignored_in_groups(text: str) -> None:
    async with stage(TABLE) as s:
        s.type(text)
        await s.say("/echo")
        assert len(s.outbox.of(GROUP)) == 1


@pytest.mark.parametrize(
    "text", ["/echo x", "/ECHO x", "/e x", "/echo@ryzen_bot x", "/echo@Ryzen_Bot\nx", ".e  x "]
)
async def test_a_command_is_known_by_its_names_prefixes_and_address(text: str) -> None:
    async with stage(TABLE, prefixes="/.") as s:
        assert "“x”" in await s.say(text)


# -- pace
async def test_a_person_who_is_too_fast_is_told_once_and_the_others_go_on() -> None:
    async with stage(TABLE, per_person=Rate(5, 1000.0)) as s:
        for _ in range(20):
            s.type("/echo", GUEST)
        await s.say("/echo", ADMIN)
        texts = s.outbox.texts(GROUP)
        assert sum("found" in text for text in texts) == 6
        assert sum("a bit fast" in text for text in texts) == 1
        assert len(texts) == 7


async def test_a_sudoer_may_be_as_fast_as_they_like() -> None:
    async with stage(TABLE, per_person=Rate(2, 1000.0), per_chat=Rate(2, 1000.0)) as s:
        for _ in range(10):
            assert "found" in await s.say("/echo", SUDOER)


async def test_a_chat_that_is_too_fast_is_told_once_and_other_chats_go_on() -> None:
    async with stage(TABLE, per_chat=Rate(10, 1000.0)) as s:
        for person in range(10, 30):
            s.type("/echo", Person(person, "Somebody"))
        assert "found" in await s.say("/echo", chat_id=OTHER)
        await until(lambda: len(s.outbox.of(GROUP)) == 11)
        assert sum("Too many commands" in text for text in s.outbox.texts(GROUP)) == 1


# -- events
async def test_a_change_of_members_is_passed_on_to_the_assistants() -> None:
    async with stage(TABLE) as s:
        s.router.accept(MemberMoved(GROUP, 99))
        s.router.accept(VoiceChatMoved(GROUP, open=False))
        await until(lambda: s.assistants.heard == [MemberChanged(GROUP, 99)])


async def test_every_press_is_answered_even_if_the_lane_is_full() -> None:
    async with stage(TABLE, waiting=2) as s:
        s.type("/hang")
        await anyio.sleep(0.01)
        for press_id in range(1, 7):
            s.router.accept(Pressed(press_id, GROUP, 1, ADMIN, "nonsense"))
        await until(lambda: len(s.outbox.answers) == 4)
        assert all("busy" in text and alert for _, text, alert in s.outbox.answers)


async def test_lanes_end_when_they_are_empty() -> None:
    async with stage(TABLE) as s:
        await s.say("/echo")
        await anyio.sleep(0.01)
        lanes = (s.router._work, s.router._replies, s.router._toasts)
        assert [lane._lanes for lane in lanes] == [{}, {}, {}]


async def test_what_fails_beside_the_router_comes_out_as_itself() -> None:
    with pytest.raises(ZeroDivisionError):
        async with stage(TABLE):
            raise ZeroDivisionError


def test_two_commands_of_one_name_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="echo"):
        Table((Row("echo", echo), Row("other", echo, aliases=("echo",))))
