"""``ryzen demo``: the whole of Ryzen on loopback. No account, no database, no ffmpeg."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

import anyio
import anyio.to_thread
import attrs
from loguru import logger

from ryzen.sandbox.demo.director import Director
from ryzen.sandbox.demo.process import BotProcess
from ryzen.sandbox.demo.report import Report
from ryzen.sandbox.demo.script import Step, parse, say_line
from ryzen.sandbox.demo.stage import PEOPLE, set_stage
from ryzen.sandbox.tunes import make_music

#: Without --until, a headless demo goes on for so many seconds after its last step.
_AFTER_LAST = 6.0
_WELCOME = """\
This is a Telegram of our own, on this machine alone. You are Ada, the owner of the group. Type
    /play tone 440        (or: /play spring · /queue · /skip · /help)
    @Bob /pause           somebody else says it
    #2 /play tone 880     in the second group (--groups 2)
    press ⏸               press a button of the newest card
    do kill worker        make trouble (kill bot, crash chat, silence media 5, drop connections)
and end it with Ctrl-D."""
_EXAMPLE = """\
example: ryzen demo --headless --say '0: /play tone 440' --say '6: /skip' --say '0: /play tone 880' --until 12
AT: text, AT@Bob: text, AT#2: text in the second group, AT: press LABEL; AT is seconds after «ready»."""


@attrs.frozen
class Options:
    headless: bool
    json: bool
    steps: tuple[Step, ...]
    until: float
    groups: int
    music: Path | None
    state: Path | None
    delay: float


def demo(arguments: list[str]) -> int:
    """Returns the exit code: 0 if nothing was logged as an error that no ``--do`` explains, else 1."""
    options = read(arguments)
    logger.remove()
    logger.add(sys.stderr, level="WARNING")
    with ExitStack() as stack:
        state = options.state
        if state is None:
            state = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ryzen-demo-")))
        state.mkdir(parents=True, exist_ok=True)
        music = options.music
        if music is None:
            music = _cache() / "demo-music"
            make_music(music)
        errors = anyio.run(_perform, options, state, music)
    return 1 if errors else 0


def read(arguments: list[str]) -> Options:
    """Raises ConfigError with everything that is wrong in the script; argparse ends the rest with 2."""
    parser = argparse.ArgumentParser(
        "ryzen demo",
        description=__doc__,
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--headless", action="store_true", help="perform the script, print what happens, exit"
    )
    parser.add_argument("--json", action="store_true", help="print JSON lines")
    parser.add_argument(
        "--say", action="append", default=[], metavar="'AT: TEXT'", help="somebody says or presses"
    )
    parser.add_argument("--do", action="append", default=[], metavar="'AT: TROUBLE'", help="something breaks")
    parser.add_argument("--until", type=float, metavar="SECONDS", help="when a headless demo ends")
    parser.add_argument("--groups", type=int, default=1, choices=range(1, 101), metavar="N", help="1 to 100")
    parser.add_argument("--music", type=_folder, metavar="DIR", help="a music folder of yours")
    parser.add_argument("--state", type=Path, metavar="DIR", help="keep the bot's data here")
    parser.add_argument(
        "--delay", type=float, default=0.02, metavar="SECONDS", help="the way from the media server (0.02)"
    )
    given = parser.parse_args(arguments)
    steps = parse(given.say, given.do, given.groups, PEOPLE)
    last = max((step.at for step in steps), default=0.0)
    until = last + _AFTER_LAST if given.until is None else given.until
    return Options(
        given.headless, given.json, steps, until, given.groups, given.music, given.state, given.delay
    )


async def _perform(options: Options, state: Path, music: Path) -> list[str]:
    async with set_stage(options.groups, options.delay) as stage, anyio.create_task_group() as tasks:
        names = {group.chat_id: group.title for group in stage.groups}
        director = Director(stage, Report(options.json, names), tasks)
        settings = {"MUSIC_DIR": str(music), "STATE_DIR": str(state), "LOG_LEVEL": "INFO"}
        bot = BotProcess(stage, settings, tasks, director.on_line)
        if not options.headless:
            print("Starting …", flush=True)
        await bot.start()
        director.begin(bot)
        if options.headless:
            await director.perform(options.steps, options.until)
        else:
            print(_WELCOME, flush=True)
            tasks.start_soon(director.perform, options.steps, options.until)
            await _converse(director, options.groups)
        code = await bot.stop()
        if code != 0:
            director.errors.append(f"the bot ended with {code}")
        tasks.cancel_scope.cancel()
    return director.finish()


async def _converse(director: Director, groups: int) -> None:
    async for line in _typed():
        try:
            director.take(say_line(line, director.now(), groups, PEOPLE))
        except ValueError as error:
            print(f"        {error}", flush=True)


async def _typed() -> AsyncIterator[str]:
    """Lines from the keyboard until they end. The thread that waits for them cannot be interrupted."""
    while line := await anyio.to_thread.run_sync(sys.stdin.readline, abandon_on_cancel=True):
        if line.strip():
            yield line


def _folder(text: str) -> Path:
    path = Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is not a folder: name one with music in it")
    return path


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "ryzen"
