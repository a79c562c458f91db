# ruff: noqa: F401, F811  (fixtures come by name)
"""Where another bot's database is, and what is said if it cannot be had."""

from __future__ import annotations

import traceback

import pytest
from mongod import free_port
from store_foreign import ANON, READER, YUKKI, ForeignServer, foreign, foreign_of_the_module
from store_places import anyio_backend

from ryzen.errors import StoreAway, StoreUnusable
from ryzen.store.imports import find_database
from ryzen.store.mongo_reading import foreign_server, same_database

pytestmark = pytest.mark.anyio


async def test_the_database_is_found_by_its_usual_name_or_because_it_is_the_only_one(
    foreign: ForeignServer,
) -> None:
    async with foreign_server(foreign.uri()) as server:
        with pytest.raises(StoreUnusable, match=r"no database «Yukki» .* none looks like it"):
            await find_database(server, "yukki")
        foreign.fill("ryzen", {"chats": [{"_id": 5, "id": 5}], "users": [{"_id": 5}]})  # as ours are
        with pytest.raises(StoreUnusable, match=r"none looks like it \(ryzen\): name it with --database"):
            await find_database(server, "yukki")
        foreign.fill("renamed", {"tgusersdb": [{"user_id": 1}]})
        assert (await find_database(server, "yukki")).name == "renamed"
        foreign.fill("second", {"gban": [{"user_id": 1}]})
        with pytest.raises(StoreUnusable, match=r"several look like it \(renamed, second\)"):
            await find_database(server, "yukki")
        assert (await find_database(server, "yukki", "second")).name == "second"
        with pytest.raises(StoreUnusable, match="«ryzen» has nothing of such a bot"):
            await find_database(server, "yukki", "ryzen")
        foreign.fill("Yukki", YUKKI)
        foreign.fill("Anon", ANON)
        assert (await find_database(server, "yukki")).name == "Yukki"
        assert (await find_database(server, "anon")).name == "Anon"


async def test_a_name_that_no_database_can_have_is_told(foreign: ForeignServer) -> None:
    async with foreign_server(foreign.uri()) as server:
        for name in ("a b", "", "x/y", "$", "a.b", "x" * 100):
            with pytest.raises(StoreUnusable):
                await find_database(server, "anon", name)


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("mongodb://user:{secret}@127.0.0.1:{port}/?authSource=admin", "check name and password"),
        ("mongodb://user:{secret}@127.0.0.1:{dead}/", "does not answer"),
        ("mongodb://user:p:a@{secret}@127.0.0.1:{port}/", "cannot be read"),
        ("mongodb://user:{secret}@127.0.0.1:999999/", "cannot be read"),
        ("mongodb://user:{secret}/@127.0.0.1:{port}/", "cannot be read"),
        ("mongodb://", "cannot be read"),
        ("mongodb://u:p?{secret}@127.0.0.1:{port}/", "cannot be read"),
        ("mongodb://u:p@127.0.0.1:{port}/?authMechanism={secret}", "check name and password"),
    ],
)
async def test_a_server_that_cannot_be_had_is_told_without_its_password(
    foreign: ForeignServer, uri: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ryzen.store.mongo_reading._FIND_SERVER", 300)
    secret = "Sup3rSecret"
    filled = uri.format(secret=secret, port=foreign.mongod.port, dead=free_port())
    with pytest.raises((StoreUnusable, StoreAway), match=says) as raised:
        async with foreign_server(filled):
            pass
    assert secret not in "".join(traceback.format_exception(raised.value))


async def test_who_may_not_read_there_is_told(foreign: ForeignServer) -> None:
    foreign.fill("Yukki", YUKKI)
    foreign.root["admin"].command("createUser", "nobody", pwd=READER, roles=[])
    try:
        async with foreign_server(foreign.uri("nobody")) as server:
            with pytest.raises(StoreUnusable, match="the role «read» is enough"):
                await find_database(server, "yukki")
    finally:
        foreign.root["admin"].command("dropUser", "nobody")


@pytest.mark.parametrize(
    ("uri", "other", "same"),
    [
        ("mongodb://u:p@host/?x=1", "mongodb://host:27017/Yukki", True),
        ("mongodb://a,b:5,c/x", "mongodb://u:p%40@C:27017/yukki?x=y", True),
        ("mongodb+srv://u:p@x.mongodb.net/", "mongodb+srv://x.mongodb.net/Yukki", True),
        ("mongodb://host/", "mongodb://host/ryzen", False),
        ("mongodb://host/", "mongodb://other/Yukki", False),
        ("mongodb://host/", "mongodb://host/", False),
        ("mongodb://host/", "sqlite:////Yukki", False),
    ],
)
async def test_our_own_database_is_not_to_be_theirs(uri: str, other: str, same: bool) -> None:
    assert same_database(uri, "Yukki", other) is same
