"""Bytes on a web server, with every fault that servers have. What is imitated: a plain HTTP/1.1 file server
with Range (RFC 9110 §14), throttled and broken at will."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Awaitable, Callable

import attrs
from aiohttp import web

_SLICE = 64 << 10  #: bytes at once, if nothing limits the rate
_TICKS = 50  #: slices a second of a limited rate: smooth to a player, and cheap to send
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@attrs.frozen
class Manners:
    """How a server hands out a file; as it is, as fast and as well as it can.

    ``rate`` in bytes/s, from the first byte on. ``latency``: seconds before it answers. ``cut_every``: each
    answer breaks off after so many bytes. ``expire_after``: a link is good for so many bytes in all (give or
    take a slice); then what is under way breaks off, and it answers ``expired`` until there is a new link.
    ``span``: more bytes than that at once are refused with 403. ``chunked``: no Content-Length. ``lie``: a
    Content-Length that is wrong. ``hang_after``: after so many bytes nothing more comes, and the connection
    stays. ``status``: this, and no file.
    """

    rate: float | None = None
    latency: float = 0.0
    cut_every: int | None = None
    expire_after: int | None = None
    expired: int = 403
    span: int | None = None
    ranges: bool = True
    chunked: bool = False
    lie: int | None = None
    hang_after: int | None = None
    status: int = 200


GOOD = Manners()


class Shelf:
    """A site of files and of answers by path, ``hosts`` as given. ``link`` hands out a link that can age."""

    def __init__(self, *hosts: str) -> None:
        self.hosts = hosts
        self._files: dict[str, File] = {}
        self._answers: dict[str, Answer] = {}

    def put(self, path: str, body: bytes, kind: str = "audio/mpeg", manners: Manners = GOOD) -> File:
        """``https://<first host><path>`` gives this; ``file.manners`` may be changed at any time."""
        self._files[path] = File(f"https://{self.hosts[0]}{path}", body, kind, manners)
        return self._files[path]

    def redirect(self, path: str, to: str, status: int = 302) -> str:
        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(status=status, headers={"Location": to})

        return self.serve(path, answer)

    def serve(self, path: str, answer: Answer) -> str:
        """Anything else: ``hostile.hang``, ``radio.station`` …; at ``/…/``, for all that lies in there."""
        self._answers[path] = answer
        return f"https://{self.hosts[0]}{path}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        if file := self._files.get(path):
            return await file.give(request)
        if answer := self._answers.get(path) or self._answers.get(path[: path.rindex("/") + 1]):
            return await answer(request)
        return web.Response(status=404)


class File:
    """``url`` is good for ever; what ``link()`` gives is good until it is used up or revoked."""

    def __init__(self, url: str, body: bytes, kind: str, manners: Manners = GOOD) -> None:
        self.url = url
        self.body = body
        self.kind = kind
        self.manners = manners
        self._links = itertools.count(1)
        self._given: dict[str, int] = {}  # link ("" for the url itself) → bytes sent
        self._revoked: set[str] = set()

    def link(self) -> str:
        """A new one each time."""
        number = str(next(self._links))
        self._given[number] = 0
        return f"{self.url}{'&' if '?' in self.url else '?'}link={number}"

    def revoke(self) -> None:
        """No link that has been handed out is good any more, and what is under way by one breaks off."""
        self._revoked.update(self._given.keys() - {""})

    @property
    def sent(self) -> int:
        """Bytes of the body that have been sent, over all."""
        return sum(self._given.values())

    async def give(self, request: web.Request) -> web.StreamResponse:
        link = request.query.get("link", "")
        self._given.setdefault(link, 0)
        if self._is_expired(link):
            return web.Response(status=self.manners.expired)

        def permit(count: int) -> bool:
            if self._is_expired(link):
                return False
            self._given[link] += count
            return True

        return await give(request, self.body, self.kind, self.manners, permit)

    def _is_expired(self, link: str) -> bool:
        limit = self.manners.expire_after
        used_up = bool(link) and limit is not None and self._given[link] >= limit
        return used_up or link in self._revoked


async def give(
    request: web.Request,
    body: bytes,
    kind: str,
    manners: Manners = GOOD,
    permit: Callable[[int], bool] = lambda _: True,
) -> web.StreamResponse:
    """The body, or the range of it that was asked for. ``permit`` is asked before each slice of so many
    bytes, and breaks the answer off by False."""
    if manners.latency:
        await asyncio.sleep(manners.latency)
    if manners.status != 200:
        return web.Response(status=manners.status)
    headers = {"Content-Type": kind}
    first, last, status = 0, len(body) - 1, 200
    if manners.ranges:
        headers["Accept-Ranges"] = "bytes"
        if (wanted := _wanted(request, len(body))) is not None:
            first, last = wanted
            if first > last:
                return web.Response(status=416, headers={"Content-Range": f"bytes */{len(body)}"})
            headers["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
            status = 206
    if manners.span is not None and last - first + 1 > manners.span:
        return web.Response(status=403)
    response = web.StreamResponse(status=status, headers=headers)
    if manners.chunked:
        response.enable_chunked_encoding()
    elif manners.lie is None:
        response.content_length = last - first + 1
    else:
        response.content_length = manners.lie
        response.force_close()  # or both sides wait for what will never come
    await response.prepare(request)
    if request.method != "HEAD":
        await _send(request, response, memoryview(body)[first : last + 1], manners, permit)
    return response


async def _send(
    request: web.Request,
    response: web.StreamResponse,
    rest: memoryview,
    manners: Manners,
    permit: Callable[[int], bool],
) -> None:
    loop = asyncio.get_running_loop()
    size = _SLICE if manners.rate is None else max(1, min(_SLICE, round(manners.rate / _TICKS)))
    start, sent = loop.time(), 0
    stops = [stop for stop in (manners.cut_every, manners.hang_after) if stop is not None]
    while sent < len(rest):
        piece = rest[sent : min([sent + size, *(stop for stop in stops if stop > sent)])]
        if sent == manners.cut_every or not permit(len(piece)):
            cut(request)
            return
        if sent == manners.hang_after:
            await asyncio.Event().wait()
        await response.write(piece)
        sent += len(piece)
        if manners.rate is not None:
            await asyncio.sleep(start + sent / manners.rate - loop.time())


def cut(request: web.Request) -> None:
    """What has been written goes out, and then the connection is gone."""
    if request.transport is not None:
        request.transport.close()


def _wanted(request: web.Request, size: int) -> tuple[int, int] | None:
    """First and last byte of the one range asked for; first > last if there is no such byte; None for all."""
    match = _RANGE.fullmatch(request.headers.get("Range", ""))
    if match is None or not any(match.groups()):
        return None
    first, last = match.groups()
    if not first:
        return max(0, size - int(last)), size - 1
    return int(first), min(int(last or size), size - 1) if int(first) < size else -1
