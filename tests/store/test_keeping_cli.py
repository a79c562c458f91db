# ruff: noqa: F401  (fixtures come by name)
"""``ryzen backup``, ``restore``, ``db check`` and ``import``, as somebody types them and reads what comes."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote_plus

import anyio
import pytest
from loguru import logger
from mongod import Mongod, free_port
from pymongo import MongoClient
from store_foreign import READER, ROOT, STRANGE, YUKKI, ForeignServer, foreign_server_in
from store_places import Place, anyio_backend, mongo_place, sqlite_place
from store_values import GROUP, apply, as_set, everything, rows

from ryzen.__main__ import main
from ryzen.keeping import _shown
from ryzen.records import Beat, SetFlag

pytestmark = pytest.mark.anyio


def type_in(
    folder: Path, *words: str, url: str = "", stdin: str = "", blocks: int = 0
) -> subprocess.CompletedProcess[str]:
    """`ryzen` with these words, in this folder; ``blocks``: no file may have more kilobytes."""
    command = [sys.executable, "-m", "ryzen", *words]
    if blocks:
        command = ["bash", "-c", f'ulimit -f {blocks}; exec "$@"', "bash", *command]
    done = subprocess.run(
        command,
        cwd=folder,
        env={
            "PATH": os.defpath,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "PYTHONDONTWRITEBYTECODE": "1",
            **({"DATABASE_URL": url} if url else {}),
        },
        input=stdin,
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert "Traceback" not in done.stderr
    return done


async def typed(folder: Path, *words: str, **more: object) -> subprocess.CompletedProcess[str]:
    return await anyio.to_thread.run_sync(lambda: type_in(folder, *words, **more))  # type: ignore[arg-type]


async def fill(place: Place) -> None:
    async with place.open() as store:
        await apply(store, *everything())


async def contents(place: Place) -> object:
    async with place.open() as store:
        return as_set(await rows(store))


class Named:
    name = "MongoDB"


@pytest.fixture(autouse=True)
def _keep_the_log() -> Iterator[None]:
    """``main`` points loguru at standard error; nothing of that may outlive a test."""
    yield
    logger.remove()
    logger.add(sys.stderr)


@pytest.fixture
def own(tmp_path: Path) -> Place:
    """Where the database is if nothing is set."""
    return sqlite_place(tmp_path / "state", "ryzen.db")


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForeignServer]:
    with foreign_server_in(tmp_path_factory.mktemp("foreign")) as server:
        server.fill("Yukki", YUKKI)
        server.fill("Yukki", {"authuser": STRANGE["authuser"]})
        yield server


# -- backup and restore
async def test_a_backup_moves_a_bot_from_sqlite_to_mongodb_and_back(
    own: Place, mongod: Mongod, tmp_path: Path
) -> None:
    await fill(own)
    mongo = mongo_place(mongod)
    done = type_in(tmp_path, "backup", "one.backup")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.match(
        r"\d+ rows from SQLite are in one.backup now \([\d,]+ bytes\):\n +\d+  tracks\n", done.stdout
    )
    assert stat.S_IMODE((tmp_path / "one.backup").stat().st_mode) == 0o600

    done = type_in(tmp_path, "restore", "one.backup", url=mongo.url)
    assert done.returncode == 0, done.stderr
    said = r"\d+ rows of the backup of 20[-\dT:]+\+00:00, from SQLite, are in MongoDB \(127.0.0.1:\d+/ryzen"
    assert re.match(said, done.stdout)
    done = type_in(tmp_path, "backup", "two.backup", url=mongo.url)
    assert "rows from MongoDB" in done.stdout

    (tmp_path / "new").mkdir()
    done = type_in(tmp_path / "new", "restore", "../two.backup")
    assert done.returncode == 0, done.stderr
    assert "from MongoDB, are in SQLite (state/ryzen.db) now" in done.stdout
    assert await contents(sqlite_place(tmp_path / "new" / "state", "ryzen.db")) == await contents(own)


async def test_a_backup_is_made_beside_a_running_bot_and_a_restore_is_not(own: Place, tmp_path: Path) -> None:
    await fill(own)
    async with own.open() as store:  # as the bot has it
        assert (await typed(tmp_path, "backup", "one.backup")).returncode == 0
        await apply(store, SetFlag("since", "x"))
        done = await typed(tmp_path, "restore", "one.backup", "--force")
        assert done.returncode == 1
        assert f"another Ryzen (process {os.getpid()}) has" in done.stderr
        assert "stop that one" in done.stderr
        assert (await store.flags())["since"] == "x"
        done = await typed(tmp_path, "db", "check")
        assert done.returncode == 0, done.stderr


async def test_nothing_is_written_over_without_force(own: Place, tmp_path: Path) -> None:
    await fill(own)
    assert type_in(tmp_path, "backup", "one.backup").returncode == 0
    before = (tmp_path / "one.backup").read_bytes()
    done = type_in(tmp_path, "backup", "one.backup")
    assert (done.returncode, done.stdout) == (1, "")
    assert "one.backup is there already: name another, or write over it with --force" in done.stderr
    assert (tmp_path / "one.backup").read_bytes() == before
    assert type_in(tmp_path, "backup", "one.backup", "--force").returncode == 0

    async with own.open() as store:
        await apply(store, SetFlag("since", "x"))
    kept = await contents(own)
    done = type_in(tmp_path, "restore", "one.backup")
    assert (done.returncode, done.stdout) == (1, "")
    assert "the database is not empty: make a `ryzen backup` of it" in done.stderr
    assert "--force" in done.stderr
    assert await contents(own) == kept
    assert type_in(tmp_path, "restore", "one.backup", "--force").returncode == 0
    assert await contents(own) != kept


async def test_what_a_backup_leaves_out_is_told(mongod: Mongod, tmp_path: Path) -> None:
    mongo = mongo_place(mongod)
    await fill(mongo)
    with MongoClient[dict[str, object]](mongo.url) as server:
        odd: dict[str, object] = {"_id": -7, "id": -7, "name": None, "first": 1.0, "last": 1.0}
        server.get_default_database()["chats"].insert_one(odd)
    done = type_in(tmp_path, "backup", "one.backup", url=mongo.url)
    assert done.returncode == 0
    assert done.stderr == "Left out, for they could not be restored: 1 in 'chats'.\n"
    assert type_in(tmp_path, "restore", "one.backup").returncode == 0


async def test_a_bad_file_is_told_and_nothing_is_made(tmp_path: Path) -> None:
    (tmp_path / "bad.backup").write_bytes(b"hello")
    for name, says in (
        ("bad.backup", "is no backup of Ryzen: name a file"),
        ("none", "cannot be read: No such file"),
    ):
        done = type_in(tmp_path, "restore", name)
        assert done.returncode == 1
        assert says in done.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["bad.backup"]


async def test_a_disk_that_is_full_is_told_and_leaves_nothing(own: Place, tmp_path: Path) -> None:
    await fill(own)
    async with own.open() as store:
        await apply(store, *(SetFlag(f"{n}", os.urandom(300).hex()) for n in range(200)))
    (tmp_path / "backups").mkdir()
    done = type_in(tmp_path, "backup", "backups/one.backup", blocks=40)
    assert done.returncode == 1
    assert "backups/one.backup cannot be written: File too large. Name a file in a folder" in done.stderr
    assert list((tmp_path / "backups").iterdir()) == []


async def test_a_database_that_is_not_there_or_empty_is_no_backup(own: Place, tmp_path: Path) -> None:
    done = type_in(tmp_path, "backup", "one.backup")
    assert done.returncode == 1
    assert "there is no database" in done.stderr
    async with own.open():
        pass
    done = type_in(tmp_path, "backup", "one.backup")
    assert done.returncode == 1
    assert "there is nothing in SQLite (state/ryzen.db): is that the right DATABASE_URL?" in done.stderr
    assert not (tmp_path / "one.backup").exists()


async def test_a_server_on_which_a_bot_is_at_work_is_told(own: Place, mongod: Mongod, tmp_path: Path) -> None:
    await fill(own)
    assert type_in(tmp_path, "backup", "one.backup").returncode == 0
    mongo = mongo_place(mongod)
    async with mongo.open() as store:
        await apply(store, Beat("p", time.time()))
    done = type_in(tmp_path, "restore", "one.backup", "--force", url=mongo.url)
    assert done.returncode == 0
    assert "A bot was at work on this database" in done.stderr
    assert "stop it and restore once more with --force" in done.stderr


# -- db check
async def test_a_check_says_what_there_is(own: Place, mongod: Mongod, tmp_path: Path) -> None:
    mongo = mongo_place(mongod)
    for place, url, name in (
        (own, "", r"SQLite \(state/ryzen.db\)"),
        (mongo, mongo.url, r"MongoDB \(127[^@?]*\)"),
    ):
        await fill(place)
        done = type_in(tmp_path, "db", "check", url=url)
        assert (done.returncode, done.stderr) == (0, "")
        assert re.match(name + r", schema 1, \d+ rows:\n +2  tracks\n", done.stdout)
        assert done.stdout.endswith("All is well.\n")


async def test_a_check_says_what_is_wrong(own: Place, tmp_path: Path) -> None:
    await fill(own)
    async with own.open() as store:
        live = [
            fields for table, fields in await rows(store) if table == "live" and fields["chat_id"] == GROUP
        ]
        await store.load([("live", {**live[0], "player": "{"})])
    done = type_in(tmp_path, "db", "check")
    assert done.returncode == 1
    assert f"Something is wrong:\n  - the player of chat {GROUP}" in done.stdout
    assert "All is well" not in done.stdout


# -- import
async def test_another_bots_data_are_taken_over(own: Place, foreign: ForeignServer, tmp_path: Path) -> None:
    before = foreign.everything()
    dry = type_in(tmp_path, "import", "yukki", foreign.uri(), "--dry-run")
    assert (dry.returncode, dry.stderr) == (0, "")
    assert "Nothing was written. This would come from «Yukki» to SQLite (state/ryzen.db):\n" in dry.stdout
    assert await contents(own) == {}

    done = type_in(tmp_path, "import", "yukki", "-", stdin=foreign.uri() + "\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1:] == dry.stdout.splitlines()[1:]
    assert done.stdout.startswith(
        "This came from «Yukki» to SQLite (state/ryzen.db):\n            2  chats\n"
    )
    assert "4  tracks in playlists\n" in done.stdout
    assert "Not of a shape that we know, and left out: 4 in 'authuser'.\n" in done.stdout
    assert (
        "Documents that mean nothing here: 1 in 'assistants', 1 in 'onoffper', 1 in 'upcount'.\n"
        in done.stdout
    )

    again = type_in(tmp_path, "import", "yukki", foreign.uri())
    assert "  nothing\n" in again.stdout
    assert re.search(r"\d+ more were there already, and stay as they are\.", again.stdout)
    assert foreign.everything() == before
    for said in (dry, done, again):
        assert "re%40der" not in said.stdout + said.stderr
    assert type_in(tmp_path, "db", "check").returncode == 0


def test_no_password_is_ever_printed(
    foreign: ForeignServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    uri = foreign.uri()
    wrong = foreign.uri(password="Sup3rSecret")
    ours = f"mongodb://u:Sup3rSecret@127.0.0.1:{free_port()}/x"
    cases: list[tuple[list[str], str]] = [
        (["import", "anon", wrong], ""),
        (["import", "yukki", wrong.replace("mongodb:", "mongo:")], ""),
        (["import", wrong, "yukki"], ""),
        (["import", "yukki", "anon", wrong], ""),
        (["import", "yukki", wrong, "--databse", "x"], ""),
        (["import", "yukki", uri, "--database", "none"], ""),
        (["import", "yukki", uri], ours),
        (["db", wrong], ""),
        ([wrong], ""),
    ]
    monkeypatch.chdir(tmp_path)
    for words, url in cases:
        monkeypatch.setenv("DATABASE_URL", url)
        try:
            code = main(words)
        except SystemExit as ended:
            code = int(str(ended.code))
        said = "".join(capfd.readouterr())
        assert code in (1, 2)
        assert said
        for secret in ("Sup3rSecret", READER, quote_plus(READER)):
            assert secret not in said


async def test_where_our_database_is_is_said_without_its_password(
    foreign: ForeignServer, own: Place, tmp_path: Path
) -> None:
    await fill(own)
    assert type_in(tmp_path, "backup", "one.backup").returncode == 0
    url = foreign.uri("root", ROOT).replace("/?", "/ours?")
    for words in (["restore", "one.backup"], ["db", "check"], ["import", "yukki", foreign.uri()]):
        done = type_in(tmp_path, *words, url=url)
        assert done.returncode == 0, done.stderr
        assert f"MongoDB (127.0.0.1:{foreign.mongod.port}/ours)" in done.stdout
        assert quote_plus(ROOT) not in done.stdout + done.stderr
    foreign.root.drop_database("ours")


def test_an_at_sign_in_an_option_shows_no_option() -> None:
    url = "mongodb://u:Sup3rSecret@h/db?appName=a@b&tlsCertificateKeyFilePassword=Sup3rSecret"
    assert _shown(Named(), url) == "MongoDB (h/db)"  # type: ignore[arg-type]  # it needs no more of a store


async def test_their_own_database_is_not_to_be_ours(foreign: ForeignServer, tmp_path: Path) -> None:
    before = foreign.everything()
    done = type_in(tmp_path, "import", "yukki", foreign.uri(), url=foreign.uri().replace("/?", "/Yukki?"))
    assert done.returncode == 1
    assert "DATABASE_URL is that very database, «Yukki»: give Ryzen one of its own" in done.stderr
    assert foreign.everything() == before


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["db"], "the following arguments are required: check"),
        (["db", "mend"], "invalid choice: 'mend' (choose from 'check')"),
        (["backup"], "the following arguments are required: FILE"),
        (["import", "spotify", "mongodb://h/"], "invalid choice: 'spotify' (choose from 'yukki', 'anon')"),
        (["import", "yukki"], "the following arguments are required: URI"),
        (["backup", "x", "y"], "unrecognized arguments: y"),
    ],
)
async def test_a_wrong_word_says_what_to_write(tmp_path: Path, words: list[str], says: str) -> None:
    done = type_in(tmp_path, *words)
    assert done.returncode == 2
    assert says in done.stderr
    assert list(tmp_path.iterdir()) == []


async def test_a_wrong_address_of_our_database_is_told(tmp_path: Path) -> None:
    done = type_in(tmp_path, "db", "check", url="mysql://u:Sup3rSecret@host/x")
    assert done.returncode == 2
    assert "DATABASE_URL must begin with sqlite:///" in done.stderr
    assert "Sup3rSecret" not in done.stderr
