"""Whose file it is: one bot's at a time, ours and of our version, and where it may lie."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_stage import flags, opened
from store_values import apply, as_set, everything, rows

from ryzen.errors import StoreRefused, StoreUnusable
from ryzen.records import SetFlag
from ryzen.store import open_store
from ryzen.store.sqlite import open_sqlite
from ryzen.store.sqlite_schema import MIGRATIONS

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ryzen.db"


async def refusal(path: Path | str, **options: object) -> str:
    """What is said to somebody who cannot open this."""
    with pytest.raises(StoreUnusable) as caught:
        async with open_sqlite(str(path), **options):  # type: ignore[arg-type]
            pass
    return str(caught.value)


# -- where it lies
async def test_the_folder_is_made(tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path}/deep/down/my ryzen.db") as store:
        await apply(store, SetFlag("a", "x"))
    assert (tmp_path / "deep/down/my ryzen.db").exists()


async def test_a_relative_file_is_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with open_store("sqlite:///state/ryzen.db") as store:
        monkeypatch.chdir("/")  # and stays there
        await apply(store, SetFlag("a", "x"))
        assert len(await rows(store)) == 1
        assert await store.check() == ()
    assert (tmp_path / "state/ryzen.db").exists()


@pytest.mark.parametrize(
    "url",
    ["", "ryzen.db", "sqlite:", "sqlite://", "sqlite:///", "sqlite:////", "sqlite://ryzen.db",
     "sqlite:///:memory:", "postgres://joe:s3cret@host/db"],
)  # fmt: skip
async def test_an_address_of_nothing_is_refused_with_one_that_will_do(url: str) -> None:
    with pytest.raises(StoreUnusable, match="sqlite:///") as caught:
        async with open_store(url):
            pass
    assert "s3cret" not in str(caught.value)


async def test_a_place_that_cannot_be_written_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file" / "ryzen.db", Path("/proc/ryzen/ryzen.db")):
        said = await refusal(place)
        assert str(place.parent) in said
        assert "DATABASE_URL" in said
    assert "is no file" in await refusal(tmp_path)


async def test_nobody_else_may_read_the_file_and_what_is_beside_it(path: Path) -> None:
    async with opened(path):
        modes = {each.name: each.stat().st_mode & 0o777 for each in path.parent.iterdir()}
    assert len(modes) == 4
    assert set(modes.values()) == {0o600}


async def test_after_a_clean_end_the_file_is_all_that_there_is(path: Path) -> None:
    async with opened(path) as (store, _):
        await apply(store, SetFlag("a", "x"))
    copy = path.with_name("copy.db")
    copy.write_bytes(path.read_bytes())
    async with opened(copy) as (store, _):
        assert await flags(store) == {"a"}


ORDINARY_USER = """
import asyncio, os, sys
from pathlib import Path
from ryzen.errors import StoreUnusable
from ryzen.store import open_store

async def open_it(path):
    try:
        async with open_store(f"sqlite:///{path}"):
            print("opened")
    except StoreUnusable as error:
        print(error)

async def main(folder):
    path = folder / "ryzen.db"
    await open_it(path)
    if os.geteuid() == 0:  # who may write everywhere; all that is imported is imported by now
        for each in (folder, *folder.iterdir()):
            os.chown(each, 65534, 65534)
        os.seteuid(65534)
    path.chmod(0o400)
    await open_it(path)
    folder.chmod(0o500)
    await open_it(folder / "other.db")

asyncio.run(main(Path(sys.argv[1])))
"""


def test_a_file_that_may_not_be_written_is_refused() -> None:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own are for this user alone
        command = [sys.executable, "-c", ORDINARY_USER, folder]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        Path(folder).chmod(0o700)
    assert done.stderr == ""
    opened, file, place = done.stdout.splitlines()
    assert opened == "opened"
    assert "may not be written" in file
    assert "the right to write there" in place


# -- whose it is
async def test_a_second_bot_is_refused_as_long_as_the_first_one_runs(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(path)
    async with opened(path) as (store, _):
        await apply(store, SetFlag("a", "x"))
        for name in (path, link):
            said = await refusal(name)
            assert f"another Ryzen (process {os.getpid()}) has {path}" in said
        assert await flags(store) == {"a"}
    async with opened(link) as (store, _):
        assert await flags(store) == {"a"}


async def test_a_killed_bot_leaves_no_claim_behind(path: Path) -> None:
    holder = (
        "import asyncio\nfrom ryzen.store import open_store\n"
        "async def main():\n"
        f"    async with open_store('sqlite:///{path}'):\n"
        "        print('open', flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", holder], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"open\n"
            assert f"process {process.pid}" in await refusal(path)
        finally:
            process.kill()
    async with opened(path) as (store, _):
        await apply(store, SetFlag("a", "x"))


async def test_tools_read_beside_the_bot_and_change_nothing(path: Path) -> None:
    async with opened(path) as (store, _):
        await apply(store, *everything())
        expected = as_set(await rows(store))
        async with open_sqlite(str(path), shared=True) as beside:
            assert as_set(await rows(beside)) == expected
            assert await beside.check() == ()
            for attempt in (apply(beside, SetFlag("b", "x")), beside.clear(), beside.load([])):
                with pytest.raises(StoreRefused, match="reading alone"):
                    await attempt
            await apply(store, SetFlag("later", "x"))
            assert "later" in await flags(beside)
    async with open_sqlite(str(path), shared=True) as alone:  # and when there is no bot
        assert "later" in await flags(alone)
    async with opened(path) as (store, _):
        assert "later" in await flags(store)


async def test_a_tool_makes_no_database(path: Path) -> None:
    assert "there is no database" in await refusal(path, shared=True)
    assert not list(path.parent.iterdir())


@pytest.mark.parametrize(
    "script",
    ["CREATE TABLE t (x)", "PRAGMA application_id = 7", "PRAGMA user_version = 3; CREATE TABLE t (x)"],
    ids=["table", "id", "version"],
)
@pytest.mark.parametrize("shared", [False, True])
async def test_another_programs_database_is_left_alone(path: Path, script: str, shared: bool) -> None:
    with closing(sqlite3.connect(path)) as theirs:
        theirs.executescript(script)
    before = path.read_bytes()
    assert "another program's database" in await refusal(path, shared=shared)
    assert path.read_bytes() == before


async def test_an_empty_file_becomes_ours(path: Path) -> None:
    path.touch()
    async with opened(path) as (store, _):
        await apply(store, SetFlag("a", "x"))
    async with opened(path) as (store, _):
        assert await flags(store) == {"a"}


async def test_what_is_committed_is_on_the_disk_and_refers_to_what_is_there(path: Path) -> None:
    """No kill shows what a power cut does: so the settings that SQLite's authors vouch for."""
    said: dict[str, object] = {}

    def look(cursor: sqlite3.Cursor) -> None:
        for name in ("journal_mode", "synchronous", "foreign_keys"):
            (said[name],) = cursor.execute(f"PRAGMA {name}").fetchone()

    async with opened(path) as (_, writer):
        await writer.do(look)
    assert said == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


# -- its version
NEXT = (*MIGRATIONS, "ALTER TABLE flags ADD COLUMN since REAL; UPDATE flags SET since = 7.0")


async def test_an_older_file_is_brought_up_to_date_once(path: Path) -> None:
    async with opened(path) as (store, _):
        await apply(store, *everything())
        before = as_set(await rows(store))
    assert "of an older Ryzen" in await refusal(path, shared=True, migrations=NEXT)
    for _ in range(2):
        async with open_sqlite(str(path), migrations=NEXT) as store:
            assert as_set(await rows(store)) == before
            assert await store.check() == ()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (2,)
        assert db.execute("SELECT DISTINCT since FROM flags").fetchall() == [(7.0,)]


async def test_a_newer_file_is_refused_and_left_alone(path: Path) -> None:
    async with open_sqlite(str(path), migrations=NEXT):
        pass
    before = path.read_bytes()
    for shared in (False, True):
        assert "of a newer Ryzen" in await refusal(path, shared=shared)
    assert path.read_bytes() == before


async def test_a_migration_that_fails_changes_nothing(path: Path) -> None:
    async with opened(path) as (store, _):
        await apply(store, SetFlag("a", "x"))
    broken = (*MIGRATIONS, "DELETE FROM flags; CREATE TABLE flags (x)")
    assert "cannot be used" in await refusal(path, migrations=broken)
    async with opened(path) as (store, _):
        assert await flags(store) == {"a"}
