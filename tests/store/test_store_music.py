# ruff: noqa: F401, F811  (fixtures come by name)
"""What every store keeps of music: playlists, plays and their charts, and what plays in each chat."""

from __future__ import annotations

import datetime as dt

import anyio
import attrs
import pytest
from loguru import logger
from store_places import Place, anyio_backend, place, store
from store_values import (
    ANN,
    BOB,
    DAY,
    GROUP,
    MIDNIGHT,
    OTHER,
    TODAY,
    YESTERDAY,
    answers,
    apply,
    batch,
    kept,
    played,
    playing,
    rows,
    track,
)

from ryzen.player.state import Asker, Loop, Phase, Player
from ryzen.ports import Store
from ryzen.records import (
    FAVOURITES,
    AddToPlaylist,
    Beat,
    Chart,
    DropPlaylist,
    Enlist,
    Member,
    Playlist,
    Prune,
    Ranked,
    Roll,
    SaveLive,
    SawChat,
    SawUser,
    SetFlag,
    TakeFromPlaylist,
    Top,
)

pytestmark = pytest.mark.anyio


# -- playlists
async def test_a_playlist_is_in_the_order_of_adding_and_goes_with_its_last_track(store: Store) -> None:
    await apply(
        store,
        AddToPlaylist(ANN, "Road", track("b"), 2.0),
        AddToPlaylist(ANN, "Road", track("z"), 1.0),
        AddToPlaylist(ANN, "Road", track("a"), 2.0),
        AddToPlaylist(ANN, FAVOURITES, track("a"), 3.0),
        AddToPlaylist(BOB, "Road", track("q"), 1.0),
    )
    assert await store.playlist(ANN, "Road") == (track("z"), track("a"), track("b"))
    assert await store.playlists(ANN) == (Playlist("Road", 3), Playlist(FAVOURITES, 1))
    await apply(store, AddToPlaylist(ANN, "Road", track("z"), 99.0))
    assert await store.playlist(ANN, "Road") == (track("z"), track("a"), track("b"))
    await apply(store, TakeFromPlaylist(ANN, "Road", "local:a"), TakeFromPlaylist(ANN, "Road", "nothing"))
    assert await store.playlist(ANN, "Road") == (track("z"), track("b"))
    await apply(store, TakeFromPlaylist(ANN, FAVOURITES, "local:a"))
    assert await store.playlists(ANN) == (Playlist("Road", 2),)
    await apply(store, DropPlaylist(ANN, "Road"), DropPlaylist(ANN, "none"))
    assert await store.playlists(ANN) == ()
    assert await store.playlist(BOB, "Road") == (track("q"),)


async def test_names_of_playlists_are_in_the_order_of_unicode(store: Store) -> None:
    names = ["Zoo", "apple", "Äpfel", "é", "♥", "🎧", "一", "Apple", "10", "9", "", "\uffff", "\U00010000"]
    await apply(store, *(AddToPlaylist(ANN, name, track(1), 1.0) for name in names))
    assert [each.name for each in await store.playlists(ANN)] == sorted(names)


async def test_names_with_colons_are_not_mixed_up(store: Store) -> None:
    one, two = attrs.evolve(track(1), id="c"), attrs.evolve(track(2), id="b:c")
    await apply(store, AddToPlaylist(1, "a:b", one, 1.0), AddToPlaylist(1, "a", two, 1.0))
    assert await store.playlist(1, "a:b") == (one,)
    assert await store.playlist(1, "a") == (two,)
    await apply(store, TakeFromPlaylist(1, "a:b", "c"))
    assert await store.playlist(1, "a") == (two,)


# -- plays
async def test_history_is_newest_first_then_by_id(store: Store) -> None:
    await apply(
        store,
        played("b", "x", at=5.0),
        played("a", "y", at=5.0),
        played("c", "x", at=1.5),
        played("d", "z", at=9.0),
        played("e", "x", at=99.0, chat=OTHER),
    )
    assert [play.id for play in await store.history(GROUP)] == ["d", "a", "b", "c"]
    assert [play.id for play in await store.history(GROUP, limit=2)] == ["d", "a"]
    assert await store.history(GROUP, limit=0) == ()
    (play,) = await store.history(OTHER)
    assert play == played("e", "x", at=99.0, chat=OTHER).play


async def test_a_play_counts_in_every_chart_it_belongs_to(store: Store) -> None:
    bob = Asker(BOB, "Bob")
    await apply(
        store,
        SawChat(GROUP, "The group", MIDNIGHT),
        played("1", "x"),
        played("2", "x", by=bob),
        played("3", "y", chat=OTHER, by=bob),
        played("4", "y", chat=OTHER, by=bob),
        played("5", "x", at=MIDNIGHT - 1, chat=OTHER, by=bob),
    )
    x, y = track("x"), track("y")
    tracks_ever = (Ranked(x.id, x.title, 3, x), Ranked(y.id, y.title, 2, y))
    expected = {
        Top(Chart.TRACKS): tracks_ever,
        Top(Chart.TRACKS, limit=1): tracks_ever[:1],
        Top(Chart.TRACKS, limit=0): (),
        Top(Chart.TRACKS, chat_id=GROUP): (Ranked(x.id, x.title, 2, x),),
        Top(Chart.TRACKS, chat_id=OTHER): (Ranked(y.id, y.title, 2, y), Ranked(x.id, x.title, 1, x)),
        Top(Chart.TRACKS, user_id=ANN): (Ranked(x.id, x.title, 1, x),),
        Top(Chart.TRACKS, user_id=BOB): (Ranked(x.id, x.title, 2, x), Ranked(y.id, y.title, 2, y)),
        Top(Chart.TRACKS, day=TODAY): (Ranked(x.id, x.title, 2, x), Ranked(y.id, y.title, 2, y)),
        Top(Chart.TRACKS, day=YESTERDAY): (Ranked(x.id, x.title, 1, x),),
        Top(Chart.TRACKS, chat_id=OTHER, day=YESTERDAY): (Ranked(x.id, x.title, 1, x),),
        Top(Chart.TRACKS, chat_id=GROUP, day=YESTERDAY): (),
        Top(Chart.TRACKS, day=dt.date(2020, 1, 1)): (),
        Top(Chart.CHATS): (Ranked(str(OTHER), "", 3), Ranked(str(GROUP), "The group", 2)),
        Top(Chart.CHATS, user_id=ANN): (Ranked(str(GROUP), "The group", 1),),
        Top(Chart.CHATS, chat_id=GROUP): (),
        Top(Chart.CHATS, day=YESTERDAY): (Ranked(str(OTHER), "", 1),),
        Top(Chart.USERS): (Ranked(str(BOB), "Bob", 4), Ranked(str(ANN), "Ann", 1)),
        Top(Chart.USERS, chat_id=GROUP): (Ranked(str(ANN), "Ann", 1), Ranked(str(BOB), "Bob", 1)),
        Top(Chart.USERS, user_id=BOB): (),
        Top(Chart.USERS, chat_id=OTHER, day=TODAY): (Ranked(str(BOB), "Bob", 2),),
    }  # fmt: skip
    assert {top: await store.top(top) for top in expected} == expected


async def test_ties_in_a_chart_are_in_the_order_of_keys_as_text(store: Store) -> None:
    keys = ["b", "a", "B", "é", "10", "9", "🎧"]
    await apply(store, *(played(f"p{key}", key) for key in keys))
    assert [place.key for place in await store.top(Top(Chart.TRACKS))] == sorted(
        f"local:{key}" for key in keys
    )
    users = [9, 10, 111, 2, 2**40]
    await apply(store, *(played(f"u{user}", "x", by=Asker(user, "U"), chat=OTHER) for user in users))
    in_order = [place.key for place in await store.top(Top(Chart.USERS, chat_id=OTHER))]
    assert in_order == sorted(str(user) for user in users)


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (MIDNIGHT - 0.001, YESTERDAY),
        (MIDNIGHT, TODAY),
        (MIDNIGHT + DAY - 0.001, TODAY),
        (MIDNIGHT + DAY, dt.date(2026, 3, 2)),
        (0.0, dt.date(1970, 1, 1)),
        (4_102_444_799.9, dt.date(2099, 12, 31)),
    ],
)
async def test_the_day_of_a_play_is_utc(store: Store, at: float, day: dt.date) -> None:
    await apply(store, played("p", "x", at=at))
    for chart in Chart:
        assert [place.plays for place in await store.top(Top(chart, day=day))] == [1]
        for other in (day - dt.timedelta(1), day + dt.timedelta(1)):
            assert await store.top(Top(chart, day=other)) == ()


async def test_labels_are_the_last_known_names(store: Store) -> None:
    await apply(store, SawUser(BOB, "Robert", 1.0), SawChat(GROUP, "First", 1.0))
    await apply(store, played("1", track("x", "Draft"), by=Asker(BOB, "Bob")))
    await apply(store, played("2", track("x", "Final"), by=Asker(BOB, "Bob")), SawChat(GROUP, "Second", 2.0))
    await apply(store, SawUser(BOB, "Bobby", 3.0))
    assert await store.top(Top(Chart.TRACKS)) == (Ranked("local:x", "Final", 2, track("x", "Final")),)
    assert await store.top(Top(Chart.USERS)) == (Ranked(str(BOB), "Bobby", 2),)
    assert await store.top(Top(Chart.CHATS)) == (Ranked(str(GROUP), "Second", 2),)


async def test_the_same_batch_again_counts_a_play_once(place: Place) -> None:
    first = batch(played("1", "x"), played("2", "x"), Enlist(Roll.BLOCKED, Member(1)), SetFlag("a", "b"))
    async with place.open() as store:
        await store.apply(first)
        before = await answers(store, [GROUP], [ANN], [TODAY])
        assert [found.plays for found in await store.top(Top(Chart.TRACKS))] == [2]
        await store.apply(first)
        await store.apply(batch(played("3", "y")))
        await store.apply(first)
    async with place.open() as store:  # and a later process tries it again
        await store.apply(first)
        assert [found.plays for found in await store.top(Top(Chart.TRACKS))] == [2, 1]
        assert [play.id for play in await store.history(GROUP)] == ["1", "2", "3"]
        await store.clear()
        await store.apply(first)  # of which nothing is known any more
        assert await answers(store, [GROUP], [ANN], [TODAY]) == before


async def test_a_batch_that_is_tried_again_while_it_is_still_under_way_counts_once(store: Store) -> None:
    """Who gave up waiting for it does not stop it."""
    first = batch(*(played(f"p{n}", "x", MIDNIGHT + n) for n in range(20)))
    async with anyio.create_task_group() as tasks:
        for _ in range(6):
            tasks.start_soon(store.apply, first)
    for chart in Chart:
        assert [found.plays for found in await store.top(Top(chart))] == [20]
        assert [found.plays for found in await store.top(Top(chart, day=TODAY))] == [20]
    assert len(await store.history(GROUP, limit=100)) == 20


async def test_one_batch_may_have_thousands_of_changes(store: Store) -> None:
    chats = range(-1000, 0)
    await apply(
        store,
        *(SaveLive(kept(chat, playing(track(1), track(2)), MIDNIGHT + chat)) for chat in chats),
        *(played(f"p{n}", n % 7, MIDNIGHT + n, chats[n]) for n in range(1000)),
    )
    assert [live.chat_id for live in await store.live()] == list(reversed(chats))
    assert sum(found.plays for found in await store.top(Top(Chart.TRACKS))) == 1000
    assert [found.plays for found in await store.top(Top(Chart.USERS))] == [1000]
    assert len(await store.top(Top(Chart.CHATS, limit=5000))) == 1000


async def test_concurrent_batches_of_plays_give_exact_counters(store: Store) -> None:
    async def play(number: int) -> None:
        keys = [(number + step) % 5 for step in range(4)]
        await store.apply(
            batch(
                *(
                    played(
                        f"{number}:{step}",
                        key,
                        MIDNIGHT + number,
                        (GROUP, OTHER)[number % 2],
                        Asker(key + 1, f"U{key}"),
                    )
                    for step, key in enumerate(keys)
                )
            )
        )

    async with anyio.create_task_group() as tasks:
        for number in range(64):
            tasks.start_soon(play, number)
    for top in (
        Top(Chart.TRACKS),
        Top(Chart.USERS),
        Top(Chart.TRACKS, day=TODAY),
        Top(Chart.USERS, day=TODAY),
    ):
        found = {place.key[-1]: place.plays for place in await store.top(top)}
        assert sum(found.values()) == 256
        assert sorted(found.values()) == [51, 51, 51, 51, 52]
    assert [place.plays for place in await store.top(Top(Chart.CHATS))] == [128, 128]
    assert len(await store.history(GROUP, limit=1000)) == 128
    for user in range(1, 6):
        in_chats = await store.top(Top(Chart.CHATS, user_id=user))
        ever = sum(place.plays for place in await store.top(Top(Chart.TRACKS, user_id=user)))
        assert sum(place.plays for place in in_chats) == ever


# -- what plays
async def test_a_player_comes_back_in_one_piece(store: Store) -> None:
    full = attrs.evolve(
        playing(track(1), track(2, "♥", None), track(3, "", 0.1), offset=12.345678901234567),
        phase=Phase.PAUSED, limit=0,
        history=playing(track(4)).queue, cleared=playing(track(5), track(6)).queue,
        loop=Loop.TRACK, loops_left=3, epoch=9, failures=2, next_id=70,
    )  # fmt: skip
    whole = kept(GROUP, full, moving=False)
    bare = kept(OTHER, Player(), MIDNIGHT - 1)
    await apply(store, SaveLive(whole), SaveLive(bare))
    assert await store.live(GROUP) == (whole,)
    assert await store.live(OTHER) == (bare,)
    assert await store.live() == (whole, bare)
    assert await store.live(1) == ()


async def test_the_newest_player_wins_in_whatever_order_they_come(store: Store) -> None:
    def at(revision: int, title: str) -> SaveLive:
        return SaveLive(kept(GROUP, playing(track(1, title)), MIDNIGHT + revision, revision))

    async def title() -> str:
        (found,) = await store.live(GROUP)
        assert found.player.current is not None
        return found.player.current.track.title

    await apply(store, at(5, "five"), at(7, "seven"), at(6, "six"))
    assert await title() == "seven"
    await apply(store, at(6, "late"))
    await apply(store, at(7, "the same again"))
    assert await title() == "seven"
    await apply(store, at(8, "eight"))
    assert await title() == "eight"
    async with anyio.create_task_group() as tasks:
        for revision in (12, 30, 11, 29, 10, 28):
            tasks.start_soon(apply, store, at(revision, str(revision)), at(revision - 1, "older"))
    assert await title() == "30"


async def test_players_come_newest_first(store: Store) -> None:
    chats = [GROUP, OTHER, 5, -5]
    await apply(store, *(SaveLive(kept(chat, None, MIDNIGHT + n, n + 1)) for n, chat in enumerate(chats)))
    assert [live.chat_id for live in await store.live()] == chats[::-1]


async def test_an_unreadable_player_is_told_skipped_and_left_as_it_is(store: Store) -> None:
    await apply(store, SaveLive(kept(GROUP)), SaveLive(kept(OTHER)))
    dumped = [row for row in await rows(store) if row[0] == "live"]
    broken = [("live", {**fields, "player": "{broken"}) for _, fields in dumped if fields["chat_id"] == GROUP]
    await store.load(broken)
    lines: list[str] = []
    sink = logger.add(lambda line: lines.append(line.record["message"]), level="WARNING")
    try:
        assert await store.live() == (kept(OTHER),)
        assert await store.live(GROUP) == ()
    finally:
        logger.remove(sink)
    assert any(str(GROUP) in line for line in lines)
    assert broken[0] in await rows(store)
    (problem,) = await store.check()
    assert str(GROUP) in problem
    await apply(store, SaveLive(kept(GROUP, revision=9)))
    assert await store.live(GROUP) == (kept(GROUP, revision=9),)
    assert await store.check() == ()


# -- pruning
async def test_pruning_forgets_what_is_old_and_keeps_charts_of_all_time(store: Store) -> None:
    waiting = attrs.evolve(playing(track(1), track(2)), phase=Phase.IDLE, current=None)
    await apply(
        store,
        *(played(f"old{n}", "x", at=MIDNIGHT - 2 * DAY + n) for n in range(3)),
        played("edge", "x", at=MIDNIGHT),
        played("just", "x", at=MIDNIGHT - 0.5),
        played("new", "x", at=MIDNIGHT + 5),
        Beat("gone", MIDNIGHT - 1), Beat("edge", MIDNIGHT), Beat("alive", MIDNIGHT + 1),
        SaveLive(kept(1, Player(), MIDNIGHT - 1, moving=False)),
        SaveLive(kept(2, Player(), MIDNIGHT, moving=False)),
        SaveLive(kept(3, waiting, MIDNIGHT - 900, moving=False)),
        SaveLive(kept(4, playing(track(1)), MIDNIGHT - 900)),
    )  # fmt: skip
    await apply(store, Prune(MIDNIGHT))
    assert [play.id for play in await store.history(GROUP)] == ["new", "edge"]
    assert await store.beats() == {"edge": MIDNIGHT, "alive": MIDNIGHT + 1}
    assert {live.chat_id for live in await store.live()} == {2, 3, 4}
    for chart in Chart:
        assert [place.plays for place in await store.top(Top(chart))] == [6]
        assert [place.plays for place in await store.top(Top(chart, day=TODAY))] == [2]
        assert await store.top(Top(chart, day=YESTERDAY)) == ()
        assert await store.top(Top(chart, day=YESTERDAY - dt.timedelta(1))) == ()
    assert (await store.top(Top(Chart.TRACKS)))[0].track == track("x")
    assert await store.check() == ()
