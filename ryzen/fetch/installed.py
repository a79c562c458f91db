"""Which yt-dlp the fetch server takes: the one that came with Ryzen, or one that ``ryzen update-sources`` has
put beside the bot's other files.

STATE_DIR/yt-dlp/current       the name of a folder beside it
STATE_DIR/yt-dlp/<name>/       what pip has put there, first on the server's path
"""

from __future__ import annotations

import os
from pathlib import Path


def home(state_dir: Path) -> Path:
    return state_dir.absolute() / "yt-dlp"


def current(state_dir: Path) -> Path | None:
    """The folder; None for what came with Ryzen."""
    try:
        name = (home(state_dir) / "current").read_text().strip()
    except FileNotFoundError:
        return None
    folder = home(state_dir) / name
    return folder if name and folder.parent == home(state_dir) and folder.is_dir() else None


def switch(state_dir: Path, folder: Path | None) -> None:
    """At once: whoever looks sees the one or the other. None goes back to what came with Ryzen."""
    pointer = home(state_dir) / "current"
    if folder is None:
        pointer.unlink(missing_ok=True)
        return
    fresh = pointer.with_suffix(".new")
    fresh.write_text(folder.name + "\n")
    os.replace(fresh, pointer)  # noqa: PTH105 - the point is that it replaces
