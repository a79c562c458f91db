"""Proxies of an operator, small and real: HTTP CONNECT and SOCKS5, for user ``me`` with password ``p:w``."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from fetch_stage import StageNetwork, listening

from ryzen.outside import Stream

USER, PASSWORD = "me", "p:w"
#: As it stands in PROXY_URL.
LOGIN = "me:p%3Aw"


class Operator:
    """What a proxy was asked for; it goes where the network's tables say."""

    def __init__(self, network: StageNetwork) -> None:
        self._network = network
        self.asked: list[tuple[str, int]] = []

    @asynccontextmanager
    async def http(self) -> AsyncIterator[str]:
        async with listening(self._http) as port:
            yield f"http://{LOGIN}@127.0.0.1:{port}"

    @asynccontextmanager
    async def socks5(self) -> AsyncIterator[str]:
        async with listening(self._socks5) as port:
            yield f"socks5://{LOGIN}@127.0.0.1:{port}"

    async def _http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if f"proxy-authorization: basic {login}".lower() not in [line.lower() for line in head]:
            writer.write(b"HTTP/1.1 407 Who are you\r\n\r\n")
            return await writer.drain()
        method, target, _ = head[0].split(" ")
        assert method == "CONNECT"
        host, _, port = target.rpartition(":")
        server = await self._reached(host.strip("[]"), int(port))
        if server is None:
            writer.write(b"HTTP/1.1 502 Nobody there\r\n\r\n")
            return await writer.drain()
        writer.write(b"HTTP/1.1 200 There you are\r\n\r\n")
        return await _joined((reader, writer), server)

    async def _socks5(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, count = await reader.readexactly(2)
        if 2 not in await reader.readexactly(count):  # by user name and password, and in no other way
            writer.write(b"\x05\xff")
            return await writer.drain()
        writer.write(b"\x05\x02")
        _, length = await reader.readexactly(2)
        user = await reader.readexactly(length)
        password = await reader.readexactly((await reader.readexactly(1))[0])
        if (user.decode(), password.decode()) != (USER, PASSWORD):
            writer.write(b"\x01\x01")
            return await writer.drain()
        writer.write(b"\x01\x00")
        _, command, _, kind = await reader.readexactly(4)
        assert (command, kind) == (1, 1), "only CONNECT, and to an IPv4 address that the guard has judged"
        host = ".".join(str(octet) for octet in await reader.readexactly(4))
        port = int.from_bytes(await reader.readexactly(2), "big")
        server = await self._reached(host, port)
        writer.write(b"\x05" + (b"\x00" if server else b"\x05") + b"\x00\x01" + bytes(6))
        if server is None:
            return await writer.drain()
        return await _joined((reader, writer), server)

    async def _reached(self, host: str, port: int) -> Stream | None:
        self.asked.append((host, port))
        try:
            return await self._network.connect(host, port)
        except OSError:
            return None


async def _joined(client: Stream, server: Stream) -> None:
    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        tasks.cancel_scope.cancel()

    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(pump, client[0], server[1])
            tasks.start_soon(pump, server[0], client[1])
    finally:
        server[1].transport.abort()
