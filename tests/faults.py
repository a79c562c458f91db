"""A TCP proxy on 127.0.0.1 that fails as networks do, on demand and with connections open."""

from __future__ import annotations

import contextlib
import enum
from collections.abc import AsyncIterator

import anyio
from anyio.abc import SocketAttribute, SocketListener, SocketStream


class Way(enum.Enum):
    """What becomes of bytes that arrive."""

    PASS = "pass"
    HOLE = "hole"  #: they are held until the way is another; connections are accepted and stay open
    CLOSED = "closed"  #: every connection is cut, and new ones are closed at once


class FaultProxy:
    """Made by ``fault_proxy``. ``way`` and ``delay`` may be changed at any time.

    What was sent into a hole arrives when it opens, even if the client has given up since: so do networks.
    """

    def __init__(self, target: int, port: int) -> None:
        self.port = port
        self.delay = 0.0  #: seconds on the way to the server, and none on the way back
        self.cuts = 0  #: replies that were cut off
        self._target = target
        self._way = Way.PASS
        self._changed = anyio.Event()
        self._marker: bytes | None = None

    def url(self, database: str, options: str = "") -> str:
        """``directConnection``: we are not a member of anybody's replica set."""
        return f"mongodb://127.0.0.1:{self.port}/{database}?directConnection=true{options}"

    @property
    def way(self) -> Way:
        return self._way

    @way.setter
    def way(self, way: Way) -> None:
        self._way = way
        self._changed.set()
        self._changed = anyio.Event()

    def cut_reply_to(self, marker: bytes) -> None:
        """Deliver the next request with these bytes in it, and close the connection instead of the reply."""
        self._marker = marker

    async def serve(self, client: SocketStream) -> None:
        async with client:
            if self._way is Way.CLOSED:
                return
            try:
                server = await anyio.connect_tcp("127.0.0.1", self._target)
            except OSError:
                return  # to the client, a server that is down is a connection that closes
            async with server:
                await _Connection(self, client, server).run()

    async def open_way(self) -> None:
        while self._way is Way.HOLE:
            await self._changed.wait()
        if self._way is Way.CLOSED:
            raise anyio.BrokenResourceError

    async def closing(self) -> None:
        while self._way is not Way.CLOSED:
            await self._changed.wait()

    def marked(self, request: bytes) -> bool:
        """Whether the reply to this one is to be cut; only once."""
        if self._marker is None or self._marker not in request:
            return False
        self._marker = None
        return True


class _Connection:
    """Both directions; the first to end ends the other, for half a connection hides a fault."""

    def __init__(self, proxy: FaultProxy, client: SocketStream, server: SocketStream) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._mute = False  #: the server does the work, and the client never hears of it

    async def run(self) -> None:
        async with anyio.create_task_group() as tasks:

            async def first_of(direction: object) -> None:
                with contextlib.suppress(
                    anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError
                ):
                    await direction  # type: ignore[misc]
                tasks.cancel_scope.cancel()

            for direction in (self._requests(), self._replies(), self._proxy.closing()):
                tasks.start_soon(first_of, direction)

    async def _requests(self) -> None:
        while True:
            request = await self._client.receive()
            await self._proxy.open_way()
            await anyio.sleep(self._proxy.delay)
            self._mute = self._mute or self._proxy.marked(request)
            await self._server.send(request)

    async def _replies(self) -> None:
        while True:
            reply = await self._server.receive()
            await self._proxy.open_way()
            if self._mute:
                self._proxy.cuts += 1
                return
            await self._client.send(reply)


@contextlib.asynccontextmanager
async def fault_proxy(target: int) -> AsyncIterator[FaultProxy]:
    """A proxy in front of this port of 127.0.0.1; at the end all its connections are cut."""
    multi = await anyio.create_tcp_listener(local_host="127.0.0.1")
    listener = multi.listeners[0]
    assert isinstance(listener, SocketListener)
    proxy = FaultProxy(target, listener.extra(SocketAttribute.local_port))
    async with multi, anyio.create_task_group() as tasks:
        tasks.start_soon(multi.serve, proxy.serve)
        yield proxy
        tasks.cancel_scope.cancel()
