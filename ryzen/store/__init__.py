"""What is kept, behind ``ports.Store``: a file (SQLite) or a server (MongoDB)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ryzen.errors import StoreUnusable
from ryzen.ports import Store


@asynccontextmanager
async def open_store(url: str, *, shared: bool = False) -> AsyncIterator[Store]:
    """The store at ``sqlite:///file``, ``mongodb://…`` or ``mongodb+srv://…``, made if it is not there yet.

    A file belongs to one bot at a time; ``shared`` reads a store beside its bot, and neither makes nor
    changes anything. What has been asked to be written is written before the block is left. Raises
    StoreUnusable, and StoreAway if the server does not answer.
    """
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite":
        from ryzen.store.sqlite import open_sqlite

        async with open_sqlite(_path(rest), shared=shared) as file:
            yield file
    elif scheme in ("mongodb", "mongodb+srv"):
        from ryzen.store.mongo import open_mongo

        async with open_mongo(url, shared=shared) as server:
            yield server
    else:  # the rest of it may hold a password
        raise StoreUnusable(
            "the address of the database must begin with sqlite:///, mongodb:// or mongodb+srv://;"
            " DATABASE_URL=sqlite:///ryzen.db keeps everything in a file"
        )


def _path(rest: str) -> str:
    """The file of ``sqlite://`` + ``rest``; ``/name`` is in the working folder, ``//name`` in the root."""
    path = rest.removeprefix("/")
    if not path.strip("/") or path in (":memory:", rest):
        raise StoreUnusable(
            "the address of the database names no file: write sqlite:///folder/name.db,"
            " or sqlite:////folder/name.db with the whole path"
        )
    return path
