"""What of a video is no music: from a local SponsorBlock."""

from __future__ import annotations

import hashlib
import json
from itertools import pairwise
from typing import Any

import anyio
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from named_stage import Stage, stage

from ryzen.player.state import Span
from ryzen.sources import sponsorblock
from ryzen.sources.sponsorblock import CATEGORIES, SponsorBlock

pytestmark = pytest.mark.anyio

VIDEO = "BlueSky_440"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Marks:
    """What its users have marked in ``VIDEO``; another video shares the hash's beginning."""

    hosts = ("sponsor.ajay.app",)

    def __init__(self, *segments: dict[str, Any], body: str | None = None, status: int = 200) -> None:
        self.segments, self.body, self.status = segments, body, status
        self.hangs = False

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if self.hangs:
            await anyio.sleep_forever()
        if self.status != 200:
            return web.Response(status=self.status)
        other = {"videoID": "SomebodyEls", "segments": [mark(0, 90)]}
        ours = {"videoID": VIDEO, "segments": self.segments}
        return web.Response(text=self.body or json.dumps([other, ours]), content_type="application/json")


def mark(start: object, end: object, category: str = "music_offtopic", **more: Any) -> dict[str, Any]:
    told = {"category": category, "actionType": "skip", "segment": [start, end], "votes": 1, "locked": 0}
    return {**told, "videoDuration": 100, **more}


def paths(there: Stage) -> list[str]:
    return [hit.path for hit in there.internet.hits]


async def test_what_is_no_music_is_told_and_the_server_does_not_learn_which_video() -> None:
    async with stage(Marks(mark(0, 5), mark(90, 99.5, "sponsor"))) as there:
        assert await SponsorBlock(there.web).skips(VIDEO, 100) == (Span(0, 5), Span(90, 99.5))
        (hit,) = there.internet.hits
        prefix = hashlib.sha256(VIDEO.encode()).hexdigest()[:4]
        assert hit.path == f"/api/skipSegments/{prefix}"
        assert json.loads(hit.query["categories"]) == list(CATEGORIES)
        assert json.loads(hit.query["actionTypes"]) == ["skip"]
        assert VIDEO not in str(hit.query)


@pytest.mark.parametrize(
    ("marks", "spans"),
    [
        ([mark(10, 20), mark(15, 30), mark(30.2, 35)], (Span(10, 35),)),
        ([mark(50, 60), mark(10, 20)], (Span(10, 20), Span(50, 60))),
        ([mark(10, 40), mark(15, 20)], (Span(10, 40),)),
        ([mark(90, 400)], (Span(90, 100),)),
        ([mark(-5, 10)], (Span(0, 10),)),
        ([mark(10, 10.5)], ()),
        ([mark(20, 10)], ()),
        ([mark(150, 160)], ()),
        ([mark(0, 85)], ()),
        ([mark(0, 45), mark(50, 90)], ()),
        ([mark(0, 79)], (Span(0, 79),)),
        ([mark(0, 5, votes=-1)], ()),
        ([mark(0, 5, votes=-1, locked=1)], (Span(0, 5),)),
        ([mark(0, 5, actionType="mute")], ()),
        ([mark(0, 5, "intro", actionType="chapter")], ()),
        ([mark(0, 5, "intro")], (Span(0, 5),)),
        ([mark(0, 5, "filler")], ()),
        ([mark(0, 5, videoDuration=240)], ()),
        ([mark(0, 5, videoDuration=0)], (Span(0, 5),)),
        ([mark("NaN", "Infinity"), mark(None, 5), mark([], {})], (Span(0, 5),)),
        ([{}, {"segment": [1]}, {"segment": "x", "actionType": "skip"}], ()),
    ],
)
async def test_marks_are_put_in_order_and_judged(
    marks: list[dict[str, Any]], spans: tuple[Span, ...]
) -> None:
    async with stage(Marks(*marks)) as there:
        assert await SponsorBlock(there.web).skips(VIDEO, 100) == spans


async def test_without_a_known_length_marks_count_as_they_are() -> None:
    async with stage(Marks(mark(0, 5), mark(90, 400))) as there:
        assert await SponsorBlock(there.web).skips(VIDEO, None) == (Span(0, 5), Span(90, 400))


@pytest.mark.parametrize("body", ["null", "[]", "{}", '[{"videoID": 5}]', "not json", "[" * 3_000])
async def test_an_answer_in_another_form_skips_nothing(body: str) -> None:
    async with stage(Marks(body=body)) as there:
        assert await SponsorBlock(there.web).skips(VIDEO, 100) == ()


async def test_a_video_without_marks_is_remembered_and_asked_for_once() -> None:
    async with stage(Marks(status=404)) as there:
        block = SponsorBlock(there.web)
        for _ in range(3):
            assert await block.skips(VIDEO, 100) == ()
        assert len(paths(there)) == 1


async def test_when_it_is_away_music_plays_on_and_it_is_left_alone_for_a_minute() -> None:
    now = 1000.0
    site = Marks(mark(0, 5), status=503)
    async with stage(site) as there:
        block = SponsorBlock(there.web, clock=lambda: now)
        assert await block.skips(VIDEO, 100) == ()
        assert await block.skips("another_one", 100) == ()
        assert len(paths(there)) == 1
        site.status, now = 200, 1061.0
        assert await block.skips(VIDEO, 100) == (Span(0, 5),)


async def test_a_server_that_hangs_is_not_waited_for(monkeypatch) -> None:
    monkeypatch.setattr(sponsorblock, "PATIENCE", 0.05)
    site = Marks()
    site.hangs = True
    async with stage(site) as there:
        with anyio.fail_after(5):
            assert await SponsorBlock(there.web).skips(VIDEO, 100) == ()


TIMES = st.one_of(st.floats(-10, 500), st.none(), st.text(max_size=3), st.integers(-5, 500))


@given(st.lists(st.builds(mark, TIMES, TIMES, st.sampled_from(CATEGORIES)), max_size=12), st.floats(1, 400))
def test_whatever_is_marked_spans_are_apart_in_order_and_leave_music(marks, duration) -> None:
    told = [{**one, "videoDuration": 0} for one in json.loads(json.dumps(marks))]
    spans = sponsorblock._spans(told, duration)
    assert sum(span.end - span.start for span in spans) <= 0.8 * duration + 1e-6
    assert all(0 <= span.start < span.end <= duration for span in spans)
    assert all(before.end < after.start for before, after in pairwise(spans))
