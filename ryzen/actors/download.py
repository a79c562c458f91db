"""Finds music and gets its media, once for everybody who wants the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import anyio
import attrs
from attrs.validators import gt
from loguru import logger

from ryzen.actors.actor import Actor, Vitals
from ryzen.actors.errands import Errands
from ryzen.actors.finding import Finding
from ryzen.actors.gate import Gate
from ryzen.actors.turns import Turns
from ryzen.errors import Refusal, SourceAway, SourceTrouble, TrackError, TrackTrouble, WebError
from ryzen.messages import Drop, Fetch, Find, InUse, LyricsOf, ToDownload, Warm
from ryzen.origins import Cache, Listing, Lyrics, Origin, Songbook, Urgency
from ryzen.player.state import Media, Track


@attrs.frozen
class DownloadPolicy:
    """Seconds. What whoever asks may wait for ends before the actor's patience does."""

    at_once: int = attrs.field(default=8, validator=gt(0))  #: requests to sources; the rest waits its turn
    find_within: float = 30.0
    fetch_within: float = 55.0
    ready_within: float = 40.0  #: from the first request for bytes until decoding can begin
    lyrics_within: float = 15.0


class DownloadActor(Actor[ToDownload]):
    """Shared by all chats: whoever wants the same track at the same time causes one resolve and one flight.

    ``sources`` in the order in which they are offered a link, ``searched`` the names of those that words are
    looked for in. ``conditions`` tell what is wrong around (the cache's disk, say), for ``/stats``. A crash
    loses what is under way, and nothing else: sources' gates and the cache are made outside.
    """

    patience = 90.0  #: longer than anything in the policy takes

    def __init__(
        self,
        sources: Sequence[Gate],
        cache: Cache,
        find_link: Callable[[str], str | None],
        *,
        searched: Sequence[str],
        songbook: Songbook | None = None,
        policy: DownloadPolicy | None = None,
        conditions: Sequence[Callable[[float], str | None]] = (),
    ) -> None:
        self._gates = {gate.name: gate for gate in sources}
        self._cache, self._songbook, self._policy = cache, songbook, policy or DownloadPolicy()
        self._turns = Turns(self._policy.at_once)
        self._finding = Finding(sources, searched, find_link, self._turns)
        self._conditions = (*(gate.condition for gate in sources), *conditions)

    async def started(self) -> None:
        self._errands = Errands(
            self.tasks,
            self._cache,
            self._resolve,
            self._turns,
            self._policy.ready_within,
            self._refused,
        )

    async def receive(self, message: ToDownload) -> object:
        match message:
            case Find():
                return self.later(self._find, message)
            case Fetch(track, listener):
                self._errands.want(track, listener, Urgency.LISTENER)
                return self.later(self._fetch, message)
            case Warm(track, listener):
                self._errands.want(track, listener, Urgency.AHEAD)
                self.tasks.start_soon(self._warm, track, name="warm")
            case Drop(track_id, listener):
                self._errands.drop(track_id, listener)
            case InUse(track_id):
                self._cache.use(track_id)
            case LyricsOf():
                return self.later(self._lyrics, message)
            case _:
                self.unhandled(message)
        return None

    def vitals(self, now: float) -> Vitals:
        wrong = [said for condition in self._conditions if (said := condition(now)) is not None]
        return Vitals(condition="; ".join(wrong) or None)

    async def _find(self, wanted: Find) -> Listing:
        with anyio.move_on_after(self._policy.find_within):
            return await self._finding.find(wanted.text, wanted.limit, wanted.most, wanted.among)
        raise TrackError(TrackTrouble.UNREACHABLE, "it was not found in time")

    async def _fetch(self, wanted: Fetch) -> Media:
        with anyio.move_on_after(self._policy.fetch_within):
            return await self._errands.media(wanted.track, wanted.listener, again=wanted.again)
        raise TrackError(TrackTrouble.UNREACHABLE, "it did not come in time")

    async def _warm(self, track: Track) -> None:
        try:
            await self._errands.warm(track)
        except (TrackError, SourceAway) as error:
            logger.info("not ready ahead of time: {}", error.trouble)  # it is said when its turn comes
        except Refusal:
            return  # nobody wants it any more

    async def _resolve(self, track: Track) -> Origin:
        gate = self._gates.get(track.source)
        if gate is None:
            raise TrackError(TrackTrouble.UNAVAILABLE, f"no source {track.source}")
        return await gate.resolve(track)

    def _refused(self, away: SourceAway) -> None:
        if (gate := self._gates.get(away.source)) is not None:
            gate.refused(away)

    async def _lyrics(self, wanted: LyricsOf) -> Lyrics | None:
        if self._songbook is None:
            return None
        try:
            with anyio.move_on_after(self._policy.lyrics_within):
                return await self._songbook.lyrics(wanted.title, wanted.artist, wanted.duration)
        except WebError as error:
            raise SourceAway("lyrics", SourceTrouble.DOWN, str(error)) from error
        raise SourceAway("lyrics", SourceTrouble.DOWN, "no answer in time")
