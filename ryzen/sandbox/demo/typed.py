"""What is typed into the interactive demo."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import AsyncGenerator

import anyio
import anyio.from_thread
from anyio.lowlevel import EventLoopToken, current_token
from anyio.streams.memory import MemoryObjectSendStream

_STANDARD_INPUT = 0


async def typed_lines() -> AsyncGenerator[str, None]:
    """Lines from standard input, a terminal or not, until it ends; blank ones are left out.

    The reader is a daemon thread of our own on the bare descriptor: a worker thread of anyio's, or a lock on
    ``sys.stdin``, would keep the process from ending until somebody presses Enter.
    """
    send, receive = anyio.create_memory_object_stream[str](math.inf)
    threading.Thread(target=_read, args=(_STANDARD_INPUT, send, current_token()), daemon=True).start()
    async with receive:
        async for line in receive:
            if line.strip():
                yield line


def _read(descriptor: int, send: MemoryObjectSendStream[str], token: EventLoopToken) -> None:
    try:
        rest = b""
        while piece := _piece(descriptor):
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                _hand_over(send, line, token)
        _hand_over(send, rest, token)
        anyio.from_thread.run_sync(send.close, token=token)
    except (anyio.RunFinishedError, anyio.BrokenResourceError):
        return  # the demo has ended first


def _piece(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:  # the terminal is gone
        return b""


def _hand_over(send: MemoryObjectSendStream[str], line: bytes, token: EventLoopToken) -> None:
    anyio.from_thread.run_sync(send.send_nowait, line.decode(errors="replace"), token=token)
