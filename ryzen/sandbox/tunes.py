"""The demo's own music: a few tunes with tags and covers, and pure tones, made on the spot."""

from __future__ import annotations

import base64
import io
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import attrs
import av
import numpy as np
from loguru import logger
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, ID3, TIT2, TPE1
from mutagen.mp4 import MP4, MP4Cover
from mutagen.oggopus import OggOpus
from PIL import Image, ImageDraw

from ryzen.sandbox.synth import RATE, Part, Wave, harp, music_box, perform, piano, strings, tone

TONES = (440, 880, 1320)
TONE_SECONDS = 60.0
COVER = 480  #: pixels, both ways
#: Suffix: container and codec as FFmpeg calls them, sample format of the encoder.
FORMATS = {
    ".mp3": ("mp3", "libmp3lame", "fltp"),
    ".m4a": ("ipod", "aac", "fltp"),
    ".opus": ("ogg", "libopus", "flt"),
    ".flac": ("flac", "flac", "s16"),
}


@attrs.frozen
class Tune:
    """A piece of the library; ``paint`` are the cover's colours, none without a cover."""

    file: str
    title: str
    artist: str
    make: Callable[[], Wave]
    paint: tuple[str, ...] = ()


def _frere_jacques() -> Wave:
    lines = ("C5 D5 E5 C5", "E5 F5 G5:2", "G5:.5 A5:.5 G5:.5 F5:.5 E5 C5", "C5 G4 C5:2")
    melody = " ".join(f"{line} {line}" for line in lines)
    return perform(
        [
            Part(music_box, melody + " -:8"),
            Part(music_box, "-:8 " + melody, 0.6, transpose=-12),  # the same, two bars later: it is a round
            Part(strings, "C3+G3:4 " * 10, 0.25),
        ],
        beat=0.5,
    )


def _ode_to_joy() -> Wave:
    first = "E4 E4 F4 G4 G4 F4 E4 D4 C4 C4 D4 E4 E4:1.5 D4:.5 D4:2 "
    second = "E4 E4 F4 G4 G4 F4 E4 D4 C4 C4 D4 E4 D4:1.5 C4:.5 C4:2 "
    bridge = "D4 D4 E4 C4 D4 E4:.5 F4:.5 E4 C4 D4 E4:.5 F4:.5 E4 D4 C4 D4 G3:2 "
    chords = "C3+G3:4 G2+D3:4 C3+G3:4 G2+D3:4 C3+G3:4 G2+D3:4 C3+G3:4 G2+D3:2 C3+G3:2 "
    middle = "G2+D3:4 G2+D3:4 G2+B2:4 A2+D3:2 G2+D3:2 C3+G3:4 G2+D3:4 C3+G3:4 G2+D3:2 C3:2"
    return perform(
        [Part(piano, first + second + bridge + second), Part(piano, chords + middle, 0.5)], beat=0.45
    )


def _greensleeves() -> Wave:
    verse = "A4:1 C5:2 D5:1 E5:1.5 F#5:.5 E5:1 D5:2 B4:1 G4:1.5 A4:.5 B4:1 "
    ends = (
        "C5:2 A4:1 A4:1.5 G#4:.5 A4:1 B4:2 G#4:1 E4:2 ",
        "C5:1.5 B4:.5 A4:1 G#4:1.5 F#4:.5 G#4:1 A4:3 A4:2 ",
    )
    bass = "-:1 A2:3 A2:3 G2:3 G2:3 A2:3 A2:3 E2:3 E2:3 A2:3 A2:3 G2:3 G2:3 A2:1.5 E2:1.5 E2:3 A2:5"
    chords = " ".join(
        f"{note}+{note[0]}3:{beats}" if note != "-" else f"-:{beats}"
        for note, _, beats in (part.partition(":") for part in bass.split())
    )
    melody = verse + ends[0] + verse + ends[1]
    return perform([Part(harp, melody), Part(harp, chords, 0.6), Part(strings, melody, 0.15)], beat=0.42)


def _canon() -> Wave:
    bass = "D3:2 A2:2 B2:2 F#2:2 G2:2 D2:2 G2:2 A2:2 "
    voice = "F#5:2 E5:2 D5:2 C#5:2 B4:2 A4:2 B4:2 C#5:2 "
    higher = "D5 F#5 A5 G5 F#5 D5 F#5 E5 D5 B4 D5 A5 G5 B5 A5 G5 "
    return perform(
        [
            Part(harp, bass * 3, 0.7),
            Part(strings, "-:16 " + voice + voice, 0.35),
            Part(music_box, "-:16 " + voice + higher, 0.5),
            Part(strings, bass * 3, 0.2, transpose=12),
        ],
        beat=0.6,
    )


TUNES = (
    Tune(
        "Frère Jacques.m4a", "Frère Jacques", "Traditional", _frere_jacques, ("#16324f", "#f4a261", "#e9c46a")
    ),
    Tune(
        "ode-to-joy.mp3", "Ode to Joy", "Ludwig van Beethoven", _ode_to_joy, ("#5f0f40", "#fb8b24", "#e36414")
    ),
    Tune(
        "greensleeves.opus", "Greensleeves", "Traditional", _greensleeves, ("#0b3d2e", "#95d5b2", "#d8f3dc")
    ),
    Tune("Canon in D.flac", "Canon in D", "Johann Pachelbel", _canon, ("#22223b", "#c9ada7", "#9a8c98")),
    *(Tune(f"tone {hz}.flac", f"tone {hz}", "", partial(tone, hz, TONE_SECONDS)) for hz in TONES),
)


def make_music(folder: Path) -> tuple[Path, ...]:
    """See that the demo's music is in ``folder``, and return its files; what is there is not made again.

    Takes a few seconds the first time: call it in a thread. A file appears under its name only when it is
    complete, so that a process that dies, or a second one, does no harm. Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [tune for tune in TUNES if not (folder / tune.file).exists()]
    if wanted:
        logger.info("making music: {} pieces into {}", len(wanted), folder)
        # Hidden, so that no scan of the folder sees it; inside, so that the move is within one disk.
        with tempfile.TemporaryDirectory(prefix=".making-", dir=folder) as workshop:
            for tune in wanted:
                draft = Path(workshop, tune.file)
                _encode(tune.make(), draft)
                _tag(draft, tune)
                draft.replace(folder / tune.file)
    return tuple(folder / tune.file for tune in TUNES)


def _encode(wave: Wave, path: Path) -> None:
    container, codec, sample_format = FORMATS[path.suffix]
    samples = wave[np.newaxis]
    if sample_format == "s16":
        frame = av.AudioFrame.from_ndarray((samples * 32767).astype(np.int16), format="s16", layout="mono")
    else:
        frame = av.AudioFrame.from_ndarray(samples, format=sample_format, layout="mono")
    frame.sample_rate = RATE
    pieces = av.AudioFifo()
    pieces.write(frame)
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream(codec, rate=RATE, layout="mono", format=sample_format)
        assert isinstance(stream, av.AudioStream)
        while (piece := pieces.read(stream.frame_size or 4096, partial=True)) is not None:
            file.mux(stream.encode(piece))
        file.mux(stream.encode(None))


def _tag(path: Path, tune: Tune) -> None:
    """Title, artist and cover, each format in its own manner."""
    cover = _cover(tune) if tune.paint else None
    match path.suffix:
        case ".mp3":
            tags = ID3()
            tags.add(TIT2(text=tune.title))
            tags.add(TPE1(text=tune.artist))
            if cover:
                tags.add(APIC(mime="image/png", type=3, data=cover))
            tags.save(path)
        case ".m4a":
            atoms = MP4(path)
            atoms["\xa9nam"], atoms["\xa9ART"] = tune.title, tune.artist
            if cover:
                atoms["covr"] = [MP4Cover(cover, MP4Cover.FORMAT_PNG)]
            atoms.save()
        case ".opus":
            comments = OggOpus(path)
            comments["title"], comments["artist"] = tune.title, tune.artist
            if cover:
                comments["metadata_block_picture"] = base64.b64encode(_picture(cover).write()).decode()
            comments.save()
        case ".flac":
            blocks = FLAC(path)
            blocks["title"] = tune.title
            if tune.artist:
                blocks["artist"] = tune.artist
            if cover:
                blocks.add_picture(_picture(cover))
            blocks.save()


def _picture(cover: bytes) -> Picture:
    picture = Picture()
    picture.type, picture.mime, picture.data = 3, "image/png", cover
    picture.width = picture.height = COVER
    picture.depth = 24
    return picture


def _cover(tune: Tune) -> bytes:
    """A PNG: rings like ripples, as many as the title has letters."""
    ground, ring, sun = tune.paint
    image = Image.new("RGB", (COVER, COVER), ground)
    draw = ImageDraw.Draw(image)
    rings = len(tune.title)
    for index in range(rings):
        radius = COVER * 0.72 * (index + 1) / rings
        box = (COVER * 0.35 - radius, COVER * 0.6 - radius, COVER * 0.35 + radius, COVER * 0.6 + radius)
        draw.ellipse(box, outline=ring, width=3)
    draw.ellipse((COVER * 0.62, COVER * 0.1, COVER * 0.86, COVER * 0.34), fill=sun)
    draw.rectangle((0, COVER - 84, COVER, COVER), fill=ground)
    draw.text((24, COVER - 74), tune.title, fill=sun, font_size=34)
    draw.text((24, COVER - 34), tune.artist, fill=ring, font_size=18)
    data = io.BytesIO()
    image.save(data, "PNG", optimize=True)
    return data.getvalue()
