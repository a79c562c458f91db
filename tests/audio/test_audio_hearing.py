"""Laws of a deck in good times: what is heard, and what is told of it."""

from __future__ import annotations

import os
from pathlib import Path

import anyio
import numpy as np
import pytest
from audio_media import FORMATS, chirp
from audio_reader import CHUNK, RATE, dominant, silence_runs
from audio_waiting import Log, filled, lag, on_tape, until, written

from ryzen.audio.client import serve
from ryzen.audio.decoder import Decoder
from ryzen.audio.feed import Feed
from ryzen.audio.tape import Tape
from ryzen.audio.wire import Laid
from ryzen.player.state import Media
from ryzen.ports import SoundEnded, SoundFailed, SoundStalled, SoundStarted

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("kind", FORMATS)
async def test_what_is_loaded_is_heard(decks, songs, open_reader, kind):
    log = Log()
    deck = decks.open(1, log)
    deck.load(7, Media(songs(kind, "tone", 660, 2.0)), 0.0)
    reader = open_reader(await filled(deck), pace=0.05)
    assert (await log.first(SoundStarted)).epoch == 7
    ended = await log.first(SoundEnded)
    assert ended.epoch == 7
    assert ended.played == pytest.approx(2.0, abs=0.08)
    await until(lambda: len(reader.samples) > 2.3 * RATE)
    loud = reader.samples[int(0.5 * RATE) : int(1.5 * RATE)]
    assert dominant(loud) == pytest.approx(660, abs=2)
    assert 0.3 * 32767 < np.abs(loud).max() < 0.5 * 32767, "the level is kept"
    assert not np.any(reader.samples[int(2.2 * RATE) :]), "then there is silence"


@pytest.mark.parametrize("kind", FORMATS)
async def test_a_seek_lands_within_a_few_milliseconds(decks, songs, kind):
    for chat, offset in enumerate((0.4, 2.7, 11.23)):
        deck = decks.open(chat, Log())
        deck.load(1, Media(songs(kind, "chirp", length=15.0)), offset)
        heard = on_tape(await filled(deck, 1.0), 0.0, 0.5)
        assert abs(lag(heard, chirp(15.0, RATE), offset)) < 0.05


async def test_a_seek_in_a_long_mp3_without_index_lands_within_a_fifth_of_a_second(decks, songs, monkeypatch):
    """Beyond half an hour FFmpeg's own jump is used; here it is, on a file made short for the test's sake."""
    from ryzen.audio import decoder

    monkeypatch.setattr(decoder, "_WALK", 1.0)
    for kind in ("mp3", "mp3-without-index"):
        opened = decoder.Decoder(songs(kind, "chirp", length=15.0), 9.1, None, 5.0)
        heard = np.frombuffer(opened.read(96_000, float("inf")), np.int16).astype(float)
        opened.close()
        assert abs(lag(heard, chirp(15.0, RATE), 9.1)) < 0.2


async def test_a_skip_is_heard_from_the_next_chunk_the_engine_reads(decks, songs, open_reader):
    log = Log()
    deck = decks.open(1, log)
    deck.load(1, Media(songs("mp3", "tone", 440, 20.0)), 0.0)
    path = await filled(deck)
    reader = open_reader(path, pace=0.05)
    await until(lambda: len(reader.samples) > RATE)
    reader.pause()  # so that a busy machine is not measured here
    await until(lambda: deck.bytes_read() == 2 * len(reader.samples))
    here = len(reader.samples)
    deck.load(2, Media(songs("ogg-opus", "tone", 880, 20.0)), 5.0)
    await until(lambda: dominant(on_tape(path, here / RATE, 0.1)) == pytest.approx(880, abs=5))
    await until(lambda: deck.position()[0] == 2)
    assert [event.epoch for event in log.of(SoundStarted)] == [1], "it has not been read yet"
    reader.resume()
    await until(lambda: len(log.of(SoundStarted)) == 2)
    await until(lambda: len(reader.samples) > here + RATE // 2)
    chunk = CHUNK // 2
    assert dominant(reader.samples[here - chunk : here]) == pytest.approx(440, abs=5)
    assert dominant(reader.samples[here + chunk : here + 2 * chunk]) == pytest.approx(880, abs=5)
    reader.pause()
    await until(lambda: deck.bytes_read() == 2 * len(reader.samples))
    assert silence_runs(reader.samples) == []
    assert deck.position() == (2, pytest.approx(5.0 + (len(reader.samples) - here) / RATE, abs=0.15))


async def test_the_old_track_is_taken_back_as_far_as_it_was_written(decks, songs, open_reader):
    """A short track over a long lead: behind its end there is silence, not the rest of the old one."""
    log = Log()
    deck = decks.open(1, log)
    deck.load(1, Media(songs("wav", "tone", 440, 20.0)), 0.0)
    reader = open_reader(await filled(deck), pace=0.05)
    await until(lambda: len(reader.samples) > RATE)
    deck.load(2, Media(songs("wav", "tone", 880, 0.5)), 0.0)
    await until(lambda: log.of(SoundEnded))
    end = len(reader.samples) + RATE
    await until(lambda: len(reader.samples) > end)
    assert not np.any(reader.samples[end - RATE // 3 : end])


class Sluggish(Decoder):
    """Comes with a tenth of a second at a time, however much is asked for."""

    def read(self, size: int, until: float) -> bytes:
        return super().read(min(size, CHUNK), until)


def test_the_old_track_is_not_heard_behind_the_start_of_a_slow_new_one(songs):
    tape = Tape(1)
    path = tape.hand_out()
    told = []
    feed = Feed(1, told.append)
    feed.put_tape(1, os.dup(tape.descriptor), 96_000)
    feed.begin(Decoder(songs("wav", "tone", 440), 0.0, None, 5.0), None)
    assert np.any(on_tape(path, 0.5, 0.5))
    feed.begin(Sluggish(songs("wav", "tone", 880), 0.0, None, 5.0), None)
    assert dominant(on_tape(path, 0.0, 0.1)) == pytest.approx(880, abs=10)
    assert not np.any(on_tape(path, 0.1, 2.0))
    assert [type(fact) for fact in told] == [Laid, Laid]
    feed.close()
    tape.close()


async def test_silence_takes_back_what_has_not_been_read(decks, songs, open_reader):
    deck = decks.open(1, Log())
    deck.load(1, Media(songs("wav", "tone", 440, 20.0)), 0.0)
    reader = open_reader(await filled(deck), pace=0.05)
    await until(lambda: len(reader.samples) > RATE)
    deck.silence()
    assert deck.position() is None
    silenced_at = len(reader.samples)
    await until(lambda: len(reader.samples) > silenced_at + 2 * RATE)
    assert not np.any(reader.samples[silenced_at + 3 * CHUNK // 2 :])


@pytest.mark.parametrize("kind", ["wav", "flac"])
async def test_what_is_loaded_at_the_end_follows_without_a_gap(decks, songs, open_reader, kind):
    log = Log()
    deck = decks.open(1, log)
    deck.load(1, Media(songs(kind, "tone", 440, 1.23)), 0.0)
    reader = open_reader(await filled(deck))
    await log.first(SoundEnded)
    deck.load(2, Media(songs(kind, "tone", 660, 1.11)), 0.0)
    await until(lambda: len(log.of(SoundEnded)) == 2)
    deck.load(3, Media(songs(kind, "tone", 880, 1.0)), 0.0)
    await until(lambda: len(log.of(SoundEnded)) == 3)
    await until(lambda: len(reader.samples) > 3.6 * RATE)
    assert [event.epoch for event in log.of(SoundEnded)] == [1, 2, 3]
    heard = reader.samples[: int(3.33 * RATE)]
    assert silence_runs(heard) == []
    assert not np.any(reader.samples[int(3.36 * RATE) :]), "not a sample more than the three tracks have"
    for start, hz in ((0.2, 440), (1.4, 660), (2.5, 880)):
        assert dominant(heard[int(start * RATE) : int((start + 0.5) * RATE)]) == pytest.approx(hz, abs=3)


async def test_started_and_ended_come_in_order_with_the_position_between(decks, songs, open_reader):
    log = Log()
    deck = decks.open(1, log)
    assert deck.position() is None
    deck.load(1, Media(songs("m4a", "tone", 440, 3.0), 3.0), 1.0)
    reader = open_reader(await filled(deck), pace=0.05)
    await log.first(SoundStarted)
    seen = []
    while not log.of(SoundEnded):
        seen.append(deck.position())
        await anyio.sleep(0.02)
    assert [type(event) for event in log.events] == [SoundStarted, SoundEnded]
    assert seen == sorted(seen)
    assert seen[0][1] == pytest.approx(1.0, abs=0.6)
    assert seen[-1][1] == pytest.approx(2.7, abs=0.25), "the end is told a little before it comes"
    assert log.of(SoundEnded)[0].played == pytest.approx(3.0, abs=0.05)
    await until(lambda: len(reader.samples) > 2.6 * RATE)
    assert deck.position() == (1, pytest.approx(3.0, abs=0.05)), "it stays at the end"


async def test_a_pause_stands_still_and_goes_on_without_losing_a_sample(songs, open_reader):
    async with serve(lead=2.0, stalled_after=0.4) as decks:
        log = Log()
        deck = decks.open(1, log)
        deck.load(1, Media(songs("wav", "chirp", length=15.0)), 0.0)
        reader = open_reader(await filled(deck))
        await until(lambda: len(reader.samples) > RATE)
        deck.hold(True)
        reader.pause()
        await anyio.sleep(0.15)  # the chunk that was being read
        here = deck.position()
        await anyio.sleep(0.8)
        assert deck.position() == here
        deck.hold(False)
        reader.resume()
        await until(lambda: len(reader.samples) > 2 * RATE)
        assert deck.position()[1] > here[1]
        assert log.of(SoundStalled) == []
        heard = reader.samples[: 2 * RATE]
        assert abs(lag(heard[RATE // 2 :], chirp(15.0, RATE), 0.5)) < 0.001


async def test_a_stall_is_told_once_and_again_after_it_moved(songs, open_reader):
    async with serve(stalled_after=0.4) as decks:
        log = Log()
        deck = decks.open(1, log)
        deck.renew()
        await anyio.sleep(0.6)
        assert log.events == [], "nobody reads it yet: that is the join's business"
        reader = open_reader(deck.renew(), pace=0.02)
        await until(lambda: deck.bytes_read() > 0)
        reader.pause()
        assert (await log.first(SoundStalled)).seconds >= 0.4
        await anyio.sleep(0.6)
        assert len(log.of(SoundStalled)) == 1
        reader.resume()
        stood = deck.bytes_read()
        await until(lambda: deck.bytes_read() > stood)
        await anyio.sleep(0.2)
        reader.pause()
        await until(lambda: len(log.of(SoundStalled)) == 2)


async def test_a_renewed_deck_goes_on_at_the_position_in_a_new_file(decks, songs, open_reader):
    log = Log()
    deck = decks.open(1, log)
    deck.load(1, Media(songs("mp3", "chirp", length=15.0)), 2.0)
    first = deck.renew()
    open_reader(first)
    await until(lambda: deck.position() is not None and deck.position()[1] > 3.0)
    _, left = deck.position()
    path = deck.renew()
    assert path != first or deck.bytes_read() == 0
    assert deck.bytes_read() == 0
    await until(lambda: written(path))
    reader = open_reader(path)
    await until(lambda: len(reader.samples) > RATE)
    assert abs(lag(reader.samples[RATE // 4 : RATE], chirp(15.0, RATE), left + 0.25)) < 0.15
    epoch, position = deck.position()
    assert epoch == 1
    assert position == pytest.approx(left + deck.bytes_read() / 96_000, abs=0.15)
    assert len(log.of(SoundStarted)) == 1, "it is the same track, and was told of before"


async def test_a_deck_that_was_never_read_renews_with_its_track_from_the_start(decks, songs, open_reader):
    deck = decks.open(1, Log())
    deck.renew()
    deck.load(1, Media(songs("wav", "chirp", length=15.0)), 3.0)
    deck.renew()
    reader = open_reader(await filled(deck))
    await until(lambda: len(reader.samples) > RATE)
    assert abs(lag(reader.samples[:RATE], chirp(15.0, RATE), 3.0)) < 0.01


async def test_the_memory_of_an_hour_is_that_of_a_moment(decks, songs, open_reader):
    deck = decks.open(1, Log())
    deck.load(1, Media(songs("mp3", "tone", 440, 60.0)), 0.0)
    path = deck.renew()
    reader = open_reader(path, pace=0.004)
    most = 0
    while deck.bytes_read() < 40 * 96_000:
        most = max(most, Path(path).stat().st_blocks * 512)
        await anyio.sleep(0.02)
    assert most < 2.5e6, "punched behind the reader"
    assert np.any(reader.samples)


async def test_twenty_decks_at_once_each_hear_their_own_tone(decks, songs, open_reader):
    paths = []
    for chat in range(20):
        deck = decks.open(chat, Log())
        kind = ("mp3", "ogg-opus", "m4a", "flac")[chat % 4]
        deck.load(1, Media(songs(kind, "tone", 300 + 50 * chat, 4.0)), 0.0)
        paths.append(deck.renew())
    await until(lambda: all(written(path) > 1.9 * 96_000 for path in paths))  # else it is a race to open
    readers = [open_reader(path) for path in paths]
    await until(lambda: all(len(reader.samples) > 2 * RATE for reader in readers))
    for chat, reader in enumerate(readers):
        heard = reader.samples[RATE // 2 : 2 * RATE]
        assert dominant(heard) == pytest.approx(300 + 50 * chat, abs=2)
        assert silence_runs(heard) == []


async def test_opening_a_chat_again_closes_its_old_deck(decks, songs):
    log = Log()
    old = decks.open(1, log)
    old.renew()
    new = decks.open(1, Log())
    assert decks.stats().decks == 1
    old.load(1, Media(songs("wav", "tone")), 0.0)
    old.silence()
    assert old.position() is None
    assert old.bytes_read() == 0
    old.close()
    assert decks.stats().decks == 1, "closing what is closed is nothing"
    new.close()
    assert decks.stats().decks == 0


@pytest.mark.parametrize("anyio_backend", ["trio"])
async def test_it_is_heard_on_trio_too(anyio_backend, songs, open_reader):
    async with serve() as decks:
        log = Log()
        deck = decks.open(1, log)
        deck.load(1, Media(songs("mp3", "tone", 440, 1.0)), 0.0)
        reader = open_reader(await filled(deck))
        await log.first(SoundEnded)
        assert dominant(reader.samples[RATE // 8 : RATE // 2]) == pytest.approx(440, abs=3)
        assert log.of(SoundFailed) == []


def test_the_reader_is_found_only_where_the_worker_is_told_of_it() -> None:
    """A look at the position must not find it: the worker would take the tape for one that nobody reads."""
    tape = Tape(1)
    try:
        with Path(tape.hand_out()).open("rb", buffering=0) as reader:
            reader.read(CHUNK)
            assert tape.bytes_read() == 0
            assert tape.find_reader()
            assert tape.bytes_read() == CHUNK
    finally:
        tape.close()
