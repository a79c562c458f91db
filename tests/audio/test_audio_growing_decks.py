"""Laws of decks whose file is still being fetched, through the real worker."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import anyio
import numpy as np
import pytest
from audio_media import chirp
from audio_reader import RATE, dominant, silence_runs
from audio_waiting import Log, filled, lag, on_tape, until, written

from ryzen.errors import TrackTrouble
from ryzen.player.state import Media
from ryzen.ports import SoundEnded, SoundFailed, SoundStarted

pytestmark = pytest.mark.anyio


def growing(growth, duration: float | None = None, **more: object) -> Media:
    return Media(str(growth.path), duration, fetched=True, **more)  # type: ignore[arg-type]


def threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def assert_chirp(heard: np.ndarray, length: float, start: float = 0.0, step: float = 0.5) -> None:
    """Every half second of ``heard`` is where it should be in the chirp of this length."""
    signal_ = chirp(length, RATE)
    for at in np.arange(0.0 if start > 0.3 else step, len(heard) / RATE - step, step):
        window = heard[int(at * RATE) : int((at + step) * RATE)]
        assert abs(lag(window, signal_, start + at)) < 0.03, f"at {at}"


@pytest.mark.parametrize("kind", ["webm", "mp3", "mp4-index-first", "ogg-opus"])
async def test_every_second_is_heard_in_order_while_the_file_grows(decks, songs, grow, open_reader, kind):
    growth = grow(songs(kind, "chirp", length=15.0))
    growth.flow(4 * len(growth.data) / 15.0)  # four times as fast as it is played
    log = Log()
    deck = decks.open(1, log)
    deck.load(1, growing(growth, 15.0), 0.0)
    reader = open_reader(await filled(deck, 0.3), pace=0.05)
    await log.first(SoundEnded)
    assert log.of(SoundEnded)[0].played == pytest.approx(15.0, abs=0.05)
    await until(lambda: len(reader.samples) > 15.2 * RATE)
    heard = reader.samples[: 15 * RATE]
    assert silence_runs(heard[: int(14.9 * RATE)], least=0.02) == []
    assert_chirp(heard, 15.0)
    assert [type(event) for event in log.events] == [SoundStarted, SoundEnded]


async def test_sound_is_heard_long_before_the_file_is_there(decks, songs, grow):
    growth = grow(songs("webm", "chirp", length=60.0))
    growth.grow_to(20 << 10)
    deck = decks.open(1, Log())
    deck.load(1, growing(growth, 60.0), 0.0)
    path = await filled(deck, 0.5)
    assert abs(lag(on_tape(path, 0.2, 0.5), chirp(60.0, RATE), 0.2, slack=0.2)) < 0.02


async def test_a_slow_network_is_silence_and_no_second_is_lost(decks, songs, grow, open_reader):
    growth = grow(songs("webm", "chirp", length=15.0))
    growth.share(0.2)
    log = Log()
    deck = decks.open(1, log)
    deck.load(1, growing(growth, 15.0), 0.0)
    reader = open_reader(await filled(deck, 0.5), pace=0.05)
    await until(lambda: len(reader.samples) > 2 * RATE and not np.any(reader.samples[-RATE // 2 :]))
    _, stood = deck.position()
    await until(lambda: len(reader.samples) > 6 * RATE)
    assert deck.position() == (1, stood), "nothing is heard, so nothing is counted"
    assert stood == pytest.approx(3.0, abs=0.6)
    growth.share(0.6)
    await until(lambda: deck.position()[1] > stood + 1)
    ((_, end),) = [run for run in silence_runs(reader.samples, least=0.05) if run[0] > 0.1]
    await until(lambda: len(reader.samples) > (end + 1) * RATE)
    after = reader.samples[int(end * RATE) : int((end + 0.5) * RATE)]
    assert abs(lag(after, chirp(15.0, RATE), stood)) < 0.03
    growth.flow(4e6)
    await log.first(SoundEnded)
    sounding = sum(b - a for a, b in silence_runs(reader.samples, least=0.05))
    assert len(reader.samples) / RATE - sounding == pytest.approx(15.0, abs=0.5), "and none heard twice"
    assert [type(event) for event in log.events] == [SoundStarted, SoundEnded]


async def test_a_flight_that_fails_is_told_with_the_place(decks, songs, grow, open_reader):
    growth = grow(songs("webm", "chirp", length=15.0))
    growth.share(0.4)
    log = Log()
    deck = decks.open(1, log)
    deck.load(1, growing(growth, 15.0), 0.0)
    open_reader(await filled(deck, 0.5), pace=0.05)
    growth.writer.fail()
    failed = await log.first(SoundFailed)
    assert failed == SoundFailed(1, TrackTrouble.CUT_SHORT, pytest.approx(6.0, abs=0.6))
    assert log.of(SoundEnded) == []
    assert deck.position()[1] == pytest.approx(failed.played, abs=0.35)


async def test_a_flight_that_fails_before_there_is_sound_is_told(decks, songs, grow):
    growth = grow(songs("m4a", "chirp", length=15.0))
    growth.share(0.4)
    log = Log()
    deck = decks.open(1, log)
    deck.renew()
    deck.load(1, growing(growth, 15.0), 0.0)
    await until(lambda: growth_is_read(decks.worker_pid, growth))
    growth.writer.fail()
    assert await log.first(SoundFailed) == SoundFailed(1, TrackTrouble.CUT_SHORT, None)


async def test_what_has_been_put_out_of_the_cache_is_missing(decks, tmp_path):
    log = Log()
    decks.open(1, log).load(1, Media(str(tmp_path / "gone"), fetched=True), 0.0)
    assert await log.first(SoundFailed) == SoundFailed(1, TrackTrouble.MISSING)


async def test_an_index_at_the_end_is_waited_for(decks, songs, grow, open_reader):
    growth = grow(songs("m4a", "chirp", length=15.0))
    growth.share(0.5)
    deck = decks.open(1, Log())
    path = deck.renew()
    deck.load(1, growing(growth, 15.0), 2.0)
    pid = decks.worker_pid
    await until(lambda: growth_is_read(pid, growth))
    assert written(path) == 0
    growth.flow(4e6)
    await until(lambda: written(path) > 96_000)
    assert abs(lag(on_tape(path, 0.2, 0.5), chirp(15.0, RATE), 2.2)) < 0.03


def growth_is_read(pid: int, growth) -> bool:
    """Whether this process has the file open just now."""
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            if link.readlink() == growth.path:
                return True
    return False


@pytest.mark.parametrize("share", [0.0, 0.3])
async def test_a_skip_does_not_wait_for_what_hangs(decks, songs, grow, open_reader, share):
    growth = grow(songs("m4a", "chirp", length=15.0))
    growth.share(share)
    log = Log()
    deck = decks.open(1, log)
    reader = open_reader(deck.renew(), pace=0.05)
    deck.load(1, growing(growth, 15.0), 0.0)
    pid = decks.worker_pid
    await until(lambda: growth_is_read(pid, growth))
    deck.load(2, Media(songs("wav", "tone", 660, 9.0)), 0.0)
    await until(lambda: dominant(reader.samples[-RATE // 4 :]) == pytest.approx(660, abs=5))
    await until(lambda: not growth_is_read(pid, growth))
    await log.first(SoundStarted)
    assert [event.epoch for event in log.events] == [2]


async def test_stopping_and_closing_let_go_of_the_file(decks, songs, grow, open_reader):
    growths = [grow(songs("webm", "chirp", length=15.0)) for _ in range(4)]
    decks_ = [decks.open(chat, Log()) for chat in range(4)]
    pid = decks.worker_pid
    for growth, deck in zip(growths, decks_, strict=True):
        growth.share(0.0 if growth in growths[:2] else 0.3)
        deck.renew()
        deck.load(1, growing(growth, 15.0), 0.0)
    await until(lambda: all(growth_is_read(pid, growth) for growth in growths))
    for deck in decks_[::2]:
        deck.silence()
    for deck in decks_[1::2]:
        deck.close()
    await until(lambda: not any(growth_is_read(pid, growth) for growth in growths))


async def test_ten_that_hang_do_not_starve_one_that_does_not(songs, decks, grow, open_reader):
    plain = decks.open(0, Log())
    plain.load(1, Media(songs("mp3", "chirp", length=15.0)), 0.0)
    reader = open_reader(await filled(plain, 1.0))
    for chat in range(1, 11):
        growth = grow(songs("webm", "chirp", length=15.0))
        growth.share(0.1)
        growth.flow(2000, piece=500)  # a tenth of what it takes
        deck = decks.open(chat, Log())
        deck.load(1, growing(growth, 15.0), 0.0)
        open_reader(deck.renew())
    await until(lambda: len(reader.samples) > 6 * RATE)
    heard = reader.samples[: 6 * RATE]
    assert silence_runs(heard, least=0.02) == []
    assert_chirp(heard, 15.0)


@pytest.mark.parametrize("kind", ["webm", "mp3"])
async def test_a_worker_killed_in_the_middle_of_it_is_not_heard(decks, songs, grow, open_reader, kind):
    growth = grow(songs(kind, "chirp", length=15.0))
    growth.share(0.6)
    log = Log()
    deck = decks.open(1, log)
    deck.load(1, growing(growth, 15.0), 1.0)
    reader = open_reader(await filled(deck, 1.5), pace=0.1)
    for _ in range(3):  # a track that was only waited for is not the one that killed two
        killed, before = decks.worker_pid, len(reader.samples)
        await until(lambda before=before: len(reader.samples) > before + RATE // 2)
        os.kill(killed, signal.SIGKILL)
        await until(lambda killed=killed: decks.worker_pid not in (None, killed))
        link = decks._link
        await until(lambda link=link: not link.ledger.in_hand() and growth_is_read(link.pid, growth))
    await until(lambda: len(reader.samples) > 6 * RATE)
    heard = reader.samples[: 6 * RATE]
    assert silence_runs(heard, least=0.05) == []
    assert_chirp(heard, 15.0, start=1.0)
    assert log.of(SoundFailed) == []


async def test_what_has_become_whole_needs_no_thread(decks, songs, grow):
    growth = grow(songs("webm", "chirp", length=15.0))
    growth.share(1.0)
    growth.writer.finish()
    deck = decks.open(1, Log())
    deck.load(1, growing(growth, 15.0), 0.0)
    await filled(deck, 1.0)
    names = {
        task.joinpath("comm").read_text().strip() for task in Path(f"/proc/{decks.worker_pid}/task").iterdir()
    }
    assert names == {"ryzen-audio"}
    assert threads(decks.worker_pid) == 2, "its loop, and the one that opened it"


async def test_what_is_on_the_air_starts_at_zero_and_goes_on_after_a_crash(decks, songs, grow, open_reader):
    data = Path(songs("mp3-without-index", "chirp", length=60.0)).read_bytes()
    growth = grow(data, total=False)
    growth.share(0.3)
    growth.writer.give_up(len(data) // 10)
    growth.flow(2 * len(data) / 60.0)
    log = Log()
    deck = decks.open(1, log)
    deck.load(1, growing(growth, live=True), 33.0)
    reader = open_reader(await filled(deck, 1.0))
    await until(lambda: len(reader.samples) > RATE)
    assert deck.position() == (1, pytest.approx(deck.bytes_read() / 96_000, abs=0.2))
    killed = decks.worker_pid
    os.kill(killed, signal.SIGKILL)
    await until(lambda: decks.worker_pid not in (None, killed))
    back = len(reader.samples)
    await until(lambda: len(reader.samples) > back + 2 * RATE)
    assert np.any(reader.samples[-RATE // 4 :])
    assert log.of(SoundFailed) == []


async def test_what_is_on_the_air_is_asked_for_again_when_it_breaks_off(decks, songs, grow, open_reader):
    growth = grow(songs("ts", "chirp", length=15.0), total=False)
    growth.share(0.3)
    log = Log()
    deck = decks.open(1, log)
    deck.load(1, growing(growth, live=True), 0.0)
    open_reader(await filled(deck, 0.5), pace=0.05)
    growth.writer.fail()
    failed = await log.first(SoundFailed)
    assert failed == SoundFailed(1, TrackTrouble.CUT_SHORT, pytest.approx(4.5, abs=0.6))


async def test_who_was_paused_too_long_is_told_to_ask_again(decks, songs, grow, open_reader):
    data = Path(songs("aac", "chirp", length=60.0)).read_bytes()
    growth = grow(data, total=False)
    growth.share(0.3)
    log = Log()
    deck = decks.open(1, log)
    deck.load(1, growing(growth, live=True), 0.0)
    reader = open_reader(await filled(deck, 1.0), pace=0.05)
    await log.first(SoundStarted)
    deck.hold(True)
    reader.pause()
    growth.share(0.9)
    growth.writer.give_up(int(len(data) * 0.8))
    await anyio.sleep(0.3)
    assert log.of(SoundFailed) == [], "what has been decoded is there to be heard"
    deck.hold(False)
    reader.resume()
    assert (await log.first(SoundFailed)).trouble == TrackTrouble.CUT_SHORT
