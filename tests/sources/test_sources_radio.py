"""Radio stations by the real pyradios, on a directory of our own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import pytest
from aiohttp import web as aiohttp_web

from ryzen.errors import SourceAway, SourceTrouble, TrackError, TrackTrouble
from ryzen.fetch import egress, sessions, web
from ryzen.origins import Broadcast, Segmented
from ryzen.sandbox.internet import Internet
from ryzen.sandbox.internet.media import Shelf
from ryzen.sandbox.internet.radio_directory import RadioDirectory, Station
from ryzen.sources.radio import SERVERS, RadioSource
from ryzen.sources.weblink import WebLinkSource

pytestmark = pytest.mark.anyio

HOSTS = [httpx.URL(server).host for server in SERVERS]
STREAM = "https://stream.example"


def uuid(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012}"


STATIONS = [
    Station(uuid(1), "Local FM", f"{STREAM}/fm", "pop,local", votes=10),
    Station(uuid(2), "Local Jazz", f"{STREAM}/jazz", "jazz", votes=50),
    Station(uuid(3), "Local Dead", f"{STREAM}/dead", votes=999, well=False),
    Station(uuid(4), "Local FM (again)", f"{STREAM}/fm", votes=5),
    Station(uuid(5), "Local HLS", f"{STREAM}/hls.m3u8", votes=1),
    Station(uuid(6), "Equal plain", "http://stream.example/plain", votes=3),
    Station(uuid(7), "Equal loud", f"{STREAM}/loud", votes=3, bitrate=320),
    Station(uuid(8), "Equal good", f"{STREAM}/good", votes=3),
    Station("../../x", "Odd", f"{STREAM}/odd"),
    Station(uuid(9), "File", "file:///etc/passwd", votes=9),
    Station(uuid(10), "Inner", "http://127.0.0.1/radio", votes=9),
]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


async def stream(request: aiohttp_web.Request) -> aiohttp_web.StreamResponse:
    response = aiohttp_web.StreamResponse(headers={"Content-Type": "audio/mpeg", "icy-name": "On air"})
    await response.prepare(request)
    await response.write(bytes(8000))
    return response


@pytest.fixture(scope="module")
async def scene() -> AsyncIterator[tuple[RadioSource, RadioDirectory, Internet]]:
    shelf = Shelf("stream.example")
    shelf.serve("/fm", stream)
    shelf.put("/hls.m3u8", b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nmedia.m3u8\n", "application/x-mpegurl")
    shelf.put("/media.m3u8", b"#EXTM3U\n#EXT-X-ENDLIST\n", "application/x-mpegurl")
    directory = RadioDirectory(STATIONS)
    async with AsyncExitStack() as stack:
        internet = await stack.enter_async_context(Internet.serve([directory, shelf]))
        door = await stack.enter_async_context(egress.serve(internet.outside))
        pages = await stack.enter_async_context(web.serve(door, internet.outside))
        session = stack.enter_context(sessions.httpx_client(door, internet.outside))
        yield RadioSource(session, WebLinkSource(pages, pages)), directory, internet


@pytest.fixture
def source(scene: tuple[RadioSource, RadioDirectory, Internet]) -> RadioSource:
    scene[1].down.clear()
    scene[2].hits.clear()
    return scene[0]


async def titles(source: RadioSource, words: str, limit: int = 10) -> list[str]:
    return [track.title for track in await source.search(words, limit)]


async def test_stations_are_found_by_name_the_popular_first_without_the_dead(source: RadioSource) -> None:
    assert await titles(source, "local") == ["Local Jazz", "Local FM", "Local HLS"]
    assert await titles(source, "local", 1) == ["Local Jazz"]


async def test_what_no_station_is_called_may_be_what_one_plays(source: RadioSource) -> None:
    assert await titles(source, "pop") == ["Local FM"]
    assert await titles(source, "polka") == []


async def test_of_equally_popular_ones_the_right_rate_and_a_safe_line_win(source: RadioSource) -> None:
    assert await titles(source, "equal") == ["Equal good", "Equal plain", "Equal loud"]


async def test_a_station_is_a_track_without_an_end(source: RadioSource) -> None:
    (track,) = await source.search("local jazz", 5)
    assert (track.id, track.source, track.ref) == (f"radio:{uuid(2)}", "radio", f"{STREAM}/jazz")
    assert (track.duration, track.artist, track.link) == (None, "Germany, MP3", "https://station.example/")


async def test_what_has_no_web_address_or_an_odd_name_harms_nobody(source: RadioSource) -> None:
    assert await titles(source, "file") == []
    (odd,) = await source.search("odd", 5)
    assert odd.id == WebLinkSource.ident(f"{STREAM}/odd")


async def test_a_station_is_played_as_it_is_sent(source: RadioSource) -> None:
    (fm,) = await source.search("local fm", 5)
    assert (await source.resolve(fm)).place == Broadcast(f"{STREAM}/fm")
    (hls,) = await source.search("local hls", 5)
    assert (await source.resolve(hls)).place == Segmented(f"{STREAM}/hls.m3u8", live=True)


async def test_a_station_in_a_private_network_is_refused(source: RadioSource) -> None:
    (inner,) = await source.search("inner", 5)
    with pytest.raises(TrackError) as refused:
        await source.resolve(inner)
    assert refused.value.trouble is TrackTrouble.FORBIDDEN


async def test_another_server_is_asked_if_one_is_down(
    source: RadioSource, scene: tuple[RadioSource, RadioDirectory, Internet]
) -> None:
    scene[1].down.add(HOSTS[0])
    assert await titles(source, "local jazz") == ["Local Jazz"]
    assert [hit.host for hit in scene[2].hits] == HOSTS[:2]
    scene[1].down.update(HOSTS)
    with pytest.raises(SourceAway) as away:
        await source.search("local", 5)
    assert (away.value.source, away.value.trouble) == ("radio", SourceTrouble.DOWN)


@pytest.mark.parametrize("words", ["", "  "])
async def test_nobody_is_asked_for_nothing(
    source: RadioSource, scene: tuple[RadioSource, RadioDirectory, Internet], words: str
) -> None:
    assert await source.search(words, 5) == ()
    assert not scene[2].hits


@pytest.mark.parametrize("words", ["$BOT_TOKEN", 'a"; drop', "../../etc", "a" * 400, "&limit=9999"])
async def test_words_are_data(source: RadioSource, words: str) -> None:
    assert await source.search(words, 5) == ()


async def test_no_link_is_the_directorys(source: RadioSource) -> None:
    assert not source.claims("https://stream.example/fm")
    with pytest.raises(TrackError):
        await source.expand("https://stream.example/fm", 1)
