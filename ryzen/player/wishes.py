"""What a player does when a listener wishes something: one Answer, or one Refuse and no change."""

from __future__ import annotations

from attrs import evolve

from ryzen.player import lineup, turns
from ryzen.player.effects import Answer, Answered, Refuse, Refused
from ryzen.player.events import (
    Clear,
    Move,
    Pause,
    Play,
    PlayNext,
    PlayNow,
    Previous,
    Remove,
    Replay,
    Restore,
    Resume,
    Seek,
    SeekBy,
    SetLoop,
    Shuffle,
    Skip,
    SkipTo,
    Stop,
    Wish,
)
from ryzen.player.state import Asker, Loop, Phase, Player, Track

Reply = tuple[Player, Answer | Refuse]


def grant(player: Player, wish: Wish, at: float) -> Reply:
    match wish:
        case Play(tracks, asker):
            return _play(player, tracks, asker)
        case PlayNext(tracks, asker) if player.current is not None:
            return _play_next(player, tracks, asker)
        case PlayNow(tracks, asker) | PlayNext(tracks, asker):
            return _play_now(player, tracks, asker)

        case Resume() if player.current is None and player.queue:
            return turns.onward(player), Answer(Answered.STARTING, track=player.queue[0].track)
        case Pause() | Resume() | Skip() | Seek() | SeekBy() | Replay() if player.current is None:
            return player, Refuse(Refused.NOTHING_PLAYING)

        case Pause() if player.phase is Phase.PAUSED:
            return player, Refuse(Refused.ALREADY_PAUSED)
        case Pause():
            return turns.hold(player, at), Answer(Answered.PAUSED)
        case Resume() if player.phase is not Phase.PAUSED:
            return player, Refuse(Refused.NOT_PAUSED)
        case Resume():
            return turns.release(player, at), Answer(Answered.RESUMED)
        case Seek() | SeekBy() | Replay() if player.media is not None and player.media.live:
            return player, Refuse(Refused.NOT_SEEKABLE)
        case Seek(position):
            return _seek(player, position)
        case SeekBy(seconds):
            return _seek(player, player.position(at) + seconds)
        case Replay():
            return turns.shift(player, 0.0), Answer(Answered.REPLAYED)

        case Skip(count) if not 1 <= count <= len(player.queue) + 1:
            return player, Refuse(Refused.NO_SUCH_PLACE, number=len(player.queue))
        case Skip(count):
            return _skip(player, count)
        case SkipTo(place):
            return _refuse_place(player, place) or _skip(player, place)
        case Previous():
            return _previous(player)
        case Stop():
            return _stop(player)
        case SetLoop(loop, times):
            return _set_loop(player, loop, times)

        case Move(place, to):
            return _refuse_place(player, place) or _refuse_place(player, to) or _move(player, place, to)
        case Remove(place):
            return _refuse_place(player, place) or _remove(player, place)
        case Shuffle() if len(player.queue) < 2:
            return player, Refuse(Refused.NEEDS_TWO)
        case Shuffle(seed):
            return lineup.shuffle(player, seed), Answer(Answered.SHUFFLED)
        case Clear() if not player.queue:
            return player, Refuse(Refused.QUEUE_EMPTY)
        case Clear():
            return lineup.clear(player), Answer(Answered.CLEARED, number=len(player.queue))
        case Restore():
            return _restore(player)


def _play(player: Player, tracks: tuple[Track, ...], asker: Asker) -> Reply:
    """To the end of the line, as many as fit; an idle player begins the line, whoever is first in it."""
    idle = player.current is None
    if idle and player.queue and [track.id for track in tracks] == [player.queue[0].track.id]:
        return turns.onward(player), Answer(Answered.STARTING, track=player.queue[0].track)

    fitting = tracks[: lineup.free(player, beginning=idle)]
    if not fitting:
        return player, Refuse(Refused.QUEUE_FULL, number=player.limit)
    player, entries = lineup.admit(player, fitting, asker)
    listed = evolve(player, queue=(*player.queue, *entries))
    after = turns.onward(listed) if idle else listed
    if after.current == entries[0]:
        return after, Answer(Answered.STARTING, track=tracks[0], number=len(entries))
    if len(tracks) == 1:
        return after, Answer(Answered.QUEUED, track=tracks[0], number=len(after.queue))
    return after, Answer(Answered.QUEUED_MANY, number=len(entries))


def _play_next(player: Player, tracks: tuple[Track, ...], asker: Asker) -> Reply:
    """To the head of the line, as many as fit."""
    fitting = tracks[: lineup.free(player)]
    if not fitting:
        return player, Refuse(Refused.QUEUE_FULL, number=player.limit)
    player, entries = lineup.admit(player, fitting, asker)
    after = evolve(player, queue=(*entries, *player.queue))
    if len(tracks) == 1:
        return after, Answer(Answered.QUEUED, track=tracks[0], number=1)
    return after, Answer(Answered.QUEUED_MANY, number=len(entries))


def _play_now(player: Player, tracks: tuple[Track, ...], asker: Asker) -> Reply:
    """The first needs no place; but a line over its limit takes nobody, or Previous could grow it without
    end."""
    fitting = tracks[: lineup.free(player, beginning=True)]
    if not fitting:
        return player, Refuse(Refused.QUEUE_FULL, number=player.limit)
    player, (first, *others) = lineup.admit(player, fitting, asker)
    replaced = lineup.remember(player, *lineup.current(player))
    begun = turns.begin(evolve(replaced, queue=(*others, *replaced.queue)), first)
    return begun, Answer(Answered.STARTING, track=tracks[0], number=len(fitting))


def _stop(player: Player) -> Reply:
    """A resting line is taken away too, and the loop: whoever plays tomorrow does not expect it."""
    if player.current is None and not player.queue:
        return player, Refuse(Refused.NOTHING_PLAYING)
    emptied = lineup.clear(lineup.remember(player, *lineup.current(player)))
    return turns.rest(evolve(emptied, loop=Loop.OFF, loops_left=None)), Answer(Answered.STOPPED)


def _seek(player: Player, position: float) -> Reply:
    position = max(0.0, position)
    if player.duration is not None and position >= player.duration:
        return player, Refuse(Refused.PAST_THE_END, seconds=player.duration)
    return turns.shift(player, position), Answer(Answered.SOUGHT, seconds=position)


def _skip(player: Player, count: int) -> Reply:
    after = turns.onward(lineup.pass_over(player, count - 1))
    return after, Answer(Answered.SKIPPED, track=after.current.track if after.current else None)


def _previous(player: Player) -> Reply:
    if not player.history:
        return player, Refuse(Refused.NO_PREVIOUS)
    entry = player.history[-1]
    waiting = evolve(player, queue=(*lineup.current(player), *player.queue))
    return turns.begin(waiting, entry), Answer(Answered.WENT_BACK, track=entry.track)


def _set_loop(player: Player, loop: Loop, times: int | None) -> Reply:
    """No more times is no loop."""
    match loop, times:
        case Loop.TRACK, None:
            return evolve(player, loop=loop, loops_left=None), Answer(Answered.LOOP_TRACK)
        case Loop.TRACK, int(more) if more > 0:
            return evolve(player, loop=loop, loops_left=more), Answer(Answered.LOOP_TIMES, number=more)
        case Loop.QUEUE, _:
            return evolve(player, loop=loop, loops_left=None), Answer(Answered.LOOP_QUEUE)
        case _:
            return evolve(player, loop=Loop.OFF, loops_left=None), Answer(Answered.LOOP_OFF)


def _refuse_place(player: Player, place: int) -> Reply | None:
    """None if somebody waits there."""
    if not player.queue:
        return player, Refuse(Refused.QUEUE_EMPTY)
    if not lineup.has_place(player, place):
        return player, Refuse(Refused.NO_SUCH_PLACE, number=len(player.queue))
    return None


def _move(player: Player, place: int, to: int) -> Reply:
    player, entry = lineup.take(player, place)
    return lineup.put(player, to, entry), Answer(Answered.MOVED, track=entry.track, number=to)


def _remove(player: Player, place: int) -> Reply:
    player, entry = lineup.take(player, place)
    return player, Answer(Answered.REMOVED, track=entry.track)


def _restore(player: Player) -> Reply:
    if not player.cleared:
        return player, Refuse(Refused.NOTHING_CLEARED)
    if not lineup.free(player):
        return player, Refuse(Refused.QUEUE_FULL, number=player.limit)
    after = lineup.restore(player)
    return after, Answer(Answered.RESTORED, number=len(after.queue) - len(player.queue))
