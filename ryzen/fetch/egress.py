"""The one door to the internet: an HTTP proxy on loopback that goes where the guard lets it, nowhere else.

Whatever fetches for the bot gets ``Egress.url()`` as its proxy: our own client, yt-dlp in its process, the
libraries with sessions of their own. TLS stays between these and the servers.
"""

from __future__ import annotations

import asyncio
import hmac
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel
import attrs
from loguru import logger

from ryzen.beside import beside
from ryzen.errors import WebError, WebForbidden
from ryzen.fetch.guard import Guard
from ryzen.fetch.head import BadHead, Head, Raw
from ryzen.fetch.relay import Relay, cut
from ryzen.fetch.upstream import Upstream
from ryzen.outside import Outside, Stream

#: Stands before the sentence in the reason of every answer that is the door's own, and no server's.
MARK = "ryzen-guard: "
_HEAD = 1 << 16
_USER = re.compile(r"(direct|proxied)(?:\.([0-9]{1,15}))?")


@attrs.frozen
class Limits:
    """In seconds, but for ``connections`` at once."""

    head: float = 10.0  #: for a client to say what it wants
    lookup: float = 5.0
    connect: float = 8.0
    idle: float = 30.0  #: without a byte either way
    connections: int = 512


@attrs.frozen
class EgressStats:
    """``open`` connections are now, the others since the start; one that nobody answers is neither allowed
    nor refused."""

    open: int
    allowed: int
    refused: int
    bytes_in: int


@attrs.frozen
class _Wish:
    """What the user name says."""

    proxied: bool
    most: int | None


class _No(Exception):
    """The door's own answer."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


class Egress:
    """See ``serve``."""

    def __init__(self, guard: Guard, upstream: Upstream | None, limits: Limits) -> None:
        self._guard, self._upstream, self._limits = guard, upstream, limits
        self._secret = secrets.token_urlsafe(24)
        self._port = 0
        self._open = self._allowed = self._refused = self._bytes_in = 0

    def url(self, *, proxied: bool = False, most: int | None = None) -> str:
        """The proxy to name to a client. It holds a secret: other users of the machine may not use the door.

        ``proxied``: by way of the operator's proxy, if there is one. ``most``: so many bytes may come in by a
        connection, then it is cut.
        """
        user = ("proxied" if proxied else "direct") + ("" if most is None else f".{most}")
        return f"http://{user}:{self._secret}@127.0.0.1:{self._port}"

    def stats(self) -> EgressStats:
        return EgressStats(self._open, self._allowed, self._refused, self._bytes_in)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        # A transport's callback is in no task, so that it cannot start one in a task group of anyio's.
        arrived: asyncio.Queue[Stream] = asyncio.Queue()

        async def accept() -> None:
            while True:
                tasks.start_soon(self._attend, await arrived.get())

        def arrive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            arrived.put_nowait((reader, writer))

        async with beside() as tasks:
            tasks.start_soon(accept)
            server = await asyncio.start_server(arrive, "127.0.0.1", 0, limit=_HEAD)
            self._port = server.sockets[0].getsockname()[1]
            try:
                yield
            finally:
                server.close()
        while not arrived.empty():
            cut(arrived.get_nowait()[1])
        with anyio.CancelScope(shield=True):
            await anyio.lowlevel.checkpoint()  # the sockets that were cut are closed in the next turn

    async def _attend(self, client: Stream) -> None:
        self._open += 1
        try:
            if await self._served(client):
                client[1].close()
                await client[1].wait_closed()
        except OSError:
            pass  # the client has gone
        finally:
            self._open -= 1
            cut(client[1])

    async def _served(self, client: Stream) -> bool:
        """Whether it has come to its end in order."""
        try:
            raw = await self._read(client[0])
            wish = self._admitted(raw)
            head, server = await self._opened(raw, wish)
        except asyncio.IncompleteReadError:
            return False
        except _No as no:
            self._refused += no.status != 502
            await _answer(client[1], no)
            return True
        self._allowed += 1
        try:
            if head.tunnel:
                client[1].write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                server[1].write(head.forward)
            return await Relay(
                client,
                server,
                idle=self._limits.idle,
                most=wish.most,
                up=None if head.tunnel else head.body,
                count=self._count,
                first=None if head.tunnel else _as_http,
            ).run()
        finally:
            server[1].transport.abort()

    async def _read(self, reader: asyncio.StreamReader) -> Raw:
        try:
            with anyio.fail_after(self._limits.head):
                return Raw.read(await reader.readuntil(b"\r\n\r\n"))
        except TimeoutError as error:
            raise _No(408, "the request took too long to come") from error
        except asyncio.LimitOverrunError as error:
            raise _No(431, "the head of the request is too long") from error
        except BadHead as error:
            raise _No(400, str(error)) from error

    def _admitted(self, raw: Raw) -> _Wish:
        user, password = raw.credentials() or ("", "")
        wish = _USER.fullmatch(user)
        if not hmac.compare_digest(password.encode(), self._secret.encode()) or wish is None:
            raise _No(407, "this proxy is for one bot only")
        if self._open > self._limits.connections:
            raise _No(503, "too many connections at once")
        return _Wish(proxied=wish[1] == "proxied", most=int(wish[2]) if wish[2] else None)

    async def _opened(self, raw: Raw, wish: _Wish) -> tuple[Head, Stream]:
        try:
            head = raw.judged()
            upstream = self._upstream if wish.proxied else None
            stream = await self._guard.open(
                head.host, head.port, None if upstream is None else upstream.connect
            )
        except BadHead as error:
            raise _No(400, str(error)) from error
        except WebForbidden as error:
            logger.info("Egress refused: {}", error)
            raise _No(403, str(error)) from error
        except WebError as error:
            raise _No(502, str(error)) from error
        return head, stream

    def _count(self, size: int) -> None:
        self._bytes_in += size


@asynccontextmanager
async def serve(
    outside: Outside, upstream: str | None = None, *, limits: Limits | None = None
) -> AsyncIterator[Egress]:
    """The door is open for as long as the block runs; then every connection is cut.

    ``upstream`` is the operator's own proxy, ``scheme://user:password@host:port`` with http, https, socks4 or
    socks5. Raises ValueError if it cannot be read.
    """
    limits = limits or Limits()
    guard = Guard(outside.network, lookup=limits.lookup, connect=limits.connect)
    egress = Egress(guard, None if upstream is None else Upstream(upstream), limits)
    async with egress.listening():
        yield egress


def _as_http(start: bytes) -> bytes:
    """Old Shoutcast stations answer ``ICY 200 OK``, and HTTP from there on; no client here knows that."""
    return b"HTTP/1.0" + start[3:] if start.startswith(b"ICY ") else start


async def _answer(writer: asyncio.StreamWriter, no: _No) -> None:
    reason = MARK + no.sentence.encode("ascii", "replace").decode("ascii")
    lines = [f"HTTP/1.1 {no.status} {reason}", "content-length: 0", "connection: close"]
    if no.status == 407:
        lines.append('proxy-authenticate: Basic realm="ryzen"')
    writer.write("\r\n".join([*lines, "", ""]).encode("ascii"))
    await writer.drain()
