"""A look at a link: what it is, how long, and how it begins."""

import asyncio

import anyio
import pytest
from aiohttp import web
from fetch_stage import Stage

from ryzen.errors import WebError
from ryzen.origins import Peek

pytestmark = pytest.mark.anyio


async def test_it_tells_the_kind_the_size_and_the_first_bytes(stage: Stage) -> None:
    song = bytes(range(256)) * 100

    async def give(request: web.Request) -> web.Response:
        if request.path == "/":
            return web.Response(status=302, headers={"Location": "/a.mp3"})
        return web.Response(body=song, headers={"Content-Type": "Audio/MPEG; q=1", "ICY-Name": "x"})

    await stage.serve("songs.example", give)
    async with stage.web() as web_client:
        peek = await web_client.peek("https://songs.example/")
    assert peek.url == "https://songs.example/a.mp3"
    assert (peek.kind, peek.size, peek.head) == ("audio/mpeg", 25_600, song[:4096])
    assert peek.headers["icy-name"] == "x"


async def test_what_is_short_is_seen_whole_and_what_is_refused_is_an_error(stage: Stage) -> None:
    async def give(request: web.Request) -> web.Response:
        return web.Response(body=b"#EXTM3U", status=404 if request.path == "/gone" else 200)

    await stage.serve("songs.example", give)
    async with stage.web() as web_client:
        assert (await web_client.peek("https://songs.example/")).head == b"#EXTM3U"
        with pytest.raises(WebError) as gone:
            await web_client.peek("https://songs.example/gone")
    assert gone.value.status == 404


async def test_a_station_of_old_is_understood_and_left_after_the_first_bytes(stage: Stage) -> None:
    gone = asyncio.Event()

    async def station(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"ICY 200 OK\r\nicy-name: Old FM\r\ncontent-type: audio/mpeg\r\n\r\n")
        try:
            while True:
                writer.write(b"\xff\xfb" * 1000)
                await writer.drain()
        finally:
            gone.set()

    await stage.serve_raw("radio.example", station, port=8000)
    async with stage.web() as web_client:
        peek = await web_client.peek("http://radio.example:8000/;stream")
        with anyio.fail_after(5):
            await gone.wait()
    assert peek == Peek(
        "http://radio.example:8000/;stream", "audio/mpeg", None, b"\xff\xfb" * 2048, peek.headers
    )
    assert peek.headers["icy-name"] == "Old FM"
