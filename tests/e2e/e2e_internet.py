"""What there is to be played of the scenes' internet, and how to see what the bot makes of it."""

from __future__ import annotations

from pathlib import Path

import anyio
import attrs
from aiohttp import web
from scene import Scene, until

from ryzen.sandbox.internet.hostile import hang
from ryzen.sandbox.internet.media import Manners, give
from ryzen.sandbox.internet.songs import Recording
from ryzen.sandbox.internet.youtube import YouTube

MEDIA = "*.googlevideo.com"
#: Seconds that the buffers of listeners make up for.
UNHEARD = 0.3


@attrs.frozen
class Songs:
    """Two tones of 40 s, 550 and 990 Hz, and a sweep of 12 s. 15 kB a second each."""

    low: Recording
    high: Recording
    rising: Recording

    @property
    def all(self) -> tuple[Recording, ...]:
        return self.low, self.high, self.rising


@attrs.define
class Forgetful:
    """The media host, which at first gives half of this and tells no length."""

    youtube: YouTube
    body: bytes
    hosts: tuple[str, ...] = (MEDIA,)
    forgot: bool = False

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if self.forgot:
            return await self.youtube.answer(request)
        self.forgot = True
        half = self.body[: len(self.body) // 2]
        return await give(request, half, "audio/webm", Manners(chunked=True, ranges=False))


@attrs.define
class Silent:
    """YouTube, which does not answer when it is asked for this video."""

    youtube: YouTube
    video_id: str
    hosts: tuple[str, ...] = ("www.youtube.com",)
    asked: int = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/player") and (await request.json())["videoId"] == self.video_id:
            self.asked += 1
            return await hang(request)
        return await self.youtube.answer(request)


def link(recording: Recording) -> str:
    return f"https://youtu.be/{recording.song.id}"


def asked_for_media(s: Scene) -> int:
    return len(s.internet.asked(MEDIA))


async def kept(s: Scene, number: int = 1) -> None:
    """Wait until so many recordings are in the cache, and nothing else but its own lock."""
    folder = s.state / "cache"

    def found() -> bool | None:
        names = {file.name for file in folder.iterdir()} - {".lock"}
        whole = {name.removesuffix(".json") for name in names if name.endswith(".json")}
        expected = {f"{name}.{kind}" for name in whole for kind in ("json", "media")}
        return True if len(whole) == number and names == expected else None

    await until(found, 30, lambda: f"{number} recordings; {[file.name for file in folder.iterdir()]}")


async def follow(s: Scene, seconds: float) -> tuple[float, list[float]]:
    """Listen to the sweep for so long: the longest silence, and by how much each second's position differs
    from what the clock says, in seconds."""
    began, first = await s.position()
    longest, off = 0.0, []
    while (now := await s.position())[0] < began + seconds:
        off.append((now[1] - first) - (now[0] - began))
        longest = max(longest, s.longest_silence(now[0] - 1.2))
        await anyio.sleep(0.6)
    return longest, off


def children(pid: int) -> list[int]:
    """The processes that this one has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
