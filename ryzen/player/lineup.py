"""The arithmetic of the line: what waits, what was heard, what was taken away.

An entry that plays, waits or was cleared is in exactly one of those places. The history only remembers:
under a queue loop an entry waits again and is remembered as well. Places count from 1, the next one.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable

from attrs import evolve

from ryzen.player.state import MEMORY, Asker, Entry, Loop, Player, Track

Line = tuple[Entry, ...]


def free(player: Player, *, beginning: bool = False) -> int:
    """Places left in the line; when the line is beginning, its first entry needs none."""
    return max(0, player.limit + beginning - len(player.queue)) if player.limit else sys.maxsize


def has_place(player: Player, place: int) -> bool:
    return 1 <= place <= len(player.queue)


def admit(player: Player, tracks: Iterable[Track], asker: Asker) -> tuple[Player, Line]:
    """New entries for these tracks; where they go is the caller's business."""
    entries = tuple(Entry(id, track, asker) for id, track in enumerate(tracks, player.next_id))
    return evolve(player, next_id=player.next_id + len(entries)), entries


def without(line: Line, gone: Iterable[Entry]) -> Line:
    ids = {entry.id for entry in gone}
    return tuple(entry for entry in line if entry.id not in ids)


def remember(player: Player, *heard: Entry) -> Player:
    """Put these at the near end of the history; the oldest are forgotten."""
    history = (*without(player.history, heard), *heard)
    return evolve(player, history=history[-MEMORY:])


def pass_over(player: Player, waiting: int = 0) -> Player:
    """Leave behind the current entry and the first ``waiting``; a queue loop lets them wait again."""
    passed = (*current(player), *player.queue[:waiting])
    ahead = player.queue[waiting:]
    again = passed if player.loop is Loop.QUEUE else ()
    return evolve(remember(player, *passed), queue=(*ahead, *again))


def current(player: Player) -> Line:
    """The current entry as a line of one, or of none."""
    return () if player.current is None else (player.current,)


def coming(player: Player) -> Entry | None:
    """What plays after the current entry; None if that is nothing, or the current entry itself."""
    return player.queue[0] if player.queue and player.loop is not Loop.TRACK else None


def take(player: Player, place: int) -> tuple[Player, Entry]:
    """Without the entry at ``place``, and that entry."""
    entry = player.queue[place - 1]
    return evolve(player, queue=without(player.queue, (entry,))), entry


def put(player: Player, place: int, entry: Entry) -> Player:
    """With ``entry`` at ``place``; those from there on move up."""
    before, behind = player.queue[: place - 1], player.queue[place - 1 :]
    return evolve(player, queue=(*before, entry, *behind))


def shuffle(player: Player, seed: int) -> Player:
    """The same line and the same seed give the same order."""
    order = list(player.queue)
    random.Random(seed).shuffle(order)
    return evolve(player, queue=tuple(order))


def clear(player: Player) -> Player:
    """Empty the line and keep it for ``restore``; an empty line does not displace what is kept."""
    return evolve(player, queue=(), cleared=player.queue or player.cleared)


def restore(player: Player) -> Player:
    """Put back as many of the cleared as fit; the others stay cleared."""
    fitting, others = player.cleared[: free(player)], player.cleared[free(player) :]
    return evolve(player, queue=(*player.queue, *fitting), cleared=others)
