"""The database goes away and comes back: the music plays on, and nothing is lost."""

import time
import uuid
from collections.abc import AsyncIterator

import anyio
import pytest
from faults import FaultProxy, Way, fault_proxy
from mongod import Mongod
from scene import Opener, Scene

pytestmark = pytest.mark.anyio


@pytest.fixture
async def proxy(mongod: Mongod) -> AsyncIterator[FaultProxy]:
    async with fault_proxy(mongod.port) as proxy:
        yield proxy


@pytest.fixture
def url(proxy: FaultProxy) -> str:
    return proxy.url(f"e2e_{uuid.uuid4().hex}")


async def until_stats(s: Scene, degraded: bool, within: float = 40.0) -> None:
    """Ask again and again, as the owner would; in a group of its own, for one takes 20 messages a minute."""
    with anyio.fail_after(within):
        while True:
            asked = await s.say("/stats", group=2)
            told = await s.read("actors", group=2, since=asked)
            if ("DEGRADED" in told.text) is degraded:
                return
            await anyio.sleep(2)


async def test_music_and_commands_go_on_while_the_database_is_away(
    ryzen: Opener, proxy: FaultProxy, url: str
) -> None:
    async with ryzen(groups=2, DATABASE_URL=url) as s:
        await s.say("/play tone 440", group=1)
        await s.say("/play tone 660", group=1)
        await s.say("/play tone 880", group=2)
        await s.until_heard(440, group=1)
        await s.until_heard(880, group=2)
        other = s.peer(2)
        proxy.way = Way.HOLE
        hole = time.monotonic()
        skipped = await s.say("/skip", group=1)
        await s.until_heard(660, group=1, since=skipped)
        await until_stats(s, degraded=True)
        asked = await s.say("/history")
        await s.read("database", since=asked, within=5)
        assert "back" in (await s.press("♥", group=2)).text
        await anyio.sleep(max(0.0, hole + 12 - time.monotonic()))  # longer than any deadline
        heard = other.hears(seconds=9)
        assert s.peer(2) is other
        assert other.lost == 0
        assert heard.share > 0.95
        assert heard.gap < 0.2

        proxy.way = Way.PASS
        await until_stats(s, degraded=False)
        asked = await s.say("/favourites", group=2)
        await s.read("tone 880", group=2, since=asked)
        asked = await s.say("/history")
        assert (await s.read("tone 440", since=asked)).text.count("tone 660") == 1
        await s.bot.kill()
        await s.bot.start()
        await s.until_heard(660, group=1, since=s.bot.started_at)
        await s.until_heard(880, group=2, since=s.bot.started_at)
        assert s.grave() == []


async def test_a_killed_mongod_costs_no_play(ryzen: Opener, mongod: Mongod, url: str) -> None:
    async with ryzen(groups=2, DATABASE_URL=url) as s:
        await s.say("/play group 1")
        for number in (2, 1, 2, 1, 2):
            await s.say(f"/play group {number}")
        await s.until_heard(500)
        for number, hz in enumerate((600, 500, 600, 500, 600)):
            if number in (1, 3):
                mongod.kill()
            skipped = await s.say("/skip")
            await s.until_heard(hz, since=skipped)
            if number in (1, 3):
                mongod.spawn()
                await anyio.to_thread.run_sync(mongod.wait)
        await until_stats(s, degraded=False)
        asked = await s.say("/top", group=2)
        told = await s.read("group 1", group=2, since=asked)
        assert told.text.count("3×") == 2
        assert s.grave() == []


async def test_a_bot_that_starts_without_its_database_plays_and_finds_the_old_line_later(
    ryzen: Opener, proxy: FaultProxy, url: str
) -> None:
    async with ryzen(groups=2, DATABASE_URL=url) as s:
        for number in (1, 2):
            await s.say("/play tone 440", group=number)
            await s.say("/play tone 660", group=number)
            await s.until_heard(440, group=number)
            await s.read("660", group=number)
        await anyio.sleep(1)
        await s.bot.kill()
        proxy.way = Way.HOLE
        await s.bot.start()
        asked = await s.say("/play tone 1320", group=1)
        await s.until_heard(1320, group=1, since=asked)
        proxy.way = Way.PASS
        await s.until_heard(440, group=2, since=s.bot.started_at, within=30)
        await s.read("/restore", group=1, since=asked, within=30)
        await s.until_cards(1, group=1)
        await s.say("/restore", group=1)
        skipped = await s.say("/skip", group=1)
        await s.until_heard(440, group=1, since=skipped)


async def test_a_stop_while_the_database_is_away_loses_nothing(
    ryzen: Opener, proxy: FaultProxy, url: str
) -> None:
    async with ryzen(DATABASE_URL=url) as s:
        await s.say("/play tone 440")
        await s.until_heard(440)
        await anyio.sleep(1)
        proxy.way = Way.HOLE
        skipped = await s.say("/play tone 660")
        await s.say("/play tone 880")
        await s.say("/skip")
        await s.until_heard(660, since=skipped)
        asked = time.monotonic()
        assert await s.bot.stop() == 0
        assert time.monotonic() - asked < 20
        proxy.way = Way.PASS
        await s.bot.start()
        await s.until_heard(660, since=s.bot.started_at)
        skipped = await s.say("/skip")
        await s.until_heard(880, since=skipped)
        asked = await s.say("/history")
        assert (await s.read("tone 440", since=asked)).text.count("tone 660") == 1
