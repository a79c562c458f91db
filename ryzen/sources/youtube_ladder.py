"""How a video of YouTube is asked for: the cheapest way first, and another if that may cure it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic

import attrs
from loguru import logger

from ryzen.errors import SourceAway, TrackError, TrackTrouble
from ryzen.origins import Extractor, Job
from ryzen.sources.asking import ask
from ryzen.sources.infos import Info

Arguments = Mapping[str, Mapping[str, tuple[str, ...]]]

#: Opus first: nothing needs to be changed in it to be decoded while it grows; then m4a, then what there is.
#: What is on the air comes as HLS alone: a small picture has the same sound.
FORMAT = "/".join(
    (
        "ba[acodec^=opus][abr<=?192][protocol~='^https?$']",
        "ba[ext=m4a][abr<=?192][protocol~='^https?$']",
        "ba[protocol~='^https?$']",
        "b[protocol~='^https?$'][height<=?480]",
        "ba[protocol~='^m3u8']",
        "b[protocol~='^m3u8'][height<=?480]",
        "w[protocol~='^(https?$|m3u8)']",
    )
)
#: One request, and no JavaScript (yt-dlp 2026.10.26).
LEAN: Arguments = {
    "youtube": {"player_client": ("visionos",), "player_skip": ("webpage", "configs", "initial_data")}
}
#: What another client may see differently: it is YouTube's word against this client, not yet against us.
_OF_THE_CLIENT = (TrackTrouble.UNAVAILABLE, TrackTrouble.UNSUPPORTED, TrackTrouble.AGE)
#: What only somebody with an account may see.
_OF_THE_ACCOUNT = (TrackTrouble.PRIVATE, TrackTrouble.PAID)


@attrs.frozen
class Step:
    """``within`` in seconds."""

    arguments: Arguments = attrs.field(factory=dict)
    cookies: bool = False
    proxied: bool = False
    within: float = 30.0


def steps(
    tokens: Arguments | None = None, *, cookies: bool = False, proxied: bool = False
) -> tuple[Step, ...]:
    """``tokens``: arguments of a provider of PO tokens, if the operator has one. ``cookies`` and ``proxied``:
    whether the operator has given them."""
    ladder = [Step(LEAN, within=15.0), Step()]
    if tokens:
        ladder.append(Step(tokens))
    if cookies or proxied:
        ladder.append(Step(tokens or {}, cookies, proxied))
    return tuple(ladder)


class Ladder:
    """Asks step by step, and stops as soon as no other step could do better.

    Where YouTube refused us altogether and a later step got through, the next ones begin there for ``rest``
    seconds: each refused request makes it trust us less.
    """

    def __init__(
        self,
        extractor: Extractor,
        ladder: tuple[Step, ...],
        rest: float = 600.0,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._extractor, self._steps = extractor, ladder
        self._rest, self._clock = rest, clock
        self._begin, self._until = 0, 0.0

    async def climb(self, source: str, page: str) -> tuple[Step, Info]:
        """What there is to know, and the step that found out. Raises TrackError, SourceAway."""
        told: TrackError | SourceAway | None = None
        tried: Step | None = None
        begin = self._begin if self._clock() < self._until else 0
        for place, step in enumerate(self._steps[begin:], begin):
            if told is not None and tried is not None and not _may_cure(step, tried, told):
                continue
            job = Job(
                page,
                format=FORMAT,
                extractors=("youtube",),
                arguments=step.arguments,
                cookies=step.cookies,
                proxied=step.proxied,
            )
            try:
                info = await ask(self._extractor, source, job, step.within)
            except (TrackError, SourceAway) as error:
                logger.debug("youtube: {}, asking in another way if there is one", error)
                told, tried = _more_telling(told, error), step
                continue
            if isinstance(told, SourceAway):
                self._begin, self._until = place, self._clock() + self._rest
            return step, info
        assert told is not None, "a ladder has steps"
        raise told


def _may_cure(step: Step, tried: Step, told: TrackError | SourceAway) -> bool:
    if isinstance(told, SourceAway):  # it is about who asks: the same one again would only annoy
        return (step.cookies, step.proxied) != (tried.cookies, tried.proxied)
    if told.trouble is TrackTrouble.REGION:
        return step.proxied
    if told.trouble in _OF_THE_ACCOUNT:
        return step.cookies
    return told.trouble in _OF_THE_CLIENT


def _more_telling(
    before: TrackError | SourceAway | None, now: TrackError | SourceAway
) -> TrackError | SourceAway:
    """``unavailable`` is what YouTube says of anything: an earlier, clearer word is kept."""
    vague = isinstance(now, TrackError) and now.trouble in (
        TrackTrouble.UNAVAILABLE,
        TrackTrouble.UNSUPPORTED,
    )
    return before if before is not None and vague else now
