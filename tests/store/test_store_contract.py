# ruff: noqa: F401, F811  (fixtures come by name)
"""What every store keeps its word on (``ports.Store``), tried on each back end as it is: a file, a server.

Music is in ``test_store_music``, what is strange in ``test_store_oddities``.
"""

from __future__ import annotations

import datetime as dt
import json

import anyio
import attrs
import pytest
from store_places import Place, anyio_backend, place, store
from store_values import (
    ANN,
    BOB,
    GROUP,
    OTHER,
    TODAY,
    YESTERDAY,
    answers,
    apply,
    as_set,
    batch,
    everything,
    kept,
    played,
    rows,
    track,
)

from ryzen.ports import Store
from ryzen.records import (
    FAVOURITES,
    AddToPlaylist,
    AssignAssistant,
    Beat,
    Broadcast,
    Chart,
    ChatSettings,
    Control,
    DropPlaylist,
    Enlist,
    LostChat,
    Member,
    Played,
    PlayType,
    Prune,
    ResetSettings,
    Roll,
    SaveBroadcast,
    SaveLive,
    SawChat,
    SawUser,
    Search,
    Served,
    SetFlag,
    SetLanguage,
    SetSetting,
    Strike,
    TakeFromPlaylist,
    Top,
)

pytestmark = pytest.mark.anyio


# -- nothing yet
async def test_what_was_never_stored_reads_as_its_default(store: Store) -> None:
    assert await store.settings(GROUP) == ChatSettings()
    for roll in Roll:
        assert await store.roll(roll) == ()
    assert await store.chats() == await store.users() == ()
    assert await store.user(ANN) is None
    assert await store.playlists(ANN) == await store.playlist(ANN, FAVOURITES) == ()
    assert await store.history(GROUP) == ()
    for chart in Chart:
        assert await store.top(Top(chart)) == ()
    assert await store.assistants() == await store.beats() == await store.flags() == {}
    assert await store.broadcasts() == await store.live() == await store.live(GROUP) == ()
    assert set((await store.sizes()).values()) == {0}
    assert await rows(store) == []


async def test_a_new_store_answers_is_well_and_has_a_name(store: Store) -> None:
    await store.ping()
    assert await store.check() == ()
    assert store.name


async def test_an_empty_batch_changes_nothing(store: Store) -> None:
    await store.apply(batch())
    assert await rows(store) == []


# -- settings
async def test_a_setting_leaves_the_others_and_other_chats_alone(store: Store) -> None:
    await apply(store, SetSetting(GROUP, "volume", 80), SetSetting(GROUP, "language", "de"))
    await apply(store, SetSetting(GROUP, "play_type", "admins"), SetSetting(OTHER, "volume", 20))
    expected = ChatSettings(volume=80, language="de", play_type=PlayType.ADMINS)
    assert await store.settings(GROUP) == expected
    assert await store.settings(OTHER) == ChatSettings(volume=20)
    await apply(store, SetSetting(GROUP, "volume", 0))
    assert await store.settings(GROUP) == attrs.evolve(expected, volume=0)


async def test_every_setting_comes_back_as_it_went(store: Store) -> None:
    chosen = ChatSettings(
        PlayType.ADMINS, Control.VOTING, Search.LIST, "pt-br", True, True, False, False, 200, 15, True,
        True, True, True, 100, 0, -1_002_222_222_222,
    )  # fmt: skip
    default = ChatSettings()
    fields = [field.name for field in attrs.fields(ChatSettings)]
    assert all(getattr(chosen, name) != getattr(default, name) for name in fields)
    await apply(store, *(SetSetting(GROUP, name, getattr(chosen, name)) for name in fields))
    read = await store.settings(GROUP)
    assert read == chosen
    assert [type(getattr(read, name)) for name in fields] == [type(getattr(chosen, name)) for name in fields]
    await apply(store, SetSetting(GROUP, "queue_limit", None), SetSetting(GROUP, "linked_chat", None))
    assert await store.settings(GROUP) == attrs.evolve(chosen, queue_limit=None, linked_chat=None)


async def test_a_reset_forgets_one_chats_choices(store: Store) -> None:
    await apply(store, SetSetting(GROUP, "volume", 80), SetSetting(OTHER, "volume", 20), ResetSettings(GROUP))
    assert await store.settings(GROUP) == ChatSettings()
    assert await store.settings(OTHER) == ChatSettings(volume=20)
    await apply(store, ResetSettings(GROUP))


async def test_a_setting_of_another_version_does_not_hide_the_others(store: Store) -> None:
    await apply(store, SetSetting(GROUP, "volume", 80))
    strange = (("hologram", "true"), ("crossfade", '"much"'), ("play_type", '"cats"'), ("clean", "{"))
    await store.load(
        [("chat_settings", {"chat_id": GROUP, "name": name, "value": text}) for name, text in strange]
    )
    assert await store.settings(GROUP) == ChatSettings(volume=80)


# -- rolls
async def test_a_roll_is_oldest_first_then_by_id(store: Store) -> None:
    late, early = Member(1, "Late", ANN, 9.5, "spam"), Member(900, "Early", BOB, 1.25)
    tie, low = Member(5, "Tie", 0, 4.0), Member(-7, "Low", 0, 4.0)
    await apply(store, *(Enlist(Roll.BLOCKED, member) for member in (late, tie, early, low)))
    assert await store.roll(Roll.BLOCKED) == (early, low, tie, late)


async def test_each_roll_and_each_scope_is_a_list_of_its_own(store: Store) -> None:
    places = [(roll, 0) for roll in Roll] + [(Roll.AUTHORISED, GROUP), (Roll.AUTHORISED, OTHER)]
    await apply(store, *(Enlist(roll, Member(ANN, f"{roll} {scope}"), scope) for roll, scope in places))
    for roll, scope in places:
        assert await store.roll(roll, scope) == (Member(ANN, f"{roll} {scope}"),)
    await apply(store, Strike(Roll.AUTHORISED, ANN, GROUP))
    assert await store.roll(Roll.AUTHORISED, GROUP) == ()
    assert [len(await store.roll(roll, scope)) for roll, scope in places] == [1] * 6 + [0, 1]


async def test_who_is_enlisted_again_is_written_anew(store: Store) -> None:
    await apply(
        store,
        Enlist(Roll.BANNED, Member(1, "A", 2, 3.0, "spam")),
        Enlist(Roll.BANNED, Member(2, "B", at=4.0)),
    )
    await apply(store, Enlist(Roll.BANNED, Member(1, "A2", 5, 6.0)))
    assert await store.roll(Roll.BANNED) == (Member(2, "B", at=4.0), Member(1, "A2", 5, 6.0))
    await apply(store, Strike(Roll.BANNED, 1), Strike(Roll.BANNED, 1), Strike(Roll.SUDOER, 12345))
    assert await store.roll(Roll.BANNED) == (Member(2, "B", at=4.0),)


async def test_writers_of_one_roll_do_not_overwrite_each_other(store: Store) -> None:
    async def write(writer: int) -> None:
        for number in range(10):
            await apply(store, Enlist(Roll.AUTHORISED, Member(writer * 100 + number), GROUP))

    async with anyio.create_task_group() as tasks:
        for writer in range(8):
            tasks.start_soon(write, writer)
    found = {member.id for member in await store.roll(Roll.AUTHORISED, GROUP)}
    assert found == {writer * 100 + number for writer in range(8) for number in range(10)}


# -- chats and people
async def test_chats_and_users_come_by_id_and_in_pages(store: Store) -> None:
    chats = [-(2**63), GROUP, OTHER, -5, 3, 2**31, 2**63 - 1]
    await apply(store, *(SawChat(chat, f"Chat {chat}", 5.0) for chat in reversed(chats)))
    await apply(store, *(SawUser(user, f"User {user}", 5.0) for user in (2**31, 5, ANN, BOB)))
    everybody = tuple(Served(chat, f"Chat {chat}", 5.0, 5.0) for chat in sorted(chats))
    assert await store.chats() == everybody
    assert await store.chats(limit=2) == everybody[:2]
    assert await store.chats(after=sorted(chats)[1], limit=2) == everybody[2:4]
    assert await store.chats(after=GROUP + 1) == tuple(one for one in everybody if one.id > GROUP + 1)
    assert await store.chats(after=2**63 - 1) == ()
    assert await store.chats(limit=0) == ()
    assert [user.id for user in await store.users()] == sorted((2**31, 5, ANN, BOB))
    assert [user.id for user in await store.users(after=5, limit=1)] == [ANN]
    assert [user.id for user in await store.users(after=0)] == [5, ANN, 2**31, BOB]
    assert await store.users(limit=0) == ()


async def test_seen_again_keeps_the_first_moment_and_takes_the_last_name(store: Store) -> None:
    await apply(store, SawChat(GROUP, "Old", 10.5), SawUser(ANN, "Ann", 10.5))
    await apply(store, SawChat(GROUP, "New", 20.5), SawUser(ANN, "Annie", 20.5))
    assert await store.chats() == (Served(GROUP, "New", 10.5, 20.5),)
    assert await store.user(ANN) == Served(ANN, "Annie", 10.5, 20.5)
    assert await store.users() == (Served(ANN, "Annie", 10.5, 20.5),)


async def test_a_lost_chat_keeps_its_settings_and_may_come_back(store: Store) -> None:
    await apply(store, SawChat(GROUP, "G", 1.0), SawChat(OTHER, "O", 1.0), SetSetting(GROUP, "volume", 7))
    await apply(store, Enlist(Roll.AUTHORISED, Member(ANN), GROUP), LostChat(GROUP), LostChat(555))
    assert [chat.id for chat in await store.chats()] == [OTHER]
    assert (await store.settings(GROUP)).volume == 7
    assert len(await store.roll(Roll.AUTHORISED, GROUP)) == 1
    await apply(store, SawChat(GROUP, "G", 9.0))
    assert [(chat.id, chat.last) for chat in await store.chats(limit=1, after=OTHER)] == [(GROUP, 9.0)]


async def test_a_language_is_of_somebody_who_was_seen(store: Store) -> None:
    await apply(store, SetLanguage(BOB, "de"), SawUser(ANN, "Ann", 1.0), SetLanguage(ANN, "de"))
    assert await store.user(BOB) is None
    assert await store.user(ANN) == Served(ANN, "Ann", 1.0, 1.0, "de")
    await apply(store, SawUser(ANN, "Ann", 2.0))
    assert await store.user(ANN) == Served(ANN, "Ann", 1.0, 2.0, "de")
    await apply(store, SetLanguage(ANN, None))
    assert await store.user(ANN) == Served(ANN, "Ann", 1.0, 2.0)


# -- the rest that is kept
async def test_an_assistant_is_assigned_moved_and_taken_away(store: Store) -> None:
    await apply(store, AssignAssistant(GROUP, 7), AssignAssistant(OTHER, BOB), AssignAssistant(5, None))
    assert await store.assistants() == {GROUP: 7, OTHER: BOB}
    await apply(store, AssignAssistant(GROUP, 8), AssignAssistant(OTHER, None))
    assert await store.assistants() == {GROUP: 8}


async def test_broadcasts_are_oldest_first_until_they_are_over(store: Store) -> None:
    young = Broadcast("b1", ANN, 9.5, GROUP, 77, ("-pin", "-user"), None, 0, 0)
    old = Broadcast("b2", BOB, 1.5, ANN, 2**31 + 5)
    await apply(store, SaveBroadcast(young), SaveBroadcast(old))
    assert await store.broadcasts() == (old, young)
    further = attrs.evolve(young, after=GROUP, sent=3, failed=1)
    await apply(store, SaveBroadcast(further))
    assert await store.broadcasts() == (old, further)
    await apply(store, SaveBroadcast(attrs.evolve(old, over=True)))
    assert await store.broadcasts() == (further,)


async def test_a_heartbeat_never_goes_back(store: Store) -> None:
    await apply(store, Beat("p1", 5.5), Beat("p2", 1.0), Beat("p1", 4.0))
    await apply(store, Beat("p1", 3.0), Beat("p2", 2.25))
    assert await store.beats() == {"p1": 5.5, "p2": 2.25}


async def test_a_flag_is_remembered_until_it_is_forgotten(store: Store) -> None:
    await apply(store, SetFlag("maintenance", "on"), SetFlag("motd", ""), SetFlag("x", None))
    assert await store.flags() == {"maintenance": "on", "motd": ""}
    await apply(store, SetFlag("maintenance", None), SetFlag("motd", "hello"))
    assert await store.flags() == {"motd": "hello"}


# -- batches
async def test_changes_of_one_batch_are_made_in_their_order(store: Store) -> None:
    await apply(
        store,
        SetSetting(GROUP, "volume", 1), SetSetting(GROUP, "language", "fr"), ResetSettings(GROUP),
        SetSetting(GROUP, "volume", 2), SetSetting(GROUP, "volume", 3),
        Enlist(Roll.SUDOER, Member(1)), Strike(Roll.SUDOER, 1),
        Strike(Roll.SUDOER, 2), Enlist(Roll.SUDOER, Member(2, "a")), Enlist(Roll.SUDOER, Member(2, "b")),
        AddToPlaylist(ANN, "A", track(1), 1.0), DropPlaylist(ANN, "A"),
        AddToPlaylist(ANN, "A", track(2), 5.0),
        AddToPlaylist(ANN, "A", track(3), 2.0), TakeFromPlaylist(ANN, "A", "local:3"),
        AddToPlaylist(ANN, "A", track(3), 9.0),
        SawChat(GROUP, "G", 1.0), LostChat(GROUP), LostChat(OTHER), SawChat(OTHER, "O", 2.0),
        SetLanguage(ANN, "de"), SawUser(ANN, "A", 1.0), SetLanguage(ANN, "es"),
        SetFlag("f", "1"), SetFlag("f", None), SetFlag("f", "2"),
        AssignAssistant(GROUP, 1), AssignAssistant(GROUP, None),
        AssignAssistant(OTHER, None), AssignAssistant(OTHER, 2),
        played("1", "x", at=5.0), Beat("p", 5.0), Prune(10.0), played("2", "x", at=6.0), Beat("p", 6.0),
    )  # fmt: skip
    assert await store.settings(GROUP) == ChatSettings(volume=3)
    assert await store.roll(Roll.SUDOER) == (Member(2, "b"),)
    assert await store.playlist(ANN, "A") == (track(2), track(3))
    assert [chat.id for chat in await store.chats()] == [OTHER]
    assert (await store.user(ANN)) is not None
    assert [user.language for user in await store.users()] == ["es"]
    assert await store.flags() == {"f": "2"}
    assert await store.assistants() == {OTHER: 2}
    assert [play.id for play in await store.history(GROUP)] == ["2"]
    assert [place.plays for place in await store.top(Top(Chart.TRACKS))] == [2]
    day = dt.date(1970, 1, 1)  # which is not over at the moment of pruning, so its chart stays
    assert [place.plays for place in await store.top(Top(Chart.TRACKS, day=day))] == [2]
    assert await store.beats() == {"p": 6.0}


async def test_every_change_but_a_play_can_be_made_twice(store: Store) -> None:
    changes = [change for change in everything() if not isinstance(change, Played)]
    await apply(store, *changes)
    once = await rows(store)
    await apply(store, *changes)
    assert as_set(await rows(store)) == as_set(once)


async def test_what_was_acknowledged_is_there_after_close_and_reopen(place: Place) -> None:
    async with place.open() as store:
        await apply(store, *everything())
        before = await answers(store, [GROUP, OTHER], [ANN, BOB], [TODAY, YESTERDAY])
        dumped = await rows(store)
    async with place.open() as store:
        assert await answers(store, [GROUP, OTHER], [ANN, BOB], [TODAY, YESTERDAY]) == before
        assert as_set(await rows(store)) == as_set(dumped)
        assert await store.check() == ()


# -- for the operator
async def test_what_was_dumped_can_be_loaded_and_gives_the_same_answers(store: Store) -> None:
    await apply(store, *everything())
    before = await answers(store, [GROUP, OTHER], [ANN, BOB], [TODAY, YESTERDAY])
    dumped = await rows(store)
    assert [tuple(json.loads(json.dumps(row))) for row in dumped] == dumped
    assert {table for table, _ in dumped} <= set(await store.sizes())
    await store.load(dumped)  # over what is there
    assert await answers(store, [GROUP, OTHER], [ANN, BOB], [TODAY, YESTERDAY]) == before
    await store.clear()
    assert await rows(store) == []
    assert set((await store.sizes()).values()) == {0}
    half = len(dumped) // 2
    await store.load(dumped[:half])
    await store.load(dumped[half:])
    await store.load([])
    assert await answers(store, [GROUP, OTHER], [ANN, BOB], [TODAY, YESTERDAY]) == before
    assert as_set(await rows(store)) == as_set(dumped)
    assert await store.check() == ()
    await apply(store, played("further", "x"), SaveLive(kept(GROUP, revision=99)))  # and goes on
    assert (await store.live(GROUP))[0].revision == 99


async def test_rows_that_others_refer_to_are_dumped_first(store: Store) -> None:
    await apply(store, *everything())
    tables = [table for table, _ in await rows(store)]
    assert sorted(set(tables), key=tables.index) == [table for table, _ in _runs(tables)]
    for referring in ("plays", "playlist_items"):
        assert tables.index("tracks") < tables.index(referring)


def _runs(tables: list[str]) -> list[tuple[str, int]]:
    """Each table once for each time it begins anew."""
    return [(table, at) for at, table in enumerate(tables) if at == 0 or tables[at - 1] != table]


async def test_the_sizes_are_the_rows_of_each_table(store: Store) -> None:
    await apply(store, *everything())
    dumped = [table for table, _ in await rows(store)]
    sizes = {name: size for name, size in (await store.sizes()).items() if name != "batches"}
    assert sizes == {name: dumped.count(name) for name in sizes}
    assert sizes["tracks"]
    assert sizes["live"]


async def test_a_cleared_store_is_as_new(store: Store) -> None:
    await apply(store, *everything())
    await store.clear()
    await store.clear()
    assert await rows(store) == []
    assert await store.check() == ()
    await apply(store, played("p1", "x"))
    assert [place.plays for place in await store.top(Top(Chart.TRACKS))] == [1]
