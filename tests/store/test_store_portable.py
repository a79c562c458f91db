# ruff: noqa: F401, F811  (fixtures come by name)
"""The backup file: it brings everything from any back end to any other, and harms nothing that is there."""

from __future__ import annotations

import gzip
import hashlib
import json
import stat
import tracemalloc
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import anyio
import pytest
from mongod import Mongod
from store_places import Place, anyio_backend, mongo_place, place, sqlite_place, store
from store_values import (
    ANN,
    BOB,
    GROUP,
    MIDNIGHT,
    OTHER,
    TEXTS,
    TODAY,
    YESTERDAY,
    answers,
    apply,
    as_set,
    everything,
    kept,
    played,
    playing,
    rows,
    track,
)

from ryzen.errors import StoreAway
from ryzen.ports import Store
from ryzen.records import Chart, Enlist, Member, Roll, Row, SaveLive, SetFlag, Top, Value
from ryzen.store.portable import Backup, BackupError, back_up, open_backup

pytestmark = pytest.mark.anyio


async def restore(store: Store, path: Path, *, over: bool = False) -> Backup:
    async with open_backup(path) as backup:
        await backup.load_into(store, over=over)
        return backup.about


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "backups" / "ryzen.backup"


@pytest.fixture(autouse=True)
def _folder(file: Path) -> None:
    file.parent.mkdir()


@pytest.fixture
async def full(tmp_path: Path) -> AsyncIterator[Store]:
    """A SQLite store with something in each table."""
    async with sqlite_place(tmp_path, "full.db").open() as store:
        await apply(store, *everything(), *(SetFlag(text, text) for text in TEXTS))
        yield store


def written(*lines: object, footing: dict[str, object] | None = None) -> bytes:
    """A backup of these lines, the heading among them, with a footing that is right unless it is given."""
    texts = [json.dumps(line).encode() + b"\n" for line in lines]
    right = {"rows": len(lines) - 1, "sha256": hashlib.sha256(b"".join(texts)).hexdigest()}
    texts.append(json.dumps(right if footing is None else footing).encode() + b"\n")
    return gzip.compress(b"".join(texts))


HEADING = {"format": "ryzen-backup", "version": 1, "made": "2026-03-01T00:00:00+00:00", "back_end": "SQLite"}
FLAG: list[object] = ["flags", {"name": "a", "value": "b"}]
#: Of a track that is not there.
DANGLING: dict[str, Value] = {"user_id": 1, "playlist": "p", "track_id": "none", "at": 1.0}
#: The last line of a backup of these two, once more.
END = gzip.compress(gzip.decompress(written(HEADING, FLAG)).splitlines(keepends=True)[-1])


def with_a_huge_number() -> bytes:
    """1e999 is JSON, and Python reads it as infinite."""
    lines = json.dumps(HEADING).encode() + b'\n["beats",{"process":"p","at":1e999}]\n'
    end = json.dumps({"rows": 1, "sha256": hashlib.sha256(lines).hexdigest()}).encode() + b"\n"
    return gzip.compress(lines + end)


# -- there and back
async def test_everything_comes_over_from_sqlite_to_mongodb_and_back(
    full: Store, mongod: Mongod, tmp_path: Path, file: Path
) -> None:
    async def all_of(store: Store) -> tuple[object, ...]:
        said = await answers(store, [GROUP, OTHER], [ANN, BOB], [TODAY, YESTERDAY])
        return said, as_set(await rows(store)), await store.check()

    before = await all_of(full)
    there = file.with_name("there.backup")
    about = await back_up(full, file, MIDNIGHT)
    async with mongo_place(mongod).open() as mongo:
        assert (await restore(mongo, file)).rows == about.rows
        assert await all_of(mongo) == before
        assert (await back_up(mongo, there, MIDNIGHT)).rows == about.rows
    async with sqlite_place(tmp_path, "back.db").open() as back:
        await restore(back, there)
        assert await all_of(back) == before


async def test_a_player_that_was_playing_comes_over_with_its_position(
    store: Store, file: Path, full: Store
) -> None:
    live = kept(GROUP, playing(track(1), track(2), offset=31.5), MIDNIGHT, revision=7)
    await apply(full, SaveLive(live))
    await back_up(full, file, MIDNIGHT)
    await restore(store, file)
    (found,) = await store.live(GROUP)
    assert found == live
    assert found.live
    beat = (await store.beats())[found.process]
    assert found.position(beat + 5.0) == 36.5


async def test_it_says_what_is_in_it(full: Store, file: Path) -> None:
    about = await back_up(full, file, MIDNIGHT + 0.7)
    assert (about.made, about.back_end) == ("2026-03-01T00:00:00+00:00", "SQLite")
    assert about.size == file.stat().st_size
    sizes = await full.sizes()
    assert dict(about.rows) == {name: size for name, size in sizes.items() if size}
    assert about.total == sum(sizes.values())
    async with open_backup(file) as backup:
        assert backup.about == about


async def test_a_backup_of_a_busy_store_is_one_that_can_be_restored(
    store: Store, file: Path, tmp_path: Path
) -> None:
    """Rows refer to tracks; those that come while the tracks are being read must not be left behind."""
    await apply(store, *(played(f"before{n}", f"t{n}") for n in range(1500)))
    over = anyio.Event()

    async def play(writer: int) -> None:
        number = 0
        while not over.is_set():
            number += 1
            await apply(store, played(f"{writer}:{number}", f"new {writer} {number}", chat=OTHER))

    async with anyio.create_task_group() as tasks:
        for writer in range(4):
            tasks.start_soon(play, writer)
        while len(await store.history(OTHER)) < 20:
            await anyio.lowlevel.checkpoint()
        about = await back_up(store, file, MIDNIGHT)
        over.set()
    async with sqlite_place(tmp_path, "restored.db").open() as restored:
        await restore(restored, file)
        assert await restored.check() == ()
        assert sum((await restored.sizes()).values()) <= about.total
        assert len(await restored.history(GROUP, limit=5000)) == 1500


async def test_a_big_store_needs_little_memory(tmp_path: Path, file: Path) -> None:
    reason = "long " * 800
    async with sqlite_place(tmp_path, "big.db").open() as big:
        for start in range(0, 6_000, 1000):
            await apply(big, *(Enlist(Roll.BLOCKED, Member(start + n, reason=reason)) for n in range(1000)))
        tracemalloc.start()
        try:
            await back_up(big, file, MIDNIGHT)
            written_with = tracemalloc.get_traced_memory()[1]
            await big.clear()
            tracemalloc.reset_peak()
            await restore(big, file)
            read_with = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert (await big.sizes())["rolls"] == 6_000
    assert max(written_with, read_with) < 18_000_000 < 6_000 * len(reason)


async def test_rows_that_could_not_be_restored_are_left_out_and_counted(
    full: Store, store: Store, file: Path
) -> None:
    class Odd:
        name = "MongoDB"

        async def dump(self) -> AsyncIterator[Row]:
            async for row in full.dump():
                yield row
            yield "playlist_items", DANGLING
            yield "chats", {"id": -7, "name": None, "first": 1.0, "last": 1.0}
            yield "chats", {"id": -8, "name": "x", "first": float("nan"), "last": 1.0}
            yield "flags", {"name": "half", "value": "\ud800"}

    about = await back_up(Odd(), file, MIDNIGHT)  # type: ignore[arg-type]  # it needs no more of a store
    assert about.left_out == {"playlist_items": 1, "chats": 2, "flags": 1}
    assert (await restore(store, file)).rows == about.rows
    assert as_set(await rows(store)) == as_set(await rows(full))
    assert not (await back_up(full, file, MIDNIGHT, over=True)).left_out


# -- the file
async def test_only_its_owner_may_read_it_and_nothing_else_is_left(full: Store, file: Path) -> None:
    await back_up(full, file, MIDNIGHT)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]


async def test_a_file_that_is_there_stays_unless_it_is_meant(full: Store, file: Path) -> None:
    file.write_text("precious")
    with pytest.raises(BackupError, match=r"is there already: .* --force"):
        await back_up(full, file, MIDNIGHT)
    assert file.read_text() == "precious"
    await back_up(full, file, MIDNIGHT, over=True)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    async with open_backup(file) as backup:
        assert backup.about.total
    assert list(file.parent.iterdir()) == [file]


async def test_a_file_that_is_there_is_told_before_the_store_is_read(file: Path) -> None:
    file.write_text("precious")
    with pytest.raises(BackupError, match="is there already"):
        await back_up(object(), file, MIDNIGHT)  # type: ignore[arg-type]  # nothing is asked of it


async def test_a_file_that_comes_while_it_is_written_stays(full: Store, file: Path) -> None:
    class Slow:
        """Somebody else writes there while we do."""

        name = "SQLite"

        async def dump(self) -> AsyncIterator[Row]:
            async for row in full.dump():
                file.write_text("precious")
                yield row

    with pytest.raises(BackupError, match="is there already"):
        await back_up(Slow(), file, MIDNIGHT)  # type: ignore[arg-type]  # it needs no more of a store
    assert file.read_text() == "precious"
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("there", [True, False])
async def test_a_store_that_goes_away_in_the_middle_leaves_the_file_as_it_was(
    file: Path, there: bool
) -> None:
    class Failing:
        name = "MongoDB"

        async def dump(self) -> AsyncIterator[Row]:
            for number in range(5000):
                yield "flags", {"name": str(number), "value": "x"}
            raise StoreAway("gone")

    if there:
        file.write_text("yesterday's")
    with pytest.raises(StoreAway):
        await back_up(Failing(), file, MIDNIGHT, over=True)  # type: ignore[arg-type]  # it needs no more of one
    assert [each.read_text() for each in file.parent.iterdir()] == ["yesterday's"] * there


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("", "is a folder: name a file in it"),
        ("none/there.backup", "cannot be written: No such file or directory. Name a file in a folder"),
        ("x" * 300, "cannot be written: File name too long"),
    ],
)
async def test_a_place_that_will_not_do_is_told(full: Store, file: Path, where: str, says: str) -> None:
    for over in (True, False):
        with pytest.raises(BackupError, match=says):
            await back_up(full, file.parent / where, MIDNIGHT, over=over)
    assert list(file.parent.iterdir()) == []


# -- what is not restored
async def test_a_store_with_something_in_it_is_replaced_only_if_it_is_meant(
    store: Store, full: Store, file: Path
) -> None:
    await back_up(full, file, MIDNIGHT)
    await apply(store, SetFlag("mine", "x"), played("mine", "mine"))
    before = await rows(store)
    with pytest.raises(BackupError, match=r"not empty: make a `ryzen backup` of it.*--force"):
        await restore(store, file)
    assert as_set(await rows(store)) == as_set(before)
    await restore(store, file, over=True)
    assert as_set(await rows(store)) == as_set(await rows(full))
    assert "local:mine" not in [found.key for found in await store.top(Top(Chart.TRACKS))]


async def test_a_store_that_goes_away_while_it_is_restored_is_told(full: Store, file: Path) -> None:
    class Failing:
        async def sizes(self) -> dict[str, int]:
            return {"flags": 0}

        async def clear(self) -> None: ...

        async def load(self, some: Sequence[Row]) -> None:
            raise StoreAway("it cannot be reached")

    await back_up(full, file, MIDNIGHT)
    with pytest.raises(
        StoreAway, match=r"^it cannot be reached\. .*only a part .*: restore it once more with --force$"
    ):
        await restore(Failing(), file)  # type: ignore[arg-type]  # it needs no more of one


async def test_a_cut_or_changed_file_is_refused_and_changes_nothing(full: Store, file: Path) -> None:
    await back_up(full, file, MIDNIGHT)
    whole, before = file.read_bytes(), as_set(await rows(full))
    for end in {0, 1, 5, 9, 10, 11, *range(12, len(whole), 97), *range(len(whole) - 12, len(whole))}:
        file.write_bytes(whole[:end])
        with pytest.raises(BackupError, match=r"damaged|no backup of Ryzen"):
            await restore(full, file, over=True)
    for at in range(0, len(whole), 41):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
        try:
            await restore(full, file, over=True)
        except BackupError:
            pass
        else:
            assert at < 10  # gzip's heading says when and where, which nobody asks
        assert as_set(await rows(full)) == before
    for more in (b"\0" * 5 + b"x", gzip.compress(b"x\n"), whole):
        file.write_bytes(whole + more)
        with pytest.raises(BackupError, match="damaged"):
            await restore(full, file, over=True)
    assert as_set(await rows(full)) == before


FOREIGN: dict[str, bytes] = {
    "nothing": b"",
    "a text": b"hello\n" * 100,
    "another gzip": gzip.compress(b"hello\n" * 100),
    "another JSON": gzip.compress(b'{"format": "other", "version": 1}\n'),
    "a list": gzip.compress(b"[1]\n"),
    "a database": b"SQLite format 3\0" + bytes(5000),
}


@pytest.mark.parametrize("what", FOREIGN)
async def test_what_is_no_backup_is_refused(full: Store, file: Path, what: str) -> None:
    before = as_set(await rows(full))
    file.write_bytes(FOREIGN[what])
    with pytest.raises(BackupError, match=r"is no backup of Ryzen: name a file that `ryzen backup` wrote"):
        await restore(full, file, over=True)
    assert as_set(await rows(full)) == before


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (written({**HEADING, "version": 2}, FLAG), "newer Ryzen .*: update Ryzen, then restore"),
        (written({**HEADING, "version": "x"}, FLAG), "damaged"),
        (written(HEADING, ["holograms", {"id": 1}]), "a row in it is none of ours"),
        (written(HEADING, ["flags", {"name": "a"}]), "a row in it is none of ours"),
        (written(HEADING, ["flags", {"name": "a", "value": "b", "more": 1}]), "a row in it is none of ours"),
        (written(HEADING, ["flags", {"name": "a", "value": 5}]), "a row in it is none of ours"),
        (written(HEADING, ["flags", {"name": None, "value": "b"}]), "a row in it is none of ours"),
        (written(HEADING, ["assistants", {"chat_id": 1, "assistant_id": True}]), "none of ours"),
        (written(HEADING, ["assistants", {"chat_id": 1, "assistant_id": 1.5}]), "none of ours"),
        (written(HEADING, ["assistants", {"chat_id": 1, "assistant_id": 2**63}]), "none of ours"),
        (written(HEADING, ["beats", {"process": "p", "at": float("nan")}]), "a line in it cannot be read"),
        (written(HEADING, ["beats", {"process": "p", "at": float("inf")}]), "a line in it cannot be read"),
        (with_a_huge_number(), "a row in it is none of ours"),
        (written(HEADING, ["beats", {"process": "p", "at": 2**63}]), "a row in it is none of ours"),
        (written(HEADING, ["flags", {"name": "\ud800", "value": "b"}]), "a row in it is none of ours"),
        (written(HEADING, ["playlist_items", DANGLING]), "a row in it is none of ours"),
        (written(HEADING, FLAG, 5), "a row in it is none of ours"),
        (written(HEADING, FLAG, footing={"rows": 2, "sha256": ""}), "not what was written"),
        (gzip.compress(json.dumps(HEADING).encode() + b"\n{\n"), "a line in it cannot be read"),
        (gzip.compress(json.dumps(HEADING).encode() + b"\n" + b"[" * 100_000 + b"\n"), "cannot be read"),
        (gzip.compress(json.dumps(HEADING).encode() + b"\n"), "its end is missing"),
        (gzip.compress(gzip.decompress(written(HEADING, FLAG))[:-1]), "its end is missing"),
        (written(HEADING, FLAG) + END, "there is more behind its end"),
    ],
)
async def test_a_whole_file_that_does_not_fit_is_refused(
    full: Store, file: Path, data: bytes, says: str
) -> None:
    before = as_set(await rows(full))
    file.write_bytes(data)
    with pytest.raises(BackupError, match=says):
        await restore(full, file, over=True)
    assert as_set(await rows(full)) == before


async def test_what_cannot_be_opened_is_told(store: Store, file: Path) -> None:
    for path, says in ((file, "No such file"), (file.parent, "Is a directory")):
        with pytest.raises(
            BackupError, match=f"cannot be read: {says}.* Name a file that `ryzen backup` wrote"
        ):
            await restore(store, path)


async def test_an_empty_backup_is_a_backup(store: Store, file: Path) -> None:
    about = await back_up(store, file, MIDNIGHT)
    assert (about.total, dict(about.rows)) == (0, {})
    assert (await restore(store, file)).total == 0
