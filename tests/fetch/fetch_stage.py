"""An internet for tests: host names with addresses that look public, and real servers on loopback behind
them, over TLS too. ::

    stage.serve("songs.example", handler)                      # aiohttp, http and https
    stage.serve_raw("rude.example", talk)                      # whatever it likes to say
    stage.network.names["evil.example"] = [("10.0.0.7",)]      # what the first, second, … look-up answers
    async with stage.web() as web: ...
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType

from aiohttp import web

from ryzen.fetch import egress as door
from ryzen.fetch import web as client
from ryzen.fetch.egress import Egress, Limits
from ryzen.fetch.web import Patience, WebClient
from ryzen.outside import Outside, Stream
from ryzen.sandbox.internet.authority import Authority

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class StageNetwork:
    """``ryzen.outside.Network`` out of two tables; it remembers what was asked of it."""

    def __init__(self) -> None:
        #: What each look-up of a name answers, in turn; the last one for ever.
        self.names: dict[str, list[tuple[str, ...]]] = {}
        #: Which loopback port an address and port are.
        self.ports: dict[tuple[str, int], int] = {}
        self.lookups: list[str] = []
        self.connects: list[tuple[str, int]] = []

    async def lookup(self, host: str, port: int) -> tuple[str, ...]:
        self.lookups.append(host)
        answers = self.names.get(host)
        if not answers:
            raise OSError("no such name")
        return answers.pop(0) if len(answers) > 1 else answers[0]

    async def connect(self, address: str, port: int) -> Stream:
        self.connects.append((address, port))
        there = self.ports.get((address, port))
        if there is None:
            raise ConnectionRefusedError("nobody there")
        return await asyncio.open_connection("127.0.0.1", there)


class Stage:
    """The servers and what leads to them; all of it is gone when the block ends."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._stack = AsyncExitStack()
        self._hosts = 0
        self.network = StageNetwork()
        self.outside = Outside(network=self.network, authorities=authority.certificate)

    async def __aenter__(self) -> Stage:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def serve(self, host: str, handler: Handler, *, port: int | None = None) -> str:
        """Answers for this host with aiohttp: on 80 and, over TLS, on 443; or on ``port``, without TLS. Its
        address."""
        runner = web.ServerRunner(
            web.Server(handler, handler_cancellation=True),
            shutdown_timeout=0.01,  # of none at all aiohttp makes for ever
        )
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        address = self._named(host)
        ways = ((port, None),) if port else ((80, None), (443, self._authority.context(host)))
        for number, tls in ways:
            site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
            await site.start()
            self._open(address, number, runner.addresses[-1][1])
        return address

    async def serve_raw(self, host: str, talk: Talk, *, port: int = 80, tls: bool = False) -> str:
        """Says to each connection what ``talk`` says. Its address."""
        context = self._authority.context(host) if tls else None
        address = self._named(host)
        self._open(address, port, await self._stack.enter_async_context(listening(talk, context)))
        return address

    def _named(self, host: str) -> str:
        self._hosts += 1
        address = f"93.184.{self._hosts // 250}.{self._hosts % 250 + 1}"
        self.network.names[host] = [(address,)]
        return address

    def _open(self, address: str, port: int, there: int) -> None:
        self.network.ports[address, port] = there

    @asynccontextmanager
    async def egress(
        self, upstream: str | None = None, limits: Limits | None = None
    ) -> AsyncIterator[Egress]:
        async with door.serve(self.outside, upstream, limits=limits) as egress:
            yield egress

    @asynccontextmanager
    async def web(
        self, *, limits: Limits | None = None, patience: Patience | None = None, upstream: str | None = None
    ) -> AsyncIterator[WebClient]:
        async with (
            self.egress(upstream, limits) as egress,
            client.serve(egress, self.outside, patience=patience) as web_client,
        ):
            yield web_client


@asynccontextmanager
async def listening(talk: Talk, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server on loopback which says what ``talk`` says; its port. Connections are cut at the end."""
    tasks: set[asyncio.Task[None]] = set()

    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await talk(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the other side has gone, or the test is over
        finally:
            tasks.discard(task)
            writer.transport.abort()

    server = await asyncio.start_server(attend, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # the aborted sockets are closed in the next turn
