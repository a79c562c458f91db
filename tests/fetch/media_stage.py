"""For the tests of the cache: a media host on ``stage``'s internet that behaves as told, caches with a short
patience, and readers in threads, as the audio worker has them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import attrs
from aiohttp import web
from anyio import to_thread
from fetch_stage import Stage

from ryzen.beside import beside
from ryzen.fetch.cache import Measure, TeeCache
from ryzen.fetch.flight import TeeFlight
from ryzen.fetch.host import Patience
from ryzen.fetch.sink import Windows
from ryzen.growing import GrowingFile
from ryzen.origins import Origin, Remote, Renew

KIB, MIB = 1 << 10, 1 << 20
HOST = "media.example"


def noise(size: int, seed: str = "song") -> bytes:
    """Bytes that look like nothing, and are the same every time."""
    return hashlib.shake_128(seed.encode()).digest(size)


@attrs.define
class File:
    """``cut``: the connection is cut after so many bytes of each answer. ``denials``: what the next requests
    get, status and headers. ``hold``: after so many bytes it waits for ``go``. ``said``: the length it tells,
    if that is a lie. ``short``: each answer ends well after so many bytes, whatever was promised."""

    body: bytes
    ranges: bool = True
    chunked: bool = False
    cut: int | None = None
    denials: list[tuple[int, dict[str, str]]] = attrs.Factory(list)
    hold: int | None = None
    go: anyio.Event = attrs.Factory(anyio.Event)
    said: int | None = None
    headers: dict[str, str] = attrs.Factory(dict)
    endless: bool = False
    short: int | None = None


class MediaHost:
    """Answers for ``HOST``. ``asked`` are the requests so far: path and Range."""

    def __init__(self) -> None:
        self.files: dict[str, File] = {}
        self.asked: list[tuple[str, str | None]] = []

    def put(self, path: str, body: bytes, **how: object) -> str:
        """Its link."""
        self.files[path] = File(body, **how)  # type: ignore[arg-type]
        return f"https://{HOST}{path}"

    def ranges(self, path: str) -> list[str | None]:
        return [span for asked, span in self.asked if asked == path]

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        span = request.headers.get("Range")
        self.asked.append((request.path, span))
        file = self.files.get(request.path)
        if file is None:
            return web.Response(status=404)
        if file.denials:
            status, headers = file.denials.pop(0)
            return web.Response(status=status, headers=headers)
        response, body = _answer(file, span)
        await response.prepare(request)
        await self._send(request, response, file, body)
        return response

    async def _send(
        self, request: web.BaseRequest, response: web.StreamResponse, file: File, body: bytes
    ) -> None:
        sent = 0
        for part in _parts(body, file.hold):
            if file.hold is not None and sent >= file.hold:
                await file.go.wait()
            if file.cut is not None and sent + len(part) >= file.cut:
                await response.write(part[: file.cut - sent])
                await anyio.sleep(0.01)  # or the bytes are lost with the connection
                assert request.transport is not None
                request.transport.abort()
                return
            await response.write(part)
            sent += len(part)
        while file.endless:
            await response.write(body)


def _parts(body: bytes, hold: int | None) -> list[bytes]:
    edge = hold or 0
    rest = [body[at : at + 64 * KIB] for at in range(edge, len(body), 64 * KIB)]
    return [body[:edge], *rest] if edge else rest


def _answer(file: File, span: str | None) -> tuple[web.StreamResponse, bytes]:
    size = len(file.body)
    response = web.StreamResponse(headers=file.headers)
    body = file.body
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", span) if span and file.ranges else None
    if match:
        first, last = int(match[1]), min(int(match[2] or size - 1), size - 1)
        if first >= size:
            return web.Response(status=416, headers={"Content-Range": f"bytes */{size}"}), b""
        body = body[first : last + 1]
        response = web.StreamResponse(
            status=206, headers={"Content-Range": f"bytes {first}-{last}/{size}", **file.headers}
        )
    if file.short is not None:
        body = body[: file.short]
    if file.chunked or file.endless or file.short is not None:
        response.enable_chunked_encoding()
    else:
        response.content_length = len(body) if file.said is None else file.said
    return response, body


class Pauses:
    """Takes no time, and remembers how much it would have been."""

    def __init__(self) -> None:
        self.made: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.made.append(seconds)
        await anyio.sleep(0)


@attrs.define
class Deck:
    """Opens caches on one folder, one at a time."""

    folder: Path
    stage: Stage
    host: MediaHost
    pauses: Pauses = attrs.Factory(Pauses)
    now: float = 1_790_000_000.0

    @asynccontextmanager
    async def cache(
        self,
        budget: int = 64 * MIB,
        most: int = 16 * MIB,
        *,
        measure: Measure | None = None,
        windows: Windows | None = None,
        folder: Path | None = None,
    ) -> AsyncIterator[TeeCache]:
        patience = Patience(sleep=self.pauses, now=lambda: self.now)
        async with (
            self.stage.web() as getter,
            TeeCache.open(
                folder or self.folder,
                getter,
                budget=budget,
                most_per_file=most,
                measure=measure,
                windows=windows,
                patience=patience,
            ) as cache,
        ):
            yield cache

    def names(self) -> list[str]:
        """The endings of the files there, but for the cache's lock."""
        return sorted(file.name.partition(".")[2] for file in self.folder.iterdir() if file.name != ".lock")


@asynccontextmanager
async def deck(folder: Path, stage: Stage) -> AsyncIterator[Deck]:
    host = MediaHost()
    await stage.serve(HOST, host)
    yield Deck(folder, stage, host)


def remote(url: str, key: str = "tube:song", **more: object) -> Origin:
    return Origin(key, Remote(url), **more)  # type: ignore[arg-type]


async def never() -> Origin:
    raise AssertionError("no fresh link was needed")


def renewing(*origins: Origin) -> Renew:
    """These, one after the other."""
    left = list(origins)

    async def renew() -> Origin:
        return left.pop(0)

    return renew


@asynccontextmanager
async def flying(
    cache: TeeCache, origin: Origin, renew: Renew = never, *, track: str = "tube:song", again: bool = False
) -> AsyncIterator[TeeFlight]:
    """The flight runs beside the block, and is cancelled at its end if it is not over."""
    flight = cache.begin(track, origin, renew, again=again)
    async with beside() as tasks:
        tasks.start_soon(flight.run)
        yield flight


async def fetched(
    cache: TeeCache, origin: Origin, renew: Renew = never, *, track: str = "tube:song", again: bool = False
) -> None:
    """The whole flight. Raises what went wrong."""
    flight = cache.begin(track, origin, renew, again=again)
    await flight.run()
    await flight.ready()


async def heard(path: str) -> bytes:
    """All of the file, read as it comes."""

    def read() -> bytes:
        with GrowingFile(Path(path)) as file:
            return file.readall()

    return await to_thread.run_sync(read)


async def heard_live(flight: TeeFlight) -> bytes:
    """Opened at once: what is not kept is gone with its last byte."""
    with GrowingFile(Path((await flight.ready()).path)) as file:
        return await to_thread.run_sync(file.readall)


async def until(true: Callable[[], bool]) -> None:
    """Of what comes to be in another task or thread, and nobody tells."""
    with anyio.fail_after(10):
        while not true():
            await anyio.sleep(0.001)
