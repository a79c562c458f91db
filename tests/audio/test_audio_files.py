"""Laws of bad files: each gets its reason, nobody else notices."""

from __future__ import annotations

import os
import random
import struct
import time
from pathlib import Path

import pytest
from audio_media import FORMATS, encode, tone
from audio_reader import RATE, dominant
from audio_waiting import Log, filled, until

from ryzen.audio.decoder import Decoder
from ryzen.audio.sniff import Demuxer, sniff
from ryzen.audio.tags import read_tags
from ryzen.errors import TrackError, TrackTrouble
from ryzen.player.state import Media
from ryzen.ports import SoundEnded, SoundFailed, SoundStarted

pytestmark = pytest.mark.anyio


def hls(target: str) -> bytes:
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{target}\n#EXT-X-ENDLIST\n".encode()


def ffconcat(target: str) -> bytes:
    return f"ffconcat version 1.0\nfile '{target}'\n".encode()


def id3(size: int) -> bytes:
    return b"ID3\x04\0\0" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + bytes(size)


@pytest.fixture
def trap(tmp_path):
    """A pipe that tells whether anybody has opened it: a playlist's target."""
    pipe = tmp_path / "target.ts"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    os.close(reader)
    return pipe


WRECKS = {
    "zero length": (b"", TrackTrouble.BROKEN),
    "one byte": (b"\xff", TrackTrouble.UNSUPPORTED),
    "text": (b"La la la, la la.\n" * 500, TrackTrouble.UNSUPPORTED),
    "noise": (random.Random(7).randbytes(200_000), TrackTrouble.UNSUPPORTED),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(5000), TrackTrouble.UNSUPPORTED),
    "tags and nothing": (id3(5000), TrackTrouble.UNSUPPORTED),
    "tags without an end": (b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + bytes(5000), TrackTrouble.UNSUPPORTED),
    "ogg in name only": (b"OggS" + bytes(5000), TrackTrouble.BROKEN),
    "flac in name only": (b"fLaC" + bytes(5000), TrackTrouble.BROKEN),
    "mp4 in name only": (b"\0\0\0\x18ftypM4A " + bytes(5000), TrackTrouble.BROKEN),
    "webm in name only": (b"\x1aE\xdf\xa3" + bytes(5000), TrackTrouble.BROKEN),
    "wav in name only": (b"RIFF\xff\xff\xff\xffWAVE" + bytes(5000), TrackTrouble.BROKEN),
    "an avi": (b"RIFF\xff\xff\xff\xffAVI " + bytes(5000), TrackTrouble.UNSUPPORTED),
}


@pytest.mark.parametrize("name", WRECKS)
def test_a_wreck_has_its_reason(tmp_path, name):
    data, trouble = WRECKS[name]
    path = tmp_path / "song.mp3"
    path.write_bytes(data)
    with pytest.raises(TrackError) as caught:
        Decoder(str(path), 0.0, None, 5.0)
    assert caught.value.trouble is trouble


@pytest.mark.parametrize("playlist", [hls, ffconcat])
@pytest.mark.parametrize(
    "before", [b"", id3(300), b"\xef\xbb\xbf"], ids=["bare", "behind tags", "behind a mark"]
)
def test_a_playlist_named_as_a_song_is_refused_and_nothing_in_it_is_opened(tmp_path, trap, playlist, before):
    path = tmp_path / "song.mp3"
    path.write_bytes(before + playlist(str(trap)))
    with pytest.raises(TrackError) as caught:
        Decoder(str(path), 0.0, None, 5.0)
    assert caught.value.trouble is TrackTrouble.UNSUPPORTED


@pytest.mark.parametrize("playlist", [hls, ffconcat])
def test_a_playlist_within_a_song_is_noise(tmp_path, songs, playlist):
    """Real frames in front, so that it is taken for what it claims: it is read as that and nothing else."""
    target = songs("wav", "tone", 880, 3.0)
    path = tmp_path / "song.mp3"
    song = Path(songs("mp3-without-index", "tone", 440, 2.0)).read_bytes()
    path.write_bytes(song + playlist(target))
    decoder = Decoder(str(path), 0.0, None, 5.0)
    while not decoder.spent:
        decoder.read(96_000, time.monotonic() + 5)
    decoder.close()
    assert decoder.position == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("kind", FORMATS)
def test_content_decides_not_the_name(tmp_path, songs, kind):
    path = tmp_path / "song.txt"
    path.write_bytes(Path(songs(kind, "tone", 440, 2.0)).read_bytes())
    decoder = Decoder(str(path), 0.0, None, 5.0)
    assert len(decoder.read(96_000, time.monotonic() + 5)) == 96_000
    decoder.close()


def test_what_is_no_file_is_refused_without_waiting_for_it(tmp_path):
    pipe = tmp_path / "song.mp3"
    os.mkfifo(pipe)
    troubles = {}
    for name, path in {"gone": tmp_path / "no", "pipe": pipe, "folder": tmp_path, "nul": "a\0b"}.items():
        with pytest.raises(TrackError) as caught:
            sniff(str(path))
        troubles[name] = caught.value.trouble
    assert troubles == {
        "gone": TrackTrouble.MISSING,
        "pipe": TrackTrouble.UNSUPPORTED,
        "folder": TrackTrouble.UNSUPPORTED,
        "nul": TrackTrouble.MISSING,
    }


def test_what_every_format_is_taken_for(songs):
    taken = {kind: sniff(songs(kind, "tone", 440, 2.0)) for kind in FORMATS}
    assert {kind: sniffed.demuxer for kind, sniffed in taken.items()} == {
        "mp3": Demuxer.MP3,
        "mp3-without-index": Demuxer.MP3,
        "m4a": Demuxer.MP4,
        "aac": Demuxer.AAC,
        "ogg-opus": Demuxer.OGG,
        "ogg-vorbis": Demuxer.OGG,
        "webm": Demuxer.MATROSKA,
        "flac": Demuxer.FLAC,
        "wav": Demuxer.WAV,
    }
    assert {kind for kind, sniffed in taken.items() if not sniffed.measured} == {"mp3-without-index", "aac"}


def play_through(path: object, stated: float | None = None) -> tuple[float, TrackTrouble | None]:
    decoder = Decoder(str(path), 0.0, stated, 5.0)
    while not decoder.spent:
        decoder.read(96_000, time.monotonic() + 5)
    decoder.close()
    return decoder.position, decoder.trouble


@pytest.mark.parametrize("kind", FORMATS)
def test_a_whole_file_is_not_called_short(songs, kind):
    for stated in (None, 12.0):
        played, trouble = play_through(songs(kind, "tone", 440, 12.0), stated)
        assert trouble is None
        assert played == pytest.approx(12.0, abs=0.1)


@pytest.mark.parametrize("kind", ["mp3", "flac", "wav", "webm"])
def test_a_truncated_file_is_noticed_by_its_own_header(tmp_path, songs, kind):
    path = tmp_path / "song"
    data = Path(songs(kind, "tone", 440, 12.0)).read_bytes()
    path.write_bytes(data[: len(data) // 2])
    played, trouble = play_through(path)
    assert trouble is TrackTrouble.CUT_SHORT
    assert 4 < played < 8


def test_a_truncated_m4a_lacks_its_index_and_cannot_be_opened(tmp_path, songs):
    path = tmp_path / "song"
    data = Path(songs("m4a", "tone", 440, 12.0)).read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(TrackError) as caught:
        play_through(path)
    assert caught.value.trouble is TrackTrouble.BROKEN


@pytest.mark.parametrize("kind", ["aac", "mp3-without-index", "ogg-opus", "ogg-vorbis"])
def test_a_truncated_file_without_a_header_is_noticed_by_its_source_s_word(tmp_path, songs, kind):
    path = tmp_path / "song"
    data = Path(songs(kind, "tone", 440, 12.0)).read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert play_through(path, stated=12.0)[1] is TrackTrouble.CUT_SHORT
    assert play_through(path)[1] is None


def test_a_varying_bit_rate_without_an_index_is_not_called_short(tmp_path):
    """Quiet at first, then loud: by the rate of its first frames it should be three times as long."""
    parts = []
    for kbps, length in ((40, 1.0), (256, 10.0)):
        part = tmp_path / f"{kbps}.mp3"
        encode(part, "mp3-without-index", tone(440, length, 44100), 44100, kbps=kbps)
        parts.append(part.read_bytes()[len(id3_of(part)) :])
    path = tmp_path / "song.mp3"
    path.write_bytes(b"".join(parts))
    stated = read_tags(path).duration
    assert stated == pytest.approx(11.0, abs=0.2)
    for word in (None, stated):
        played, trouble = play_through(path, word)
        assert trouble is None
        assert played == pytest.approx(11.0, abs=0.2)


def id3_of(path: Path) -> bytes:
    data = path.read_bytes()
    a, b, c, d = data[6:10]
    return data[: 10 + (a << 21 | b << 14 | c << 7 | d)]


def test_a_wild_claim_of_length_is_noticed(tmp_path, songs):
    path = tmp_path / "song.mp3"
    data = bytearray(Path(songs("mp3", "tone", 440, 3.0)).read_bytes())
    frames = max(data.find(b"Xing"), data.find(b"Info")) + 8
    data[frames : frames + 4] = struct.pack(">I", 10_000_000)
    path.write_bytes(data)
    played, trouble = play_through(path)
    assert trouble is TrackTrouble.CUT_SHORT
    assert played == pytest.approx(3.0, abs=0.1)


def test_bad_packets_in_the_middle_are_skipped(tmp_path, songs):
    for kind in ("mp3", "ogg-opus", "aac", "flac"):
        path = tmp_path / kind
        data = bytearray(Path(songs(kind, "tone", 440, 12.0)).read_bytes())
        middle, hole = len(data) // 2, len(data) // 60
        data[middle : middle + hole] = random.Random(7).randbytes(hole)
        path.write_bytes(data)
        played, trouble = play_through(path)
        assert trouble is None, kind
        assert 10.5 < played < 12.2, kind  # Ogg loses a whole page of a second


def test_a_slice_ends_when_its_time_is_up(songs):
    decoder = Decoder(songs("mp3", "tone", 440, 12.0), 0.0, None, 5.0)
    assert len(decoder.read(12 * 96_000, until=0.0)) < 96_000
    decoder.close()


@pytest.mark.parametrize("offset", [2.9, 3.0, 60.0])
def test_beyond_the_end_there_is_nothing_and_that_is_no_fault(songs, offset):
    for kind in FORMATS:
        decoder = Decoder(songs(kind, "tone", 440, 3.0), offset, None, 5.0)
        while not decoder.spent:
            decoder.read(96_000, time.monotonic() + 5)
        decoder.close()
        assert decoder.trouble is None, kind
        assert offset <= decoder.position < offset + 0.25, kind


# -- through the deck
async def test_a_failure_is_told_and_the_next_track_is_heard(decks, songs, open_reader, tmp_path):
    text = tmp_path / "text.mp3"
    text.write_text("no song\n" * 100)
    log = Log()
    deck = decks.open(1, log)
    reader = open_reader(deck.renew(), pace=0.05)
    deck.load(1, Media(songs("wav", "tone", 440, 9.0)), 0.0)
    await log.first(SoundStarted)
    for epoch, path in ((2, text), (3, tmp_path / "none.mp3")):
        deck.load(epoch, Media(str(path)), 0.0)
    await until(lambda: log.of(SoundFailed))
    assert log.of(SoundFailed)[-1] == SoundFailed(3, TrackTrouble.MISSING)
    assert all(failed.epoch in (2, 3) for failed in log.of(SoundFailed))
    failed_at = len(reader.samples)
    await until(lambda: len(reader.samples) > failed_at + RATE)
    assert dominant(reader.samples[-RATE // 4 :]) == 0, "the old track does not go on"
    deck.load(4, Media(songs("wav", "tone", 660, 9.0)), 0.0)
    await until(lambda: dominant(reader.samples[-RATE // 4 :]) == pytest.approx(660, abs=5))


async def test_cut_short_is_told_when_what_there_was_has_been_heard(decks, songs, open_reader, tmp_path):
    short = tmp_path / "short.wav"
    data = Path(songs("wav", "tone", 440, 12.0)).read_bytes()
    short.write_bytes(data[: len(data) // 6])
    log = Log()
    deck = decks.open(1, log)
    deck.load(1, Media(str(short), 12.0), 0.0)
    reader = open_reader(await filled(deck), pace=0.05)
    failed = await log.first(SoundFailed)
    assert failed == SoundFailed(1, TrackTrouble.CUT_SHORT, pytest.approx(2.0, abs=0.05))
    assert deck.position() == (1, pytest.approx(1.8, abs=0.3))
    assert log.of(SoundEnded) == []
    await until(lambda: len(reader.samples) > 2 * RATE)
    assert dominant(reader.samples[RATE : int(1.7 * RATE)]) == pytest.approx(440, abs=3)
