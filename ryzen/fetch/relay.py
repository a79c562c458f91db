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
    may come in; ``up``: bytes that the client may send; None for no limit. ``count`` is told of what came in;
    ``first`` may write its first bytes anew.
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
        first: Callable[[bytes], bytes] | None = None,
    ) -> None:
        self._client, self._server = client, server
        self._idle, self._most, self._up, self._count, self._first = idle, most, up, count, first
        self._scope = anyio.CancelScope()
        self._whole = self._held = False

    async def run(self) -> bool:
        """Whether the server has ended it, in order: then an end is what the client should see, too.

        Otherwise somebody has gone, was silent for too long or has said too much, and a body without a length
        must not pass for whole.
        """
        with self._scope:
            self._beat()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._send)
                self._whole = await self._receive()
                tasks.cancel_scope.cancel()
        return self._whole

    async def _receive(self) -> bool:
        """True at the end of what the server sends."""
        source, sink = self._server[0], self._client[1]
        came = 0
        try:
            while data := await source.read(_CHUNK):
                self._count(len(data))
                if self._first is not None and not came:
                    data = self._first(data)
                came += len(data)
                if self._most is not None and came > self._most:
                    return False
                if sink.transport.is_closing():  # the client has gone; asyncio would log each further byte
                    return False
                sink.write(data)
                if sink.transport.get_write_buffer_size():
                    # A client that does not read is no hung server; it may take its time, or go.
                    self._held = True
                    self._beat()
                    await sink.drain()
                    self._held = False
                self._beat()
        except OSError:
            return False
        return True

    async def _send(self) -> None:
        source, sink = self._client[0], self._server[1]
        sent = 0
        with contextlib.suppress(OSError):
            while data := await source.read(_CHUNK):
                sent += len(data)
                if self._up is not None and sent > self._up:
                    break
                sink.write(data)
                self._beat()
                await sink.drain()
        self._scope.cancel()

    def _beat(self) -> None:
        self._scope.deadline = math.inf if self._held else anyio.current_time() + self._idle


def cut(writer: asyncio.StreamWriter) -> None:
    """End it so that the other side sees it broken off (a RST), not at its end."""
    with contextlib.suppress(OSError):  # it may be gone already
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NOT_AT_ALL)
    writer.transport.abort()
