"""Bytes to and fro between a client of the door and a server, with backpressure and a limit on silence."""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
import struct
from collections.abc import Callable

import anyio

from ryzen.outside import Stream

_CHUNK = 1 << 16
_NOT_AT_ALL = struct.pack("ii", 1, 0)  # on, and for no second


class Relay:
    """One connection. ``idle``: seconds without a byte either way until it is given up; ``most``: bytes that
    may come in; ``up``: bytes that the client may send; None for no limit. ``count`` is told of what came in.
    """

    def __init__(
        self,
        client: Stream,
        server: Stream,
        *,
        idle: float,
        most: int | None,
        up: int | None,
        count: Callable[[int], None],
    ) -> None:
        self._client, self._server = client, server
        self._idle, self._most, self._up, self._count = idle, most, up, count
        self._scope = anyio.CancelScope()
        self._whole = False

    async def run(self) -> bool:
        """Whether the server has ended it, in order: then an end is what the client should see, too.

        Otherwise somebody has gone, was silent for too long or has said too much, and a body without a length
        must not pass for whole.
        """
        with self._scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._send)
                self._whole = await self._pump(self._server, self._client, self._most, self._count)
                tasks.cancel_scope.cancel()
        return self._whole

    async def _send(self) -> None:
        await self._pump(self._client, self._server, self._up, None)
        self._scope.cancel()

    async def _pump(
        self, source: Stream, sink: Stream, most: int | None, count: Callable[[int], None] | None
    ) -> bool:
        """True at the end of what the source sends."""
        reader, writer = source[0], sink[1]
        sent = 0
        try:
            self._beat()
            while data := await reader.read(_CHUNK):
                sent += len(data)
                if count is not None:
                    count(len(data))
                if most is not None and sent > most:
                    return False
                writer.write(data)
                if writer.transport.get_write_buffer_size():
                    # Who does not read is no hung server; it may take its time, or go.
                    self._scope.deadline = math.inf
                    await writer.drain()
                self._beat()
        except OSError:
            return False
        return True

    def _beat(self) -> None:
        self._scope.deadline = anyio.current_time() + self._idle


def cut(writer: asyncio.StreamWriter) -> None:
    """End it so that the other side sees it broken off (a RST), not at its end."""
    with contextlib.suppress(OSError):  # it may be gone already
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NOT_AT_ALL)
    writer.transport.abort()
