"""The commands about what is kept: ``backup``, ``restore``, ``db check`` and ``import``.

They need no token and no session, but DATABASE_URL, or else the file in STATE_DIR. Nothing that they print
has a password in it.
"""

from __future__ import annotations

import argparse
import getpass
import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio
from loguru import logger

from ryzen.errors import StoreUnusable
from ryzen.ports import Store
from ryzen.settings import database_url
from ryzen.store import open_store
from ryzen.store.portable import BackupError, back_up, open_backup

#: Seconds after its last heartbeat in which a bot may still be running.
_ALIVE = 30.0

#: What comes from another bot, by table or roll.
_KINDS = {
    "chats": "chats",
    "users": "people",
    "sudoer": "sudoers",
    "blocked": "blocked people",
    "banned": "people banned everywhere",
    "authorised": "people authorised in a chat",
    "closed-chat": "chats that the bot leaves",
    "allowed-chat": "chats that may use a private bot",
    "chat_settings": "settings of chats",
    "playlist_items": "tracks in playlists",
    "counters": "numbers of plays",
    "tracks": "tracks of these",
}

P = TypeVar("P", bound=argparse.ArgumentParser)

#: Takes the arguments and the address of our database; returns the exit code.
Verb = Callable[[argparse.Namespace, str], Awaitable[int]]


def add_to(commands: argparse._SubParsersAction[P]) -> None:
    """The parsers; each sets ``act``, which takes the arguments and returns the exit code."""
    backup = commands.add_parser("backup", help="write all that is kept into one file; the bot may run")
    backup.add_argument("file", metavar="FILE", type=Path)
    backup.add_argument("--force", action="store_true", help="write over FILE if it is there")
    backup.set_defaults(act=partial(_run, _backup))

    restore = commands.add_parser(
        "restore", help="read such a file into an empty database; the bot must not run"
    )
    restore.add_argument("file", metavar="FILE", type=Path)
    restore.add_argument("--force", action="store_true", help="replace all that is in the database")
    restore.set_defaults(act=partial(_run, _restore))

    db = commands.add_parser("db", help="db check: what is in the database, and whether it is well")
    db.add_argument("what", metavar="check", choices=["check"])
    db.set_defaults(act=partial(_run, _check))

    take = commands.add_parser("import", help="take over what another bot has kept in MongoDB")
    take.add_argument(
        "bot", metavar="BOT", choices=["yukki", "anon"], help="yukki or anon: what it was made from"
    )
    take.add_argument("uri", metavar="URI", help="of its database, which is only read; - to be asked for it")
    take.add_argument("--database", metavar="NAME", help="if it is none that such a bot usually has")
    take.add_argument("--dry-run", action="store_true", help="only say what would come")
    take.set_defaults(act=partial(_run, _import))


def _run(verb: Verb, arguments: argparse.Namespace) -> int:
    url = database_url(os.environ, Path(".env")).reveal()
    logger.remove()
    logger.add(sys.stderr, level="WARNING", format="{level}: {message}", backtrace=False, diagnose=False)
    return anyio.run(verb, arguments, url)


# -- what they do
async def _backup(arguments: argparse.Namespace, url: str) -> int:
    async with open_store(url, shared=True) as store:
        if not any((await store.sizes()).values()):
            raise BackupError(f"there is nothing in {_shown(store, url)}: is that the right DATABASE_URL?")
        backup = await back_up(store, arguments.file, time.time(), over=arguments.force)
    print(f"{backup.total:,} rows from {backup.back_end} are in {arguments.file} now ({_size(backup.size)}):")
    _list(backup.rows)
    if backup.left_out:
        print(f"Left out, for they could not be restored: {_counted(backup.left_out)}.", file=sys.stderr)
    return 0


async def _restore(arguments: argparse.Namespace, url: str) -> int:
    async with open_backup(arguments.file) as backup, open_store(url) as store:
        await _warn_of_a_running_bot(store)
        await backup.load_into(store, over=arguments.force)
        about, where = backup.about, _shown(store, url)
    print(f"{about.total:,} rows of the backup of {about.made}, from {about.back_end}, are in {where} now:")
    _list(about.rows)
    return 0


async def _check(_: argparse.Namespace, url: str) -> int:
    async with open_store(url, shared=True) as store:
        sizes, problems = await store.sizes(), await store.check()
        print(f"{_shown(store, url)}, schema {_schema(url)}, {sum(sizes.values()):,} rows:")
    _list(sizes)
    if not problems:
        print("All is well.")
        return 0
    print("Something is wrong:", *problems, sep="\n  - ")
    return 1


async def _import(arguments: argparse.Namespace, url: str) -> int:
    from ryzen.store.imports import (
        find_database,
        import_from,
    )  # with the driver, which the others may not need
    from ryzen.store.mongo_reading import foreign_server, same_database

    uri = _asked() if arguments.uri == "-" else arguments.uri
    if not uri.startswith(("mongodb://", "mongodb+srv://")):
        raise StoreUnusable(
            "the URI of the other bot's database must begin with mongodb:// or mongodb+srv://"
        )
    async with foreign_server(uri) as server:
        theirs = await find_database(server, arguments.bot, arguments.database)
        if same_database(uri, theirs.name, url):
            raise StoreUnusable(
                f"DATABASE_URL is that very database, «{theirs.name}»: give Ryzen one of its own, with"
                " another name behind the host, like …/ryzen"
            )
        async with open_store(url) as store:
            found = await import_from(theirs, store, dry=arguments.dry_run)
            where = _shown(store, url)
    if arguments.dry_run:
        print(f"Nothing was written. This would come from «{found.database}» to {where}:")
    else:
        print(f"This came from «{found.database}» to {where}:")
    _list({label: found.added.get(kind, 0) for kind, label in _KINDS.items()})
    if there := sum(found.there.values()):
        print(f"{there:,} more were there already, and stay as they are.")
    if found.strange:
        print(f"Not of a shape that we know, and left out: {_counted(found.strange)}.")
    if found.others:
        print(f"Documents that mean nothing here: {_counted(found.others)}.")
    return 0


# -- what they say
async def _warn_of_a_running_bot(store: Store) -> None:
    """A file knows who has it open; a server does not."""
    ago = time.time() - max((await store.beats()).values(), default=0.0)
    if 0 <= ago < _ALIVE:
        print(
            f"A bot was at work on this database {ago:.0f} seconds ago. If it still runs, stop it and restore"
            " once more with --force, for it writes over what is restored.",
            file=sys.stderr,
        )


def _asked() -> str:
    """In the list of processes and in the history of a shell anybody can read an argument."""
    return (getpass.getpass("URI: ") if sys.stdin.isatty() else sys.stdin.readline()).strip()


def _shown(store: Store, url: str) -> str:
    """The back end and where it is, without a name, a password or options."""
    place = url.partition("://")[2].partition("?")[0].rpartition("@")[2]
    return f"{store.name} ({place.removeprefix('/') if url.startswith('sqlite') else place})"


def _schema(url: str) -> int:
    """The version that an open database has: opening brings it to this one."""
    if url.startswith("sqlite"):
        from ryzen.store import sqlite_schema

        return len(sqlite_schema.MIGRATIONS)
    from ryzen.store import mongo

    return len(mongo.MIGRATIONS)


def _list(numbers: Mapping[str, int]) -> None:
    if not any(numbers.values()):
        print("  nothing")
    for name, number in numbers.items():
        if number:
            print(f"  {number:>11,}  {name}")


def _counted(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} in {name!r}" for name, number in sorted(numbers.items()))


def _size(count: int) -> str:
    return f"{count:,} bytes" if count < 100_000 else f"{count / 1e6:,.1f} MB"
