"""HTTP Live Streaming (RFC 8216): a recording in pieces, as a whole or as a live stream that goes on."""

from __future__ import annotations

import asyncio
import io
import itertools
import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import attrs
import av
import m3u8
from aiohttp import web

from ryzen.sandbox.internet.media import GOOD, Manners, Shelf, give

PLAYLIST = "application/vnd.apple.mpegurl"
_KINDS = {"mpegts": ("ts", "video/mp2t"), "fmp4": ("m4s", "audio/mp4")}


@attrs.frozen
class Piece:
    body: bytes = attrs.field(repr=False)
    seconds: float


@attrs.frozen
class Cut:
    """``head`` goes before every piece of an fmp4; there is none in MPEG-TS."""

    pieces: tuple[Piece, ...]
    head: bytes | None
    suffix: str
    kind: str

    @property
    def longest(self) -> int:
        return math.ceil(max(piece.seconds for piece in self.pieces))


def cut(body: bytes, kind: Literal["mpegts", "fmp4"] = "mpegts", seconds: float = 2.0) -> Cut:
    """The sound of an audio file (AAC) in pieces of about so many seconds; nothing is encoded anew."""
    suffix, media_type = _KINDS[kind]
    with tempfile.TemporaryDirectory() as folder:
        options = {
            "hls_time": str(seconds),
            "hls_list_size": "0",
            "hls_segment_type": kind,
            "hls_segment_filename": f"{folder}/%d.{suffix}",
            "hls_fmp4_init_filename": "head.mp4",
        }
        with (
            av.open(io.BytesIO(body), "r") as source,
            av.open(f"{folder}/index.m3u8", "w", format="hls", options=options) as target,
        ):
            stream = target.add_stream_from_template(source.streams.audio[0])
            for packet in source.demux(audio=0):
                if packet.dts is not None:
                    packet.stream = stream
                    target.mux(packet)
        index = m3u8.loads(Path(folder, "index.m3u8").read_text())
        pieces = tuple(
            Piece(Path(folder, Path(segment.uri).name).read_bytes(), segment.duration)
            for segment in index.segments
        )
        head = Path(folder, "head.mp4").read_bytes() if kind == "fmp4" else None
    return Cut(pieces, head, suffix, media_type)


def shelve(shelf: Shelf, path: str, what: Cut, manners: Manners = GOOD) -> str:
    """Put it on a shelf as a playlist that has an end; the link of its master playlist."""
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{what.longest}",
        "#EXT-X-PLAYLIST-TYPE:VOD",
    ]
    if what.head is not None:
        shelf.put(f"{path}/head.mp4", what.head, "audio/mp4", manners)
        lines.append('#EXT-X-MAP:URI="head.mp4"')
    for number, piece in enumerate(what.pieces):
        shelf.put(f"{path}/{number}.{what.suffix}", piece.body, what.kind, manners)
        lines += [f"#EXTINF:{piece.seconds:.6f},", f"{number}.{what.suffix}"]
    shelf.put(f"{path}/media.m3u8", "\n".join([*lines, "#EXT-X-ENDLIST\n"]).encode(), PLAYLIST)
    return shelf.put(f"{path}/master.m3u8", master("media.m3u8").encode(), PLAYLIST).url


def master(uri: str) -> str:
    return f'#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=140000,CODECS="mp4a.40.2"\n{uri}\n'


class Live:
    """A live stream: the cut again and again, ``window`` pieces of it in sight, until ``end()``.

    ``answer`` is for ``Shelf.serve("/…/", …)``: the playlist is ``index.m3u8``, the pieces lie beside it.
    ``now``: seconds, the stream starts when it is made.
    """

    def __init__(self, what: Cut, window: int = 5, now: Callable[[], float] | None = None) -> None:
        self._cut = what
        self._window = window
        self._now = now or asyncio.get_running_loop().time
        self._began = self._now()
        self._ended: float | None = None
        self._starts = (0.0, *itertools.accumulate(piece.seconds for piece in what.pieces))

    def end(self) -> None:
        self._ended = self._now()

    @property
    def newest(self) -> int:
        """The number of the piece in sight that was added last; at the start a whole window is there."""
        elapsed = (self._now() if self._ended is None else self._ended) - self._began
        rounds, rest = divmod(elapsed, self._starts[-1])
        done = sum(start <= rest for start in self._starts[1:])
        return int(rounds) * len(self._cut.pieces) + done + self._window - 1

    async def answer(self, request: web.Request) -> web.StreamResponse:
        name = request.path.rpartition("/")[2]
        if name.endswith(".m3u8"):
            return web.Response(text=self.playlist(), content_type=PLAYLIST)
        number = name.removesuffix(f".{self._cut.suffix}")
        # A piece that has left the window stays for a while: somebody may be fetching it.
        if number.isdecimal() and self.newest - 3 * self._window < int(number) <= self.newest:
            piece = self._cut.pieces[int(number) % len(self._cut.pieces)]
            return await give(request, piece.body, self._cut.kind)
        return web.Response(status=404)

    def playlist(self) -> str:
        newest, count = self.newest, len(self._cut.pieces)
        first = newest - self._window + 1
        lines = [
            "#EXTM3U",
            "#EXT-X-VERSION:3",
            f"#EXT-X-TARGETDURATION:{self._cut.longest}",
            f"#EXT-X-MEDIA-SEQUENCE:{first}",
            f"#EXT-X-DISCONTINUITY-SEQUENCE:{(first - 1) // count if first else 0}",
        ]
        for number in range(first, newest + 1):
            if number and number % count == 0:
                lines.append("#EXT-X-DISCONTINUITY")
            seconds = self._cut.pieces[number % count].seconds
            lines += [f"#EXTINF:{seconds:.6f},", f"{number}.{self._cut.suffix}"]
        if self._ended is not None:
            lines.append("#EXT-X-ENDLIST")
        return "\n".join(lines) + "\n"
