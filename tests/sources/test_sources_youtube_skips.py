"""What is to be left out of a video never delays it: by a clock that jumps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anyio
import pytest

from ryzen.errors import WebError
from ryzen.origins import Job
from ryzen.player.state import Span, Track
from ryzen.sources.youtube import YouTubeSource

pytestmark = pytest.mark.anyio

TRACK = Track("youtube:dQw4w9WgXcQ", "x", "youtube", "dQw4w9WgXcQ", duration=200.0)
INFO = {"id": "dQw4w9WgXcQ", "title": "x", "url": "https://r.googlevideo.com/x", "protocol": "https"}
SPANS = (Span(0, 5),)


@pytest.fixture
def anyio_backend(jumping_backend: tuple[str, Mapping[str, object]]) -> tuple[str, Mapping[str, object]]:
    return jumping_backend


class Takes:
    """An extractor that takes so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def extract(self, job: Job, *, within: float) -> Mapping[str, Any]:
        await anyio.sleep(self._seconds)
        return INFO


@pytest.mark.parametrize(
    ("extraction", "look", "spans", "whole"),
    [
        (1.0, 0.0, SPANS, 1.0),
        (1.0, 1.0, SPANS, 1.0),
        (1.0, 1.1, SPANS, 1.1),
        (1.0, 1.3, (), 1.2),
        (1.0, 99.0, (), 1.2),
        (5.0, 1.4, SPANS, 5.0),
        (5.0, 1.6, (), 5.0),
    ],
)
async def test_a_look_for_skips_has_its_time_beside_and_no_more(
    extraction: float, look: float, spans: tuple[Span, ...], whole: float
) -> None:
    async def skips(video_id: str, duration: float | None) -> tuple[Span, ...]:
        await anyio.sleep(look)
        return SPANS

    began = anyio.current_time()
    origin = await YouTubeSource(Takes(extraction), skips=skips).resolve(TRACK)
    assert origin.skips == spans
    assert anyio.current_time() - began == pytest.approx(whole, abs=0.01)


async def test_a_look_that_fails_is_over_at_once() -> None:
    async def skips(video_id: str, duration: float | None) -> tuple[Span, ...]:
        raise WebError("down")

    began = anyio.current_time()
    assert (await YouTubeSource(Takes(0.5), skips=skips).resolve(TRACK)).skips == ()
    assert anyio.current_time() - began == pytest.approx(0.5, abs=0.01)


class Card:
    """Whose a video is, after so many seconds; or an error, or nonsense."""

    def __init__(self, seconds: float, said: object) -> None:
        self._seconds, self._said = seconds, said

    async def json(self, url: str, **_: object) -> object:
        await anyio.sleep(self._seconds)
        if isinstance(self._said, WebError):
            raise self._said
        return self._said

    async def text(self, url: str, **_: object) -> str:
        raise NotImplementedError


OURS = {"author_name": "Somebody"}


@pytest.mark.parametrize(
    ("extraction", "look", "said", "artist", "whole"),
    [
        (1.0, 0.5, OURS, "Somebody", 1.0),
        (1.0, 1.2, OURS, "Somebody", 1.2),
        (1.0, 1.4, OURS, "", 1.3),
        (9.0, 4.0, OURS, "Somebody", 9.0),
        (1.0, 0.5, WebError("404", 404), "", 1.0),
        (1.0, 0.5, ["nonsense"], "", 1.0),
        (1.0, 0.5, {"author_name": 7}, "", 1.0),
    ],
)
async def test_whose_a_video_is_never_delays_it_either(
    extraction: float, look: float, said: object, artist: str, whole: float
) -> None:
    began = anyio.current_time()
    source = YouTubeSource(Takes(extraction), web=Card(look, said))
    (track,) = (await source.expand(f"https://youtu.be/{TRACK.ref}", 1)).tracks
    assert track.artist == artist
    assert anyio.current_time() - began == pytest.approx(whole, abs=0.01)
