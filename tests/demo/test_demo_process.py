"""The bot's process: how it comes up, goes down, and what it says when it cannot."""

import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path

import anyio
import attrs
import pytest
from demo_runs import PATIENCE, await_end_of, children_of

from ryzen.sandbox.box.keys import AuthKey
from ryzen.sandbox.demo.process import BotProcess, DemoError, Line
from ryzen.sandbox.demo.stage import Stage, set_stage

pytestmark = pytest.mark.anyio


@attrs.frozen
class Set:
    stage: Stage
    bot: BotProcess
    said: list[Line]

    async def until(self, what: str) -> Line:
        """The first line whose text, or kind, has this."""
        with anyio.fail_after(PATIENCE):
            while True:
                for line in self.said:
                    if what == line["kind"] or what in line.get("text", ""):
                        return line
                await anyio.sleep(0.02)


Opener = Callable[..., AbstractAsyncContextManager[Set]]


@asynccontextmanager
async def open_set(music: Path, state: Path, groups: int = 1, **settings: str) -> AsyncIterator[Set]:
    said: list[Line] = []
    async with set_stage(groups) as stage, anyio.create_task_group() as tasks:
        environment = {"MUSIC_DIR": str(music), "STATE_DIR": str(state), **settings}
        bot = BotProcess(stage, environment, tasks, said.append)
        yield Set(stage, bot, said)
        tasks.cancel_scope.cancel()


@pytest.fixture
def opened(tones: Path, tmp_path: Path) -> Opener:
    return partial(open_set, tones, tmp_path / "state")


async def test_a_restart_leaves_nothing_of_the_old_bot_and_orders_wait_for_the_new_one(
    opened: Opener,
) -> None:
    async with opened() as a:
        await a.bot.start()
        before, old = a.bot.pid, await a.bot.report()
        assert before is not None
        family = children_of(before)
        assert len(family) >= 2  # the audio worker, and the nursery it comes from
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(a.bot.restart)
            await anyio.sleep(0)
            new = await a.bot.report()
        assert a.bot.pid != before
        assert new["worker"] != old["worker"]
        await anyio.to_thread.run_sync(await_end_of, family)

        await a.bot.order(do="crash chat", chat=a.stage.groups[0].chat_id)
        assert "nothing plays" in (await a.until("refused"))["text"]

        assert a.bot.pid is not None
        family = children_of(a.bot.pid)
        assert await a.bot.stop() == 0
        assert await a.bot.stop() == 0  # once more is no harm
        await anyio.to_thread.run_sync(await_end_of, family)
        assert not any(line["kind"] == "ended" for line in a.said)  # we ended it ourselves
        with pytest.raises(DemoError, match="not running"):
            await a.bot.report()


async def test_a_bot_that_is_killed_by_another_hand_is_noticed(opened: Opener) -> None:
    async with opened() as a:
        await a.bot.start()
        assert a.bot.pid is not None
        os.kill(a.bot.pid, signal.SIGKILL)
        assert (await a.until("ended"))["code"] == -signal.SIGKILL


@pytest.mark.parametrize(
    ("variable", "code", "remedy"), [("BOT_TOKEN", 2, "@BotFather"), ("SESSION", 2, "session-gen.py")]
)
async def test_an_account_that_telegram_refuses_is_named_with_what_to_do(
    opened: Opener, capfd: pytest.CaptureFixture[str], variable: str, code: int, remedy: str
) -> None:
    async with opened() as a:
        assistant = a.stage.assistant.id
        unknown = {
            "BOT_TOKEN": "123456789:" + "A" * 35,
            "SESSION": AuthKey(user_id=assistant).session_string(assistant, False, 1),
        }
        a.bot.environment[variable] = unknown[variable]
        with pytest.raises(DemoError, match=f"exit code {code}"):
            await a.bot.start()
        told = capfd.readouterr().err
        assert f"Ryzen cannot start:\n  - {variable} " in told
        assert remedy in told
        assert "Traceback" not in told
        assert unknown[variable] not in told + str(a.said)


async def test_a_storm_of_crashes_ends_it_with_70_and_a_clear_word(
    opened: Opener, capfd: pytest.CaptureFixture[str]
) -> None:
    async with opened(groups=3) as a:
        await a.bot.start()
        for group in a.stage.groups:
            await a.stage.box.say(group, a.stage.owner, "/play tone 440")
        for group in a.stage.groups:
            while a.stage.peer(group) is None:
                await anyio.sleep(0.02)
        for group in a.stage.groups:
            for _ in range(5):
                await a.bot.order(do="crash chat", chat=group.chat_id)
        assert (await a.until("ended"))["code"] == 70
        assert (await a.until("escalates"))["level"] == "CRITICAL"
        told = capfd.readouterr().err
        assert "Ryzen cannot go on:\n  - the actors «chats» crash again and again" in told
        assert "Traceback" not in told


async def test_a_second_signal_does_not_wait_for_the_drain(opened: Opener) -> None:
    async with opened(LEAVE_CALLS_ON_STOP="yes") as a:
        await a.bot.start()
        await a.stage.box.say(a.stage.groups[0], a.stage.owner, "/play tone 440")
        while a.stage.peer(a.stage.groups[0]) is None:
            await anyio.sleep(0.02)
        slow = a.stage.box.faults.delay("phone.LeaveGroupCall", 3600)
        a.bot.send_signal(signal.SIGTERM)
        with anyio.fail_after(PATIENCE):
            while not slow.met:
                await anyio.sleep(0.02)
        assert a.bot.pid is not None
        family = children_of(a.bot.pid)
        a.bot.send_signal(signal.SIGTERM)
        with anyio.fail_after(PATIENCE):
            assert await a.bot.wait() == -signal.SIGTERM  # a drain, however short, would end with 0
        await anyio.to_thread.run_sync(await_end_of, family)


async def test_what_is_said_to_a_bot_that_is_stopping_is_no_error(opened: Opener) -> None:
    async with opened(LEAVE_CALLS_ON_STOP="yes") as a:
        await a.bot.start()
        group = a.stage.groups[0]
        await a.stage.box.say(group, a.stage.owner, "/play tone 440")
        while a.stage.peer(group) is None:
            await anyio.sleep(0.02)
        slow = a.stage.box.faults.delay("phone.LeaveGroupCall", 1)
        a.bot.send_signal(signal.SIGTERM)
        with anyio.fail_after(PATIENCE):
            while not slow.met:
                await anyio.sleep(0.02)
        await a.stage.box.say(group, a.stage.owner, "/ping")
        with anyio.fail_after(PATIENCE):
            assert await a.bot.wait() == 0
        await a.until("ended")  # all that it said has come
        assert [line for line in a.said if line.get("level") in ("ERROR", "CRITICAL")] == []
