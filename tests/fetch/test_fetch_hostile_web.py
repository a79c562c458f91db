"""Servers that mean no good, met by our own client: each ends in a clear sentence, and nothing else."""

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import Awaitable, Callable

import anyio
import pytest
from aiohttp import web
from fetch_stage import Handler, Stage, Talk

from ryzen.errors import WebError, WebForbidden
from ryzen.fetch.egress import Limits
from ryzen.fetch.unpack import Unpacker
from ryzen.fetch.web import Patience, WebClient

pytestmark = pytest.mark.anyio


async def page(request: web.Request) -> web.Response:
    return web.json_response(
        {
            "asked": request.raw_path,
            "method": request.method,
            "headers": {name.lower(): value for name, value in request.headers.items()},
        }
    )


def redirect(location: str, status: int = 302) -> Handler:
    async def away(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": location})

    return away


def saying(*pieces: bytes, hang: bool = False) -> Talk:
    """Reads a head, says these, and hangs or ends."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if hang:
            await reader.read()
        else:
            writer.close()
            await writer.wait_closed()

    return talk


async def get(web_client: WebClient, url: str) -> bytes:
    async with web_client.get(url) as answer:
        return b"".join([chunk async for chunk in answer.chunks()])


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://2130706433/",
        "http://0177.0.0.1/",
        "http://0x7f000001/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/",
        "https://inside.example/",
        "https://mixed.example/",
        "https://songs.example:22/",
        "https://me@songs.example/",
        "file:///etc/passwd",
        "concat:/etc/passwd|/etc/shadow",
        "subfile,,start,0,end,9,,:/etc/passwd",
        "data:text/plain,hello",
        "ftp://songs.example/",
    ],
)
async def test_neither_asked_for_nor_redirected_to(stage: Stage, url: str) -> None:
    stage.network.names["inside.example"] = [("192.168.0.1",)]
    stage.network.names["mixed.example"] = [("93.184.9.9", "192.168.0.1")]
    address = await stage.serve("songs.example", redirect(url))
    ways: list[Callable[[WebClient, str], Awaitable[object]]] = [
        get,
        lambda web_client, link: web_client.peek(link),
        lambda web_client, link: web_client.json(link),
        lambda web_client, link: web_client.text(link),
    ]
    async with stage.web() as web_client:
        for way in ways:
            with pytest.raises(WebForbidden):
                await way(web_client, url)
            if not url.startswith("subfile"):  # behind a redirect, this is a path on the same host
                with pytest.raises(WebForbidden):
                    await way(web_client, "https://songs.example/")
    assert {there for there, _ in stage.network.connects} <= {address}


async def test_a_name_server_that_changes_its_mind_changes_nothing(stage: Stage) -> None:
    address = await stage.serve("evil.example", page)
    stage.network.names["evil.example"] = [(address,), ("127.0.0.1",)]
    async with stage.web() as web_client:
        await web_client.json("https://evil.example/")
        assert stage.network.lookups == ["evil.example"]
        with pytest.raises(WebForbidden, match=r"evil\.example is not on the public internet"):
            await web_client.json("http://evil.example/")
    assert stage.network.connects == [(address, 443)]


async def test_redirects_are_followed_and_not_for_ever(stage: Stage) -> None:
    async def step(request: web.Request) -> web.Response:
        left = int(request.path.strip("/"))
        if not left:
            return web.Response(text="there")
        scheme = "https" if left % 2 else "http"
        return web.Response(status=302, headers={"Location": f"{scheme}://songs.example/{left - 1}"})

    await stage.serve("songs.example", step)
    async with stage.web() as web_client:
        async with web_client.get("https://songs.example/5") as answer:
            assert answer.url == "https://songs.example/0"
            assert answer.status == 200
        with pytest.raises(WebError, match=r"songs\.example redirects on and on"):
            await get(web_client, "https://songs.example/6")


async def test_a_relative_redirect_with_a_space_in_it_is_understood(stage: Stage) -> None:
    async def step(request: web.Request) -> web.Response:
        if request.path == "/":
            return web.Response(status=301, headers={"Location": "a song.mp3?b=ä"})
        return web.Response(text=request.raw_path)

    await stage.serve("songs.example", step)
    async with stage.web() as web_client:
        assert await web_client.text("https://songs.example/") == "/a%20song.mp3?b=%C3%A4"


async def test_no_credential_goes_along_to_another_host(stage: Stage) -> None:
    await stage.serve("other.example", page)
    await stage.serve("songs.example", redirect("https://other.example/"))
    secrets = {"Authorization": "Bearer x", "Cookie": "a=b", "X-Api-Key": "c", "Accept-Language": "en"}
    async with stage.web() as web_client:
        said = await web_client.json("https://songs.example/", headers=secrets)
    assert said["headers"]["accept-language"] == "en"
    assert not {"authorization", "cookie", "x-api-key", "proxy-authorization"} & said["headers"].keys()


async def test_it_stays_with_the_same_host(stage: Stage) -> None:
    async def step(request: web.Request) -> web.Response:
        return await (page if request.path == "/there" else redirect("/there"))(request)

    await stage.serve("songs.example", step)
    async with stage.web() as web_client:
        said = await web_client.json("https://songs.example/", headers={"Authorization": "Bearer x"})
    assert said["headers"]["authorization"] == "Bearer x"


async def test_what_was_posted_is_not_told_to_another_host(stage: Stage) -> None:
    await stage.serve("other.example", page)
    await stage.serve("songs.example", redirect("https://other.example/", 307))
    await stage.serve("moved.example", redirect("https://other.example/", 303))
    async with stage.web() as web_client:
        with pytest.raises(WebForbidden, match="to another host"):
            await web_client.json("https://songs.example/", body={"key": "secret"})
        said = await web_client.json("https://moved.example/", body={"key": "secret"})
    assert said["method"] == "GET"
    assert "content-type" not in said["headers"]


async def test_a_cookie_is_not_kept(stage: Stage) -> None:
    async def bake(request: web.Request) -> web.Response:
        return web.Response(
            text=request.headers.get("Cookie", "none"), headers={"Set-Cookie": "id=1; Domain=songs.example"}
        )

    await stage.serve("songs.example", bake)
    async with stage.web() as web_client:
        assert [await web_client.text("https://songs.example/") for _ in range(2)] == ["none", "none"]


@pytest.mark.parametrize(
    ("link", "asked"),
    [
        ("/$BOT_TOKEN/${HOME}/$(id)/`id`", "/$BOT_TOKEN/$%7BHOME%7D/$(id)/%60id%60"),
        ("/'a'/\"b\"?c='d'&e=\"f\"", "/'a'/%22b%22?c='d'&e=%22f%22"),
        ("/%24BOT_TOKEN?sig=%2C%2B%2F%7E+a", "/%24BOT_TOKEN?sig=%2C%2B%2F%7E+a"),
        ("/;rm%20-rf|%00&&%0d%0aX:%20y", "/;rm%20-rf%7C%00&&%0d%0aX:%20y"),
    ],
)
async def test_what_stands_in_a_link_is_data(
    stage: Stage, link: str, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOT_TOKEN", "expanded")
    await stage.serve("songs.example", page)
    async with stage.web() as web_client:
        for scheme in ("http", "https"):
            said = await web_client.json(f"{scheme}://songs.example{link}")
            assert said["asked"] == asked
            assert "x" not in said["headers"]


@pytest.mark.parametrize("header", [("X", "a\r\nY: b"), ("X: y\r\nZ", "a"), ("X", "a\x00"), ("", "a")])
async def test_a_header_cannot_smuggle_another(stage: Stage, header: tuple[str, str]) -> None:
    await stage.serve("songs.example", page)
    async with stage.web() as web_client:
        with pytest.raises(WebForbidden, match="control characters"):
            async with web_client.get("https://songs.example/", headers=[header]):
                pass
    assert stage.network.connects == []


OK = b"HTTP/1.1 200 OK\r\n"


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(OK + b"\r\n")
    while True:
        writer.write(bytes(65536))
        await writer.drain()


@pytest.mark.parametrize(
    "talk",
    [
        endless,
        saying(OK + b"Content-Length: 9000000000000\r\n\r\n", bytes(200_000), hang=True),
        saying(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"30D40\r\n" + bytes(200_000), hang=True),
    ],
    ids=["without a length", "with a length", "chunked"],
)
async def test_an_endless_body_ends_at_the_most(stage: Stage, talk: Talk) -> None:
    await stage.serve_raw("songs.example", talk)
    async with stage.web() as web_client:
        for ask in (web_client.text, web_client.json):
            with anyio.fail_after(5), pytest.raises(WebError, match="more than 100000 bytes"):
                await ask("http://songs.example/", most=100_000)


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate", "GZIP"])
async def test_a_bomb_is_not_unpacked(stage: Stage, encoding: str) -> None:
    pack = zlib.compress if encoding == "deflate" else gzip.compress
    bomb = pack(bytes(50 << 20))
    assert len(bomb) < 60_000

    async def give(request: web.Request) -> web.Response:
        return web.Response(body=bomb, headers={"Content-Encoding": encoding})

    await stage.serve("songs.example", give)
    async with stage.web() as web_client:
        with pytest.raises(WebError, match="more than 2097152 bytes"):
            await web_client.text("https://songs.example/")
        assert await get(web_client, "https://songs.example/") == bomb, "bodies for the cache stay packed"


def test_no_more_of_a_bomb_is_unpacked_than_may_come_out() -> None:
    bomb = gzip.compress(bytes(50 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(WebError, match="more than 1000 bytes"):
            Unpacker("gzip", 1000).feed(bomb)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("encoding", "body", "why"),
    [
        ("br", b"x", "in a way that was not asked for"),
        ("gzip, gzip", b"x", "in a way that was not asked for"),
        ("gzip", b"no gzip at all", "not packed as it says"),
        ("gzip", gzip.compress(b"abc" * 1000, mtime=0)[:-9], "breaks off"),
    ],
)
async def test_what_is_packed_wrongly_is_an_error(stage: Stage, encoding: str, body: bytes, why: str) -> None:
    async def give(request: web.Request) -> web.Response:
        return web.Response(body=body, headers={"Content-Encoding": encoding})

    await stage.serve("songs.example", give)
    async with stage.web() as web_client:
        with pytest.raises(WebError, match=why):
            await web_client.text("https://songs.example/")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 100_000, b'{"a": ', b"\xff\xfe\x00"])
async def test_what_is_no_json_is_an_error(stage: Stage, body: bytes) -> None:
    async def give(request: web.Request) -> web.Response:
        return web.Response(body=body)

    await stage.serve("songs.example", give)
    async with stage.web() as web_client:
        with pytest.raises(WebError, match=r"songs\.example has not answered in JSON"):
            await web_client.json("https://songs.example/")


@pytest.mark.parametrize("charset", ["utf-8", "latin-1", "nonsense", ""])
async def test_any_text_can_be_read(stage: Stage, charset: str) -> None:
    async def give(request: web.Request) -> web.Response:
        body = "für".encode("latin-1" if charset == "latin-1" else "utf-8") + b"\xff"
        return web.Response(body=body, headers={"Content-Type": f"text/plain; charset={charset}"})

    await stage.serve("songs.example", give)
    async with stage.web() as web_client:
        assert (await web_client.text("https://songs.example/")).startswith("für")


@pytest.mark.parametrize(
    ("talk", "why"),
    [
        (saying(hang=True), "does not answer"),
        (saying(b"HTTP/1.1 200", hang=True), "does not answer"),
        (saying(OK + b"Content-Length: 9\r\n\r\nhalf", hang=True), "has stopped sending"),
        (saying(OK + b"Content-Length: 9\r\n\r\nhalf"), "has broken off"),
        (saying(OK + b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf"), "has broken off"),
        (saying(), "does not answer"),
        (saying(b"SSH-2.0-OpenSSH\r\n"), "does not answer"),
        (saying(OK + b"X: " + b"x" * 100_000 + b"\r\n\r\n"), "does not answer"),
    ],
    ids=["nothing", "half a head", "half a body", "cut", "cut chunks", "hang up", "no HTTP", "huge head"],
)
async def test_a_server_that_fails_is_said_to(stage: Stage, talk: Talk, why: str) -> None:
    await stage.serve_raw("songs.example", talk)
    async with stage.web(patience=Patience(chunk=0.2)) as web_client:
        with anyio.fail_after(5), pytest.raises(WebError, match=rf"songs\.example {why}"):
            await get(web_client, "http://songs.example/")


async def test_a_body_without_a_length_that_the_door_gives_up_is_not_taken_for_whole(stage: Stage) -> None:
    await stage.serve_raw("songs.example", saying(OK + b"\r\nhalf", hang=True))
    async with stage.web(limits=Limits(idle=0.1)) as web_client:
        with anyio.fail_after(5), pytest.raises(WebError, match="has broken off"):
            await get(web_client, "http://songs.example/")


async def test_a_trickle_ends_within_the_time_of_the_caller(stage: Stage) -> None:
    async def trickle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"0")
            await asyncio.sleep(0.01)

    await stage.serve("songs.example", trickle)
    async with stage.web() as web_client:
        for ask in (web_client.json, web_client.text, web_client.peek):
            with pytest.raises(WebError, match=r"songs\.example has not answered within 0\.2 s"):
                await ask("https://songs.example/", within=0.2)


async def test_redirects_share_one_time(stage: Stage) -> None:
    async def step(request: web.Request) -> web.Response:
        await asyncio.sleep(0.1)
        return await redirect("/")(request)

    await stage.serve("songs.example", step)
    async with stage.web(patience=Patience(answer=0.25)) as web_client:
        with pytest.raises(WebError, match=r"has not answered within 0\.25 s"):
            await get(web_client, "https://songs.example/")


async def test_a_certificate_of_an_unknown_authority_or_for_another_name_is_refused(stage: Stage) -> None:
    await stage.serve("songs.example", page)
    stage.network.names["bank.example"] = stage.network.names["songs.example"]
    async with stage.web() as web_client:
        with pytest.raises(WebError, match=r"the certificate of bank\.example is not to be trusted"):
            await web_client.text("https://bank.example/")


async def test_leaving_early_closes_the_connection(stage: Stage) -> None:
    gone = asyncio.Event()

    async def watched(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await endless(reader, writer)
        finally:
            gone.set()

    await stage.serve_raw("songs.example", watched, tls=True, port=443)
    async with stage.web() as web_client:
        async with web_client.get("https://songs.example/") as answer:
            async for _ in answer.chunks():
                break
        with anyio.fail_after(5):
            await gone.wait()


async def test_a_server_that_claims_to_be_the_door_only_refuses_itself(stage: Stage) -> None:
    await stage.serve_raw("songs.example", saying(b"HTTP/1.1 403 ryzen-guard: no\r\n\r\n"))
    async with stage.web() as web_client:
        with pytest.raises(WebForbidden):
            await get(web_client, "http://songs.example/")
