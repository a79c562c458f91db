"""What a listener may wish of the line: play, move, remove, shuffle, clear, restore."""

from __future__ import annotations

import pytest
from player_stage import ANN, FILE, A, B, C, D, E, Stage

from ryzen.player.effects import (
    Answer,
    Answered,
    Card,
    Connect,
    Load,
    Prefetch,
    Refuse,
    Refused,
    Resolve,
    Silence,
)
from ryzen.player.events import (
    Clear,
    Move,
    Play,
    PlayNext,
    PlayNow,
    Previous,
    Remove,
    Resolved,
    Restore,
    SetLoop,
    Shuffle,
    Skip,
    Started,
    Stop,
    VoiceFailed,
)
from ryzen.player.state import Entry, Loop, Phase


# -- play
def test_the_first_track_begins_at_once() -> None:
    stage = Stage()
    entry = Entry(1, A, ANN)
    assert stage.do(Play((A,), ANN)) == (
        Answer(Answered.STARTING, track=A, number=1),
        Connect(),
        Resolve(1, entry),
        Card(),
    )
    assert stage.do(Resolved(1, FILE)) == (Load(1, FILE, 0.0), Card())
    assert stage.do(Started(1)) == (Card(),)
    assert stage.phase is Phase.PLAYING


def test_a_second_track_waits_and_its_media_is_fetched_ahead() -> None:
    stage = Stage.playing(A)
    reply, card, prefetch = stage.do(Play((B,), ANN))
    assert reply == Answer(Answered.QUEUED, track=B, number=1)
    assert (card, prefetch) == (Card(), Prefetch(Entry(2, B, ANN)))
    assert stage.reply(Play((C,), ANN)) == Answer(Answered.QUEUED, track=C, number=2)
    assert (stage.current, stage.line) == ("A", "BC")


def test_several_tracks_begin_or_wait_together() -> None:
    stage = Stage()
    assert stage.reply(Play((A, B), ANN)) == Answer(Answered.STARTING, track=A, number=2)
    assert stage.reply(Play((C, D), ANN)) == Answer(Answered.QUEUED_MANY, number=2)
    assert (stage.current, stage.line) == ("A", "BCD")


def test_a_full_line_takes_what_fits_and_refuses_the_rest() -> None:
    stage = Stage(limit=2)
    assert stage.reply(Play((A, B, C, D), ANN)) == Answer(Answered.STARTING, track=A, number=3)
    assert (stage.current, stage.line) == ("A", "BC")
    assert stage.reply(Play((E,), ANN)) == Refuse(Refused.QUEUE_FULL, number=2)
    assert stage.reply(PlayNext((E,), ANN)) == Refuse(Refused.QUEUE_FULL, number=2)
    stage.do(Skip())
    assert stage.reply(Play((D, E), ANN)) == Answer(Answered.QUEUED_MANY, number=1)
    assert stage.line == "CD"


def test_no_limit_is_no_limit() -> None:
    stage = Stage.playing(*(A for _ in range(500)), limit=0)
    assert len(stage.player.queue) == 499
    assert stage.reply(Play((B,), ANN)) == Answer(Answered.QUEUED, track=B, number=500)


def test_play_after_a_rest_begins_the_line_and_waits_at_its_end() -> None:
    stage = Stage.resting(A, B)
    assert stage.reply(Play((C,), ANN)) == Answer(Answered.QUEUED, track=C, number=2)
    assert (stage.phase, stage.current, stage.line) == (Phase.RESOLVING, "A", "BC")


def test_the_same_play_again_after_a_rest_begins_the_line_without_a_double() -> None:
    stage = Stage.resting(A, B)
    assert stage.reply(Play((A,), ANN)) == Answer(Answered.STARTING, track=A)
    assert (stage.current, stage.line) == ("A", "B")


def test_the_same_play_again_beside_others_is_a_play_of_its_own() -> None:
    stage = Stage.resting(A, B)
    assert stage.reply(Play((A, C), ANN)) == Answer(Answered.QUEUED_MANY, number=2)
    assert (stage.current, stage.line) == ("A", "BAC")


def test_the_same_track_may_wait_twice() -> None:
    stage = Stage.playing(A, B)
    stage.do(Play((B,), ANN))
    assert stage.line == "BB"


def test_a_line_over_its_limit_takes_nobody_even_at_rest() -> None:
    stage = Stage.resting(A, B, C, limit=2)
    assert stage.line == "ABC"
    assert stage.reply(Play((D,), ANN)) == Refuse(Refused.QUEUE_FULL, number=2)
    assert stage.reply(PlayNow((D,), ANN)) == Refuse(Refused.QUEUE_FULL, number=2)
    assert stage.reply(PlayNext((D,), ANN)) == Refuse(Refused.QUEUE_FULL, number=2)
    assert stage.reply(Play((A,), ANN)) == Answer(Answered.STARTING, track=A)


def test_play_of_nothing_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="tracks"):
        Play((), ANN)


def test_play_now_replaces_the_current_track_and_keeps_the_line() -> None:
    stage = Stage.playing(A, B, limit=1)
    effects = stage.do(PlayNow((C,), ANN))
    assert effects[:2] == (Answer(Answered.STARTING, track=C, number=1), Silence())
    assert (stage.current, stage.line, stage.history) == ("C", "B", "A")


def test_play_now_does_not_let_the_replaced_wait_again_in_a_queue_loop() -> None:
    stage = Stage.playing(A, B)
    stage.do(SetLoop(Loop.QUEUE))
    stage.do(PlayNow((C,), ANN))
    assert (stage.current, stage.line, stage.history) == ("C", "B", "A")


def test_play_next_is_first_in_the_line() -> None:
    stage = Stage.playing(A, B)
    assert stage.reply(PlayNext((C,), ANN)) == Answer(Answered.QUEUED, track=C, number=1)
    assert Prefetch(stage.player.queue[0]) in stage.effects
    assert stage.line == "CB"


@pytest.mark.parametrize("wish", [PlayNow((C,), ANN), PlayNext((C,), ANN)])
def test_play_now_and_next_begin_before_a_resting_line(wish) -> None:
    stage = Stage.resting(A, B)
    assert stage.reply(wish) == Answer(Answered.STARTING, track=C, number=1)
    assert (stage.current, stage.line) == ("C", "AB")


def test_several_that_play_next_come_in_their_order_and_as_many_as_fit() -> None:
    stage = Stage.playing(A, B, limit=3)
    assert stage.reply(PlayNext((C, D, E), ANN)) == Answer(Answered.QUEUED_MANY, number=2)
    assert stage.line == "CDB"


def test_of_several_that_play_now_the_first_begins_and_the_others_come_next() -> None:
    stage = Stage.playing(A, B, limit=2)
    assert stage.reply(PlayNow((C, D, E), ANN)) == Answer(Answered.STARTING, track=C, number=2)
    assert (stage.current, stage.line, stage.history) == ("C", "DB", "A")


# -- the line
def test_move_takes_an_entry_from_one_place_to_another() -> None:
    stage = Stage.playing(A, B, C, D)
    assert stage.reply(Move(1, 3)) == Answer(Answered.MOVED, track=B, number=3)
    assert stage.line == "CDB"
    stage.do(Move(3, 1))
    assert stage.line == "BCD"
    stage.do(Move(2, 2))
    assert stage.line == "BCD"


def test_remove_takes_an_entry_out() -> None:
    stage = Stage.playing(A, B, C, D)
    assert stage.reply(Remove(2)) == Answer(Answered.REMOVED, track=C)
    assert stage.line == "BD"


def test_shuffle_keeps_everybody_and_the_same_seed_gives_the_same_order() -> None:
    orders = set()
    for seed in range(20):
        one, other = Stage.playing(A, B, C, D, E), Stage.playing(A, B, C, D, E)
        assert one.reply(Shuffle(seed)) == Answer(Answered.SHUFFLED)
        other.do(Shuffle(seed))
        assert one.line == other.line
        assert sorted(one.line) == list("BCDE")
        orders.add(one.line)
    assert len(orders) > 5


def test_shuffle_needs_two() -> None:
    assert Stage.playing(A, B).reply(Shuffle(1)) == Refuse(Refused.NEEDS_TWO)
    assert Stage.playing(A, B, C).reply(Shuffle(1)) == Answer(Answered.SHUFFLED)


def test_clear_empties_the_line_and_what_plays_goes_on() -> None:
    stage = Stage.playing(A, B, C)
    assert stage.do(Clear()) == (Answer(Answered.CLEARED, number=2), Card())
    assert (stage.phase, stage.current, stage.line, stage.cleared) == (Phase.PLAYING, "A", "", "BC")


def test_restore_puts_the_cleared_at_the_end() -> None:
    stage = Stage.playing(A, B, C)
    stage.do(Clear())
    stage.do(Play((D,), ANN))
    stage.do(Restore())
    assert (stage.line, stage.cleared) == ("DBC", "")
    assert stage.reply(Restore()) == Refuse(Refused.NOTHING_CLEARED)


def test_restore_keeps_to_the_limit_and_the_others_stay_cleared() -> None:
    stage = Stage.playing(A, B, C, limit=2)
    stage.do(Clear())
    stage.do(Play((D,), ANN))
    assert stage.reply(Restore()) == Answer(Answered.RESTORED, number=1)
    assert (stage.line, stage.cleared) == ("DB", "C")
    assert stage.reply(Restore()) == Refuse(Refused.QUEUE_FULL, number=2)


def test_nothing_is_restored_to_a_line_over_its_limit() -> None:
    stage = Stage.playing(A, B, C, limit=1)
    stage.do(Clear())
    stage.do(Play((D,), ANN))
    stage.do(VoiceFailed("lost"))
    assert (stage.line, stage.cleared) == ("AD", "B")
    assert stage.reply(Restore()) == Refuse(Refused.QUEUE_FULL, number=1)


def test_the_last_clear_counts_and_a_stop_of_nothing_takes_nothing_away() -> None:
    stage = Stage.playing(A, B)
    stage.do(Clear())
    stage.do(Play((C,), ANN))
    stage.do(Clear())
    assert stage.cleared == "C"
    stage.do(Stop())
    assert stage.cleared == "C"


def test_what_plays_again_is_no_longer_cleared() -> None:
    """A queue loop remembers an entry that waits; once cleared, Previous may still bring it back."""
    stage = Stage.playing(A, B)
    stage.do(SetLoop(Loop.QUEUE))
    stage.do(Skip())
    stage.do(Clear())
    assert (stage.cleared, stage.history) == ("A", "A")
    stage.do(Previous())
    assert (stage.current, stage.line, stage.cleared, stage.history) == ("A", "B", "", "")
