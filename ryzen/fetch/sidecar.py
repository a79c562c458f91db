"""The files of the cache: a recording, and beside it what is known of it.

``<digest of the key>-<serial>.media`` and ``….json``. The serial makes each flight's file its own, so that
neither a file on its way out nor a flight that is being cancelled can take its successor's. Keys, titles and
links never become names. A recording counts only with a sidecar that agrees with it and without a page
(``ryzen.growing``): the sidecar is written last, and at once.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import attrs
from loguru import logger

from ryzen.growing import page_of
from ryzen.origins import Origin
from ryzen.player.state import Chapter, Media, Span

#: Grows when an older sidecar can no longer be read.
_VERSION = 1
_OURS = re.compile(r"([0-9a-f]{32}-[0-9a-f]{8})\.(?:media|json)(?:\.[a-z.]+)?")
_PLAIN = re.compile(r"[\w:.-]{1,40}")
#: Tracks that are remembered to have led to one recording; the newest stay.
_TRACKS = 32


@attrs.frozen
class Recording:
    """One that is whole. ``size`` in bytes, ``since`` by the wall clock, the rest as in ``Origin``.

    ``measured``: its loudness has been looked for, found or not.
    """

    path: Path = attrs.field(repr=False)
    key: str
    size: int
    since: float
    tracks: tuple[str, ...] = ()
    duration: float | None = None
    gain: float | None = None
    measured: bool = False
    skips: tuple[Span, ...] = attrs.field(default=(), repr=False)
    chapters: tuple[Chapter, ...] = attrs.field(default=(), repr=False)
    artwork: str | None = attrs.field(default=None, repr=False)

    @classmethod
    def of(cls, origin: Origin, path: Path, size: int, since: float, tracks: Iterable[str]) -> Recording:
        return cls(
            path=path,
            key=origin.key,
            size=size,
            since=since,
            tracks=tuple(dict.fromkeys(tracks))[-_TRACKS:],
            duration=origin.duration,
            gain=origin.gain,
            skips=origin.skips,
            chapters=origin.chapters,
            artwork=origin.artwork,
        )

    @property
    def media(self) -> Media:
        return Media(
            str(self.path),
            self.duration,
            fetched=True,
            skips=self.skips,
            gain=self.gain or 0.0,
            chapters=self.chapters,
            artwork=self.artwork,
        )

    def led_to_by(self, track_id: str) -> Recording:
        others = (known for known in self.tracks if known != track_id)
        return attrs.evolve(self, tracks=(*others, track_id)[-_TRACKS:])


def new_path(folder: Path, key: str) -> Path:
    return folder / f"{_digest(key)}-{secrets.token_hex(4)}.media"


def told(key: str) -> str:
    """For the log: a key may be a link, with a token in it, or of any length."""
    return key if _PLAIN.fullmatch(key) else f"recording {_digest(key)[:12]}"


def sidecar_of(path: Path) -> Path:
    return path.with_suffix(".json")


def write_sidecar(recording: Recording) -> None:
    """There as a whole or not at all. Raises OSError, FileNotFoundError if the recording is gone."""
    sidecar = sidecar_of(recording.path)
    draft = sidecar.with_name(sidecar.name + ".new")
    try:
        with draft.open("wb") as file:
            file.write(_said(recording))
            file.flush()
            os.fsync(file.fileno())
        recording.path.stat()  # it may have been put out meanwhile
        draft.replace(sidecar)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def remove(paths: Iterable[Path]) -> None:
    """These recordings and all that belongs to them. What cannot be removed is logged."""
    for path in paths:
        for file in (sidecar_of(path), path, page_of(path)):
            try:
                file.unlink(missing_ok=True)
            except OSError as error:
                logger.error("{} cannot be removed from the cache: {}", file.name, error.strerror)


def survey(folder: Path) -> list[tuple[Recording, float]]:
    """What is whole there, and when it was last used; what else is ours is removed. Makes the folder.

    Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    names = {entry.name for entry in os.scandir(folder) if entry.is_file(follow_symlinks=False)}
    ours = {name: match[1] for name in names if (match := _OURS.fullmatch(name))}
    whole: dict[str, tuple[Recording, float]] = {}
    for stem in sorted(set(ours.values())):
        path = folder / f"{stem}.media"
        if page_of(path).name in names or path.name not in names or sidecar_of(path).name not in names:
            continue
        if (recording := _read(path)) is None:
            continue
        found = whole.get(recording.key)
        if found is None or found[0].since < recording.since:  # a crash may leave two of the same
            whole[recording.key] = recording, path.stat().st_mtime
    kept = {
        name
        for recording, _ in whole.values()
        for name in (recording.path.name, sidecar_of(recording.path).name)
    }
    for name in ours.keys() - kept:
        (folder / name).unlink(missing_ok=True)
    return list(whole.values())


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def _said(recording: Recording) -> bytes:
    said = attrs.asdict(recording, filter=lambda field, _: field.name != "path")
    return json.dumps({"version": _VERSION, **said}, ensure_ascii=False).encode()


def _read(path: Path) -> Recording | None:
    """None if it is no sidecar of ours, or not of this file."""
    try:
        said: dict[str, Any] = json.loads(sidecar_of(path).read_bytes())
        if said.pop("version") != _VERSION or said["size"] != path.stat().st_size:
            return None
        return Recording(
            path=path,
            key=str(said["key"]),
            size=int(said["size"]),
            since=float(said["since"]),
            tracks=tuple(map(str, said["tracks"])),
            duration=_number(said["duration"]),
            gain=_number(said["gain"]),
            measured=bool(said["measured"]),
            skips=tuple(Span(float(span["start"]), float(span["end"])) for span in said["skips"]),
            chapters=tuple(Chapter(float(one["start"]), str(one["title"])) for one in said["chapters"]),
            artwork=None if said["artwork"] is None else str(said["artwork"]),
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _number(said: float | None) -> float | None:
    return None if said is None else float(said)
