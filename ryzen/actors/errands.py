"""Tracks on their way here: resolved once for all who want them, and fetched for as long as somebody does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import count

import anyio
import attrs
from anyio.abc import TaskGroup
from attrs import evolve

from ryzen.actors.flights import Outcome
from ryzen.actors.turns import Turns
from ryzen.actors.wants import Wants
from ryzen.errors import Refusal, RyzenError, SourceAway, TrackError, TrackTrouble
from ryzen.origins import Broadcast, Cache, Flight, OnDisk, Origin, Segmented, Urgency
from ryzen.player.state import Media, Track

#: The code of the Refusal that is raised to who waits for a track that nobody wants any more.
DROPPED = "dropped"
#: What no other try can mend: whoever asks again, having heard a part of it, is told so.
_FOR_GOOD = (TrackTrouble.TOO_BIG, TrackTrouble.FORBIDDEN, TrackTrouble.UNSUPPORTED)


@attrs.define(eq=False)
class _Resolving:
    track: Track
    outcome: Outcome[Origin] = attrs.Factory(Outcome)
    scope: anyio.CancelScope = attrs.Factory(anyio.CancelScope)


@attrs.define(eq=False)
class _Fetching:
    """``tracks`` are those that led to it; ``listener`` the only one for whom it is, if it is live."""

    flight: Flight
    tracks: set[str]
    listener: int | None
    outcome: Outcome[Media] = attrs.Factory(Outcome)
    scope: anyio.CancelScope = attrs.Factory(anyio.CancelScope)
    gone: anyio.Event = attrs.Factory(anyio.Event)


class Errands:
    """``ready_within``: seconds that a flight may take until decoding can begin. ``refused`` is told when a
    source has refused one.

    The work runs in ``tasks``; what is raised there, and is none of our errors, crashes them.
    """

    def __init__(
        self,
        tasks: TaskGroup,
        cache: Cache,
        resolve: Callable[[Track], Awaitable[Origin]],
        turns: Turns,
        ready_within: float,
        refused: Callable[[SourceAway], None],
    ) -> None:
        self._tasks, self._cache, self._turns, self._ready_within = tasks, cache, turns, ready_within
        self._resolve, self._refused = resolve, refused
        self._wants = Wants()
        self._resolving: dict[str, _Resolving] = {}  # by track
        self._fetching: dict[str, _Fetching] = {}  # by the key of the recording
        self._leaving: dict[str, _Fetching] = {}  # given up, and not gone yet
        self._hopeless: dict[str, TrackError] = {}  # by track: why all of it will never be here
        self._numbers = count(1)

    def want(self, track: Track, listener: int, urgency: Urgency) -> None:
        """From now on, until ``drop``."""
        self._wants.add(track.id, listener, urgency)

    def drop(self, track_id: str | None, listener: int) -> None:
        """Work for nobody ends at once. None: whatever this listener wants."""
        for each in self._wants.of(listener) if track_id is None else (track_id,):
            self._wants.remove(each, listener)
            if not self._wants.wanted(each):
                self._hopeless.pop(each, None)
        for key, resolving in list(self._resolving.items()):
            if not self._wants.wanted(resolving.track.id):
                del self._resolving[key]
                resolving.outcome.fail(Refusal(DROPPED))
                resolving.scope.cancel()
        for key, fetching in list(self._fetching.items()):
            if not any(self._wants.wanted(track, fetching.listener) for track in fetching.tracks):
                self._give_up(key, fetching)

    async def media(self, track: Track, listener: int, *, again: bool = False) -> Media:
        """For who waits for it. Raises TrackError, SourceAway, and Refusal (DROPPED)."""
        if not again and (media := self._cache.get(track.id)) is not None:
            return media
        if again and (hopeless := self._hopeless.get(track.id)) is not None:
            raise TrackError(hopeless.trouble, hopeless.detail)
        if (fetching := self._shared(track)) is not None:
            return await fetching.outcome.wait()
        origin = await self._origin(track)
        if isinstance(origin.place, OnDisk):
            return _on_disk(origin, origin.place)
        if is_live(origin):
            return await self._tune_in(track, origin, listener)
        return await self._board(track, origin, listener, again=again)

    async def warm(self, track: Track) -> None:
        """Have it at hand for whoever comes; of what is live only now counts, so it is left alone."""
        if self._cache.get(track.id) is not None or self._shared(track) is not None:
            return
        origin = await self._origin(track)
        if not (isinstance(origin.place, OnDisk) or is_live(origin)):
            await self._board(track, origin)

    # -- where it is
    async def _origin(self, track: Track) -> Origin:
        resolving = self._resolving.get(track.id)
        if resolving is None:
            resolving = self._resolving[track.id] = _Resolving(track)
            self._tasks.start_soon(self._ask, resolving, name=f"resolve {track.source}")
        return await resolving.outcome.wait()

    async def _ask(self, resolving: _Resolving) -> None:
        track = resolving.track
        with resolving.scope:
            try:
                resolving.outcome.succeed(await self._in_turn(track))
            except RyzenError as error:
                resolving.outcome.fail(error)
            if self._resolving.get(track.id) is resolving:
                del self._resolving[track.id]

    async def _in_turn(self, track: Track) -> Origin:
        async with self._turns.turn(lambda: self._wants.urgency(track.id)):
            return await self._resolve(track)

    # -- its bytes
    def _shared(self, track: Track) -> _Fetching | None:
        """The flight which brings this track to everybody."""
        fetching = self._fetching.values()
        return next((each for each in fetching if track.id in each.tracks and each.listener is None), None)

    async def _board(
        self, track: Track, origin: Origin, listener: int | None = None, *, again: bool = False
    ) -> Media:
        """Another track may have led to the same recording. ``listener``: who must want it still."""
        while (leaving := self._leaving.get(origin.key)) is not None:
            await leaving.gone.wait()
        self._refuse_unwanted(track, listener)
        fetching = self._fetching.get(origin.key)
        if fetching is None and not again and (media := self._cache.get(origin.key)) is not None:
            self._cache.lead(track.id, origin.key)
            return media
        if fetching is None:
            fetching = self._take_off(track, origin, None, again=again)
        if track.id not in fetching.tracks:
            fetching.tracks.add(track.id)
            self._cache.lead(track.id, origin.key)
        return await fetching.outcome.wait()

    async def _tune_in(self, track: Track, origin: Origin, listener: int) -> Media:
        """What is live is for one listener alone, and begins now: an earlier flight would lag behind."""
        self._refuse_unwanted(track, listener)
        for key, old in list(self._fetching.items()):
            if old.listener == listener and track.id in old.tracks:
                self._give_up(key, old)
        own = evolve(origin, key=f"{origin.key} {listener} {next(self._numbers)}")
        return await self._take_off(track, own, listener).outcome.wait()

    def _refuse_unwanted(self, track: Track, listener: int | None) -> None:
        if not self._wants.wanted(track.id, listener):
            raise Refusal(DROPPED)

    def _take_off(
        self, track: Track, origin: Origin, listener: int | None, *, again: bool = False
    ) -> _Fetching:
        flight = self._cache.begin(track.id, origin, lambda: self._in_turn(track), again=again)
        fetching = self._fetching[origin.key] = _Fetching(flight, {track.id}, listener)
        self._tasks.start_soon(self._fly, origin.key, fetching, name=f"fetch {track.source}")
        return fetching

    def _give_up(self, key: str, fetching: _Fetching) -> None:
        del self._fetching[key]
        self._leaving[key] = fetching
        fetching.outcome.fail(Refusal(DROPPED))
        fetching.scope.cancel()

    async def _fly(self, key: str, fetching: _Fetching) -> None:
        try:
            with fetching.scope:
                async with anyio.create_task_group() as both:
                    both.start_soon(self._await_ready, fetching)
                    await fetching.flight.run()
                await self._look_back(fetching)
        finally:
            for flights in self._fetching, self._leaving:
                if flights.get(key) is fetching:
                    del flights[key]
            fetching.gone.set()

    async def _look_back(self, fetching: _Fetching) -> None:
        """At a flight that has ended by itself: it may have broken off while somebody listened."""
        try:
            await fetching.flight.ready()
        except TrackError as error:
            if error.trouble in _FOR_GOOD:
                wanted = filter(self._wants.wanted, fetching.tracks)
                self._hopeless |= dict.fromkeys(wanted, error)
        except SourceAway:
            return  # which may be back by then

    async def _await_ready(self, fetching: _Fetching) -> None:
        """Tell those who wait; a flight that does not get ready is given up."""
        with anyio.move_on_after(self._ready_within) as limit:
            try:
                fetching.outcome.succeed(await fetching.flight.ready())
            except RyzenError as error:
                fetching.outcome.fail(error)
                if isinstance(error, SourceAway):
                    self._refused(error)
        if limit.cancelled_caught:
            fetching.outcome.fail(TrackError(TrackTrouble.UNREACHABLE, "its bytes do not come"))
            fetching.scope.cancel()


def is_live(origin: Origin) -> bool:
    place = origin.place
    return isinstance(place, Broadcast) or (isinstance(place, Segmented) and place.live)


def _on_disk(origin: Origin, place: OnDisk) -> Media:
    return Media(
        str(place.path),
        origin.duration,
        skips=origin.skips,
        gain=origin.gain or 0.0,
        chapters=origin.chapters,
        artwork=origin.artwork,
    )
