"""Laws of decoding a file that is still being written, below the worker."""

from __future__ import annotations

import itertools
import queue
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from audio_growing import NET_FORMATS, drain, no_rest, open_growth
from audio_media import FORMATS, chirp, encode, tone
from audio_reader import RATE, dominant
from audio_waiting import lag

from ryzen.audio import decoder as decoder_module
from ryzen.audio import inflow as inflow_module
from ryzen.audio.ahead import Ahead
from ryzen.audio.container import open_whole
from ryzen.audio.decoder import Decoder
from ryzen.audio.inflow import Inflow, is_growing
from ryzen.audio.ledger import Hand, Ledger
from ryzen.audio.sniff import Demuxer, sniff, sniff_growing
from ryzen.audio.wire import Load
from ryzen.errors import TrackError, TrackTrouble
from ryzen.growing import GrowingFile

ALL = (*FORMATS, *NET_FORMATS)
#: What can be entered while it grows; only an m4a as FFmpeg writes it has its index behind the sound.
FLOWING = tuple(kind for kind in ALL if kind != "m4a")


def whole(path: str, offset: float = 0.0) -> np.ndarray:
    return drain(Decoder(path, offset, None, 5.0))


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("total", [True, False], ids=["of known length", "of unknown length"])
def test_what_is_decoded_while_it_grows_is_what_the_whole_file_has(songs, grow, kind, total):
    path = songs(kind, "chirp", length=15.0)
    growth = grow(path, total)
    growth.share(0.02)
    growth.flow(2e6)
    heard, right = drain(open_growth(growth, stated=15.0)), whole(path)
    shorter = min(len(heard), len(right)) - 100  # a resampler's last samples know that they are
    assert np.array_equal(heard[:shorter], right[:shorter])
    assert abs(len(heard) - len(right)) < 0.03 * RATE, "an MP3's padding is cut off where its end is known"


@pytest.mark.parametrize("kind", FLOWING)
@pytest.mark.parametrize("offset", [0.4, 2.7, 11.23])
def test_a_place_in_it_is_waited_for_and_found_as_exactly_as_in_the_whole(songs, grow, kind, offset):
    path = songs(kind, "chirp", length=15.0)
    growth = grow(path)
    growth.share(0.02)
    growth.flow(4e6)
    heard = drain(open_growth(growth, offset))
    assert abs(lag(heard[: RATE // 2], chirp(15.0, RATE), offset)) < 0.03
    assert abs(len(heard) / RATE + offset - 15.0) < 0.06


@pytest.mark.parametrize("kind", FLOWING)
def test_the_first_sound_needs_little_of_it(songs, grow, kind):
    """Nothing looks for the end, and nothing is read to be on the safe side."""
    growth = grow(songs(kind, "chirp", length=60.0))
    growth.grow_to({"wav": 96 << 10, "flac": 32 << 10, "ogg-opus": 24 << 10}.get(kind, 16 << 10))
    patience = threading.Timer(10.0, growth.writer.fail)  # else it would wait for ever for the end
    patience.start()
    decoder = open_growth(growth)
    assert decoder.read(4800, float("inf"))
    assert not decoder.over
    decoder.close()
    decoder._inflow.close()
    patience.cancel()
    patience.join()


def test_tags_with_a_picture_are_waited_for(songs, grow):
    size = 200_000
    tags = b"ID3\x04\0\0" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + bytes(size)
    data = tags + Path(songs("mp3-without-index", "chirp", length=15.0)).read_bytes()
    growth = grow(data)
    growth.grow_to(4096)
    growth.flow(4e6)
    assert len(drain(open_growth(growth))) == pytest.approx(15.0 * RATE, rel=0.01)


@pytest.mark.parametrize("kind", ALL)
def test_a_growing_file_is_taken_for_what_the_whole_one_is(songs, grow, kind):
    path = songs(kind, "chirp", length=15.0)
    growth = grow(path)
    growth.grow_to(16 << 10)
    with GrowingFile(growth.path) as file:
        assert sniff_growing(file).demuxer is sniff(path).demuxer


def test_only_an_index_behind_the_sound_makes_one_wait_for_the_end(songs, grow):
    last = {}
    for kind in ("m4a", "mp4-index-first", "mp4-fragments", "mp4-dash"):
        growth = grow(songs(kind, "chirp", length=15.0))
        growth.grow_to(16 << 10)
        with GrowingFile(growth.path) as file:
            last[kind] = sniff_growing(file).index_last
    assert last == {"m4a": True, "mp4-index-first": False, "mp4-fragments": False, "mp4-dash": False}


@pytest.mark.parametrize("kind", ["webm", "flac", "mp4-index-first", "mp4-dash"])
def test_a_file_that_tells_its_length_at_its_start_is_cut_short_before_that(songs, grow, kind):
    """A server that has no more, and says that this was all."""
    growth = grow(songs(kind, "tone", 440, 12.0), total=False)
    growth.share(0.5)
    decoder = open_growth(growth)
    growth.writer.finish()
    drain(decoder)
    assert decoder.trouble is TrackTrouble.CUT_SHORT
    assert decoder.position == pytest.approx(6.0, abs=1.0)


def test_a_length_that_follows_from_what_is_there_is_not_believed(songs, grow):
    growth = grow(songs("wav", "tone", 440, 12.0), total=False)
    growth.share(0.5)
    growth.writer.finish()  # the server had no more, and said so
    inflow = Inflow(str(growth.path), no_rest)
    decoder = Decoder(str(growth.path), 0.0, None, 5.0, inflow=inflow)
    drain(decoder)
    assert decoder.trouble is None
    assert decoder.position == pytest.approx(6.0, abs=0.1)


def test_the_length_its_source_has_told_is(songs, grow):
    growth = grow(songs("ogg-opus", "tone", 440, 12.0), total=False)
    growth.share(0.5)
    decoder = open_growth(growth, stated=12.0)
    growth.writer.finish()
    drain(decoder)
    assert decoder.trouble is TrackTrouble.CUT_SHORT


def test_a_flight_that_fails_cuts_the_track_where_its_bytes_end(songs, grow):
    growth = grow(songs("webm", "chirp", length=15.0))
    growth.share(0.5)
    decoder = open_growth(growth)
    growth.writer.fail()
    heard = drain(decoder)
    assert decoder.trouble is TrackTrouble.CUT_SHORT
    assert decoder.position == pytest.approx(7.5, abs=0.5)
    assert np.array_equal(heard, whole(songs("webm", "chirp", length=15.0))[: len(heard)])


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3])
def test_a_flight_that_fails_before_there_is_sound_is_no_broken_file(songs, grow, share):
    growth = grow(songs("m4a", "chirp", length=15.0))
    growth.share(share)
    inflow = Inflow(str(growth.path), no_rest)
    growth.writer.fail()
    with pytest.raises(TrackError) as caught:
        Decoder(str(growth.path), 0.0, None, 5.0, inflow=inflow)
    inflow.close()
    assert caught.value.trouble is TrackTrouble.CUT_SHORT


def test_what_is_no_sound_is_refused_as_soon_as_that_is_clear(grow):
    growth = grow(b"La la la, la la.\n" * 50_000)
    growth.grow_to(64 << 10)
    with pytest.raises(TrackError) as caught:
        open_growth(growth)
    assert caught.value.trouble is TrackTrouble.UNSUPPORTED


# -- what is on the air
@pytest.mark.parametrize("kind", ["mp3-without-index", "aac", "ts"])
def test_what_is_on_the_air_is_entered_where_it_is(songs, grow, kind):
    data = Path(songs(kind, "chirp", length=15.0)).read_bytes()
    growth = grow(data, total=False)
    growth.share(0.6)
    growth.writer.give_up(len(data) // 3)
    decoder = open_growth(growth, live=True)
    assert decoder.position == 0.0
    heard = np.frombuffer(decoder.read(48_000, float("inf")), np.int16).astype(float)
    decoder.close()
    decoder._inflow.close()
    # A third is gone, and a quarter of what has been kept is left to those who come first.
    place = 15.0 * (1 / 3 + (0.6 - 1 / 3) / 4)
    assert abs(lag(heard[RATE // 10 :], chirp(15.0, RATE), place + 0.1, slack=2.0)) < 0.6


def test_from_its_beginning_while_that_is_there(songs, grow):
    growth = grow(songs("aac", "chirp", length=15.0), total=False)
    growth.share(0.6)
    decoder = open_growth(growth, live=True)
    heard = np.frombuffer(decoder.read(96_000, float("inf")), np.int16).astype(float)
    decoder.close()
    decoder._inflow.close()
    assert abs(lag(heard[RATE // 2 :], chirp(15.0, RATE), 0.5)) < 0.05


def test_time_stamps_between_segments_are_not_heard(songs, grow):
    """HLS with bare AAC: each segment begins with an ID3 tag that tells its time."""
    stamp = (
        b"ID3\x04\0\0\0\0\0\x3f"
        + b"PRIV\0\0\0\x35\0\0com.apple.streaming.transportStreamTimestamp\0"
        + bytes(8)
    )
    data = Path(songs("aac", "chirp", length=15.0)).read_bytes()
    cuts = frame_starts(data)[::100]
    segments = (stamp + data[a:b] for a, b in itertools.pairwise([*cuts, len(data)]))
    growth = grow(b"".join(segments), total=False)
    growth.flow(4e6)
    assert np.array_equal(drain(open_growth(growth, live=True)), whole(songs("aac", "chirp", length=15.0)))


def frame_starts(adts: bytes) -> list[int]:
    from ryzen.audio.frames import adts_frame

    starts, at = [], 0
    while (frame := adts_frame(adts[at : at + 7])) is not None:
        starts.append(at)
        at += frame.size
    return starts


def test_live_fragments_are_heard_from_their_beginning(songs, grow):
    growth = grow(songs("mp4-fragments", "chirp", length=15.0), total=False)
    growth.flow(4e6)
    decoder = open_growth(growth, live=True)
    drain(decoder)
    assert decoder.trouble is None
    assert decoder.position == pytest.approx(15.0, abs=0.1)


def test_what_can_be_entered_at_its_beginning_alone_is_asked_for_again_when_that_is_gone(songs, grow):
    data = Path(songs("mp4-fragments", "chirp", length=15.0)).read_bytes()
    growth = grow(data, total=False)
    growth.share(0.6)
    growth.writer.give_up(len(data) // 3)
    growth.flow(4e6)
    with pytest.raises(TrackError) as caught:
        open_growth(growth, live=True)
    assert caught.value.trouble is TrackTrouble.CUT_SHORT


def test_who_was_paused_too_long_is_left_behind(songs, grow):
    data = Path(songs("mp3-without-index", "chirp", length=60.0)).read_bytes()
    growth = grow(data, total=False)
    growth.share(0.2)
    decoder = open_growth(growth, live=True)
    growth.share(0.9)
    growth.writer.give_up(len(data) // 2)
    drain(decoder)
    assert decoder.trouble is TrackTrouble.CUT_SHORT
    assert decoder.position == pytest.approx(2.0, abs=0.5), "what FFmpeg had read already"


def test_what_is_on_the_air_is_never_too_short(songs, grow):
    growth = grow(songs("ts", "chirp", length=15.0), total=False)
    growth.share(0.5)
    decoder = open_growth(growth, stated=15.0, live=True)
    growth.writer.finish()
    drain(decoder)
    assert decoder.trouble is None


def test_a_transport_stream_is_played_from_any_place_when_it_is_whole(songs):
    path = songs("ts", "chirp", length=15.0)
    assert sniff(path).demuxer is Demuxer.MPEGTS
    for offset in (0.4, 11.23):
        assert abs(lag(whole(path, offset)[: RATE // 2], chirp(15.0, RATE), offset)) < 0.05


class Stumbling:
    """A container that does at its end what PyAV does if a stream has turned up in the middle."""

    def __init__(self, container):
        self._container = container

    def __getattr__(self, name):
        return getattr(self._container, name)

    def demux(self):
        yield from self._container.demux()
        raise IndexError("list index out of range")


def test_a_stream_that_turns_up_in_the_middle_does_no_harm_at_the_end(songs, monkeypatch):
    path = songs("ts", "tone", length=3.0)
    sound = whole(path)
    monkeypatch.setattr(decoder_module, "open_whole", lambda *given: Stumbling(open_whole(*given)))
    assert np.array_equal(whole(path), sound)


# -- a thread ahead
class Stage:
    """An Ahead with its thread, and what it has written into the ledger."""

    def __init__(self, path: Path, **load: object) -> None:
        self.ledger = Ledger.blank()
        self.rung: queue.SimpleQueue[None] = queue.SimpleQueue()
        hand = Hand(self.ledger, 5, 1, 2)
        self.inflow = Inflow(str(path), hand.rest)
        more = {"offset": 0.0, "stated": None, "at": None, **load}
        load_it = Load(1, 2, str(path), **more)  # type: ignore[arg-type]
        self.ahead = Ahead(load_it, hand, self.inflow, lambda: self.rung.put(None))
        self.thread = threading.Thread(target=self.ahead.work)
        self.thread.start()

    def wait(self, condition) -> None:
        deadline = time.monotonic() + 15
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.002)

    def close(self) -> None:
        self.ahead.close()
        self.thread.join(10)
        assert not self.thread.is_alive()
        self.ledger.close()


@pytest.fixture
def stage():
    stages = []

    def begin(*args, **more):
        stages.append(Stage(*args, **more))
        return stages[-1]

    yield begin
    for begun in stages:
        begun.close()


def test_it_decodes_a_few_seconds_ahead_and_no_more(songs, grow, stage):
    growth = grow(songs("webm", "chirp", length=60.0))
    growth.share(0.9)
    it = stage(growth.path)
    it.rung.get(timeout=15)
    it.wait(lambda: it.ahead._size >= 4 * 96_000)
    assert it.ahead._size < 4.2 * 96_000
    heard = bytearray()
    while len(heard) < 40 * 96_000:
        position = it.ahead.position
        assert position == pytest.approx(len(heard) / 96_000, abs=1e-4)
        heard += it.ahead.read(10_000, 0.0)
    right = whole(songs("webm", "chirp", length=60.0))
    assert np.array_equal(np.frombuffer(heard, np.int16), right[: len(heard) // 2])


def test_no_read_reaches_across_what_is_left_out(songs, grow, stage):
    growth = grow(songs("webm", "chirp", length=15.0))
    growth.share(0.6)
    it = stage(growth.path, skips=((1.0, 2.5),))
    it.wait(lambda: it.ahead._size >= 3 * 96_000)
    assert len(it.ahead.read(10 * 96_000, 0.0)) == 96_000
    assert it.ahead.position == 2.5
    assert len(it.ahead.read(96_000, 0.0)) == 96_000
    assert it.ahead.position == pytest.approx(3.5, abs=1e-4)


def test_while_it_waits_it_has_no_track_in_hand(songs, grow, stage):
    """A worker that is killed meanwhile was not killed by this track."""
    growth = grow(songs("webm", "chirp", length=60.0))
    it = stage(growth.path)
    it.wait(lambda: it.inflow._file.waiting)
    assert it.ledger.in_hand() == frozenset(), "for the first byte"
    growth.share(0.02)
    it.rung.get(timeout=15)
    it.wait(lambda: it.inflow._file.waiting)
    assert it.ledger.in_hand() == frozenset(), "for the next"
    growth.share(0.9)
    it.wait(lambda: it.ahead._size >= 4 * 96_000)
    it.wait(lambda: it.ledger.in_hand() == frozenset())


@pytest.mark.parametrize("kind", ["m4a", "webm"])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.3])
def test_closing_ends_the_thread_wherever_it_hangs(songs, grow, stage, kind, share):
    growth = grow(songs(kind, "chirp", length=60.0))
    growth.share(share)
    it = stage(growth.path)
    it.wait(lambda: it.inflow._file.waiting or it.ahead._size >= 4 * 96_000)
    it.ahead.close()
    it.thread.join(2)
    assert not it.thread.is_alive()
    assert it.inflow._file.closed


def test_when_nothing_comes_for_a_minute_it_is_given_up(songs, grow, stage):
    growth = grow(songs("webm", "chirp", length=60.0))
    growth.share(0.02)
    it = stage(growth.path)
    it.wait(lambda: it.inflow._file.waiting)
    it.ahead.look(1000.0)
    it.ahead.look(1000.0 + inflow_module.NO_BYTE_WITHIN)
    assert not it.ahead.spent
    growth.share(0.03)
    it.wait(lambda: it.inflow._file.waiting)
    it.ahead.look(1000.0 + inflow_module.NO_BYTE_WITHIN + 1)
    assert it.thread.is_alive(), "another byte, another minute"
    it.ahead.look(1000.0 + 2 * inflow_module.NO_BYTE_WITHIN + 2)
    it.thread.join(10)
    while it.ahead.read(96_000, 0.0):
        pass
    assert it.ahead.spent
    assert it.ahead.trouble is TrackTrouble.CUT_SHORT


def test_the_reader_itself_watches_over_that(songs, grow, stage, monkeypatch):
    monkeypatch.setattr(inflow_module, "NO_BYTE_WITHIN", 0.05)
    growth = grow(songs("webm", "chirp", length=15.0))
    growth.share(0.1)
    it = stage(growth.path)
    it.wait(lambda: it.ahead.read(96_000, 0.0) == b"" and it.ahead.spent)
    assert it.ahead.trouble is TrackTrouble.CUT_SHORT
    assert it.ahead.position == pytest.approx(1.5, abs=0.5)


def test_a_file_that_is_whole_is_not_growing(songs, grow):
    growth = grow(songs("webm", "chirp", length=15.0))
    assert is_growing(str(growth.path))
    growth.share(1.0)
    growth.writer.finish()
    assert not is_growing(str(growth.path))


def test_a_varying_format_is_heard_to_its_end(tmp_path):
    """Two files one behind the other: rate and channels change in mid-stream, and nothing is lost."""
    parts = []
    for name, hz, channels in (("one", 440, 2), ("two", 880, 1)):
        part = encode(tmp_path / f"{name}.aac", "aac", tone(hz, 2.0, 44100), 44100, channels)
        parts.append(part.read_bytes())
    path = tmp_path / "both.aac"
    path.write_bytes(b"".join(parts))
    heard = whole(str(path))
    assert len(heard) == pytest.approx(4.0 * RATE, abs=0.1 * RATE)
    assert dominant(heard[RATE // 2 : RATE]) == pytest.approx(440, abs=3)
    assert dominant(heard[3 * RATE : int(3.5 * RATE)]) == pytest.approx(880, abs=3)
