"""An internet of our own, on loopback: web sites that real clients (yt-dlp, ytmusicapi, spotipy, aiohttp)
use unmodified, over real TLS and HTTP. All of it is written by us; each site says what it imitates.

A site is anything with ``hosts`` and ``answer`` (see ``Site``), and adding one is no more than this::

    class Radio:
        hosts = ("radio.example", "*.radio.example")

        async def answer(self, request: web.Request) -> web.StreamResponse:
            return web.json_response([{"name": "Local FM", "path": request.path}])

    async with Internet.serve([Radio(), YouTube(songs)]) as internet:
        outside = internet.outside        # hand it to the bot, or to the egress proxy
        ...
        assert internet.asked("radio.example")[0].path == "/json"

``world.py`` has the demo's songs and the sites that know of them; other sources have modules of their own.
``request.host`` is the host that was asked for, and ``give`` (media.py) answers with bytes, faults and all.
For a site that is a table of answers, ``Pages`` will do.

Another process comes to the same internet by ``LocalNetwork.from_description(internet.describe())`` (the
description is JSON) and ``internet.authorities``, a PEM file.
"""

from ryzen.sandbox.internet.net import LocalNetwork
from ryzen.sandbox.internet.server import Hit, Internet, Pages, Site

__all__ = ["Hit", "Internet", "LocalNetwork", "Pages", "Site"]
