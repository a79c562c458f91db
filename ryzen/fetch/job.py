"""One job of the fetch server, in a process of its own: limits first, then yt-dlp, then one line with what it
found."""

from __future__ import annotations

import os
import re
import resource
import shutil
import socket
import tempfile
from typing import Any

import yt_dlp
from yt_dlp.cookies import CookieLoadError
from yt_dlp.extractor import gen_extractor_classes, get_info_extractor
from yt_dlp.globals import plugin_dirs
from yt_dlp.networking import Request, Response
from yt_dlp.networking.exceptions import HTTPError, UnsupportedRequest
from yt_dlp.utils import DownloadError, ExtractorError

from ryzen.fetch import runtime, wire
from ryzen.fetch.prune import prune
from ryzen.fetch.wire import Setup

#: Their modules are imported before the first fork; all other ones by the job that needs them.
_WARM = (
    *("Youtube", "YoutubeTab", "YoutubeSearch", "YoutubeMusicSearchURL", "Soundcloud", "SoundcloudSet"),
    *("SoundcloudSearch", "Bandcamp", "BandcampAlbum", "Mixcloud", "Audiomack", "JioSaavnSong", "LBRY"),
    *("ArchiveOrg", "TwitchStream", "Generic"),
)
#: yt-dlp's last word if YouTube's player has answered none of its clients; of each of these it only warns.
_NO_PLAYER = "Failed to extract any player response"
_ENTRY = re.compile(r"\[download\] Downloading item (\d+) of (\d+)")


def warm_up(setup: Setup) -> str:
    """In the server: all that every job would have to do again. yt-dlp's version."""
    plugin_dirs.value = list(setup.plugins)
    with yt_dlp.YoutubeDL(_options(setup)):
        for extractor in gen_extractor_classes():
            extractor.suitable("https://host.invalid/")  # compiles its pattern
        for name in _WARM:
            get_info_extractor(name)()
    return str(yt_dlp.version.__version__)


def run(line: bytes, connection: socket.socket, folder: str, setup: Setup) -> None:
    """In the child. Whatever goes wrong is told on the line."""
    _confine(folder, setup)
    connection.sendall(wire.event("started", pid=os.getpid()))
    try:
        answer = wire.event("result", info=_extract(wire.Request.load(line), connection, setup))
        if len(answer) > wire.MOST:
            answer = wire.event("error", kind="TooMuch", message=f"{len(answer)} bytes of information")
    except Exception as error:  # noqa: BLE001 - it is told, and the process ends
        answer = _told(error)
    connection.sendall(answer)


def _confine(folder: str, setup: Setup) -> None:
    for limit, value in (
        (resource.RLIMIT_DATA, setup.memory),
        (resource.RLIMIT_CPU, setup.seconds),
        (resource.RLIMIT_FSIZE, setup.file_size),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    os.environ.update(HOME=folder, TMPDIR=folder, DENO_DIR=f"{folder}/deno", DENO_NO_UPDATE_CHECK="1")
    tempfile.tempdir = folder
    os.chdir(folder)
    null = os.open(
        os.devnull, os.O_WRONLY
    )  # yt-dlp writes lines of a cookies file to stderr, if it finds them odd
    os.dup2(null, 2)
    os.close(null)


class _Log:
    """Takes what yt-dlp would print."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.error_text = self.warning_text = ""

    def debug(self, message: str) -> None:
        if found := _ENTRY.match(message):
            self._connection.sendall(wire.event("progress", entry=int(found[1]), of=int(found[2])))

    def warning(self, message: str) -> None:
        self.warning_text = message

    def error(self, message: str) -> None:
        self.error_text = message


class _OnTheWeb(yt_dlp.YoutubeDL):  # type: ignore[misc]  # yt-dlp has no types
    """Asks web servers only. The proxy sees to which; other protocols would not come by it."""

    def urlopen(self, req: Request | str) -> Response:
        url = req if isinstance(req, str) else req.url
        if not url.lower().startswith(("http://", "https://")):
            raise UnsupportedRequest("Unsupported url scheme")
        return super().urlopen(req)


def _options(setup: Setup) -> dict[str, Any]:
    """Those of every job. Nothing is downloaded, no file is read but the cookies, no program run but deno."""
    found = runtime.deno()
    return {
        "quiet": True,
        "color": "never",
        "cachedir": setup.cache,
        "skip_download": True,
        "extract_flat": "in_playlist",
        "lazy_playlist": True,
        "noplaylist": False,
        "socket_timeout": 10,
        "retries": 1,
        "extractor_retries": 1,
        "enable_file_urls": False,
        "usenetrc": False,
        "js_runtimes": {"deno": {"path": str(found)}} if found else {},
        "remote_components": (),
        "compat_opts": ("no-certifi",) if setup.authorities else (),
    }


def _extract(request: wire.Request, connection: socket.socket, setup: Setup) -> dict[str, Any]:
    job, log = request.job, _Log(connection)
    options = _options(setup) | {
        "logger": log,
        "proxy": request.proxy,
        "cookiefile": _own(request.cookies) if request.cookies else None,
        "format": job.format or "bestaudio/best",
        "allowed_extractors": list(job.extractors) or ["default", "-generic"],
        "extractor_args": {
            extractor: {name: list(values) for name, values in arguments.items()}
            for extractor, arguments in job.arguments.items()
        },
        "extract_flat": "in_playlist" if job.flat else False,
        "playlist_items": None if job.limit is None else f"1:{job.limit}",
        # One bad entry must not cost the others, but there is nobody to forgive for a single track.
        "ignoreerrors": job.limit is not None and not job.flat,
    }
    ydl = _OnTheWeb(options)  # is not closed: that would only write the copy of the cookies
    try:
        info = ydl.extract_info(job.query, download=False)
    except DownloadError as error:
        if _NO_PLAYER in str(error) and log.warning_text:
            raise DownloadError(f"{_NO_PLAYER}: {log.warning_text}") from error
        raise
    if info is None:
        raise DownloadError(log.error_text or "No video formats found")
    return prune(ydl.sanitize_info(info), job.limit)


def _own(cookies: str) -> str:
    """A copy: yt-dlp writes to the file, and a copy of this job's dies with its folder."""
    try:
        return shutil.copyfile(cookies, "cookies.txt")
    except OSError as error:
        raise CookieLoadError(f"the cookies file cannot be read: {error.strerror}") from error


def _told(error: Exception) -> bytes:
    """The kind is that of the innermost cause which yt-dlp names."""
    message, cause = str(error) or type(error).__name__, error
    if isinstance(cause, DownloadError) and cause.exc_info and isinstance(cause.exc_info[1], Exception):
        cause = cause.exc_info[1]
    while isinstance(cause, ExtractorError) and isinstance(cause.cause, Exception):
        cause = cause.cause
    status, retry_after = None, None
    if isinstance(cause, HTTPError):
        status, retry_after = cause.status, cause.response.headers.get("Retry-After")
    return wire.event(
        "error",
        kind=type(cause).__name__,
        status=status,
        message=message[:2000],
        retry_after=int(retry_after) if retry_after and re.fullmatch(r"\d{1,6}", retry_after) else None,
    )
