"""Which other way of asking is tried after which refusal: an extractor answers by heart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ryzen.errors import SourceAway, SourceTrouble, TrackError, TrackTrouble
from ryzen.origins import Job
from ryzen.sources.youtube_ladder import FORMAT, LEAN, Ladder, steps

pytestmark = pytest.mark.anyio

TOKENS = {"youtubepot-bgutilhttp": {"base_url": ("http://127.0.0.1:4416",)}}
FOUND = {"id": "found"}
Told = TrackTrouble | SourceTrouble | None


class ByHeart:
    def __init__(self, *answers: Told) -> None:
        self._answers = list(answers)
        self.jobs: list[Job] = []

    async def extract(self, job: Job, *, within: float) -> Mapping[str, Any]:
        self.jobs.append(job)
        match self._answers.pop(0):
            case TrackTrouble() as trouble:
                raise TrackError(trouble)
            case SourceTrouble() as trouble:
                raise SourceAway("", trouble, "why", 60.0)
        return FOUND


WAYS = [
    # answers, (tokens, cookies, proxied), ways asked by name, the end
    ((None,), "", "lean", None),
    ((TrackTrouble.UNAVAILABLE, None), "", "lean usual", None),
    ((TrackTrouble.UNSUPPORTED, None), "", "lean usual", None),
    ((TrackTrouble.AGE, None), "", "lean usual", None),
    ((TrackTrouble.AGE, TrackTrouble.UNAVAILABLE), "", "lean usual", TrackTrouble.AGE),
    ((TrackTrouble.UNAVAILABLE, TrackTrouble.AGE), "", "lean usual", TrackTrouble.AGE),
    ((TrackTrouble.UNAVAILABLE, SourceTrouble.BOT_CHECK), "", "lean usual", SourceTrouble.BOT_CHECK),
    ((TrackTrouble.PRIVATE,), "", "lean", TrackTrouble.PRIVATE),
    ((TrackTrouble.PRIVATE,), "proxied", "lean", TrackTrouble.PRIVATE),
    ((TrackTrouble.PRIVATE, None), "cookies", "lean cookies", None),
    ((TrackTrouble.PAID, None), "cookies", "lean cookies", None),
    ((TrackTrouble.REGION,), "cookies", "lean", TrackTrouble.REGION),
    ((TrackTrouble.REGION, None), "proxied", "lean proxied", None),
    ((TrackTrouble.NOT_YET,), "tokens cookies proxied", "lean", TrackTrouble.NOT_YET),
    ((TrackTrouble.UNREACHABLE,), "tokens cookies", "lean", TrackTrouble.UNREACHABLE),
    ((SourceTrouble.BOT_CHECK,), "tokens", "lean", SourceTrouble.BOT_CHECK),
    ((SourceTrouble.BOT_CHECK, None), "tokens cookies", "lean tokens+cookies", None),
    ((SourceTrouble.RATE_LIMITED, None), "proxied", "lean proxied", None),
    ((SourceTrouble.BOT_CHECK, SourceTrouble.SIGN_IN), "cookies", "lean cookies", SourceTrouble.SIGN_IN),
    ((TrackTrouble.UNAVAILABLE,) * 2 + (None,), "tokens", "lean usual tokens", None),
    (
        (TrackTrouble.UNAVAILABLE,) * 4,
        "tokens cookies proxied",
        "lean usual tokens tokens+cookies+proxied",
        TrackTrouble.UNAVAILABLE,
    ),
]


@pytest.mark.parametrize(("answers", "given", "asked", "end"), WAYS, ids=str)
async def test_another_way_is_tried_if_it_may_cure_the_refusal(
    answers: tuple[Told, ...], given: str, asked: str, end: Told
) -> None:
    has = given.split()
    extractor = ByHeart(*answers)
    ladder = Ladder(
        extractor,
        steps(TOKENS if "tokens" in has else None, cookies="cookies" in has, proxied="proxied" in has),
    )
    if end is None:
        assert (await ladder.climb("youtube", "page"))[1] == FOUND
    else:
        with pytest.raises((TrackError, SourceAway)) as refused:
            await ladder.climb("youtube", "page")
        assert refused.value.trouble is end
    assert [way(job) for job in extractor.jobs] == asked.split()


def way(job: Job) -> str:
    if job.arguments == LEAN:
        return "lean"
    used = {"tokens": job.arguments == TOKENS, "cookies": job.cookies, "proxied": job.proxied}
    return "+".join(name for name, is_used in used.items() if is_used) or "usual"


async def test_a_refusal_of_everything_is_in_the_name_of_the_source_and_says_until_when() -> None:
    with pytest.raises(SourceAway) as away:
        await Ladder(ByHeart(SourceTrouble.RATE_LIMITED), steps()).climb("youtube", "page")
    assert (away.value.source, away.value.detail, away.value.retry_after) == ("youtube", "why", 60.0)


async def test_every_step_wants_one_video_in_the_same_format() -> None:
    extractor = ByHeart(TrackTrouble.UNAVAILABLE, None)
    step, _ = await Ladder(extractor, steps()).climb("youtube", "page")
    assert not step.proxied
    assert {(job.query, job.format, job.flat, job.extractors) for job in extractor.jobs} == {
        ("page", FORMAT, False, ("youtube",))
    }


async def test_after_a_refusal_of_everything_the_way_that_got_through_is_taken_at_once_for_a_while() -> None:
    away, now = SourceTrouble.BOT_CHECK, [0.0]
    extractor = ByHeart(away, None, None, away, None)
    ladder = Ladder(extractor, steps(cookies=True), rest=10, clock=lambda: now[0])
    for moment in (0.0, 9.9, 10.1):
        now[0] = moment
        await ladder.climb("youtube", "page")
    assert [way(job) for job in extractor.jobs] == ["lean", "cookies", "cookies", "lean", "cookies"]


async def test_after_a_refusal_of_one_video_the_next_is_asked_for_as_ever() -> None:
    extractor = ByHeart(TrackTrouble.UNAVAILABLE, None, None)
    ladder = Ladder(extractor, steps())
    await ladder.climb("youtube", "page")
    await ladder.climb("youtube", "page")
    assert [way(job) for job in extractor.jobs] == ["lean", "usual", "lean"]
