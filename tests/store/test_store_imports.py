# ruff: noqa: F401, F811  (fixtures come by name)
"""Other bots' databases: what comes over, what is left, and that nothing happens to them."""

from __future__ import annotations

import datetime as dt
import struct

import pytest
from bson import Decimal128, Int64, encode
from bson.raw_bson import RawBSONDocument
from hypothesis import given
from hypothesis import strategies as st
from pymongo import MongoClient
from pymongo.errors import OperationFailure
from store_foreign import (
    ANON,
    LONG,
    MADE,
    OLD,
    STRANGE,
    STRANGE_PARTS,
    VIDEO,
    YUKKI,
    Database,
    ForeignServer,
    at,
    foreign,
    foreign_of_the_module,
)
from store_places import anyio_backend, place, sqlite_place, store
from store_values import ANN, BOB, GROUP, OTHER, apply, as_set, played, rows

from ryzen.player.state import Track
from ryzen.ports import Store
from ryzen.records import (
    FAVOURITES,
    Chart,
    ChatSettings,
    Control,
    Enlist,
    Member,
    Playlist,
    PlayType,
    Ranked,
    Roll,
    SawChat,
    SawUser,
    Search,
    Served,
    SetSetting,
    Top,
)
from ryzen.store import schema
from ryzen.store.imports import READERS, Imported, find_database, import_from
from ryzen.store.imports.parts import Plays, Strange, Unread, whole
from ryzen.store.mongo_reading import Document, foreign_server

pytestmark = pytest.mark.anyio


async def taken(foreign: ForeignServer, store: Store, bot: str, *, dry: bool = False) -> Imported:
    async with foreign_server(foreign.uri()) as server:
        return await import_from(await find_database(server, bot), store, dry=dry)


def video(key: str, title: str, duration: float | None = None) -> Track:
    link = f"https://www.youtube.com/watch?v={key}"
    return Track(f"youtube:{key}", title, "youtube", link, "", duration, link)


def seen(id: int, after: int, language: str | None = None) -> Served:
    return Served(id, "", MADE + after, MADE + after, language)


# -- what comes
async def test_all_that_yukki_keeps_and_we_know_comes_over(foreign: ForeignServer, store: Store) -> None:
    foreign.fill("Yukki", YUKKI)
    found = await taken(foreign, store, "yukki")
    assert await store.chats() == tuple(
        Served(chat, "", MADE + n, MADE + n) for n, chat in ((2, OTHER), (1, GROUP))
    )
    assert await store.users() == (seen(ANN, 13, "tr"), seen(BOB, 4))
    assert await store.roll(Roll.SUDOER) == (Member(ANN, at=MADE + 5), Member(BOB, at=MADE + 5))
    assert await store.roll(Roll.BLOCKED) == (Member(666, at=MADE + 6),)
    assert await store.roll(Roll.BANNED) == (Member(667, at=MADE + 7),)
    assert await store.roll(Roll.CLOSED_CHAT) == (Member(-1_003, at=MADE + 8),)
    assert await store.roll(Roll.ALLOWED_CHAT) == (Member(OTHER, at=MADE + 9),)
    assert await store.roll(Roll.AUTHORISED, GROUP) == (
        Member(5, "Eve", ANN, MADE + 10),
        Member(BOB, "Bob ♥", ANN, MADE + 10),
    )
    assert await store.settings(GROUP) == ChatSettings(
        PlayType.ADMINS, Control.EVERYONE, Search.LIST, "hi", linked_chat=-1_004
    )
    assert await store.settings(OTHER) == ChatSettings()
    mine = (video(VIDEO, "Never Gonna", 213.0), video(LONG, "A Mix", 3723.0), video(OLD, "Live"))
    assert await store.playlist(ANN, FAVOURITES) == mine
    assert await store.playlists(BOB) == (Playlist("Sad", 1),)
    assert await store.playlist(BOB, "Sad") == (video(OLD, "Live"),)
    assert found == Imported(
        "Yukki",
        {
            "chats": 2, "users": 2, "sudoer": 2, "blocked": 1, "banned": 1, "closed-chat": 1,
            "allowed-chat": 1, "authorised": 2, "chat_settings": 5,
            "tracks": 3, "playlist_items": 4, "counters": 9,
        },
        {}, {}, {"assistants": 1, "upcount": 1, "onoffper": 1},
    )  # fmt: skip
    assert await store.check() == ()


async def test_yukkis_numbers_of_plays_make_the_charts_of_all_time(
    foreign: ForeignServer, store: Store
) -> None:
    foreign.fill("Yukki", YUKKI)
    await taken(foreign, store, "yukki")
    one, other = video(VIDEO, "Never Gonna", 213.0), video(LONG, "A Mix", 3723.0)
    expected = {
        Top(Chart.TRACKS): (Ranked(other.id, "A Mix", 9, other), Ranked(one.id, "Never Gonna", 7, one)),
        Top(Chart.TRACKS, chat_id=GROUP): (Ranked(one.id, "Never Gonna", 5, one),),
        Top(Chart.TRACKS, user_id=BOB): (Ranked(one.id, "Never Gonna", 4, one),),
        Top(Chart.CHATS): (Ranked(str(OTHER), "", 11), Ranked(str(GROUP), "", 5)),
        Top(Chart.USERS): (Ranked(str(BOB), "", 4),),
    }
    assert {top: await store.top(top) for top in expected} == expected
    await apply(store, played("p", one, chat=GROUP))  # and the counting goes on
    assert (await store.top(Top(Chart.TRACKS)))[1].plays == 8


async def test_all_that_anon_keeps_and_we_know_comes_over(foreign: ForeignServer, store: Store) -> None:
    foreign.fill("Anon", ANON)
    found = await taken(foreign, store, "anon")
    assert await store.chats() == (Served(OTHER, "", 0.0, 0.0), Served(GROUP, "", 0.0, 0.0))
    assert await store.users() == (Served(ANN, "", 0.0, 0.0, "fr"), Served(BOB, "", 0.0, 0.0))
    assert await store.roll(Roll.SUDOER) == (Member(ANN),)
    assert await store.roll(Roll.BLOCKED) == (Member(666),)
    assert await store.roll(Roll.CLOSED_CHAT) == (Member(-1_003),)
    assert await store.roll(Roll.AUTHORISED, GROUP) == (Member(5), Member(BOB))
    assert await store.settings(GROUP) == ChatSettings(PlayType.ADMINS, language="de", delete_commands=True)
    assert await store.settings(OTHER) == ChatSettings()
    assert (dict(found.strange), dict(found.others)) == ({}, {"assistant": 1})
    assert await store.check() == ()


async def test_an_anon_that_was_updated_has_both_kinds(foreign: ForeignServer, store: Store) -> None:
    both = {**YUKKI, **ANON, "chats": [{"_id": GROUP, "cmd_delete": True}, {"_id": at(2), "chat_id": OTHER}]}
    foreign.fill("Anon", both)
    found = await taken(foreign, store, "anon")
    assert [chat.id for chat in await store.chats()] == [OTHER, GROUP]
    assert [user.id for user in await store.users()] == [ANN, BOB]
    assert (await store.settings(GROUP)).delete_commands
    assert len(await store.playlist(ANN, FAVOURITES)) == 3
    assert dict(found.strange) == {}


# -- what does not change
@pytest.mark.parametrize(("bot", "name", "data"), [("yukki", "Yukki", YUKKI), ("anon", "Anon", ANON)])
async def test_nothing_happens_to_their_database(
    foreign: ForeignServer, store: Store, bot: str, name: str, data: Database
) -> None:
    """And the user who reads it may do nothing else, so that the server itself would refuse."""
    foreign.fill(name, data)
    foreign.fill(name, STRANGE)
    before = foreign.everything()
    await taken(foreign, store, bot)
    await taken(foreign, store, bot, dry=True)
    assert foreign.everything() == before
    with MongoClient(foreign.uri()) as reader, pytest.raises(OperationFailure, match="not authorized"):
        reader[name]["chats"].insert_one({})


async def test_once_more_gives_the_same(foreign: ForeignServer, store: Store) -> None:
    foreign.fill("Yukki", YUKKI)
    first = await taken(foreign, store, "yukki")
    once = as_set(await rows(store))
    again = await taken(foreign, store, "yukki")
    assert as_set(await rows(store)) == once
    assert sum(again.added.values()) == 0
    assert dict(again.there) == dict(first.added)


async def test_later_once_more_brings_what_has_come_since(foreign: ForeignServer, store: Store) -> None:
    foreign.fill("Yukki", YUKKI)
    await taken(foreign, store, "yukki")
    theirs = foreign.root["Yukki"]
    theirs["chats"].insert_one({"chat_id": -77})
    theirs["chatstats"].update_one({"chat_id": GROUP}, {"$set": {f"vidid.{VIDEO}.spot": 50}})
    await taken(foreign, store, "yukki")
    assert -77 in [chat.id for chat in await store.chats()]
    assert [found.plays for found in await store.top(Top(Chart.TRACKS, chat_id=GROUP))] == [50]
    assert [found.plays for found in await store.top(Top(Chart.TRACKS))] == [52, 9]


async def test_what_comes_up_twice_is_taken_once(foreign: ForeignServer, store: Store) -> None:
    twice = [{"chat_id": GROUP, "vidid": {VIDEO: {"spot": spot, "title": "x"}}} for spot in (3, 9, 2, 5)]
    foreign.fill("Yukki", {"tgusersdb": [{"user_id": ANN}] * 3, "chatstats": twice})
    languages = ((3, "fr"), (1, "de"), (2, "es"))  # their bot reads the oldest of them as well
    foreign.fill(
        "Yukki", {"language": [{"_id": at(n), "chat_id": GROUP, "lang": lang} for n, lang in languages]}
    )
    found = await taken(foreign, store, "yukki")
    assert (await store.settings(GROUP)).language == "de"
    assert dict(found.added) == {"users": 1, "tracks": 1, "counters": 3, "chat_settings": 1}
    assert dict(found.there) == {}
    assert [one.plays for one in await store.top(Top(Chart.TRACKS, chat_id=GROUP))] == [9]


async def test_what_ryzen_has_already_stays(foreign: ForeignServer, store: Store) -> None:
    foreign.fill("Yukki", YUKKI)
    mine = Member(666, "Mine", ANN, 5.0, "because")
    await apply(
        store,
        SawChat(GROUP, "The group", 5.0),
        SawUser(ANN, "Ann", 6.0),
        SetSetting(GROUP, "language", "en"),
        Enlist(Roll.BLOCKED, mine),
        *(played(f"p{n}", video(VIDEO, "Mine"), chat=GROUP) for n in range(12)),
    )
    await taken(foreign, store, "yukki")
    assert Served(GROUP, "The group", 5.0, 5.0) in await store.chats()
    assert await store.user(ANN) == Served(ANN, "Ann", 6.0, 6.0)
    assert (await store.settings(GROUP)).language == "en"
    assert (await store.settings(GROUP)).search is Search.LIST  # had not been chosen
    assert await store.roll(Roll.BLOCKED) == (mine,)
    assert [found.plays for found in await store.top(Top(Chart.TRACKS, chat_id=GROUP))] == [
        12
    ]  # theirs are 5
    assert (await store.top(Top(Chart.TRACKS)))[0].track == video(VIDEO, "Mine")


async def test_a_dry_run_tells_the_same_and_writes_nothing(foreign: ForeignServer, store: Store) -> None:
    foreign.fill("Yukki", YUKKI)
    foreign.fill("Yukki", STRANGE)
    would = await taken(foreign, store, "yukki", dry=True)
    assert await rows(store) == []
    assert await taken(foreign, store, "yukki") == would


# -- what is strange
async def test_what_is_of_no_known_shape_is_counted_and_left(foreign: ForeignServer, store: Store) -> None:
    foreign.fill("Yukki", STRANGE)
    found = await taken(foreign, store, "yukki")
    assert dict(found.strange) == STRANGE_PARTS
    assert dict(found.added) == {"sudoer": 1}  # the one member among the odd ones
    foreign.drop()
    foreign.fill("Yukki", YUKKI)
    foreign.fill("Yukki", STRANGE)
    assert (await taken(foreign, store, "yukki")).strange == found.strange
    assert len(await store.playlist(ANN, FAVOURITES)) == 3


async def test_broken_texts_and_dates_do_not_hide_a_collection(foreign: ForeignServer, store: Store) -> None:
    chats = foreign.root["Yukki"]["chats"]
    late = dt.datetime(9999, 12, 31, tzinfo=dt.UTC)
    whole = encode({"_id": at(5), "chat_id": -3, "x": "abcd", "when": late})
    far = struct.pack("<q", 2**62)  # milliseconds
    broken = whole.replace(b"abcd", b"\xff\xfe\xfd\xfc").replace(struct.pack("<q", 253402214400000), far)
    assert far in broken
    chats.insert_many([{"chat_id": -1}, RawBSONDocument(broken), {"chat_id": -2}])
    foreign.fill("Yukki", {"gban": [{"user_id": 1, "name": "nul\0"}, {"user_id": 2, "x": Decimal128("1")}]})
    await taken(foreign, store, "yukki")
    assert [chat.id for chat in await store.chats()] == [-3, -2, -1]
    assert [member.id for member in await store.roll(Roll.BLOCKED)] == [1, 2]


json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from([VIDEO, "Inline"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.just(VIDEO), inner, max_size=3)
    ),
    max_leaves=12,
)
named = st.sampled_from(
    [
        "_id",
        "chat_id",
        "user_id",
        "notes",
        "vidid",
        "mode",
        "lang",
        "sudoers",
        "user_ids",
        "chat_ids",
        "admin_play",
    ]
)
ids = st.sampled_from([GROUP, ANN, "sudoers", "bl_chats", str(GROUP), 2**63, -(2**63), float(GROUP)])


@given(collection=st.sampled_from(sorted(READERS)), fields=st.dictionaries(named, json | ids))
def test_whatever_a_document_is_it_becomes_rows_of_ours_or_is_strange(
    collection: str, fields: dict[str, object]
) -> None:
    tables = {table.name: table for table in schema.TABLES}
    try:
        parts = list(READERS[collection](Document(fields, 5.0)))
    except Strange:
        return
    for part in parts:
        match part:
            case Plays(scope=scope, plays=plays):
                assert plays > 0
                assert scope.startswith(("chat:-", "user:"))
            case Unread():
                pass
            case (name, values):
                kinds = {"TEXT": str, "INTEGER": int, "REAL": float}
                assert tuple(values) == tables[name].names
                for field in tables[name].fields:
                    value = values[field.name]
                    assert type(value) is kinds[field.kind] or (field.optional and value is None)


@pytest.mark.parametrize(
    "value", [2**63, -(2**63) - 1, 1e30, True, None, 2.5, "5.0", "٣", "", [5], float("nan")]
)
def test_what_is_no_number_of_64_bits_is_strange(value: object) -> None:
    with pytest.raises(Strange):
        whole(value)


@pytest.mark.parametrize(("value", "number"), [(-5, -5), (5.0, 5), ("-1001", -1001), (Int64(2**62), 2**62)])
def test_a_number_may_be_written_in_several_ways(value: object, number: int) -> None:
    assert whole(value) == number


async def test_what_a_store_refuses_is_left_and_the_rest_comes(foreign: ForeignServer, store: Store) -> None:
    foreign.fill("Yukki", {"tgusersdb": [{"user_id": user} for user in range(1, 20)]})
    stats = {VIDEO: {"spot": 2**63 - 1, "title": "x"}}
    foreign.fill("Yukki", {"chatstats": [{"chat_id": chat, "vidid": stats} for chat in (GROUP, OTHER)]})
    found = await taken(foreign, store, "yukki")
    assert dict(found.strange) == {"counters": 1}  # the sum of both is more than a number may be
    assert found.added["counters"] == 4
    assert len(await store.users()) == 19
