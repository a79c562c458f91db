"""What a sound file says of itself: title, artist, length, picture."""

from __future__ import annotations

import base64
import binascii
import contextlib
import math
import struct
from collections.abc import Sequence
from pathlib import Path

import attrs
import mutagen
from mutagen.aac import AAC
from mutagen.flac import FLAC, Picture
from mutagen.flac import error as flac_error
from mutagen.id3 import ID3
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4, MP4Tags
from mutagen.oggflac import OggFLAC
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis
from mutagen.wave import WAVE

from ryzen.audio.frames import adts_frame, measure, mp3_frame
from ryzen.audio.matroska import read_info
from ryzen.audio.sniff import Demuxer, sniff
from ryzen.errors import TrackError, TrackTrouble

#: What mutagen may choose from, once the first bytes have told the family.
_READERS: dict[Demuxer, tuple[type[mutagen.FileType], ...]] = {
    Demuxer.MP3: (MP3,),
    Demuxer.AAC: (AAC,),
    Demuxer.MP4: (MP4,),
    Demuxer.OGG: (OggOpus, OggVorbis, OggFLAC),
    Demuxer.FLAC: (FLAC,),
    Demuxer.WAV: (WAVE,),
}

#: What mutagen 1.48 raises on headers that lie. It has promised MutagenError alone; fuzzing found others.
_LIES = (mutagen.MutagenError, OSError, ValueError, LookupError, TypeError, ArithmeticError, struct.error)
#: How much of a file without an index is counted, in bytes: an hour. The rest is taken to be alike.
_COUNTED = 64 << 20
#: A larger picture is no cover, in bytes.
_LARGEST_COVER = 8 << 20


@attrs.frozen
class Tags:
    """Empty or None where the file does not say. ``duration`` in seconds, ``cover`` a JPEG or PNG file."""

    title: str = ""
    artist: str = ""
    duration: float | None = None
    cover: bytes | None = attrs.field(default=None, repr=False)


def read_tags(path: str | Path) -> Tags:
    """Raises TrackError if this is none of the formats we play, or not there, or its headers are wrecked."""
    sniffed = sniff(str(path))
    try:
        if sniffed.demuxer is Demuxer.MATROSKA:
            with Path(path).open("rb") as file:
                info = read_info(file)
            return Tags(title=_clean(info.title), duration=_length(info.duration))
        if sniffed.demuxer is Demuxer.MPEGTS:
            return Tags()
        media = mutagen.File(path, options=_READERS[sniffed.demuxer])
        counted = None if sniffed.measured else _measured(Path(path), sniffed.demuxer)
    except _LIES as error:
        raise TrackError(TrackTrouble.BROKEN, str(error)) from error
    if media is None:
        raise TrackError(TrackTrouble.BROKEN, "its headers cannot be read")
    length = counted or getattr(media.info, "length", None)
    return Tags(*_names(media.tags), _length(length), _cover(media))


def _names(tags: object) -> tuple[str, str]:
    """Title and artist."""
    match tags:
        case ID3():
            return _first(tags.getall("TIT2")), _first(tags.getall("TPE1"))
        case MP4Tags():
            return _first(tags.get("\xa9nam")), _first(tags.get("\xa9ART"))
        case mutagen.Tags():  # Vorbis comments
            return _first(tags.get("title")), _first(tags.get("artist"))
    return "", ""


def _first(values: Sequence[object] | None) -> str:
    return _clean(str(values[0])) if values else ""


def _clean(text: str) -> str:
    """One line, no control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _length(seconds: float | None) -> float | None:
    return seconds if seconds is not None and math.isfinite(seconds) and seconds > 0 else None


def _measured(path: Path, demuxer: Demuxer) -> float:
    """Counted, where mutagen 1.48 guesses from the first frames and can be off by a factor."""
    with path.open("rb") as file:
        data = file.read(_COUNTED)
        share = len(data) / max(1, file.seek(0, 2))
    return measure(data, mp3_frame if demuxer is Demuxer.MP3 else adts_frame) / (share or 1.0)


def _cover(media: mutagen.FileType) -> bytes | None:
    match media.tags:
        case ID3():
            pictures = [frame.data for frame in media.tags.getall("APIC")]
        case MP4Tags():
            pictures = [bytes(cover) for cover in media.tags.get("covr", ())]
        case _ if isinstance(media, FLAC):
            pictures = [picture.data for picture in media.pictures]
        case mutagen.Tags():
            pictures = [_unpack(text) for text in media.tags.get("metadata_block_picture", ())]
        case _:
            pictures = []
    return next((picture for picture in pictures if 0 < len(picture) <= _LARGEST_COVER), None)


def _unpack(text: str) -> bytes:
    """The picture in an Ogg comment; empty if it is none."""
    with contextlib.suppress(binascii.Error, flac_error, struct.error, ValueError):
        return bytes(Picture(base64.b64decode(text)).data)
    return b""
