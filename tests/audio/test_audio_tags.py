"""Laws of tags: read from every format, never believed, never a crash."""

from __future__ import annotations

import base64
import contextlib
import random
import shutil
from pathlib import Path

import mutagen
import mutagen.mp4
import pytest
from audio_media import FORMATS
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, TIT2, TPE1
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4
from mutagen.wave import WAVE

from ryzen.audio.tags import Tags, read_tags
from ryzen.errors import TrackError, TrackTrouble

COVER = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
TITLE, ARTIST = "Größe – 夜", "Ñandú & The Ryzens"


def picture() -> Picture:
    made = Picture()
    made.data, made.mime, made.type = COVER, "image/png", 3
    return made


def tag(path: Path, kind: str) -> None:
    match kind:
        case "mp3" | "mp3-without-index" | "wav":
            media = (WAVE if kind == "wav" else MP3)(path)
            if media.tags is None:
                media.add_tags()
            for frame in (TIT2(3, TITLE), TPE1(3, ARTIST), APIC(3, "image/png", 3, "", COVER)):
                media.tags.add(frame)
        case "m4a":
            media = MP4(path)
            media.update({"\xa9nam": [TITLE], "\xa9ART": [ARTIST], "covr": [mutagen.mp4.MP4Cover(COVER)]})
        case "flac":
            media = FLAC(path)
            media.update({"title": TITLE, "artist": ARTIST})
            media.add_picture(picture())
        case _:
            media = mutagen.File(path)
            encoded = base64.b64encode(picture().write()).decode()
            media.update({"title": TITLE, "artist": ARTIST, "metadata_block_picture": [encoded]})
    media.save()


@pytest.mark.parametrize("kind", sorted(set(FORMATS) - {"aac", "webm"}))
def test_title_artist_length_and_cover_are_read(tmp_path, songs, kind):
    path = tmp_path / "song.bin"
    shutil.copy(songs(kind, "tone", 440, 3.0), path)
    tag(path, kind)
    tags = read_tags(path)
    assert (tags.title, tags.artist, tags.cover) == (TITLE, ARTIST, COVER)
    assert tags.duration == pytest.approx(3.0, abs=0.1)


@pytest.mark.parametrize("kind", FORMATS)
def test_an_untagged_file_says_its_length_and_nothing_else(songs, kind):
    tags = read_tags(songs(kind, "tone", 440, 3.0))
    assert tags == Tags(duration=tags.duration)
    assert tags.duration == pytest.approx(3.0, abs=0.1)


def test_a_title_is_one_line_without_control_characters(tmp_path, songs):
    path = tmp_path / "song.mp3"
    shutil.copy(songs("mp3", "tone", 440, 3.0), path)
    media = MP3(path)
    media.tags.add(TIT2(3, "a\nb\u202e\x07  c"))
    media.save()
    assert read_tags(path).title == "a b c"


def test_what_we_do_not_play_is_refused(tmp_path):
    path = tmp_path / "list.mp3"
    path.write_text("#EXTM3U\nsong.mp3\n")
    with pytest.raises(TrackError) as caught:
        read_tags(path)
    assert caught.value.trouble is TrackTrouble.UNSUPPORTED
    with pytest.raises(TrackError) as caught:
        read_tags(tmp_path / "nothing.mp3")
    assert caught.value.trouble is TrackTrouble.MISSING


@pytest.mark.parametrize("kind", FORMATS)
def test_damaged_headers_raise_nothing_but_a_track_error(tmp_path, songs, kind):
    path = tmp_path / "song"
    shutil.copy(songs(kind, "tone", 440, 3.0), path)
    if kind not in {"aac", "webm"}:
        tag(path, kind)
    whole = path.read_bytes()
    dice = random.Random(kind)
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(dice.randrange(1, 20)):
            data[dice.randrange(min(900, len(data)))] = dice.randrange(256)
        path.write_bytes(data[: dice.choice([len(data), dice.randrange(1, len(data))])])
        with contextlib.suppress(TrackError):
            read_tags(path)


def test_a_transport_stream_tells_nothing_of_itself(songs):
    assert read_tags(songs("ts", "chirp", length=15.0)) == Tags()
