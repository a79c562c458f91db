"""Laws of what is left out of a track: it is not heard, and positions stay those of the whole track."""

from __future__ import annotations

import math
import os
import signal
from itertools import pairwise

import numpy as np
import pytest
from audio_growing import NET_FORMATS, drain, open_growth
from audio_media import FORMATS, chirp
from audio_reader import RATE, silence_runs
from audio_waiting import Log, filled, lag, until
from hypothesis import given
from hypothesis import strategies as st

from ryzen.audio.decoder import Decoder
from ryzen.audio.skips import past, tidy
from ryzen.player.state import Media, Span
from ryzen.ports import SoundEnded, SoundFailed, SoundStarted

ALL = (*FORMATS, *NET_FORMATS)
LENGTH = 15.0
anything = st.floats() | st.floats(-5, 70)


# -- what is believed
@given(st.lists(st.builds(Span, anything, anything)), st.none() | st.floats(0.01, 60))
def test_whatever_is_sent_what_is_left_out_is_in_order_apart_and_within_the_track(spans, length):
    tidied = tidy(spans, length)
    for span in tidied:
        assert 0 <= span.start < span.end <= (1e6 if length is None else length)
        assert span.end - span.start > 0.19
    for before, after in pairwise(tidied):
        assert after.start - before.end > 0.19
    if length is not None and tidied:
        assert sum(span.end - span.start for span in tidied) <= length - 0.9


@given(st.lists(st.builds(Span, anything, anything)), st.none() | st.floats(0.01, 60))
def test_tidying_twice_changes_nothing(spans, length):
    assert tidy(tidy(spans, length), length) == tidy(spans, length)


@pytest.mark.parametrize(
    ("spans", "tidied"),
    [
        ([(5, 8)], [(5, 8)]),
        ([(20, 30), (5, 8)], [(5, 8), (20, 30)]),
        ([(5, 8), (6, 9), (9.1, 10)], [(5, 10)]),
        ([(5, 20), (6, 9)], [(5, 20)]),
        ([(-3, 4)], [(0, 4)]),
        ([(50, 70)], [(50, 60)]),
        ([(50, 59.9)], [(50, 60)]),
        ([(math.nan, 5), (3, math.nan), (1, math.inf), (-math.inf, 7)], []),
        ([(8, 5), (7, 7), (7, 7.05)], []),
        ([(-1, 90)], []),
        ([(0, 30), (30, 60)], []),
        ([(70, 80)], []),
        ([(-9, -3)], []),
    ],
)
def test_what_makes_no_sense_is_dropped(spans, tidied):
    assert tidy((Span(*span) for span in spans), 60.0) == tuple(Span(*span) for span in tidied)


def test_an_offset_within_a_span_is_its_end():
    spans = (Span(5, 8), Span(20, 30))
    assert [past(spans, offset) for offset in (0, 4.9, 5, 7.9, 8, 25, 40)] == [0, 4.9, 8, 8, 8, 30, 40]


# -- what is heard
def parts(heard: np.ndarray, spans: list[tuple[float, float]]) -> list[tuple[float, np.ndarray]]:
    """(second of the track, samples) of each piece between the spans."""
    pieces, at = [], 0.0
    for start, end in [*spans, (LENGTH, LENGTH)]:
        count = round((start - at) * RATE)
        if count > 0:
            pieces.append((at, heard[:count]))
        heard, at = heard[max(0, count) :], end
    return pieces


def assert_left_out(heard: np.ndarray, spans: list[tuple[float, float]], slack: float = 0.03) -> None:
    for second, piece in parts(heard, spans):
        for part, at in (
            (piece[: RATE // 2], second),
            (piece[-RATE // 2 :], second + len(piece) / RATE - 0.5),
        ):
            if at > 0.3 and at < LENGTH - 0.8:
                assert abs(lag(part, chirp(LENGTH, RATE), at)) < slack, at


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    "spans", [[(4.0, 5.5)], [(2.0, 9.25)], [(0.0, 3.3), (6.0, 7.0), (8.0, 13.0)]], ids=str
)
def test_a_span_is_not_heard_and_nothing_else_is_missing(songs, kind, spans):
    skips = tuple(Span(*span) for span in spans)
    decoder = Decoder(songs(kind, "chirp", length=LENGTH), 0.0, LENGTH, 5.0, skips=skips)
    heard = drain(decoder)
    assert decoder.trouble is None
    assert decoder.position == pytest.approx(LENGTH, abs=0.06)
    left = LENGTH - sum(end - start for start, end in spans)
    assert len(heard) / RATE == pytest.approx(left, abs=0.06)
    assert_left_out(heard, spans)


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg-vorbis"])
def test_a_short_span_is_left_out_to_the_sample(songs, kind):
    path = songs(kind, "chirp", length=LENGTH)
    right = drain(Decoder(path, 0.0, None, 5.0))
    heard = drain(Decoder(path, 0.0, LENGTH, 5.0, skips=(Span(4.0, 5.5),)))
    assert np.array_equal(heard, np.concatenate((right[: 4 * RATE], right[int(5.5 * RATE) :])))


@pytest.mark.parametrize("kind", ["webm", "mp3", "m4a", "ts"])
def test_spans_of_a_growing_file_are_waited_for(songs, grow, kind):
    spans = [(1.0, 2.0), (4.0, 12.0)]
    growth = grow(songs(kind, "chirp", length=LENGTH))
    growth.share(0.1)
    growth.flow(2e6)
    decoder = open_growth(growth, stated=LENGTH, skips=tuple(Span(*span) for span in spans))
    heard = drain(decoder)
    assert decoder.trouble is None
    assert decoder.position == pytest.approx(LENGTH, abs=0.06)
    assert_left_out(heard, spans)


@pytest.mark.parametrize("kind", ["webm", "mp3"])
def test_a_span_at_the_end_ends_the_track_and_it_is_not_short(songs, kind):
    decoder = Decoder(songs(kind, "chirp", length=LENGTH), 0.0, LENGTH, 5.0, skips=(Span(9.0, LENGTH),))
    heard = drain(decoder)
    assert len(heard) == 9 * RATE
    assert (decoder.position, decoder.trouble) == (LENGTH, None)


def test_a_span_at_the_end_of_a_growing_file_needs_none_of_what_is_missing(songs, grow):
    growth = grow(songs("webm", "chirp", length=LENGTH))
    growth.share(0.7)
    decoder = open_growth(growth, stated=LENGTH, skips=(Span(9.0, LENGTH),))
    assert len(drain(decoder)) == 9 * RATE
    assert (decoder.position, decoder.trouble) == (LENGTH, None)


@pytest.mark.parametrize("offset", [4.0, 6.0, 8.9])
def test_beginning_within_a_span_is_beginning_at_its_end(songs, offset):
    decoder = Decoder(songs("flac", "chirp", length=LENGTH), offset, LENGTH, 5.0, skips=(Span(4.0, 9.0),))
    assert decoder.position == 9.0
    heard = drain(decoder)
    assert abs(lag(heard[: RATE // 2], chirp(LENGTH, RATE), 9.0)) < 0.01
    assert len(heard) / RATE == pytest.approx(6.0, abs=0.01)


def test_beginning_behind_a_span_does_not_go_back(songs):
    decoder = Decoder(songs("flac", "chirp", length=LENGTH), 10.0, LENGTH, 5.0, skips=(Span(4.0, 9.0),))
    assert len(drain(decoder)) / RATE == pytest.approx(5.0, abs=0.01)


def test_a_file_that_ends_before_a_span_is_cut_short_all_the_same(songs):
    decoder = Decoder(songs("flac", "chirp", length=LENGTH), 0.0, 60.0, 5.0, skips=(Span(30.0, 40.0),))
    drain(decoder)
    assert decoder.trouble == "cut-short"


# -- through the deck
@pytest.mark.anyio
@pytest.mark.parametrize("fetched", [False, True], ids=["whole", "growing"])
async def test_the_deck_tells_where_it_is_in_the_whole_track(decks, songs, grow, open_reader, fetched):
    path = songs("webm", "chirp", length=LENGTH)
    if fetched:
        growth = grow(path)
        growth.flow(2e5)
        path = str(growth.path)
    spans = [(2.0, 6.0), (8.0, 9.0), (13.0, 15.0)]
    log = Log()
    deck = decks.open(1, log)
    deck.load(1, Media(path, LENGTH, fetched=fetched, skips=tuple(Span(*span) for span in spans[::-1])), 0.0)
    reader = open_reader(await filled(deck, 0.5), pace=0.05)
    seen = []
    while not log.of(SoundEnded):
        read, here = deck.bytes_read() / 96_000, deck.position()
        if here is not None and read == deck.bytes_read() / 96_000:
            seen.append((read, here[1]))
        await until(lambda read=read: deck.bytes_read() / 96_000 > read or log.of(SoundEnded))
    for read, position in seen:
        right = read + (4.0 if read >= 2.0 else 0.0) + (1.0 if read >= 4.0 else 0.0)
        assert position == pytest.approx(right, abs=0.11), read
    assert [type(event) for event in log.events] == [SoundStarted, SoundEnded]
    assert log.of(SoundEnded)[0].played == LENGTH
    await until(lambda: len(reader.samples) > 9 * RATE)
    heard = reader.samples[: 8 * RATE]
    assert silence_runs(heard, least=0.02) == []
    assert not np.any(reader.samples[int(8.05 * RATE) :])
    assert_left_out(heard, spans)


@pytest.mark.anyio
async def test_a_killed_worker_does_not_bring_back_what_was_left_out(decks, songs, open_reader):
    log = Log()
    deck = decks.open(1, log)
    skips = (Span(3.0, 8.0),)
    deck.load(1, Media(songs("mp3", "chirp", length=LENGTH), LENGTH, skips=skips), 0.0)
    reader = open_reader(await filled(deck, 1.5))
    await until(lambda: len(reader.samples) > 1.5 * RATE)
    killed = decks.worker_pid
    os.kill(killed, signal.SIGKILL)  # the jump is on the tape, ahead of the reader
    await until(lambda: decks.worker_pid not in (None, killed))
    await until(lambda: len(reader.samples) > 6 * RATE)
    heard = reader.samples[: 6 * RATE]
    assert silence_runs(heard, least=0.05) == []
    assert abs(lag(heard[2 * RATE : int(2.5 * RATE)], chirp(LENGTH, RATE), 2.0)) < 0.03
    assert abs(lag(heard[4 * RATE : int(4.5 * RATE)], chirp(LENGTH, RATE), 9.0)) < 0.03
    assert deck.position() == (1, pytest.approx(5.0 + deck.bytes_read() / 96_000, abs=0.15))


@pytest.mark.anyio
async def test_insane_spans_harm_nobody(decks, songs, open_reader):
    log = Log()
    deck = decks.open(1, log)
    skips = (Span(math.nan, 1), Span(1, math.inf), Span(-1e300, 1e300), Span(3, 2), Span(-5, 0.5))
    skips += tuple(Span(n, n + 1e-9) for n in range(5000))
    deck.load(1, Media(songs("wav", "chirp", length=3.0), 3.0, skips=skips), 0.0)
    open_reader(await filled(deck), pace=0.05)
    assert (await log.first(SoundEnded)).played == pytest.approx(3.0, abs=0.01)
    assert log.of(SoundFailed) == []
