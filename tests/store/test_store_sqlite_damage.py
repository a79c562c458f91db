"""A damaged file: the bot starts with what can be read of it, and what is left of it is kept."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlite_stage import errors_logged, files_no_longer_than, fill, flags, opened
from store_values import apply, as_set, everything, rows

from ryzen.errors import StoreUnusable
from ryzen.records import SetFlag
from ryzen.store.sqlite import open_sqlite
from ryzen.store.sqlite_schema import MIGRATIONS

pytestmark = pytest.mark.anyio

PAGE = 4096
FLAGS = 4000


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """A file of some 100 pages, most of them flags."""
    path = tmp_path / "ryzen.db"
    async with opened(path) as (store, _):
        await apply(store, *everything(), *fill(FLAGS))
    path.chmod(0o600)
    return path


def overwrite(path: Path, at: int, what: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(what)


def middle_leaf(path: Path) -> int:
    """Where a page in the middle begins that has nothing but rows: flags, that is."""
    content = path.read_bytes()
    return next(at for at in range(len(content) // PAGE // 2 * PAGE, len(content), PAGE) if content[at] == 10)


def kept_copies(path: Path) -> list[Path]:
    return sorted(
        each for each in path.parent.iterdir() if ".damaged-" in each.name and each.suffix != ".lock"
    )


async def mended(path: Path, migrations: tuple[str, ...] = MIGRATIONS) -> tuple[set[str], str]:
    """What flags there are when a bot has started with it, and what was logged; the bot goes on."""
    broken = path.read_bytes()
    with errors_logged() as lines:
        async with open_sqlite(str(path), migrations=migrations) as store:
            found = await flags(store)
            assert await store.check() == ()
            await apply(store, SetFlag("and", "goes on"))
        async with open_sqlite(str(path), migrations=migrations) as store:
            assert await flags(store) == found | {"and"}
    (line,) = lines
    assert "\n" not in line
    (kept,) = [copy for copy in kept_copies(path) if not copy.name.endswith("-wal")]
    assert kept.stat().st_mode == path.stat().st_mode
    assert kept.read_bytes() == broken
    assert str(kept) in line
    assert "ryzen restore" in line
    assert not list(path.parent.glob("*.mending"))
    return found, line


async def test_a_page_in_the_middle_costs_its_own_rows_alone(path: Path) -> None:
    overwrite(path, middle_leaf(path), bytes(PAGE))
    found, line = await mended(path)
    assert FLAGS - 60 < len(found) < FLAGS + 5
    assert {"flag 000000", f"flag {FLAGS - 1:06}"} <= found
    assert f"flags {len(found)}" in line


async def test_half_a_file_is_half_lost(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    found, _ = await mended(path)
    assert FLAGS / 4 < len(found) < FLAGS


@pytest.mark.parametrize(
    "garbage",
    [b"Traceback (most recent call last):\n", b"\0" * 100, b"\xff" * PAGE],
    ids=["some", "header", "page"],
)
async def test_what_was_written_over_the_beginning_costs_nothing(path: Path, garbage: bytes) -> None:
    async with opened(path) as (store, _):
        before = as_set(await rows(store))
    overwrite(path, 0, garbage)
    await mended(path)
    async with opened(path) as (store, _):
        await apply(store, SetFlag("and", None))
        assert as_set(await rows(store)) == before


@pytest.mark.parametrize("content", [b"not a database at all\n" * 1000, b"x", b"\0" * 50_000])
async def test_what_is_no_database_is_kept_and_a_new_one_begins(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ryzen.db"
    path.write_bytes(content)
    found, line = await mended(path)
    assert found == set()
    assert "0 rows" in line


async def test_the_log_beside_a_damaged_file_is_read_too(path: Path, tmp_path: Path) -> None:
    killed = tmp_path / "killed" / "ryzen.db"
    killed.parent.mkdir()
    async with opened(path) as (store, _):
        await apply(store, SetFlag("last words", "x"))
        for log in ("", "-wal"):  # as a kill leaves them
            shutil.copyfile(f"{path}{log}", f"{killed}{log}")
    overwrite(killed, middle_leaf(killed), b"\xff" * PAGE)
    found, _ = await mended(killed)
    assert "last words" in found
    assert len(found) > FLAGS - 60
    assert [copy for copy in kept_copies(killed) if copy.name.endswith("-wal")]


async def killed_without_its_pages(path: Path, length: int | None) -> None:
    """What a kill leaves, but with so many bytes of the file, or none: all the rows are in the log."""
    origin = path.with_name("origin.db")
    async with opened(origin) as (store, _):
        await apply(store, SetFlag("last words", "x"))
        shutil.copyfile(f"{origin}-wal", f"{path}-wal")
        if length is not None:
            path.write_bytes(origin.read_bytes()[:length])


@pytest.mark.parametrize("length", [None, 0, 100])
async def test_what_is_in_the_log_alone_is_not_lost_with_the_file(tmp_path: Path, length: int | None) -> None:
    path = tmp_path / "ryzen.db"
    await killed_without_its_pages(path, length)
    log = Path(f"{path}-wal").read_bytes()
    with pytest.raises(StoreUnusable, match="is damaged"):
        async with open_sqlite(str(path), shared=True):
            pass
    assert Path(f"{path}-wal").read_bytes() == log
    with errors_logged() as lines:
        async with opened(path) as (store, _):
            assert await flags(store) == {"last words"}
    assert len(lines) == 1
    (kept,) = [copy for copy in kept_copies(path) if copy.name.endswith("-wal")]
    assert kept.read_bytes() == log


#: Kills itself at the given one of the steps that change names in the folder.
KILLED_OVER_IT = """
import anyio, os, sys
from pathlib import Path
from ryzen.store.sqlite import open_sqlite

left = int(sys.argv[2])

def counted(step):
    def or_killed(*args, **options):
        global left
        if left == 0:
            os.kill(os.getpid(), 9)
        left -= 1
        return step(*args, **options)
    return or_killed

Path.replace, Path.unlink = counted(Path.replace), counted(Path.unlink)

async def main():
    async with open_sqlite(sys.argv[1]):
        pass

anyio.run(main)
"""


async def test_a_kill_at_any_step_of_the_mending_costs_nothing(tmp_path: Path) -> None:
    step, ended = 0, -signal.SIGKILL
    while ended == -signal.SIGKILL:
        path = tmp_path / f"{step}" / "ryzen.db"
        path.parent.mkdir()
        await killed_without_its_pages(path, 100)
        command = [sys.executable, "-c", KILLED_OVER_IT, str(path), str(step)]
        ended = subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode
        async with opened(path) as (store, _):
            assert await flags(store) == {"last words"}, step
        assert not list(path.parent.glob("*.mended"))
        step += 1
    assert ended == os.EX_OK
    assert step > 4


async def test_what_refers_to_a_lost_track_is_left_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "ryzen.db"
    async with opened(path) as (store, writer):
        await apply(store, *everything())
        tracks: list[int] = []
        await writer.do(
            lambda cursor: tracks.extend(
                cursor.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'tracks'").fetchone()
            )
        )
    overwrite(path, (tracks[0] - 1) * PAGE, b"\xff" * PAGE)
    with errors_logged() as lines:
        async with opened(path) as (store, _):
            assert await store.check() == ()
            sizes = await store.sizes()
            assert sizes["tracks"] == sizes["plays"] == sizes["playlist_items"] == 0
            assert sizes["counters"]
            assert len(await store.live()) == 2
    assert len(lines) == 1


async def test_a_damaged_file_of_an_older_version_is_brought_up_to_date(path: Path) -> None:
    overwrite(path, middle_leaf(path), bytes(PAGE))
    found, _ = await mended(path, (*MIGRATIONS, "ALTER TABLE flags ADD COLUMN since REAL"))
    assert len(found) > FLAGS - 60


async def test_a_tool_tells_of_the_damage_and_mends_nothing(path: Path) -> None:
    overwrite(path, middle_leaf(path), bytes(PAGE))
    before = path.read_bytes()
    async with open_sqlite(str(path), shared=True) as store:
        assert "damaged" in (await store.check())[0]
    overwrite(path, 0, b"Traceback")
    with pytest.raises(StoreUnusable, match="is damaged"):
        async with open_sqlite(str(path), shared=True):
            pass
    overwrite(path, 0, before[:9])
    assert path.read_bytes() == before
    assert kept_copies(path) == []


@pytest.mark.parametrize("room", [0.1, 0.3, 0.9])
async def test_without_room_for_a_new_file_the_damaged_one_stays_as_it_is(path: Path, room: float) -> None:
    size = int(path.stat().st_size * room)
    overwrite(path, middle_leaf(path), bytes(PAGE))
    before = path.read_bytes()
    with files_no_longer_than(size), pytest.raises(StoreUnusable, match="ryzen restore FILE"):
        async with open_sqlite(str(path)):
            pass
    assert path.read_bytes() == before
    assert kept_copies(path) == []
    assert not list(path.parent.glob("*.mending"))
    await mended(path)
