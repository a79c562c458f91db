"""How a player turns from one track, stream or phase to another. No conditions on who may, no effects."""

from __future__ import annotations

from attrs import evolve

from ryzen.player.lineup import without
from ryzen.player.state import Entry, Phase, Player


def begin(player: Player, entry: Entry, *, held: bool = False, failures: int = 0) -> Player:
    """This entry from its start; its media must be resolved first. ``held``: stay paused at it."""
    return evolve(
        player,
        phase=Phase.PAUSED if held else Phase.RESOLVING,
        current=entry,
        queue=without(player.queue, (entry,)),
        history=without(player.history, (entry,)),
        cleared=without(player.cleared, (entry,)),
        epoch=player.epoch + 1,
        offset=0.0,
        since=None,
        media=None,
        failures=failures,
        cuts=0,
        cut_at=0.0,
        anew=False,
    )


def onward(player: Player, *, held: bool = False, failures: int = 0) -> Player:
    """To the first in the line, or to rest if nobody waits."""
    if not player.queue:
        return rest(player)
    return begin(player, player.queue[0], held=held, failures=failures)


def rest(player: Player) -> Player:
    """Nothing is current; the line stays. Answers still under way become stale."""
    return evolve(
        player,
        phase=Phase.IDLE,
        current=None,
        epoch=player.epoch + 1,
        offset=0.0,
        since=None,
        media=None,
        failures=0,
        cuts=0,
        cut_at=0.0,
        anew=False,
    )


def shift(player: Player, offset: float) -> Player:
    """The current track from ``offset`` seconds; a paused player stays paused.

    With media that is a new stream; without, the one that is being resolved will begin there.
    """
    if player.media is None:
        return evolve(player, offset=offset)
    phase = Phase.PAUSED if player.phase is Phase.PAUSED else Phase.STARTING
    return evolve(player, phase=phase, epoch=player.epoch + 1, offset=offset, since=None)


def hold(player: Player, at: float) -> Player:
    """Stand still at the present position."""
    return evolve(player, phase=Phase.PAUSED, offset=player.position(at), since=None)


def release(player: Player, at: float) -> Player:
    """Go on from a pause; without media, ask for it once more. What is live goes on with what is on now."""
    if player.media is None or player.media.live:
        return evolve(player, phase=Phase.RESOLVING, epoch=player.epoch + 1, media=None)
    return evolve(player, phase=Phase.PLAYING, since=at)


def renew(player: Player, at: float) -> Player:
    """The current track at its position in a new stream, trusting nothing that was resolved or loaded."""
    return restart(player, player.position(at))


def restart(player: Player, offset: float) -> Player:
    """The current track from ``offset`` seconds, with its media asked for once more."""
    phase = Phase.PAUSED if player.phase is Phase.PAUSED else Phase.RESOLVING
    return evolve(player, phase=phase, epoch=player.epoch + 1, offset=offset, since=None, media=None)
