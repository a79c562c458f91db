"""What people may ask for who mean no good: each is told what is wrong, and nobody else hears of it."""

import ipaddress
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import anyio
import attrs
import pytest
from aiohttp import web
from e2e_internet import UNHEARD, Songs, kept, link
from scene import SAYS, Opener, Scene

from ryzen.sandbox.internet.catalogue import Echoes
from ryzen.sandbox.internet.hls import PLAYLIST
from ryzen.sandbox.internet.hostile import bomb, endless, hang
from ryzen.sandbox.internet.media import Shelf
from ryzen.sandbox.internet.net import NEIGHBOURHOOD
from ryzen.sandbox.internet.world import make_world

pytestmark = pytest.mark.anyio

#: Everybody asks at once, and more often than is polite.
RUDE = {"PERSON_RATE": "0", "CHAT_RATE": "0", "FETCH_JOBS": "32"}


def refused(trouble: str) -> str:
    return SAYS("trouble.track", reason=SAYS(f"track.{trouble}")).plain


def left_out(title: str, trouble: str) -> str:
    return SAYS("notice.track-failed", track=title, reason=SAYS(f"track.{trouble}")).plain


def unknown(words: str) -> str:
    return SAYS("play.nothing-found", words=words).plain


@asynccontextmanager
async def undisturbed(s: Scene) -> AsyncIterator[None]:
    """The first group listens to a song of ours, and hears every packet of it."""
    longest = 0.0

    async def listen() -> None:
        nonlocal longest
        while True:
            await anyio.sleep(2)
            heard = s.peer().hears(seconds=2.1)
            assert round(heard.hz, -1) == 880
            longest = max(longest, heard.gap)

    await s.say("/play tone 880")
    await s.until_heard(880)
    async with anyio.create_task_group() as listening:
        listening.start_soon(listen)
        yield
        listening.cancel_scope.cancel()
    heard = s.peer().hears(seconds=1)
    assert (round(heard.hz, -1), s.peer().lost) == (880, 0)
    assert longest < UNHEARD
    reached = [ipaddress.ip_address(address) for address in (await s.bot.report())["reached"]]
    assert all(address in NEIGHBOURHOOD for address in reached), reached
    assert s.grave() == []


async def ask(s: Scene, cases: Sequence[tuple[str, str]]) -> None:
    """Each in a group of its own, from the second on: a command, and the sentence which answers it."""

    async def one(group: int, command: str, answer: str) -> None:
        asked = await s.say(command, group)
        await s.read(answer, group, since=asked, within=30)

    async with anyio.create_task_group() as together:
        for group, (command, answer) in enumerate(cases, 2):
            together.start_soon(one, group, command, answer)


async def test_nothing_leads_to_a_private_address(ryzen: Opener, songs: Songs) -> None:
    world = make_world(())
    turncoat = Shelf("turncoat.example")
    changing = turncoat.put("/song.webm", songs.low.webm, "audio/webm")
    inside = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nhttp://10.0.0.1/0.ts\n#EXT-X-ENDLIST\n"
    show = world.files.put("/show.m3u8", inside.encode(), PLAYLIST)
    moved = world.files.redirect("/moved.mp3", "http://127.0.0.1/x.mp3")
    cases = [
        *(
            (f"/play http://{host}/a.mp3", refused("forbidden"))
            for host in (
                "127.0.0.1",
                "169.254.169.254",
                "10.0.0.1",
                "[::1]",
                "[::ffff:127.0.0.1]",
                "2130706433",
                "0177.0.0.1",
                "0x7f.1",
                "localhost.example",
                "somebody:secret@media.example",
            )
        ),
        (f"/play {moved}", refused("forbidden")),
        (f"/play {show.url}", left_out("show", "forbidden")),
        (f"/play {changing.url}", left_out("song", "forbidden")),
    ]
    pointed = {
        "localhost.example": [["127.0.0.1"]],
        "turncoat.example": [["11.0.0.1"], ["127.0.0.1"]],
    }
    async with (
        ryzen(groups=1 + len(cases), sites=(*world.sites, turncoat), pointed=pointed, **RUDE) as s,
        undisturbed(s),
    ):
        await ask(s, cases)


async def test_nothing_in_words_links_and_lists_is_taken_for_a_file_of_ours(
    ryzen: Opener, songs: Songs
) -> None:
    world = make_world(songs.all)
    files = world.files
    passwd = "file:///etc/passwd"
    pieces = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{passwd}\n#EXT-X-ENDLIST\n".encode()
    shell = """/$BOT_TOKEN/"x'`id`$(id).mp3"""
    traversing = songs.low.webm

    async def named(request: web.Request) -> web.StreamResponse:
        response = web.Response(body=traversing, content_type="audio/webm")
        response.headers["Content-Disposition"] = 'attachment; filename="../../../etc/A Song.webm"'
        return response

    cases = [
        (f"/play {passwd}", unknown(passwd)),
        (f"/stream {passwd}", SAYS("misread.link").plain),
        ("/play concat:/etc/passwd|/etc/shadow", unknown("concat:/etc/passwd|/etc/shadow")),
        ("/play subfile,,start,0,end,9,,:/etc/passwd", unknown("subfile,,start,0,end,9,,:/etc/passwd")),
        ("/play $BOT_TOKEN $(id)", unknown("$BOT_TOKEN $(id)")),
        ("/play https://media.example/concat:/etc/passwd", refused("missing")),
        (f"/play https://media.example{shell}", refused("missing")),
        (f"/play {files.put('/own.m3u8', pieces, PLAYLIST).url}", left_out("own", "forbidden")),
        (f"/play {files.put('/a.m3u', passwd.encode(), 'audio/x-mpegurl').url}", refused("forbidden")),
        (f"/play {files.put('/dressed.mp3', pieces).url}", refused("forbidden")),
        (f"/play {files.serve('/named', named)}", "🎵 A Song"),
    ]
    async with ryzen(groups=1 + len(cases), sites=world.sites, **RUDE) as s, undisturbed(s):
        await ask(s, cases)
        await s.until_heard(550, group=1 + len(cases))
        (hit,) = [hit for hit in s.internet.asked("media.example") if "BOT_TOKEN" in hit.path]
        assert hit.path == shell
        await kept(s)


async def test_no_answer_is_too_long_too_small_or_too_slow(ryzen: Opener, songs: Songs) -> None:
    world = make_world(songs.all)
    files = world.files
    wave = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        0xFFFFFFFF,
        b"WAVE",
        b"fmt ",
        16,
        1,
        1,
        48_000,
        96_000,
        2,
        16,
        b"data",
        0xFFFFFFFF,
    )
    echoes = world.youtube.playlist("PLechoes", "Echoes", Echoes(songs.high, "Echo", 50_000))
    long = songs.low.called("LongTitle_1", title="long " * 800)
    negative = attrs.evolve(songs.high.called("Negative__1", title="Negative"), seconds=-5.0)
    for recording in (long, negative):
        world.youtube.add(recording)

    async def less_than_nothing(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.write(b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nContent-Length: -5\r\n\r\n")
        request.transport.close()
        return web.Response()

    cases = [
        (
            f"/play {files.serve('/endless.wav', endless('audio/wav', wave + bytes(96_000)))}",
            left_out("endless", "too-big"),
        ),
        (f"/play {files.serve('/bomb.m3u8', bomb(50 << 20, PLAYLIST))}", refused("unreachable")),
        (f"/play {files.serve('/bomb.mp3', bomb(50 << 20, 'audio/mpeg'))}", left_out("bomb", "unsupported")),
        (f"/play {files.put('/empty.mp3', b'').url}", refused("broken")),
        (f"/play {files.serve('/negative.mp3', less_than_nothing)}", refused("unreachable")),
        (f"/play {files.serve('/hang.mp3', hang)}", SAYS("trouble.expired").plain),
        (f"/play {echoes}", SAYS("play.left-out", limit=30).plain),
        (f"/play {link(long)}", "🎵 long long"),
        (f"/play {link(negative)}", "🎵 Negative"),
    ]
    async with (
        ryzen(
            groups=1 + len(cases),
            sites=world.sites,
            CACHE_FILE_LIMIT="1M",
            PLAYLIST_FETCH_LIMIT="30",
            **RUDE,
        ) as s,
        undisturbed(s),
    ):
        await ask(s, cases)
        many = next(entry for entry in s.entries(8) if "Echoes" in entry.text)
        assert "added 30 of 50000" in many.text
        assert len(s.internet.asked("www.youtube.com", "/youtubei/v1/browse")) <= 2
        await s.until_heard(990, group=8)
        await s.until_heard(550, group=9)
        await s.until_heard(990, group=10)
        asked = await s.say("/ping", group=7)
        await s.read("Pong", group=7, since=asked)
