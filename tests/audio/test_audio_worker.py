"""Laws of bad times: the worker is killed, hangs, raves; a file kills it; the nursery is killed."""

from __future__ import annotations

import itertools
import os
import signal
import time
from pathlib import Path

import anyio
import numpy as np
import pytest
from audio_media import chirp
from audio_reader import CHUNK, RATE, dominant, silence_runs
from audio_waiting import Log, filled, lag, on_tape, until

from ryzen.audio.client import Backoff, serve
from ryzen.audio.deck import TapeDeck
from ryzen.audio.wire import Failed, Laid, Load
from ryzen.errors import MailboxFull, TrackTrouble
from ryzen.player.state import Media
from ryzen.ports import SoundEnded, SoundFailed, SoundStarted

pytestmark = pytest.mark.anyio


def parent_of(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("PPid:")[1].split()[0])


def alive(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("kind", ["mp3", "ogg-opus"])
async def test_a_killed_worker_is_not_heard(decks, songs, open_reader, kind):
    log = Log()
    deck = decks.open(1, log)
    deck.load(1, Media(songs(kind, "chirp", length=15.0)), 1.0)
    reader = open_reader(await filled(deck), pace=0.05)
    await until(lambda: len(reader.samples) > RATE)
    killed = decks.worker_pid
    os.kill(killed, signal.SIGKILL)
    killed_at = len(reader.samples) / RATE
    await until(lambda: decks.worker_pid not in (None, killed))
    await until(lambda: len(reader.samples) > (killed_at + 3.5) * RATE)
    heard = reader.samples
    assert silence_runs(heard, least=0.05) == []
    for start in np.arange(0.0, killed_at + 3.0, 0.5):
        window = heard[int(start * RATE) : int((start + 0.5) * RATE)]
        assert abs(lag(window, chirp(15.0, RATE), 1.0 + start)) < 0.03
    assert deck.position() == (1, pytest.approx(1.0 + deck.bytes_read() / 96_000, abs=0.11))
    assert decks.stats().restarts == 1
    assert len(log.events) == 1, "started, and no more"


async def test_a_worker_that_dies_between_tracks_costs_neither(decks, songs, open_reader):
    log = Log()
    deck = decks.open(1, log)
    deck.load(1, Media(songs("wav", "tone", 440, 1.5)), 0.0)
    reader = open_reader(await filled(deck))
    await log.first(SoundStarted)
    os.kill(decks.worker_pid, signal.SIGKILL)  # all of the track is on the tape
    await log.first(SoundEnded)
    os.kill(decks.worker_pid, signal.SIGKILL)
    deck.load(2, Media(songs("wav", "tone", 880, 1.5)), 0.0)
    await until(lambda: len(log.of(SoundEnded)) == 2)
    await until(lambda: len(reader.samples) > 3 * RATE)
    assert [event.epoch for event in log.of(SoundEnded)] == [1, 2]
    assert dominant(reader.samples[RATE : RATE + RATE // 3]) == pytest.approx(440, abs=3)
    assert dominant(reader.samples[-RATE // 2 : -RATE // 4]) == pytest.approx(880, abs=5)


async def test_what_was_silenced_while_there_was_no_worker_stays_silent(songs, open_reader):
    async with serve(lead=2.0, hung_after=1.0) as decks:
        deck = decks.open(1, Log())
        deck.load(1, Media(songs("wav", "tone", 440, 20.0)), 0.0)
        path = await filled(deck)
        reader = open_reader(path, pace=0.02)
        await until(lambda: len(reader.samples) > 13 * RATE)  # the start of the tape is punched out by now
        reader.pause()
        stopped = decks.worker_pid
        os.kill(stopped, signal.SIGSTOP)
        deck.silence()
        await until(lambda: decks.worker_pid not in (None, stopped))
        await until(lambda: deck.bytes_read() == 2 * len(reader.samples))
        here = len(reader.samples) / RATE
        await until(lambda: not np.any(on_tape(path, here, 3.0)))


async def test_a_worker_that_dies_at_the_end_of_a_track_leaves_no_gap(decks, songs, open_reader):
    log = Log()
    deck = decks.open(1, log)
    deck.load(1, Media(songs("wav", "tone", 440, 1.23)), 0.0)
    reader = open_reader(await filled(deck))
    await log.first(SoundEnded)
    reader.pause()
    killed = decks.worker_pid
    os.kill(killed, signal.SIGKILL)
    await until(lambda: decks.worker_pid not in (None, killed))
    await anyio.sleep(0.3)  # it has been told all
    deck.load(2, Media(songs("wav", "tone", 880, 2.0)), 0.0)
    await until(lambda: len(log.of(SoundStarted)) == 1 and deck._spans[-1].epoch == 2)
    reader.resume()
    await until(lambda: len(reader.samples) > 2 * RATE)
    assert silence_runs(reader.samples) == []
    assert dominant(reader.samples[int(1.05 * RATE) : int(1.2 * RATE)]) == pytest.approx(440, abs=5)
    assert dominant(reader.samples[int(1.25 * RATE) : int(1.4 * RATE)]) == pytest.approx(880, abs=5)


def test_facts_of_a_track_that_was_replaced_say_nothing():
    log, sent = Log(), []
    deck = TapeDeck(1, 0.5, 4.0, itertools.count(1), lambda message, *_: sent.append(message), log, id)
    for epoch in (5, 6):
        deck.load(epoch, Media("/somewhere"), 0.0)
    first, second = (message.turn for message in sent if isinstance(message, Load))
    deck.heed(Failed(1, first, "broken", "late"))
    assert log.events == []
    deck.heed(Failed(1, second, "broken", "in time"))
    assert log.events == [SoundFailed(6, "broken")]
    deck.close()


async def test_starving_is_silence_not_an_end_and_loses_no_music(songs, open_reader):
    async with serve(lead=0.5, hung_after=60.0) as decks:
        log = Log()
        deck = decks.open(1, log)
        deck.load(1, Media(songs("wav", "chirp", length=15.0)), 0.0)
        reader = open_reader(await filled(deck))
        await until(lambda: len(reader.samples) > RATE)
        os.kill(decks.worker_pid, signal.SIGSTOP)
        stopped_at = len(reader.samples)
        await until(lambda: len(reader.samples) > stopped_at + 2 * RATE)
        os.kill(decks.worker_pid, signal.SIGCONT)
        assert len(reader.samples) % (CHUNK // 2) == 0, "no read came short"
        resumed_at = len(reader.samples)
        await until(lambda: len(reader.samples) > resumed_at + RATE)
        ((start, end),) = silence_runs(reader.samples, least=0.05)
        assert end - start > 1.0
        after = reader.samples[int(end * RATE) : int((end + 0.5) * RATE)]
        assert abs(lag(after, chirp(15.0, RATE), start)) < 0.02, "it goes on where it fell silent"
        assert deck.position()[1] < len(reader.samples) / RATE - 1.0


async def test_a_hung_worker_is_replaced(songs, open_reader):
    async with serve(lead=0.5, hung_after=1.0) as decks:
        deck = decks.open(1, Log())
        deck.load(1, Media(songs("mp3", "tone", 440, 20.0)), 0.0)
        reader = open_reader(await filled(deck))
        await until(lambda: len(reader.samples) > RATE)
        hung = decks.worker_pid
        os.kill(hung, signal.SIGSTOP)
        await until(lambda: decks.worker_pid not in (None, hung))
        assert not alive(hung)
        replaced_at = len(reader.samples)
        await until(lambda: len(reader.samples) > replaced_at + RATE)
        assert dominant(reader.samples[-RATE // 2 :]) == pytest.approx(440, abs=3)


async def test_a_file_that_kills_two_workers_is_not_tried_again_and_the_others_go_on(
    decks, songs, open_reader, tmp_path
):
    """It does not kill by itself: it takes long to open, and the test does the killing meanwhile."""
    poison = tmp_path / "poison.mp3"
    poison.write_bytes(Path(songs("mp3-without-index", "tone", 440, 3.0)).read_bytes())
    os.truncate(poison, 40 << 30)  # sparse: an endless search for the next frame
    sick, well = Log(), Log()
    neighbour = decks.open(2, well)
    neighbour.load(1, Media(songs("mp3", "tone", 660, 20.0)), 0.0)
    reader = open_reader(neighbour.renew())
    await well.first(SoundStarted)
    deck = decks.open(1, sick)
    deck.load(9, Media(str(poison)), 1700.0)
    for _ in range(2):
        assert sick.events == []
        link = decks._link
        await until(lambda link=link: any(owner == deck.id for owner, _ in link.ledger.in_hand()))
        os.kill(link.pid, signal.SIGKILL)
        await until(lambda link=link: decks.worker_pid not in (None, link.pid))
    assert sick.events == [SoundFailed(9, TrackTrouble.BROKEN)]
    failed_at = len(reader.samples)
    await until(lambda: len(reader.samples) > failed_at + RATE)
    assert dominant(reader.samples[-RATE // 2 :]) == pytest.approx(660, abs=3)
    assert not decks._link.ledger.in_hand() - {(neighbour.id, 1)}, "it is not tried a third time"
    deck.load(10, Media(songs("wav", "tone", 440, 3.0)), 0.0)
    await filled(deck)


@pytest.mark.parametrize(("heard", "strikes"), [(False, 2), (True, 3)])
async def test_what_has_been_heard_may_be_met_once_more_beside_a_dead_worker(heard, strikes):
    """Of two that were in hand nobody knows which one was guilty, and one of them was well before."""
    log = Log()
    deck = TapeDeck(5, 0.5, 4.0, itertools.count(1), lambda *_: None, log, lambda _: None)
    deck.load(1, Media("song"), 0.0)
    if heard:
        deck.heed(Laid(deck=5, tape=1, turn=1, start=0, offset=0.0))
    for _ in range(strikes - 1):
        deck.blame(frozenset({(5, 1), (6, 1)}))
    assert log.events == []
    deck.blame(frozenset({(5, 1)}))
    assert log.events == [SoundFailed(1, TrackTrouble.BROKEN)]
    deck.close()


async def test_a_file_that_takes_long_to_open_holds_up_no_other(decks, songs, open_reader, tmp_path):
    endless = tmp_path / "endless.mp3"
    endless.write_bytes(Path(songs("mp3-without-index", "tone", 440, 3.0)).read_bytes())
    os.truncate(endless, 40 << 30)
    slow = decks.open(1, Log())
    slow.load(1, Media(str(endless)), 1700.0)
    link = decks._link
    await until(lambda: link.ledger.in_hand())
    log = Log()
    deck = decks.open(2, log)
    deck.load(1, Media(songs("mp3", "tone", 440, 3.0)), 0.0)
    path = await filled(deck)
    assert (slow.id, 1) in link.ledger.in_hand(), "it is still being opened"
    open_reader(path, pace=0.05)
    await log.first(SoundEnded)


async def test_a_bot_that_was_busy_does_not_take_its_worker_for_hung(songs):
    async with serve(hung_after=1.0) as decks:
        pid = decks.worker_pid
        for _ in range(3):
            time.sleep(1.2)  # the loop is blocked, on purpose
            await anyio.sleep(0.05)
        assert decks.worker_pid == pid
        assert decks.stats().restarts == 0


async def test_a_killed_nursery_comes_back_with_its_worker(decks, songs, open_reader):
    deck = decks.open(1, Log())
    deck.load(1, Media(songs("mp3", "tone", 440, 20.0)), 0.0)
    reader = open_reader(await filled(deck))
    await until(lambda: len(reader.samples) > RATE // 2)
    worker = decks.worker_pid
    os.kill(parent_of(worker), signal.SIGKILL)
    await until(lambda: decks.worker_pid not in (None, worker))
    await until(lambda: not alive(worker))
    back_at = len(reader.samples)
    await until(lambda: len(reader.samples) > back_at + RATE)
    assert dominant(reader.samples[-RATE // 2 :]) == pytest.approx(440, abs=3)


async def test_nothing_is_left_behind(songs):
    descriptors = set(Path("/proc/self/fd").iterdir())
    async with serve() as decks:
        decks.open(1, Log()).load(1, Media(songs("mp3", "tone", 440, 3.0)), 0.0)
        worker = decks.worker_pid
        nursery = parent_of(worker)
        environment = Path(f"/proc/{nursery}/environ").read_bytes().rstrip(b"\0").split(b"\0")
        names = {entry.partition(b"=")[0] for entry in environment}
        assert names == {b"PYTHONPATH", b"OPENBLAS_NUM_THREADS"}, "a bare environment"
        assert len(list(Path(f"/proc/{nursery}/task").iterdir())) == 1, "it forks, so it has no threads"
    await until(lambda: not alive(worker))
    assert not alive(nursery)
    assert set(Path("/proc/self/fd").iterdir()) <= descriptors


async def test_processes_end_when_the_bot_is_killed(tmp_path):
    script = (
        "import anyio, os, signal\n"
        "from ryzen.audio.client import serve\n"
        "async def main():\n"
        "    async with serve() as decks:\n"
        "        print(decks.worker_pid, flush=True)\n"
        "        await anyio.sleep_forever()\n"
        "anyio.run(main)\n"
    )
    async with await anyio.open_process([os.sys.executable, "-c", script], stderr=None) as bot:
        worker = int(await bot.stdout.receive())
        nursery = parent_of(worker)
        bot.kill()
    await until(lambda: not alive(worker) and not alive(nursery))


async def test_what_the_body_raises_comes_out_as_it_is():
    with pytest.raises(LookupError, match="of the body"):
        async with serve():
            raise LookupError("of the body")


async def test_a_listener_who_refuses_an_event_harms_nobody(decks, songs, open_reader):
    def refuse(event):
        raise MailboxFull("busy")

    deaf = decks.open(1, refuse)
    deaf.load(1, Media("/nowhere"), 0.0)
    log = Log()
    deck = decks.open(2, log)
    deck.load(1, Media("/nowhere"), 0.0)
    assert await log.first(SoundFailed) == SoundFailed(1, TrackTrouble.MISSING)


async def test_many_commands_at_once_all_arrive(decks, songs):
    """More than a socket holds: what does not fit waits, in order."""
    log = Log()
    deck = decks.open(1, log)
    pid = decks.worker_pid
    os.kill(pid, signal.SIGSTOP)
    for epoch in range(2000):
        deck.load(epoch, Media("/nowhere" + "/x" * 400), 0.0)
    os.kill(pid, signal.SIGCONT)
    await until(lambda: log.of(SoundFailed) and log.of(SoundFailed)[-1].epoch == 1999)
    assert decks.worker_pid == pid


def test_the_backoff_forgives_a_good_life_and_never_passes_its_ceiling():
    backoff = Backoff()
    assert backoff.delay(0.0) == 0.0
    assert backoff.delay(60.0) == 0.0, "the first death costs nothing"
    waits, now = [], 60.0
    for _ in range(12):
        now += 0.01
        wait = backoff.delay(now)
        waits.append(wait)
        now += wait
    assert waits == sorted(waits)
    assert waits[0] == 0.0
    assert waits[1] > 0.0
    assert waits[-1] == 5.0
    assert backoff.delay(now + 11) == 0.0
