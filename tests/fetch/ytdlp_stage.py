"""A stage for the real yt-dlp: a server on loopback, and an extractor that does whatever a hostile site could
make one do."""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import AsyncIterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from aiohttp import web

from ryzen.fetch.client import YtDlp, serve
from ryzen.origins import Job

SECRET = "4242424242:AA-not-for-yt-dlp"

_EXTRACTOR = r"""
import os, re, resource, signal, subprocess, sys
from yt_dlp.extractor.common import InfoExtractor
from yt_dlp.utils import ExtractorError


class StageIE(InfoExtractor):
    _VALID_URL = r"stage:(?P<id>\w+)"

    def _real_extract(self, url):
        name = self._match_id(url)
        getattr(self, name, lambda: None)()
        info = {"id": name, "title": f"Title of {name}", "url": "http://host.invalid/song.mp3", "duration": 9}
        return info | getattr(self, "_more", {})

    def argument(self, name):
        return self._configuration_arg(name, casesense=True)[0]

    def report(self, **fields):
        self._download_webpage(f"{self.argument('base')}/report", None, query={"pid": os.getpid(), **fields})

    def gate(self):
        self.report()
        self._download_webpage(f"{self.argument('base')}/gate", None)

    def hang(self):
        self.report()
        self._download_webpage(f"{self.argument('base')}/hang", None)

    def burn(self):
        self.report()
        re.match(r"(a+)+$", "a" * 60 + "b")  # years in C, with the interpreter's lock held

    def parent(self):
        with open("left-behind", "w") as file:
            file.write("x")
        self.report(child=subprocess.Popen(["sleep", "1000"]).pid)
        self._download_webpage(f"{self.argument('base')}/hang", None)

    def careless(self):
        self.report(child=subprocess.Popen(["sleep", "1000"]).pid)

    def hog(self):
        hoard = []
        while True:
            hoard.append(b"x" * (16 << 20))

    def spin(self):
        resource.setrlimit(resource.RLIMIT_CPU, (1, 1))  # sooner than a minute, that is all
        while True:
            pass

    def crash(self):
        os.kill(os.getpid(), signal.SIGSEGV)

    def write(self):
        with open("large", "wb") as file:
            file.truncate(1 << 30)

    def loud(self):
        print(f"{self.argument('secret')} out")
        print(f"{self.argument('secret')} error", file=sys.stderr)

    def solve(self):
        runtime = self._downloader._js_runtimes["deno"].info
        command = [runtime.path, "run", "--no-remote", "--no-prompt", "-"]
        done = subprocess.run(command, input=b"console.log(6 * 7)", capture_output=True)
        self._more = {"supported": runtime.supported, "answer": done.stdout.decode().strip()}

    def say(self):
        raise ExtractorError(self.argument("text"), expected=True)

    def warn(self):
        self.report_warning(self.argument("text"), "warn")
        raise ExtractorError("Failed to extract any player response", video_id="warn")

    def tell(self):
        self._more = {
            "environment": dict(os.environ),
            "folder": os.getcwd(),
            "files": os.listdir(),
            "name": open("/proc/self/comm").read().strip(),
            "limits": {name: resource.getrlimit(getattr(resource, name))[0] for name in (
                "RLIMIT_DATA", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_CORE", "RLIMIT_AS")},
            "descriptors": len(os.listdir("/proc/self/fd")),
            "jar": [cookie.name for cookie in self.cookiejar],
        }

    def odd(self):
        self._more = {
            "title": "half a pair \ud83d, and " + "long " * 5000,
            "nonsense": float("nan"), "endless": float("inf"), "huge": 10**30, "blob": "x" * 20_000,
            "subtitles": {"en": [{"url": "x"}]}, "heatmap": [{"x": 1}], "fragments": [{"url": "x"}] * 9,
            "thumbnails": [{"url": f"http://host.invalid/{n}.jpg", "id": str(n)} for n in range(10, 70)],
        }

    def bulky(self):
        self._more = {f"key{n}": "x" * 16_000 for n in range(300)}


class StageListIE(InfoExtractor):
    _VALID_URL = r"stagelist:(?P<id>\d+)"

    def _real_extract(self, url):
        number = int(self._match_id(url))
        entries = [self.url_result(f"stage:e{n}", "Stage", f"e{n}", f"Entry {n}") for n in range(number)]
        if number == 3:
            entries[1] = self.url_result("stage:say", "Stage", "say", "Bad")
        return self.playlist_result(entries, "list", "A list")
"""


class Stage:
    """What the extractor has reported, and the gate at which it may be made to wait."""

    def __init__(self) -> None:
        self.base = ""
        self.cookies: list[str] = []
        self._tell, self._told = anyio.create_memory_object_stream[Mapping[str, str]](100)
        self.gate = anyio.Event()
        self._over = anyio.Event()

    def job(self, query: str, **more: Any) -> Job:
        arguments = {"base": (self.base,), **more.pop("arguments", {})}
        return Job(query, arguments={"stage": arguments}, **more)

    async def report(self) -> Mapping[str, int]:
        """The next: ``pid`` of the job, ``child`` of what it has started."""
        with anyio.fail_after(20):
            return {name: int(value) for name, value in (await self._told.receive()).items()}

    async def _report(self, request: web.Request) -> web.Response:
        await self._tell.send(dict(request.query))
        return web.Response(text="thanks")

    async def _gate(self, request: web.Request) -> web.Response:
        await self.gate.wait()
        return web.Response(text="open")

    async def _hang(self, request: web.Request) -> web.Response:
        await self._over.wait()
        return web.Response()

    async def _bomb(self, request: web.Request) -> web.Response:
        compress = zlib.compressobj(1, wbits=31)
        zeros = b"".join(
            compress.compress(part) for part in (b"<html><body>", *(bytes(16 << 20) for _ in range(32)))
        )
        body = zeros + compress.flush()  # 2 MB that become 512 MiB
        return web.Response(body=body, headers={"Content-Encoding": "gzip", "Content-Type": "text/html"})

    async def _cookies(self, request: web.Request) -> web.Response:
        self.cookies.append(request.headers.get("Cookie", ""))
        response = web.Response(body=b"ID3\4\0\0\0\0\0\0", headers={"Content-Type": "audio/mpeg"})
        response.set_cookie("fresh", "baked")
        return response

    @contextlib.asynccontextmanager
    async def up(self) -> AsyncIterator[Stage]:
        app = web.Application()
        app.router.add_get("/report", self._report)
        app.router.add_get("/gate", self._gate)
        app.router.add_get("/hang", self._hang)
        app.router.add_get("/bomb", self._bomb)
        app.router.add_route("*", "/cookies.mp3", self._cookies)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
            with self._tell, self._told:
                yield self
        finally:
            self.gate.set()
            self._over.set()
            await runner.cleanup()


def plugins(folder: Path) -> Path:
    """A folder of plugins with that extractor."""
    place = folder / "stage" / "yt_dlp_plugins" / "extractor"
    place.mkdir(parents=True)
    (place / "stage.py").write_text(_EXTRACTOR)
    return folder


@contextlib.asynccontextmanager
async def fetching(folder: Path, **more: Any) -> AsyncIterator[YtDlp]:
    """A client whose jobs go to loopback, by no proxy."""
    options = {"cookies": None, "authorities": None, "plugins": [plugins(folder / "plugins")]} | more
    async with serve(egress_url=lambda _: "", state_dir=folder / "state", **options) as ytdlp:
        yield ytdlp


async def until(condition: Any) -> None:
    """For what no event tells: another process."""
    with anyio.fail_after(20):
        while not condition():
            await anyio.sleep(0.005)


def is_there(pid: int) -> bool:
    """Dead and not buried counts as there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def vanish(*pids: int) -> None:
    for pid in pids:
        await until(partial(lambda pid: not is_there(pid), pid))


def folders_of_jobs(folder: Path) -> list[Path]:
    return list((folder / "state" / "yt-dlp" / "work").glob("*/*"))
