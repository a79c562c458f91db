"""MPEG audio frame by frame: MP3 and AAC have no header for the whole, only one for each frame."""

from __future__ import annotations

from collections.abc import Callable

import attrs

_MPEG1_KBPS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MPEG2_KBPS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_MP3_HZ = (44100, 48000, 32000)
_AAC_HZ = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_HEADER = 7


@attrs.frozen
class Frame:
    """``size`` in bytes, ``length`` in seconds."""

    size: int
    length: float


Parse = Callable[[bytes], Frame | None]


def mp3_frame(header: bytes) -> Frame | None:
    """The layer III frame with this header, if it is one."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    kbps, rate, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if version == 1 or layer != 1 or kbps in (0, 15) or rate == 3:
        return None
    if version == 3:
        hertz = _MP3_HZ[rate]
        return Frame(144_000 * _MPEG1_KBPS[kbps] // hertz + padding, 1152 / hertz)
    hertz = _MP3_HZ[rate] // (2 if version == 2 else 4)
    return Frame(72_000 * _MPEG2_KBPS[kbps] // hertz + padding, 576 / hertz)


def adts_frame(header: bytes) -> Frame | None:
    """The AAC frame with this header, if it is one."""
    if len(header) < _HEADER or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:
        return None
    size = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    rate = header[2] >> 2 & 15
    if size <= _HEADER or rate >= len(_AAC_HZ):
        return None
    return Frame(size, 1024 * ((header[6] & 3) + 1) / _AAC_HZ[rate])


def chained(data: bytes, start: int, parse: Parse) -> bool:
    """Whether three frames follow one another here; fewer will do if the data ends with the last."""
    for _ in range(3):
        frame = parse(data[start : start + _HEADER])
        if frame is None:
            return False
        start += frame.size
        if start == len(data):
            return True
    return True


def find(data: bytes, start: int, parse: Parse) -> int:
    """Where the next chain begins; -1 if there is none."""
    start = data.find(b"\xff", start)
    while start >= 0 and not chained(data, start, parse):
        start = data.find(b"\xff", start + 1)
    return start


def measure(data: bytes, parse: Parse) -> float:
    """Seconds of sound in all frames, whatever lies between them."""
    length, at = 0.0, 0
    while at < len(data):
        frame = parse(data[at : at + _HEADER])
        if frame is not None:
            length += frame.length
            at += frame.size
        elif (at := find(data, at + 1, parse)) < 0:
            break
    return length
