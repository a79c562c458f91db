"""The gate before a source: how often it is asked, and that one which refuses is left in peace."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import attrs
import pytest
from clocks import JumpingLoop
from fetch_fakes import EASY, FakeSource, fetchers, web
from hypothesis import given
from hypothesis import strategies as st

from ryzen.actors.bucket import Bucket
from ryzen.actors.gate import POLICIES, Gate, GatePolicy
from ryzen.errors import SourceAway, SourceTrouble, TrackError, TrackTrouble, WebError, WebForbidden
from ryzen.messages import Warm

pytestmark = pytest.mark.anyio
ROBOT = SourceAway("tube", SourceTrouble.BOT_CHECK, "confirm you are no robot")


def gated(policy: GatePolicy = EASY) -> tuple[FakeSource, Gate]:
    source = FakeSource("tube")
    return source, Gate(source, policy)


async def refused(gate: Gate, title: str = "song") -> SourceAway:
    with pytest.raises(SourceAway) as away:
        await gate.resolve(web(title))
    return away.value


async def shut(policy: GatePolicy = EASY) -> tuple[FakeSource, Gate]:
    """A source that refused once and would answer now, and its gate."""
    source, gate = gated(policy)
    source.trouble = ROBOT
    await refused(gate)
    source.trouble = None
    source.asked.clear()
    return source, gate


# -- the breaker
@pytest.mark.parametrize(
    "trouble", [SourceTrouble.BOT_CHECK, SourceTrouble.RATE_LIMITED, SourceTrouble.SIGN_IN]
)
async def test_a_source_that_refuses_us_is_asked_no_more(trouble: SourceTrouble) -> None:
    source, gate = gated()
    source.trouble = SourceAway("tube", trouble)
    first = await refused(gate)
    again = await refused(gate, "other")
    assert source.asked == ["resolve song"]
    assert (first.source, first.trouble) == (again.source, again.trouble) == ("tube", trouble)
    assert (first.retry_after, again.retry_after) == (30.0, 30.0)


async def test_while_it_is_shut_nothing_of_any_kind_is_asked() -> None:
    source, gate = await shut()
    for ask in (lambda: gate.search("words", 1), lambda: gate.expand("https://tube.example/x", 1)):
        with pytest.raises(SourceAway):
            await ask()
    assert source.asked == []
    assert gate.claims("https://tube.example/x")


async def test_after_the_pause_one_may_try_and_success_opens_it() -> None:
    source, gate = await shut()
    source.takes = 2.0
    await anyio.sleep(30)
    got: list[object] = []

    async def ask(title: str) -> None:
        try:
            got.append((await gate.resolve(web(title))).key)
        except SourceAway as error:
            got.append(error.trouble)

    async with anyio.create_task_group() as tasks:
        for title in "one", "two", "three":
            tasks.start_soon(ask, title)
            await anyio.sleep(0.1)
    assert source.asked == ["resolve one"]
    assert got == [SourceTrouble.BOT_CHECK, SourceTrouble.BOT_CHECK, "one"]
    assert (await gate.resolve(web("four"))).key == "four"
    assert gate.condition(anyio.current_time()) is None


async def test_each_try_in_vain_makes_the_pause_longer_up_to_the_ceiling() -> None:
    source, gate = gated()
    source.trouble = ROBOT
    pauses = []
    for _ in range(6):
        pause = (await refused(gate)).retry_after
        assert pause is not None
        pauses.append(pause)
        await anyio.sleep(pause)
    assert pauses == [30.0, 60.0, 120.0, 240.0, 240.0, 240.0]
    assert len(source.asked) == 6


async def test_a_source_that_says_when_is_not_asked_before() -> None:
    source, gate = gated()
    source.trouble = SourceAway("tube", SourceTrouble.RATE_LIMITED, retry_after=500.0)
    assert (await refused(gate)).retry_after == 500.0
    await anyio.sleep(499)
    await refused(gate)
    assert len(source.asked) == 1


async def test_a_hint_that_is_shorter_than_our_own_pause_does_not_shorten_it() -> None:
    source, gate = gated()
    source.trouble = SourceAway("tube", SourceTrouble.RATE_LIMITED, retry_after=1.0)
    assert (await refused(gate)).retry_after == 30.0


async def test_a_try_without_an_answer_shuts_it_again_at_once() -> None:
    source, gate = await shut()
    source.trouble = UNREACHABLE
    await anyio.sleep(30)
    away = await refused(gate)
    assert (away.trouble, away.retry_after) == (SourceTrouble.DOWN, 60.0)


async def test_those_who_were_under_way_when_it_shut_do_not_prolong_the_pause() -> None:
    source, gate = gated()
    source.takes, source.trouble = 10.0, ROBOT
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(refused, gate, "one")
        await anyio.sleep(5)
        await refused(gate, "two")
    assert gate.condition(anyio.current_time()) == "tube: refuses us as a robot, asked again in 25 s"


async def test_who_tries_and_gives_up_lets_the_next_one_try() -> None:
    source, gate = await shut()
    source.takes = 100.0
    await anyio.sleep(30)
    with anyio.move_on_after(1):
        await gate.resolve(web("one"))
    source.takes = 0.1
    assert (await gate.resolve(web("two"))).key == "two"


async def test_a_search_that_is_answered_does_not_prove_that_a_track_would_be() -> None:
    source, gate = await shut()
    await anyio.sleep(30)
    await gate.search("words", 1)
    assert gate.condition(anyio.current_time()) is not None
    source.trouble = ROBOT
    assert (await refused(gate)).retry_after == 60.0


async def test_a_track_that_is_had_proves_everything() -> None:
    source, gate = gated()
    source.troubles["words"] = ROBOT
    with pytest.raises(SourceAway):
        await gate.search("words", 1)
    await anyio.sleep(30)
    await gate.resolve(web("song"))
    assert gate.condition(anyio.current_time()) is None


async def test_an_answer_that_was_under_way_when_it_shut_does_not_open_it() -> None:
    source, gate = gated()
    source.takes = 1.0
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(gate.resolve, web("before"))
        await anyio.sleep(0.5)
        source.takes, source.troubles["song"] = 0.1, ROBOT
        await refused(gate)
    assert source.resolved == ["before"]
    assert gate.condition(anyio.current_time()) is not None


async def test_another_ones_refusal_passes_through_and_does_not_shut_the_gate() -> None:
    source, gate = gated()
    source.troubles["song"] = SourceAway("other", SourceTrouble.BOT_CHECK)
    assert (await refused(gate)).source == "other"
    assert (await gate.resolve(web("fine"))).key == "fine"


UNREACHABLE = TrackError(TrackTrouble.UNREACHABLE)


@pytest.mark.parametrize("trouble", [UNREACHABLE, WebError("502", 502)])
async def test_several_tracks_in_a_row_without_an_answer_mean_that_the_source_is_down(
    trouble: Exception,
) -> None:
    source, gate = gated()
    source.trouble = trouble
    for title in "one", "one", "two":
        with pytest.raises(TrackError) as failed:
            await gate.resolve(web(title))
        assert failed.value.trouble is TrackTrouble.UNREACHABLE
    assert (await refused(gate, "three")).trouble is SourceTrouble.DOWN
    await refused(gate, "four")
    assert len(source.asked) == 4


async def test_an_answer_between_them_clears_a_source_of_being_down() -> None:
    source, gate = gated()
    source.troubles = {"one": UNREACHABLE, "two": UNREACHABLE, "three": UNREACHABLE}
    for title in "one", "two", "bad", "three":  # that a track is broken is an answer too
        with pytest.raises(TrackError):
            await gate.resolve(web(title))
    assert (await gate.resolve(web("fine"))).key == "fine"


async def test_links_to_anywhere_say_nothing_about_one_another() -> None:
    source, gate = gated(POLICIES["web"])
    source.trouble = UNREACHABLE
    for title in "abcdefgh":
        with pytest.raises(TrackError):
            await gate.resolve(web(title))
    assert gate.condition(anyio.current_time()) is None


async def test_a_link_that_may_not_be_followed_is_the_links_trouble() -> None:
    source, gate = gated()
    source.trouble = WebForbidden("a private address")
    for title in "abcdef":
        with pytest.raises(TrackError) as failed:
            await gate.resolve(web(title))
        assert failed.value.trouble is TrackTrouble.FORBIDDEN


async def test_a_request_that_hangs_ends() -> None:
    source, gate = gated()
    source.takes = 1e6
    with pytest.raises(TrackError) as failed:
        await gate.resolve(web("song"))
    assert failed.value.trouble is TrackTrouble.UNREACHABLE
    with pytest.raises(SourceAway) as away:
        await gate.search("words", 1)
    assert away.value.trouble is SourceTrouble.DOWN


async def test_a_bug_in_a_source_comes_out_as_itself() -> None:
    source, gate = gated()
    source.trouble = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        await gate.resolve(web("song"))


async def test_stats_are_told_in_words_why_it_is_shut_and_until_when(
    log: Callable[[str], list[str]],
) -> None:
    _, gate = await shut()
    await anyio.sleep(10)
    assert gate.condition(anyio.current_time()) == "tube: refuses us as a robot, asked again in 20 s"
    await anyio.sleep(30)
    assert (
        gate.condition(anyio.current_time()) == "tube: refuses us as a robot, asked again with the next wish"
    )
    await gate.resolve(web("song"))
    assert len(log("WARNING")) == 1
    assert log("INFO") == ["tube answers again after 40 s"]


async def test_the_gate_outlives_a_crash_of_the_download_actor() -> None:
    async with fetchers() as f:
        f.tube.trouble = ROBOT
        f.ref.tell(Warm(web("song"), 1))
        await anyio.sleep(1)
        f.ref.tell("what is this?")  # type: ignore[arg-type]  # a crash
        await anyio.sleep(1)
        with pytest.raises(SourceAway):
            await f.fetch(web("song"))
        assert f.services.health()[0].restarts == 1
        assert f.tube.asked == ["resolve song"]


# -- how often
async def test_requests_beyond_the_burst_come_at_the_rate() -> None:
    source, gate = gated(attrs.evolve(EASY, rate=0.5, burst=3))
    source.takes = 0.0
    times = []
    for number in range(6):
        await gate.resolve(web(str(number)))
        times.append(round(anyio.current_time(), 3))
    assert times == [times[0]] * 3 + [times[0] + 2, times[0] + 4, times[0] + 6]


async def test_who_would_wait_too_long_is_told_so_and_nobody_is_asked() -> None:
    source, gate = gated(attrs.evolve(EASY, rate=0.1, burst=1, queue_within=5.0))
    await gate.resolve(web("one"))
    away = await refused(gate, "two")
    assert (away.trouble, round(away.retry_after or 0)) == (SourceTrouble.RATE_LIMITED, 10)
    assert source.asked == ["resolve one"]
    gate.refused(away)  # as a flight tells it that had to renew its link
    assert gate.condition(anyio.current_time()) is None  # our own patience, not the source's


async def test_where_only_tracks_count_searches_are_free() -> None:
    source, gate = gated(attrs.evolve(EASY, rate=0.1, burst=1, counts_searches=False))
    source.takes = 0.0
    for _ in range(50):
        await gate.search("words", 1)
    await gate.resolve(web("one"))
    with pytest.raises(SourceAway):
        await gate.resolve(web("two"))


async def test_who_waits_for_a_turn_when_it_shuts_is_refused_without_a_request() -> None:
    source, gate = gated(attrs.evolve(EASY, rate=0.5, burst=1))
    source.takes, source.trouble = 1.0, ROBOT
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(refused, gate, "one")
        await anyio.sleep(0.1)
        await refused(gate, "two")
    assert source.asked == ["resolve one"]


@given(
    st.floats(0.01, 50.0),
    st.integers(1, 40),
    st.lists(st.floats(0.0, 20.0), min_size=1, max_size=60),
)
def test_no_stretch_of_time_sees_more_than_the_burst_and_the_rate(
    rate: float, burst: int, pauses: list[float]
) -> None:
    async def take_all() -> list[float]:
        bucket, times = Bucket(rate, burst), []
        for pause in pauses:
            await anyio.sleep(pause)
            if not await bucket.take(within=10.0):
                times.append(anyio.current_time())
        return times

    times = anyio.run(take_all, backend_options={"loop_factory": JumpingLoop})
    for i, start in enumerate(times):
        for j, end in enumerate(times[i:], 1):
            assert j <= burst + rate * (end - start) + 1e-6


async def test_a_turn_that_is_given_up_is_given_back() -> None:
    bucket = Bucket(rate=0.1, burst=1)
    await bucket.take(within=0)
    with anyio.move_on_after(1):
        await bucket.take(within=60)
    assert round(await bucket.take(within=0), 3) == 9.0


@pytest.mark.parametrize("name", ["web", "page", "radio"])
async def test_where_each_link_has_a_host_of_its_own_none_of_them_can_shut_the_gate(name: str) -> None:
    source, gate = gated(POLICIES[name])
    source.trouble = SourceAway("tube", SourceTrouble.RATE_LIMITED)
    await refused(gate, "theirs")
    gate.refused(SourceAway("tube", SourceTrouble.RATE_LIMITED))
    source.trouble = None
    await gate.resolve(web("ours"))
    assert gate.condition(anyio.current_time()) is None


# -- what is remembered
async def test_the_same_words_have_the_same_hits_for_a_while() -> None:
    source, gate = gated(attrs.evolve(EASY, remembers=60.0))
    source.hits["blue sky"] = (web("blue sky"),)
    first = await gate.search("blue sky", 1)
    assert await gate.search("  Blue   SKY ", 1) == first != ()
    assert source.asked == ["search blue sky"]
    await gate.search("blue sky", 5)  # of more hits nothing is known yet
    await anyio.sleep(61)
    await gate.search("blue sky", 1)
    assert source.asked == ["search blue sky"] * 3


async def test_what_was_not_found_is_looked_for_again() -> None:
    source, gate = gated(attrs.evolve(EASY, remembers=60.0))
    assert await gate.search("new song", 1) == ()
    source.hits["new song"] = (web("new song"),)
    assert await gate.search("new song", 1) != ()


async def test_what_was_found_before_is_there_while_the_source_is_away() -> None:
    source, gate = gated(attrs.evolve(EASY, remembers=600.0))
    source.hits["blue sky"] = (web("blue sky"),)
    found = await gate.search("blue sky", 1)
    source.trouble = ROBOT
    await refused(gate)
    assert await gate.search("blue sky", 1) == found


async def test_a_source_on_our_own_disk_is_asked_each_time() -> None:
    source, gate = gated(POLICIES["local"])
    source.hits["song"] = (web("song"),)
    await gate.search("song", 1)
    await gate.search("song", 1)
    assert len(source.asked) == 2
