"""Files that people send, links to sound of any kind, and what is on the air."""

import pytest
from e2e_internet import Songs, kept
from scene import SAYS, Opener

from ryzen.sandbox.box.tl import T
from ryzen.sandbox.internet.hls import cut, shelve
from ryzen.sandbox.internet.innertube import State
from ryzen.sandbox.internet.radio import station
from ryzen.sandbox.internet.radio_directory import RadioDirectory, Station
from ryzen.sandbox.internet.world import make_world
from ryzen.sandbox.synth import tone

pytestmark = pytest.mark.anyio


async def test_a_file_is_played_from_the_message_that_play_replies_to_or_stands_under(
    ryzen: Opener, songs: Songs
) -> None:
    def named(title: str) -> list[object]:
        return [
            T.DocumentAttributeAudio(duration=40, title=title, performer="Somebody"),
            T.DocumentAttributeFilename(file_name="../../../etc/song.m4a"),
        ]

    async with ryzen() as s:
        box, group, bob = s.stage.box, s.group(), s.stage.person("Bob")
        sent = await box.send_file(
            group, bob, songs.high.m4a, mime_type="audio/mp4", attributes=named("A Present")
        )
        await s.say("/play", reply_to=sent.id)
        await s.until_heard(990)
        card = await s.read("▶ Playing")
        assert "A Present — Somebody" in card.text
        assert "0:40" in card.text
        await kept(s)
        await box.send_file(
            group,
            bob,
            songs.low.m4a,
            mime_type="audio/mp4",
            attributes=named("Another"),
            caption="/play",
        )
        await s.read("Another is number 1")
        box.expire_files()
        skipped = await s.say("/skip")
        await s.until_heard(550, since=skipped)
        words = await box.say(group, bob, "there is no file in this one")
        asked = await s.say("/play", reply_to=words.id)
        await s.read(SAYS("play.help").plain, since=asked)
        assert s.grave() == []


async def test_links_to_files_and_to_pieces_of_them_are_played_and_kept(ryzen: Opener, songs: Songs) -> None:
    world = make_world(())
    file = world.files.put("/songs/Low Tide.webm", songs.low.webm, "audio/webm")
    pieces = shelve(world.files, "/show", cut(songs.rising.m4a))
    async with ryzen(sites=world.sites) as s:
        await s.say(f"/play look at this: <{file.url.replace(' ', '%20')}>")
        await s.until_heard(550)
        assert "Low Tide" in (await s.read("▶ Playing")).text
        await kept(s)
        said = await s.say(f"/playforce {pieces}")
        await s.until_heard(330, since=said)
        await kept(s, 2)
        sought = await s.say("/seek 8")
        await s.until_heard(300 + 40 * 8 + 6, since=sought)
        await s.read("That was the last one")
        assert s.grave() == []


async def test_what_is_on_the_air_is_played_as_it_is_now_and_never_kept(ryzen: Opener, songs: Songs) -> None:
    world = make_world(songs.all)
    world.youtube.add(songs.low.called("LiveShow_01", title="The Long Night"), State.LIVE)
    stream = world.files.serve("/station", station(tone(770, 10), "Local FM"))
    jazz = world.files.serve("/jazz", station(tone(1210, 10), "Jazz FM"))
    directory = RadioDirectory([Station("9617a958-0601-11e8-ae97-52543be04c81", "Jazz FM", jazz)])
    async with ryzen(sites=(*world.sites, directory)) as s:
        await s.say("/play https://www.youtube.com/live/LiveShow_01")
        await s.until_heard(550, within=15)
        card = await s.read("▶ Playing")
        assert "The Long Night" in card.text
        assert "live · asked for by Ada" in card.text
        asked = await s.say("/seek 10")
        await s.read(SAYS("refuse.not-seekable").plain, since=asked)
        await s.say(f"/stream {stream}")
        await s.read("Local FM is number 1")
        skipped = await s.say("/skip")
        await s.until_heard(770, since=skipped)
        await s.say("/radio jazz")
        await s.read("Jazz FM is number 1")
        skipped = await s.say("/skip")
        await s.until_heard(1210, since=skipped)
        stopped = await s.say("/stop")
        await s.read(SAYS("answer.stopped").plain, since=stopped)
        await kept(s, 0)
        assert s.grave() == []
