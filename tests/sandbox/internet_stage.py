"""Clients for the local internet: a proxy that leads into it, as the egress proxy does for the bot, and the
real yt-dlp and aiohttp behind it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import anyio.to_thread
import attrs
import yt_dlp

from ryzen.outside import Network
from ryzen.sandbox.internet import Internet, Site
from ryzen.sandbox.internet.songs import Recording, Segment, Song, beep, record

#: Short, so that they are made quickly; ``BlueSky`` has everything that a song can have.
SONGS = (
    beep(
        "BlueSky_440",
        "Blue Sky",
        "Local Artist",
        440,
        6,
        album="Skies",
        chapters=((0, "First"), (2, "Second"), (4, "Third")),
        segments=(Segment(0.0, 1.5), Segment(5.0, 6.0, "sponsor")),
        lyrics=((0.5, "The sky is blue"), (3.25, "and so am I")),
    ),
    beep("BlueSky_liv", "Blue Sky (Live)", "Local Artist", 550, 3),
    beep("RedMoon_660", "Red Moon", "Other Artist", 660, 4),
)
#: The first step of the ladder: one request, no JavaScript.
QUICK = {"youtube": {"player_client": ["visionos"], "player_skip": ["webpage", "configs", "initial_data"]}}
NO_PAGES = {"youtubetab": {"skip": ["webpage"]}}


def recordings(folder: Path, songs: Iterable[Song] = SONGS) -> tuple[Recording, ...]:
    return record(folder, songs)


@attrs.frozen
class Stage:
    internet: Internet
    web: aiohttp.ClientSession
    proxy: str

    async def yt_dlp(self, query: str, **options: Any) -> dict[str, Any]:
        """What the real one extracts. Raises its DownloadError."""
        return await anyio.to_thread.run_sync(_extract, query, {"proxy": self.proxy, **options})

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """Status and body, redirects followed."""
        async with self.web.get(url, headers=headers) as answer:
            return answer.status, await answer.read()


@asynccontextmanager
async def set_stage(*sites: Site) -> AsyncIterator[Stage]:
    async with Internet.serve(sites) as internet, proxy_into(internet.network) as proxy:
        trusted = ssl.create_default_context(cafile=internet.authorities)
        connector = aiohttp.TCPConnector(ssl=trusted)
        async with aiohttp.ClientSession(connector=connector, proxy=proxy) as web:
            yield Stage(internet, web, proxy)


@asynccontextmanager
async def proxy_into(network: Network) -> AsyncIterator[str]:
    """An HTTP proxy that knows CONNECT, and plain GET as far as these tests ask for it."""
    pipes: set[asyncio.Task[None]] = set()

    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method, target, rest = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)
        tunnel = method == b"CONNECT"
        host, _, port = (target if tunnel else target.split(b"/")[2]).decode().partition(":")
        number = int(port or 80)
        try:
            address = (await network.lookup(host, number))[0]
            there, back = await network.connect(address, number)
        except OSError as error:
            writer.write(f"HTTP/1.1 502 {type(error).__name__}\r\nContent-Length: 0\r\n\r\n".encode())
            writer.close()
            return
        if tunnel:
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        else:
            path = target.split(b"/", 3)[3]
            back.write(b"%s /%s %s" % (method, path, rest))
        async with asyncio.TaskGroup() as both:
            both.create_task(pump(reader, back))
            both.create_task(pump(there, writer))

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(1 << 16):
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pipe = asyncio.create_task(attend(reader, writer))
        pipes.add(pipe)
        pipe.add_done_callback(pipes.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for pipe in tuple(pipes):
            pipe.cancel()
        await asyncio.gather(*pipes, return_exceptions=True)
        await server.wait_closed()


def _extract(query: str, options: dict[str, Any]) -> dict[str, Any]:
    """yt-dlp takes its certificates from SSL_CERT_FILE if it must not have certifi's."""
    settings = {
        "quiet": True,
        "no_warnings": True,
        "compat_opts": {"no-certifi"},
        "cachedir": False,
        **options,
    }
    with yt_dlp.YoutubeDL(settings) as session:
        return session.sanitize_info(session.extract_info(query, download=False))
