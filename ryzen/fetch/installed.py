"""Which yt-dlp the fetch server takes: the one that came with Ryzen, or a newer one that ``ryzen
update-sources`` has put beside the bot's other files.

STATE_DIR/yt-dlp/current       the name of a folder beside it
STATE_DIR/yt-dlp/<version>/    what pip has put there, first on the server's path
"""

from __future__ import annotations

import importlib.metadata
import os
import re
from pathlib import Path


def home(state_dir: Path) -> Path:
    return state_dir.absolute() / "yt-dlp"


def key(version: str) -> tuple[int, ...]:
    """To compare with: 2026.03.01 and 2026.3.1 are the same."""
    return tuple(map(int, re.findall(r"\d+", version)))


def current(state_dir: Path) -> Path | None:
    """The folder; None for what came with Ryzen, which an update of Ryzen may have made the newer one."""
    try:
        version = (home(state_dir) / "current").read_text().strip()
    except (OSError, ValueError):  # none, or none that can be read
        return None
    folder = home(state_dir) / version
    newer = re.fullmatch(r"[\w.+]+", version) and key(version) > key(shipped())
    return folder if newer and folder.is_dir() else None


def shipped() -> str:
    return importlib.metadata.version("yt-dlp")


def version(state_dir: Path) -> str:
    folder = current(state_dir)
    return folder.name if folder else shipped()


def switch(state_dir: Path, folder: Path) -> None:
    """At once: whoever looks sees the one before or this one."""
    pointer = home(state_dir) / "current"
    fresh = pointer.with_suffix(".new")
    fresh.write_text(folder.name + "\n")
    os.replace(fresh, pointer)  # noqa: PTH105 - the point is that it replaces
