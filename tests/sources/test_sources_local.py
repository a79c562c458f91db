"""A music folder that people change while we look."""

from __future__ import annotations

import os
import wave
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from loguru import logger
from mutagen.id3 import TIT2, TPE1
from mutagen.wave import WAVE

from ryzen.errors import TrackError, TrackTrouble
from ryzen.origins import OnDisk, Origin
from ryzen.player.state import Track
from ryzen.sources.folder import stamp_of
from ryzen.sources.local import BATCH, Changes, LocalSource

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)  # on real clocks: the disk does not jump


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    folder.mkdir()
    return folder


@pytest.fixture
def log() -> Iterator[list[str]]:
    lines: list[str] = []
    sink = logger.add(lambda message: lines.append(str(message)), format="{level} {message}", level="INFO")
    yield lines
    logger.remove(sink)


def sound(path: Path, title: str = "", artist: str = "", seconds: float = 0.5) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(round(16_000 * seconds)))
    if title:
        tagged = WAVE(path)
        tagged.add_tags()
        tagged.tags.add(TIT2(text=title))
        tagged.tags.add(TPE1(text=artist))
        tagged.save()
    return path


async def titles(source: LocalSource, words: str) -> list[str]:
    return [track.title for track in await source.search(words, 10)]


async def test_a_track_says_what_its_tags_say(music: Path) -> None:
    sound(music / "deep" / "down" / "x1.WAV", "Ode to Joy", "Beethoven", seconds=1.5)
    async with LocalSource.open(music) as source:
        (track,) = await source.search("ode to joy", 10)
        origin = await source.resolve(track)
    assert (track.title, track.artist, track.duration) == ("Ode to Joy", "Beethoven", 1.5)
    assert (track.source, track.ref) == (source.name, "deep/down/x1.WAV")
    assert origin == Origin(track.id, OnDisk(music / "deep/down/x1.WAV"), 1.5)


async def test_no_link_leads_into_the_folder(music: Path) -> None:
    sound(music / "a.wav")
    async with LocalSource.open(music) as source:
        for link in ("https://example.com/a.wav", (music / "a.wav").as_uri(), "a.wav"):
            assert not source.claims(link)
            with pytest.raises(TrackError) as refused:
                await source.expand(link, 5)
            assert refused.value.trouble is TrackTrouble.NO_SOURCE


async def test_without_tags_the_name_counts(music: Path) -> None:
    sound(music / "tone 440.wav")
    sound(music / "Traditional - Greensleeves.wav")
    sound(music / " - .wav")
    async with LocalSource.open(music) as source:
        (tone,) = await source.search("tone 440", 10)
        (song,) = await source.search("greensleeves", 10)
    assert (tone.title, tone.artist) == ("tone 440", "")
    assert (song.title, song.artist) == ("Greensleeves", "Traditional")


async def test_a_track_is_found_by_its_folder_too(music: Path) -> None:
    sound(music / "Jazz evening" / "one.wav", "First")
    async with LocalSource.open(music) as source:
        assert await titles(source, "jazz first") == ["First"]


async def test_an_id_is_of_the_path_and_outlives_restart_and_change(music: Path, tmp_path: Path) -> None:
    sound(music / "a.wav", "One")
    sound(music / "b.wav", "One")
    seen = set()
    for title in ("One", "Two"):
        async with LocalSource.open(music, tmp_path / "state") as source:
            ids = {track.ref: track.id for track in await source.search(title, 10)}
        seen.add(ids["a.wav"])
        sound(music / "a.wav", "Two", seconds=2)
    assert len(seen) == 1
    assert seen.pop().startswith("local:")
    async with LocalSource.open(music) as source:
        everything = [*await source.search("one", 9), *await source.search("two", 9)]
        assert len({track.id for track in everything}) == 2


async def test_what_has_not_changed_is_not_read_again(music: Path, tmp_path: Path) -> None:
    for name in "abc":
        sound(music / f"{name}.wav")
    async with LocalSource.open(music, tmp_path / "state") as source:
        assert await source.rescan() == Changes()
    sound(music / "b.wav", "Changed", seconds=3)
    (music / "c.wav").unlink()
    sound(music / "d.wav")
    async with LocalSource.open(music, tmp_path / "state", patience=0) as source:
        assert await source.rescan() == Changes(read=2, gone=1)
        assert await titles(source, "changed") == ["Changed"]
        assert await titles(source, "c") == ["Changed"]  # by the beginning of the word; the file c is gone


async def test_a_change_of_size_or_of_time_is_a_change(music: Path) -> None:
    file = sound(music / "a.wav")
    async with LocalSource.open(music) as source:
        os.utime(file, ns=(1, 1))
        assert await source.rescan() == Changes(read=1)
        sound(file, seconds=9)
        os.utime(file, ns=(1, 1))
        assert await source.rescan() == Changes(read=1)
        assert await source.rescan() == Changes()


async def test_hidden_linked_and_foreign_files_are_not_seen(music: Path, tmp_path: Path) -> None:
    outside = sound(tmp_path / "outside" / "secret song.wav")
    sound(music / ".hidden song.wav")
    sound(music / ".hidden" / "inner song.wav")
    sound(music / "song.wav.part")
    sound(music / "seen song.wav")
    (music / "linked song.wav").symlink_to(outside)
    (music / "linked").symlink_to(outside.parent)
    (music / "ring").symlink_to(music)
    (music / "folder song.wav").mkdir()
    os.mkfifo(music / "pipe song.wav")
    Path(os.fsdecode(os.fsencode(music) + b"/bad \xff song.wav")).touch()
    async with LocalSource.open(music) as source:
        assert await titles(source, "song") == ["seen song"]


async def test_a_file_that_vanishes_while_we_look_hides_no_other(music: Path) -> None:
    for name in ("a.wav", "b.wav"):
        sound(music / name)
    with os.scandir(music) as listing:
        first, second = listing
    (music / first.name).unlink()
    assert stamp_of(first) is None
    assert stamp_of(second) is not None


async def test_a_folder_that_is_itself_a_link_is_followed(music: Path, tmp_path: Path) -> None:
    sound(music / "a song.wav")
    (tmp_path / "link").symlink_to(music)
    async with LocalSource.open(tmp_path / "link") as source:
        (track,) = await source.search("a song", 1)
        assert (await source.resolve(track)).place == OnDisk(music / "a song.wav")


async def test_what_cannot_be_read_is_skipped_and_said_once(music: Path, log: list[str]) -> None:
    (music / "broken one.mp3").write_bytes(b"\x00" * 5000)
    (music / "broken two.flac").write_bytes(b"fLaC and no more")
    sound(music / "good one.wav")
    async with LocalSource.open(music) as source:
        assert await titles(source, "one") == ["good one"]
        assert await source.rescan() == Changes()
        sound(music / "broken two.flac")
        assert await source.rescan() == Changes(read=1)
        assert await titles(source, "broken two") == ["broken two"]
    assert len([line for line in log if line.startswith("WARNING")]) == 1
    assert "2 files cannot be read" in "".join(log)


async def test_a_file_that_is_gone_is_missing(music: Path) -> None:
    file = sound(music / "a song.wav")
    async with LocalSource.open(music) as source:
        (track,) = await source.search("a song", 1)
        file.unlink()
        with pytest.raises(TrackError) as caught:
            await source.resolve(track)
        assert caught.value.trouble is TrackTrouble.MISSING
        await source.rescan()
        assert await titles(source, "a song") == []


@pytest.mark.parametrize(
    "ref", ["../secret.wav", "/etc/passwd", "link.wav", "dir/x.wav", "", ".", "sub", "a\x00b", "loop"]
)
async def test_no_path_leads_out_of_the_folder(music: Path, tmp_path: Path, ref: str) -> None:
    sound(tmp_path / "secret.wav")
    sound(tmp_path / "music-too" / "x.wav")
    (music / "link.wav").symlink_to(tmp_path / "secret.wav")
    (music / "dir").symlink_to(tmp_path / "music-too")
    (music / "loop").symlink_to(music / "loop")
    (music / "sub").mkdir()
    async with LocalSource.open(music) as source:
        for path in (ref, f"../music-too/{ref}", str(tmp_path / "secret.wav")):
            with pytest.raises(TrackError) as caught:
                await source.resolve(Track("local:x", "x", "local", path))
            assert caught.value.trouble is TrackTrouble.MISSING


async def test_a_folder_that_is_away_for_a_while_is_not_forgotten(
    music: Path, tmp_path: Path, log: list[str]
) -> None:
    sound(music / "a song.wav")
    async with LocalSource.open(music, tmp_path / "state") as source:
        music.rename(tmp_path / "unplugged")
        assert await source.rescan() == Changes()
        (track,) = await source.search("a song", 1)
        with pytest.raises(TrackError):
            await source.resolve(track)
        (tmp_path / "unplugged").rename(music)
        assert await source.rescan() == Changes()
        await source.resolve(track)
    assert "cannot be read" in "".join(log)


async def test_a_folder_that_never_was_holds_nothing(tmp_path: Path) -> None:
    async with LocalSource.open(tmp_path / "nowhere") as source:
        assert await source.search("anything", 5) == ()


async def test_two_folders_do_not_share_what_is_kept(music: Path, tmp_path: Path) -> None:
    first = sound(music / "song.wav", "First")
    other = tmp_path / "other"
    second = sound(other / "song.wav", "Other")
    stamp = (1, 1)
    os.utime(first, ns=stamp)
    os.utime(second, ns=stamp)
    async with LocalSource.open(music, tmp_path / "state"):
        pass
    async with LocalSource.open(other, tmp_path / "state") as source:
        assert await titles(source, "song") == ["Other"]


async def test_watching_notices_what_changes(music: Path) -> None:
    async with LocalSource.open(music) as source, anyio.create_task_group() as tasks:
        tasks.start_soon(source.watch, 0.01)
        sound(music / "late song.wav")
        with anyio.fail_after(10):
            while not await titles(source, "late song"):
                await anyio.sleep(0.01)
        (music / "late song.wav").unlink()
        with anyio.fail_after(10):
            while await titles(source, "late song"):
                await anyio.sleep(0.01)
        tasks.cancel_scope.cancel()


async def count(source: LocalSource) -> int:
    return len(await source.search("song", 10_000))


async def test_a_large_folder_is_searched_while_it_is_read(music: Path) -> None:
    total = 4 * BATCH
    for number in range(total):
        sound(music / f"song {number}.wav", seconds=0)
    async with LocalSource.open(music, patience=0) as source, anyio.create_task_group() as tasks:
        counts = [await count(source)]
        tasks.start_soon(source.watch)
        with anyio.fail_after(20):
            while counts[-1] < total:
                counts.append(await count(source))
        tasks.cancel_scope.cancel()
    assert counts[0] == 0
    assert len(set(counts)) > 2


async def test_reading_that_was_cut_off_goes_on_where_it_was(music: Path) -> None:
    total = 4 * BATCH
    for number in range(total):
        sound(music / f"song {number}.wav", seconds=0)
    async with LocalSource.open(music, patience=0) as source:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(source.rescan)
            with anyio.fail_after(20):
                while not await count(source):
                    await anyio.sleep(0)
            tasks.cancel_scope.cancel()
        done = await count(source)
        assert 0 < done < total
        assert await source.rescan() == Changes(read=total - done)
