"""Media hosting: ranges as RFC 9110 wants them, and each fault just so."""

from __future__ import annotations

import asyncio
import gzip
import io
from collections.abc import AsyncIterator

import aiohttp
import anyio
import av
import m3u8
import pytest
from internet_stage import Stage, recordings, set_stage

from ryzen.sandbox.internet import hls, hostile, radio
from ryzen.sandbox.internet.hls import Live, cut
from ryzen.sandbox.internet.media import Manners, Shelf
from ryzen.sandbox.internet.songs import Recording
from ryzen.sandbox.synth import tone

pytestmark = pytest.mark.anyio

BODY = bytes(number % 251 for number in range(300_000))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return recordings(tmp_path_factory.mktemp("songs"))[0]


@pytest.fixture
def shelf() -> Shelf:
    return Shelf("media.example")


@pytest.fixture
async def stage(shelf: Shelf) -> AsyncIterator[Stage]:
    async with set_stage(shelf) as stage:
        yield stage


async def until_broken(stage: Stage, url: str, headers: dict[str, str] | None = None) -> bytes:
    """What came before the connection broke."""
    came = bytearray()

    async def read(answer: aiohttp.ClientResponse) -> None:
        async for piece in answer.content.iter_any():
            came.extend(piece)

    async with stage.web.get(url, headers=headers) as answer:
        with pytest.raises(aiohttp.ClientPayloadError):
            await read(answer)
    return bytes(came)


# -- ranges
@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=1000-1999", 1000, 1999),
        ("bytes=299999-", 299_999, 299_999),
        ("bytes=250000-999999", 250_000, 299_999),
        ("bytes=-10", 299_990, 299_999),
    ],
)
async def test_a_range_is_answered_with_just_that(
    stage: Stage, shelf: Shelf, wanted: str, first: int, last: int
) -> None:
    url = shelf.put("/a.mp3", BODY).url
    async with stage.web.get(url, headers={"Range": wanted}) as answer:
        assert answer.status == 206
        assert answer.headers["Content-Range"] == f"bytes {first}-{last}/300000"
        assert answer.content_length == last - first + 1
        assert await answer.read() == BODY[first : last + 1]


async def test_a_range_past_the_end_is_416(stage: Stage, shelf: Shelf) -> None:
    url = shelf.put("/a.mp3", BODY).url
    async with stage.web.get(url, headers={"Range": "bytes=300000-"}) as answer:
        assert (answer.status, answer.headers["Content-Range"]) == (416, "bytes */300000")


@pytest.mark.parametrize("wanted", [None, "bytes=5-4x", "lines=1-2", "bytes=-"])
async def test_what_is_no_range_gets_the_whole(stage: Stage, shelf: Shelf, wanted: str | None) -> None:
    url = shelf.put("/a.mp3", BODY, "audio/x-test").url
    async with stage.web.get(url, headers={"Range": wanted} if wanted else None) as answer:
        assert (answer.status, answer.content_type) == (200, "audio/x-test")
        assert await answer.read() == BODY


async def test_a_server_without_ranges_gives_the_whole(stage: Stage, shelf: Shelf) -> None:
    url = shelf.put("/a.mp3", BODY, manners=Manners(ranges=False)).url
    async with stage.web.get(url, headers={"Range": "bytes=5-9"}) as answer:
        assert (answer.status, "Accept-Ranges" in answer.headers) == (200, False)
        assert await answer.read() == BODY


async def test_a_head_has_the_length_and_no_body(stage: Stage, shelf: Shelf) -> None:
    url = shelf.put("/a.mp3", BODY, manners=Manners(cut_every=10)).url
    async with stage.web.head(url) as answer:
        assert (answer.status, answer.headers["Content-Length"]) == (200, "300000")


# -- faults
async def test_a_server_is_not_faster_than_its_rate(stage: Stage, shelf: Shelf) -> None:
    url = shelf.put("/a.mp3", BODY[:20_000], manners=Manners(rate=100_000)).url
    since = asyncio.get_running_loop().time()
    assert await stage.get(url) == (200, BODY[:20_000])
    took = asyncio.get_running_loop().time() - since
    assert took > 0.175  # the last slice, a fiftieth of a second, is on its way when it has been sent


async def test_the_first_bytes_of_a_slow_server_do_not_wait_for_the_others(
    stage: Stage, shelf: Shelf
) -> None:
    file = shelf.put("/a.mp3", BODY, manners=Manners(rate=50))  # the whole takes more than an hour
    async with stage.web.get(file.url) as answer:
        assert await answer.content.readexactly(1) == BODY[:1]
        assert file.sent < 1000


async def test_a_server_may_take_its_time_to_answer(stage: Stage, shelf: Shelf) -> None:
    url = shelf.put("/a.mp3", b"sound", manners=Manners(latency=0.05)).url
    since = asyncio.get_running_loop().time()
    assert await stage.get(url) == (200, b"sound")
    assert asyncio.get_running_loop().time() - since >= 0.05


async def test_a_connection_is_cut_after_just_so_many_bytes(stage: Stage, shelf: Shelf) -> None:
    url = shelf.put("/a.mp3", BODY, manners=Manners(cut_every=123_456)).url
    assert await until_broken(stage, url) == BODY[:123_456]
    assert await until_broken(stage, url, {"Range": "bytes=123456-"}) == BODY[123_456:246_912]
    assert await stage.get(url, {"Range": "bytes=246912-"}) == (206, BODY[246_912:])


async def test_a_link_is_used_up_and_a_new_one_is_not(stage: Stage, shelf: Shelf) -> None:
    file = shelf.put("/a.mp3", BODY, manners=Manners(expire_after=100_000, expired=410))
    link = file.link()
    came = await until_broken(stage, link)
    assert BODY.startswith(came)
    assert 100_000 <= len(came) < 200_000
    assert (await stage.get(link, {"Range": f"bytes={len(came)}-"}))[0] == 410
    assert await stage.get(file.link(), {"Range": "bytes=0-9"}) == (206, BODY[:10])


async def test_the_plain_url_of_a_file_does_not_age(stage: Stage, shelf: Shelf) -> None:
    file = shelf.put("/a.mp3", BODY, manners=Manners(expire_after=10))
    for total in (300_000, 600_000):
        assert await stage.get(file.url) == (200, BODY)
        assert file.sent == total
        file.revoke()


async def test_revoking_breaks_off_what_is_under_way(stage: Stage, shelf: Shelf) -> None:
    file = shelf.put("/a.mp3", BODY, manners=Manners(rate=100_000))
    link = file.link()
    async with stage.web.get(link) as answer:
        await answer.content.readany()
        file.revoke()
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()
    assert (await stage.get(link))[0] == 403
    assert (await stage.get(file.link(), {"Range": "bytes=0-1"}))[0] == 206


async def test_more_at_once_than_the_host_gives_is_refused(stage: Stage, shelf: Shelf) -> None:
    url = shelf.put("/a.mp3", BODY, manners=Manners(span=1000)).url
    assert (await stage.get(url))[0] == 403
    assert (await stage.get(url, {"Range": "bytes=0-1000"}))[0] == 403
    assert await stage.get(url, {"Range": "bytes=0-999"}) == (206, BODY[:1000])


async def test_a_body_in_chunks_has_no_length(stage: Stage, shelf: Shelf) -> None:
    url = shelf.put("/a.mp3", BODY, manners=Manners(chunked=True)).url
    async with stage.web.get(url) as answer:
        assert answer.content_length is None
        assert await answer.read() == BODY


async def test_a_length_may_be_a_lie(stage: Stage, shelf: Shelf) -> None:
    assert await until_broken(stage, shelf.put("/more.mp3", BODY, manners=Manners(lie=400_000)).url) == BODY
    less = shelf.put("/less.mp3", BODY, manners=Manners(lie=1000)).url
    assert await stage.get(less) == (200, BODY[:1000])


async def test_nothing_is_a_body_too(stage: Stage, shelf: Shelf) -> None:
    assert await stage.get(shelf.put("/a.mp3", b"").url) == (200, b"")


async def test_a_status_may_take_the_place_of_the_file_for_a_while(stage: Stage, shelf: Shelf) -> None:
    file = shelf.put("/a.mp3", BODY, manners=Manners(status=503))
    assert (await stage.get(file.url))[0] == 503
    file.manners = Manners()
    assert await stage.get(file.url) == (200, BODY)


async def test_a_server_may_stop_in_the_middle_and_stay(stage: Stage, shelf: Shelf) -> None:
    url = shelf.put("/a.mp3", BODY, manners=Manners(hang_after=70_000)).url
    async with stage.web.get(url) as answer:
        assert await answer.content.readexactly(70_000) == BODY[:70_000]
        with anyio.move_on_after(0.1) as patience:
            await answer.content.readany()
    assert patience.cancelled_caught


async def test_a_server_may_say_nothing_at_all(stage: Stage, shelf: Shelf) -> None:
    url = shelf.serve("/hang", hostile.hang)
    waiting = asyncio.create_task(stage.get(url))
    while not stage.internet.asked(path="/hang"):
        await anyio.sleep(0.01)
    await anyio.sleep(0.05)
    assert not waiting.done()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_body_may_have_no_end(stage: Stage, shelf: Shelf) -> None:
    url = shelf.serve("/endless", hostile.endless())
    async with stage.web.get(url) as answer:
        assert answer.content_length is None
        assert len(await answer.content.readexactly(5 << 20)) == 5 << 20


async def test_a_bomb_is_a_thousandth_of_its_size(stage: Stage, shelf: Shelf) -> None:
    url = shelf.serve("/bomb", hostile.bomb(20_000_001))
    async with stage.web.get(url, headers={"Accept-Encoding": "identity"}, auto_decompress=False) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        packed = await answer.read()
    assert len(packed) < 25_000
    assert gzip.decompress(packed) == bytes(20_000_001)


async def test_a_redirect_leads_anywhere(stage: Stage, shelf: Shelf) -> None:
    url = shelf.redirect("/moved", "http://127.0.0.1/secret")
    async with stage.web.get(url, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "http://127.0.0.1/secret")
    shelf.put("/a.mp3", b"sound")
    assert await stage.get(shelf.redirect("/here", "/a.mp3", 307)) == (200, b"sound")


# -- HLS
@pytest.mark.parametrize("kind", ["mpegts", "fmp4"])
async def test_a_playlist_has_the_whole_song_in_pieces(
    stage: Stage, shelf: Shelf, song: Recording, kind: str
) -> None:
    what = cut(song.m4a, kind)  # type: ignore[arg-type]
    assert len(what.pieces) >= 3
    url = hls.shelve(shelf, "/song", what)
    _, text = await stage.get(url)
    variant = m3u8.loads(text.decode(), uri=url).playlists[0].absolute_uri
    _, text = await stage.get(variant)
    media = m3u8.loads(text.decode(), uri=variant)
    assert media.is_endlist
    assert max(segment.duration for segment in media.segments) <= media.target_duration
    links = [section.absolute_uri for section in media.segment_map]
    links += [segment.absolute_uri for segment in media.segments]
    sound = b"".join([(await stage.get(link))[1] for link in links])
    assert abs(seconds_of(sound) - song.seconds) < 0.1
    assert abs(sum(segment.duration for segment in media.segments) - song.seconds) < 0.1


async def test_a_live_window_moves_and_wraps_with_a_discontinuity(
    stage: Stage, shelf: Shelf, song: Recording
) -> None:
    now = [0.0]
    what = cut(song.m4a)
    live = Live(what, window=2, now=lambda: now[0])
    url = shelf.serve("/live/", live.answer) + "index.m3u8"

    async def window() -> m3u8.M3U8:
        return m3u8.loads((await stage.get(url))[1].decode(), uri=url)

    first = await window()
    assert (first.media_sequence, len(first.segments), first.is_endlist) == (0, 2, False)
    assert not any(segment.discontinuity for segment in first.segments)
    now[0] = sum(piece.seconds for piece in what.pieces) - 0.001
    later = await window()
    assert later.media_sequence == len(what.pieces) - 1
    assert [segment.discontinuity for segment in later.segments] == [False, True]
    assert await stage.get(later.segments[1].absolute_uri) == (200, what.pieces[0].body)
    ahead = later.segments[1].absolute_uri.replace(f"{len(what.pieces)}.ts", f"{len(what.pieces) + 1}.ts")
    assert (await stage.get(ahead))[0] == 404
    now[0] += 0.002
    again = await window()
    assert (again.media_sequence, again.discontinuity_sequence) == (len(what.pieces), 0)
    live.end()
    now[0] += 100
    assert (await window()).is_endlist
    assert (await window()).media_sequence == again.media_sequence


# -- radio
async def test_a_station_has_no_end_and_names_itself(stage: Stage, shelf: Shelf) -> None:
    url = shelf.serve("/radio", radio.station(tone(440, 1.0), "Local FM"))
    async with stage.web.get(url) as answer:
        assert (answer.headers["icy-name"], answer.content_type) == ("Local FM", "audio/mpeg")
        assert "icy-metaint" not in answer.headers
        sound = await answer.content.readexactly(30_000)
    assert seconds_of(sound, "mp3") > 1.7  # it has gone round once


async def test_a_station_tells_the_title_within_the_stream_to_who_asks(stage: Stage, shelf: Shelf) -> None:
    url = shelf.serve("/radio", radio.station(tone(440, 1.0), "Local FM", "Blue Sky"))
    async with stage.web.get(url, headers={"Icy-MetaData": "1"}) as answer:
        every = int(answer.headers["icy-metaint"])
        await answer.content.readexactly(every)
        size = (await answer.content.readexactly(1))[0] * 16
        assert (await answer.content.readexactly(size)).rstrip(b"\0") == b"StreamTitle='Blue Sky';"


def seconds_of(sound: bytes, format: str | None = None) -> float:
    """Decoded, and not what a header says."""
    with av.open(io.BytesIO(sound), format=format) as file:
        return sum(frame.samples / frame.sample_rate for frame in file.decode(audio=0))
