"""Ends: stopping, draining, retiring, killing."""

from __future__ import annotations

import anyio
import attrs
import pytest
from core_actors import (
    QUICK,
    Add,
    Adder,
    Boom,
    Diary,
    Do,
    Nudge,
    Steady,
    Total,
    errand,
    keeping,
    lane,
    nap,
)

from ryzen.errors import ActorStopped, RyzenError
from ryzen.supervisor import Status, supervise

pytestmark = pytest.mark.anyio


async def timed(work, *args):
    """Seconds until it is done."""
    began = anyio.current_time()
    await work(*args)
    return anyio.current_time() - began


async def heard(ref, question, within=999):
    """The answer, or what was raised instead of it."""
    try:
        return await ref.ask(question, within=within)
    except RyzenError as error:
        return type(error)


async def test_a_stop_finishes_the_mail_first():
    diary = []
    async with supervise("s") as sup:
        ref = await sup.start("a", keeping(diary))
        ref.tell(nap(1))
        ref.tell(Add(2))
        ref.tell(Add(3))
        assert await timed(sup.stop, "a") == pytest.approx(1)
        assert sup.health() == ()
    assert diary == ["a started", "a stopped at 5"]


async def test_a_stop_finishes_later_work_and_answers_it():
    answers = []
    async with supervise("s") as sup:
        ref = await sup.start("a", Adder)
        async with anyio.create_task_group() as tasks:

            async def ask():
                answers.append(await heard(ref, errand(2, "done")))

            tasks.start_soon(ask)
            await anyio.sleep(0.5)
            assert await timed(sup.stop, "a") == pytest.approx(1.5)
    assert answers == ["done"]


async def test_while_it_stops_commands_are_refused_and_events_taken():
    diary = []

    async def report(actor):
        await anyio.sleep(0.5)
        actor.ref.tell(Nudge(7))

    async with supervise("s") as sup:
        ref = await sup.start("a", keeping(diary))
        await ref.ask(lane(report), within=1)
        ref.tell(nap(1))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(sup.stop, "a")
            await anyio.sleep(0.1)
            assert sup.get("a") is None
            assert sup.health()[0].status is Status.DRAINING
            with pytest.raises(ActorStopped):
                ref.tell(Add(1))
            assert await heard(ref, Total()) is ActorStopped
    assert diary == ["a started", "a stopped at 7"]


async def test_an_event_that_later_work_sent_while_it_stops_is_handled():
    diary = []

    async def report(actor):
        async def run():
            await anyio.sleep(1)
            actor.ref.tell(Nudge(7))

        return actor.later(run)

    async with supervise("s") as sup:
        ref = await sup.start("a", keeping(diary))
        ref.tell(Do(report))
        await anyio.sleep(0.1)
    assert diary == ["a started", "a stopped at 7"]


async def test_lanes_run_while_there_is_mail_and_are_gone_before_the_farewell():
    diary = []

    async def tick(actor):
        try:
            while True:
                diary.append("tick")
                await anyio.sleep(1)
        finally:
            diary.append("lane gone")

    async with supervise("s") as sup:
        ref = await sup.start("a", keeping(diary))
        ref.tell(lane(tick))
        ref.tell(nap(2.5))
    assert diary == ["a started", "tick", "tick", "tick", "lane gone", "a stopped at 0"]


async def test_mail_after_the_last_moment_is_refused_even_if_it_is_an_event():
    refused = []

    class Late(Adder):
        async def stopped(self):
            try:
                self.ref.tell(Nudge(1))
            except ActorStopped:
                refused.append(True)

    async with supervise("s") as sup:
        await sup.start("a", Late)
    assert refused == [True]


# -- draining
async def test_a_drain_is_last_started_first():
    diary = []
    async with supervise("s") as sup:
        for name in "abc":
            (await sup.start(name, keeping(diary))).tell(nap(1))
        began = anyio.current_time()
    assert anyio.current_time() - began == pytest.approx(1)  # they were busy at the same time
    assert diary[3:] == ["c stopped at 0", "b stopped at 0", "a stopped at 0"]


async def test_one_that_is_needed_lives_until_those_who_need_it_are_gone():
    diary = []

    class Needy(Diary):
        async def stopped(self):
            self.total = await base.ask(Total(), within=1)
            await super().stopped()

    async with supervise("s") as sup:
        base = await sup.start("base", keeping(diary))
        base.tell(Add(3))
        await sup.start("needy", keeping(diary, Needy))
    assert diary[2:] == ["needy stopped at 3", "base stopped at 3"]


class Leisurely(Diary):
    async def stopped(self):
        await anyio.sleep(1)
        await super().stopped()


@pytest.mark.parametrize(("together", "seconds"), [(True, 1), (False, 10)])
async def test_equals_are_drained_together(together, seconds):
    diary = []
    async with supervise("s", together=together) as sup:
        for n in range(10):
            await sup.start(f"a{n}", keeping(diary, Leisurely))
        began = anyio.current_time()
    assert anyio.current_time() - began == pytest.approx(seconds)
    assert len(diary) == 20


async def test_a_supervisor_cancelled_from_outside_drains_all_the_same():
    diary = []
    with anyio.move_on_after(1):
        async with supervise("s") as sup:
            for name in "ab":
                ref = await sup.start(name, keeping(diary, Leisurely))
                ref.tell(nap(2))
                ref.tell(Add(4))
            await anyio.sleep_forever()
    assert diary == ["a started", "b started", "b stopped at 4", "a stopped at 4"]


async def test_a_draining_supervisor_starts_nobody():
    caught = []

    class Starter(Adder):
        async def stopped(self):
            try:
                sup.spawn("b", Adder)
            except ActorStopped:
                caught.append(True)

    async with supervise("s") as sup:
        await sup.start("a", Starter)
    assert caught == [True]


async def test_one_that_crashes_during_the_drain_but_before_its_own_stop_comes_back():
    diary = []

    async def crash(ref):
        await anyio.sleep(0.5)
        ref.tell(Boom())
        ref.tell(Add(2))

    async with anyio.create_task_group() as tasks, supervise("s") as sup:
        base = await sup.start("base", keeping(diary), policy=QUICK)
        (await sup.start("last", keeping(diary))).tell(nap(1))
        tasks.start_soon(crash, base)
    assert diary[2:] == ["base started", "last stopped at 0", "base stopped at 2"]


# -- killing
class Clinging(Adder):
    """Does not want to go."""

    async def stopped(self):
        await anyio.sleep_forever()


@pytest.mark.parametrize("message", [nap(25), errand(25), None], ids=["handler", "later", "farewell"])
async def test_whatever_holds_up_a_stop_is_killed_when_the_grace_is_over(message, log):
    answers = []
    async with supervise("s") as sup:
        ref = await sup.start("a", Clinging, grace=3)
        async with anyio.create_task_group() as tasks:

            async def ask():
                if message is not None:
                    answers.append(await heard(ref, message))

            tasks.start_soon(ask)
            await anyio.sleep(0.1)
            assert await timed(sup.stop, "a") == pytest.approx(3)
    assert answers == ([] if message is None else [ActorStopped])
    assert log("WARNING") == ["a did not stop within 3 s and was killed"]


async def test_the_grace_counts_for_mail_and_farewell_together():
    async with supervise("s") as sup:
        ref = await sup.start("a", Clinging, grace=3)
        ref.tell(nap(2))
        assert await timed(sup.stop, "a") == pytest.approx(3)


async def test_one_that_is_killed_says_no_farewell_and_answers_the_mail_behind():
    diary = []
    async with supervise("s") as sup:
        ref = await sup.start("a", keeping(diary), grace=1)
        ref.tell(nap(25))
        answers = []

        async def ask():
            answers.append(await heard(ref, Total()))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await anyio.sleep(0.1)
            await sup.stop("a")
    assert diary == ["a started"]
    assert answers == [ActorStopped]


async def test_one_killed_while_it_crashes_harms_nobody():
    async def linger(_):
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(9)

    async with supervise("s") as sup:
        a = await sup.start("a", Adder, grace=1, policy=QUICK)
        b = await sup.start("b", Adder)
        await a.ask(lane(linger), within=1)
        a.tell(Boom())
        await anyio.sleep(1)  # it is on its way down, and the lane holds it up
        assert await timed(sup.stop, "a") == pytest.approx(8)
        assert sup.health()[0].name == "b"
        assert await b.ask(Total(), within=1) == 0


# -- stop and start, stop and crash
async def test_a_stop_during_the_backoff_does_not_wait_for_it():
    diary, answers = [], []
    async with supervise("s", rng=Steady()) as sup:
        ref = await sup.start("a", keeping(diary), policy=attrs.evolve(QUICK, first=3000.0, ceiling=3000.0))
        ref.tell(Boom())
        await anyio.sleep(1)
        async with anyio.create_task_group() as tasks:

            async def ask():
                answers.append(await heard(ref, Total()))

            tasks.start_soon(ask)
            await anyio.sleep(0.1)
            assert await timed(sup.stop, "a") == 0
    assert answers == [ActorStopped]
    assert diary == ["a started"]


async def test_a_stop_during_the_start_lets_it_start_and_finish_its_mail():
    diary = []

    class Slow(Diary):
        async def started(self):
            await anyio.sleep(1)

    async with supervise("s") as sup:
        sup.spawn("a", keeping(diary, Slow)).tell(Add(3))
        await anyio.sleep(0.1)
        assert await timed(sup.stop, "a") == pytest.approx(0.9)
    assert diary == ["a stopped at 3"]


async def test_who_waits_for_a_start_hears_of_the_stop():
    class Slow(Adder):
        async def started(self):
            await anyio.sleep(9)

    async with supervise("s") as sup, anyio.create_task_group() as tasks:

        async def start():
            with pytest.raises(ActorStopped):
                await sup.start("a", Slow, grace=1)

        tasks.start_soon(start)
        await anyio.sleep(0.1)
        await sup.stop("a")


async def test_a_crash_while_stopping_ends_it_there():
    diary, answers = [], []
    async with supervise("s") as sup:
        ref = await sup.start("a", keeping(diary), policy=QUICK)
        ref.tell(nap(1))
        ref.tell(Boom())
        async with anyio.create_task_group() as tasks:

            async def ask():
                answers.append(await heard(ref, Total()))

            tasks.start_soon(ask)
            await anyio.sleep(0.1)
            assert await timed(sup.stop, "a") == pytest.approx(0.9)
    assert answers == [ActorStopped]
    assert diary == ["a started"]


async def test_a_crash_in_the_farewell_ends_it_there(log):
    class Clumsy(Adder):
        async def stopped(self):
            raise ValueError("tripped")

    async def retire(actor):
        actor.retiring = True

    async with supervise("s") as sup:
        await sup.start("a", Clumsy, policy=QUICK)
        b = await sup.start("b", Clumsy, policy=QUICK)
        b.tell(Do(retire))
        await anyio.sleep(0.1)
        assert [row.name for row in sup.health()] == ["a"]
    assert len(log("WARNING")) == 2
    assert all("tripped" in line for line in log("WARNING"))


async def test_a_stop_asked_for_by_one_who_was_cancelled_goes_on():
    async with supervise("s") as sup:
        ref = await sup.start("a", Adder, grace=3)
        ref.tell(nap(25))
        await anyio.sleep(0.1)
        with anyio.move_on_after(1):
            await sup.stop("a")
        assert await timed(sup.stop, "a") == pytest.approx(2)


async def test_stopping_one_that_is_not_there_is_nothing():
    async with supervise("s") as sup:
        await sup.stop("nobody")
        assert sup.get("nobody") is None


# -- a name again
async def test_a_living_name_is_not_started_twice():
    async with supervise("s") as sup:
        ref = await sup.start("a", Adder)
        ref.tell(Add(1))
        assert await (await sup.start("a", Adder)).ask(Total(), within=1) == 1
        assert len(sup.health()) == 1


async def test_a_name_that_is_being_stopped_starts_anew_when_it_is_gone():
    diary = []
    async with supervise("s") as sup:
        old = await sup.start("a", keeping(diary))
        old.tell(Add(1))
        old.tell(nap(1))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(sup.stop, "a")
            await anyio.sleep(0.1)
            new = sup.spawn("a", keeping(diary))
            new.tell(Add(5))
            assert await new.ask(Total(), within=9) == 5
    assert diary == ["a started", "a stopped at 1", "a started", "a stopped at 5"]


async def test_a_successor_stopped_before_it_began_never_lives():
    diary = []
    async with supervise("s") as sup:
        old = await sup.start("a", keeping(diary))
        old.tell(nap(1))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(sup.stop, "a")
            await anyio.sleep(0.1)
            sup.spawn("a", keeping(diary))
            assert await timed(sup.stop, "a") == pytest.approx(0.9)
            assert diary == ["a started", "a stopped at 0"]
            assert sup.health() == ()


async def test_a_name_started_anew_counts_as_the_last_started():
    diary = []
    async with supervise("s") as sup:
        for name in "ab":
            (await sup.start(name, keeping(diary))).tell(nap(1))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(sup.stop, "a")
            await anyio.sleep(0.1)
            sup.spawn("a", keeping(diary))
        await sup.get("a").ask(Total(), within=1)
        diary.clear()
    assert diary == ["a stopped at 0", "b stopped at 0"]


# -- retiring
async def retire(actor):
    actor.retiring = True


async def test_one_that_retires_leaves_when_its_mail_and_work_are_done():
    diary = []
    async with supervise("s") as sup:
        ref = await sup.start("a", keeping(diary))
        ref.tell(Do(retire))
        ref.tell(errand(1))
        ref.tell(Add(3))
        await anyio.sleep(0.9)
        assert diary == ["a started"]
        await anyio.sleep(0.2)
        assert diary == ["a started", "a stopped at 3"]
        assert sup.get("a") is None
        with pytest.raises(ActorStopped):
            ref.tell(Add(1))


@pytest.mark.parametrize("stopping", [False, True])
async def test_mail_for_one_that_is_just_retiring_wakes_the_next(stopping):
    diary = []
    async with supervise("s") as sup:
        ref = await sup.start("a", keeping(diary, Leisurely))
        ref.tell(Add(1))
        ref.tell(Do(retire))
        await anyio.sleep(0.5)
        assert sup.health()[0].status is Status.DRAINING
        ref.tell(Add(2))
        if stopping:
            await sup.stop("a")
        else:
            assert await ref.ask(Total(), within=9) == 3
    assert diary == ["a started", "a stopped at 1", "a started", "a stopped at 3"]


async def test_a_farewell_that_hangs_is_cut_off_though_nobody_asked_for_a_stop():
    async with supervise("s") as sup:
        ref = await sup.start("a", Clinging, grace=3)
        ref.tell(Do(retire))
        await anyio.sleep(2.9)
        assert len(sup.health()) == 1
        await anyio.sleep(0.2)
        assert sup.health() == ()
