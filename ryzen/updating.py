"""``ryzen update-sources``: the newest yt-dlp, into a folder of its own, put in use once it has shown that it
works. What Ryzen was installed with stays as it is, and the bot may run: its fetch server changes over."""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TypeVar

import anyio
import anyio.to_thread
from anyio.abc import ByteStream, SocketAttribute
from dotenv import dotenv_values

from ryzen.beside import beside
from ryzen.errors import RyzenError
from ryzen.fetch import installed, runtime
from ryzen.fetch.process import FetchProcess, GoneError, Launch, NotReadyError
from ryzen.fetch.wire import Request, Setup
from ryzen.origins import Job

#: Seconds for the extraction of the self-test.
_TO_EXTRACT = 30.0
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nContent-Length: 10\r\nConnection: close\r\n\r\n"
_KEPT = "the one before stays in use"
#: ``yt-dlp-ejs==0.8.0; extra == 'default'``
_JS_PART = re.compile(
    r"(?P<what>(?P<name>yt-dlp-ejs|deno)(?P<sign>[=>]=)(?P<version>[\w.]+)) *; *extra == '(?:default|deno)'"
)

P = TypeVar("P", bound=argparse.ArgumentParser)


class UpdateError(RyzenError):
    """There is no newer yt-dlp to be had, or it does not work; all is as it was."""


def add_to(commands: argparse._SubParsersAction[P]) -> None:
    """The parser; it sets ``act``, which takes the arguments and returns the exit code."""
    update = commands.add_parser(
        "update-sources", help="fetch the newest yt-dlp, which sites ask for every few weeks; the bot may run"
    )
    update.add_argument("--check", action="store_true", help="only say whether there is a newer one")
    update.set_defaults(act=_run)


def _run(arguments: argparse.Namespace) -> int:
    return anyio.run(partial(update_sources, state_dir(written()), check=arguments.check))


def written() -> dict[str, str]:
    """What the operator has set, by name, unread."""
    values = {**dotenv_values(".env", interpolate=False), **os.environ}
    return {name: text.strip() for name, text in values.items() if text and text.strip()}


def state_dir(environ: Mapping[str, str]) -> Path:
    """As in the settings, of which nothing else is needed here."""
    return Path(environ.get("STATE_DIR", "state")).expanduser()


async def update_sources(state: Path, *, check: bool = False) -> int:
    """Returns 0; raises UpdateError."""
    with _alone(installed.home(state)):
        newest, used = await _newest(), installed.version(state)
        if installed.key(newest) <= installed.key(used):
            print(f"yt-dlp {used} is the newest that there is for this Python.")
        elif check:
            print(f"yt-dlp {newest} is out, {used} is in use: `ryzen update-sources` fetches it.")
        else:
            await _change_over(state, used, newest)
            print(f"yt-dlp {newest} is in use now, after {used}. A bot that runs takes it up by itself.")
    return 0


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    home.mkdir(parents=True, exist_ok=True)
    with (home / "update.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UpdateError("another update is at work: wait for its end") from error
        yield


async def _change_over(state: Path, used: str, newest: str) -> None:
    home = installed.home(state)
    fresh = Path(tempfile.mkdtemp(prefix="new-", dir=home))
    try:
        await _install(fresh, newest)
        await _prove(fresh, newest)
        _settle(state, fresh, newest)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    for old in home.glob("[0-9]*"):
        if old.name not in (newest, used):  # the one in use before is what a bot that runs still has
            shutil.rmtree(old, ignore_errors=True)


def _settle(state: Path, fresh: Path, version: str) -> None:
    folder = installed.home(state) / version
    shutil.rmtree(folder, ignore_errors=True)  # of an update that was killed before it counted
    installed.switch(state, fresh.rename(folder))


# -- pip
async def _newest() -> str:
    report = await _pip("--dry-run", "--ignore-installed", "--report", "-", "yt-dlp")
    return str(json.loads(report)["install"][0]["metadata"]["version"])


async def _install(folder: Path, version: str) -> None:
    """yt-dlp, and of its JavaScript parts what it asks for.

    The other packages that it can use are Ryzen's too, and move on with Ryzen.
    """
    await _pip("--target", str(folder), f"yt-dlp=={version}")
    (dist,) = metadata.distributions(name="yt-dlp", path=[str(folder)])
    wanted = [match for line in dist.requires or () if (match := _JS_PART.match(line))]
    missing = {match["what"] for match in wanted if not _is_met(match)}
    if missing:
        await _pip("--target", str(folder), *sorted(missing))


def _is_met(wanted: re.Match[str]) -> bool:
    try:
        here, there = installed.key(metadata.version(wanted["name"])), installed.key(wanted["version"])
    except metadata.PackageNotFoundError:
        return False
    return here == there or (wanted["sign"] == ">=" and here > there)


async def _pip(*arguments: str) -> str:
    """Whatever is set for pip on this machine counts: its index, its proxy. Raises UpdateError."""
    common = ("--quiet", "--disable-pip-version-check", "--no-input", "--no-deps", "--no-compile")
    done = await anyio.run_process(
        [sys.executable, "-m", "pip", "install", *common, *arguments], check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode == 0:
        return done.stdout.decode()
    said = done.stderr.decode(errors="replace").strip().splitlines() or ["pip said nothing"]
    if "No module named pip" in said[-1]:
        raise UpdateError("pip is missing here: run `python -m ensurepip` with the Python that runs Ryzen")
    errors = [line for line in said if line.startswith("ERROR:")] or said
    reason = re.sub(r"(?<=://)[^/@\s]*@", "", errors[-1].removeprefix("ERROR: "))
    raise UpdateError(f"pip could not get it: {reason}")


# -- the self-test
async def _prove(folder: Path, version: str) -> None:
    """In a fetch server, as a bot would use it. Raises UpdateError."""
    with tempfile.TemporaryDirectory() as work:
        launch = Launch(Setup(work=work, cache=f"{work}/cache"), packages=folder)
        try:
            async with FetchProcess.start(launch) as process:
                if installed.key(process.version) != installed.key(version):
                    raise UpdateError(f"the new yt-dlp calls itself {process.version}, not {version}")
                event = await _extracted(process)
        except (NotReadyError, GoneError, TimeoutError, ValueError) as error:
            raise UpdateError(f"yt-dlp {version} does not run here, so {_KEPT}") from error
    if event["event"] != "result":
        raise UpdateError(f"yt-dlp {version} fails at the simplest task ({event.get('message')}), so {_KEPT}")
    program = folder / "bin" / "deno"
    if program.exists() and not await anyio.to_thread.run_sync(runtime.calculates, program):
        raise UpdateError(
            f"the JavaScript runtime that yt-dlp {version} asks for does not run here, so {_KEPT}"
        )


async def _extracted(process: FetchProcess) -> dict[str, object]:
    async with _song() as link:
        with anyio.fail_after(_TO_EXTRACT):
            return dict(await process.run(Request(Job(link, extractors=("generic",)), proxy="")))


@asynccontextmanager
async def _song() -> AsyncIterator[str]:
    """A link to the smallest of MP3 files."""

    async def answer(stream: ByteStream) -> None:
        async with stream:
            await stream.receive()
            await stream.send(_HEAD + b"ID3\4" + bytes(6))

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, beside() as tasks:
        tasks.start_soon(listener.serve, answer)
        port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - of anyio, not Django
        yield f"http://127.0.0.1:{port}/song.mp3"
