"""Other bots' databases as they are found, of both kinds, and a server that has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import attrs
import pytest
from bson import Int64, ObjectId
from bson.raw_bson import RawBSONDocument
from mongod import Mongod
from pymongo import MongoClient
from store_values import ANN, BOB, GROUP, OTHER

Database = Mapping[str, list[dict[str, Any]]]

#: Passwords that must not be seen: they have all that an address may trip over.
ROOT, READER = "r00t/p@ss:w?rd", "re@der/s3cr:t?"

#: An ObjectId says when it was made: here 2026-03-01 00:00:00 UTC, and as many seconds later.
MADE = 1_772_323_200


def at(seconds: int) -> ObjectId:
    return ObjectId(f"{MADE + seconds:08x}" + "ab" * 8)


VIDEO, LONG, OLD = "dQw4w9WgXcQ", "aaaaaaaaaaa", "-_-_-_-_-_-"

YUKKI: Database = {
    "chats": [{"_id": at(1), "chat_id": GROUP}, {"_id": at(2), "chat_id": OTHER}],
    "tgusersdb": [{"_id": at(3), "user_id": ANN}, {"_id": at(4), "user_id": Int64(BOB)}],
    "sudoers": [{"_id": at(5), "sudo": "sudo", "sudoers": [ANN, BOB]}],
    "gban": [{"_id": at(6), "user_id": 666}],
    "blockedusers": [{"_id": at(7), "user_id": 667}],
    "blacklistChat": [{"_id": at(8), "chat_id": -1_003}],
    "privatechats": [{"_id": at(9), "chat_id": OTHER}],
    "authuser": [
        {
            "_id": at(10),
            "chat_id": GROUP,
            "notes": {
                "hd": {"auth_user_id": BOB, "auth_name": "Bob ♥", "admin_id": ANN, "admin_name": "Ann"},
                "ab": {"auth_user_id": 5, "auth_name": "Eve", "admin_id": ANN, "admin_name": "Ann"},
            },
        }
    ],
    "adminauth": [{"_id": at(11), "chat_id": GROUP}],
    "language": [
        {"_id": at(12), "chat_id": GROUP, "lang": "hi"},
        {"_id": at(13), "chat_id": ANN, "lang": "tr"},
    ],
    "playmode": [{"_id": at(14), "chat_id": GROUP, "mode": "Inline"}],
    "playtypedb": [{"_id": at(15), "chat_id": GROUP, "mode": "Admin"}],
    "cplaymode": [
        {"_id": at(16), "chat_id": GROUP, "mode": -1_004},
        {"_id": at(17), "chat_id": OTHER, "mode": None},
    ],
    "playlist": [
        {
            "_id": at(18),
            "chat_id": ANN,
            "notes": {
                VIDEO: {"videoid": VIDEO, "title": "Never Gonna", "duration": "3:33"},
                LONG: {"videoid": LONG, "title": "A Mix", "duration": "1:02:03"},
                OLD: {"videoid": OLD, "title": "Live", "duration": None},
            },
        }
    ],
    "playlistsad": [
        {"_id": at(19), "chat_id": BOB, "notes": {OLD: {"videoid": OLD, "title": "Sad", "duration": "0:59"}}},
    ],
    "chatstats": [
        {"_id": at(20), "chat_id": GROUP, "vidid": {VIDEO: {"spot": 5, "title": "Never Gonna"}}},
        {
            "_id": at(21),
            "chat_id": OTHER,
            "vidid": {VIDEO: {"spot": 2, "title": "x"}, LONG: {"spot": 9, "title": "y"}},
        },
    ],
    "userstats": [
        {"_id": at(22), "chat_id": BOB, "vidid": {VIDEO: {"spot": 4, "title": "Never"}, OLD: {"spot": 0}}},
    ],
    "assistants": [{"_id": at(23), "chat_id": GROUP, "assistant": 1}],
    "upcount": [{"_id": at(24), "chat_id": GROUP, "mode": 5}],
    "onoffper": [{"_id": at(25), "on_off": 1}],
}  # fmt: skip

ANON: Database = {
    "chats": [{"_id": GROUP, "cmd_delete": True, "admin_play": True}, {"_id": OTHER, "admin_play": False}],
    "users": [{"_id": ANN}, {"_id": Int64(BOB)}],
    "auth": [{"_id": GROUP, "user_ids": [BOB, 5]}],
    "lang": [{"_id": GROUP, "lang": "de"}, {"_id": ANN, "lang": "fr"}],
    "assistant": [{"_id": GROUP, "num": 2}],
    "cache": [
        {"_id": "sudoers", "user_ids": [ANN]},
        {"_id": "bl_chats", "chat_ids": [-1_003]},
        {"_id": "bl_users", "user_ids": [666]},
        {"_id": "logger", "status": True},
        {"_id": "migrated"},
        {"_id": {"of": "another kind"}},
    ],
}

#: A document or a part of one each, of no shape that there should be.
STRANGE: Database = {
    "chats": [{"chat_id": 5}, {"chat_id": "x"}, {}, {"chat_id": None}, {"chat_id": 2.5}],
    "tgusersdb": [{"user_id": -5}, {"user_id": True}, {"id": 5}],
    "sudoers": [{"sudoers": [7, "x", None, {}, -1]}, {"sudo": "sudo", "sudoers": 5}, {"sudo": "sudo"}],
    "gban": [{"user_id": []}],
    "authuser": [{"chat_id": GROUP, "notes": {"a": 5, "b": {}, "c": {"auth_user_id": "x"}}}, {"notes": {}}],
    "language": [{"chat_id": chat, "lang": each} for chat in (GROUP, BOB) for each in (5, "x" * 17, "")],
    "playmode": [{"chat_id": GROUP, "mode": "Sideways"}, {"chat_id": GROUP, "mode": {}}],
    "cplaymode": [{"chat_id": GROUP, "mode": "x"}, {"chat_id": 5, "mode": -5}],
    "playlist": [
        {"chat_id": ANN, "notes": {"short": {}, VIDEO: 5, "telegram": {"title": "x"}}},
        {"chat_id": -5, "notes": {}},
        {"chat_id": ANN, "notes": []},
    ],
    "chatstats": [
        {"chat_id": GROUP, "vidid": {"telegram": {"spot": 7, "title": "x"}, VIDEO: {}, LONG: {"spot": {}}}},
    ],
    "userstats": [{"chat_id": ANN, "vidid": 5}],
}  # fmt: skip
#: How many of these there are in each collection.
STRANGE_PARTS = {
    "chats": 5, "tgusersdb": 3, "sudoers": 6, "gban": 1, "authuser": 4, "language": 6, "playmode": 2,
    "cplaymode": 2, "playlist": 5, "chatstats": 3, "userstats": 1,
}  # fmt: skip


@attrs.frozen
class ForeignServer:
    """A server with passwords, and a user on it who may read and nothing else."""

    mongod: Mongod
    root: MongoClient[dict[str, Any]]

    def uri(self, name: str = "reader", password: str = READER) -> str:
        return f"mongodb://{name}:{quote_plus(password)}@127.0.0.1:{self.mongod.port}/?authSource=admin"

    def fill(self, database: str, collections: Database) -> None:
        for name, documents in collections.items():
            if documents:
                self.root[database][name].insert_many([dict(each) for each in documents])

    def drop(self) -> None:
        for name in self.root.list_database_names():
            if name not in ("admin", "config", "local"):
                self.root.drop_database(name)

    def everything(self) -> dict[str, list[bytes]]:
        """Each byte of each document in each database that is a bot's."""
        options = self.root.codec_options.with_options(document_class=RawBSONDocument)
        return {
            f"{database}.{name}": sorted(
                each.raw for each in self.root[database].get_collection(name, codec_options=options).find()
            )
            for database in self.root.list_database_names()
            if database not in ("admin", "config", "local")
            for name in self.root[database].list_collection_names()
        }


@contextmanager
def foreign_server_in(folder: Path) -> Iterator[ForeignServer]:
    with Mongod(folder, standalone=True, auth=True) as mongod:
        with mongod.client() as first:
            first["admin"].command("createUser", "root", pwd=ROOT, roles=["root"])
        with mongod.client("root", ROOT) as root:
            root["admin"].command("createUser", "reader", pwd=READER, roles=["readAnyDatabase"])
            yield ForeignServer(mongod, root)


@pytest.fixture(scope="module")
def foreign_of_the_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForeignServer]:
    with foreign_server_in(tmp_path_factory.mktemp("foreign")) as server:
        yield server


@pytest.fixture
def foreign(foreign_of_the_module: ForeignServer) -> ForeignServer:
    """Without any bot's database on it yet."""
    foreign_of_the_module.drop()
    return foreign_of_the_module
