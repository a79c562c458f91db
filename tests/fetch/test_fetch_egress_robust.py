"""Whatever clients and operators' proxies say, the door stays open, and keeps to itself what it has heard."""

import asyncio
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from fetch_stage import Stage, listening
from hypothesis import given
from hypothesis import strategies as st
from loguru import logger

from ryzen.errors import WebError, WebForbidden
from ryzen.fetch import web as client
from ryzen.fetch.head import BadHead, Raw

pytestmark = pytest.mark.anyio

LINES = st.sampled_from(
    [
        b"GET http://songs.example/ HTTP/1.1",
        b"CONNECT songs.example:443 HTTP/1.1",
        b"CONNECT [::1]:80 HTTP/1.0",
        b"POST http://[::ffff:127.0.0.1]:8080/?# HTTP/1.1",
        b"Proxy-Authorization: Basic OjpkaXJlY3Q6",
        b"Proxy-Authorization: Basic \xff\xff",
        b"Content-Length: 18446744073709551616",
        b"Content-Length: 5",
        b"Host: a\xe4",
        b": ",
        b"",
    ]
)


@given(st.lists(LINES | st.binary(max_size=30), max_size=6))
def test_any_head_is_understood_or_refused(lines: list[bytes]) -> None:
    try:
        raw = Raw.read(b"\r\n".join([*lines, b"", b""]))
        raw.credentials()
        head = raw.judged()
    except (BadHead, WebForbidden):
        return
    assert head.host
    assert head.port
    if not head.tunnel:
        assert head.forward.count(b"\r\n\r\n") == 1
        assert head.forward.endswith(b"\r\nConnection: close\r\n\r\n")
        assert head.forward.lower().count(b"\r\nhost: ") == 1


async def page(request: web.Request) -> web.Response:
    return web.Response(text="well")


@pytest.fixture
def log() -> Iterator[list[str]]:
    lines: list[str] = []
    sink = logger.add(lines.append, level=0, format="{message} {exception}")
    yield lines
    logger.remove(sink)


@pytest.mark.parametrize(
    "rubbish", [b"", b"\x00" * 100, b"\r\n\r\n", b"\x16\x03\x01" * 50, b"\xff" * 200_000]
)
async def test_rubbish_at_the_door_disturbs_nobody(stage: Stage, rubbish: bytes) -> None:
    await stage.serve("songs.example", page)
    async with stage.egress() as egress:
        port = urlsplit(egress.url()).port
        for _ in range(10):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(rubbish)
            writer.transport.abort()
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(rubbish + b"\r\n\r\n")
        writer.close()
        while egress.stats().open:
            await asyncio.sleep(0)
        async with client.serve(egress, stage.outside) as web_client:
            assert await web_client.text("https://songs.example/") == "well"


@pytest.mark.parametrize("scheme", ["http", "socks4", "socks5"])
@pytest.mark.parametrize(
    "said",
    [
        b"\x00" * 64,
        b"\xff" * 64,
        b"\x05\xff" * 32,
        b"\x05\x02\x01\x01" * 16,
        b"\x05\x00\x05\x00\x00\x07" * 10,
        b"\r\n\r\n",
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 \xff\xff\xff \xff\r\n\r\n",
        b"HTTP/1.1 999999 \r\n\r\n",
    ],
)
async def test_rubbish_from_the_operators_proxy_is_no_answer(stage: Stage, scheme: str, said: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(said)
        await writer.drain()

    await stage.serve("songs.example", page)
    async with listening(talk) as port, stage.web(upstream=f"{scheme}://127.0.0.1:{port}") as web_client:
        with pytest.raises(WebError):
            async with web_client.get("https://songs.example/", proxied=True):
                pass
        assert await web_client.text("https://songs.example/") == "well"


async def test_links_and_credentials_are_not_logged(stage: Stage, log: list[str]) -> None:
    stage.network.names["inside.example"] = [("10.0.0.1",)]
    await stage.serve("songs.example", page)
    async with stage.egress() as egress, stage.web(upstream="socks5://me:hunter2@127.0.0.1:1") as web_client:
        await web_client.text("https://songs.example/tok3n?a=tok3n")
        for link in (
            "http://inside.example/tok3n",
            "https://inside.example/?tok3n",
            "http://u:tok3n@a.example/",
        ):
            with pytest.raises(WebError):
                await web_client.text(link)
        with pytest.raises(WebError):
            async with web_client.get("https://songs.example/tok3n", proxied=True):
                pass
        secret = urlsplit(egress.url()).password
    assert any("inside.example" in line for line in log)
    assert not [line for line in log if "tok3n" in line or "hunter2" in line or str(secret) in line]
