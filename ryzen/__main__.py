"""The ``ryzen`` command."""

from __future__ import annotations

import argparse
import gc
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NoReturn

import anyio
from loguru import logger

from ryzen import __version__, doctor, keeping, updating
from ryzen.errors import ConfigError, Escalation, RyzenError, SendError, StoreAway

EXIT_TROUBLE, EXIT_CONFIGURATION, EXIT_ESCALATION, EXIT_INTERRUPTED = 1, 2, 70, 130
_LOG_LINE = "<green>{time:YYYY-MM-DD HH:mm:ss}</green> <level>{level: <8}</level> {message}"
#: What the extra «demo» installs, as it is imported.
_DEMO_NEEDS = {"PIL", "OpenSSL", "cryptography", "pylibsrtp"}


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit code: 0, 1 (trouble that is told), 2 (configuration), 70 (the actors gave up)."""
    words = sys.argv[1:] if arguments is None else arguments
    if words[:1] == ["demo"]:
        return exit_code(partial(_demo, words[1:]))
    parser = _Parser("ryzen", description="Music in the voice chats of Telegram groups.")
    parser.add_argument("--version", action="version", version=f"ryzen {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="run the bot; its settings come from the environment and .env")
    run.set_defaults(act=_run)
    keeping.add_to(commands)
    updating.add_to(commands)
    doctor.add_to(commands)
    commands.add_parser("demo", help="try it without an account: ryzen demo --help", add_help=False)
    if not words:
        parser.print_help(sys.stderr)
        return EXIT_CONFIGURATION
    chosen = parser.parse_args(words)
    return exit_code(partial(chosen.act, chosen))


class _Parser(argparse.ArgumentParser):
    """Does not repeat the address of a database, which has a password in it, wherever it was put."""

    def error(self, message: str) -> NoReturn:
        super().error(re.sub(r"\S*(?:://|@)\S*", "…", message))


def _demo(words: list[str]) -> int:
    try:
        from ryzen.sandbox.demo.command import demo  # the sandbox is an extra: `run` works without it
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _DEMO_NEEDS and error.name != "ryzen.sandbox":
            raise
        print(
            f"ryzen demo needs more than is installed here ({error.name} is missing): "
            "pip install 'ryzen[demo]', or run ./scripts/demo in a checkout.",
            file=sys.stderr,
        )
        return EXIT_TROUBLE
    return demo(words)


def _run(_: argparse.Namespace) -> int:
    gc.disable()  # nothing of what the imports make is garbage: to look for some costs 0.2 s of the start
    from ryzen import app  # after the parser: --help and --version need none of the native libraries
    from ryzen.settings import Settings
    from ryzen.telegram.logs import ThroughLoguru

    gc.freeze()
    gc.enable()

    settings = Settings.load(os.environ, Path(".env"))
    _make(settings.state_dir)
    logger.remove()
    logger.add(sys.stderr, level=settings.log_level, format=_LOG_LINE, backtrace=False, diagnose=False)
    ThroughLoguru.install([secret.reveal() for secret in settings.secrets])
    anyio.run(app.run, settings)
    return 0


def _make(state_dir: Path) -> None:
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=state_dir):
            pass
    except OSError as error:
        problem = f"STATE_DIR ({state_dir}) must be a folder that this user may write to: {error.strerror}."
        raise ConfigError((problem,)) from error


def exit_code(command: Callable[[], int]) -> int:
    """Run it; what Ryzen raises on purpose becomes sentences on standard error and an exit code."""
    try:
        return command()
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except (RyzenError, ExceptionGroup) as error:
        causes = list(_leaves(error))
        if not all(isinstance(cause, RyzenError) for cause in causes):
            raise  # a bug: its traceback is what we want to see
        return _told(causes)


def _told(causes: list[Exception]) -> int:
    problems = [problem for cause in causes if isinstance(cause, ConfigError) for problem in cause.problems]
    if problems:
        print("Ryzen cannot start:", *problems, sep="\n  - ", file=sys.stderr)
        if any("missing" in problem for problem in problems):
            print("Every setting is explained in .env.example; `ryzen demo` needs none.", file=sys.stderr)
        return EXIT_CONFIGURATION
    print("Ryzen cannot go on:", *map(_sentence, causes), sep="\n  - ", file=sys.stderr)
    return EXIT_ESCALATION if any(isinstance(cause, Escalation) for cause in causes) else EXIT_TROUBLE


def _sentence(cause: Exception) -> str:
    if isinstance(cause, SendError):
        return (
            f"Telegram did not answer at the start ({cause}): check this machine's way to the internet, "
            "its clock, and whether a firewall keeps it from Telegram."
        )
    if isinstance(cause, StoreAway):
        return f"{cause}. Check DATABASE_URL, and that the database runs and can be reached from here."
    if isinstance(cause, Escalation):
        return f"the actors «{cause}» crash again and again: the log above says why. Start it again."
    return str(cause)


def _leaves(error: Exception) -> Iterator[Exception]:
    if isinstance(error, ExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


if __name__ == "__main__":
    sys.exit(main())
