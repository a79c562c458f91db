# ruff: noqa: F401, F811  (fixtures come by name)
"""What is strange but may come: texts that look like something else, numbers at their ends, far too much."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import pytest
from store_places import anyio_backend, place, store
from store_values import ANN, GROUP, MIDNIGHT, OTHER, TEXTS, apply, as_set, batch, kept, played, playing, rows

from ryzen.errors import StoreRefused
from ryzen.player.state import Asker, Track
from ryzen.ports import Store
from ryzen.records import (
    AddToPlaylist,
    AssignAssistant,
    Beat,
    Broadcast,
    Change,
    Chart,
    Enlist,
    Member,
    Playlist,
    Roll,
    SaveBroadcast,
    SaveLive,
    SawChat,
    SawUser,
    Served,
    SetFlag,
    SetSetting,
    TakeFromPlaylist,
    Top,
)

pytestmark = pytest.mark.anyio

SURROGATE = "half an emoji: \ud83d"
TOO_MUCH = "x" * 20_000_000
LEAST, MOST = -(2**63), 2**63 - 1


# -- texts
async def test_every_text_comes_back_as_it_went(store: Store) -> None:
    tracks = [Track(f"local:{text}", text, text, text, text, 1.0, text or None) for text in TEXTS]
    changes: list[Change] = []
    for number, (text, one) in enumerate(zip(TEXTS, tracks, strict=True)):
        changes += [
            SawUser(number, text, 1.0),
            SawChat(-number, text, 1.0),
            Enlist(Roll.BLOCKED, Member(number, text, reason=text, at=float(number))),
            AddToPlaylist(ANN, text, one, 1.0),
            AddToPlaylist(5, "all", one, float(number)),
            played(text, one, MIDNIGHT - number, by=Asker(number, text)),
            SaveBroadcast(Broadcast(text, ANN, float(number), GROUP, 1, (text, text))),
            SaveLive(kept(number, playing(one, asker=Asker(1, text)), MIDNIGHT - number, 1, text)),
            Beat(text, float(number)),
            SetFlag(text, text),
        ]
    await apply(store, *changes)
    assert [member.name for member in await store.roll(Roll.BLOCKED)] == list(TEXTS)
    assert [member.reason for member in await store.roll(Roll.BLOCKED)] == list(TEXTS)
    assert await store.users() == tuple(Served(n, text, 1.0, 1.0) for n, text in enumerate(TEXTS))
    assert [chat.name for chat in await store.chats()] == list(reversed(TEXTS))
    assert await store.playlists(ANN) == tuple(Playlist(text, 1) for text in sorted(TEXTS))
    for text, one in zip(TEXTS, tracks, strict=True):
        assert await store.playlist(ANN, text) == (one,)
    assert await store.playlist(5, "all") == tuple(tracks)
    history = await store.history(GROUP)
    assert [(play.id, play.asker.name, play.track) for play in history] == list(
        zip(TEXTS, TEXTS, tracks, strict=True)
    )
    assert [(each.id, each.flags) for each in await store.broadcasts()] == [
        (text, (text, text)) for text in TEXTS
    ]
    assert [live.process for live in await store.live()] == list(TEXTS)
    assert [live.player.current.track for live in await store.live() if live.player.current] == tracks
    assert await store.beats() == {text: float(number) for number, text in enumerate(TEXTS)}
    assert await store.flags() == {text: text for text in TEXTS}
    charted = await store.top(Top(Chart.TRACKS, limit=50))
    assert [(place.key, place.label, place.track) for place in charted] == sorted(
        ((one.id, one.title, one) for one in tracks), key=lambda each: each[0]
    )
    dumped = await rows(store)
    await store.load(dumped)
    assert as_set(await rows(store)) == as_set(dumped)
    for text, one in zip(TEXTS, tracks, strict=True):
        await apply(store, TakeFromPlaylist(ANN, text, one.id), SetFlag(text, None))
    assert await store.playlists(ANN) == ()
    assert await store.flags() == {}


async def test_a_chat_may_be_asked_for_by_any_text_without_harm(store: Store) -> None:
    await apply(store, AddToPlaylist(ANN, "mine", track_of("x"), 1.0))
    for text in (*TEXTS, SURROGATE):
        assert await store.playlist(ANN, text) == ()
    assert len(await store.playlists(ANN)) == 1


def track_of(text: str) -> Track:
    return Track(f"local:{text}", text, "local", text)


SURROGATES: dict[str, Callable[[], Change]] = {
    "name of a user": lambda: SawUser(1, SURROGATE, 1.0),
    "title of a chat": lambda: SawChat(1, SURROGATE, 1.0),
    "reason": lambda: Enlist(Roll.BLOCKED, Member(1, reason=SURROGATE)),
    "playlist": lambda: AddToPlaylist(1, SURROGATE, track_of("x"), 1.0),
    "title of a track": lambda: played("p", track_of(SURROGATE)),
    "flag": lambda: SetFlag(SURROGATE, "x"),
    "value of a flag": lambda: SetFlag("x", SURROGATE),
    "language": lambda: SetSetting(1, "language", SURROGATE[-2:]),
    "title in a player": lambda: SaveLive(kept(1, playing(track_of(SURROGATE)))),
}


@pytest.mark.parametrize("where", SURROGATES)
async def test_half_a_character_is_refused_or_kept_and_never_half_kept(store: Store, where: str) -> None:
    """Telegram sends none, but files and other bots' data have them. See also test_store_equal."""
    change = SURROGATES[where]()
    try:
        await apply(store, change)
    except StoreRefused:
        assert [table for table, _ in await rows(store) if table != "tracks"] == []
    else:
        dumped = await rows(store)
        assert dumped
        await store.load(dumped)
        assert as_set(await rows(store)) == as_set(dumped)
    await apply(store, SetFlag("and", "goes on"))
    assert (await store.flags())["and"] == "goes on"


# -- numbers
@pytest.mark.parametrize("id", [LEAST, -(2**31) - 1, -1, 0, 1, 2**31, 2**53 + 1, MOST])
async def test_ids_have_64_bits(store: Store, id: int) -> None:
    await apply(
        store,
        SawChat(id, "C", 1.0), SawUser(id, "U", 1.0),
        SetSetting(id, "volume", 1), SetSetting(1, "linked_chat", id),
        Enlist(Roll.AUTHORISED, Member(id, by=id), id), AddToPlaylist(id, "L", track_of("x"), 1.0),
        played("p", track_of("x"), chat=id, by=Asker(id, "U")), AssignAssistant(id, id),
        SaveBroadcast(Broadcast("b", id, 1.0, id, id, (), id, id, id)), SaveLive(kept(id, revision=id)),
    )  # fmt: skip
    assert [chat.id for chat in await store.chats()] == [user.id for user in await store.users()] == [id]
    assert (await store.settings(id)).volume == 1
    assert (await store.settings(1)).linked_chat == id
    assert await store.roll(Roll.AUTHORISED, id) == (Member(id, by=id),)
    assert len(await store.playlist(id, "L")) == 1
    (play,) = await store.history(id)
    assert (play.chat_id, play.asker.id) == (id, id)
    assert await store.assistants() == {id: id}
    assert await store.broadcasts() == (Broadcast("b", id, 1.0, id, id, (), id, id, id),)
    assert await store.live(id) == (kept(id, revision=id),)
    for top in (
        Top(Chart.CHATS),
        Top(Chart.USERS),
        Top(Chart.CHATS, user_id=id),
        Top(Chart.USERS, chat_id=id),
    ):
        assert [place.key for place in await store.top(top)] == [str(id)]
    dumped = await rows(store)
    await store.clear()
    await store.load(dumped)
    assert as_set(await rows(store)) == as_set(dumped)


@pytest.mark.parametrize("id", [LEAST - 1, MOST + 1, 10**30])
async def test_a_number_beyond_64_bits_is_refused(store: Store, id: int) -> None:
    for change in (
        SawChat(id, "C", 1.0),
        Enlist(Roll.BLOCKED, Member(1, by=id)),
        SaveLive(kept(1, revision=id)),
    ):
        with pytest.raises(StoreRefused):
            await apply(store, change)
    assert await rows(store) == []


async def test_moments_and_lengths_are_exact(store: Store) -> None:
    moments = [0.1 + 0.2, 1 / 3, MIDNIGHT + 1e-6, 1e-300, 1.7e308, -1.5, 5e-324, float(2**53 + 2)]
    await apply(store, *(Beat(f"p{n}", at) for n, at in enumerate(moments)))
    assert await store.beats() == {f"p{n}": at for n, at in enumerate(moments)}
    odd = Track("t", "T", "s", "r", "a", 1 / 3)
    await apply(
        store, AddToPlaylist(1, "L", odd, 1 / 7), SaveLive(kept(1, playing(odd, offset=2 / 3), 1 / 9))
    )
    assert await store.playlist(1, "L") == (odd,)
    assert await store.live(1) == (kept(1, playing(odd, offset=2 / 3), 1 / 9),)
    dumped = await rows(store)
    await store.clear()
    await store.load(dumped)
    assert await store.playlist(1, "L") == (odd,)
    assert (await store.beats())["p0"] == 0.1 + 0.2


# -- far too much
TOO_MUCH_OF: dict[str, Callable[[], Change]] = {
    "a reason": lambda: Enlist(Roll.BLOCKED, Member(1, "X", reason=TOO_MUCH)),
    "a title": lambda: played("huge", track_of("huge")),
    "a player": lambda: SaveLive(kept(1, playing(*(track_of(f"{n}" * 100_000) for n in range(10, 210))))),
    "a flag": lambda: SetFlag("huge", TOO_MUCH),
}


@pytest.mark.parametrize("what", TOO_MUCH_OF)
async def test_far_too_much_is_refused_and_harms_nobody_else(store: Store, what: str) -> None:
    change = TOO_MUCH_OF[what]()
    if what == "a title":
        change = played("huge", Track("local:huge", TOO_MUCH, "local", "x"))
    refused: list[StoreRefused] = []

    async def write(number: int) -> None:
        await apply(store, SetFlag(f"n{number}", "x"), played(f"p{number}", f"t{number}", chat=OTHER))

    async def write_too_much() -> None:
        try:
            await store.apply(batch(change))
        except StoreRefused as error:
            refused.append(error)

    async with anyio.create_task_group() as tasks:
        for number in range(16):
            tasks.start_soon(write, number)
            if number == 7:
                tasks.start_soon(write_too_much)
    assert len(refused) == 1
    assert len(str(refused[0])) < 500
    assert await store.flags() == {f"n{number}": "x" for number in range(16)}
    assert len(await store.history(OTHER, limit=100)) == 16
    assert await store.roll(Roll.BLOCKED) == await store.live() == await store.history(GROUP) == ()
    assert [place.plays for place in await store.top(Top(Chart.CHATS))] == [16]
    assert await store.check() == ()


async def test_a_big_but_possible_player_is_kept(store: Store) -> None:
    many = kept(GROUP, playing(*(track_of(f"{n} " + "t" * 200) for n in range(3000))))
    await apply(store, SaveLive(many))
    assert await store.live(GROUP) == (many,)
