"""What a file is, by its own first bytes: its name and the demuxers' guesses are not believed.

The demuxer is then given by name, so that no playlist dressed up as a song is ever opened as one.
"""

from __future__ import annotations

import enum
import os
import stat
from typing import BinaryIO

import attrs

from ryzen.audio.frames import adts_frame, find, mp3_frame
from ryzen.errors import TrackError, TrackTrouble

#: How far behind its tags the first MPEG frame may lie.
_SEARCH = 64 << 10
_ID3_HEADER = 10


class Demuxer(enum.StrEnum):
    """FFmpeg's names of those we use."""

    MP3 = "mp3"
    AAC = "aac"
    MP4 = "mov"
    OGG = "ogg"
    MATROSKA = "matroska"
    FLAC = "flac"
    WAV = "wav"


@attrs.frozen
class Sniffed:
    """``measured``: a length that the demuxer tells is more than a guess from the size of the file.

    ``share`` is how much of the file is there, by its own header. (FFmpeg 8 forgives a WAV what it lacks.)
    """

    demuxer: Demuxer
    measured: bool = True
    share: float = 1.0


def sniff(path: str) -> Sniffed:
    """Raises TrackError: MISSING, UNSUPPORTED, or BROKEN if it is empty."""
    try:
        # Without O_NONBLOCK, opening a pipe somebody left in the folder would wait for its writer.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise TrackError(TrackTrouble.UNSUPPORTED, "not a file")
            return _sniff(file)
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        raise TrackError(TrackTrouble.MISSING, error.strerror or "") from error
    except IsADirectoryError as error:
        raise TrackError(TrackTrouble.UNSUPPORTED, "a folder") from error
    except OSError as error:
        raise TrackError(TrackTrouble.BROKEN, error.strerror or "") from error
    except ValueError as error:  # a NUL in the name
        raise TrackError(TrackTrouble.MISSING, str(error)) from error


def _sniff(file: BinaryIO) -> Sniffed:
    head = file.read(16)
    if not head:
        raise TrackError(TrackTrouble.BROKEN, "empty")
    tags = _past_id3(file)
    if tags:
        head = _at(file, tags, 16)
    match head[:4], head[4:8], head[8:12]:
        case b"OggS", _, _:
            return Sniffed(Demuxer.OGG)
        case b"fLaC", _, _:
            return Sniffed(Demuxer.FLAC)
        case b"\x1aE\xdf\xa3", _, _:
            return Sniffed(Demuxer.MATROSKA)
        case b"RIFF" | b"RF64", _, b"WAVE":
            return Sniffed(Demuxer.WAV, share=_share(head, os.fstat(file.fileno()).st_size))
        case _, b"ftyp", _:
            return Sniffed(Demuxer.MP4)
    return _mpeg(_at(file, tags, _SEARCH))


def _at(file: BinaryIO, offset: int, count: int) -> bytes:
    file.seek(offset)
    return file.read(count)


def _past_id3(file: BinaryIO) -> int:
    """Where the ID3v2 tags at the start end; there may be several, one behind the other."""
    offset = 0
    for _ in range(4):
        header = _at(file, offset, _ID3_HEADER)
        if len(header) < _ID3_HEADER or header[:3] != b"ID3":
            break
        a, b, c, d = (byte & 0x7F for byte in header[6:])
        offset += _ID3_HEADER + (a << 21 | b << 14 | c << 7 | d)
    return offset


def _share(riff: bytes, size: int) -> float:
    stated = int.from_bytes(riff[4:8], "little") + 8
    endless = stated >= 0xFFFFFFFF or riff[:4] == b"RF64"
    return 1.0 if endless else min(1.0, size / stated)


def _mpeg(data: bytes) -> Sniffed:
    """MPEG audio has no magic: a few frames that fit together are one."""
    mp3, aac = find(data, 0, mp3_frame), find(data, 0, adts_frame)
    if aac >= 0 and (mp3 < 0 or aac < mp3):
        return Sniffed(Demuxer.AAC, measured=False)
    if mp3 >= 0:
        return Sniffed(Demuxer.MP3, measured=_counts_its_frames(data[mp3 : mp3 + 200]))
    raise TrackError(TrackTrouble.UNSUPPORTED, "none of the formats we know")


def _counts_its_frames(frame: bytes) -> bool:
    """Whether this first MP3 frame is an index that says how many there are."""
    for name in (b"Xing", b"Info"):
        where = frame.find(name)
        if where > 0:
            return bool(frame[where + 7] & 1)
    return b"VBRI" in frame
