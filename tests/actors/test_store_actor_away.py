"""The StoreActor while the database is away: nobody waits for it, and who looks on is told."""

from __future__ import annotations

import anyio
import pytest
from store_fakes import FakeStore, keeping, loud, played, steady

from ryzen.actors.breaker import Breaker
from ryzen.actors.ledger import Ledger
from ryzen.actors.store import Policy
from ryzen.errors import Refusal, StoreAway, StoreRefused, StoreUnusable
from ryzen.messages import Commit, Keep, Recall, Restorable, RollOf, SettingsOf, Stored
from ryzen.ports import Store
from ryzen.records import (
    ChatSettings,
    Enlist,
    Member,
    Roll,
    SetFlag,
    SetSetting,
)

pytestmark = pytest.mark.anyio


async def flags(store: Store) -> object:
    return await store.flags()


async def test_who_waits_for_a_change_when_the_database_goes_away_hears_later_at_once() -> None:
    async with keeping() as kept:
        kept.store.takes, kept.store.away = 0.5, True
        began = anyio.current_time()
        assert await kept.ref.ask(Commit((loud(1, 1),)), within=5) is Stored.LATER
        assert anyio.current_time() - began == pytest.approx(0.5)
        for number in range(20):
            assert await kept.ref.ask(Commit((loud(2, number),)), within=5) is Stored.LATER
        assert anyio.current_time() - began == pytest.approx(0.5)
        assert kept.store.calls == ["apply"]
        kept.store.rise()
        await anyio.sleep(10)
        assert {chat: each.volume for chat, each in kept.store.set_by.items()} == {1: 1, 2: 19}


async def test_no_answer_takes_longer_than_three_seconds_from_a_database_that_hangs() -> None:
    async with keeping() as kept, anyio.create_task_group() as askers:
        kept.store.hangs = True
        took: list[float] = []

        async def ask(request: SettingsOf | RollOf | Commit) -> None:
            began = anyio.current_time()
            await kept.ref.ask(request, within=60)
            took.append(round(anyio.current_time() - began, 6))

        askers.start_soon(ask, SettingsOf(1))
        await anyio.sleep(1)
        askers.start_soon(ask, SettingsOf(1))  # with the first
        askers.start_soon(ask, RollOf(Roll.BLOCKED))
        askers.start_soon(ask, Commit((loud(2, 2),)))
        await anyio.sleep(10)
        assert sorted(took) == [2, 2, 2, 3]
        assert (await kept.ref.ask(SettingsOf(9), within=0.01)) == ChatSettings()
        kept.store.rise()


async def test_who_waits_for_a_slow_write_hears_later_and_that_alone_is_no_outage() -> None:
    async with keeping() as kept:
        kept.store.takes = 6.0
        began = anyio.current_time()
        assert await kept.ref.ask(Commit((loud(1, 1),)), within=60) is Stored.LATER
        assert anyio.current_time() - began == pytest.approx(3)
        await anyio.sleep(4)
        assert (kept.store.set_by[1].volume, kept.condition) == (1, None)


async def test_a_store_that_breaks_its_promise_to_end_is_away() -> None:
    async with keeping() as kept:
        kept.store.takes = 1e6
        kept.ref.tell(Keep(played("a")))
        await anyio.sleep(16)
        assert "nothing was written within 15 s" in (kept.condition or "")
        kept.store.takes = 0.0
        await anyio.sleep(20)
        assert (kept.store.plays, kept.condition) == ({"a": 1}, None)


async def test_while_it_is_away_nothing_touches_it_but_the_probe() -> None:
    async with keeping(ledger=Ledger(breaker=steady())) as kept:
        kept.store.fall()
        kept.ref.tell(Keep(played("a")))
        await anyio.sleep(0.21)
        kept.store.calls.clear()
        for number in range(300):
            kept.ref.tell(Keep(played(str(number))))
            assert await kept.ref.ask(SettingsOf(number), within=1) == ChatSettings()
            assert await kept.ref.ask(RollOf(Roll.BLOCKED, number), within=1) == ()
            for question in (Recall(flags), Restorable()):
                with pytest.raises(Refusal, match="store-away"):
                    await kept.ref.ask(question, within=1)
            await anyio.sleep(0.1)
        assert set(kept.store.calls) == {"ping"}


async def test_probes_come_after_one_two_four_eight_and_then_every_ten_seconds() -> None:
    async with keeping(ledger=Ledger(breaker=steady())) as kept:
        kept.store.fall()
        began = anyio.current_time()
        assert await kept.ref.ask(Commit((loud(1, 1),)), within=5) is Stored.LATER
        seen = len(kept.store.calls)
        at: list[float] = []
        while len(at) < 6:
            await anyio.sleep(0.05)
            if len(kept.store.calls) > seen:
                seen = len(kept.store.calls)
                at.append(anyio.current_time() - began)
        assert at == pytest.approx([1, 3, 7, 15, 25, 35], abs=0.1)
        kept.store.rise()


def test_what_flaps_is_tried_ever_more_rarely_until_it_has_been_well_for_a_while() -> None:
    breaker, delays = steady(), []
    for falls, rises in ((0, 10), (11, 20), (49, 60), (90, 100)):
        assert breaker.trip(falls, "gone")
        assert not breaker.trip(falls + 1, "gone still")
        delays.append(breaker.delay())
        assert breaker.mend(rises) == rises - falls
    assert delays == [1, 2, 4, 1]


def test_probes_are_spread_so_that_not_all_bots_come_at_once() -> None:
    delays = set()
    for _ in range(50):
        breaker = Breaker()
        breaker.trip(0, "gone")
        delays.add(breaker.delay())
    assert len(delays) > 40
    assert all(0.8 <= delay <= 1.2 for delay in delays)


async def test_a_probe_that_hangs_is_no_answer() -> None:
    async with keeping(ledger=Ledger(breaker=steady())) as kept:
        kept.store.fall()
        kept.ref.tell(Keep(played("a")))
        await anyio.sleep(0.5)
        kept.store.away, kept.store.takes = False, 1e6
        kept.store.calls.clear()
        await anyio.sleep(60)
        assert 3 <= len(kept.store.calls) <= 6
        assert set(kept.store.calls) == {"ping"}
        kept.store.takes = 0.0
        await anyio.sleep(13)
        assert kept.store.plays == {"a": 1}


async def test_whoever_is_reading_when_it_goes_away_is_answered_at_once() -> None:
    store = FakeStore(set_by={1: ChatSettings(volume=5)})
    async with keeping(store) as kept, anyio.create_task_group() as askers:
        assert (await kept.ref.ask(SettingsOf(1), within=5)).volume == 5
        heard: list[object] = []

        async def ask(request: SettingsOf | Recall[object]) -> None:
            try:
                heard.append(await kept.ref.ask(request, within=60))
            except Refusal as refusal:
                heard.append(refusal.code)

        store.takes = 2.5
        askers.start_soon(ask, SettingsOf(2))
        askers.start_soon(ask, Recall(flags))
        await anyio.sleep(0.1)
        store.takes, store.away = 0.0, True
        kept.ref.tell(Keep(played("a")))
        await anyio.sleep(0.3)
        assert len(heard) == 2
        assert {str(each) for each in heard} == {str(ChatSettings()), "store-away"}
        store.rise()
        await anyio.sleep(3)
        # a default that was given for lack of the database is not taken for its answer
        store.set_by[2] = ChatSettings(volume=9)
        assert (await kept.ref.ask(SettingsOf(2), within=5)).volume == 9


async def test_a_slow_or_failed_read_opens_the_breaker_like_a_failed_write() -> None:
    for trouble in ("away", "hangs"):
        async with keeping() as kept:
            setattr(kept.store, trouble, True)
            assert await kept.ref.ask(SettingsOf(1), within=5) == ChatSettings()
            assert kept.condition is not None
            kept.store.calls.clear()
            assert await kept.ref.ask(SettingsOf(2), within=0.01) == ChatSettings()
            with pytest.raises(Refusal, match="store-away"):
                await kept.ref.ask(Recall(flags), within=0.01)
            assert kept.store.calls == []
            kept.store.rise()
            await anyio.sleep(5)
            assert kept.condition is None


async def test_a_heavy_question_is_refused_in_time_and_is_no_outage() -> None:
    async with keeping() as kept:

        async def heavy(_: Store) -> None:
            await anyio.sleep(60)

        began = anyio.current_time()
        with pytest.raises(Refusal, match="store-away"):
            await kept.ref.ask(Recall(heavy), within=60)
        assert anyio.current_time() - began == pytest.approx(10)
        assert kept.condition is None


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StoreAway("x"), "store-away"),
        (StoreUnusable("x"), "store-away"),
        (StoreRefused("x"), "store-refused"),
        (Refusal("store-full"), "store-full"),
    ],
)
async def test_whatever_a_question_meets_is_said(error: Exception, code: str) -> None:
    async with keeping() as kept:

        async def question(_: Store) -> None:
            raise error

        with pytest.raises(Refusal, match=code):
            await kept.ref.ask(Recall(question), within=5)
        assert (kept.condition is not None) == (code == "store-away")


async def test_while_it_is_away_what_was_last_known_is_answered_with_our_own_changes() -> None:
    store = FakeStore(set_by={1: ChatSettings(volume=5), 2: ChatSettings(volume=6)})
    async with keeping(store) as kept:
        await kept.ref.ask(SettingsOf(1), within=5)
        store.fall()
        assert await kept.ref.ask(Commit((SetSetting(1, "crossfade", 3),)), within=5) is Stored.LATER
        assert await kept.ref.ask(Commit((SetSetting(2, "crossfade", 4),)), within=5) is Stored.LATER
        kept.ref.tell(Keep(Enlist(Roll.BLOCKED, Member(7))))
        assert await kept.ref.ask(SettingsOf(1), within=5) == ChatSettings(volume=5, crossfade=3)
        assert await kept.ref.ask(SettingsOf(2), within=5) == ChatSettings(crossfade=4)  # never read
        assert await kept.ref.ask(RollOf(Roll.BLOCKED), within=5) == (Member(7),)
        assert await kept.ref.ask(SettingsOf(3), within=5) == ChatSettings()
        store.rise()
        await anyio.sleep(10)
        assert await kept.ref.ask(SettingsOf(2), within=5) == ChatSettings(volume=6, crossfade=4)


async def test_forgetting_an_answer_forgets_no_change_of_ours() -> None:
    async with keeping(ledger=Ledger(settings=1)) as kept:
        kept.store.fall()
        for chat in (1, 2, 3):
            assert (
                await kept.ref.ask(Commit((loud(chat, chat), loud(chat, 10 + chat))), within=5)
                is Stored.LATER
            )
        for chat in (1, 2, 3):
            assert (await kept.ref.ask(SettingsOf(chat), within=5)).volume == 10 + chat


async def test_an_outage_is_one_warning_and_one_line_when_it_is_over(log) -> None:
    async with keeping(ledger=Ledger(breaker=steady()), policy=Policy()) as kept:
        for _ in range(2):
            kept.store.fall()
            for number in range(100):
                await kept.ref.ask(Commit((loud(number, 1),)), within=5)
                kept.ref.tell(Keep(played(str(number))))
                await kept.ref.ask(SettingsOf(1000 + number), within=5)
                await anyio.sleep(1)
            kept.store.rise()
            await anyio.sleep(40)
        assert (
            log("WARNING")
            == ["the database is away, what changes waits until it is back: StoreAway: nobody answers"] * 2
        )
        back = [line for line in log("INFO") if "is back" in line]
        assert len(back) == 2
        assert all("201 changes were written, 0 let go" in line for line in back)
        assert all(line.startswith("the database is back after 105 s") for line in back)


async def test_stats_say_for_how_long_how_many_wait_and_why_and_then_nothing_any_more() -> None:
    async with keeping(ledger=Ledger(breaker=steady())) as kept:
        assert kept.condition is None
        kept.store.fall()
        await kept.ref.ask(Commit((SetFlag("a", "b"),)), within=5)
        for number in range(33):
            kept.ref.tell(Keep(played(str(number))))
        await anyio.sleep(12)
        assert kept.condition == "DEGRADED for 12 s, 34 changes wait: StoreAway: nobody answers"
        kept.store.rise()
        await anyio.sleep(4)
        assert kept.condition is None
