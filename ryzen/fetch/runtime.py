"""Where the JavaScript runtime is, which yt-dlp needs for some of YouTube's clients."""

from __future__ import annotations

from pathlib import Path


def deno() -> Path | None:
    """That of the package ``deno``; what is installed beside that package counts more than another's."""
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
