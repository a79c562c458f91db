"""Reading another program's MongoDB database: what is in it, and nothing else. For ``imports``.

pymongo in worker threads: there is no bot here that has to live on beside a slow server. (Its asynchronous
client, of 4.20, now and then leaves a socket open when it is closed.)
"""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from itertools import islice
from typing import TypeVar
from urllib.parse import unquote

import attrs
from anyio import to_thread
from bson import ObjectId
from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    InvalidName,
    InvalidURI,
    OperationFailure,
    PyMongoError,
)

from ryzen.errors import StoreAway, StoreError, StoreUnusable

R = TypeVar("R")

#: Documents that are read at once; each may have 16 MB.
_PAGE = 100
#: Milliseconds: to find a server, and for one answer of it.
_FIND_SERVER, _ANSWER = 10_000, 60_000
#: No text and no date is so broken that a whole collection could not be read for it.
_TOLERANT: CodecOptions[dict[str, object]] = CodecOptions(
    unicode_decode_error_handler="replace", datetime_conversion=DatetimeConversion.DATETIME_AUTO
)
#: Codes of MongoDB: Unauthorized, AuthenticationFailed; Atlas says AtlasError.
_NOT_ALLOWED = (13, 18, 8000)
#: InvalidNamespace
_NO_NAME = 73


@attrs.frozen
class Document:
    """``fields`` as Python has them; ``made`` is what its ObjectId says, Unix time, or 0 without one."""

    fields: Mapping[str, object]
    made: float


class Foreign:
    """One database of that server. Its methods raise StoreAway and StoreUnusable."""

    def __init__(self, database: Database[dict[str, object]]) -> None:
        self._database = database
        self.name = database.name

    async def collections(self) -> Mapping[str, int]:
        """How many documents there are in each, about."""
        return await _ask(self._collections)

    def _collections(self) -> Mapping[str, int]:
        names = sorted(self._database.list_collection_names())
        mine = [name for name in names if not name.startswith("system.")]
        return {name: self._database[name].estimated_document_count() for name in mine}

    async def documents(self, collection: str) -> AsyncIterator[Document]:
        """All of them, in the order of ``_id``."""
        found = self._database.get_collection(collection, codec_options=_TOLERANT)
        with found.find(batch_size=_PAGE).sort("_id", 1) as cursor:
            while page := await _ask(partial(_page, cursor)):
                for document in page:
                    yield document


def _page(cursor: Iterator[Mapping[str, object]]) -> list[Document]:
    page = []
    for fields in islice(cursor, _PAGE):
        key = fields["_id"]
        made = key.generation_time.timestamp() if isinstance(key, ObjectId) else 0.0
        page.append(Document(fields, made))
    return page


class Server:
    """A server that answers."""

    def __init__(self, client: MongoClient[dict[str, object]]) -> None:
        self._client = client

    async def databases(self) -> tuple[str, ...]:
        """Those that we are allowed to see; the server's own are not among them."""
        names = await _ask(self._client.list_database_names)
        return tuple(name for name in names if name not in ("admin", "config", "local"))

    def database(self, name: str) -> Foreign:
        """Raises StoreUnusable for a name that no database can have."""
        with _told():
            return Foreign(self._client.get_database(name))


@asynccontextmanager
async def foreign_server(uri: str) -> AsyncIterator[Server]:
    """The server at this address, which is in none of the errors. Raises StoreUnusable and StoreAway."""
    client = await _ask(partial(_client, uri))  # which may have to ask for the names of the hosts
    with client:
        await _ask(partial(client.admin.command, "ping"))
        yield Server(client)


async def _ask(question: Callable[[], R]) -> R:
    with _told():
        return await to_thread.run_sync(question, abandon_on_cancel=True)


def _client(uri: str) -> MongoClient[dict[str, object]]:
    """Raises PyMongoError."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an option that it does not know, and that may be half of a password
        try:
            return MongoClient(
                uri,
                appname="ryzen import",
                readPreference="secondaryPreferred",
                serverSelectionTimeoutMS=_FIND_SERVER,
                socketTimeoutMS=_ANSWER,
            )
        except ValueError as error:  # a port that is none, an address without a host
            raise InvalidURI from error


def same_database(uri: str, database: str, other: str) -> bool:
    """Whether the database of this name at ``uri`` may be the one at ``other``, which has it in its path."""
    hosts, _ = _where(uri)
    other_hosts, other_database = _where(other)
    return bool(hosts & other_hosts) and database.lower() == other_database.lower()


def _where(url: str) -> tuple[frozenset[str], str]:
    address, _, path = url.partition("://")[2].partition("?")[0].rpartition("@")[2].partition("/")
    hosts = (host.lower() for host in address.split(","))
    return frozenset(host if ":" in host else f"{host}:27017" for host in hosts), unquote(path)


@contextmanager
def _told() -> Iterator[None]:
    """What pymongo says has parts of the address in it, so it is not repeated."""
    try:
        yield
    except PyMongoError as error:
        raise _trouble(error) from None


def _trouble(error: PyMongoError) -> StoreError:
    if isinstance(error, InvalidName) or (isinstance(error, OperationFailure) and error.code == _NO_NAME):
        return StoreUnusable("no database can have that name: write it after --database as that bot has it")
    if isinstance(error, InvalidURI | ConfigurationError):
        return StoreUnusable(
            "the address of the other bot's database cannot be read, or its host is not known: write it as"
            " mongodb://name:password@host:port/ or as Atlas shows it, and special characters of the password"
            " as %XX"
        )
    if isinstance(error, OperationFailure) and error.code in _NOT_ALLOWED:
        return StoreUnusable(
            "the server of the other bot's database refuses this user: check name and password, and that the"
            " user may read that database (the role «read» is enough)"
        )
    if isinstance(error, ConnectionFailure):
        return StoreAway(
            "the server of the other bot's database does not answer: check its address, whether it runs, and"
            " whether it lets this machine in (Atlas: Network Access)"
        )
    return StoreAway(f"the server of the other bot's database failed ({type(error).__name__}): try again")
