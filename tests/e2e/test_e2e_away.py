"""Sources that refuse, servers that hang, processes that die: it is told, or the music comes anyway."""

import time

import anyio
import pytest
from e2e_internet import MEDIA, UNHEARD, Silent, Songs, children, kept, link
from scene import SAYS, Opener, last_sound, resumed, until

from ryzen.sandbox.internet.media import Manners
from ryzen.sandbox.internet.world import make_world

pytestmark = pytest.mark.anyio


async def test_a_source_that_takes_us_for_a_robot_costs_no_queue_and_nobody_else(
    ryzen: Opener, songs: Songs
) -> None:
    world = make_world(songs.all)
    refused = SAYS("source.bot-check", source="youtube").plain
    async with ryzen(groups=2, sites=world.sites) as s:
        await s.say("/play tone 880", group=2)
        await s.say("/play low tide")
        await s.say("/play high tide")
        await s.say("/play rising road")
        await s.until_heard(550)
        await s.until_heard(880, group=2)
        await s.read("Rising Road is number 2")
        await kept(s, 2)
        world.youtube.block("bot-check")

        asked = await s.say(f"/play {link(songs.low.called('AnotherOne1'))}")
        told = await s.read(refused, since=asked, within=20)
        assert "COOKIES_FILE" in told.text
        asked = await s.say("/stats")
        assert "youtube: refuses us as a robot, asked again in" in (await s.read("youtube", since=asked)).text
        asked = await s.say("/queue")
        listed = await s.read("1. High Tide", since=asked)
        assert "2. Rising Road" in listed.text

        skipped = await s.say("/skip")
        await s.until_heard(990, since=skipped)
        skipped = await s.say("/skip")
        await s.read(SAYS("notice.source-away", reason=refused).plain, since=skipped)
        asked = await s.say("/queue")
        await s.read("1. Rising Road", since=asked)
        said = await s.say("/playforce tone 660")
        await s.until_heard(660, since=said)
        heard = s.peer(2).hears(seconds=9)
        assert (s.peer(2).lost, round(heard.hz, -1)) == (0, 880)
        assert heard.gap < UNHEARD
        assert s.grave() == []


async def test_what_is_skipped_while_its_server_hangs_leaves_nothing_behind(
    ryzen: Opener, songs: Songs
) -> None:
    world = make_world(songs.all)
    silent = Silent(world.youtube, songs.low.song.id)
    world.youtube.file(songs.rising.song.id).manners = Manners(hang_after=4000)
    async with ryzen(sites=(silent, *world.sites)) as s:
        await s.say("/play low tide")
        await until(lambda: silent.asked or None, 10, lambda: f"a request for the video; {s.story(1)}")
        fetcher = (await s.bot.report())["fetcher"]
        assert len(children(fetcher)) == 1
        await s.say("/play high tide")
        await s.read("High Tide is number 1")
        skipped = await s.say("/skip")
        await s.until_heard(990, since=skipped)
        await until(lambda: None if children(fetcher) else True, 5, lambda: f"the end of {children(fetcher)}")
        await kept(s)

        await s.say("/play rising road")
        await until(lambda: s.internet.asked(MEDIA)[1:] or None, 10, lambda: s.story(1))
        await s.say("/play tone 440")
        await s.read("tone 440 is number 2")
        skipped = await s.say("/skip 2")
        await s.until_heard(440, since=skipped)
        await kept(s)
        assert s.grave() == []


async def test_music_plays_on_while_the_fetch_server_dies_and_the_next_track_comes(
    ryzen: Opener, songs: Songs
) -> None:
    world = make_world(songs.all, Manners(rate=50_000))
    async with ryzen(sites=world.sites) as s:
        await s.say("/play low tide")
        await s.until_heard(550)
        fetcher = (await s.bot.report())["fetcher"]
        killed = time.monotonic()
        await s.bot.order(do="kill fetcher")
        await s.say("/play high tide")
        await s.read("High Tide is number 1", since=killed, within=20)
        assert (await s.bot.report())["fetcher"] not in (None, fetcher)
        assert s.longest_silence(max(killed, time.monotonic() - 9)) < UNHEARD
        skipped = await s.say("/skip")
        await s.until_heard(990, since=skipped)


async def test_a_killed_bot_goes_on_in_mid_song_though_what_it_had_fetched_is_gone(
    ryzen: Opener, songs: Songs
) -> None:
    world = make_world(songs.all, Manners(rate=20_000))
    async with ryzen(sites=world.sites) as s:
        await s.say("/play rising road")
        await s.until_heard(380)
        await anyio.sleep(1)
        old = s.peer()
        moment, position = await s.position()
        ended = time.monotonic()
        await s.bot.kill()
        await s.bot.start()
        left = position + (last_sound(old, ended) - moment)
        assert await resumed(s) == pytest.approx(left, abs=1.5)
        await s.read("I was restarted; Rising Road goes on at")
        await kept(s)
