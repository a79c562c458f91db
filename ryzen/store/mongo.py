"""MongoDB through motor: the only module of ours that knows a driver. See ``docs/mongodb.md``.

Here is the care for a network that fails; what is asked and written is in ``mongo_store`` and ``mongo_ops``.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import anyio
import pymongo
from anyio import to_thread
from bson import encode
from bson.errors import BSONError
from pymongo import DeleteMany, DeleteOne, IndexModel, UpdateOne
from pymongo.errors import OperationFailure, PyMongoError

from ryzen.errors import StoreAway, StoreRefused, StoreUnusable
from ryzen.ports import Store
from ryzen.store.mongo_codes import NOT_FOUND, NOT_LET, said
from ryzen.store.mongo_shape import INDEXES, Found, Index, Op, Put, Query, runs
from ryzen.store.mongo_store import PING, WRITE, MongoStore
from ryzen.store.schema import COUNTERS, TABLES, TRACKS, Table

# Read once, when motor is imported. Each call holds a thread until it ends; with motor's default, five a
# core, ten calls in a black hole keep all others waiting.
os.environ.setdefault("MOTOR_MAX_WORKERS", "64")

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase

T = TypeVar("T")
Database = AsyncIOMotorDatabase[dict[str, Any]]
Request = UpdateOne | DeleteOne | DeleteMany
Migration = Callable[[Database], Awaitable[None]]

#: What the operator's URI does not say; docs/mongodb.md has the reasons.
OPTIONS: Mapping[str, Any] = {
    "appname": "ryzen",
    "w": "majority",
    "retryWrites": True,
    "retryReads": True,
    "timeoutMS": 8000,
    "serverSelectionTimeoutMS": 5000,
    "connectTimeoutMS": 3000,
    "maxPoolSize": 32,
    "minPoolSize": 4,
}
DATABASE = "ryzen"  #: if the URI names none
META = "ryzen"  #: the collection, and its one document, that know the version and the indexes

#: Seconds by which the driver is to give up before we do: it knows better what was wrong.
SPARE = 0.5
#: Seconds for a migration or a new index on a full database. The one who asked does not wait so long.
BUILD = 600.0
#: Seconds that ``close`` may take; behind a dead server the driver alone would take thirty.
CLOSE = 3.0
#: Bytes of one change. The server takes 16 MiB, keys and overhead included.
MOST = 15 * 1024 * 1024

#: Documents of one answer, as far as 16 MiB hold them; the server begins with 101.
AT_ONCE = 10_000

#: What BSON cannot hold: half a character, a number beyond 64 bits.
UNSTORABLE = (BSONError, UnicodeError, OverflowError)


@asynccontextmanager
async def open_mongo(
    url: str, migrations: Sequence[Migration] | None = None, *, shared: bool = False
) -> AsyncIterator[Store]:
    """The store at ``url``, without waiting for the server; ``shared`` reads alone, and makes nothing.

    Raises StoreUnusable for a wrong address.
    """
    options = client_options(url)
    try:
        client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(url, **options)
        database = client.get_default_database(DATABASE)
    except (PyMongoError, ValueError, TypeError):
        # from None, and without its text: that may quote a part of the password
        raise StoreUnusable(
            "the address of the database cannot be read: write mongodb://user:password@host/name,"
            " with %40 for @, %3A for : and %2F for / in the password"
        ) from None
    try:
        yield MongoStore(_Motor(database, MIGRATIONS if migrations is None else migrations, shared=shared))
    finally:
        with anyio.move_on_after(CLOSE, shield=True):
            await to_thread.run_sync(_close, client, abandon_on_cancel=True)


def client_options(url: str) -> dict[str, Any]:
    """What is to be added to the URI: keywords would win over what it says."""
    told = url.partition("?")[2].replace(";", "&")  # the driver takes either between two options
    given = [(name.lower(), value.lower().strip()) for name, value in parse_qsl(told)]
    if any(_loses(name, value) for name, value in given):
        raise StoreUnusable(
            "w=0 and retryWrites=false in the address of the database would lose what was stored: remove them"
        )
    return {name: value for name, value in OPTIONS.items() if name.lower() not in dict(given)}


def _loses(name: str, value: str) -> bool:
    """Whether with this option of a URI what was written may not be there."""
    if name == "w":
        return value.lstrip("+-").strip("0") == "" != value  # 00 is 0 too
    return name == "retrywrites" and value == "false"


def _close(client: AsyncIOMotorClient[dict[str, Any]]) -> None:
    """In a thread, for it waits for the server."""
    with pymongo.timeout(CLOSE - SPARE):
        client.close()


class _Motor:
    """``mongo_store.Server``."""

    def __init__(self, database: Database, migrations: Sequence[Migration], *, shared: bool) -> None:
        self._database, self._migrations, self._shared = database, migrations, shared
        self._meta = database[META]
        self._ready = False
        self._preparing = anyio.Lock()

    @asynccontextmanager
    async def within(self, seconds: float) -> AsyncIterator[None]:
        with _translated(self._database.name, seconds), anyio.fail_after(seconds) as scope:
            await self._prepare(seconds)
            left = scope.deadline - anyio.current_time() - SPARE
            with pymongo.timeout(max(left, SPARE)):  # 0 would be no limit
                yield

    async def find(self, query: Query) -> Sequence[Found]:
        try:
            encode(query.filter)
        except UNSTORABLE:
            return []
        if query.limit is not None and query.limit <= 0:
            return []
        cursor = self._database[query.table.name].find(
            query.filter,
            {"_id": query.keyed, **dict.fromkeys(query.table.names, True)},
            sort=list(query.order),
            limit=query.limit or 0,
            batch_size=query.limit or AT_ONCE,
        )
        return await cursor.to_list(None)

    async def write(self, ops: Mapping[Table, Sequence[Op]]) -> None:
        self._may_write()
        for changes in ops.values():
            _check(changes)
        if TRACKS in ops:  # others refer to them
            await self._write_table(TRACKS, ops[TRACKS])
        apart = (TRACKS, COUNTERS)
        await _all(self._write_table(table, changes) for table, changes in ops.items() if table not in apart)
        if COUNTERS in ops:  # what is refused after all comes again in other batches: it is not counted yet
            await self._write_table(COUNTERS, ops[COUNTERS])

    async def _write_table(self, table: Table, ops: Sequence[Op]) -> None:
        collection = self._database[table.name]
        await _all(collection.bulk_write([*map(_request, run.ops)], ordered=run.ordered) for run in runs(ops))

    async def sizes(self) -> dict[str, int]:
        counts = await _all(self._database[table.name].estimated_document_count() for table in TABLES)
        return {table.name: count for table, count in zip(TABLES, counts, strict=True)}

    def _may_write(self) -> None:
        if self._shared:
            raise StoreUnusable("the database was opened to be read, beside the bot that it belongs to")

    async def clear(self) -> None:
        self._may_write()
        await self._meta.update_one({"_id": META}, {"$set": {"indexes": []}})
        self._ready = False  # whoever comes next makes the indexes again, if we do not come to it
        await _all(self._database[table.name].drop() for table in TABLES)
        await self._prepare(WRITE)

    async def ping(self) -> None:
        await self._database.command("ping")

    async def faults(self) -> list[str]:
        with pymongo.timeout(PING):  # all of this may take minutes, but not to find out that nobody is there
            await self.ping()
        faults: list[str] = []
        for table, indexes in INDEXES.items():
            there = await self._database[table.name].index_information()
            missing = [index.name for index in indexes if index.name not in there]
            faults += [f"{table.name} has lost its index {name}: it will be slow" for name in missing]
        for table in TABLES:
            faults += await self._validate(table)
        return faults

    async def _validate(self, table: Table) -> list[str]:
        try:
            found = await self._database.command("validate", table.name, background=True)
        except OperationFailure as error:
            if error.code in (NOT_FOUND, *NOT_LET):
                return []  # nothing there; or this asks for dbAdmin, which we do not
            raise
        return [] if found["valid"] else [f"{table.name} is damaged: {'; '.join(found['errors'])[:200]}"]

    # -- once
    async def _prepare(self, seconds: float) -> None:
        if self._ready:
            return
        async with self._preparing:
            if not self._ready:
                await self._make_ready(seconds)
                self._ready = True

    async def _make_ready(self, seconds: float) -> None:
        with pymongo.timeout(seconds - SPARE):
            known = await self._meta.find_one({"_id": META}) or {}
        version = int(known.get("version", 0))
        if version > len(self._migrations):
            raise StoreUnusable(
                f"the database {self._database.name!r} was last used by a newer Ryzen (its version is"
                f" {version}, we know {len(self._migrations)}): install that one, or restore a backup"
            )
        if self._shared:
            self._compare(version)
            return
        with pymongo.timeout(BUILD):
            await self._migrate(version)
            await self._index(set(known.get("indexes", ())))

    def _compare(self, version: int) -> None:
        """Whoever only reads brings nothing up to date."""
        name = self._database.name
        if not version:
            raise StoreUnusable(f"there is no Ryzen database {name!r} yet: check DATABASE_URL")
        if version < len(self._migrations):
            raise StoreUnusable(
                f"the database {name!r} is of an older Ryzen (its version is {version}, we know"
                f" {len(self._migrations)}): the bot brings it up to date when it starts"
            )

    async def _migrate(self, version: int) -> None:
        """Each may be cut off and made again, by another process at the same time even."""
        for number, migration in enumerate(self._migrations[version:], version + 1):
            await migration(self._database)
            await self._meta.update_one({"_id": META}, {"$max": {"version": number}}, upsert=True)

    async def _index(self, there: set[str]) -> None:
        """Asks the server for those alone that we have not had it make before."""
        names = [f"{table.name}.{index.name}" for table, all in INDEXES.items() for index in all]
        if there.issuperset(names):
            return
        await _all(
            self._database[table.name].create_indexes([_index(index) for index in all])
            for table, all in INDEXES.items()
        )
        await self._meta.update_one({"_id": META}, {"$set": {"indexes": names}})


async def _claim(database: Database) -> None:
    """Refuse a database in which somebody else has collections of our names."""
    theirs = set(await database.list_collection_names()) & {table.name for table in TABLES}
    if theirs and await database[META].find_one({"_id": META}) is None:
        raise StoreUnusable(
            f"the database {database.name!r} holds {', '.join(sorted(theirs))} of another program:"
            " name another one in the address, as in mongodb://host/ryzen"
        )


#: From each version to the next; the first makes a database ours.
MIGRATIONS: tuple[Migration, ...] = (_claim,)


def _index(index: Index) -> IndexModel:
    only = {"partialFilterExpression": index.only} if index.only else {}
    return IndexModel(list(index.keys), name=index.name, **only)


async def _all(calls: Iterable[Awaitable[T]]) -> list[T]:
    """What each returns; the first error only when none is under way any more.

    What went on after an error was told could overtake what is written next.
    """
    results = await asyncio.gather(*calls, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]


# -- writes
def _check(ops: Sequence[Op]) -> None:
    """Before anything is written: what cannot be stored would otherwise stop a batch half-way."""
    for op in ops:
        try:
            size = len(encode(_asked(op)))
        except UNSTORABLE as error:
            raise StoreRefused("half a character, or a number beyond 64 bits, cannot be stored") from error
        if size > MOST:
            raise StoreRefused(f"{size / 2**20:.0f} MiB at once are more than MongoDB takes")


def _asked(op: Op) -> Mapping[str, Any]:
    """As it goes to the server; a document that it makes is no larger."""
    return {"q": {"_id": op.id}, "u": op.update} if isinstance(op, Put) else {"q": op.filter}


def _request(op: Op) -> Request:
    if isinstance(op, Put):
        return UpdateOne({"_id": op.id}, op.update, upsert=op.make)
    # One that is made at most once, the driver may repeat.
    return DeleteOne(op.filter) if "_id" in op.filter else DeleteMany(op.filter)


# -- errors
@contextmanager
def _translated(database: str, seconds: float) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise StoreAway(f"MongoDB has not answered within {seconds:g} s") from error
    except OperationFailure as error:
        raise said(*_code(error), str(error), database) from None  # it may quote what people wrote
    except PyMongoError as error:
        # ends with the hosts and their states, which say nothing more
        told = str(error).partition(" (configured")[0][:200]
        raise StoreAway(f"MongoDB cannot be reached: {told}") from error


def _code(error: OperationFailure) -> tuple[int | None, str]:
    """Of a bulk the first that tells: the error itself has only the code of all bulks."""
    details: Mapping[str, Any] = error.details or {}
    for told in (*details.get("writeErrors", ()), *details.get("writeConcernErrors", ())):
        return told.get("code"), told.get("codeName", "")
    return error.code, details.get("codeName", "")
