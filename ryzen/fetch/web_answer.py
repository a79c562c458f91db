"""What a server has answered, its body still to come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

import aiohttp

from ryzen.errors import WebError
from ryzen.fetch.unpack import Unpacker

_CHUNK = 1 << 16


class WebAnswer:
    """``getting.Answer``, valid inside its block only."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.host = response.url.host or ""
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}
        self._broken = False
        self._watch()

    @property
    def status(self) -> int:
        return self._response.status

    @property
    def url(self) -> str:
        return str(self._response.url)

    @property
    def size(self) -> int | None:
        """Bytes of the body, if the server says so."""
        return self._response.content_length

    @property
    def kind(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        try:
            async for chunk in self._response.content.iter_chunked(_CHUNK):
                yield chunk
        except TimeoutError as error:
            raise WebError(f"{self.host} has stopped sending") from error
        except (aiohttp.ClientError, OSError) as error:
            raise WebError(f"{self.host} has broken off") from error
        if self._broken and "content-length" not in self.headers and "transfer-encoding" not in self.headers:
            raise WebError(f"{self.host} has broken off")

    async def head(self, size: int) -> bytes:
        """The first ``size`` bytes, fewer if there are no more. Raises WebError."""
        head = bytearray()
        async with aclosing(self.chunks()) as chunks:
            async for chunk in chunks:
                head += chunk
                if len(head) >= size:
                    break
        return bytes(head[:size])

    async def body(self, most: int) -> bytes:
        """All of it, unpacked. Raises WebError, if it is more than ``most`` bytes for one."""
        unpacker = Unpacker(self.headers.get("content-encoding", ""), most)
        body = bytearray()
        async with aclosing(self.chunks()) as chunks:
            async for chunk in chunks:
                body += unpacker.feed(chunk)
        unpacker.end()
        return bytes(body)

    def text(self, body: bytes) -> str:
        charset = self._response.charset or "utf-8"
        try:
            return body.decode(charset, "replace")
        except (LookupError, ValueError):  # no such charset, or none for texts (``idna``)
            return body.decode("utf-8", "replace")

    def _watch(self) -> None:
        """To aiohttp 3.14 the end of a connection is the end of a body without a length, a reset too."""

        def ended(closed: asyncio.Future[None]) -> None:
            self._broken = not closed.cancelled() and closed.exception() is not None

        connection = self._response.connection
        closed = None if connection is None or connection.protocol is None else connection.protocol.closed
        if closed is not None:
            closed.add_done_callback(ended)
