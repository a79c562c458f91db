"""Two listeners on loopback, one with TLS and one without, that are every host of the local internet."""

from __future__ import annotations

import asyncio
import ssl
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import anyio
import attrs
from aiohttp import web
from multidict import CIMultiDictProxy, MultiMapping

from ryzen.outside import Outside
from ryzen.sandbox.internet.authority import Authority
from ryzen.sandbox.internet.net import LOOPBACK, LocalNetwork, matches


class Site(Protocol):
    """``hosts``: names, or ``*.example.com`` for all below one. Tell who is meant by ``request.host``."""

    @property
    def hosts(self) -> tuple[str, ...]: ...

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Cancelled when the client goes away."""
        ...


@attrs.frozen
class Hit:
    """A request as it came; ``when`` in seconds of the event loop's clock, ``range`` the header of that
    name."""

    site: Site = attrs.field(repr=False)
    method: str
    host: str
    path: str
    query: MultiMapping[str]
    range: str | None
    when: float
    headers: CIMultiDictProxy[str] = attrs.field(repr=False)


@attrs.define
class Pages:
    """A site that is a table: path → JSON value, or text, or a status (404 and the like)."""

    hosts: tuple[str, ...]
    pages: dict[str, Any] = attrs.field(factory=dict)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        match self.pages.get(request.path, 404):
            case int(status):
                return web.Response(status=status)
            case str(text):
                return web.Response(text=text, content_type="text/html")
            case value:
                return web.json_response(value)


class Internet:
    """Runs within ``serve()``, on asyncio only. ``hits`` are all requests, the oldest first."""

    @classmethod
    @asynccontextmanager
    async def serve(cls, sites: Iterable[Site]) -> AsyncIterator[Internet]:
        """Sites are asked in order: the first that has the host answers. At the end, whoever is still being
        answered is cut off."""
        with tempfile.TemporaryDirectory(prefix="ryzen-internet-") as folder:
            internet = cls(sites, Authority(Path(folder)))
            application = web.Application()
            application.router.add_route("*", "/{rest:.*}", internet._answer)
            runner = web.AppRunner(
                application,
                access_log=None,
                handle_signals=False,
                handler_cancellation=True,
                auto_decompress=False,  # ytmusicapi 1.12 says that what it sends is gzip, and it is not
                shutdown_timeout=0.1,  # an endless answer would hold us up for all of it
            )
            await runner.setup()
            try:
                tls = await _listen(runner, internet._tls())
                internet.network = LocalNetwork(internet._patterns(), tls, await _listen(runner, None))
                yield internet
            finally:
                with anyio.CancelScope(shield=True):
                    await runner.cleanup()

    def __init__(self, sites: Iterable[Site], authority: Authority) -> None:
        self.sites = tuple(sites)
        self.hits: list[Hit] = []
        self.network = LocalNetwork((), 0, 0)
        self.authorities = authority.certificate
        self._authority = authority

    @property
    def outside(self) -> Outside:
        return Outside(self.network, self.authorities)

    def describe(self) -> dict[str, Any]:
        """For ``LocalNetwork.from_description`` in another process."""
        return self.network.describe()

    def asked(self, host: str = "", path: str = "") -> list[Hit]:
        """The hits on this host (``*.`` too) and on this path; anything for what is left out."""
        return [
            hit
            for hit in self.hits
            if (not host or matches(hit.host, host)) and (not path or hit.path == path)
        ]

    def _patterns(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(pattern for site in self.sites for pattern in site.hosts))

    def _site(self, host: str) -> Site | None:
        return next((site for site in self.sites if any(matches(host, name) for name in site.hosts)), None)

    def _tls(self) -> ssl.SSLContext:
        def become(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
            if name is None or self._site(name) is None:
                return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
            connection.context = self._authority.context(name)
            return None

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sni_callback = become
        return context

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        host = request.host.rpartition(":")[0] or request.host
        if (site := self._site(host)) is None:
            return web.Response(status=421, text=f"nobody here is {host}")
        now = asyncio.get_running_loop().time()
        self.hits.append(
            Hit(
                site,
                request.method,
                host,
                request.path,
                request.query,
                request.headers.get("Range"),
                now,
                request.headers,
            )
        )
        return await site.answer(request)


async def _listen(runner: web.AppRunner, tls: ssl.SSLContext | None) -> int:
    await web.TCPSite(runner, LOOPBACK, 0, ssl_context=tls).start()
    return int(runner.addresses[-1][1])
