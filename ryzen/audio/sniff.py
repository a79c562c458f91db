"""What a file is, by its own first bytes: its name and the demuxers' guesses are not believed.

The demuxer is then given by name, so that no playlist dressed up as a song is ever opened as one.
"""

from __future__ import annotations

import enum
import os
import stat
from typing import Protocol

import attrs

from ryzen.audio.frames import adts_frame, find, mp3_frame
from ryzen.errors import TrackError, TrackTrouble

#: How far behind its tags the first MPEG frame may lie. It is looked for in the first few kilobytes first:
#: of a file that is still growing there may be no more yet.
_SEARCHES = (4 << 10, 16 << 10, 64 << 10)
_ID3_HEADER = 10
_TS_PACKET, _TS_PACKETS, _TS_SYNC = 188, 5, 0x47
#: Boxes of an MP4 looked at before we stop believing that there is an index.
_BOXES = 64


class Readable(Protocol):
    """A file, or one that is still growing, in which a read waits and may come back with less than asked."""

    def read(self, size: int, /) -> bytes | None: ...

    def seek(self, offset: int, /) -> int: ...


class Demuxer(enum.StrEnum):
    """FFmpeg's names of those we use."""

    MP3 = "mp3"
    AAC = "aac"
    MP4 = "mov"
    OGG = "ogg"
    MATROSKA = "matroska"
    FLAC = "flac"
    WAV = "wav"
    MPEGTS = "mpegts"


@attrs.frozen
class Sniffed:
    """``measured``: a length that the demuxer tells is more than a guess from the size of the file.

    ``share`` is how much of the file is there, by its own header. (FFmpeg 8 forgives a WAV what it lacks.)
    ``index_last``: an MP4 of which nothing can be decoded before its end has been read.
    ``start``: the first byte of sound, for formats that can be entered anywhere.
    """

    demuxer: Demuxer
    measured: bool = True
    share: float = 1.0
    index_last: bool = False
    start: int = 0


def sniff(path: str) -> Sniffed:
    """Raises TrackError: MISSING, UNSUPPORTED, or BROKEN if it is empty."""
    try:
        # Without O_NONBLOCK, opening a pipe somebody left in the folder would wait for its writer.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise TrackError(TrackTrouble.UNSUPPORTED, "not a file")
            return _sniff(file, 0, os.fstat(file.fileno()).st_size)
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        raise TrackError(TrackTrouble.MISSING, error.strerror or "") from error
    except IsADirectoryError as error:
        raise TrackError(TrackTrouble.UNSUPPORTED, "a folder") from error
    except OSError as error:
        raise TrackError(TrackTrouble.BROKEN, error.strerror or "") from error
    except ValueError as error:  # a NUL in the name
        raise TrackError(TrackTrouble.MISSING, str(error)) from error


def sniff_growing(file: Readable, start: int = 0) -> Sniffed:
    """The same for a file of which only what is behind ``start`` is there, and more is to come.

    Waits for what it needs: 16 KiB will do, if there are no tags with pictures in front.
    """
    return _sniff(file, start, None)


def _sniff(file: Readable, start: int, size: int | None) -> Sniffed:
    head = _at(file, start, 16)
    if not head:
        raise TrackError(TrackTrouble.BROKEN, "empty")
    tags = _past_id3(file, start)
    if tags > start:
        head = _at(file, tags, 16)
    match head[:4], head[4:8], head[8:12]:
        case b"OggS", _, _:
            return Sniffed(Demuxer.OGG)
        case b"fLaC", _, _:
            return Sniffed(Demuxer.FLAC)
        case b"\x1aE\xdf\xa3", _, _:
            return Sniffed(Demuxer.MATROSKA)
        case b"RIFF" | b"RF64", _, b"WAVE":
            return Sniffed(Demuxer.WAV, share=1.0 if size is None else _share(head, size))
        case _, b"ftyp" | b"styp" | b"moof", _:
            return Sniffed(Demuxer.MP4, index_last=size is None and _index_last(file, start))
    return _mpeg(file, tags, anywhere=start > 0)


def _at(file: Readable, offset: int, count: int) -> bytes:
    """So many bytes, or up to the end."""
    file.seek(offset)
    data = b""
    while len(data) < count and (more := file.read(count - len(data))):
        data += more
    return data


def _past_id3(file: Readable, offset: int) -> int:
    """Where the ID3v2 tags here end; there may be several, one behind the other."""
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


def _index_last(file: Readable, offset: int) -> bool:
    """Whether the sound of this MP4 comes before the index that says what is what in it."""
    for _ in range(_BOXES):
        header = _at(file, offset, 16)
        size, kind = int.from_bytes(header[:4], "big"), header[4:8]
        if size == 1:
            size = int.from_bytes(header[8:16], "big")
        if kind in (b"moov", b"moof", b"mdat") or size < 8:
            return kind == b"mdat"
        offset += size
    return False


def _mpeg(file: Readable, offset: int, *, anywhere: bool) -> Sniffed:
    """MPEG sound has no magic: a few frames or packets that fit together are one.

    ``anywhere``: we have come in the middle, and a packet may begin later.
    """
    for count in _SEARCHES:
        data = _at(file, offset, count)
        if (sniffed := _mpeg_in(data, offset, anywhere)) is not None:
            return sniffed
        if len(data) < count:
            break
    raise TrackError(TrackTrouble.UNSUPPORTED, "none of the formats we know")


def _mpeg_in(data: bytes, offset: int, anywhere: bool) -> Sniffed | None:
    for at in range(_TS_PACKET if anywhere else 1):
        syncs = data[at : at + _TS_PACKETS * _TS_PACKET : _TS_PACKET]
        if syncs == bytes([_TS_SYNC]) * _TS_PACKETS:
            return Sniffed(Demuxer.MPEGTS, measured=False, start=offset + at)
    mp3, aac = find(data, 0, mp3_frame), find(data, 0, adts_frame)
    if aac >= 0 and (mp3 < 0 or aac < mp3):
        return Sniffed(Demuxer.AAC, measured=False, start=offset + aac)
    if mp3 >= 0:
        measured = _counts_its_frames(data[mp3 : mp3 + 200])
        return Sniffed(Demuxer.MP3, measured=measured, start=offset + mp3)
    return None


def _counts_its_frames(frame: bytes) -> bool:
    """Whether this first MP3 frame is an index that says how many there are."""
    for name in (b"Xing", b"Info"):
        where = frame.find(name)
        if where > 0:
            return bool(frame[where + 7] & 1)
    return b"VBRI" in frame
