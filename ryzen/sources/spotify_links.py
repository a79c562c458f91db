"""Spotify's links: what they lead to. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import attrs

from ryzen.sources.links import ends_with, host_of

_HOSTS = ("open.spotify.com", "play.spotify.com")
#: They redirect, and say nothing of what is behind them.
_SHORT = ("spotify.link", "spotify.app.link")
_PATH = re.compile(
    r"/(?:intl-[a-z-]+/)?(?:embed(?:-podcast)?/)?(?:user/[^/]+/)?"
    r"(?P<kind>track|album|artist|playlist|episode|show)/(?P<id>[0-9A-Za-z]{22})(?:/.*)?"
)
_INSIDE = re.compile(rb"https://(?:open|play)\.spotify\.com/[\w/-]+")


@attrs.frozen
class Thing:
    """``kind`` as in Spotify's links: track, album, artist, playlist, episode or show."""

    kind: str
    id: str

    @property
    def link(self) -> str:
        return f"https://open.spotify.com/{self.kind}/{self.id}"


def claims(link: str) -> bool:
    return ends_with(host_of(link), _HOSTS + _SHORT)


def is_short(link: str) -> bool:
    return ends_with(host_of(link), _SHORT)


def read(link: str) -> Thing | None:
    """None if it leads to nothing that has a name: a search, somebody's profile."""
    if not ends_with(host_of(link), _HOSTS):
        return None
    found = _PATH.fullmatch(urlsplit(link).path)
    return Thing(found["kind"], found["id"]) if found else None


def find(page: bytes) -> Thing | None:
    """The first such link in a page: where a short link leads to by script."""
    links = (read(found[0].decode()) for found in _INSIDE.finditer(page))
    return next((thing for thing in links if thing is not None), None)
