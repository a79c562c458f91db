"""Laws of loudness: all tracks equally loud, none clipped, and nobody disturbed by finding out."""

from __future__ import annotations

import math
import os
import signal
import socket
import struct
from pathlib import Path

import anyio
import mutagen
import numpy as np
import pytest
from audio_growing import drain
from audio_media import encode, tone
from audio_reader import RATE, silence_runs
from audio_waiting import Log, filled, on_tape, until
from mutagen.id3 import COMM, ID3, TXXX
from mutagen.mp4 import MP4, MP4FreeForm
from test_audio_worker import alive

from ryzen.audio import gain as gains
from ryzen.audio import wire
from ryzen.audio.client import serve
from ryzen.audio.decoder import Decoder
from ryzen.audio.gain import louder, sane
from ryzen.audio.link import Nursery
from ryzen.audio.loudness import find_gain, tagged
from ryzen.player.state import Media


def sine(path: Path, level: float, length: float = 10.0, channels: int = 2, kind: str = "wav") -> Path:
    """1 kHz at so many dB below full scale; on both ears that is as many LUFS (EBU Tech 3341)."""
    rate = 48_000 if kind in ("webm", "ogg-opus") else 44_100
    return encode(path, kind, tone(1000, length, rate, 10 ** (level / 20)), rate, channels)


# -- gain
def samples(*values: int) -> bytes:
    return np.array(values, "<i2").tobytes()


def test_no_gain_is_the_very_same_sound():
    sound = samples(1, -2, 32767, -32768)
    assert louder(sound, 0.0) is sound


@pytest.mark.parametrize("gain", [-20.0, -6.0, -0.5, 3.0, 6.0, 12.0])
def test_a_gain_is_exact_below_the_knee(gain):
    sound = (np.sin(np.arange(4800)) * 2000).astype("<i2")
    changed = np.frombuffer(louder(sound.tobytes(), gain), "<i2")
    assert np.abs(changed - sound * 10 ** (gain / 20)).max() <= 0.51


@pytest.mark.parametrize("gain", [0.1, 6.0, 24.0])
def test_a_gain_never_clips_nor_turns_over_and_keeps_what_is_louder_louder(gain):
    sound = np.arange(-32768, 32768, dtype="<i2")
    changed = np.frombuffer(louder(sound.tobytes(), gain), "<i2").astype(int)
    assert np.all(np.diff(changed) >= 0)
    assert changed[0] >= -32767
    assert changed[-1] <= 32767
    assert np.all(np.abs(changed) >= np.minimum(np.abs(sound.astype(int)), 0.79 * 32767))


def test_what_is_made_softer_is_not_bent():
    assert louder(samples(32767, -32768), -6.0) == samples(16422, -16423)


def test_a_gain_that_makes_no_sense_is_held_to_one_that_does():
    gains_ = [sane(gain) for gain in (math.nan, math.inf, -math.inf, 99.0, -99.0, 3.5)]
    assert gains_ == [0.0, 0.0, 0.0, gains.LARGEST, -gains.LARGEST, 3.5]


@pytest.mark.anyio
@pytest.mark.parametrize("fetched", [False, True], ids=["whole", "growing"])
async def test_a_deck_plays_by_its_media_s_gain(decks, songs, grow, fetched):
    path = songs("flac", "tone", 440, 3.0)
    if fetched:
        growth = grow(path)
        growth.flow(1e6)
        path = str(growth.path)
    heard = []
    for chat, gain in enumerate((0.0, -6.0, 3.0, math.nan)):
        deck = decks.open(chat, Log())
        deck.load(1, Media(path, fetched=fetched, gain=gain), 0.0)
        heard.append(np.abs(on_tape(await filled(deck, 1.5), 0.5, 0.5)).max())
    assert heard[0] == pytest.approx(0.4 * 32767, rel=0.01)
    assert [20 * math.log10(level / heard[0]) for level in heard] == pytest.approx([0, -6, 3, 0], abs=0.02)


# -- measured
@pytest.mark.parametrize("level", [-20.0, -12.0, -26.0])
@pytest.mark.parametrize("kind", ["wav", "mp3", "webm", "m4a"])
def test_a_tone_of_known_loudness(tmp_path, level, kind):
    assert find_gain(str(sine(tmp_path / "tone", level, kind=kind))) == pytest.approx(-16.0 - level, abs=0.5)


def test_one_channel_is_as_loud_as_two_alike(tmp_path):
    """That is how it is played: mixed to one, on both ears."""
    assert find_gain(str(sine(tmp_path / "tone", -20.0, channels=1))) == pytest.approx(4.0, abs=0.2)


def test_silence_between_does_not_count(tmp_path):
    """The gates of R 128: music is as loud as it is where there is some."""
    loud = tone(1000, 10.0, 44100, 0.1)
    path = encode(tmp_path / "song", "wav", np.concatenate((loud, np.zeros(20 * 44100), loud)), 44100)
    assert find_gain(str(path)) == pytest.approx(4.0, abs=0.3)


def test_the_loudest_peak_stays_below_full_scale(tmp_path):
    """Soft music with one loud beat: it could be made 9 dB louder, were it not for that."""
    signal = tone(1000, 20.0, 44100, 10 ** (-25 / 20))
    signal[44100:44150] = 0.7
    gain = find_gain(str(encode(tmp_path / "song", "wav", signal, 44100)))
    assert 0.5 < gain < -1 - 20 * math.log10(0.7) + 0.1
    decoder = Decoder(str(tmp_path / "song"), 0.0, None, 5.0, gain=gain)
    assert np.abs(drain(decoder)).max() < 10 ** (-1 / 20) * 32767 * 1.01


def test_more_than_twelve_decibels_are_not_made_good(tmp_path):
    assert find_gain(str(sine(tmp_path / "tone", -45.0))) == 12.0


@pytest.mark.parametrize("what", ["silence", "text", "nothing", "gone", "a blink"])
def test_what_is_not_to_be_heard_has_no_loudness(tmp_path, what):
    path = tmp_path / "song"
    match what:
        case "silence":
            encode(path, "wav", np.zeros(5 * 44100), 44100)
        case "text":
            path.write_text("no song\n" * 100)
        case "nothing":
            path.touch()
        case "a blink":
            sine(path, -20.0, 0.2)
    assert find_gain(str(path)) is None


# -- told by tags
def with_tags(folder: Path, kind: str, gain: str) -> str:
    path = sine(folder / f"song.{kind}", -20.0, 3.0, kind=kind)
    match kind:
        case "mp3":
            tags = ID3()
            tags.add(TXXX(encoding=3, desc="REPLAYGAIN_TRACK_GAIN", text=gain))
            tags.save(path)
        case "m4a":
            file = MP4(path)
            file["----:com.apple.iTunes:replaygain_track_gain"] = MP4FreeForm(gain.encode())
            file.save()
        case _:
            file = mutagen.File(path)
            file["REPLAYGAIN_TRACK_GAIN"] = gain
            file.save()
    return str(path)


@pytest.mark.parametrize("kind", ["mp3", "m4a", "flac", "ogg-opus", "ogg-vorbis"])
def test_what_its_tags_say_is_believed(tmp_path, kind):
    assert find_gain(with_tags(tmp_path, kind, "-6.52 dB")) == pytest.approx(-4.52)


@pytest.mark.parametrize("gain", ["loud", "", "nan dB", "inf"])
def test_tags_that_make_no_sense_are_not(tmp_path, gain):
    assert find_gain(with_tags(tmp_path, "mp3", gain)) == pytest.approx(4.0, abs=0.5)


def test_apple_s_sound_check_is_understood(tmp_path):
    path = sine(tmp_path / "song.mp3", -20.0, 3.0, kind="mp3")
    tags = ID3()
    check = " 000003E8 00000FA0 00000000"
    tags.add(COMM(encoding=3, lang="eng", desc="iTunNORM", text=check))
    tags.save(path)
    assert find_gain(str(path)) == pytest.approx(-4.02, abs=0.01), "the louder channel: 4 mW, so -6 dB, and 2"


@pytest.mark.parametrize(
    ("tags", "gain"),
    [
        ({}, None),
        ({"r128_track_gain": "-512"}, 5.0),
        ({"r128_track_gain": "-512", "replaygain_track_gain": "-9 dB"}, 5.0),
        ({"replaygain_track_gain": "+3.00 dB"}, 5.0),
        ({"replaygain_track_gain": "+3.00 dB", "replaygain_track_peak": "0.5"}, 5.0),
        ({"replaygain_track_gain": "+3.00 dB", "replaygain_track_peak": "1.0"}, -1.0),
        ({"replaygain_track_gain": "-40 dB"}, -12.0),
        ({"r128_track_gain": "32767"}, 12.0),
        ({"itunnorm": "00000000 00000000"}, None),
        ({"itunnorm": "hello there"}, None),
    ],
)
def test_tags_towards_other_targets_are_moved_to_ours(tags, gain):
    assert tagged(tags) == (None if gain is None else pytest.approx(gain))


# -- in a process of its own
def children_named(name: str) -> list[int]:
    pids = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "comm").read_text().strip() == name:
                pids.append(int(entry.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return pids


def measuring(decks) -> list[int]:
    """Processes of this engine that measure."""
    nursery = int(Path(f"/proc/{decks.worker_pid}/stat").read_text().rpartition(")")[2].split()[1])
    return [pid for pid in children_named("ryzen-loudness") if parent(pid) == nursery]


def parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except FileNotFoundError:
        return None


@pytest.fixture(scope="module")
def long_song(tmp_path_factory):
    """It takes a few seconds to measure."""
    path = tmp_path_factory.mktemp("long") / "song.wav"
    encode(path, "wav", tone(1000, 600.0, 44100, 0.1), 44100)
    return str(path)


@pytest.fixture
def endless_song(tmp_path):
    """Two hours of nothing: a quarter of a minute, and more, for whoever is not told to stop."""
    path, size = tmp_path / "endless.wav", 2 * 3600 * 4 * 44_100
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 2, 44_100, 4 * 44_100, 4, 16)
    path.write_bytes(
        b"RIFF" + struct.pack("<I", size + 36) + b"WAVE" + form + b"data" + struct.pack("<I", size)
    )
    os.truncate(path, size + 44)  # sparse
    return str(path)


@pytest.mark.anyio
async def test_the_engine_measures_beside_playing(decks, songs, open_reader, long_song):
    deck = decks.open(1, Log())
    deck.load(1, Media(songs("mp3", "chirp", length=15.0)), 0.0)
    reader = open_reader(await filled(deck, 1.0))
    found = []

    async def measure(path):
        found.append(await decks.loudness(path))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(measure, long_song)
        tasks.start_soon(measure, long_song)
        await until(lambda: measuring(decks))
        (pid,) = measuring(decks)
        await until(lambda: os.getpriority(os.PRIO_PROCESS, pid) == 19)
        os.kill(pid, signal.SIGSTOP)
        await anyio.sleep(0.5)
        assert measuring(decks) == [pid], "one at a time"
        os.kill(pid, signal.SIGCONT)
    assert found == pytest.approx([4.0, 4.0], abs=0.5)
    assert silence_runs(reader.samples[RATE // 10 :], least=0.02) == []
    assert decks.stats().restarts == 0
    await until(lambda: not measuring(decks))


@pytest.mark.anyio
async def test_nothing_is_found_in_what_is_nothing(decks, tmp_path):
    assert await decks.loudness(str(tmp_path / "gone")) is None


@pytest.mark.anyio
async def test_measuring_ends_with_whoever_asked(decks, endless_song):
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(decks.loudness, endless_song)
        await until(lambda: measuring(decks))
        (pid,) = measuring(decks)
        tasks.cancel_scope.cancel()
    await until(lambda: not alive(pid), within=4.0)


@pytest.mark.anyio
async def test_one_that_raves_has_found_nothing():
    """It has read a file of strangers, who may have taken it over."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)

    async def rave():
        await anyio.wait_readable(theirs)
        _, (line,) = wire.receive(theirs)
        with socket.socket(fileno=line) as answer:
            answer.send(b"la la la")

    with ours, theirs:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(rave)
            assert await Nursery(ours).measure("song") is None


@pytest.mark.anyio
async def test_one_that_is_killed_has_found_nothing_and_the_next_is_measured(decks, tmp_path, endless_song):
    async def kill() -> None:
        await until(lambda: measuring(decks))
        os.kill(measuring(decks)[0], 9)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(kill)
        assert await decks.loudness(endless_song) is None
    assert await decks.loudness(str(sine(tmp_path / "tone", -20.0))) == pytest.approx(4.0, abs=0.5)
    assert decks.stats().restarts == 0


@pytest.mark.anyio
async def test_measuring_ends_with_the_bot(endless_song):
    async with serve() as decks, anyio.create_task_group() as tasks:
        tasks.start_soon(decks.loudness, endless_song)
        await until(lambda: measuring(decks))
        (pid,) = measuring(decks)
        tasks.cancel_scope.cancel()
    await until(lambda: not alive(pid), within=4.0)


@pytest.mark.anyio
async def test_a_worker_can_die_while_a_file_is_measured(decks, endless_song):
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(decks.loudness, endless_song)
        await until(lambda: measuring(decks))
        killed = decks.worker_pid
        os.kill(killed, 9)
        await until(lambda: decks.worker_pid not in (None, killed))
        assert measuring(decks), "it goes on"
        tasks.cancel_scope.cancel()
