"""A file that is read while it is written: real files, real threads, real processes."""

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given

from ryzen.growing import CutOff, GrowingFile, GrowingWriter, LeftBehind, page_of

KIB = 1024


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 KiB."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(tmp_path)], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("only root can mount a small disk")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


class Reader(threading.Thread):
    """Reads all of it, from where it was opened."""

    def __init__(self, file: GrowingFile) -> None:
        super().__init__()
        self.file, self.heard, self.error = file, bytearray(), None
        self.start()

    def run(self) -> None:
        try:
            while data := self.file.read(1000):
                self.heard += data
        except OSError as error:
            self.error = error
        self.file.close()


def wait_until_it_waits(file: GrowingFile) -> None:
    while not file.waiting:
        os.sched_yield()


def test_readers_of_a_growing_file_get_every_byte_and_end_with_it(tmp_path: Path) -> None:
    path, song = tmp_path / "song", os.urandom(300 * KIB)
    writer = GrowingWriter(path)
    readers = [Reader(GrowingFile(path)) for _ in range(3)]
    for at in range(0, len(song), 7000):
        writer.write(song[at : at + 7000])
    writer.finish()
    for reader in readers:
        reader.join()
        assert reader.error is None
        assert bytes(reader.heard) == song


def test_a_reader_waits_at_the_write_end_and_goes_on(tmp_path: Path) -> None:
    writer = GrowingWriter(tmp_path / "song")
    writer.write(b"first")
    file = GrowingFile(tmp_path / "song")
    reader = Reader(file)
    wait_until_it_waits(file)
    assert bytes(reader.heard) == b"first"
    writer.write(b"second")
    writer.finish()
    reader.join()
    assert bytes(reader.heard) == b"firstsecond"


def test_a_whole_file_has_no_page_and_says_its_length(tmp_path: Path) -> None:
    writer = GrowingWriter(tmp_path / "song")
    writer.write(b"all of it")
    with GrowingFile(tmp_path / "song") as early:
        assert early.total() is None
        with pytest.raises(OSError, match="not known"):
            early.seek(0, os.SEEK_END)
        writer.finish()
        assert early.total() == early.available() == 9
        assert early.seek(-2, os.SEEK_END) == 7
    assert [file.name for file in tmp_path.iterdir()] == ["song"]
    with GrowingFile(tmp_path / "song") as late:
        assert late.total() == late.available() == 9
        assert late.read() == b"all of it"


def test_the_announced_length_is_known_before_the_bytes_are_there(tmp_path: Path) -> None:
    writer = GrowingWriter(tmp_path / "song", 100)
    with GrowingFile(tmp_path / "song") as file:
        assert (file.total(), file.available()) == (100, 0)
        writer.total = 50
        assert file.total() == 50
    writer.fail()


def test_a_failing_file_leaves_nothing_and_its_readers_are_told(tmp_path: Path) -> None:
    writer = GrowingWriter(tmp_path / "song")
    writer.write(b"a piece")
    reader = Reader(GrowingFile(tmp_path / "song"))
    writer.fail()
    reader.join()
    assert bytes(reader.heard) == b"a piece", "what had come may still be read"
    assert isinstance(reader.error, CutOff)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError):
        GrowingFile(tmp_path / "song")


def test_what_is_given_up_is_free_again_and_cannot_be_read(tmp_path: Path) -> None:
    writer = GrowingWriter(tmp_path / "song")
    writer.write(bytes(256 * KIB))
    writer.flush()
    taken = (tmp_path / "song").stat().st_blocks
    writer.give_up(200 * KIB)
    writer.give_up(100 * KIB)  # never again less
    assert (tmp_path / "song").stat().st_blocks < taken / 2
    with GrowingFile(tmp_path / "song") as file:
        with pytest.raises(LeftBehind):
            file.read(10)
        file.seek(200 * KIB - 1)
        with pytest.raises(LeftBehind):
            file.read(10)
        file.seek(200 * KIB)
        assert file.read(10) == bytes(10)
    assert writer.size == 256 * KIB, "places do not move"
    writer.fail()


def test_bytes_given_up_while_they_are_read_are_not_heard_as_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The moment between a look at the page and the read is too short to be met from outside."""
    writer = GrowingWriter(tmp_path / "song")
    writer.write(b"x" * 64 * KIB)
    pread = os.pread

    def late(file: int, size: int, at: int) -> bytes:
        writer.give_up(32 * KIB)
        return pread(file, size, at)

    with GrowingFile(tmp_path / "song") as file:
        monkeypatch.setattr("ryzen.growing.os.pread", late)
        with pytest.raises(LeftBehind):
            file.read(10)
    writer.fail()


def test_a_file_with_holes_is_left_to_who_has_it_open_and_to_nobody_else(tmp_path: Path) -> None:
    writer = GrowingWriter(tmp_path / "air")
    writer.write(b"x" * 64 * KIB)
    writer.give_up(32 * KIB)
    with GrowingFile(tmp_path / "air") as file:
        file.seek(60 * KIB)
        writer.finish(kept=False)
        assert file.read() == b"x" * 4 * KIB
        assert file.read() == b""
    assert list(tmp_path.iterdir()) == []


def test_writing_goes_on_behind_what_is_kept(tmp_path: Path) -> None:
    (tmp_path / "song").write_bytes(b"0123456789")
    writer = GrowingWriter(tmp_path / "song", keep=4)
    with GrowingFile(tmp_path / "song") as file:
        assert file.available() == 4
    writer.write(b"abc")
    writer.finish()
    assert (tmp_path / "song").read_bytes() == b"0123abc"


def test_no_hole_is_made_of_bytes_that_are_not_there_to_be_kept(tmp_path: Path) -> None:
    (tmp_path / "song").write_bytes(b"0123")
    for name in ("song", "other"):
        with pytest.raises(FileNotFoundError):
            GrowingWriter(tmp_path / name, keep=5)
    assert [file.name for file in tmp_path.iterdir()] == ["song"]
    assert (tmp_path / "song").read_bytes() == b"0123"


def test_a_stopped_reader_does_not_wait(tmp_path: Path) -> None:
    writer = GrowingWriter(tmp_path / "song")
    file = GrowingFile(tmp_path / "song")
    reader = Reader(file)
    wait_until_it_waits(file)
    file.stop()
    reader.join()
    assert isinstance(reader.error, CutOff)
    writer.fail()


def test_a_writer_that_is_killed_leaves_a_page_so_its_file_is_nobodys(tmp_path: Path) -> None:
    code = (
        "import sys, os, signal; from pathlib import Path; from ryzen.growing import GrowingWriter\n"
        "writer = GrowingWriter(Path(sys.argv[1])); writer.write(b'half')\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path / "song")], check=False)
    assert ended.returncode == -9
    assert page_of(tmp_path / "song").exists()


def test_a_page_that_is_none_of_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / "song").write_bytes(b"sound")
    page_of(tmp_path / "song").write_bytes(b"")
    with pytest.raises(OSError, match="not one of ours"):
        GrowingFile(tmp_path / "song")


def test_a_full_disk_is_an_error_and_tells_how_much_was_written(small_disk: Path) -> None:
    writer = GrowingWriter(small_disk / "song")
    with pytest.raises(OSError) as full:
        writer.write(bytes(1024 * KIB))
    assert full.value.errno == errno.ENOSPC
    assert 0 < writer.size < 256 * KIB
    with GrowingFile(small_disk / "song") as file:
        assert file.available() == writer.size
    writer.give_up(64 * KIB)
    writer.write(bytes(60 * KIB))  # where the given up bytes were
    writer.fail()


def test_a_disk_without_room_for_the_page_is_an_error_and_no_crash(small_disk: Path) -> None:
    """A store into a mapped page that the disk has no room for would be SIGBUS, and the end of the bot."""
    with (small_disk / "other").open("wb", buffering=0) as other:
        while other.write(bytes(4 * KIB + 1)) > 4 * KIB:
            pass  # a short write: it is full now
    with pytest.raises(OSError) as full:
        GrowingWriter(small_disk / "song")
    assert full.value.errno == errno.ENOSPC
    assert [file.name for file in small_disk.iterdir()] == ["other"]


@given(st.lists(st.one_of(st.binary(max_size=20_000), st.integers(0, 200_000)), max_size=12))
def test_what_can_be_read_is_what_was_written(tmp_path_factory: pytest.TempPathFactory, steps: list) -> None:
    path = tmp_path_factory.mktemp("growing") / "song"
    writer, model, given_up = GrowingWriter(path), b"", 0
    with GrowingFile(path) as file:
        for step in steps:
            if isinstance(step, bytes):
                writer.write(step)
                model += step
            else:
                step = min(step, len(model))
                writer.give_up(step)
                given_up = max(given_up, step)
            assert file.available() == len(model)
            if given_up < len(model):
                file.seek(given_up)
                assert file.read(len(model) - given_up) == model[given_up:]
        writer.finish(kept=False)
        file.seek(len(model))
        assert file.read(1) == b""
