"""Stands before a source: asks it no more often than it likes, and not at all while it refuses everything."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

import anyio
import attrs
from cachetools import TTLCache
from loguru import logger

from ryzen.actors.breaker import Breaker
from ryzen.actors.bucket import Bucket
from ryzen.actors.health import redacted
from ryzen.actors.policy import RestartPolicy
from ryzen.errors import SourceAway, SourceTrouble, TrackError, TrackTrouble, WebError, WebForbidden
from ryzen.origins import Listing, Origin, Source
from ryzen.player.state import Track

R = TypeVar("R")

#: Why it was us who said RATE_LIMITED.
_OUR_COUNT = "by our own count"

_SAID = {
    SourceTrouble.BOT_CHECK: "refuses us as a robot",
    SourceTrouble.RATE_LIMITED: "says that we ask too often",
    SourceTrouble.SIGN_IN: "wants us to sign in",
    SourceTrouble.DOWN: "does not answer",
}

#: Searches whose hits are remembered, for each source, and links.
_REMEMBERED, _LINKS = 1000, 50

#: A check for robots lasts minutes to hours, and asking prolongs it: half a minute first, half an hour later.
#: Fifteen good minutes make the next one a first one.
BACKOFF = RestartPolicy(first=30.0, ceiling=1800.0, jitter=0.2, stable_after=900.0)


@attrs.frozen
class GatePolicy:
    """How a source is treated. Seconds, and requests a second."""

    rate: float | None = 2.0  #: None: as often as we like
    counts_searches: bool = True  #: towards the rate
    remembers: float = 900.0  #: for how long the same words have the same hits; 0: they are looked for anew
    remembers_links: float = 60.0  #: the same for links: who was told to try again has it then
    burst: int = 30  #: at once, after a while of quiet
    queue_within: float = 8.0  #: who would wait longer for the rate is told so
    search_within: float = 10.0
    expand_within: float = 20.0  #: a playlist of several pages
    resolve_within: float = 40.0  #: YouTube's whole ladder, with a JS runtime on a busy machine
    #: different tracks in a row without an answer, which make it DOWN; None: it never shuts, whatever it says
    misses: int | None = 4
    backoff: RestartPolicy = BACKOFF


#: A disk of our own.
UNLIMITED = GatePolicy(rate=None, misses=None, remembers=0.0)

#: YouTube with cookies: an account gets about 2,000 videos an hour (yt-dlp's wiki): 200 + 3600/2 = 2,000.
SIGNED_IN = GatePolicy(rate=1 / 2, burst=200, counts_searches=False)

#: By the name of the source; the others have the default.
POLICIES: Mapping[str, GatePolicy] = MappingProxyType(
    {
        "local": UNLIMITED,
        # Guests get about 300 videos an hour (yt-dlp's wiki): 60 + 3600/15 = 300.
        "youtube": GatePolicy(rate=1 / 15, burst=60, counts_searches=False),
        # Spotify counts over 30 seconds, and least is allowed in its development mode.
        "spotify": GatePolicy(rate=1.0, burst=20),
        # 50 requests in 5 seconds, by Deezer's own word; half of that.
        "deezer": GatePolicy(rate=5.0, burst=25),
        # Apple's search: about 20 calls a minute.
        "apple": GatePolicy(rate=1 / 3, burst=10),
        # Each link has a host of its own: what one of them says is nothing about the others.
        "web": GatePolicy(misses=None),
        "page": GatePolicy(misses=None),
        "radio": GatePolicy(misses=None),
    }
)


class Gate:
    """``origins.Source`` around a source. It outlives the DownloadActor's crashes.

    Everything that it raises is a TrackError or a SourceAway, and comes within the policy's times. When the
    source refuses everything, the gate shuts: the same SourceAway for all, and no request is made. After a
    pause, which grows, one request may try; if that is answered, the gate is open again.
    """

    def __init__(
        self, source: Source, policy: GatePolicy | None = None, rng: random.Random | None = None
    ) -> None:
        self.name = source.name
        self._source = source
        self._policy = policy or POLICIES.get(source.name, GatePolicy())
        rate = self._policy.rate
        self._bucket = None if rate is None else Bucket(rate, self._policy.burst)
        self._breaker = Breaker(self._policy.backoff, rng)
        self._told = SourceAway(self.name, SourceTrouble.DOWN)  # why it is shut
        self._refused = ""  # the kind of request that was refused
        self._opens = 0.0  # when one may try
        self._trying = False
        self._hits: TTLCache[tuple[str, int], tuple[Track, ...]] = TTLCache(
            _REMEMBERED, self._policy.remembers, timer=anyio.current_time
        )
        self._lists: TTLCache[tuple[str, int], Listing] = TTLCache(
            _LINKS, self._policy.remembers_links, timer=anyio.current_time
        )
        self._missed: set[str] = set()  # what was asked for in vain, in a row

    def claims(self, link: str) -> bool:
        return self._source.claims(link)

    async def search(self, words: str, limit: int) -> tuple[Track, ...]:
        """Hits are remembered for a while: what is asked for again is there at once, while it is shut too."""
        asked = (" ".join(words.split()).casefold(), limit)
        if (known := self._hits.get(asked)) is not None:
            return known
        within = self._policy.search_within
        found = await self._ask("search", words, within, lambda: self._source.search(words, limit))
        if found and self._policy.remembers:
            self._hits[asked] = found
        return found

    async def expand(self, link: str, limit: int) -> Listing:
        """What is behind a link is remembered as well, for a shorter while: it may change."""
        if (known := self._lists.get((link, limit))) is not None:
            return known
        within = self._policy.expand_within
        found = await self._ask("expand", link, within, lambda: self._source.expand(link, limit))
        if self._policy.remembers_links:
            self._lists[link, limit] = found
        return found

    async def resolve(self, track: Track) -> Origin:
        within = self._policy.resolve_within
        return await self._ask("resolve", track.id, within, lambda: self._source.resolve(track))

    def refused(self, away: SourceAway) -> None:
        """Its media's host has refused us, which is no better than if the source had done it itself."""
        if away.trouble is not SourceTrouble.DOWN and away.detail != _OUR_COUNT:
            self._shut("resolve", away, tries=False)

    def condition(self, now: float) -> str | None:
        """In words, for ``/stats``; None if it is open."""
        if not self._breaker.away:
            return None
        said, left = _SAID[self._told.trouble], self._opens - now
        when = f"in {left:.0f} s" if left > 0 else "with the next wish"
        return f"{self.name}: {said}, asked again {when}"

    async def _ask(self, kind: str, subject: str, within: float, ask: Callable[[], Awaitable[R]]) -> R:
        self._refuse_if_shut()
        if kind != "search" or self._policy.counts_searches:
            await self._wait_for_turn()
        self._refuse_if_shut()  # it may have shut meanwhile
        tries = self._trying = self._breaker.away
        try:
            answer = await _bounded(within, ask)
        except (TrackError, SourceAway, WebError) as error:
            told = self._judged(kind, subject, error, tries)
            if told is error:
                raise
            raise told from error
        finally:
            if tries:
                self._trying = False
        self._answered(kind, tries)
        return answer

    def _refuse_if_shut(self) -> None:
        if not self._breaker.away:
            return
        left = self._opens - anyio.current_time()
        if left > 0 or self._trying:
            told = self._told
            raise SourceAway(self.name, told.trouble, told.detail, retry_after=max(left, 0.0))

    async def _wait_for_turn(self) -> None:
        if self._bucket is not None and (wait := await self._bucket.take(self._policy.queue_within)):
            raise SourceAway(self.name, SourceTrouble.RATE_LIMITED, _OUR_COUNT, retry_after=wait)

    def _answered(self, kind: str, tries: bool) -> None:
        """The source is there. A search that is answered does not prove that a track would be."""
        self._missed.clear()
        if tries and kind in (self._refused, "resolve"):
            shut_for = self._breaker.mend(anyio.current_time())
            logger.info("{} answers again after {:.0f} s", self.name, shut_for)

    def _judged(
        self, kind: str, subject: str, error: TrackError | SourceAway | WebError, tries: bool
    ) -> TrackError | SourceAway:
        """What an error says of the source; returned is what whoever asked is told."""
        match error:
            case SourceAway(source=source) if source != self.name:
                return error  # one behind it, with a gate of its own
            case SourceAway(trouble=trouble) if trouble is not SourceTrouble.DOWN:
                return self._shut(kind, error, tries)
            case WebForbidden():
                return TrackError(TrackTrouble.FORBIDDEN, str(error))
            case TrackError(trouble=trouble) if trouble is not TrackTrouble.UNREACHABLE:
                self._answered(kind, tries)
                return error
        return self._miss(kind, subject, error, tries)

    def _miss(
        self, kind: str, subject: str, error: TrackError | SourceAway | WebError, tries: bool
    ) -> TrackError | SourceAway:
        """No answer: one track's bad luck, unless it is the same with others."""
        self._missed.add(subject)
        away = (
            error if isinstance(error, SourceAway) else SourceAway(self.name, SourceTrouble.DOWN, str(error))
        )
        most = self._policy.misses
        if tries or (most is not None and len(self._missed) >= most):
            return self._shut(kind, away, tries)
        if isinstance(error, WebError) and kind == "resolve":
            return TrackError(TrackTrouble.UNREACHABLE, str(error))
        return error if isinstance(error, TrackError) else away

    def _shut(self, kind: str, told: SourceAway, tries: bool) -> SourceAway:
        if self._policy.misses is None:
            return told  # or anybody's link could close the source for everybody
        now = anyio.current_time()
        if tries:
            self._breaker.missed()
        elif not self._breaker.trip(now, redacted(told)):
            return told  # shut already: this one was asked before
        self._told, self._refused = told, kind
        pause = max(self._breaker.delay(), told.retry_after or 0.0)
        self._opens = now + pause
        self._missed.clear()
        logger.warning("{} is asked again in {:.0f} s: {}", self.name, pause, redacted(told))
        return SourceAway(told.source, told.trouble, told.detail, retry_after=pause)


async def _bounded(within: float, ask: Callable[[], Awaitable[R]]) -> R:
    with anyio.move_on_after(within):
        return await ask()
    raise WebError(f"no answer within {within:g} s")
