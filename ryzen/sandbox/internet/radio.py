"""Radio stations in the manner of Icecast."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from aiohttp import web

from ryzen.sandbox.internet.media import Answer
from ryzen.sandbox.internet.songs import encode
from ryzen.sandbox.synth import Wave

RATE = 16_000  #: bytes a second: 128 kbit/s
_BURST = 32_000  #: bytes at once for who has just come, as Icecast gives them
_TICK = 0.1
_META = 16_000  #: bytes of sound between two titles


def station(sound: Wave, name: str, title: str = "") -> Answer:
    """``sound`` round and round as mp3, to everybody from its beginning, for ever.

    The name is in the headers, the title within the stream for who asks for it (``Icy-MetaData: 1``).
    """
    with tempfile.TemporaryDirectory() as folder:
        encode(sound, path := Path(folder, "sound.mp3"), "mp3")
        body = path.read_bytes()

    async def answer(request: web.Request) -> web.StreamResponse:
        titled = request.headers.get("Icy-MetaData") == "1"
        headers = {"Content-Type": "audio/mpeg", "icy-name": name, "icy-br": "128"}
        if titled:
            headers["icy-metaint"] = str(_META)
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        loop = asyncio.get_running_loop()
        start, sent = loop.time(), 0
        while True:
            due = int(_BURST + (loop.time() - start) * RATE)
            while sent < due:
                at = sent % len(body)
                piece = body[at : at + min(due - sent, _META - sent % _META)]
                await response.write(piece)
                sent += len(piece)
                if titled and sent % _META == 0:
                    await response.write(_block(title))
            await asyncio.sleep(_TICK)

    return answer


def _block(title: str) -> bytes:
    """A count of sixteens, and the title filled up with zeros to as many."""
    text = f"StreamTitle='{title}';".encode()
    sixteens = -(-len(text) // 16)
    return bytes([sixteens]) + text.ljust(16 * sixteens, b"\0")
