"""Crashes: what they cost, how they are answered, when we give up."""

from __future__ import annotations

import itertools
import random

import anyio
import attrs
import pytest
from core_actors import PATIENT, QUICK, Add, Adder, Boom, Do, Nudge, Steady, Total, errand, keeping, lane, nap

from ryzen.actors.mailbox import Mailbox
from ryzen.errors import ActorCrashed, ActorStopped, ConfigError, Escalation, MailboxFull
from ryzen.supervisor import RestartPolicy, Status, supervise

pytestmark = pytest.mark.anyio


def health_of(sup, name):
    return next(row for row in sup.health() if row.name == name)


async def test_a_crash_costs_one_message_and_one_actor():
    async with supervise("s") as sup:
        a = await sup.start("a", Adder, policy=QUICK)
        b = await sup.start("b", Adder, policy=QUICK)
        for message in (Add(1), Boom(), Add(2)):
            a.tell(message)
        b.tell(Add(7))
        assert await a.ask(Total(), within=1) == 3  # the mail behind was kept, the spoilt state was not
        assert await b.ask(Total(), within=1) == 7
        assert (health_of(sup, "a").restarts, health_of(sup, "b").restarts) == (1, 0)


async def test_mail_sent_while_it_is_down_is_kept():
    async with supervise("s", rng=Steady()) as sup:
        a = await sup.start("a", Adder, policy=attrs.evolve(QUICK, first=5.0, ceiling=5.0))
        a.tell(Boom())
        await anyio.sleep(1)
        assert health_of(sup, "a").status is Status.WAITING
        a.tell(Add(4))
        assert await a.ask(Total(), within=9) == 4


async def test_a_restart_comes_after_the_backoff_of_its_attempt():
    born = []

    class Born(Adder):
        async def started(self):
            born.append((self.attempt, anyio.current_time()))
            if self.attempt < 5:
                raise ValueError("not yet")

    policy = RestartPolicy(intensity=9, period=100, first=1.0, ceiling=6.0, jitter=0.2)
    async with supervise("s", rng=Steady()) as sup:
        await sup.start("a", Born, policy=policy)
    waits = [later - earlier for (_, earlier), (_, later) in itertools.pairwise(born)]
    assert [attempt for attempt, _ in born] == [0, 1, 2, 3, 4, 5]
    assert waits == pytest.approx([1, 2, 4, 6, 6])


async def test_those_who_fall_together_do_not_rise_together():
    born = []

    class Born(Adder):
        async def started(self):
            if self.attempt:
                born.append(anyio.current_time())

    async with supervise("s", storm=99, rng=random.Random(3)) as sup:
        refs = [await sup.start(f"a{n}", Born, policy=RestartPolicy(first=10.0)) for n in range(20)]
        fallen_at = anyio.current_time()
        for ref in refs:
            ref.tell(Boom())
        await anyio.sleep(13)
    assert len(set(born)) == 20
    waits = sorted(at - fallen_at for at in born)
    assert 8 <= waits[0] < 9
    assert 11 < waits[-1] <= 12


class Failing(Adder):
    """Cannot even start."""

    async def started(self):
        raise ValueError("no start")


class Stalling(Adder):
    """Takes for ever to start."""

    patience = 1.0

    async def started(self):
        await anyio.sleep_forever()


def unmakeable(snapshot, attempt):
    raise ValueError("no making")


@pytest.mark.parametrize("make", [Failing, Stalling, unmakeable])
async def test_who_waits_for_the_start_hears_that_it_was_given_up(make):
    async with supervise("s") as sup:
        with pytest.raises(ActorCrashed) as caught:
            await sup.start("a", make, policy=attrs.evolve(QUICK, period=99))
        assert caught.value.__cause__ is not None
        assert sup.get("a") is None


async def test_a_start_that_fails_twice_is_waited_for():
    class Third(Adder):
        async def started(self):
            if self.attempt < 2:
                raise ValueError("not yet")

    async with supervise("s") as sup:
        ref = await sup.start("a", Third, policy=QUICK)
        assert health_of(sup, "a").status is Status.RUNNING
        assert await ref.ask(Total(), within=1) == 0


async def test_a_state_that_cannot_be_kept_is_a_crash():
    class Unkept(Adder):
        def snapshot(self):
            if self.total == 13:
                raise ValueError("unlucky")
            return self.total

    async with supervise("s") as sup:
        ref = await sup.start("a", Unkept, policy=QUICK)
        ref.tell(Add(6))
        ref.tell(Add(7))
        assert await ref.ask(Total(), within=1) == 6
        assert health_of(sup, "a").restarts == 1


async def test_a_first_incarnation_may_be_given_a_state():
    async with supervise("s") as sup:
        ref = await sup.start("a", Adder, policy=QUICK, snapshot=40)
        ref.tell(Boom())
        ref.tell(Add(2))
        assert await ref.ask(Total(), within=1) == 42


# -- giving up on one
async def test_giving_up_on_one_leaves_the_others():
    told = []
    async with supervise("s", on_give_up=lambda name, crash: told.append((name, str(crash)))) as sup:
        a = await sup.start("a", Adder, policy=QUICK)
        b = await sup.start("b", Adder, policy=QUICK)
        for _ in range(3):
            a.tell(Boom())
        assert await a.ask(Total(), within=1) == 0  # as often as its policy forgives
        assert told == []
        a.tell(Boom())
        await anyio.sleep(0.3)
        assert told == [("a", "boom")]
        assert sup.get("a") is None
        with pytest.raises(ActorStopped):
            a.tell(Add(1))
        assert await b.ask(Total(), within=1) == 0


async def test_one_given_up_is_shown_until_it_is_started_anew():
    async with supervise("s", on_give_up=lambda name, crash: None) as sup:
        a = await sup.start("a", Adder, policy=attrs.evolve(QUICK, intensity=0))
        a.tell(Boom())
        await anyio.sleep(1)
        [row] = sup.health()
        assert (row.status, row.last_error) == (Status.FAILED, "ValueError: boom")
        assert row.in_status_for == pytest.approx(1)
        again = await sup.start("a", Adder, policy=QUICK)
        assert await again.ask(Total(), within=1) == 0
        [row] = sup.health()
        assert row.status is Status.RUNNING


async def test_of_those_given_up_the_last_thirty_two_are_shown():
    async with supervise("s", storm=99) as sup:
        for n in range(40):
            ref = await sup.start(f"a{n}", Adder, policy=attrs.evolve(QUICK, intensity=0))
            ref.tell(Boom())
            await anyio.sleep(0.1)
        assert [row.name for row in sup.health()] == [f"a{n}" for n in range(8, 40)]


async def test_giving_up_answers_those_who_wait():
    async with supervise("s") as sup:
        a = await sup.start("a", Adder, policy=attrs.evolve(QUICK, intensity=0))
        a.tell(Boom())
        before = anyio.current_time()
        with pytest.raises(ActorStopped):
            await a.ask(Total(), within=60)
        assert anyio.current_time() == before


async def test_who_is_told_of_a_giving_up_may_start_it_anew():
    def again(name, crash):
        sup.spawn(name, Adder).tell(Add(5))

    async with supervise("s", on_give_up=again) as sup:
        a = await sup.start("a", Adder, policy=attrs.evolve(QUICK, intensity=0))
        a.tell(Boom())
        await anyio.sleep(0.1)
        assert await sup.get("a").ask(Total(), within=1) == 5


async def test_a_giving_up_that_cannot_be_told_harms_nobody(log):
    def fail(name, crash):
        raise RuntimeError("no way to tell")

    async with supervise("s", on_give_up=fail) as sup:
        a = await sup.start("a", Adder, policy=attrs.evolve(QUICK, intensity=0))
        b = await sup.start("b", Adder)
        a.tell(Boom())
        await anyio.sleep(0.1)
        assert await b.ask(Total(), within=1) == 0
    assert any("no way to tell" in line for line in log("ERROR"))


# -- forgiving
async def test_crashes_older_than_the_period_are_forgotten():
    policy = attrs.evolve(QUICK, intensity=1, period=1.0)
    async with supervise("s") as sup:
        a = await sup.start("a", Adder, policy=policy)
        for _ in range(5):
            a.tell(Boom())
            await anyio.sleep(1.1)
        assert await a.ask(Total(), within=1) == 0
        assert health_of(sup, "a").restarts == 0  # within the period


async def crash_each(seconds, times, crash):
    """The attempts, when ``crash`` is told ``seconds`` after each restart."""
    attempts = []

    class Counted(Adder):
        patience = 1.0

        async def started(self):
            attempts.append(self.attempt)

    policy = RestartPolicy(intensity=99, period=99.0, first=0.01, ceiling=0.01, stable_after=0.5)
    async with supervise("s", storm=99) as sup:
        a = await sup.start("a", Counted, policy=policy)
        for _ in range(times):
            await anyio.sleep(seconds)
            before = len(attempts)
            a.tell(crash)
            while len(attempts) == before:
                await anyio.sleep(0.001)
    return attempts


async def test_a_good_run_makes_the_next_crash_a_first_one():
    assert await crash_each(0.4, 3, Boom()) == [0, 1, 2, 3]
    assert await crash_each(0.6, 3, Boom()) == [0, 1, 1, 1]


async def test_time_spent_stuck_is_no_good_run():
    assert await crash_each(0.1, 3, nap(99)) == [0, 1, 2, 3]
    assert await crash_each(0.1, 3, errand(99)) == [0, 1, 2, 3]
    assert await crash_each(0.6, 3, nap(99)) == [0, 1, 1, 1]
    assert await crash_each(0.6, 3, errand(99)) == [0, 1, 1, 1]


async def test_time_spent_starting_is_no_good_run():
    attempts = []

    class Slow(Adder):
        async def started(self):
            attempts.append(self.attempt)
            await anyio.sleep(0.9)
            if self.attempt < 3:
                raise ValueError("not yet")

    policy = RestartPolicy(intensity=99, period=99.0, first=0.01, ceiling=0.01, stable_after=0.5)
    async with supervise("s") as sup:
        await sup.start("a", Slow, policy=policy)
    assert attempts == [0, 1, 2, 3]


async def test_a_new_incarnation_after_a_clean_end_is_a_first_one():
    async def retire(actor):
        actor.retiring = True

    async def attempt(actor):
        return actor.attempt

    class SlowToLeave(Adder):
        async def stopped(self):
            await anyio.sleep(1)

    async with supervise("s") as sup:
        a = await sup.start("a", SlowToLeave, policy=QUICK)
        a.tell(Boom())
        assert await a.ask(Do(attempt), within=1) == 1
        a.tell(Do(retire))
        await anyio.sleep(0.5)
        assert await a.ask(Do(attempt), within=9) == 0


# -- escalation
async def test_a_storm_drains_the_others_and_escalates():
    told, diary = [], []

    async def block():
        async with supervise("s", storm=3, storm_period=10, on_give_up=lambda *why: told.append(why)) as sup:
            await sup.start("calm", keeping(diary))
            for n in range(3):
                (await sup.start(f"c{n}", Adder)).tell(Boom())
                await anyio.sleep(1)
            assert health_of(sup, "calm").status is Status.RUNNING  # as many as are borne
            (await sup.start("c3", Adder)).tell(Boom())
            await anyio.sleep(60)
            diary.append("the block outlived the storm")

    with pytest.raises(Escalation) as caught:
        await block()
    assert isinstance(caught.value.__cause__, ValueError)
    assert diary == ["calm started", "calm stopped at 0"]
    assert told == []


async def test_crashes_far_apart_are_no_storm():
    async with supervise("s", storm=3, storm_period=10) as sup:
        for n in range(12):
            (await sup.start(f"c{n}", Adder)).tell(Boom())
            await anyio.sleep(3.4)
        assert len(sup.health()) == 12


async def test_giving_up_on_a_vital_child_escalates():
    told = []

    async def block():
        async with supervise("s", on_give_up=lambda *why: told.append(why)) as sup:
            a = await sup.start("a", Adder, policy=attrs.evolve(QUICK, intensity=0, escalates=True))
            a.tell(Boom())
            await anyio.sleep(60)
            told.append("the block outlived its vital child")

    with pytest.raises(Escalation):
        await block()
    assert told == []


async def test_a_vital_child_that_cannot_start_escalates():
    async def block():
        async with supervise("s") as sup:
            await sup.start("a", Failing, policy=attrs.evolve(QUICK, escalates=True))

    with pytest.raises(Escalation):
        await block()


async def test_an_error_of_the_block_comes_out_as_itself_after_the_drain():
    diary = []

    async def block():
        async with supervise("s") as sup:
            await sup.start("a", keeping(diary))
            raise ConfigError(("wrong",))

    with pytest.raises(ConfigError):
        await block()
    assert diary == ["a started", "a stopped at 0"]


async def test_an_escalation_wins_over_an_error_of_the_block_which_is_written_down(log):
    async def block():
        async with supervise("s") as sup:
            a = await sup.start("a", Adder, policy=attrs.evolve(QUICK, intensity=0, escalates=True))
            a.tell(Boom())
            try:
                await anyio.sleep(60)
            finally:
                raise ConfigError(("wrong",))

    with pytest.raises(Escalation):
        await block()
    assert any("ConfigError: wrong" in line for line in log("WARNING"))


# -- the long run
async def test_an_hour_of_random_crashes_loses_only_what_crashed():
    rng = random.Random(7)
    kept, crashes, refused = 0, 0, 0

    async def tumble(_):
        raise OSError("the lane fell")

    class Fragile(Adder):
        patience = 2.0

    async with supervise("s", storm=10**6, rng=rng) as sup:
        a = await sup.start("a", Fragile, policy=PATIENT, mailbox=Mailbox(64, 8))
        began = anyio.current_time()
        while anyio.current_time() - began < 3600:
            n = rng.randrange(1, 10)
            try:
                match rng.randrange(12):
                    case 0:
                        a.tell(Boom())
                        crashes += 1
                    case 1:
                        a.tell(nap(rng.choice([0.5, 99])))
                    case 2:
                        a.tell(errand(rng.random()))
                    case 3:
                        a.tell(lane(tumble))
                        crashes += 1
                    case 4:
                        a.tell(Nudge(n))
                        kept += n
                    case _:
                        a.tell(Add(n))
                        kept += n
            except MailboxFull:
                refused += 1
            await anyio.sleep(rng.expovariate(1.0))
        assert await a.ask(Total(), within=600) == kept
        assert crashes > 300
        assert health_of(sup, "a").refused == refused
