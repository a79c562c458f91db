"""What a player makes of the facts it learns about its streams, its call, its own crashes and restarts.

No fact starts sound in a paused chat: where a fact moves a paused player to another track, it waits there.
"""

from __future__ import annotations

from attrs import evolve

from ryzen.player import lineup, turns
from ryzen.player.effects import Notice, Noticed
from ryzen.player.events import (
    Ended,
    Fact,
    Positioned,
    Recollected,
    Recovered,
    Resolved,
    SourceFailed,
    Started,
    TakenOver,
    TrackFailed,
    VoiceFailed,
)
from ryzen.player.state import CUTS, PATIENCE, PROGRESS, Entry, Loop, Phase, Player

#: Troubles (``errors.TrackTrouble``) of what was fetched, not of the track: fetched again, it may be well.
CUT_SHORT, MISSING = "cut-short", "missing"

Lesson = tuple[Player, tuple[Notice, ...]]


def learn(player: Player, fact: Fact, at: float) -> Lesson:
    current = player.current
    if isinstance(fact, Recollected):
        return _recollect(player, fact.line)
    if current is None:
        return turns.rest(player) if isinstance(fact, Recovered | TakenOver) else player, ()
    match fact:
        case Recovered(attempt):
            return _recover(player, current, attempt, at)
        case TakenOver(hopeless):
            return _take_over(player, current, hopeless, at)
        case VoiceFailed(trouble):
            return _wait(player, current), (Notice(Noticed.NO_CALL, reason=trouble),)
        case _ if fact.epoch != player.epoch:
            return player, ()

        case Resolved(media=media) if player.media is None:
            phase = Phase.PAUSED if player.phase is Phase.PAUSED else Phase.STARTING
            offset = 0.0 if media.live else player.offset
            return evolve(player, phase=phase, media=media, offset=offset, anew=False), ()
        case SourceFailed(source=source, trouble=trouble) if player.media is None:
            return _wait(player, current), (Notice(Noticed.SOURCE_AWAY, reason=trouble, source=source),)
        case TrackFailed(trouble=trouble, position=position):
            again = _ask_again(player, trouble, player.position(at) if position is None else position)
            return _fail(player, current, trouble) if again is None else (again, ())
        case _ if player.media is None:
            return player, ()

        case Started() if player.phase is Phase.STARTING:
            return evolve(player, phase=Phase.PLAYING, since=at, failures=0), ()
        case Started():
            return evolve(player, failures=0), ()
        case Positioned(position=position) if player.phase is not Phase.STARTING:
            since = at if player.phase is Phase.PLAYING else None
            return evolve(player, offset=max(0.0, position), since=since), ()
        case Ended() if player.loop is Loop.TRACK and not _live(player):
            return _repeat(player), ()
        case Ended():
            return _go_on(lineup.pass_over(player))
        case _:
            return player, ()


def _go_on(player: Player, *notices: Notice, failures: int = 0) -> Lesson:
    """To the next; the chat is told if there is none."""
    after = turns.onward(player, held=player.phase is Phase.PAUSED, failures=failures)
    finished = () if after.current else (Notice(Noticed.FINISHED),)
    return after, (*notices, *finished)


def _repeat(player: Player) -> Player:
    """The same media once more; the loop ends as its last turn begins."""
    again = turns.shift(player, 0.0)
    match player.loops_left:
        case None:
            return again
        case 1:
            return evolve(again, loop=Loop.OFF, loops_left=None)
        case left:
            return evolve(again, loops_left=left - 1)


def _ask_again(player: Player, trouble: str, position: float) -> Player | None:
    """Go on at ``position`` with media that is fetched once more; None if there is no hope in that.

    What is on the deck is heard to its end meanwhile.
    """
    if trouble not in (CUT_SHORT, MISSING) or player.media is None or not player.media.fetched:
        return None
    went_on = player.cuts == 0 or abs(position - player.cut_at) >= PROGRESS
    cuts = 1 if went_on else player.cuts + 1
    if cuts > CUTS:
        return None
    return evolve(
        turns.restart(player, position),
        cuts=cuts,
        cut_at=0.0 if _live(player) else position,  # what is live begins at 0 each time
        anew=trouble == CUT_SHORT,
    )


def _live(player: Player) -> bool:
    return player.media is not None and player.media.live


def _wait(player: Player, current: Entry) -> Player:
    """At rest, with the current entry first in the line again."""
    return turns.rest(evolve(player, queue=(current, *player.queue)))


def _fail(player: Player, failed: Entry, trouble: str) -> Lesson:
    """The failed entry is gone for good, whatever the loop: neither repeated nor remembered."""
    notice = Notice(Noticed.TRACK_FAILED, track=failed.track, reason=trouble)
    failures = player.failures + 1
    if failures >= PATIENCE:
        return turns.rest(player), (notice, Notice(Noticed.GAVE_UP))
    return _go_on(player, notice, failures=failures)


def _recover(player: Player, suspect: Entry, attempt: int, at: float) -> Lesson:
    """Trust the last state less with each crash: go on, then without this track, then rest.

    A track that may have caused the crash is remembered, and does not come back by itself.
    """
    if attempt <= 1:
        heard = player.phase is Phase.PLAYING
        return turns.renew(player, at), (Notice(Noticed.RECOVERED),) if heard else ()
    past = lineup.remember(player, suspect)
    if attempt == 2:
        return _go_on(past, Notice(Noticed.SKIPPED_AFTER_CRASH, track=suspect.track))
    return turns.rest(past), (Notice(Noticed.STOPPED_AFTER_CRASH),)


def _take_over(player: Player, current: Entry, hopeless: bool, at: float) -> Lesson:
    """Go on where it stood, or keep the line for people who know what is wrong."""
    if hopeless:
        return _wait(player, current), (Notice(Noticed.NOT_RESUMED, track=current.track),)
    code = Noticed.STILL_PAUSED if player.phase is Phase.PAUSED else Noticed.RESUMED
    return turns.renew(player, at), (Notice(code, track=current.track, seconds=player.position(at)),)


def _recollect(player: Player, line: tuple[Entry, ...]) -> Lesson:
    """With the cleared: what plays now is what people want now, and Restore brings back the rest."""
    if not line:
        return player, ()
    found = tuple(evolve(entry, id=id) for id, entry in enumerate(line, player.next_id))
    kept = evolve(player, cleared=(*player.cleared, *found), next_id=player.next_id + len(found))
    return kept, (Notice(Noticed.LINE_FOUND, number=len(found)),)
