"""A bot's way to the internet, on ours: guard, egress, web client, and the real yt-dlp in its server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import attrs

from ryzen.fetch import client, egress, web
from ryzen.sandbox.internet import Internet, Site


@attrs.frozen
class Stage:
    internet: Internet
    egress: egress.Egress
    web: web.WebClient
    extractor: client.YtDlp


@asynccontextmanager
async def stage(
    sites: Iterable[Site], state_dir: Path, cookies: Path | None = None, upstream: str | None = None
) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        internet = await stack.enter_async_context(Internet.serve(sites))
        door = await stack.enter_async_context(egress.serve(internet.outside, upstream))
        pages = await stack.enter_async_context(web.serve(door, internet.outside))
        extractor = await stack.enter_async_context(
            client.serve(
                egress_url=lambda proxied: door.url(proxied=proxied),
                cookies=cookies,
                authorities=internet.authorities,
                state_dir=state_dir,
                jobs=2,
            )
        )
        yield Stage(internet, door, pages, extractor)
