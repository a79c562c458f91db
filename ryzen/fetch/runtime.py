"""The JavaScript runtime, which yt-dlp needs for some of YouTube's clients."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

#: Seconds.
_TO_ANSWER = 20.0


def deno() -> Path | None:
    """That of the package ``deno``: what lies beside it counts more than what is elsewhere here."""
    try:
        import deno as package
    except ModuleNotFoundError:
        return None
    beside = Path(package.__file__).parents[1] / "bin" / "deno"  # where pip's --target puts it
    if beside.is_file():
        return beside
    try:
        return Path(package.find_deno_bin())
    except FileNotFoundError:
        return None


def calculates(program: Path) -> bool:
    """Whether it runs on this machine, and can do a sum. Blocks."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {"HOME": folder, "DENO_DIR": folder, "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"}
        try:
            done = subprocess.run(  # noqa: S603 - nothing in it comes from outside
                [program, "eval", "--no-lock", "--no-config", "console.log(6 * 7)"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                cwd=folder,
                env=environment,
                timeout=_TO_ANSWER,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
    return done.stdout.strip() == b"42"
