"""What a player makes of media that is fetched while it plays, of sources that refuse, of what is live."""

from __future__ import annotations

import pytest
from player_stage import ANN, ENDLESS, FILE, A, B, C, Stage

from ryzen.errors import TrackTrouble
from ryzen.player import facts
from ryzen.player.effects import (
    Answered,
    Card,
    Leave,
    Load,
    Notice,
    Noticed,
    Prefetch,
    Refuse,
    Refused,
    Resolve,
    Silence,
    Unhush,
)
from ryzen.player.events import (
    Ended,
    Pause,
    Play,
    Replay,
    Resolved,
    Resume,
    Seek,
    SeekBy,
    SetLoop,
    Skip,
    SourceFailed,
    Started,
    TrackFailed,
    VoiceFailed,
)
from ryzen.player.state import CUTS, PROGRESS, Entry, Loop, Media, Phase

FETCHED = Media("/cache/song", duration=100.0, fetched=True)
LIVE = Media("/cache/station", fetched=True, live=True)
CUT, MISSING = str(TrackTrouble.CUT_SHORT), str(TrackTrouble.MISSING)


def playing(media: Media = FETCHED) -> Stage:
    """A is heard, B waits."""
    stage = Stage()
    stage.do(Play((A if media is not LIVE else ENDLESS, B), ANN))
    stage.sound(media)
    return stage


def cut(stage: Stage, position: float | None) -> None:
    stage.do(TrackFailed(stage.player.epoch, CUT, position))


# -- what breaks off
def test_the_troubles_that_are_not_the_tracks_are_those_of_the_error_tree() -> None:
    assert (facts.CUT_SHORT, facts.MISSING) == (CUT, MISSING)


def test_a_cut_track_is_fetched_again_and_goes_on_from_where_it_stopped() -> None:
    stage = playing()
    stage.now += 30
    effects = stage.do(TrackFailed(1, CUT, 42.0))
    assert effects == (Resolve(2, Entry(1, A, ANN), again=True), Card())  # and no Silence: the deck plays out
    assert (stage.phase, stage.current, stage.position) == (Phase.RESOLVING, "A", 42.0)
    assert stage.do(Resolved(2, FETCHED)) == (Load(2, FETCHED, 42.0), Card())
    stage.do(Started(2))
    stage.now += 3
    assert stage.position == 45.0


def test_a_file_that_was_put_out_of_the_cache_is_asked_for_again_where_the_seek_went() -> None:
    stage = playing()
    stage.do(Seek(70.0))
    assert stage.do(TrackFailed(2, MISSING)) == (Resolve(3, Entry(1, A, ANN), again=False), Card())
    assert stage.position == 70.0


def test_a_cut_without_a_word_of_where_is_at_the_present_position() -> None:
    stage = playing()
    stage.now += 30
    cut(stage, None)
    assert stage.position == 30.0


def test_a_cut_in_a_pause_stays_paused_and_is_fetched_meanwhile() -> None:
    stage = playing()
    stage.do(Pause())
    stage.do(TrackFailed(1, CUT, 42.0))
    assert (stage.phase, stage.position) == (Phase.PAUSED, 42.0)
    assert Resolve(2, Entry(1, A, ANN), again=True) in stage.effects
    assert stage.do(Resolved(2, FETCHED)) == (Load(2, FETCHED, 42.0), Prefetch(Entry(2, B, ANN)))
    assert Unhush() in stage.do(Resume())


def test_a_resume_before_a_cut_track_is_back_does_not_trust_what_was_fetched() -> None:
    stage = playing()
    stage.do(Pause())
    cut(stage, 42.0)
    assert Resolve(3, Entry(1, A, ANN), again=True) in stage.do(Resume())
    stage.sound(FETCHED)
    stage.do(TrackFailed(3, MISSING, 60.0))
    assert Resolve(4, Entry(1, A, ANN), again=False) in stage.effects


def test_a_track_that_breaks_off_at_one_place_again_and_again_is_a_failure_in_the_end() -> None:
    stage = playing()
    for _ in range(CUTS):
        cut(stage, 42.0)
        assert stage.current == "A"
        stage.sound(FETCHED)
    failed = Notice(Noticed.TRACK_FAILED, track=A, reason=CUT)
    assert failed in stage.do(TrackFailed(stage.player.epoch, CUT, 42.0 + PROGRESS - 0.1))
    assert stage.current == "B"
    assert stage.player.cuts == 0


def test_a_track_that_gets_on_between_its_cuts_is_heard_to_the_end() -> None:
    stage = playing()
    for piece in range(15):
        cut(stage, PROGRESS * (piece + 1))
        stage.sound(FETCHED)
        assert (stage.current, stage.player.cuts) == ("A", 1)


def test_the_cuts_of_one_track_are_not_held_against_the_next() -> None:
    stage = playing()
    for _ in range(CUTS):
        cut(stage, 1.0)
        stage.sound(FETCHED)
    stage.do(Skip())
    stage.sound(FETCHED)
    cut(stage, 1.0)
    assert (stage.current, stage.player.cuts) == ("B", 1)


def test_a_rest_forgets_the_cuts() -> None:
    stage = playing()
    for _ in range(CUTS):
        cut(stage, 1.0)
        stage.sound(FETCHED)
    stage.do(VoiceFailed("closed"))
    stage.do(Resume())
    stage.sound(FETCHED)
    cut(stage, 1.0)
    assert (stage.current, stage.player.cuts) == ("A", 1)


@pytest.mark.parametrize(("media", "trouble"), [(FILE, CUT), (FILE, MISSING), (FETCHED, "broken")])
def test_a_file_of_our_own_and_a_broken_one_are_not_asked_for_again(media: Media, trouble: str) -> None:
    stage = playing(media)
    assert Notice(Noticed.TRACK_FAILED, track=A, reason=trouble) in stage.do(TrackFailed(1, trouble, 42.0))
    assert stage.current == "B"


def test_a_track_that_is_missing_at_its_source_is_a_failure() -> None:
    stage = Stage()
    stage.do(Play((A, B), ANN))
    assert Notice(Noticed.TRACK_FAILED, track=A, reason=MISSING) in stage.do(TrackFailed(1, MISSING))


# -- sources that refuse
def test_a_source_that_is_away_burns_no_queue() -> None:
    stage = Stage()
    stage.do(Play((A, B, C), ANN))
    away = Notice(Noticed.SOURCE_AWAY, reason="bot-check", source="youtube")
    assert stage.do(SourceFailed(1, "youtube", "bot-check")) == (Card(), away, Leave())
    assert (stage.phase, stage.line, stage.player.failures) == (Phase.IDLE, "ABC", 0)
    assert stage.reply(Resume()).code is Answered.STARTING
    assert stage.current == "A"


def test_a_late_word_of_a_source_that_is_away_disturbs_nothing_that_plays() -> None:
    stage = playing()
    assert stage.do(SourceFailed(1, "youtube", "bot-check")) == ()
    stage.do(Skip())
    assert stage.do(SourceFailed(1, "youtube", "bot-check")) == ()


# -- what is live
def test_what_is_live_begins_where_it_is_now() -> None:
    stage = Stage()
    stage.do(Play((ENDLESS,), ANN))
    stage.do(Seek(70.0))
    assert stage.do(Resolved(1, LIVE)) == (Load(1, LIVE, 0.0), Card())


@pytest.mark.parametrize("wish", [Seek(5.0), SeekBy(-5.0), Replay()])
def test_in_what_is_live_there_is_nowhere_to_go(wish: Seek | SeekBy | Replay) -> None:
    assert playing(LIVE).do(wish) == (Refuse(Refused.NOT_SEEKABLE),)


def test_after_a_pause_what_is_live_goes_on_with_what_is_on_now() -> None:
    stage = playing(LIVE)
    stage.now += 30
    stage.do(Pause())
    stage.now += 3600
    assert stage.do(Resume())[1:] == (Silence(), Unhush(), Resolve(2, Entry(1, ENDLESS, ANN)), Card())
    stage.sound(LIVE)
    assert stage.position == 0.0


def test_a_stream_that_breaks_off_is_asked_for_again_as_often_as_it_gets_on() -> None:
    stage = playing(LIVE)
    for _ in range(10):
        stage.now += 300.0
        cut(stage, 300.0)
        stage.sound(LIVE)
        assert (stage.current, stage.position) == ("x", 0.0)
    for _ in range(CUTS - 1):
        cut(stage, 1.0)
        stage.sound(LIVE)
    assert stage.current == "x"
    cut(stage, 1.0)
    assert stage.current == "B"


def test_a_stream_that_is_over_is_over_whatever_the_loop() -> None:
    stage = playing(LIVE)
    stage.do(SetLoop(Loop.TRACK))
    stage.do(Ended(1))
    assert stage.current == "B"
