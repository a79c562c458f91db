"""From words and links to sound: what is asked for starts while it comes, once for all who want it."""

import anyio
import pytest
from e2e_internet import MEDIA, UNHEARD, Forgetful, Songs, asked_for_media, follow, kept, link
from scene import Opener

from ryzen.sandbox.internet.media import Manners
from ryzen.sandbox.internet.world import make_world

pytestmark = pytest.mark.anyio


async def test_words_are_heard_while_they_come_and_from_the_cache_ever_after(
    ryzen: Opener, songs: Songs
) -> None:
    world = make_world(songs.all, Manners(rate=100_000))
    async with ryzen(sites=world.sites) as s:
        file = world.youtube.file(songs.low.song.id)
        await s.say("/play low tide")
        await s.until_heard(550)
        assert file.sent < len(file.body)
        card = await s.read("▶ Playing")
        assert "Low Tide — Shore Band" in card.text
        assert "0:40 · asked for by Ada" in card.text
        asked = await s.say("/queue")
        assert "Low Tide" in (await s.read("0:40 · Ada", since=asked)).text
        await kept(s)
        assert file.sent == len(file.body)

        fetched, resolved = asked_for_media(s), len(world.youtube.played)
        asked = await s.say("/play high tide")
        await s.read("High Tide is number 1", since=asked)
        await kept(s, 2)
        fetched_both = asked_for_media(s)
        assert fetched_both > fetched
        again = await s.say(f"/playforce {link(songs.low)}")
        await s.until_heard(550, since=again)
        skipped = await s.say("/skip")
        await s.until_heard(990, since=skipped)
        assert await s.bot.stop() == 0
        await s.bot.start()
        await s.until_heard(990, since=s.bot.started_at)
        again = await s.say("/playforce low tide")
        await s.until_heard(550, since=again)
        assert asked_for_media(s) == fetched_both
        assert len(world.youtube.played) - resolved == 2  # high tide, and the link of low tide
        assert s.grave() == []


async def test_three_groups_that_ask_at_once_cause_one_request_and_all_hear_it(
    ryzen: Opener, songs: Songs
) -> None:
    world = make_world(songs.all, Manners(rate=100_000))
    async with ryzen(groups=3, sites=world.sites) as s:
        async with anyio.create_task_group() as together:
            for number in (1, 2, 3):
                together.start_soon(s.say, f"/play {link(songs.high)}", number)
        for number in (1, 2, 3):
            await s.until_heard(990, group=number)
        await kept(s)
        assert asked_for_media(s) == 1
        file = world.youtube.file(songs.high.song.id)
        assert file.sent == len(file.body)
        for number in (1, 2, 3):
            heard = s.peer(number).hears(seconds=2)
            assert (round(heard.hz, -1), heard.lost) == (990, 0)
            assert s.longest_silence(anyio.current_time() - 2, number) < UNHEARD


async def test_a_connection_that_is_cut_again_and_again_is_heard_whole_and_in_order(
    ryzen: Opener, songs: Songs
) -> None:
    world = make_world(songs.all, Manners(rate=25_000, cut_every=20_000))
    async with ryzen(sites=world.sites) as s:
        await s.say("/play rising road")
        await s.until_heard(330)
        longest, off = await follow(s, 9.5)
        assert asked_for_media(s) >= len(songs.rising.webm) / 20_000
        assert longest < UNHEARD
        assert max(map(abs, off)) < UNHEARD
        await s.read("last one")


async def test_links_that_expire_in_mid_song_are_renewed_and_nobody_hears_it(
    ryzen: Opener, songs: Songs
) -> None:
    world = make_world(songs.all, Manners(rate=40_000, expire_after=80_000))
    async with ryzen(sites=world.sites) as s:
        await s.say("/play rising road")
        await s.until_heard(330)
        longest, off = await follow(s, 9.5)
        assert len(world.youtube.played) == 1 + len(songs.rising.webm) // 80_000
        assert longest < 1
        assert max(map(abs, off)) < 1
        await s.read("last one")


async def test_a_body_that_ends_early_and_does_not_say_so_is_gone_on_with_where_it_stopped(
    ryzen: Opener, songs: Songs
) -> None:
    world = make_world(songs.all)
    forgetful = Forgetful(world.youtube, songs.rising.webm)
    async with ryzen(sites=(forgetful, *world.sites)) as s:
        await s.say("/play rising road")
        await s.until_heard(330)
        longest, off = await follow(s, 9.5)
        assert longest < UNHEARD
        assert max(map(abs, off)) < UNHEARD
        await s.read("last one")
        first, second = (hit.range for hit in s.internet.asked(MEDIA))
        assert first is not None
        assert first.startswith("bytes=0-")
        assert second is not None
        assert second.startswith(f"bytes={len(songs.rising.webm) // 2}-")
