"""The demo's music: made once, whole, and as its tags say."""

from __future__ import annotations

import io
from pathlib import Path

import av
import mutagen
import numpy as np
import pytest
from mutagen.mp4 import MP4
from mutagen.oggopus import OggOpus
from PIL import Image

from ryzen.sandbox.synth import RATE, Part, music_box, perform, strings, tone
from ryzen.sandbox.tunes import TONES, TUNES, make_music


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home") / "not" / "there yet"
    make_music(folder)
    return folder


def decoded(path: Path) -> np.ndarray:
    """Mono samples, full scale is 1."""
    with av.open(str(path)) as file:
        resampler = av.AudioResampler("flt", "mono", RATE)
        frames = [piece for frame in file.decode(audio=0) for piece in resampler.resample(frame)]
        return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def loudest(samples: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(power.argmax() * RATE / len(samples))


@pytest.mark.parametrize("hz", TONES)
def test_a_tone_is_pure_and_lasts_a_minute(music: Path, hz: int) -> None:
    samples = decoded(music / f"tone {hz}.flac")
    assert len(samples) == 60 * RATE
    assert loudest(samples[:RATE]) == pytest.approx(hz, abs=1)
    assert loudest(samples[-RATE:]) == pytest.approx(hz, abs=1)
    assert np.sqrt(np.mean(samples**2)) == pytest.approx(0.35 / np.sqrt(2), rel=0.01)
    assert abs(samples[0]) < 0.01
    assert abs(samples[-1]) < 0.01


@pytest.mark.parametrize("tune", [tune for tune in TUNES if tune.paint], ids=lambda tune: tune.title)
def test_a_tune_is_short_and_neither_silent_nor_clipped(music: Path, tune: object) -> None:
    samples = decoded(music / tune.file)  # type: ignore[attr-defined]  # a Tune, seen through pytest
    assert 20 <= len(samples) / RATE <= 40
    assert np.abs(samples).max() < 0.9
    for second in np.array_split(samples, len(samples) // RATE):
        assert np.sqrt(np.mean(second**2)) > 0.001


def test_every_piece_says_what_it_is_in_its_own_format(music: Path) -> None:
    for tune in TUNES:
        tags = mutagen.File(music / tune.file, easy=True)
        assert tags["title"] == [tune.title]
        assert tags.get("artist", [""]) == [tune.artist]
    assert {Path(tune.file).suffix for tune in TUNES} == {".mp3", ".m4a", ".opus", ".flac"}


def test_every_tune_has_a_cover(music: Path) -> None:
    pictures = {
        "ode-to-joy.mp3": mutagen.File(music / "ode-to-joy.mp3").tags["APIC:"].data,
        "Frère Jacques.m4a": bytes(MP4(music / "Frère Jacques.m4a")["covr"][0]),
        "Canon in D.flac": mutagen.File(music / "Canon in D.flac").pictures[0].data,
    }
    assert OggOpus(music / "greensleeves.opus")["metadata_block_picture"]
    covers = [Image.open(io.BytesIO(data)) for data in pictures.values()]
    assert {cover.size for cover in covers} == {(480, 480)}
    assert len(set(pictures.values())) == 3


def test_what_is_there_is_not_made_again_and_what_is_missing_is(music: Path) -> None:
    mine = music / "mine.mp3"
    mine.write_bytes(b"mine")
    before = {path: path.stat().st_mtime_ns for path in music.iterdir()}
    (music / "tone 880.flac").unlink()
    files = make_music(music)
    after = {path: path.stat().st_mtime_ns for path in music.iterdir()}
    assert after.keys() == before.keys()
    assert [path.name for path in after if after[path] != before[path]] == ["tone 880.flac"]
    assert files == tuple(music / tune.file for tune in TUNES)


def test_a_piece_that_fails_in_the_making_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, tune: object) -> None:
        assert path.stat().st_size > 0
        raise OSError("disk full")

    monkeypatch.setattr("ryzen.sandbox.tunes._tag", fail)
    with pytest.raises(OSError, match="disk full"):
        make_music(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_notes_are_where_the_score_says() -> None:
    wave = perform([Part(music_box, "A4 -:3 A5:2"), Part(strings, "-:8", 0.1)], beat=0.5, echo=0)
    assert loudest(wave[: RATE // 2]) == pytest.approx(440, abs=3)
    assert loudest(wave[2 * RATE : 3 * RATE]) == pytest.approx(880, abs=3)
    assert np.abs(wave).max() == pytest.approx(0.7, abs=0.01)


def test_a_tone_does_not_click() -> None:
    wave = tone(440, 1)
    assert np.abs(np.diff(wave[:100])).max() < 0.01
