"""What a sender may rely on."""

from __future__ import annotations

import asyncio

import anyio
import pytest
from core_actors import PATIENT, QUICK, Add, Adder, Boom, Do, Nudge, Total, Unheard, errand, lane, nap, throw

from ryzen.actors.mailbox import Mailbox, Overflow
from ryzen.errors import (
    ActorCrashed,
    ActorStopped,
    AskExpired,
    MailboxFull,
    Refusal,
    SourceAway,
    SourceTrouble,
    TrackError,
    TrackTrouble,
    VoiceError,
    VoiceTrouble,
)
from ryzen.supervisor import supervise

pytestmark = pytest.mark.anyio

ANSWERS = [
    Refusal("no"),
    TrackError(TrackTrouble.BROKEN),
    SourceAway("tube", SourceTrouble.DOWN),
    VoiceError(VoiceTrouble.LOST),
]


async def test_mail_is_handled_in_the_order_it_was_told():
    seen = []

    def see(n):
        async def work(_):
            seen.append(n)
            await anyio.sleep(0.01 * (n % 3))

        return Do(work)

    async with supervise("s") as sup:
        ref = await sup.start("a", Adder, mailbox=Mailbox(200))
        for n in range(100):
            ref.tell(see(n))
        await ref.ask(Total(), within=9)
    assert seen == list(range(100))


async def test_an_answer_goes_to_the_one_who_asked():
    async with supervise("s") as sup:
        ref = await sup.start("a", Adder)
        answers = {}

        async def ask(n):
            async def work(_):
                await anyio.sleep(0.01)
                return n

            answers[n] = await ref.ask(Do(work), within=1)

        async with anyio.create_task_group() as tasks:
            for n in range(20):
                tasks.start_soon(ask, n)
    assert answers == {n: n for n in range(20)}


async def test_a_full_mailbox_refuses_commands_and_takes_events_while_the_reserve_lasts():
    async with supervise("s") as sup:
        ref = await sup.start("a", Adder, mailbox=Mailbox(4, reserve=2))
        ref.tell(nap(1))
        await anyio.sleep(0.1)
        ref.tell(Add(1))
        ref.tell(Add(1))
        with pytest.raises(MailboxFull):
            ref.tell(Add(100))
        with pytest.raises(MailboxFull):
            await ref.ask(Total(), within=1)
        ref.tell(Nudge(10))
        ref.tell(Nudge(10))
        with pytest.raises(MailboxFull):
            ref.tell(Nudge(1000))
        assert sup.health()[0].refused == 3
        await anyio.sleep(1)
        assert await ref.ask(Total(), within=1) == 22


async def test_dropping_the_oldest_answers_its_asker_and_keeps_events():
    heard = []
    async with supervise("s") as sup:
        ref = await sup.start("a", Adder, mailbox=Mailbox(3, reserve=1, overflow=Overflow.DROP_OLDEST))
        ref.tell(nap(1))
        await anyio.sleep(0.1)

        async def loser():
            try:
                await ref.ask(Add(1), within=9)
            except MailboxFull:
                heard.append(anyio.current_time())

        async with anyio.create_task_group() as tasks:
            ref.tell(Nudge(10))
            tasks.start_soon(loser)
            await anyio.sleep(0.1)
            ref.tell(Add(100))  # in place of the question, not of the older event
            asked = anyio.current_time()
            await anyio.sleep(0.1)
            assert heard == [asked]
        await anyio.sleep(1)
        assert await ref.ask(Total(), within=1) == 110
        assert sup.health()[0].refused == 1


async def test_an_expired_question_is_not_worked_on():
    async with supervise("s") as sup:
        ref = await sup.start("a", Adder)
        ref.tell(nap(1))
        before = anyio.current_time()
        with pytest.raises(AskExpired):
            await ref.ask(Add(5), within=0.25)
        assert anyio.current_time() - before == pytest.approx(0.25)
        assert await ref.ask(Total(), within=9) == 0


async def test_a_question_whose_asker_was_cancelled_is_not_worked_on():
    async with supervise("s") as sup:
        ref = await sup.start("a", Adder)
        ref.tell(nap(1))
        with anyio.move_on_after(0.1):
            await ref.ask(Add(5), within=60)
        assert await ref.ask(Total(), within=9) == 0


async def test_work_that_was_begun_goes_on_without_its_asker():
    async with supervise("s") as sup:
        ref = await sup.start("a", Adder)

        async def add_slowly(actor):
            await anyio.sleep(1)
            actor.total += 5

        with pytest.raises(AskExpired):
            await ref.ask(Do(add_slowly), within=0.5)
        assert await ref.ask(Total(), within=9) == 5


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda error: type(error).__name__)
async def test_an_answer_by_exception_is_no_crash_for_who_was_asked(answer):
    async with supervise("s") as sup:
        ref = await sup.start("a", Adder)
        with pytest.raises(type(answer)) as caught:
            await ref.ask(throw(answer), within=1)
        assert caught.value is answer
        with pytest.raises(type(answer)) as caught:
            await ref.ask(errand(0.1, answer), within=1)
        assert caught.value is answer
        await ref.ask(Total(), within=1)
        assert sup.health()[0].restarts == 0
        assert sup.health()[0].handled == 3


@pytest.mark.parametrize("late", [False, True], ids=["at once", "later"])
@pytest.mark.parametrize("answer", ANSWERS, ids=lambda error: type(error).__name__)
async def test_with_nobody_asking_only_a_refusal_is_harmless(answer, late):
    async with supervise("s") as sup:
        ref = await sup.start("a", Adder, policy=QUICK)
        ref.tell(errand(0.1, answer) if late else throw(answer))
        await anyio.sleep(0.15)
        assert sup.health()[0].restarts == (0 if isinstance(answer, Refusal) else 1)


async def test_a_lost_call_in_a_lane_is_a_crash():
    async def lose(_):
        raise VoiceError(VoiceTrouble.LOST)

    async with supervise("s") as sup:
        ref = await sup.start("a", Adder, policy=QUICK)
        await ref.ask(lane(lose), within=1)
        await anyio.sleep(0.1)
        assert sup.health()[0].restarts == 1
        assert await ref.ask(Total(), within=1) == 0


async def test_mail_that_is_not_known_is_a_crash_which_does_not_show_it():
    async with supervise("s") as sup:
        ref = await sup.start("a", Adder, policy=QUICK)
        with pytest.raises(ActorCrashed):
            await ref.ask(Unheard(), within=1)
        assert await ref.ask(Total(), within=1) == 0
        assert sup.health()[0].last_error == "UnhandledMessage: Unheard"


# -- later-work
async def test_later_work_answers_while_other_mail_is_handled():
    async with supervise("s") as sup:
        ref = await sup.start("a", Adder)
        answers = []

        async def ask():
            answers.append(await ref.ask(errand(1, "found"), within=9))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await anyio.sleep(0.1)
            before = anyio.current_time()
            assert await ref.ask(Total(), within=1) == 0
            assert anyio.current_time() == before
            assert answers == []
        assert answers == ["found"]


async def test_later_work_goes_on_when_its_asker_has_gone():
    done = []
    async with supervise("s") as sup:
        ref = await sup.start("a", Adder)
        with pytest.raises(AskExpired):
            await ref.ask(errand(1, done=done), within=0.5)
        await anyio.sleep(1)
        assert len(done) == 1
        assert sup.health()[0].restarts == 0


async def test_a_crash_in_later_work_is_a_crash_and_its_asker_hears_it():
    async with supervise("s") as sup:
        ref = await sup.start("a", Adder, policy=QUICK)
        with pytest.raises(ActorCrashed):
            await ref.ask(errand(0.1, ValueError("boom")), within=1)
        assert await ref.ask(Total(), within=1) == 0
        assert sup.health()[0].restarts == 1


async def test_a_crash_answers_all_who_wait_for_later_work():
    heard = []
    async with supervise("s") as sup:
        ref = await sup.start("a", Adder, policy=QUICK)

        async def ask():
            with pytest.raises(ActorCrashed):
                await ref.ask(errand(20), within=60)
            heard.append(anyio.current_time())

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            tasks.start_soon(ask)
            await anyio.sleep(1)
            crashed_at = anyio.current_time()
            ref.tell(Boom())
    assert heard == [crashed_at, crashed_at]


async def test_a_crash_is_heard_at_once_though_a_lane_takes_its_time_to_die():
    async def linger(_):
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(7)

    async with supervise("s") as sup:
        ref = await sup.start("a", Adder, policy=QUICK)
        await ref.ask(lane(linger), within=1)
        before = anyio.current_time()
        with pytest.raises(ActorCrashed):
            await ref.ask(Boom(), within=60)
        assert anyio.current_time() == before


# -- patience
class Hasty(Adder):
    patience = 2.0


async def test_a_handler_stuck_beyond_its_patience_is_a_crash_on_time():
    async with supervise("s") as sup:
        ref = await sup.start("a", Hasty, policy=QUICK)
        await anyio.sleep(3.3)  # idle time is no excuse, and no fault
        await ref.ask(nap(1.9), within=9)
        await ref.ask(nap(1.9), within=9)
        before = anyio.current_time()
        with pytest.raises(ActorCrashed):
            await ref.ask(nap(3600), within=99)
        assert anyio.current_time() - before == pytest.approx(2.0)
        assert await ref.ask(Total(), within=1) == 0
        assert sup.health()[0].last_error == "Stuck: Do took longer than 2 s"


async def test_later_work_stuck_beyond_the_patience_is_a_crash_on_time():
    async with supervise("s") as sup:
        ref = await sup.start("a", Hasty, policy=QUICK)
        await ref.ask(errand(1.9), within=9)
        before = anyio.current_time()
        with pytest.raises(ActorCrashed):
            await ref.ask(errand(3600), within=99)
        assert anyio.current_time() - before == pytest.approx(2.0)
        assert await ref.ask(Total(), within=1) == 0
        assert sup.health()[0].last_error == "Stuck: the work for Do took longer than 2 s"


async def test_an_actor_with_much_mail_lets_others_have_their_turn():
    turns = 0

    async def bystander():
        nonlocal turns
        while True:
            await anyio.lowlevel.checkpoint()
            turns += 1

    async with supervise("s") as sup:
        ref = await sup.start("a", Adder, mailbox=Mailbox(2000))
        for _ in range(1000):
            ref.tell(Add(1))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(bystander)
            assert await ref.ask(Total(), within=9) == 1000
            tasks.cancel_scope.cancel()
    assert turns >= 10


@pytest.mark.parametrize("jumping_backend", ["asyncio"], indirect=True)
@pytest.mark.parametrize("late", [False, True], ids=["at once", "later"])
async def test_a_future_cancelled_by_somebody_else_is_a_crash_not_a_quiet_end(late):
    async def wait():
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    async def work(actor):
        return actor.later(wait) if late else await wait()

    async with supervise("s") as sup:
        ref = await sup.start("a", Adder, policy=PATIENT)
        with pytest.raises(ActorCrashed):
            await ref.ask(Do(work), within=1)
        assert await ref.ask(Total(), within=1) == 0
        assert sup.health()[0].last_error == "StrayCancellation"


async def test_who_writes_to_one_that_is_gone_hears_so():
    async with supervise("s") as sup:
        ref = await sup.start("a", Adder)
        await sup.stop("a")
        for message in (Add(1), Nudge(1)):
            with pytest.raises(ActorStopped):
                ref.tell(message)
        with pytest.raises(ActorStopped):
            await ref.ask(Total(), within=1)
