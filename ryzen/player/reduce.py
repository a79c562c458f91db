"""One chat's player as a pure function: no clock, no I/O, no memory of its own.

What is said to people (answers, refusals, notices) comes from the wish or the fact. What is done to the
call, the deck, the source and the card is derived here from the player before and after, so that no
branch can forget it.
"""

from __future__ import annotations

from collections.abc import Iterator

from ryzen.player.effects import (
    Card,
    Connect,
    Effect,
    Hush,
    Leave,
    Load,
    Notice,
    Prefetch,
    Resolve,
    Silence,
    Unhush,
)
from ryzen.player.events import Ended, PlayerEvent, Positioned, Recovered, TakenOver, TrackFailed, Wish
from ryzen.player.facts import learn
from ryzen.player.lineup import coming
from ryzen.player.state import Entry, Phase, Player
from ryzen.player.wishes import grant


def reduce(player: Player, event: PlayerEvent, at: float) -> tuple[Player, tuple[Effect, ...]]:
    """The player after ``event``, and what is to be done, in this order.

    Answer or Refuse · Connect · Silence · Hush or Unhush · Resolve or Load · Card · Notices · Prefetch ·
    Leave. A wish gets exactly one Answer or Refuse, a fact none; a Refuse comes alone and changes nothing.
    Any event is good in any phase; a fact about an old epoch changes nothing. ``at`` is when it happened,
    in seconds of one steady clock.
    """
    if isinstance(event, Wish):
        after, reply = grant(player, event, at)
        return after, (reply, *_consequences(player, event, after))
    after, notices = learn(player, event, at)
    return after, tuple(_consequences(player, event, after, notices))


def _consequences(
    before: Player, event: PlayerEvent, after: Player, notices: tuple[Notice, ...] = ()
) -> Iterator[Effect]:
    """All that follows from the change; a fresh incarnation has the whole of it done again."""
    fresh = isinstance(event, Recovered | TakenOver)
    if after.current is not None:
        if fresh or before.current is None:
            yield Connect()
        if _still_sounds(before, event) and after.media is None:
            yield Silence()
        if fresh or _held(before) != _held(after):
            yield Hush() if _held(after) else Unhush()
        if after.epoch != before.epoch or after.media != before.media:
            yield _stream(after, after.current)
    if isinstance(event, TakenOver) or (
        _shown(after) != _shown(before) and not isinstance(event, Positioned)
    ):  # another process drew the card that is there
        yield Card()
    yield from notices
    upcoming = _upcoming(after)
    if upcoming is not None and upcoming != _upcoming(before):
        yield Prefetch(upcoming)
    if before.current is not None and after.current is None:
        yield Leave()


def _still_sounds(before: Player, event: PlayerEvent) -> bool:
    """Whether the deck would go on with the old track. At an end its last samples are still to be heard."""
    return before.media is not None and not isinstance(event, Ended | TrackFailed | Recovered | TakenOver)


def _held(player: Player) -> bool:
    return player.phase is Phase.PAUSED


def _stream(player: Player, entry: Entry) -> Resolve | Load:
    if player.media is None:
        return Resolve(player.epoch, entry, player.anew)
    return Load(player.epoch, player.media, player.offset)


def _shown(player: Player) -> tuple[object, ...]:
    """What a listener can see of a player."""
    track = (player.current, player.phase, player.offset, player.since, player.duration)
    return (*track, player.loop, player.loops_left, len(player.queue), player.queue[:1])


def _upcoming(player: Player) -> Entry | None:
    """Whose media should be at hand, once the current track needs no more of the source."""
    settled = player.media is not None and player.phase is not Phase.STARTING
    return coming(player) if settled else None
