"""What a player makes of a new beginning: after a crash, after a restart of the bot, of a line found late."""

from __future__ import annotations

import pytest
from player_stage import ANN, FILE, A, B, C, D, Stage

from ryzen.player.effects import (
    Answer,
    Answered,
    Card,
    Connect,
    Hush,
    Leave,
    Load,
    Notice,
    Noticed,
    Prefetch,
    Resolve,
    Unhush,
)
from ryzen.player.events import (
    Clear,
    Pause,
    Play,
    PlayerEvent,
    Recollected,
    Recovered,
    Resolved,
    Restore,
    Resume,
    Seek,
    SetLoop,
    Started,
    TakenOver,
)
from ryzen.player.state import Asker, Entry, Loop, Phase, Track

BEN = Asker(8, "Ben")
FOUND = Recollected((Entry(1, C, ANN), Entry(2, D, BEN)))  #: with ids that are taken here


# -- crashes
def test_after_one_crash_it_goes_on_where_it_was() -> None:
    stage = Stage.playing(A, B)
    stage.now += 30
    again = Resolve(2, Entry(1, A, ANN))
    assert stage.do(Recovered(1)) == (Connect(), Unhush(), again, Card(), Notice(Noticed.RECOVERED))
    stage.now += 1
    assert stage.do(Resolved(2, FILE))[0] == Load(2, FILE, 30.0)
    stage.do(Started(2))
    assert stage.position == 30.0


def test_after_one_crash_a_pause_is_still_a_pause() -> None:
    stage = Stage.playing(A)
    stage.now += 30
    stage.do(Pause())
    stage.now += 60
    assert stage.do(Recovered(1)) == (Connect(), Hush(), Resolve(2, Entry(1, A, ANN)))
    assert stage.do(Resolved(2, FILE)) == (Load(2, FILE, 30.0),)
    stage.do(Resume())
    assert (stage.phase, stage.position) == (Phase.PLAYING, 30.0)


def test_a_crash_before_the_first_sound_needs_no_notice() -> None:
    stage = Stage()
    stage.do(Play((A,), ANN))
    assert stage.notices(Recovered(1)) == []
    assert stage.phase is Phase.RESOLVING


@pytest.mark.parametrize("loop", list(Loop))
def test_after_two_crashes_the_track_is_suspect_and_skipped(loop: Loop) -> None:
    stage = Stage.playing(A, B)
    stage.do(SetLoop(loop))
    assert stage.notices(Recovered(2)) == [Notice(Noticed.SKIPPED_AFTER_CRASH, track=A)]
    assert (stage.current, stage.line, stage.history) == ("B", "", "A")


def test_after_two_crashes_with_nothing_else_to_play_the_music_ends() -> None:
    stage = Stage.playing(A)
    codes = [notice.code for notice in stage.notices(Recovered(2))]
    assert codes == [Noticed.SKIPPED_AFTER_CRASH, Noticed.FINISHED]
    assert stage.effects[-1] == Leave()


@pytest.mark.parametrize("attempt", [3, 4, 99])
def test_after_three_crashes_it_rests_and_the_suspect_does_not_come_back(attempt: int) -> None:
    stage = Stage.playing(A, B)
    assert stage.do(Recovered(attempt)) == (Card(), Notice(Noticed.STOPPED_AFTER_CRASH), Leave())
    assert (stage.phase, stage.line, stage.history) == (Phase.IDLE, "B", "A")


@pytest.mark.parametrize("attempt", [1, 2, 3])
def test_a_crash_at_rest_is_nobodys_business(attempt: int) -> None:
    stage = Stage()
    assert stage.do(Recovered(attempt)) == ()
    assert stage.player.epoch == 1


# -- restarts of the bot
def test_after_a_restart_it_goes_on_where_it_was() -> None:
    stage = Stage.playing(A, B)
    stage.now += 30
    stage.kill()
    again, resumed = Resolve(2, Entry(1, A, ANN)), Notice(Noticed.RESUMED, track=A, seconds=30.0)
    assert stage.do(TakenOver()) == (Connect(), Unhush(), again, Card(), resumed)
    stage.now += 1
    assert stage.do(Resolved(2, FILE))[0] == Load(2, FILE, 30.0)
    assert stage.do(Started(2)) == (Card(), Prefetch(Entry(2, B, ANN)))
    assert (stage.phase, stage.position) == (Phase.PLAYING, 30.0)


def test_a_player_that_still_moves_is_taken_over_like_one_that_was_kept() -> None:
    stage = Stage.playing(A, B)
    stage.now += 30
    again, resumed = Resolve(2, Entry(1, A, ANN)), Notice(Noticed.RESUMED, track=A, seconds=30.0)
    assert stage.do(TakenOver()) == (Connect(), Unhush(), again, Card(), resumed)
    assert stage.position == 30.0


def test_after_a_restart_a_pause_is_still_a_pause() -> None:
    stage = Stage.playing(A)
    stage.now += 30
    stage.do(Pause())
    stage.now += 60
    stage.kill()
    again, paused = Resolve(2, Entry(1, A, ANN)), Notice(Noticed.STILL_PAUSED, track=A, seconds=30.0)
    assert stage.do(TakenOver()) == (Connect(), Hush(), again, Card(), paused)
    assert stage.do(Resolved(2, FILE)) == (Load(2, FILE, 30.0),)
    stage.do(Resume())
    assert (stage.phase, stage.position) == (Phase.PLAYING, 30.0)


@pytest.mark.parametrize("facts", [[], [Resolved(1, FILE)]])
def test_after_a_restart_what_was_not_heard_yet_begins_where_it_would_have(facts: list[PlayerEvent]) -> None:
    stage = Stage()
    stage.do(Play((A,), ANN))
    stage.do(Seek(40.0))
    for fact in facts:
        stage.do(fact)
    stage.kill()
    assert stage.notices(TakenOver()) == [Notice(Noticed.RESUMED, track=A, seconds=40.0)]
    assert stage.do(Resolved(1, FILE)) == ()  # an answer to the one before us
    assert stage.do(Resolved(2, FILE))[0] == Load(2, FILE, 40.0)


@pytest.mark.parametrize("hopeless", [False, True])
@pytest.mark.parametrize("line", [(), (A, B)])
def test_after_a_restart_at_rest_only_the_card_is_looked_after(
    line: tuple[Track, ...], hopeless: bool
) -> None:
    """It may still show what played when it was last drawn."""
    stage = Stage.resting(*line) if line else Stage()
    stage.kill()
    assert stage.do(TakenOver(hopeless)) == (Card(),)
    assert (stage.phase, stage.line) == (Phase.IDLE, "AB" if line else "")


@pytest.mark.parametrize("wishes", [[], [Pause()], [SetLoop(Loop.QUEUE)]])
def test_a_hopeless_restart_rests_and_loses_nothing(wishes: list[PlayerEvent]) -> None:
    stage = Stage.playing(A, B, C, limit=2)
    for wish in wishes:
        stage.do(wish)
    stage.now += 30
    stage.kill()
    not_resumed = Notice(Noticed.NOT_RESUMED, track=A)
    assert stage.do(TakenOver(hopeless=True)) == (Card(), not_resumed, Leave())
    assert (stage.phase, stage.line, stage.history) == (Phase.IDLE, "ABC", "")
    assert stage.reply(Resume()) == Answer(Answered.STARTING, track=A)
    assert (stage.current, stage.line, stage.position) == ("A", "BC", 0.0)


# -- a line found late
def test_a_line_found_late_does_not_disturb_what_plays() -> None:
    stage = Stage.playing(A, B)
    stage.now += 30
    assert stage.do(FOUND) == (Notice(Noticed.LINE_FOUND, number=2),)
    assert (stage.phase, stage.current, stage.position) == (Phase.PLAYING, "A", 30.0)
    assert (stage.line, stage.cleared) == ("B", "CD")


def test_a_line_found_late_starts_no_music() -> None:
    stage = Stage()
    assert stage.do(FOUND) == (Notice(Noticed.LINE_FOUND, number=2),)
    assert (stage.phase, stage.line, stage.cleared) == (Phase.IDLE, "", "CD")
    assert stage.reply(Restore()) == Answer(Answered.RESTORED, number=2)
    assert stage.reply(Resume()) == Answer(Answered.STARTING, track=C)


def test_restore_brings_a_found_line_back_in_its_order_and_with_its_askers() -> None:
    stage = Stage.playing(A, B)
    stage.do(FOUND)
    assert stage.reply(Restore()) == Answer(Answered.RESTORED, number=2)
    assert (stage.line, stage.cleared) == ("BCD", "")
    assert [entry.asker for entry in stage.player.queue] == [ANN, ANN, BEN]


def test_what_is_found_waits_behind_what_was_cleared_and_keeps_to_the_limit() -> None:
    stage = Stage.playing(A, B, limit=2)
    stage.do(Clear())
    assert stage.notices(FOUND) == [Notice(Noticed.LINE_FOUND, number=2)]
    assert stage.cleared == "BCD"
    assert stage.reply(Restore()) == Answer(Answered.RESTORED, number=2)
    assert (stage.line, stage.cleared) == ("BC", "D")


def test_what_is_found_gets_ids_of_its_own() -> None:
    stage = Stage.playing(A, B)
    stage.do(FOUND)
    stage.do(FOUND)
    assert [entry.id for entry in stage.player.cleared] == [3, 4, 5, 6]
    stage.do(Play((C,), ANN))
    assert stage.player.queue[-1].id == 7


@pytest.mark.parametrize("tracks", [(), (A, B)])
def test_an_empty_line_found_late_is_no_news(tracks: tuple[Track, ...]) -> None:
    stage = Stage.playing(*tracks) if tracks else Stage()
    before = stage.player
    assert stage.do(Recollected(())) == ()
    assert stage.player == before
