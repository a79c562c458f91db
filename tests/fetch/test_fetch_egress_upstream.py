"""By way of the operator's own proxy: it is told to go to the address that the guard has judged."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager

import pytest
from aiohttp import web
from fetch_stage import Stage, listening
from fetch_upstreams import LOGIN, Operator
from loguru import logger

from ryzen.errors import WebError, WebForbidden
from ryzen.fetch.upstream import Upstream
from ryzen.fetch.web import WebClient

pytestmark = pytest.mark.anyio

Kind = Callable[[Operator], AbstractAsyncContextManager[str]]
both = pytest.mark.parametrize("kind", [Operator.http, Operator.socks5])


async def page(request: web.Request) -> web.Response:
    return web.Response(text=f"{request.scheme} {request.host}")


async def text(web_client: WebClient, url: str) -> str:
    async with web_client.get(url, proxied=True) as answer:
        return b"".join([chunk async for chunk in answer.chunks()]).decode()


@both
async def test_it_is_told_the_judged_address_and_tls_is_for_the_name(stage: Stage, kind: Kind) -> None:
    address = await stage.serve("songs.example", page)
    operator = Operator(stage.network)
    async with kind(operator) as url, stage.web(upstream=url) as web_client:
        assert await text(web_client, "https://songs.example/") == "https songs.example"
        assert await text(web_client, "http://songs.example/") == "http songs.example"
    assert operator.asked == [(address, 443), (address, 80)]
    assert stage.network.lookups == ["songs.example"] * 2


@both
async def test_the_guard_judges_all_the_same(stage: Stage, kind: Kind) -> None:
    stage.network.names["inside.example"] = [("10.0.0.1",)]
    operator = Operator(stage.network)
    async with kind(operator) as url, stage.web(upstream=url) as web_client:
        for link in ("https://inside.example/", "http://127.0.0.1/", "https://[::1]/"):
            with pytest.raises(WebForbidden):
                await text(web_client, link)
    assert operator.asked == []


@both
async def test_only_what_is_proxied_goes_there(stage: Stage, kind: Kind) -> None:
    await stage.serve("songs.example", page)
    operator = Operator(stage.network)
    async with kind(operator) as url, stage.web(upstream=url) as web_client:
        assert await web_client.text("https://songs.example/") == "https songs.example"
    assert operator.asked == []


async def test_without_one_proxied_is_direct(stage: Stage) -> None:
    await stage.serve("songs.example", page)
    async with stage.web() as web_client:
        assert await text(web_client, "https://songs.example/") == "https songs.example"


@both
async def test_the_next_address_is_tried_by_it_too(stage: Stage, kind: Kind) -> None:
    address = await stage.serve("songs.example", page)
    stage.network.names["songs.example"] = [("93.184.9.9", address)]
    operator = Operator(stage.network)
    async with kind(operator) as url, stage.web(upstream=url) as web_client:
        assert await text(web_client, "https://songs.example/") == "https songs.example"
    assert operator.asked == [("93.184.9.9", 443), (address, 443)]


@both
async def test_a_wrong_password_is_no_answer_and_is_not_told(stage: Stage, kind: Kind) -> None:
    await stage.serve("songs.example", page)
    operator = Operator(stage.network)
    async with kind(operator) as url:
        wrong = url.replace("p%3Aw", "hunter2")
        async with stage.web(upstream=wrong) as web_client:
            with pytest.raises(WebError, match=r"songs\.example does not answer") as failed:
                await text(web_client, "https://songs.example/")
    error: BaseException | None = failed.value
    while error is not None:
        assert "hunter2" not in str(error)
        error = error.__cause__ or error.__context__
    assert operator.asked == []


# -- what the operator hears of it
@pytest.fixture
def log() -> Iterator[list[str]]:
    lines: list[str] = []
    sink = logger.add(lines.append, level="INFO", format="{level} {message}", filter="ryzen.fetch.upstream")
    yield lines
    logger.remove(sink)


async def unanswered(web_client: WebClient, times: int = 2) -> None:
    for _ in range(times):
        with pytest.raises(WebError):
            await text(web_client, "https://songs.example/")


@both
async def test_that_it_refuses_the_password_is_told_once_and_without_it(
    stage: Stage, kind: Kind, log: list[str]
) -> None:
    await stage.serve("songs.example", page)
    async with kind(Operator(stage.network)) as url:
        async with stage.web(upstream=url.replace("p%3Aw", "hunter2")) as web_client:
            await unanswered(web_client)
        async with stage.web(upstream=url.replace(f"{LOGIN}@", "")) as web_client:
            await unanswered(web_client)
    port = url.rpartition(":")[2]
    refused = f"ERROR the proxy 127.0.0.1:{port} (PROXY_URL) refuses its user name or password: "
    assert [line.startswith(refused) for line in log] == [True, True]
    assert not [line for line in log if "hunter2" in line]


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks4"])
async def test_that_it_is_down_is_told_once_and_that_it_is_well_again(
    stage: Stage, scheme: str, log: list[str]
) -> None:
    await stage.serve("songs.example", page)
    async with stage.web(upstream=f"{scheme}://127.0.0.1:1") as web_client:
        await unanswered(web_client, 3)
    assert log == [
        "ERROR the proxy 127.0.0.1:1 (PROXY_URL) does not answer: what goes by way of it is not reached\n"
    ]


async def test_that_it_is_well_again_is_told_too(stage: Stage, log: list[str]) -> None:
    """The same port is down, up, and down."""
    address = await stage.serve("songs.example", page)
    operator = Operator(stage.network)
    async with operator.socks5() as url:
        upstream = Upstream(url)
        upstream._told = "does not answer"
        for _ in range(2):
            _, writer = await upstream.connect(address, 443)
            writer.transport.abort()
        assert len(log) == 1
        with pytest.raises(OSError):
            await upstream.connect("93.184.9.9", 443)  # it is well, and does not get there
    with pytest.raises(OSError):
        await upstream.connect(address, 443)
    assert [line.partition("(PROXY_URL) ")[2].partition(":")[0].strip() for line in log] == [
        "is well again",
        "does not answer",
    ]


@pytest.mark.parametrize("scheme", ["socks5", "socks4"])
async def test_that_it_breaks_off_is_told(stage: Stage, scheme: str, log: list[str]) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"\x05")
        await writer.drain()

    address = await stage.serve("songs.example", page)
    async with listening(talk) as port:
        with pytest.raises(OSError, match="does not get there"):
            await Upstream(f"{scheme}://127.0.0.1:{port}").connect(address, 443)
    assert len(log) == 1
    assert "breaks off" in log[0]


@pytest.mark.parametrize(
    "said",
    [b"220 mail.example\r\n", b"\x05\x00\x05\x00\x00\x03\x02\xff\xff\x00\x50"],
    ids=["mail", "no text"],
)
async def test_that_it_is_no_such_proxy_is_told(stage: Stage, said: bytes, log: list[str]) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(said)
        await writer.drain()

    await stage.serve("songs.example", page)
    async with listening(talk) as port, stage.web(upstream=f"socks5://127.0.0.1:{port}") as web_client:
        await unanswered(web_client)
    assert len(log) == 1
    assert "does not speak as a proxy of this kind should" in log[0]


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks4"])
async def test_one_that_hangs_up_is_no_answer(stage: Stage, scheme: str) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)

    await stage.serve("songs.example", page)
    async with listening(hang_up) as port, stage.web(upstream=f"{scheme}://127.0.0.1:{port}") as web_client:
        with pytest.raises(WebError, match=r"songs\.example does not answer"):
            await text(web_client, "https://songs.example/")


async def test_one_that_is_not_there_is_no_answer(stage: Stage) -> None:
    await stage.serve("songs.example", page)
    async with stage.web(upstream="socks5://127.0.0.1:1") as web_client:
        with pytest.raises(WebError, match=r"songs\.example does not answer"):
            await text(web_client, "https://songs.example/")


@pytest.mark.parametrize("scheme", ["http", "https", "socks4", "socks4a", "socks5", "socks5h"])
async def test_every_kind_that_the_settings_take_can_be_read(scheme: str) -> None:
    Upstream(f"{scheme}://me:secret@proxy.example:3128")


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://proxy.example:21", "http://proxy.example", "proxy.example:3128", "", "http://h:99999"),
        *("socks5://ä:b@h:1", "socks5://a:%C3%A4@h:1", "http://a%3Ab:c@h:1", f"http://a:{'b' * 256}@h:1"),
    ],
)
async def test_no_other_kind_can(url: str) -> None:
    with pytest.raises(ValueError):
        Upstream(url)
