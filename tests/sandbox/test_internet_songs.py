"""The songs of the local internet: made once, whole, as long and as loud as they say."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
import pytest
from internet_stage import SONGS, recordings

from ryzen.sandbox.internet.innertube import CHANNEL
from ryzen.sandbox.internet.songs import OPUS, beep, record
from ryzen.sandbox.internet.world import LONG_SONG
from ryzen.sandbox.internet.world import SONGS as DEMO_SONGS
from ryzen.sandbox.synth import Wave


@pytest.mark.parametrize("kind", ["webm", "m4a"])
def test_a_recording_sounds_as_it_should_and_is_as_long(tmp_path: Path, kind: str) -> None:
    (recording,) = recordings(tmp_path, SONGS[:1])
    with av.open(io.BytesIO(getattr(recording, kind))) as file:
        resampler = av.AudioResampler("flt", "mono", 48_000)
        frames = [piece for frame in file.decode(audio=0) for piece in resampler.resample(frame)]
    samples = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    spectrum = np.abs(np.fft.rfft(samples[48_000:96_000]))
    assert int(np.argmax(spectrum)) == 440
    assert abs(len(samples) / 48_000 - 6) < 0.1
    assert abs(recording.seconds - 6) < 0.1


def test_the_rate_of_a_webm_is_what_it_says(tmp_path: Path) -> None:
    (recording,) = recordings(tmp_path, SONGS[:1])
    assert abs(len(recording.webm) * 8 / recording.seconds / OPUS - 1) < 0.05


def test_m4a_can_be_read_from_the_front(tmp_path: Path) -> None:
    (recording,) = recordings(tmp_path, SONGS[:1])
    assert recording.m4a.index(b"moov") < recording.m4a.index(b"mdat")


def test_what_is_recorded_is_not_made_again(tmp_path: Path) -> None:
    def never() -> Wave:
        raise AssertionError

    first = record(tmp_path, [beep("Once_______", "Once", "A", 440, 1)])
    song = beep("Once_______", "Once more", "B", 440, 1)
    again = record(tmp_path, [type(song)(song.id, song.title, song.artist, never)])
    assert again[0].webm == first[0].webm
    assert again[0].song.title == "Once more"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["Once_______.m4a", "Once_______.webm"]


def test_a_recording_that_was_broken_off_leaves_nothing_behind(tmp_path: Path) -> None:
    def broken() -> Wave:
        raise OSError

    with pytest.raises(OSError):
        record(tmp_path, [type(SONGS[0])("Broken_____", "Broken", "A", broken)])
    assert not list(tmp_path.iterdir())


def test_ids_are_such_as_youtube_has() -> None:
    ids = [song.id for song in (*DEMO_SONGS, LONG_SONG)]
    assert len(set(ids)) == len(ids)
    assert {len(id) for id in ids} == {11}
    assert len(CHANNEL) == 24
