"""What a player makes of what it learns."""

from __future__ import annotations

import pytest
from player_stage import ANN, FILE, A, B, C, D, E, Stage

from ryzen.player.effects import (
    Answered,
    Card,
    Leave,
    Load,
    Notice,
    Noticed,
    Prefetch,
    Resolve,
    Silence,
    Unhush,
)
from ryzen.player.events import (
    Ended,
    Pause,
    Play,
    Positioned,
    Previous,
    Resolved,
    Resume,
    Seek,
    SetLoop,
    Skip,
    Started,
    Stop,
    TrackFailed,
    VoiceFailed,
)
from ryzen.player.state import MEMORY, PATIENCE, Entry, Loop, Media, Phase, Player, Track


# -- the stream
def test_what_comes_next_is_fetched_once_the_current_track_is_heard() -> None:
    stage = Stage()
    stage.do(Play((A, B), ANN))
    assert stage.do(Resolved(1, FILE)) == (Load(1, FILE, 0.0), Card())
    assert stage.do(Started(1)) == (Card(), Prefetch(Entry(2, B, ANN)))


def test_the_position_moves_from_the_moment_of_the_first_sound() -> None:
    stage = Stage()
    stage.do(Play((A,), ANN))
    stage.now += 3
    stage.do(Resolved(1, FILE))
    stage.now += 3
    assert stage.position == 0.0
    stage.do(Started(1))
    stage.now += 3
    assert stage.position == 3.0


def test_the_position_never_passes_the_known_end() -> None:
    stage = Stage.playing(A)
    stage.now += 500
    assert stage.position == 100.0


def test_a_moment_before_the_first_sound_is_at_the_start() -> None:
    stage = Stage.playing(A)
    assert stage.player.position(stage.now - 5.0) == 0.0


def test_the_engine_knows_best_where_it_is() -> None:
    stage = Stage.playing(A)
    stage.now += 10
    assert stage.do(Positioned(1, 9.5)) == ()
    stage.now += 1
    assert stage.position == 10.5
    stage.do(Pause())
    assert stage.do(Positioned(1, 10.25)) == ()
    stage.now += 60
    assert stage.position == 10.25


def test_an_engine_that_is_a_little_early_is_at_the_start() -> None:
    stage = Stage.playing(A)
    stage.do(Positioned(1, -0.06))
    assert stage.player.offset == 0.0


def test_a_position_before_the_first_sound_means_nothing() -> None:
    stage = Stage.playing(A)
    stage.do(Seek(50.0))
    assert stage.do(Positioned(2, 3.0)) == ()
    assert stage.position == 50.0


def test_a_second_start_of_the_same_stream_does_not_move_the_position() -> None:
    """A restarted audio worker says it again, in the middle of the track."""
    stage = Stage.playing(A)
    stage.now += 30
    assert stage.do(Started(1)) == ()
    assert stage.position == 30.0


@pytest.mark.parametrize(
    "fact", [Resolved(1, FILE), Started(1), Positioned(1, 7.0), Ended(1), TrackFailed(1, "broken")]
)
def test_an_old_epoch_changes_nothing(fact) -> None:
    stage = Stage.playing(A, B)
    stage.do(Skip())
    assert stage.do(fact) == ()
    stage.sound()
    assert stage.do(fact) == ()
    stage.do(Stop())
    assert stage.do(fact) == ()


def test_media_that_comes_twice_is_loaded_once() -> None:
    stage = Stage()
    stage.do(Play((A,), ANN))
    stage.do(Resolved(1, FILE))
    assert stage.do(Resolved(1, Media("/other"))) == ()
    assert stage.player.media == FILE


def test_the_card_learns_the_length_of_the_file_in_a_pause_too() -> None:
    stage = Stage()
    stage.do(Play((A,), ANN))
    stage.do(Pause())
    assert Card() in stage.do(Resolved(1, Media("/music/A", duration=80.0)))


# -- the end of a track
def test_an_end_leads_to_the_next_without_cutting_the_last_samples() -> None:
    stage = Stage.playing(A, B, C)
    assert stage.do(Ended(1)) == (Resolve(2, Entry(2, B, ANN)), Card())
    assert (stage.current, stage.line, stage.history) == ("B", "C", "A")
    assert Silence() not in stage.effects


def test_the_music_finishes_with_the_line() -> None:
    stage = Stage.playing(A)
    assert stage.do(Ended(1)) == (Card(), Notice(Noticed.FINISHED), Leave())
    assert (stage.phase, stage.history) == (Phase.IDLE, "A")


def test_a_very_short_track_may_end_before_it_was_seen_to_start() -> None:
    stage = Stage()
    stage.do(Play((A, B), ANN))
    stage.do(Resolved(1, FILE))
    stage.do(Ended(1))
    assert stage.current == "B"


def test_an_end_in_a_pause_waits_at_the_next_track() -> None:
    """The end is told a little before the last sample: a pause may come between."""
    stage = Stage.playing(A, B)
    stage.do(Pause())
    assert stage.do(Ended(1)) == (Resolve(2, Entry(2, B, ANN)), Card())
    assert (stage.phase, stage.current) == (Phase.PAUSED, "B")
    assert stage.do(Resolved(2, FILE)) == (Load(2, FILE, 0.0),)
    assert Unhush() in stage.do(Resume())


def test_a_track_loop_plays_the_same_media_again() -> None:
    stage = Stage.playing(A, B)
    stage.do(SetLoop(Loop.TRACK))
    for epoch in 2, 3, 4:
        stage.now += 100
        assert stage.do(Ended(epoch - 1)) == (Load(epoch, FILE, 0.0), Card())
        stage.sound()
        assert (stage.current, stage.line, stage.history, stage.position) == ("A", "B", "", 0.0)


def test_a_counted_loop_ends_as_its_last_turn_begins() -> None:
    stage = Stage.playing(A, B)
    stage.do(SetLoop(Loop.TRACK, 2))
    stage.do(Ended(1))
    stage.sound()
    assert (stage.player.loop, stage.player.loops_left) == (Loop.TRACK, 1)
    stage.do(Ended(2))
    assert (stage.player.loop, stage.player.loops_left) == (Loop.OFF, None)
    stage.sound()
    assert Prefetch(Entry(2, B, ANN)) in stage.effects
    stage.do(Ended(3))
    assert stage.current == "B"


def test_a_queue_loop_goes_round() -> None:
    stage = Stage.playing(A, B, C)
    stage.do(SetLoop(Loop.QUEUE))
    heard = ""
    for _ in range(7):
        heard += stage.current
        stage.do(Ended(stage.player.epoch))
        stage.sound()
    assert heard == "ABCABCA"


def test_previous_in_a_queue_loop_goes_to_what_was_heard_last() -> None:
    stage = Stage.playing(A, B, C)
    stage.do(Skip())
    stage.do(SetLoop(Loop.QUEUE))
    stage.do(Previous())
    assert (stage.current, stage.line) == ("A", "BC")


def test_only_so_much_is_remembered() -> None:
    tracks = [Track(f"local:{n}", str(n), "local", "") for n in range(MEMORY + 10)]
    stage = Stage.playing(*tracks, limit=0)
    for _ in tracks:
        stage.do(Skip())
    assert [entry.track for entry in stage.player.history] == tracks[-MEMORY:]


# -- failures
def test_a_failed_track_is_said_and_the_next_begins() -> None:
    stage = Stage.playing(A, B)
    entry = Entry(2, B, ANN)
    failed = Notice(Noticed.TRACK_FAILED, track=A, reason="cut-short")
    assert stage.do(TrackFailed(1, "cut-short")) == (Resolve(2, entry), Card(), failed)
    assert (stage.current, stage.history) == ("B", "")


def test_a_track_may_fail_before_it_is_loaded() -> None:
    stage = Stage()
    stage.do(Play((A,), ANN))
    failed = Notice(Noticed.TRACK_FAILED, track=A, reason="missing")
    assert stage.notices(TrackFailed(1, "missing")) == [failed, Notice(Noticed.FINISHED)]
    assert stage.effects[-1] == Leave()


@pytest.mark.parametrize("loop", [Loop.TRACK, Loop.QUEUE])
def test_no_loop_repeats_a_failing_track(loop: Loop) -> None:
    stage = Stage.playing(A, B)
    stage.do(SetLoop(loop))
    stage.do(TrackFailed(1, "broken"))
    assert (stage.current, stage.line) == ("B", "")


def test_a_failure_in_a_pause_stays_paused() -> None:
    stage = Stage()
    stage.do(Play((A, B), ANN))
    stage.do(Pause())
    stage.do(TrackFailed(1, "missing"))
    assert (stage.phase, stage.current) == (Phase.PAUSED, "B")


def test_a_player_gives_up_when_nothing_can_be_played_and_keeps_the_line() -> None:
    stage = Stage()
    stage.do(Play((A, B, C, A, B, D, E), ANN))
    codes = [
        notice.code for epoch in range(1, PATIENCE + 1) for notice in stage.notices(TrackFailed(epoch, "x"))
    ]
    assert codes == [Noticed.TRACK_FAILED] * PATIENCE + [Noticed.GAVE_UP]
    assert (stage.phase, stage.line, stage.effects[-1]) == (Phase.IDLE, "DE", Leave())


def test_four_that_are_gone_in_a_row_do_not_end_a_list_of_which_half_is_gone() -> None:
    stage = Stage()
    stage.do(Play((A, B, C, D, E), ANN))
    for _ in range(4):
        stage.do(TrackFailed(stage.player.epoch, "unavailable"))
    assert (stage.phase, stage.current) == (Phase.RESOLVING, "E")


def test_a_heard_track_gives_new_patience() -> None:
    stage = Stage()
    stage.do(Play((A, B, C, A, B, D, E), ANN))
    for _ in range(PATIENCE - 1):
        stage.do(TrackFailed(stage.player.epoch, "broken"))
    stage.sound()
    assert stage.player.failures == 0
    stage.do(TrackFailed(stage.player.epoch, "broken"))
    assert stage.current == "D"


def test_a_track_heard_after_a_pause_gives_new_patience_too() -> None:
    stage = Stage()
    stage.do(Play((A, B, C, D), ANN))
    stage.do(TrackFailed(1, "broken"))
    stage.do(Pause())
    stage.do(Resolved(2, FILE))
    stage.do(Resume())
    stage.do(Started(2))
    assert (stage.phase, stage.player.failures) == (Phase.PLAYING, 0)


def test_a_wish_gives_new_patience() -> None:
    stage = Stage()
    stage.do(Play((A, B, C, D), ANN))
    stage.do(TrackFailed(1, "broken"))
    stage.do(Skip())
    assert stage.player.failures == 0


def test_without_a_call_the_player_rests_and_loses_nothing() -> None:
    stage = Stage.playing(A, B, limit=1)
    stage.now += 30
    assert stage.do(VoiceFailed("closed")) == (Card(), Notice(Noticed.NO_CALL, reason="closed"), Leave())
    assert (stage.phase, stage.line) == (Phase.IDLE, "AB")
    assert stage.reply(Resume()).code is Answered.STARTING
    assert (stage.current, stage.position) == ("A", 0.0)


def test_without_a_call_an_idle_player_does_not_care() -> None:
    stage = Stage()
    assert stage.do(VoiceFailed("closed")) == ()
    assert stage.player == Player()
