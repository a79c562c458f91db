"""What a listener may wish of the track that plays: pause, skip, back, stop, seek, loop."""

from __future__ import annotations

import pytest
from player_stage import ANN, ENDLESS, FILE, A, B, C, D, Stage

from ryzen.player.effects import (
    Answer,
    Answered,
    Card,
    Connect,
    Hush,
    Leave,
    Load,
    Prefetch,
    Refuse,
    Refused,
    Resolve,
    Silence,
    Unhush,
)
from ryzen.player.events import (
    Clear,
    Ended,
    Move,
    Pause,
    Play,
    PlayNow,
    Previous,
    Remove,
    Replay,
    Resolved,
    Restore,
    Resume,
    Seek,
    SeekBy,
    SetLoop,
    Skip,
    SkipTo,
    Started,
    Stop,
)
from ryzen.player.state import Entry, Loop, Media, Phase


# -- pause and resume
def test_a_pause_holds_the_position_and_resume_goes_on_from_it() -> None:
    stage = Stage.playing(A)
    stage.now += 10
    assert stage.do(Pause()) == (Answer(Answered.PAUSED), Hush(), Card())
    stage.now += 60
    assert stage.position == 10
    assert stage.do(Resume()) == (Answer(Answered.RESUMED), Unhush(), Card())
    stage.now += 5
    assert stage.position == 15


def test_a_pause_before_the_first_sound_keeps_the_engine_still_from_the_start() -> None:
    stage = Stage()
    stage.do(Play((A, B), ANN))
    assert Hush() in stage.do(Pause())
    load, prefetch = stage.do(Resolved(1, FILE))
    assert (load, prefetch) == (Load(1, FILE, 0.0), Prefetch(Entry(2, B, ANN)))
    stage.now += 60
    assert stage.phase is Phase.PAUSED
    assert stage.do(Resume()) == (Answer(Answered.RESUMED), Unhush(), Card())
    assert (stage.phase, stage.position) == (Phase.PLAYING, 0.0)


def test_a_pause_while_the_deck_is_loading_holds_too() -> None:
    stage = Stage()
    stage.do(Play((A,), ANN))
    stage.do(Resolved(1, FILE))
    assert Hush() in stage.do(Pause())
    assert stage.do(Started(1)) == ()
    assert stage.phase is Phase.PAUSED


def test_resume_without_media_asks_for_it_once_more() -> None:
    stage = Stage()
    stage.do(Play((A,), ANN))
    stage.do(Pause())
    assert stage.do(Resume()) == (
        Answer(Answered.RESUMED),
        Unhush(),
        Resolve(2, Entry(1, A, ANN)),
        Card(),
    )
    assert stage.phase is Phase.RESOLVING


def test_resume_after_a_rest_begins_the_line() -> None:
    stage = Stage.resting(A, B)
    effects = stage.do(Resume())
    assert effects[:2] == (Answer(Answered.STARTING, track=A), Connect())
    assert (stage.current, stage.line) == ("A", "B")


# -- skip, back, stop
def test_skip_silences_the_old_track_while_the_next_is_resolved() -> None:
    stage = Stage.playing(A, B)
    assert stage.do(Skip()) == (
        Answer(Answered.SKIPPED, track=B),
        Silence(),
        Resolve(2, Entry(2, B, ANN)),
        Card(),
    )
    assert (stage.current, stage.line, stage.history) == ("B", "", "A")


def test_skip_counts_the_current_track() -> None:
    stage = Stage.playing(A, B, C, D)
    assert stage.reply(Skip(3)) == Answer(Answered.SKIPPED, track=D)
    assert (stage.current, stage.line, stage.history) == ("D", "", "ABC")


def test_skipping_all_that_waits_ends_the_music() -> None:
    stage = Stage.playing(A, B)
    assert stage.do(Skip(2)) == (Answer(Answered.SKIPPED, track=None), Card(), Leave())
    assert (stage.phase, stage.history) == (Phase.IDLE, "AB")


@pytest.mark.parametrize("count", [-1, 0, 3])
def test_skip_cannot_go_further_than_the_line(count: int) -> None:
    stage = Stage.playing(A, B)
    assert stage.reply(Skip(count)) == Refuse(Refused.NO_SUCH_PLACE, number=1)


def test_skip_to_a_place_in_the_line() -> None:
    stage = Stage.playing(A, B, C, D)
    assert stage.reply(SkipTo(2)) == Answer(Answered.SKIPPED, track=C)
    assert (stage.current, stage.line, stage.history) == ("C", "D", "AB")


def test_skip_to_begins_a_resting_line_there() -> None:
    stage = Stage.resting(A, B, C)
    assert stage.reply(SkipTo(2)) == Answer(Answered.SKIPPED, track=B)
    assert (stage.current, stage.line, stage.history) == ("B", "C", "A")


@pytest.mark.parametrize("place", [-1, 0, 3])
def test_a_place_that_is_not_in_the_line_is_refused(place: int) -> None:
    stage = Stage.playing(A, B, C)
    for wish in SkipTo(place), Remove(place), Move(place, 1), Move(1, place):
        assert stage.reply(wish) == Refuse(Refused.NO_SUCH_PLACE, number=2)


def test_an_empty_line_has_no_places() -> None:
    stage = Stage.playing(A)
    for wish in SkipTo(1), Remove(1), Move(1, 1), Clear():
        assert stage.reply(wish) == Refuse(Refused.QUEUE_EMPTY)


def test_skip_plays_although_paused() -> None:
    stage = Stage.playing(A, B)
    stage.do(Pause())
    assert stage.do(Skip())[1:4] == (Silence(), Unhush(), Resolve(2, Entry(2, B, ANN)))
    stage.sound()
    assert stage.phase is Phase.PLAYING


@pytest.mark.parametrize("wish", [PlayNow((C,), ANN), Previous(), SkipTo(1)])
def test_whatever_changes_the_track_plays_although_paused(wish) -> None:
    stage = Stage.playing(D, A, B)
    stage.do(Skip())
    stage.do(Pause())
    assert Unhush() in stage.do(wish)


def test_previous_goes_back_and_the_current_track_waits_first() -> None:
    stage = Stage.playing(A, B, C)
    stage.do(Skip())
    assert stage.reply(Previous()) == Answer(Answered.WENT_BACK, track=A)
    assert (stage.current, stage.line, stage.history) == ("A", "BC", "")
    assert stage.reply(Previous()) == Refuse(Refused.NO_PREVIOUS)


@pytest.mark.parametrize("loop", list(Loop))
@pytest.mark.parametrize("count", [1, 2, 3])
def test_previous_undoes_skip(loop: Loop, count: int) -> None:
    stage = Stage.playing(A, B, C, D)
    stage.do(SetLoop(loop))
    stage.do(Skip(count))
    for _ in range(count):
        stage.do(Previous())
    assert (stage.current, stage.line, stage.history) == ("A", "BCD", "")


def test_previous_works_after_the_music_has_ended() -> None:
    stage = Stage.playing(A)
    stage.do(Ended(1))
    assert stage.reply(Previous()) == Answer(Answered.WENT_BACK, track=A)
    assert (stage.phase, stage.line, stage.history) == (Phase.RESOLVING, "", "")


def test_stop_takes_the_line_away_and_restore_brings_it_back() -> None:
    stage = Stage.playing(A, B, C)
    stage.do(SetLoop(Loop.TRACK, 3))
    assert stage.do(Stop()) == (Answer(Answered.STOPPED), Card(), Leave())
    assert (stage.line, stage.cleared, stage.history) == ("", "BC", "A")
    assert (stage.player.loop, stage.player.loops_left) == (Loop.OFF, None)
    assert stage.reply(Restore()) == Answer(Answered.RESTORED, number=2)
    assert (stage.phase, stage.line, stage.cleared) == (Phase.IDLE, "BC", "")


def test_stop_takes_a_resting_line_away() -> None:
    stage = Stage.resting(A, B)
    assert stage.do(Stop()) == (Answer(Answered.STOPPED), Card())
    assert (stage.line, stage.cleared) == ("", "AB")


@pytest.mark.parametrize("wish", [Pause(), Resume(), Skip(), Stop(), Seek(1.0), SeekBy(1.0), Replay()])
def test_where_nothing_plays_there_is_nothing_to_change(wish) -> None:
    assert Stage().reply(wish) == Refuse(Refused.NOTHING_PLAYING)


def test_pause_and_resume_want_the_other_state() -> None:
    stage = Stage.playing(A)
    assert stage.reply(Resume()) == Refuse(Refused.NOT_PAUSED)
    stage.do(Pause())
    assert stage.reply(Pause()) == Refuse(Refused.ALREADY_PAUSED)


# -- seek
def test_seek_lands_where_it_was_sent_once_it_is_heard() -> None:
    stage = Stage.playing(A)
    stage.now += 30
    assert stage.do(Seek(50.0)) == (Answer(Answered.SOUGHT, seconds=50.0), Load(2, FILE, 50.0), Card())
    stage.now += 0.2
    assert (stage.phase, stage.position) == (Phase.STARTING, 50.0)
    stage.do(Started(2))
    stage.now += 1
    assert (stage.phase, stage.position) == (Phase.PLAYING, 51.0)


def test_seek_by_starts_from_the_true_position_and_stops_at_the_start() -> None:
    stage = Stage.playing(A)
    stage.now += 30
    assert stage.reply(SeekBy(15.0)) == Answer(Answered.SOUGHT, seconds=45.0)
    assert stage.reply(SeekBy(-15.0)) == Answer(Answered.SOUGHT, seconds=30.0)
    assert stage.reply(SeekBy(-99.0)) == Answer(Answered.SOUGHT, seconds=0.0)
    assert stage.reply(Seek(-1.0)) == Answer(Answered.SOUGHT, seconds=0.0)


def test_nobody_seeks_past_the_end() -> None:
    stage = Stage.playing(A)
    assert stage.reply(Seek(100.0)) == Refuse(Refused.PAST_THE_END, seconds=100.0)
    stage.now += 90
    assert stage.reply(SeekBy(10.0)) == Refuse(Refused.PAST_THE_END, seconds=100.0)
    assert stage.reply(Seek(99.5)) == Answer(Answered.SOUGHT, seconds=99.5)


def test_the_length_of_the_file_beats_that_of_the_source() -> None:
    stage = Stage()
    stage.do(Play((A,), ANN))
    stage.sound(Media("/music/A", duration=80.0))
    assert stage.reply(Seek(90.0)) == Refuse(Refused.PAST_THE_END, seconds=80.0)


def test_what_has_no_known_length_can_be_sought_anywhere() -> None:
    stage = Stage.playing(ENDLESS)
    assert stage.reply(Seek(86400.0)) == Answer(Answered.SOUGHT, seconds=86400.0)


def test_seek_before_the_media_is_there_begins_at_the_new_place() -> None:
    stage = Stage()
    stage.do(Play((A,), ANN))
    assert stage.do(Seek(40.0)) == (Answer(Answered.SOUGHT, seconds=40.0), Card())
    assert stage.do(Resolved(1, FILE))[0] == Load(1, FILE, 40.0)


def test_seek_in_a_pause_stays_paused() -> None:
    stage = Stage.playing(A)
    stage.do(Pause())
    assert Load(2, FILE, 40.0) in stage.do(Seek(40.0))
    assert stage.phase is Phase.PAUSED
    stage.do(Resume())
    stage.now += 2
    assert stage.position == 42.0


def test_replay_is_a_seek_to_the_start() -> None:
    stage = Stage.playing(A)
    stage.now += 30
    assert stage.do(Replay()) == (Answer(Answered.REPLAYED), Load(2, FILE, 0.0), Card())


# -- loop
def test_each_loop_has_its_answer() -> None:
    stage = Stage()
    assert stage.reply(SetLoop(Loop.TRACK)) == Answer(Answered.LOOP_TRACK)
    assert stage.reply(SetLoop(Loop.TRACK, 3)) == Answer(Answered.LOOP_TIMES, number=3)
    assert stage.player.loops_left == 3
    assert stage.reply(SetLoop(Loop.QUEUE)) == Answer(Answered.LOOP_QUEUE)
    assert stage.player.loops_left is None
    assert stage.reply(SetLoop(Loop.OFF)) == Answer(Answered.LOOP_OFF)


@pytest.mark.parametrize("times", [0, -1])
def test_no_more_times_is_no_loop(times: int) -> None:
    stage = Stage()
    stage.do(SetLoop(Loop.TRACK))
    assert stage.reply(SetLoop(Loop.TRACK, times)) == Answer(Answered.LOOP_OFF)
    assert (stage.player.loop, stage.player.loops_left) == (Loop.OFF, None)


def test_times_count_for_the_track_only() -> None:
    stage = Stage()
    assert stage.reply(SetLoop(Loop.QUEUE, 3)) == Answer(Answered.LOOP_QUEUE)
    assert (stage.player.loop, stage.player.loops_left) == (Loop.QUEUE, None)


def test_skip_really_skips_in_a_track_loop_and_the_loop_stays() -> None:
    stage = Stage.playing(A, B)
    stage.do(SetLoop(Loop.TRACK))
    stage.do(Skip())
    assert (stage.current, stage.player.loop) == ("B", Loop.TRACK)


def test_in_a_queue_loop_the_skipped_wait_again() -> None:
    stage = Stage.playing(A, B, C)
    stage.do(SetLoop(Loop.QUEUE))
    stage.do(Skip(2))
    assert (stage.current, stage.line) == ("C", "AB")


def test_in_a_queue_loop_one_track_alone_comes_again() -> None:
    stage = Stage.playing(A)
    stage.do(SetLoop(Loop.QUEUE))
    assert stage.reply(Skip()) == Answer(Answered.SKIPPED, track=A)
    assert (stage.current, stage.line, stage.history) == ("A", "", "")


def test_a_loop_changes_what_is_fetched_ahead() -> None:
    stage = Stage.playing(A, B)
    assert stage.do(SetLoop(Loop.TRACK)) == (Answer(Answered.LOOP_TRACK), Card())
    assert stage.do(SetLoop(Loop.OFF))[-1] == Prefetch(Entry(2, B, ANN))
