"""Where music is looked for: what is behind a link, and what several sources have for some words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, zip_longest

import anyio
from attrs import evolve
from loguru import logger

from ryzen.actors.gate import Gate
from ryzen.actors.health import redacted
from ryzen.actors.turns import Turns
from ryzen.errors import SourceAway, TrackError, TrackTrouble
from ryzen.origins import Listing, Urgency
from ryzen.player.state import Track

#: The source whose search forgives slips, so that it finds something for everything: what it is not sure of
#: comes behind what others have.
FORGIVING = "local"


class Finding:
    """``searched`` are the names of the sources that words are looked for in, the first ones first.

    ``find_link`` returns the link that a text is, or has in it; None if there is none.
    """

    def __init__(
        self,
        gates: Sequence[Gate],
        searched: Sequence[str],
        find_link: Callable[[str], str | None],
        turns: Turns,
    ) -> None:
        self._gates, self._turns, self._find_link = tuple(gates), turns, find_link
        self._named = {gate.name: gate for gate in gates}
        self._searched = tuple(searched)

    async def find(self, text: str, limit: int, most: int, among: tuple[str, ...]) -> Listing:
        """Raises TrackError, and SourceAway if nothing was found and a source was away."""
        link = self._find_link(text)
        if link is not None:
            return await self._expand(link, most, among)
        gates = [self._named[name] for name in among or self._searched if name in self._named]
        return Listing(await (self._first(text, gates) if limit == 1 else self._all(text, limit, gates)))

    async def _expand(self, link: str, most: int, among: tuple[str, ...]) -> Listing:
        for gate in self._gates:
            if (not among or gate.name in among) and gate.claims(link):
                async with self._turns.turn(_somebody_waits):
                    listing = await gate.expand(link, most)
                if not listing.tracks:
                    raise TrackError(TrackTrouble.EMPTY)
                return evolve(listing, linked=True)
        raise TrackError(TrackTrouble.NO_SOURCE)

    async def _first(self, words: str, gates: Sequence[Gate]) -> tuple[Track, ...]:
        """The best hit of the first source that has one; the others are not asked."""
        guess: tuple[Track, ...] = ()
        away: SourceAway | None = None
        for gate in gates:
            try:
                hits = await self._search(gate, words, 1)
            except SourceAway as error:
                away = away or error
                continue
            if hits and _is_sure(gate, words, hits[0]):
                return hits
            guess = guess or hits
        return _or_away(guess, away)

    async def _all(self, words: str, limit: int, gates: Sequence[Gate]) -> tuple[Track, ...]:
        """All sources at once: the best of each, then the second best of each, and so on."""
        found: dict[str, tuple[Track, ...]] = {}
        away: list[SourceAway] = []

        async def ask(gate: Gate) -> None:
            try:
                found[gate.name] = await self._search(gate, words, limit)
            except SourceAway as error:
                away.append(error)

        async with anyio.create_task_group() as asking:
            for gate in gates:
                asking.start_soon(ask, gate)
        hits = [(gate, found.get(gate.name, ())) for gate in gates]
        sure = [[track for track in tracks if _is_sure(gate, words, track)] for gate, tracks in hits]
        unsure = (track for gate, tracks in hits for track in tracks if not _is_sure(gate, words, track))
        merged = _without_doubles(chain(_by_turns(sure), unsure))
        return _or_away(merged[:limit], next(iter(away), None))

    async def _search(self, gate: Gate, words: str, limit: int) -> tuple[Track, ...]:
        """A track's trouble is none of a search: that source has nothing, and the others go on."""
        try:
            async with self._turns.turn(_somebody_waits):
                return await gate.search(words, limit)
        except TrackError as error:
            logger.info("{} could not be searched: {}", gate.name, redacted(error))
            return ()


def _somebody_waits() -> Urgency:
    return Urgency.LISTENER


def _or_away(hits: tuple[Track, ...], away: SourceAway | None) -> tuple[Track, ...]:
    if not hits and away is not None:
        raise away
    return hits


def _is_sure(gate: Gate, words: str, track: Track) -> bool:
    """Whether a hit of the forgiving source has all the words; others know best what they have found."""
    return gate.name != FORGIVING or _plain(words) <= _plain(f"{track.title} {track.artist}")


def _plain(text: str) -> set[str]:
    """Its words, without case and accents."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return set(re.findall(r"\w+", bare.casefold()))


def _by_turns(lists: Iterable[Sequence[Track]]) -> Iterable[Track]:
    return (track for row in zip_longest(*lists) for track in row if track is not None)


def _without_doubles(tracks: Iterable[Track]) -> tuple[Track, ...]:
    return tuple({track.id: track for track in tracks}.values())
