"""The machine's own way out, on loopback."""

import asyncio
import socket
import threading
from typing import Any

import anyio
import pytest
from fetch_stage import listening

from ryzen.errors import WebError
from ryzen.fetch.guard import Guard
from ryzen.outside import RealNetwork

pytestmark = pytest.mark.anyio


async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"hello")
    await writer.drain()


async def test_a_name_is_looked_up_and_an_address_connected_to() -> None:
    network = RealNetwork()
    addresses = await network.lookup("localhost", 80)
    assert "127.0.0.1" in addresses
    assert len(set(addresses)) == len(addresses)
    async with listening(hello) as port:
        reader, writer = await network.connect("127.0.0.1", port)
        assert await reader.read() == b"hello"
        writer.close()
        await writer.wait_closed()


async def test_names_whose_servers_are_silent_keep_nobody_else_from_being_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    silent = threading.Event()

    def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        if host.startswith("silent"):
            silent.wait(30)
            raise OSError("no answer")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.1.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    guard = Guard(RealNetwork(), lookup=0.5)

    async def ask(number: int) -> None:
        with pytest.raises(WebError, match="is not known"):
            await guard.check(f"silent{number}.example", 443)

    try:
        async with anyio.create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(ask, number)
            await anyio.wait_all_tasks_blocked()
            assert await guard.check("songs.example", 443) == ("93.184.1.1",)
        assert await guard.check("songs.example", 443) == ("93.184.1.1",), "though the threads still wait"
    finally:
        silent.set()
