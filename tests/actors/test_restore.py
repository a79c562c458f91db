"""After a start: which chats go on, where, in which order, and what happens while the store is away."""

from __future__ import annotations

import itertools
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import attrs
import pytest
from chat_fakes import ADA, EPOCH, Stage, stage, track, wall

from ryzen.errors import ActorCrashed, ActorStopped, Refusal
from ryzen.messages import Command, Commit, Look, Restorable, Saved
from ryzen.player import events as ev
from ryzen.player.state import Entry, Phase, Player
from ryzen.records import LiveChat
from ryzen.resume import PATIENCE, Restorer
from ryzen.running import HOPELESS, REMEMBERED, Keeping, RunningChats

pytestmark = pytest.mark.anyio


def left(chat_id: int, phase: Phase = Phase.PLAYING, **more: object) -> LiveChat:
    """«song» since EPOCH, with «next» behind it, if its phase has it so."""
    song, following = (Entry(n, track(title), ADA) for n, title in ((1, "song"), (2, "next")))
    player = Player(phase=phase, current=song, queue=(following,), epoch=4, next_id=3)
    if phase is Phase.IDLE:
        player = attrs.evolve(player, current=None)
    moving = EPOCH if phase is Phase.PLAYING else None
    return LiveChat(chat_id, player, EPOCH, "before", moving_since=moving, **more)  # type: ignore[arg-type]


@attrs.frozen
class Sign:
    """``resume.LifeSign``"""

    process: str = "before"
    at: float | None = None

    def last(self, process: str) -> float | None:
        return self.at if process == self.process else None

    def take_over(self) -> None: ...


def chats_of(s: Stage) -> RunningChats:
    return RunningChats(
        s.chats, s.surroundings, Keeping(s.store, "now", wall, map(str, itertools.count()).__next__)
    )


@asynccontextmanager
async def restored(
    *chats: LiveChat, beats: dict[str, float] | None = None, sign: Sign = Sign(), rate: float = 5.0
) -> AsyncIterator[tuple[Stage, RunningChats]]:
    async with stage(Saved(chats, beats or {})) as s, anyio.create_task_group() as tasks:
        running = chats_of(s)
        await tasks.start(Restorer(s.store, running, sign, rate, random.Random(1)).run)
        yield s, running
        tasks.cancel_scope.cancel()


def offsets(s: Stage, chat_id: int) -> list[float]:
    return [offset for _, offset in s.world.room(chat_id).deck.loads]


# -- where
@pytest.mark.parametrize(
    ("beats", "sign", "position"),
    [
        ({}, Sign(), 0.0),  # it died at once, for all that is known
        ({"before": EPOCH + 10}, Sign(), 10.0),
        ({"before": EPOCH + 10}, Sign(at=EPOCH + 12.5), 12.5),
        ({"before": EPOCH + 10}, Sign(at=EPOCH + 7), 10.0),
        ({"before": EPOCH + 10}, Sign("another", EPOCH + 12.5), 10.0),
        ({"another": EPOCH + 50}, Sign(), 0.0),
        ({"before": EPOCH + 1000}, Sign(), 60.0),  # never past the end of the track
        ({"before": EPOCH - 50}, Sign(), 0.0),  # the wall clock was set back
    ],
)
async def test_it_goes_on_where_the_last_sign_of_life_saw_it(
    beats: dict[str, float], sign: Sign, position: float
) -> None:
    async with restored(left(-1), beats=beats, sign=sign) as (s, _):
        await anyio.sleep(1)
        assert offsets(s, -1) == [position]


async def test_what_stood_still_has_not_moved_since() -> None:
    async with restored(left(-1, Phase.PAUSED), beats={"before": EPOCH + 30}) as (s, running):
        chat = running.get(-1)
        assert chat is not None
        assert (await chat.ask(Look(), within=5)).position == 0.0
        await anyio.sleep(1)
        assert s.world.room(-1).codes() == ["still-paused"]


# -- which, and when
async def test_newest_first_and_paced() -> None:
    async with restored(*(left(-n) for n in range(1, 21))) as (s, _):
        for passed, least, most in ((0.05, 1, 1), (2.0, 7, 13), (4.0, 20, 20)):
            await anyio.sleep(passed)
            joined = [-chat for chat, room in s.world.rooms.items() if room.decks]
            assert joined == list(range(1, len(joined) + 1))
            assert least <= len(joined) <= most


async def test_a_chat_at_rest_is_not_woken_but_remembered() -> None:
    async with restored(left(-1, Phase.IDLE), left(-2)) as (s, running):
        await anyio.sleep(5)
        assert [health.name for health in s.chats.health()] == ["chat:-2"]
        chat = running.get(-1)
        assert chat is not None
        view = await chat.ask(Look(), within=5)
        assert [entry.track.title for entry in view.player.queue] == ["next"]


async def test_a_card_without_music_is_taken_away() -> None:
    async with restored(left(-1, Phase.IDLE, card=7, card_entry=1)) as (s, _):
        await anyio.sleep(5)
        assert s.world.room(-1).card is None
        assert s.world.room(-1).messages == 7  # it was adopted first


async def test_a_chat_that_somebody_asks_for_comes_at_once_with_its_line() -> None:
    async with restored(*(left(-n) for n in range(1, 101)), rate=1.0) as (s, running):
        await running.open(-100).ask(Command(ev.Play((track("more"),), ADA)), within=5)
        await anyio.sleep(1)
        assert offsets(s, -100) == [0.0]
        view = await running.open(-100).ask(Look(), within=5)
        assert [entry.track.title for entry in view.player.queue] == ["next", "more"]
        await anyio.sleep(150)
        assert len(s.world.room(-100).decks) == 1  # its turn later changes nothing


# -- attempts
async def test_an_attempt_is_counted_durably_before_it_is_made_and_not_before_its_turn() -> None:
    saved = left(-1, attempts=1), left(-2, Phase.PAUSED), left(-3)
    async with restored(*saved, rate=0.1) as (s, _):
        await anyio.sleep(0.01)
        standing, tried = s.kept(-1)[:2]
        assert (standing.attempts, standing.moving_since, standing.process) == (1, None, "before")
        assert (tried.attempts, tried.process) == (2, "before")
        assert [live.attempts for live in s.kept(-3)] == [0]  # its turn has not come
        await anyio.sleep(40)
        assert all(live.attempts == 0 for live in s.kept(-2))  # paused: no sound is missed
        assert s.kept(-3)[1].attempts == 1


async def test_a_start_that_is_cut_short_counts_against_nobody_whose_turn_had_not_come() -> None:
    chats = tuple(left(-number) for number in range(1, 21))
    for _ in range(4):
        async with restored(*chats, rate=0.1) as (s, _):
            await anyio.sleep(1)
            chats = tuple(s.kept(live.chat_id)[-1] for live in chats)
    assert [live.attempts for live in chats[1:]] == [0] * 19


async def test_a_chat_that_has_failed_three_times_keeps_its_line_and_says_so() -> None:
    async with restored(left(-1, attempts=HOPELESS), left(-2, attempts=HOPELESS - 1)) as (s, running):
        await anyio.sleep(5)
        assert s.world.room(-1).codes() == ["not-resumed"]
        assert s.world.room(-1).deck.loads == []
        view = await running.open(-1).ask(Look(), within=5)
        assert [entry.track.title for entry in view.player.queue] == ["song", "next"]
        assert s.world.room(-2).codes() == ["resumed"]
        await running.open(-1).ask(Command(ev.Resume()), within=5)
        await anyio.sleep(1)
        assert len(s.world.room(-1).deck.loads) == 1
        assert s.kept(-1)[-1].attempts == 0


# -- the store is away
async def test_nobody_waits_long_for_a_store_that_is_away_and_it_is_made_up_for_later() -> None:
    saved = Saved((left(-1), left(-2, card=7, card_entry=1)), {})
    async with stage(saved) as s, anyio.create_task_group() as tasks:
        away = Away(s, 30.0)
        running = chats_of(s)
        began = anyio.current_time()
        await tasks.start(Restorer(away, running, Sign(), 5.0).run)  # type: ignore[arg-type]
        assert anyio.current_time() - began == pytest.approx(PATIENCE, abs=0.1)
        await running.open(-2).ask(Command(ev.Play((track("new"),), ADA)), within=5)
        await anyio.sleep(60)
        assert s.world.room(-1).codes() == ["resumed"]
        (told,) = s.world.room(-2).notices
        assert (told.code, told.number) == ("line-found", 2)
        assert s.world.room(-2).discarded == [7]  # the card of before
        assert [title for title, _ in s.world.room(-2).deck.loads] == ["new"]
        tasks.cancel_scope.cancel()


@attrs.define
class Away:
    """The store's Ref, refusing for so many seconds."""

    s: Stage
    seconds: float
    began: float = attrs.Factory(anyio.current_time)

    async def ask(self, request: object, *, within: float) -> object:
        if isinstance(request, Restorable) and anyio.current_time() < self.began + self.seconds:
            raise Refusal("store-away")
        return await self.s.store.ask(request, within=within)  # type: ignore[arg-type]


async def test_a_store_that_crashes_meanwhile_costs_no_restore() -> None:
    async with stage(Saved((left(-1),), {})) as s, anyio.create_task_group() as tasks:
        await tasks.start(Restorer(Crashing(s), chats_of(s), Sign(), 5.0).run)  # type: ignore[arg-type]
        await anyio.sleep(5)
        assert s.world.room(-1).codes() == ["resumed"]


@attrs.frozen
class Crashing:
    """The store's Ref; a Commit makes it fall over."""

    s: Stage

    async def ask(self, request: object, *, within: float) -> object:
        if isinstance(request, Commit):
            raise ActorCrashed("store")
        return await self.s.store.ask(request, within=within)  # type: ignore[arg-type]


async def test_a_stop_in_the_middle_ends_it_quietly() -> None:
    async with anyio.create_task_group() as tasks:
        async with stage(Saved(tuple(left(-n) for n in range(1, 11)), {})) as s:
            running = chats_of(s)
            await tasks.start(Restorer(s.store, running, Sign(), 1.0).run)
            await anyio.sleep(2)
        with pytest.raises(ActorStopped):
            running.open(-99)


# -- chats that do not run
async def test_a_chat_that_retired_is_woken_with_what_it_had() -> None:
    async with stage(linger=30.0) as s:
        running = chats_of(s)
        await running.open(-1).ask(Command(ev.Play((track("one"), track("two")), ADA)), within=5)
        await anyio.sleep(1)
        await running.open(-1).ask(Command(ev.Stop()), within=5)
        await anyio.sleep(120)
        assert s.chats.health() == ()
        chat = running.get(-1)
        assert chat is not None
        answer = await chat.ask(Command(ev.Restore()), within=5)
        assert answer.number == 1


async def test_a_chat_that_was_given_up_keeps_its_line() -> None:
    async with stage() as s:
        running = chats_of(s)
        await running.open(-1).ask(Command(ev.Play((track("one"), track("two")), ADA)), within=5)
        await anyio.sleep(1)
        await s.chats.stop("chat:-1")
        running.give_up(-1)
        await anyio.sleep(0.1)
        kept = s.kept(-1)[-1]
        assert kept.player.phase is Phase.IDLE
        chat = running.get(-1)
        assert chat is not None
        view = await chat.ask(Look(), within=5)
        assert [entry.track.title for entry in view.player.queue] == ["one", "two"]
        running.give_up(-99)  # one that nobody knows is no trouble


async def test_chats_that_retired_are_no_longer_held_as_running() -> None:
    async with stage(linger=30.0) as s:
        running = chats_of(s)
        for number in range(1, 21):
            await running.open(-number).ask(Command(ev.Play((track("one"),), ADA)), within=5)
            await running.open(-number).ask(Command(ev.Stop()), within=5)
        await anyio.sleep(120)
        running.open(-99)
        assert list(running._savers) == [-99]
        assert len(running._idle) == 20


async def test_of_idle_chats_the_newest_are_remembered_and_of_others_all() -> None:
    def idle(chat_id: int) -> LiveChat:
        past = left(chat_id, Phase.IDLE)
        return attrs.evolve(past, player=attrs.evolve(past.player, queue=(), history=past.player.queue))

    many = range(1, REMEMBERED + 11)
    saved = [idle(-number) for number in many]
    saved += [left(-10_000 - number, Phase.IDLE) for number in many]  # a line waits in these
    async with restored(*saved) as (_, running):
        assert running.get(-1) is not None
        assert running.get(-REMEMBERED) is not None
        assert running.get(-REMEMBERED - 1) is None
        assert all(running.get(-10_000 - number) is not None for number in many)
