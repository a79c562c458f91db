"""``ryzen doctor``: what Ryzen needs on this machine, whether it is there, and what to do if not.

It changes nothing, asks nobody on the internet (it only knocks at the operator's own proxy), and prints no
token, cookie or password.
"""

from __future__ import annotations

import argparse
import datetime
import enum
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from http.cookiejar import LoadError, MozillaCookieJar
from importlib import metadata
from pathlib import Path
from typing import TypeVar

import anyio
import attrs

from ryzen.errors import ConfigError, RyzenError
from ryzen.fetch import installed, runtime
from ryzen.fetch.upstream import Upstream
from ryzen.settings import Settings, database_url
from ryzen.store import open_store
from ryzen.updating import state_dir, written

P = TypeVar("P", bound=argparse.ArgumentParser)

#: YouTube changes something that yt-dlp must follow every few weeks.
_OLD = datetime.timedelta(days=60)
#: Bytes: below the first the bot is in trouble, below the second it soon may be.
_TOO_LITTLE, _LITTLE = 500 << 20, 2 << 30
#: Seconds for the operator's proxy.
_TO_ANSWER = 5.0
_PIN = re.compile(r"(?P<name>[\w.-]+)(?P<sign>[=>]=)(?P<version>[\w.]+)")


class Mark(enum.StrEnum):
    GOOD = "✔"
    BAD = "✖"
    OPEN = "–"  #: not set, or not needed for all


@attrs.frozen
class Finding:
    """One line."""

    mark: Mark
    text: str

    def __str__(self) -> str:
        return f"{self.mark} {self.text}"


def add_to(commands: argparse._SubParsersAction[P]) -> None:
    """The parser; it sets ``act``, which takes the arguments and returns the exit code."""
    doctor = commands.add_parser("doctor", help="say what is missing on this machine, and how to get it")
    doctor.set_defaults(act=lambda _: anyio.run(doctor_says, written()))


async def doctor_says(environ: Mapping[str, str]) -> int:
    """Prints a line for each thing. Returns 1 if one of them is bad, or else 0."""
    bad = False
    async for finding in examine(environ):
        print(finding)
        bad = bad or finding.mark is Mark.BAD
    print("Something is wrong: see the lines with ✖." if bad else "All that is needed is there.")
    return 1 if bad else 0


async def examine(environ: Mapping[str, str]) -> AsyncIterator[Finding]:
    """``environ`` with what ``.env`` says."""
    state = state_dir(environ)
    yield python()
    yield packages()
    yield yt_dlp(state, datetime.datetime.now(datetime.UTC).date())
    yield await anyio.to_thread.run_sync(javascript)
    for finding in settings(environ):
        yield finding
    yield cookies(environ.get("COOKIES_FILE", ""), time.time())
    yield await proxy(environ.get("PROXY_URL", ""))
    yield await anyio.to_thread.run_sync(ffmpeg)
    yield disk(state)
    yield await database(environ)
    yield music(environ.get("MUSIC_DIR", ""))


# -- what Ryzen is made of
def python() -> Finding:
    has, needs = sys.version_info[:2], metadata.metadata("ryzen")["Requires-Python"] or ""
    text = f"Python {'.'.join(map(str, sys.version_info[:3]))}"
    if list(has) < list(installed.key(needs)):
        return Finding(Mark.BAD, f"{text}: Ryzen needs {needs}")
    return Finding(Mark.GOOD, text)


def packages() -> Finding:
    wrong = list(_unmet())
    if wrong:
        return Finding(
            Mark.BAD, f"packages: {'; '.join(wrong)}: install Ryzen again, with pip install --upgrade"
        )
    return Finding(Mark.GOOD, "packages: all of the versions that Ryzen was tested with")


def _unmet() -> Iterator[str]:
    for line in metadata.requires("ryzen") or ():
        if "extra ==" in line:
            continue
        if pin := _PIN.match(line):
            name, wanted = pin["name"], pin["version"]
        else:
            name, wanted = re.split(r"[^\w.-]", line, maxsplit=1)[0], ""
        try:
            has = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield f"{name} is missing"
            continue
        if not wanted:
            continue
        here, there = installed.key(has), installed.key(wanted)
        if here < there or (pin and pin["sign"] == "==" and here != there):
            yield f"{name} is {has}, and should be {pin['sign'] if pin else ''}{wanted}"


def yt_dlp(state: Path, today: datetime.date) -> Finding:
    version = installed.version(state)
    year, month, day = installed.key(version)[:3]
    age = today - datetime.date(year, month, day)
    text = f"yt-dlp {version}, {max(age.days, 0)} days old"
    if age > _OLD:
        return Finding(Mark.BAD, f"{text}: run `ryzen update-sources`, for sites change, and it follows them")
    return Finding(Mark.GOOD, text)


def javascript() -> Finding:
    """Blocks."""
    program = runtime.deno()
    if program is None:
        return Finding(Mark.BAD, "JavaScript: deno is missing, which YouTube may ask for: pip install deno")
    if not runtime.calculates(program):
        return Finding(
            Mark.BAD,
            f"JavaScript: {program} does not run on this machine: pip install --force-reinstall deno",
        )
    return Finding(Mark.GOOD, f"JavaScript: deno {metadata.version('deno')}")


def ffmpeg() -> Finding:
    """Blocks."""
    program = shutil.which("ffmpeg")
    if program is None:
        return Finding(Mark.OPEN, "ffmpeg: not there; only video needs it: install your system's package")
    try:
        done = subprocess.run([program, "-version"], capture_output=True, timeout=10, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return Finding(Mark.OPEN, f"ffmpeg: {program} does not run; only video needs it")
    version = re.search(rb"version (\S+)", done.stdout)
    return Finding(Mark.GOOD, f"ffmpeg {version[1].decode() if version else 'of an unknown version'}")


# -- what the operator has set
def settings(environ: Mapping[str, str]) -> tuple[Finding, ...]:
    try:
        Settings.load(environ, Path(".env"))
    except ConfigError as error:
        return tuple(Finding(Mark.BAD, f"settings: {problem}") for problem in error.problems)
    return (Finding(Mark.GOOD, "settings: all that is needed, and all can be read"),)


def cookies(name: str, now: float) -> Finding:
    """Of a file with cookies: names and dates only."""
    if not name:
        return Finding(
            Mark.OPEN, "cookies: none; COOKIES_FILE names a file for when YouTube asks who you are"
        )
    path, jar = Path(name).expanduser(), MozillaCookieJar()
    try:
        text = path.read_text()
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        return Finding(Mark.BAD, f"cookies: {path} cannot be read: {reason}")
    if text.lstrip()[:1] in ("[", "{"):
        return Finding(
            Mark.BAD, f"cookies: {path} is JSON: export it again in Netscape's format (cookies.txt)"
        )
    try:
        jar.load(str(path), ignore_discard=True, ignore_expires=True)
    except LoadError:
        return Finding(
            Mark.BAD, f"cookies: {path} is not in Netscape's format (cookies.txt): export it again"
        )
    old = sorted({cookie.name for cookie in jar if cookie.expires and cookie.expires < now})
    if not len(jar):
        return Finding(Mark.BAD, f"cookies: {path} has none in it")
    if old:
        names = ", ".join(old[:5]) + (f" and {len(old) - 5} more" if len(old) > 5 else "")
        mark = Mark.BAD if len(old) == len({cookie.name for cookie in jar}) else Mark.OPEN
        return Finding(mark, f"cookies: {path}: expired are {names}: export the file again")
    return Finding(Mark.GOOD, f"cookies: {len(jar)} in {path}, none expired")


async def proxy(url: str) -> Finding:
    """It is knocked at, and nothing is said to it."""
    if not url:
        return Finding(
            Mark.OPEN, "proxy: none; PROXY_URL names one for when a site refuses this machine's address"
        )
    try:
        upstream = Upstream(url)
    except ValueError:  # whose text may have the password in it
        return Finding(
            Mark.BAD, "proxy: PROXY_URL cannot be read: it must be like socks5://user:password@host:port"
        )
    place = f"proxy: {upstream.host}:{upstream.port} ({url.partition(':')[0]})"
    try:
        with anyio.fail_after(_TO_ANSWER):
            await (await anyio.connect_tcp(upstream.host, upstream.port)).aclose()
    except OSError as error:  # TimeoutError is one
        reason = error.strerror or "no answer"
        return Finding(Mark.BAD, f"{place} does not answer ({reason}): see whether it runs, and PROXY_URL")
    return Finding(Mark.GOOD, f"{place} answers")


def disk(state: Path) -> Finding:
    there = next(folder for folder in (state.absolute(), *state.absolute().parents) if folder.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        return Finding(
            Mark.BAD, f"disk: {there} may not be written to: set STATE_DIR, or give this user the right"
        )
    free = shutil.disk_usage(there).free
    text = f"disk: {free / 1e9:,.1f} GB free in {state}"
    if free < _TOO_LITTLE:
        return Finding(Mark.BAD, f"{text}: too little to keep music; make room, or set STATE_DIR")
    if free < _LITTLE:
        return Finding(Mark.OPEN, f"{text}: enough for now")
    return Finding(Mark.GOOD, text)


async def database(environ: Mapping[str, str]) -> Finding:
    """Is only read."""
    try:
        url = database_url(environ, Path(".env")).reveal()
        if not _may_be_there(url):
            return Finding(Mark.OPEN, "database: not there yet; the first start makes it")
        async with open_store(url, shared=True) as store:
            rows = sum((await store.sizes()).values())
            return Finding(Mark.GOOD, f"database: {store.name}, {rows:,} rows")
    except RyzenError as error:
        return Finding(Mark.BAD, f"database: {error}; `ryzen db check` says more")


def _may_be_there(url: str) -> bool:
    """Of a server nothing is known before it is asked."""
    scheme, _, path = url.partition(":///")
    return scheme != "sqlite" or Path(path).exists()


def music(name: str) -> Finding:
    if not name:
        return Finding(
            Mark.OPEN, "music folder: none; MUSIC_DIR names one, if you have music on this machine"
        )
    path = Path(name).expanduser()
    if not path.is_dir():
        return Finding(Mark.BAD, f"music folder: {path} is no folder: see MUSIC_DIR")
    if not os.access(path, os.R_OK | os.X_OK):
        return Finding(Mark.BAD, f"music folder: {path} may not be read by this user")
    return Finding(Mark.GOOD, f"music folder: {path}")
