"""How fast a job of the fetch server is gone once nobody waits for it, and what one costs."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from anyio.abc import ByteStream, SocketAttribute
from rig import spread

from ryzen.beside import beside
from ryzen.fetch.client import YtDlp, serve
from ryzen.origins import Job

TIMES = 20
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nContent-Length: 10\r\nConnection: close\r\n\r\n"
_BURN = r"""
import re
from yt_dlp.extractor.common import InfoExtractor


class BurnIE(InfoExtractor):
    _VALID_URL = r"burn:(?P<base>.+)"

    def _real_extract(self, url):
        self._download_webpage(self._match_valid_url(url)["base"] + "/here", None)
        re.match(r"(a+)+$", "a" * 60 + "b")  # years in C, with the interpreter's lock held
"""


def measure() -> dict[str, object]:
    """Milliseconds from the cancellation until the job's process is buried, while it waits for a server that
    hangs and while it is deep in C; and for a whole extraction of a file's link from a server nearby."""
    return anyio.run(_measure)


async def _measure() -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        plugins = Path(folder) / "plugins"
        place = plugins / "burn" / "yt_dlp_plugins" / "extractor"
        place.mkdir(parents=True)
        (place / "burn.py").write_text(_BURN)
        async with (
            _host() as host,
            serve(
                egress_url=lambda _: "",
                cookies=None,
                authorities=None,
                state_dir=Path(folder),
                plugins=[plugins],
            ) as ytdlp,
        ):
            song = Job(f"{host.link}/song.mp3", extractors=("generic",))
            await ytdlp.extract(song, within=60)
            whole = []
            for _ in range(TIMES):
                started = time.perf_counter()
                await ytdlp.extract(song, within=60)
                whole.append((time.perf_counter() - started) * 1000)
            hung = [await _cancel(ytdlp, host, f"{host.link}/hang", "generic") for _ in range(TIMES)]
            burning = [await _cancel(ytdlp, host, f"burn:{host.link}", "Burn") for _ in range(TIMES)]
    return {"cancel_hung_ms": spread(hung), "cancel_in_c_ms": spread(burning), "extract_ms": spread(whole)}


async def _cancel(ytdlp: YtDlp, host: _Host, query: str, extractor: str) -> float:
    host.asked = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: ytdlp.extract(Job(query, extractors=(extractor,)), within=60))
        await host.asked.wait()
        job = _only_child(ytdlp.pid)
        started = time.perf_counter()
        tasks.cancel_scope.cancel()
    while _is_there(job):
        await anyio.sleep(0.0005)
    return (time.perf_counter() - started) * 1000


def _only_child(pid: int | None) -> int:
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(child)


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class _Host:
    """``asked`` is set when somebody is."""

    def __init__(self, link: str) -> None:
        self.link = link
        self.asked = anyio.Event()

    async def answer(self, stream: ByteStream) -> None:
        async with stream:
            request = await stream.receive()
            self.asked.set()
            if b"/hang" in request:
                await anyio.sleep_forever()
            await stream.send(_HEAD + b"ID3\4" + bytes(6))


@asynccontextmanager
async def _host() -> AsyncIterator[_Host]:
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    host = _Host(f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}")
    async with listener, beside() as tasks:
        tasks.start_soon(listener.serve, host.answer)
        yield host
