"""What is MongoDB's alone: addresses, users, versions, kinds of servers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from mongod import Mongod
from store_values import ANN, GROUP, MIDNIGHT, apply, batch, everything, kept, played, rows, track

from ryzen.errors import StoreAway, StoreError, StoreRefused, StoreUnusable
from ryzen.ports import Store
from ryzen.records import AddToPlaylist, Chart, Prune, SaveLive, SawUser, SetFlag, SetLanguage, Top
from ryzen.store import open_store
from ryzen.store.mongo import MIGRATIONS, OPTIONS, Database, client_options, open_mongo
from ryzen.store.mongo_codes import said
from ryzen.store.mongo_ops import TOKENS

pytestmark = pytest.mark.anyio

PASSWORD = "s3cret/p@ss"
QUOTED = "s3cret%2Fp%40ss"


@pytest.fixture
def anyio_backend() -> str:
    """motor knows asyncio alone."""
    return "asyncio"


@pytest.fixture
def url(mongod: Mongod) -> str:
    return mongod.url()


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    async with open_mongo(url) as opened:
        yield opened


@pytest.fixture(scope="module")
def standalone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    with Mongod(tmp_path_factory.mktemp("standalone"), standalone=True) as server:
        yield server


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """A server with users: ``owner`` may write in ``ryzen``, ``guest`` may only read there."""
    with Mongod(tmp_path_factory.mktemp("guarded"), standalone=True, auth=True) as server:
        with server.client() as first:
            first.admin.command("createUser", "root", pwd=PASSWORD, roles=["root"])
        with server.client("root", PASSWORD) as root:
            root.ryzen.command("createUser", "owner", pwd=PASSWORD, roles=["readWrite"])
            root.ryzen.command("createUser", "guest", pwd=PASSWORD, roles=["read"])
        yield server


# -- addresses
@pytest.mark.parametrize(
    "address",
    [
        f"mongodb://owner:{PASSWORD}@127.0.0.1/ryzen",
        f"mongodb://owner:{PASSWORD}@127.0.0.1:99999/ryzen",
        f"mongodb://owner:{QUOTED}@127.0.0.1:99999/ryzen",
        f"mongodb://owner:{QUOTED}@127.0.0.1/a database",
        f"mongodb+srv://owner:{QUOTED}@one.example.org,two.example.org/ryzen",
        f"mongodb://owner:{QUOTED}@127.0.0.1/ryzen?w=0",
        f"mongodb://owner:{QUOTED}@127.0.0.1/ryzen?tls=true&retrywrites=FALSE",
        f"mongodb://owner:{QUOTED}@127.0.0.1/ryzen?W=00;appname=mine",
        f"mongodb://owner:{QUOTED}@127.0.0.1/ryzen?retryWrites=false;appname=mine",
        "mongodb://",
    ],
)
async def test_a_wrong_address_is_refused_and_never_quoted(address: str) -> None:
    with pytest.raises(StoreUnusable) as caught:
        async with open_mongo(address):
            pass
    error: BaseException | None = caught.value
    while error is not None and not getattr(error, "__suppress_context__", False):
        error = error.__cause__ or error.__context__
        assert "p@ss" not in str(error)
    assert "s3cret" not in str(caught.value)
    assert "p@ss" not in str(caught.value)


def test_the_operators_options_win() -> None:
    assert client_options("mongodb://127.0.0.1/ryzen") == OPTIONS
    mine = client_options("mongodb://127.0.0.1/ryzen?W=1&timeoutms=500&appName=mine")
    assert OPTIONS.keys() - mine.keys() == {"w", "timeoutMS", "appname"}


async def test_opening_needs_no_server_and_the_first_call_that_gets_through_prepares(tmp_path: Path) -> None:
    server = Mongod(tmp_path)
    async with open_mongo(server.url("later")) as store:
        with pytest.raises(StoreAway):
            await store.ping()
        try:
            server.start()
            while True:
                try:
                    await apply(store, SetFlag("a", "b"))
                    break
                except StoreAway:
                    continue
            assert await store.check() == ()
        finally:
            server.stop()


async def test_a_name_that_is_not_known_is_a_server_that_is_away() -> None:
    async with open_mongo(f"mongodb+srv://owner:{QUOTED}@cluster.ryzen.invalid/ryzen") as store:
        with pytest.raises(StoreAway) as caught:
            await store.ping()
    assert "s3cret" not in str(caught.value)


async def test_a_server_without_a_replica_set_will_do(standalone: Mongod) -> None:
    async with open_mongo(standalone.url()) as store:
        await apply(store, *everything())
        twice = batch(played("again", "x"))
        await store.apply(twice)
        await store.apply(twice)
        assert (await store.top(Top(Chart.TRACKS)))[0].plays == 3
        assert await store.check() == ()


# -- users
async def test_the_role_of_a_writer_is_enough(guarded: Mongod) -> None:
    async with open_mongo(_address(guarded, "owner", QUOTED)) as store:
        await apply(store, *everything())
        assert await store.check() == ()
        await store.clear()
        assert await rows(store) == []


async def test_a_wrong_password_is_told_without_it(guarded: Mongod) -> None:
    async with open_mongo(_address(guarded, "owner", "wr0ng")) as store:
        with pytest.raises(StoreUnusable, match="password") as caught:
            await store.ping()
    assert "wr0ng" not in repr(caught.value)


async def test_a_user_who_may_not_write_is_told_which_role_it_takes(guarded: Mongod) -> None:
    async with open_mongo(_address(guarded, "guest", QUOTED)) as store:
        with pytest.raises(StoreUnusable, match="readWrite on 'ryzen'"):
            await apply(store, SetFlag("a", "b"))


def _address(server: Mongod, user: str, password: str) -> str:
    return f"mongodb://{user}:{password}@127.0.0.1:{server.port}/ryzen?directConnection=true"


@pytest.mark.parametrize(
    ("code", "text", "meant"),
    [
        (18, "Authentication failed.", StoreUnusable),
        (8000, "bad auth : authentication failed", StoreUnusable),
        (8000, "you are over your space quota, using 512 MB of 512 MB", StoreAway),
        (13, "not authorized on ryzen to execute command { find }", StoreUnusable),
        (86, "An equivalent index already exists with the same name", StoreUnusable),
        (10334, "BSONObj size: 17000000 is invalid", StoreRefused),
        (14031, "no space left on device", StoreAway),
        (189, "Primary stepped down", StoreAway),
        (None, "", StoreAway),
    ],
)
def test_what_the_server_says_is_told_in_our_words(code: int, text: str, meant: type[StoreError]) -> None:
    told = said(code, "Name", text, "ryzen")
    assert type(told) is meant
    assert not text or text not in str(told)


# -- versions
async def test_a_database_of_a_newer_ryzen_is_not_touched(mongod: Mongod, url: str) -> None:
    async with open_mongo(url) as store:
        await apply(store, SetFlag("a", "b"))
    _edit(mongod, url, {"version": 99})
    async with open_mongo(url) as store:
        for _ in range(2):
            with pytest.raises(StoreUnusable, match="newer"):
                await apply(store, SetFlag("a", "c"))
    _edit(mongod, url, {"version": 1})
    async with open_mongo(url) as store:
        assert await store.flags() == {"a": "b"}


async def test_a_migration_is_made_once_and_before_anything_else(url: str) -> None:
    made: list[str] = []

    async def shout(database: Database) -> None:
        made.append(database.name)
        await database.flags.update_many({}, {"$set": {"value": "LOUD"}})

    async with open_mongo(url) as store:
        await apply(store, SetFlag("a", "quiet"))
    for _ in range(2):
        async with open_mongo(url, (*MIGRATIONS, shout)) as store:
            assert await store.flags() == {"a": "LOUD"}
    assert len(made) == 1
    async with open_mongo(url) as store:
        with pytest.raises(StoreUnusable, match="newer"):
            await store.flags()


async def test_a_migration_that_was_cut_off_is_made_again(url: str) -> None:
    attempts: list[int] = []

    async def breaks_once(database: Database) -> None:
        attempts.append(1)
        await database.command("serverStatus" if len(attempts) > 1 else "noSuchCommand")

    async with open_mongo(url, (*MIGRATIONS, breaks_once)) as store:
        with pytest.raises(StoreAway):
            await store.flags()
        assert await store.flags() == {}
    assert len(attempts) == 2


async def test_a_database_of_another_program_is_refused(mongod: Mongod, url: str) -> None:
    with mongod.client() as client:
        client[_name(url)].chats.insert_one({"chat_id": -100123})
    async with open_mongo(url) as store:
        with pytest.raises(StoreUnusable, match="another program"):
            await apply(store, SetFlag("a", "b"))
    with mongod.client() as client:
        assert client[_name(url)].list_collection_names() == ["chats"]


async def test_two_that_open_a_new_database_at_once_do_not_meet(url: str) -> None:
    async with open_mongo(url) as one, open_mongo(url) as other:
        await apply(one, SetFlag("a", "b"))
        await apply(other, SetFlag("c", "d"))
        assert await one.flags() == {"a": "b", "c": "d"}


async def test_who_only_reads_makes_nothing(mongod: Mongod, url: str) -> None:
    async with open_store(url, shared=True) as reader:
        with pytest.raises(StoreUnusable, match=r"no Ryzen database .* yet: check DATABASE_URL"):
            await reader.sizes()
        with mongod.client() as client:
            assert client[_name(url)].list_collection_names() == []
        async with open_mongo(url) as store:
            await apply(store, SetFlag("a", "b"))
        assert await reader.flags() == {"a": "b"}
        with pytest.raises(StoreUnusable):
            await reader.apply(batch(SetFlag("a", "c")))
        with pytest.raises(StoreUnusable):
            await reader.clear()
    async with open_mongo(url, (*MIGRATIONS, *MIGRATIONS), shared=True) as reader:
        with pytest.raises(StoreUnusable, match="older"):
            await reader.flags()


# -- what is too large
async def test_what_is_refused_has_changed_nothing(store: Store) -> None:
    long = AddToPlaylist(ANN, ":" * (7 << 20), track(1), 1.0)  # three times as long in its key
    with pytest.raises(StoreRefused):
        await apply(store, played("1", "x"), long)
    assert await rows(store) == []


async def test_a_play_that_only_the_server_refused_the_rest_of_is_not_counted(store: Store) -> None:
    half = "x" * (9 << 20)  # two of them are more than a document may have
    await apply(store, SawUser(ANN, half, 1.0))
    with pytest.raises(StoreRefused):
        await apply(store, played("1", "x"), SetLanguage(ANN, half))
    assert await store.top(Top(Chart.TRACKS)) == ()


# -- for the operator
async def test_a_lost_index_is_told(mongod: Mongod, url: str, store: Store) -> None:
    await apply(store, *everything())
    with mongod.client() as client:
        client[_name(url)].plays.drop_index("at_1")
    (told,) = await store.check()
    assert "at_1" in told


async def test_a_row_without_what_it_refers_to_is_told(mongod: Mongod, url: str, store: Store) -> None:
    await apply(store, played("1", "x"))
    with mongod.client() as client:
        client[_name(url)].tracks.delete_many({})
    assert await store.history(GROUP) == ()
    (told,) = await store.check()
    assert "plays 1" in told


async def test_what_somebody_else_has_edited_hides_nothing_else(
    mongod: Mongod, url: str, store: Store
) -> None:
    await apply(store, played("1", "x"), played("2", "y", MIDNIGHT + 1))
    with mongod.client() as client:
        client[_name(url)].tracks.update_one({"_id": "local:y"}, {"$set": {"title": 5}})
    assert [play.id for play in await store.history(GROUP)] == ["1"]
    (told,) = await store.check()
    assert "local:y" in told


async def test_documents_of_another_shape_end_neither_a_dump_nor_a_check(
    mongod: Mongod, url: str, store: Store
) -> None:
    await apply(store, played("1", "x"))
    with mongod.client() as client:
        client[_name(url)].chats.insert_one({"_id": 5, "id": 1, "name": "A", "first": 1.0, "last": 1.0})
        client[_name(url)].tracks.insert_one({"_id": "lost", "title": "no id"})
        client[_name(url)].plays.insert_one({"_id": "odd", "track_id": ["x"], "at": 1.0})
    dumped = await rows(store)
    assert len([fields for table, fields in dumped if table == "chats"]) == 1
    assert all("_id" not in fields for _, fields in dumped)
    assert sorted(await store.check()) == [
        "plays odd names a track that is not there",
        "tracks lost cannot be read",
    ]


@pytest.mark.parametrize("odd", [{"key": "abc"}, {"key": 5}, {"key": "9" * 30}, {"plays": "3"}, {}])
async def test_a_counter_that_is_none_is_in_no_chart(
    mongod: Mongod, url: str, store: Store, odd: dict[str, Any]
) -> None:
    await apply(store, played("1", "x"))
    with mongod.client() as client:
        client[_name(url)].counters.insert_one({"chart": "users", "scope": "", "day": "", **odd})
    assert [place.key for place in await store.top(Top(Chart.USERS))] == [str(ANN)]


async def test_a_track_that_is_new_during_a_dump_comes_before_its_play(store: Store) -> None:
    await apply(store, played("1", "old"))
    seen: list[str] = []
    async for table, fields in store.dump():
        if not seen:
            await apply(store, played("2", "new"))
        seen.append(f"{table} {fields.get('id')}")
    assert seen.index("tracks local:new") < seen.index("plays 2")


async def test_a_count_goes_on_behind_rows_that_were_loaded(store: Store) -> None:
    await apply(store, played("1", "x"))
    dumped = await rows(store)
    await store.clear()
    await store.load(dumped)
    twice = batch(played("2", "x"), Prune(0.0), played("3", "x"), SaveLive(kept()))
    await store.apply(twice)
    await store.apply(twice)
    assert [place.plays for place in await store.top(Top(Chart.TRACKS))] == [3]


async def test_a_counter_remembers_batches_but_not_for_ever(mongod: Mongod, url: str, store: Store) -> None:
    for number in range(TOKENS + 5):
        await apply(store, played(str(number), "x"))
    with mongod.client() as client:
        sizes = [len(row["batches"]) for row in client[_name(url)].counters.find()]
    assert set(sizes) == {TOKENS}


def _name(url: str) -> str:
    return url.rpartition("/")[2].partition("?")[0]


def _edit(mongod: Mongod, url: str, fields: dict[str, Any]) -> None:
    with mongod.client() as client:
        client[_name(url)].ryzen.update_one({"_id": "ryzen"}, {"$set": fields})
