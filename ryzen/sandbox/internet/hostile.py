"""Answers that mean no good: what imitates a hung server, a body without an end, a bomb."""

from __future__ import annotations

import asyncio
import zlib

from aiohttp import web

from ryzen.sandbox.internet.media import Answer

_BLOCK = bytes(1 << 20)


async def hang(_: web.Request) -> web.StreamResponse:
    """Not even a status line, for as long as the client waits."""
    await asyncio.Event().wait()
    raise AssertionError("nobody sets it")


def endless(kind: str = "audio/mpeg", block: bytes = _BLOCK) -> Answer:
    """``block`` again and again, as fast as it is taken, with no length stated, until the client goes."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": kind})
        await response.prepare(request)
        while True:
            await response.write(block)
            await asyncio.sleep(0)  # a client that reads fast is not to starve everybody else

    return answer


def bomb(size: int, kind: str = "application/json") -> Answer:
    """``size`` bytes once unpacked: zeros under gzip, a thousandth of that on the wire."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": kind, "Content-Encoding": "gzip"})
        await response.prepare(request)
        packer = zlib.compressobj(9, wbits=31)
        for at in range(0, size, len(_BLOCK)):
            if packed := packer.compress(_BLOCK[: size - at]):
                await response.write(packed)
            await asyncio.sleep(0)
        await response.write(packer.flush())
        return response

    return answer
