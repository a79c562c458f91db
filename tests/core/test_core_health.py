"""What is seen from outside, and what is written down: true, and never a secret."""

from __future__ import annotations

import re

import anyio
import attrs
import pytest
from core_actors import QUICK, Add, Adder, Boom, Do, Steady, errand, lane, nap, throw
from hypothesis import given
from hypothesis import strategies as st

from ryzen.actors.actor import Vitals
from ryzen.actors.health import redacted
from ryzen.actors.mailbox import Mailbox
from ryzen.errors import Escalation, Refusal, VoiceError, VoiceTrouble
from ryzen.supervisor import Health, Status, supervise

pytestmark = pytest.mark.anyio

TOKEN = "1234567890:AAF3kq0Zb-7Xy_TmnQp2LsRt5Uv8WxYz012"
SESSION = (
    "BQAAAAHB7cD9eF0gH1iJ2kL3mN4oP5qR6sT7uV8wX9yZ0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1wX2yZ3aB4cD5eF6gH7iJ8kL9="
)


class Playing(Adder):
    """Its total is the epoch."""

    async def started(self):
        self.began = anyio.current_time()

    def vitals(self, now):
        if self.total == 13:
            raise ValueError("unlucky")
        return Vitals(self.total, now - self.began)


async def test_an_idle_actor_shows_its_whole_row():
    async with supervise("s") as sup:
        ref = await sup.start("a", Playing, mailbox=Mailbox(16, 4))
        ref.tell(Add(2))
        await anyio.sleep(3)
        assert sup.health() == (
            Health(
                name="a",
                status=Status.RUNNING,
                in_status_for=pytest.approx(3),
                mailbox_used=0,
                mailbox_capacity=16,
                oldest_mail=None,
                busy_for=None,
                handled=1,
                refused=0,
                restarts=0,
                last_error=None,
                epoch=2,
                position=pytest.approx(3),
            ),
        )


async def test_a_busy_actor_shows_for_how_long_and_what_waits():
    async with supervise("s") as sup:
        ref = await sup.start("a", Adder)
        ref.tell(nap(20))
        await anyio.sleep(1)
        ref.tell(Add(1))
        await anyio.sleep(2)
        ref.tell(Add(1))
        await anyio.sleep(4)
        [row] = sup.health()
        assert (row.busy_for, row.oldest_mail) == (pytest.approx(7), pytest.approx(6))
        assert (row.mailbox_used, row.handled) == (2, 0)
        await anyio.sleep(20)
        [row] = sup.health()
        assert (row.busy_for, row.oldest_mail, row.mailbox_used, row.handled) == (None, None, 0, 3)


async def test_one_in_later_work_is_not_busy():
    async with supervise("s") as sup:
        (await sup.start("a", Adder)).tell(errand(9))
        await anyio.sleep(1)
        assert sup.health()[0].busy_for is None


async def test_each_status_has_its_time():
    class Slow(Playing):
        async def started(self):
            await super().started()
            await anyio.sleep(2)

        async def stopped(self):
            await anyio.sleep(2)

    def status():
        [row] = sup.health()
        return row.status, row.in_status_for

    policy = attrs.evolve(QUICK, first=2.0, ceiling=2.0)
    async with supervise("s", rng=Steady()) as sup:
        ref = sup.spawn("a", Slow, policy=policy)
        await anyio.sleep(1)
        assert status() == (Status.STARTING, pytest.approx(1))
        assert sup.health()[0].busy_for == pytest.approx(1)
        await anyio.sleep(2)
        assert status() == (Status.RUNNING, pytest.approx(1))
        ref.tell(Boom())
        await anyio.sleep(1)
        assert status() == (Status.WAITING, pytest.approx(1))
        await anyio.sleep(2)
        assert status() == (Status.STARTING, pytest.approx(1))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(sup.stop, "a")
            await anyio.sleep(2)
            assert status() == (Status.DRAINING, pytest.approx(2))


async def test_figures_outlive_the_incarnation():
    async with supervise("s", rng=Steady()) as sup:
        ref = await sup.start("a", Playing, policy=attrs.evolve(QUICK, first=9.0, ceiling=9.0))
        for message in (Add(5), throw(Refusal("no")), Boom(), Add(1)):
            ref.tell(message)
        await anyio.sleep(0.5)
        [row] = sup.health()
        assert (row.handled, row.restarts, row.last_error, row.epoch) == (2, 1, "ValueError: boom", -999)
        await anyio.sleep(9)
        assert (sup.health()[0].handled, sup.health()[0].epoch) == (3, 6)


async def test_vitals_that_fail_show_the_last_ones_known():
    async with supervise("s") as sup:
        ref = await sup.start("a", Playing)
        ref.tell(Add(12))
        await anyio.sleep(1)
        assert sup.health()[0].epoch == 12
        ref.tell(Add(1))
        await anyio.sleep(1)
        assert (sup.health()[0].epoch, sup.health()[0].position) == (12, pytest.approx(1))
        ref.tell(Add(1))
        await anyio.sleep(1)
        assert sup.health()[0].epoch == 14


# -- secrets
@pytest.mark.parametrize("secret", [TOKEN, SESSION])
async def test_no_secret_reaches_the_row_or_the_log(secret, log):
    async def block():
        async with supervise("s", rng=Steady()) as sup:
            policy = attrs.evolve(QUICK, intensity=1, escalates=True)
            ref = await sup.start("a", Adder, policy=policy)
            ref.tell(throw(OSError(f"cannot log in with {secret}!\nsecond line: {secret}")))
            await anyio.sleep(0.1)
            assert sup.health()[0].last_error == "OSError: cannot log in with …!"
            ref.tell(throw(OSError(secret)))
            await anyio.sleep(1)

    with pytest.raises(Escalation):
        await block()
    written = "\n".join(log("WARNING") + log("ERROR") + log("CRITICAL"))
    assert "cannot log in" in written
    assert secret[:20] not in written


#: Ordinary words, and marks that end a token.
PROSE = st.text(st.sampled_from("abc xyz.,!?'\n"), max_size=60)
TOKENS = st.from_regex(r"[0-9]{6,12}:[A-Za-z0-9_-]{30,50}", fullmatch=True)
SESSIONS = st.from_regex(r"[A-Za-z0-9_-]{60,400}={0,2}", fullmatch=True)


@given(PROSE, TOKENS | SESSIONS, PROSE)
def test_whatever_stands_around_it_a_secret_is_taken_out(before, secret, after):
    shown = redacted(ValueError(f"{before} {secret} {after}"))
    assert secret not in shown
    assert not any(secret[n : n + 20] in shown for n in range(len(secret) - 19))
    assert shown.startswith("ValueError")
    assert "\n" not in shown
    assert len(shown) < 150


def test_an_ordinary_error_is_shown_as_it_is():
    assert redacted(FileNotFoundError(2, "No such file", "/music/a song.mp3")) == (
        "FileNotFoundError: [Errno 2] No such file: '/music/a song.mp3'"
    )
    assert redacted(ValueError()) == "ValueError"


# -- the log
async def test_each_event_of_a_life_is_one_line(log):
    async with supervise("s", rng=Steady()) as sup:
        ref = await sup.start("a", Adder, policy=attrs.evolve(QUICK, intensity=2))
        for _ in range(3):
            ref.tell(Boom())
        await anyio.sleep(1)
    where = r"core_actors\.py:\d+.*"
    first, second, gone = log("ERROR")
    assert re.fullmatch(rf"a crashed and restarts in 0\.01 s, attempt 1: ValueError: boom at {where}", first)
    assert re.fullmatch(rf"a crashed and restarts in 0\.02 s, attempt 2: ValueError: boom at {where}", second)
    assert re.fullmatch(rf"a is given up after 3 crashes: ValueError: boom at {where}", gone)


async def test_a_lost_call_is_logged_as_weather_and_not_as_a_bug(log):
    async with supervise("s", rng=Steady()) as sup:
        (await sup.start("a", Adder, policy=QUICK)).tell(throw(VoiceError(VoiceTrouble.LOST)))
        await anyio.sleep(0.1)
    assert "a crashed and restarts" in log("WARNING")[0]
    assert log("ERROR") == []


async def test_an_escalation_is_one_line(log):
    async def block():
        async with supervise("chats", storm=1) as sup:
            for name in "abc":
                (await sup.start(name, Adder)).tell(Boom())
            await anyio.sleep(9)

    with pytest.raises(Escalation):
        await block()
    assert log("CRITICAL") == ["chats escalates: 2 crashes of its children"]


async def test_several_crashes_at_once_are_shown_as_a_group():
    async def fall(_):
        await anyio.sleep(1)
        raise OSError("one of them")

    async def both(actor):
        await lane(fall).work(actor)
        await lane(fall).work(actor)

    async with supervise("s", rng=Steady()) as sup:
        ref = await sup.start("a", Adder, policy=QUICK)
        ref.tell(Do(both))
        await anyio.sleep(1.1)
        [row] = sup.health()
        assert row.restarts == 1
        assert "OSError" in row.last_error or row.last_error.startswith("ExceptionGroup")
