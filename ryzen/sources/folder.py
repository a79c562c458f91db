"""What lies in the music folder, and the way to it that cannot leave the folder."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import attrs

#: Files with other names are not looked at; what a file really is, the decoder decides.
SUFFIXES = frozenset({".mp3", ".m4a", ".mp4", ".aac", ".ogg", ".oga", ".opus", ".webm", ".flac", ".wav"})


@attrs.frozen
class Stamp:
    """What changes when a file does."""

    modified: int  #: nanoseconds
    size: int


def survey(root: Path) -> dict[str, Stamp] | None:
    """Every music file under ``root`` by its relative path; None if ``root`` itself cannot be read.

    Hidden files and folders are not looked at, links are not followed, and folders that may not be read
    are passed by, as are names that are no text.
    """
    found: dict[str, Stamp] = {}
    folders = [""]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(root / folder) as listing:
                entries = list(listing)
        except OSError:
            if not folder:
                return None
            continue
        for entry in entries:
            if entry.name.startswith(".") or not _is_text(entry.name):
                continue
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                folders.append(path)
            elif (stamp := stamp_of(entry)) is not None:
                found[path] = stamp
    return found


def stamp_of(entry: os.DirEntry[str]) -> Stamp | None:
    """None if it is no music file, or has vanished since the folder was listed."""
    if PurePosixPath(entry.name).suffix.lower() not in SUFFIXES or not entry.is_file(follow_symlinks=False):
        return None
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    return Stamp(status.st_mtime_ns, status.st_size)


def locate(root: Path, path: str) -> Path | None:
    """The file at a relative path; None if it is not there, is no file, or is outside of ``root``."""
    try:
        file = (root / path).resolve(strict=True)
        inside = file.is_relative_to(root.resolve(strict=True))
        return file if inside and file.is_file() else None
    except (OSError, ValueError, RuntimeError):  # not there; a NUL in the name; links in a ring
        return None


def _is_text(name: str) -> bool:
    """Whether the bytes on the disk are UTF-8; others can be neither stored nor sent."""
    return not any("\ud800" <= sign <= "\udfff" for sign in name)
