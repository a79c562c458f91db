"""How sources ask yt-dlp, and remember for a moment what they were told."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from ryzen.errors import SourceAway
from ryzen.origins import Extractor, Job, Origin
from ryzen.sources.infos import Info

#: Seconds for one question.
PATIENCE = 30.0


async def ask(extractor: Extractor, source: str, job: Job, within: float = PATIENCE) -> Info:
    """Raises TrackError, and SourceAway in the name of this source."""
    try:
        return await extractor.extract(job, within=within)
    except SourceAway as away:
        raise SourceAway(source, away.trouble, away.detail, away.retry_after) from away


class Fresh:
    """Origins that came with looking behind a link: playing it right away asks nobody a second time.

    Each is given out once: who asks again has seen it fail. ``lasts`` in seconds, ``most`` of them.
    """

    def __init__(self, lasts: float = 120.0, most: int = 64, clock: Callable[[], float] = monotonic) -> None:
        self._lasts, self._most, self._clock = lasts, most, clock
        self._kept: dict[str, tuple[float, Origin]] = {}

    def keep(self, track_id: str, origin: Origin) -> None:
        self._kept.pop(track_id, None)
        while len(self._kept) >= self._most:
            del self._kept[next(iter(self._kept))]
        self._kept[track_id] = self._clock() + self._lasts, origin

    def take(self, track_id: str) -> Origin | None:
        until, origin = self._kept.pop(track_id, (0.0, None))
        return origin if self._clock() < until else None
