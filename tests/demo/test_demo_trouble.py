"""Which errors a trouble explains."""

import time

import anyio
import pytest

from ryzen.sandbox.demo.process import BotProcess, DemoError
from ryzen.sandbox.demo.script import Do, Trouble
from ryzen.sandbox.demo.stage import set_stage
from ryzen.sandbox.demo.trouble import TroubleMaker

pytestmark = pytest.mark.anyio


async def test_a_trouble_explains_what_may_follow_from_it_for_a_while_and_nothing_else() -> None:
    async with set_stage() as stage, anyio.create_task_group() as tasks:
        maker = TroubleMaker(stage, BotProcess(stage, {}, tasks, lambda _: None))
        lost = "chat:-1001 crashed: VoiceError: lost"
        before = time.monotonic()
        assert not maker.explains(lost, before)
        await maker.make(Do(0, Trouble.SILENCE_MEDIA, seconds=5))
        made = time.monotonic()
        assert maker.explains(lost, made)
        assert maker.explains(lost, made + 34)
        assert not maker.explains(lost, made + 36)
        assert not maker.explains(lost, before - 1)
        assert not maker.explains("store: disk full", made)


async def test_a_flood_and_a_cut_reach_the_local_telegram() -> None:
    async with set_stage() as stage, anyio.create_task_group() as tasks:
        maker = TroubleMaker(stage, BotProcess(stage, {}, tasks, lambda _: None))
        await maker.make(Do(0, Trouble.FLOOD, seconds=5, method="messages.SendMessage"))
        assert stage.box.faults.meet("messages.SendMessage", None, None) is not None
        assert stage.box.faults.meet("messages.EditMessage", None, None) is None
        await maker.make(Do(0, Trouble.DROP_CONNECTIONS))  # nobody is connected, which is fine
        assert maker.explains("pyrogram: connection lost", time.monotonic())
        with pytest.raises(DemoError, match="not running"):
            await maker.make(Do(0, Trouble.KILL_WORKER))
