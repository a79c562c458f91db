"""What of a video is no music: from SponsorBlock, whose users mark it.

It is asked for the first four digits of a hash of the video's id, and answers for all videos that share them:
it does not learn which one is played.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from time import monotonic

from loguru import logger

from ryzen.errors import WebError
from ryzen.origins import Web
from ryzen.player.state import Span
from ryzen.sources.memory import Memory
from ryzen.sources.told import Told, at, each, line, seconds

API = "https://sponsor.ajay.app/api/skipSegments"
CATEGORIES = ("music_offtopic", "sponsor", "selfpromo", "intro", "outro")
#: Music does not wait for this, in seconds; and when it is away, it is left alone for so long.
PATIENCE, LEFT_ALONE = 3.0, 60.0
#: Marks that would leave less than this part of a track are a joke, or for another video.
LEAST = 0.2
#: Shorter ones are not worth a jump; what lies so close together is one. In seconds.
SHORTEST, CLOSE = 1.0, 0.5
#: A mark made on an upload whose length was another one is off by as much.
LENGTH = 3.0


class SponsorBlock:
    def __init__(self, web: Web, clock: Callable[[], float] = monotonic) -> None:
        self._web, self._clock = web, clock
        self._memory: Memory[str, tuple[Told, ...]] = Memory(clock=clock)
        self._away_until = 0.0

    async def skips(self, video_id: str, duration: float | None) -> tuple[Span, ...]:
        """In order, without overlaps, within the duration (seconds). Nothing if nobody knows, or can be
        asked."""
        if video_id not in self._memory:
            if self._clock() < self._away_until:
                return ()
            try:
                self._memory[video_id] = await self._ask(video_id)
            except WebError as error:
                logger.info("sponsorblock: {}", error)
                self._away_until = self._clock() + LEFT_ALONE
                return ()
        return _spans(self._memory[video_id], duration)

    async def _ask(self, video_id: str) -> tuple[Told, ...]:
        prefix = hashlib.sha256(video_id.encode()).hexdigest()[:4]
        params = {"categories": json.dumps(CATEGORIES), "actionTypes": json.dumps(["skip"])}
        try:
            told = await self._web.json(f"{API}/{prefix}", params=params, within=PATIENCE)
        except WebError as error:
            if error.status != 404:
                raise
            return ()  # none of these videos has a mark
        return next((each(one, "segments") for one in each(told) if line(one, "videoID") == video_id), ())


def _spans(segments: Iterable[Told], duration: float | None) -> tuple[Span, ...]:
    found = (_span(segment, duration) for segment in segments)
    spans = _merged(sorted(filter(None, found), key=lambda span: span.start))
    skipped = sum(span.end - span.start for span in spans)
    if duration is not None and skipped > (1 - LEAST) * duration:
        return ()
    return spans


def _span(segment: Told, duration: float | None) -> Span | None:
    """None for what is no part to skip, what others voted down, and what was meant for another length."""
    if line(segment, "actionType") != "skip" or line(segment, "category") not in CATEGORIES:
        return None
    votes = at(segment, "votes")
    if at(segment, "locked") != 1 and not (isinstance(votes, int) and votes >= 0):
        return None
    length = seconds(segment, "videoDuration")
    if length and duration and abs(length - duration) > LENGTH:
        return None
    start, end = seconds(segment, "segment", 0) or 0.0, seconds(segment, "segment", 1)
    if end is None:
        return None
    end = end if duration is None else min(end, duration)
    return Span(start, end) if end - start >= SHORTEST else None


def _merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    merged: list[Span] = []
    for span in spans:
        if merged and span.start <= merged[-1].end + CLOSE:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return tuple(merged)
