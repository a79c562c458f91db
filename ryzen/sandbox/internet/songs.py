"""The songs of the local internet: music from ``tunes`` and ``synth``, encoded as YouTube's audio is."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import av
import numpy as np
from loguru import logger

from ryzen.sandbox.synth import RATE, Wave, tone

#: Of the opus in a webm (itag 251), held constant: 15 kB a second, so that rates and times can be compared.
OPUS = 120_000
AAC = 128_000
_FILES = ("webm", "m4a")
#: Container and codec as FFmpeg calls them, bits a second, options of either.
_FORMATS: dict[str, tuple[str, str, int, dict[str, str], dict[str, str]]] = {
    "webm": ("webm", "libopus", OPUS, {"vbr": "off", "compression_level": "3"}, {}),
    "m4a": ("mp4", "aac", AAC, {}, {"movflags": "faststart"}),
    # Without a reservoir each frame stands for itself: it can go round and round.
    "mp3": ("mp3", "libmp3lame", 128_000, {"reservoir": "0"}, {"write_xing": "0", "id3v2_version": "0"}),
}


@attrs.frozen
class Segment:
    """Of a recording, in seconds, that is no music: ``category`` as SponsorBlock names it."""

    start: float
    end: float
    category: str = "music_offtopic"


@attrs.frozen
class Song:
    """What there is to know of a song before it is recorded.

    ``id`` is a video id (eleven of ``A-Za-z0-9_-``); ``lyrics`` are lines with the second at which each is
    sung, ``chapters`` the seconds at which each begins (YouTube wants the first at 0, and three or more).
    """

    id: str
    title: str
    artist: str
    make: Callable[[], Wave] = attrs.field(repr=False)
    album: str = ""
    isrc: str = ""
    chapters: tuple[tuple[float, str], ...] = ()
    segments: tuple[Segment, ...] = ()
    lyrics: tuple[tuple[float, str], ...] = ()
    colour: str = "#22577a"


@attrs.frozen
class Recording:
    """A song with its files; ``seconds`` is what they last."""

    song: Song
    seconds: float
    webm: bytes = attrs.field(repr=False)
    m4a: bytes = attrs.field(repr=False)

    def called(self, id: str, **changes: Any) -> Recording:
        """The same sound as another video; ``changes`` as in Song."""
        return attrs.evolve(self, song=attrs.evolve(self.song, id=id, **changes))


def beep(id: str, title: str, artist: str, hz: float, seconds: float, **more: Any) -> Song:
    """A song that an ear can name: one pure tone. ``more`` as in Song."""
    return Song(id, title, artist, partial(tone, hz, seconds), **more)


def record(folder: Path, songs: Iterable[Song]) -> tuple[Recording, ...]:
    """The songs, recorded into ``folder``; what is there under a song's id is taken and not made again.

    Takes about 0.02 s per second of music: call it in a thread. A file appears under its name only when it is
    whole. Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return tuple(_record(folder, song) for song in songs)


def _record(folder: Path, song: Song) -> Recording:
    files = {kind: folder / f"{song.id}.{kind}" for kind in _FILES}
    if not all(file.exists() for file in files.values()):
        logger.info("recording {!r}", song.title)
        wave = song.make()
        with tempfile.TemporaryDirectory(prefix=".recording-", dir=folder) as workshop:
            for kind, file in files.items():
                draft = Path(workshop, file.name)
                encode(wave, draft, kind)
                draft.replace(file)
    with av.open(str(files["webm"])) as container:
        assert container.duration
        seconds = container.duration / av.time_base
    return Recording(song, seconds, files["webm"].read_bytes(), files["m4a"].read_bytes())


def encode(wave: Wave, path: Path, kind: str) -> None:
    """As ``webm`` (opus), ``m4a`` (AAC) or ``mp3``, of a constant rate."""
    container, codec, bit_rate, codec_options, options = _FORMATS[kind]
    with av.open(str(path), "w", format=container, options=options) as file:
        stream = file.add_stream(codec, rate=RATE, layout="stereo", options=codec_options)
        assert isinstance(stream, av.AudioStream)
        stream.bit_rate = bit_rate
        resampler = av.AudioResampler(stream.format.name, "stereo", RATE, frame_size=stream.frame_size)
        for at in range(0, len(wave), RATE):
            samples = np.ascontiguousarray(wave[np.newaxis, at : at + RATE])
            frame = av.AudioFrame.from_ndarray(samples, "flt", "mono")
            frame.sample_rate, frame.pts = RATE, at
            for piece in resampler.resample(frame):
                file.mux(stream.encode(piece))
        for piece in resampler.resample(None):
            file.mux(stream.encode(piece))
        file.mux(stream.encode(None))
