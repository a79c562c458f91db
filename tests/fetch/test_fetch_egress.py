"""The door: who may use it, what it refuses and how it says so, and what ends a connection."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import anyio
import pytest
from aiohttp import web
from fetch_stage import Authority, Stage

from ryzen.fetch.egress import Egress, EgressStats, Limits
from ryzen.outside import Stream

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def client(egress: Egress, *, most: int | None = None) -> AsyncIterator[Stream]:
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(egress.url(most=most)).port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)


def login(egress: Egress, *, most: int | None = None) -> str:
    url = urlsplit(egress.url(most=most))
    return basic(f"{url.username}:{url.password}")


def basic(text: str) -> str:
    return "Proxy-Authorization: Basic " + base64.b64encode(text.encode()).decode()


async def ask(egress: Egress, *lines: str, body: bytes = b"", most: int | None = None) -> bytes:
    """All that comes back for this head, with the credentials, until the connection ends."""
    async with client(egress, most=most) as (reader, writer):
        head = "\r\n".join([lines[0], login(egress, most=most), *lines[1:], "", ""])
        writer.write(head.encode("latin-1") + body)
        return await reader.read()


def heard(answer: bytes) -> str:
    return answer.partition(b"\r\n")[0].decode()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


async def page(request: web.Request) -> web.Response:
    return web.Response(
        text=f"{request.method} {request.raw_path} {request.headers!r} {await request.text()}"
    )


@pytest.mark.parametrize(
    "credentials",
    [
        None,
        "direct:wrong",
        "direct:",
        ":",
        "someone",
        "direct:sécrët",
        "Basic",
    ],
)
async def test_who_does_not_know_the_secret_is_turned_away(stage: Stage, credentials: str | None) -> None:
    await stage.serve("songs.example", page)
    async with stage.egress() as egress, client(egress) as (reader, writer):
        line = "X: y" if credentials is None else basic(credentials)
        writer.write(f"GET http://songs.example/ HTTP/1.1\r\n{line}\r\n\r\n".encode())
        answer = await reader.read()
    assert heard(answer) == "HTTP/1.1 407 ryzen-guard: this proxy is for one bot only"
    assert b"proxy-authenticate: Basic" in answer
    assert stage.network.lookups == []


async def test_the_right_secret_under_a_wrong_name_or_twice_does_not_do(stage: Stage) -> None:
    await stage.serve("songs.example", page)
    async with stage.egress() as egress:
        secret = urlsplit(egress.url()).password
        for lines in (
            [basic(f"root:{secret}")],
            [login(egress), login(egress)],
            ["Proxy-Authorization: Basic %"],
        ):
            async with client(egress) as (reader, writer):
                writer.write("\r\n".join(["GET http://songs.example/ HTTP/1.1", *lines, "", ""]).encode())
                assert heard(await reader.read()).startswith("HTTP/1.1 407 ")
    assert stage.network.lookups == []


async def test_every_door_has_a_secret_of_its_own(stage: Stage) -> None:
    async with stage.egress() as one, stage.egress() as other:
        assert urlsplit(one.url()).password != urlsplit(other.url()).password


async def test_a_tunnel_carries_bytes_both_ways(stage: Stage) -> None:
    await stage.serve_raw("songs.example", echo, port=443)
    async with stage.egress() as egress, client(egress) as (reader, writer):
        writer.write(f"CONNECT songs.example:443 HTTP/1.1\r\n{login(egress)}\r\n\r\nearly".encode())
        assert heard(await reader.readuntil(b"\r\n\r\n")) == "HTTP/1.1 200 Connection established"
        writer.write(b" and late")
        assert await reader.readexactly(14) == b"early and late"
        assert egress.stats() == EgressStats(open=1, allowed=1, refused=0, bytes_in=14)


async def test_much_goes_through_whole(stage: Stage) -> None:
    song = bytes(range(256)) * 20_000

    async def give(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(song)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    await stage.serve_raw("songs.example", give, port=443)
    async with stage.egress() as egress:
        answer = await ask(egress, "CONNECT songs.example:443 HTTP/1.1")
        assert answer.partition(b"\r\n\r\n")[2] == song
        assert egress.stats().bytes_in == len(song)


async def test_a_plain_request_is_written_anew(stage: Stage) -> None:
    await stage.serve("songs.example", page)
    async with stage.egress() as egress:
        answer = await ask(
            egress,
            "POST http://Songs.example:80/a?b='$HOME\" HTTP/1.1",
            "Host: other.example",
            "Connection: keep-alive, X-Secret",
            "Proxy-Connection: keep-alive",
            "Content-Length: 4",
            "X-Kept: yes",
            body=b"body",
        )
    text = answer.decode()
    assert "POST /a?b='$HOME%22 " in text
    assert "'Host': 'songs.example:80'" in text
    assert "'Connection': 'close'" in text
    assert "'X-Kept': 'yes'" in text
    assert text.endswith(" body")
    assert "Authorization" not in text
    assert "keep-alive" not in text


async def test_no_second_request_rides_on_a_connection(stage: Stage) -> None:
    said = bytearray()

    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said.extend(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok")
        said.extend(await reader.read())

    await stage.serve_raw("songs.example", keep)
    async with stage.egress() as egress, client(egress) as (reader, writer):
        writer.write(f"GET http://songs.example/ HTTP/1.1\r\n{login(egress)}\r\n\r\n".encode())
        assert (await reader.readuntil(b"ok")).endswith(b"ok")
        writer.write(b"GET http://10.0.0.1/second HTTP/1.1\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            await reader.read()
    assert b"second" not in said


@pytest.mark.parametrize(
    "lines",
    [
        ["GET / HTTP/1.1", "Host: songs.example"],
        ["GET http://songs.example/ HTTP/2.0"],
        ["GET http://songs.example/"],
        ["GET http://songs.example/ a HTTP/1.1"],
        ["get http://songs.example/ HTTP/1.1"],
        ["CONNECT songs.example HTTP/1.1"],
        ["CONNECT songs.example:443/x HTTP/1.1"],
        ["CONNECT http://songs.example:443 HTTP/1.1"],
        ["CONNECT :443 HTTP/1.1"],
        ["CONNECT a@songs.example:443 HTTP/1.1"],
        ["GET http://songs.example/ HTTP/1.1", "X: a\nY: b"],
        ["GET http://songs.example/ HTTP/1.1", " folded: yes"],
        ["GET http://songs.example/ HTTP/1.1", "Host : songs.example"],
        ["GET http://songs.example/ HTTP/1.1", "X: \x00"],
        ["POST http://songs.example/ HTTP/1.1", "Transfer-Encoding: chunked"],
        ["POST http://songs.example/ HTTP/1.1", "Content-Length: 1", "Content-Length: 2"],
        ["POST http://songs.example/ HTTP/1.1", "Content-Length: +1"],
        ["POST http://songs.example/ HTTP/1.1", "Content-Length: 1, 1"],
    ],
)
async def test_what_two_could_read_in_two_ways_is_refused(stage: Stage, lines: list[str]) -> None:
    await stage.serve("songs.example", page)
    async with stage.egress() as egress:
        answer = heard(await ask(egress, *lines))
    assert answer.startswith(("HTTP/1.1 400 ryzen-guard: ", "HTTP/1.1 403 ryzen-guard: "))
    assert stage.network.connects == []


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("CONNECT 127.0.0.1:443", "127.0.0.1 is not a public address"),
        ("CONNECT 2130706433:443", "127.0.0.1 is not a public address"),
        ("CONNECT 0177.1:443", "127.0.0.1 is not a public address"),
        ("CONNECT [::1]:443", "::1 is not a public address"),
        ("CONNECT [::ffff:10.0.0.1]:443", "10.0.0.1 is not a public address"),
        ("CONNECT songs.example:22", "port 22 is not one for the web"),
        ("CONNECT songs.example:6379", "port 6379 is not one for the web"),
        ("CONNECT inside.example:443", "inside.example is not on the public internet"),
        ("GET http://169.254.169.254/latest", "169.254.169.254 is not a public address"),
        ("GET http://inside.example/", "inside.example is not on the public internet"),
        ("GET ftp://songs.example/", "only http and https links are fetched"),
        ("GET https://songs.example/", "https goes by CONNECT only"),
        ("GET http://me:secret@songs.example/", "links with a user name or password in them are not fetched"),
    ],
)
async def test_a_refusal_says_why_in_its_reason(stage: Stage, line: str, why: str) -> None:
    await stage.serve("songs.example", page)
    stage.network.names["inside.example"] = [("93.184.9.9", "192.168.0.1")]
    async with stage.egress() as egress:
        answer = await ask(egress, line + " HTTP/1.1")
        assert egress.stats().refused == 1
    assert heard(answer) == f"HTTP/1.1 403 ryzen-guard: {why}"
    assert stage.network.connects == []


async def test_nobody_there_is_a_502(stage: Stage) -> None:
    stage.network.names["songs.example"] = [("93.184.9.9",)]
    async with stage.egress() as egress:
        silent = heard(await ask(egress, "CONNECT songs.example:443 HTTP/1.1"))
        unknown = heard(await ask(egress, "CONNECT unknown.example:443 HTTP/1.1"))
        assert egress.stats() == EgressStats(open=0, allowed=0, refused=0, bytes_in=0)
    assert silent == "HTTP/1.1 502 ryzen-guard: songs.example does not answer"
    assert unknown == "HTTP/1.1 502 ryzen-guard: unknown.example is not known"


async def test_a_head_that_does_not_come_or_does_not_end_is_refused(stage: Stage) -> None:
    async with stage.egress(limits=Limits(head=0.05)) as egress, client(egress) as (reader, writer):
        writer.write(b"GET http://songs.example/ HTTP/1.1\r\n")
        assert heard(await reader.read()).startswith("HTTP/1.1 408 ryzen-guard: ")
    async with stage.egress() as egress, client(egress) as (reader, writer):
        writer.write(b"GET http://songs.example/ HTTP/1.1\r\n" + b"X: " + b"x" * 70_000)
        assert heard(await reader.readuntil(b"\r\n")).startswith("HTTP/1.1 431 ryzen-guard: ")


async def test_a_hung_server_is_given_up_and_its_end_passes_for_no_other(stage: Stage) -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nhalf")
        await reader.read()

    await stage.serve_raw("songs.example", hang)
    async with stage.egress(limits=Limits(idle=0.05)) as egress:
        with pytest.raises(ConnectionResetError):
            await ask(egress, "GET http://songs.example/ HTTP/1.1")


async def test_a_client_that_does_not_read_is_waited_for_and_holds_the_server_back(stage: Stage) -> None:
    sent = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        while True:
            writer.write(bytes(65536))
            await writer.drain()
            sent += 65536

    await stage.serve_raw("songs.example", flood, port=443)
    async with stage.egress(limits=Limits(idle=0.05)) as egress, client(egress) as (reader, writer):
        writer.write(f"CONNECT songs.example:443 HTTP/1.1\r\n{login(egress)}\r\n\r\n".encode())
        before = -1
        while sent != before:
            before = sent
            await asyncio.sleep(0.2)  # four times the limit: were it to count, the connection would be gone
        assert egress.stats().open == 1
        assert len(await reader.readexactly(before)) == before


async def test_a_client_that_goes_takes_the_connection_to_the_server_along(stage: Stage) -> None:
    gone = asyncio.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read()
        finally:
            gone.set()

    await stage.serve_raw("songs.example", wait, port=443)
    async with stage.egress() as egress:
        async with client(egress) as (reader, writer):
            writer.write(f"CONNECT songs.example:443 HTTP/1.1\r\n{login(egress)}\r\n\r\n".encode())
            await reader.readuntil(b"\r\n\r\n")
        with anyio.fail_after(5):
            await gone.wait()


async def test_more_than_the_most_is_cut(stage: Stage) -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(bytes(1000))
            await writer.drain()

    await stage.serve_raw("songs.example", flood, port=443)
    async with stage.egress() as egress:
        with pytest.raises(ConnectionResetError):
            await ask(egress, "CONNECT songs.example:443 HTTP/1.1", most=100_000)
        assert egress.stats().bytes_in < 400_000


async def test_up_to_the_most_goes_through(stage: Stage) -> None:
    async def give(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(bytes(100_000))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    await stage.serve_raw("songs.example", give, port=443)
    async with stage.egress() as egress:
        answer = await ask(egress, "CONNECT songs.example:443 HTTP/1.1", most=100_000)
    assert answer.partition(b"\r\n\r\n")[2] == bytes(100_000)


async def test_one_connection_too_many_is_refused_and_the_next_is_not(stage: Stage) -> None:
    await stage.serve_raw("songs.example", echo, port=443)
    async with stage.egress(limits=Limits(connections=1)) as egress:
        async with client(egress) as (reader, writer):
            writer.write(f"CONNECT songs.example:443 HTTP/1.1\r\n{login(egress)}\r\n\r\n".encode())
            await reader.readuntil(b"\r\n\r\n")
            answer = heard(await ask(egress, "CONNECT songs.example:443 HTTP/1.1"))
            assert answer == "HTTP/1.1 503 ryzen-guard: too many connections at once"
        while egress.stats().open:
            await asyncio.sleep(0)
        async with client(egress) as (reader, writer):
            writer.write(f"CONNECT songs.example:443 HTTP/1.1\r\n{login(egress)}\r\n\r\n".encode())
            assert heard(await reader.readuntil(b"\r\n\r\n")).startswith("HTTP/1.1 200 ")


async def test_closing_the_door_cuts_every_connection(stage: Stage) -> None:
    await stage.serve_raw("songs.example", echo, port=443)
    async with stage.egress() as egress:
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(egress.url()).port)
        writer.write(f"CONNECT songs.example:443 HTTP/1.1\r\n{login(egress)}\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", urlsplit(egress.url()).port)


def test_it_needs_no_loop_of_anyios(authority: Authority) -> None:
    async def main() -> str:
        async with Stage(authority) as stage:
            await stage.serve("songs.example", page)
            async with stage.egress() as egress:
                return heard(await ask(egress, "GET http://songs.example/ HTTP/1.1"))

    assert asyncio.run(main()) == "HTTP/1.1 200 OK"
