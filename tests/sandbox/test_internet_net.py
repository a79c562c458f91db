"""Names, addresses and certificates of the local internet."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
import ssl

import aiohttp
import pytest
from aiohttp import web
from internet_stage import set_stage

from ryzen.sandbox.internet import Internet, LocalNetwork, Pages

pytestmark = pytest.mark.anyio

SITE = Pages(("a.example", "*.b.example"), {"/here": {"found": True}, "/text": "<p>text</p>", "/gone": 410})


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Echo:
    hosts = ("echo.example",)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(
            {"host": request.host, "scheme": request.scheme, "body": await request.text()}
        )


# -- names
@pytest.mark.parametrize("host", ["a.example", "A.Example.", "x.b.example", "deep.x.b.example"])
async def test_a_host_of_ours_has_one_public_address(host: str) -> None:
    network = LocalNetwork(SITE.hosts, 1, 2)
    addresses = await network.lookup(host, 443)
    assert len(addresses) == 1
    assert ipaddress.ip_address(addresses[0]).is_global
    assert await network.lookup(host, 80) == addresses


async def test_different_hosts_have_different_addresses() -> None:
    network = LocalNetwork(SITE.hosts, 1, 2)
    assert await network.lookup("a.example", 443) != await network.lookup("x.b.example", 443)


@pytest.mark.parametrize(
    "host", ["b.example", "xb.example", "c.example", "xa.example", "a.example.com", "localhost"]
)
async def test_nobody_else_is_known(host: str) -> None:
    with pytest.raises(socket.gaierror):
        await LocalNetwork(SITE.hosts, 1, 2).lookup(host, 443)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]", "::1"),
        ("2130706433", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
    ],
)
async def test_an_address_in_any_spelling_is_read_as_the_system_reads_it(host: str, address: str) -> None:
    assert await LocalNetwork((), 1, 2).lookup(host, 80) == (address,)


async def test_a_name_may_change_its_mind() -> None:
    network = LocalNetwork(SITE.hosts, 1, 2)
    network.point("rebind.example", ["11.0.0.1"], ["127.0.0.1", "::1"])
    answers = [await network.lookup("rebind.example", 80) for _ in range(3)]
    assert answers == [("11.0.0.1",), ("127.0.0.1", "::1"), ("127.0.0.1", "::1")]


# -- connections
async def test_only_the_webs_two_ports_are_open() -> None:
    async with Internet.serve([SITE]) as internet:
        address = (await internet.network.lookup("a.example", 22))[0]
        with pytest.raises(ConnectionRefusedError):
            await internet.network.connect(address, 22)
        assert internet.network.connected == [(address, 22)]


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "8.8.8.8", "::1"])
async def test_there_is_no_way_out_of_the_neighbourhood(address: str) -> None:
    async with Internet.serve([SITE]) as internet:
        with pytest.raises(OSError, match="unreachable"):
            await internet.network.connect(address, 80)


async def test_who_follows_a_name_to_an_inner_address_gets_there_and_is_seen() -> None:
    async with Internet.serve([SITE]) as internet:
        internet.network.point("rebind.example", ["127.0.0.1"])
        _, writer = await internet.network.connect("127.0.0.1", 80)
        writer.close()
        await writer.wait_closed()
        assert internet.network.connected == [("127.0.0.1", 80)]


async def test_another_process_can_rebuild_the_network_from_json() -> None:
    async with Internet.serve([SITE]) as internet:
        internet.network.point("rebind.example", ["11.0.0.1"], ["127.0.0.1"])
        copy = LocalNetwork.from_description(json.loads(json.dumps(internet.describe())))
        assert await copy.lookup("x.b.example", 443) == await internet.network.lookup("x.b.example", 443)
        assert [await copy.lookup("rebind.example", 80) for _ in range(2)] == [("11.0.0.1",), ("127.0.0.1",)]
        reader, writer = await copy.connect((await copy.lookup("a.example", 80))[0], 80)
        writer.write(b"GET /here HTTP/1.0\r\nHost: a.example\r\n\r\n")
        assert json.loads((await reader.read()).partition(b"\r\n\r\n")[2]) == {"found": True}
        writer.close()
        await writer.wait_closed()
        assert internet.asked("a.example", "/here")


# -- TLS and sites
async def test_both_schemes_lead_to_the_site_of_the_host() -> None:
    async with set_stage(SITE, Echo()) as stage:
        for scheme in ("http", "https"):
            async with stage.web.post(f"{scheme}://echo.example/x?y=1", data="hello") as answer:
                assert await answer.json() == {"host": "echo.example", "scheme": scheme, "body": "hello"}
        assert await stage.get("https://x.b.example/here") == (200, b'{"found": true}')
        assert await stage.get("https://a.example/text") == (200, b"<p>text</p>")
        assert (await stage.get("https://a.example/gone"))[0] == 410
        assert (await stage.get("https://a.example/nowhere"))[0] == 404


async def test_every_request_is_on_record() -> None:
    async with set_stage(SITE) as stage:
        before = asyncio.get_running_loop().time()
        await stage.get("https://x.b.example/here?q=blue%20sky", {"Range": "bytes=0-1", "X-Mine": "1"})
        (hit,) = stage.internet.asked("*.b.example")
        assert (hit.site, hit.method, hit.host, hit.path) == (SITE, "GET", "x.b.example", "/here")
        assert (hit.query["q"], hit.range, hit.headers["x-mine"]) == ("blue sky", "bytes=0-1", "1")
        assert hit.when >= before
        assert not stage.internet.asked("a.example")


async def test_the_certificates_are_for_whom_trusts_our_authority_only() -> None:
    async with set_stage(SITE) as stage:
        stranger = aiohttp.TCPConnector(ssl=ssl.create_default_context())
        async with aiohttp.ClientSession(connector=stranger, proxy=stage.proxy) as web:
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await web.get("https://a.example/here")
        assert not stage.internet.hits


async def test_a_host_without_a_site_gets_no_certificate() -> None:
    async with Internet.serve([SITE]) as internet:
        trusted = ssl.create_default_context(cafile=internet.authorities)
        port = internet.describe()["ports"][443]
        with pytest.raises(OSError):  # asyncio's server does not say why
            await asyncio.open_connection("127.0.0.1", port, ssl=trusted, server_hostname="c.example")


async def test_a_site_is_told_when_its_client_goes() -> None:
    told = asyncio.Event()

    class Patient:
        hosts = ("patient.example",)

        async def answer(self, request: web.Request) -> web.StreamResponse:
            try:
                await asyncio.Event().wait()
            finally:
                told.set()
            raise AssertionError

    async with Internet.serve([Patient()]) as internet:
        address = (await internet.network.lookup("patient.example", 80))[0]
        _, writer = await internet.network.connect(address, 80)
        writer.write(b"GET / HTTP/1.1\r\nHost: patient.example\r\n\r\n")
        while not internet.hits:
            await asyncio.sleep(0.01)
        writer.close()
        await writer.wait_closed()
        async with asyncio.timeout(5):
            await told.wait()


async def test_the_end_of_the_block_cuts_who_is_still_waiting() -> None:
    class Never:
        hosts = ("never.example",)

        async def answer(self, request: web.Request) -> web.StreamResponse:
            await asyncio.Event().wait()
            raise AssertionError

    async with Internet.serve([Never()]) as internet:
        address = (await internet.network.lookup("never.example", 80))[0]
        reader, writer = await internet.network.connect(address, 80)
        writer.write(b"GET / HTTP/1.1\r\nHost: never.example\r\n\r\n")
        while not internet.hits:
            await asyncio.sleep(0.01)
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()
