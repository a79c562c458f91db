"""``ryzen demo``: the whole of Ryzen on loopback. No account, no database, no ffmpeg."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, aclosing
from pathlib import Path
from typing import TypeVar

import anyio
import attrs
from loguru import logger

from ryzen.errors import ConfigError
from ryzen.sandbox.demo.director import Director
from ryzen.sandbox.demo.process import BotProcess
from ryzen.sandbox.demo.report import Report
from ryzen.sandbox.demo.script import Step, parse, say_line
from ryzen.sandbox.demo.stage import PEOPLE, set_stage
from ryzen.sandbox.demo.typed import typed_lines
from ryzen.sandbox.internet.songs import Recording, record
from ryzen.sandbox.internet.world import SONGS, World, make_world
from ryzen.sandbox.tunes import make_music
from ryzen.sources.folder import survey

R = TypeVar("R")

#: Without --until, a headless demo goes on for so many seconds after its last step.
_AFTER_LAST = 6.0
_WELCOME = """\
This is a Telegram of our own, on this machine alone. You are Ada, the owner of the group. Type
    /play tone 440        (or: /play ode to joy · /queue · /skip · /help)
    /play blue sky        (from the internet: /search sky · /lyrics · /play https://youtu.be/OdeToJoy_01)
    @Bob /pause           somebody else says it
    #2 /play tone 880     in the second group (--groups 2)
    press ⏸               press a button of the newest card
    do kill worker        make trouble (kill bot, kill fetcher, crash chat, silence media 5,
                          drop connections, flood messages.SendMessage 5)
and end it with Ctrl-D."""
_DESCRIPTION = """\
The whole of Ryzen with a Telegram and an internet of its own, on this machine alone: no account, no database,
no ffmpeg. What is not in the music folder is looked for on its YouTube.
Without --headless you type what people say."""
_EXAMPLE = """\
AT is seconds after «ready»; Ada, the owner of the groups, says it if nobody else is named.
  --say 'AT: TEXT', 'AT@Bob: TEXT', 'AT#2: TEXT' (in the second group), 'AT: press LABEL' (of the newest card)
  --do  'AT: kill bot', 'AT: kill worker', 'AT: kill fetcher', 'AT: crash chat' ('AT#2: …'),
        'AT: silence media SECONDS', 'AT: flood METHOD SECONDS' (as in messages.SendMessage),
        'AT: drop connections'
example:
  ryzen demo --headless --say '0: /play tone 440' --say '6: /skip' --say '0: /play tone 880' --until 12
exit code: 0; 1 if something was logged as an error that no --do explains; 2 for wrong arguments"""


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
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # ends in order, as Ctrl-C
    logger.remove()
    logger.add(sys.stderr, level="WARNING", format="{level}: {message}")
    with ExitStack() as stack:
        state = options.state or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ryzen-demo-")))
        music, songs = options.music or own_music(), own_songs()
        if not survey(music):
            print(f"There is no music in {music}: every /play will find nothing.", file=sys.stderr)
        errors = anyio.run(_perform, options, state, music, make_world(songs))
    return 1 if errors else 0


def read(arguments: list[str]) -> Options:
    """Raises ConfigError with everything that is wrong in the script; argparse ends the rest with 2."""
    parser = argparse.ArgumentParser(
        "ryzen demo",
        description=_DESCRIPTION,
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
    parser.add_argument("--until", type=_seconds, metavar="SECONDS", help="when a headless demo ends")
    parser.add_argument("--groups", type=_count, default=1, metavar="N", help="so many groups, 1 to 100")
    parser.add_argument("--music", type=_folder, metavar="DIR", help="a music folder of yours")
    parser.add_argument("--state", type=_made, metavar="DIR", help="keep the bot's data here")
    parser.add_argument(
        "--delay", type=_seconds, default=0.02, metavar="SECONDS", help="the way from the media server (0.02)"
    )
    given = parser.parse_args(arguments)
    steps = parse(given.say, given.do, given.groups, PEOPLE)
    last = max((step.at for step in steps), default=0.0)
    until = last + _AFTER_LAST if given.until is None else given.until
    if given.headless and until < last:
        raise ConfigError(
            (f"--until {until:g} is before the last step, which is at {last:g}: make it later.",)
        )
    return Options(
        given.headless, given.json, steps, until, given.groups, given.music, given.state, given.delay
    )


async def _perform(options: Options, state: Path, music: Path, world: World) -> list[str]:
    def tell(text: str) -> None:
        if not options.headless:
            print(text, file=sys.stderr if options.json else sys.stdout, flush=True)

    async with (
        set_stage(options.groups, options.delay, world.sites) as stage,
        anyio.create_task_group() as tasks,
    ):
        names = {group.chat_id: group.title for group in stage.groups}
        director = Director(stage, Report(options.json, names), tasks)
        settings = {"MUSIC_DIR": str(music), "STATE_DIR": str(state), "LOG_LEVEL": "INFO"}
        bot = BotProcess(stage, settings, tasks, director.on_line)
        tell("Starting …")
        await bot.start()
        director.begin(bot)
        if options.headless:
            await director.perform(options.steps, options.until)
        else:
            tell(_WELCOME)
            tasks.start_soon(director.perform, options.steps, options.until)
            await _converse(director, options.groups, tell)
            tell("Stopping …")
        director.stopped_with(await bot.stop())
        tasks.cancel_scope.cancel()
    return director.finish()


async def _converse(director: Director, groups: int, tell: Callable[[str], None]) -> None:
    async with aclosing(typed_lines()) as lines:
        async for line in lines:
            try:
                director.take(say_line(line, director.now(), groups, PEOPLE))
            except ValueError as error:
                tell(f"        {error}")


def own_music() -> Path:
    """The demo's library, which the first run makes. Raises ConfigError if there is no place for it."""
    folder = _cache() / "demo-music"
    _make(folder, make_music, "name a folder with --music")
    return folder


def own_songs() -> tuple[Recording, ...]:
    """What is on the demo's YouTube, recorded at the first run. Raises ConfigError if there is no place."""
    folder = _cache() / "demo-songs"
    return _make(folder, lambda folder: record(folder, SONGS), "set XDG_CACHE_HOME to a folder of yours")


def _make(folder: Path, make: Callable[[Path], R], remedy: str) -> R:
    if not folder.exists():
        print("Making the demo's music; this takes a moment, once …", file=sys.stderr, flush=True)
    try:
        return make(folder)
    except OSError as error:
        problem = f"the demo's music cannot be put into {folder} ({error.strerror}): {remedy}"
        raise ConfigError((problem,)) from error


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 0 to 86400, such as 12")
    return seconds


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 to 100")
    return int(text)


def _made(text: str) -> Path:
    path = Path(text).expanduser()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text} cannot be made a folder: {error.strerror}") from error
    return path.resolve()


def _folder(text: str) -> Path:
    path = Path(text).expanduser()
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is not a folder: name one with music in it")
    return path.resolve()


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "ryzen"
