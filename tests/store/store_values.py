"""Short ways to say what is stored, and everything that a store answers about it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterable

from ryzen.player.state import Asker, Entry, Phase, Player, Track
from ryzen.ports import Store
from ryzen.records import (
    FAVOURITES,
    AddToPlaylist,
    AssignAssistant,
    Batch,
    Beat,
    Broadcast,
    Change,
    Chart,
    DropPlaylist,
    Enlist,
    LiveChat,
    LostChat,
    Member,
    Play,
    Played,
    Prune,
    ResetSettings,
    Roll,
    Row,
    SaveBroadcast,
    SaveLive,
    SawChat,
    SawUser,
    SetFlag,
    SetLanguage,
    SetSetting,
    Strike,
    TakeFromPlaylist,
    Top,
)

#: 2026-03-01 00:00:00 UTC
MIDNIGHT = 1_772_323_200.0
DAY = 86_400.0
TODAY = dt.date(2026, 3, 1)
YESTERDAY = dt.date(2026, 2, 28)

GROUP = -1_001_234_567_890
OTHER = -1_009_999_999_999
ANN, BOB = 42, 7_000_000_001

#: What a person may type, and what a database must neither read nor mend.
TEXTS = (
    "",
    "x" * 4000,
    "🎧👩‍👩‍👧‍👦 ×♥",
    'it\'s "quoted" \\ `so`',
    "Robert'); DROP TABLE users;--",
    "$where",
    '{"$gt": ""}',
    "a.b.$c",
    "one:two:3",
    "%_*?[",
    " \t\n ends in space ",
    "a\0b",
    "e\u0301 and \u00e9",
    "عربي \u202etfel-ot-thgir",
    "\U0010ffff\ufffd",
    "null",
    "-0",
)


def batch(*changes: Change, id: str | None = None) -> Batch:
    return Batch(id or uuid.uuid4().hex, changes)


async def apply(store: Store, *changes: Change) -> None:
    await store.apply(batch(*changes))


def track(key: str | int, title: str | None = None, duration: float | None = 180.0) -> Track:
    name = title if title is not None else f"Title {key}"
    return Track(f"local:{key}", name, "local", f"music/{key}.ogg", "Artist", duration, f"https://x/{key}")


def played(
    id: str,
    of: Track | str | int,
    at: float = MIDNIGHT,
    chat: int = GROUP,
    by: Asker = Asker(ANN, "Ann"),  # noqa: B008  # a value
) -> Played:
    return Played(Play(id, chat, by, of if isinstance(of, Track) else track(of), at))


def playing(
    *tracks: Track,
    offset: float = 0.0,
    phase: Phase = Phase.PLAYING,
    asker: Asker = Asker(ANN, "Ann"),  # noqa: B008
) -> Player:
    """A player with the first track current and the others waiting; idle without any."""
    entries = tuple(Entry(number, each, asker) for number, each in enumerate(tracks, 1))
    if not entries:
        return Player()
    return Player(phase=phase, current=entries[0], queue=entries[1:], offset=offset, next_id=len(entries) + 1)


def kept(
    chat_id: int = GROUP,
    player: Player | None = None,
    at: float = MIDNIGHT,
    revision: int = 1,
    process: str = "p1",
    moving: bool = True,
) -> LiveChat:
    shown = playing(track(1), track(2), offset=12.5) if player is None else player
    return LiveChat(chat_id, shown, at, process, at if moving else None, revision, 77, 1, 0, 1)


def everything() -> tuple[Change, ...]:
    """At least one of each change, so that no table is empty; made in one batch."""
    bob = Asker(BOB, "Bob \U0001f3a7")
    return (
        SetSetting(GROUP, "volume", 80),
        SetSetting(GROUP, "linked_chat", OTHER),
        SetSetting(OTHER, "language", "de"),
        SetSetting(5, "volume", 5),
        ResetSettings(5),
        *(Enlist(roll, Member(ANN, "Ann", BOB, 5.25, 'a "reason"')) for roll in Roll),
        Enlist(Roll.AUTHORISED, Member(BOB, "Bob", at=2.5), GROUP),
        Strike(Roll.SUDOER, ANN),
        SawChat(GROUP, "The group", MIDNIGHT - 5),
        SawChat(OTHER, "Ünïcode ♥", MIDNIGHT),
        LostChat(5),
        SawUser(ANN, "Ann", MIDNIGHT - 3),
        SetLanguage(ANN, "pt-br"),
        AddToPlaylist(ANN, FAVOURITES, track("x"), MIDNIGHT),
        AddToPlaylist(ANN, "a:b", track("y", duration=None), MIDNIGHT + 0.1),
        TakeFromPlaylist(ANN, "a:b", "local:none"),
        DropPlaylist(BOB, "none"),
        played("1", "x"),
        played("2", "y", MIDNIGHT + 1 / 3, OTHER, bob),
        played("3", "x", MIDNIGHT - 0.5, OTHER, bob),
        AssignAssistant(GROUP, 77),
        SaveBroadcast(Broadcast("b1", ANN, 1.5, GROUP, 7, ("-pin", "-user"), OTHER, 3, 1)),
        SaveBroadcast(Broadcast("b2", ANN, 2.5, GROUP, 8, over=True)),
        SaveLive(kept(GROUP)),
        SaveLive(
            kept(OTHER, playing(track("x"), track("y", duration=None), asker=bob), MIDNIGHT + 1, 2, "p2")
        ),
        Beat("p1", MIDNIGHT),
        Beat("p2", MIDNIGHT + 0.125),
        SetFlag("maintenance", "on"),
        SetFlag("gone", None),
        Prune(0.0),
    )


def charts(
    chats: Iterable[int], users: Iterable[int], days: Iterable[dt.date], limit: int = 50
) -> Iterable[Top]:
    """Every top list there can be about them."""
    for chart in Chart:
        for day in (None, *days):
            yield Top(chart, day=day, limit=limit)
            yield from (Top(chart, chat_id=chat, day=day, limit=limit) for chat in chats)
            yield from (Top(chart, user_id=user, day=day, limit=limit) for user in users)


async def answers(
    store: Store, chats: Iterable[int], users: Iterable[int], days: Iterable[dt.date]
) -> dict[str, object]:
    """All that can be asked about these chats, users and days: question -> answer."""
    chats, users, days = tuple(chats), tuple(users), tuple(days)
    said: dict[str, object] = {
        "chats": await store.chats(),
        "users": await store.users(),
        "assistants": dict(await store.assistants()),
        "broadcasts": await store.broadcasts(),
        "live": await store.live(),
        "beats": dict(await store.beats()),
        "flags": dict(await store.flags()),
        # which batches were made is not what is kept, but how
        "sizes": {name: size for name, size in (await store.sizes()).items() if name != "batches"},
    }
    for roll in Roll:
        for scope in (0, *chats):
            said[f"roll {roll} {scope}"] = await store.roll(roll, scope)
    for chat in chats:
        said[f"settings {chat}"] = await store.settings(chat)
        said[f"history {chat}"] = await store.history(chat, limit=100)
        said[f"live {chat}"] = await store.live(chat)
    for user in users:
        said[f"user {user}"] = await store.user(user)
        lists = said[f"playlists {user}"] = await store.playlists(user)
        for each in lists:
            said[f"playlist {user} {each.name}"] = await store.playlist(user, each.name)
    for top in charts(chats, users, days):
        said[f"top {top}"] = await store.top(top)
    return said


async def rows(store: Store) -> list[Row]:
    return [row async for row in store.dump()]


def as_set(dumped: Iterable[Row]) -> Counter[tuple[str, frozenset[tuple[str, object]]]]:
    """Rows without their order, to compare; 1 and 1.0 are one number."""
    return Counter((table, frozenset(fields.items())) for table, fields in dumped)
