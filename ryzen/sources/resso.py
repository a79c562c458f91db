"""Resso, which has been closed since January 2024: links to it are still about, and some of its pages still
answer and say in their ``meta`` tags what the song was. When they don't, nothing can be done."""

from __future__ import annotations

import hashlib

from ryzen.errors import TrackError, TrackTrouble, WebError
from ryzen.origins import Listing, Web
from ryzen.sources.links import ends_with, host_of
from ryzen.sources.matching import Wanted
from ryzen.sources.named import NamedSource, Resolve, Search, named, refusal
from ryzen.sources.told import Page


class RessoSource(NamedSource):
    """``Source`` for single songs."""

    name = "resso"

    def __init__(self, web: Web, search: Search, resolve: Resolve) -> None:
        super().__init__(search, resolve)
        self._web = web

    def claims(self, link: str) -> bool:
        return ends_with(host_of(link), ("resso.com",))

    async def expand(self, link: str, limit: int) -> Listing:  # noqa: ARG002 - a song is one
        try:
            metas = Page(await self._web.text(link)).metas
        except WebError as error:
            raise refusal(self.name, error) from error
        title = metas.get("og:title", "").removesuffix(" - Resso").strip()
        artist = metas.get("og:description", "").partition("·")[0].strip()
        if not title or not artist:
            raise TrackError(TrackTrouble.UNAVAILABLE, "its page says nothing of a song")
        key = hashlib.sha256(link.encode()).hexdigest()[:16]
        return Listing((named(self.name, key, Wanted(title, (artist,)), link),), linked=True)
