"""Long evenings in moving time."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from player_stage import ANN, A, B, Stage

from ryzen.player.effects import Answer, Answered, Load, Refuse
from ryzen.player.events import (
    Clear,
    Ended,
    Move,
    Pause,
    Play,
    PlayerEvent,
    PlayNext,
    PlayNow,
    Positioned,
    Previous,
    Recollected,
    Recovered,
    Remove,
    Replay,
    Resolved,
    Restore,
    Resume,
    Seek,
    SeekBy,
    SetLoop,
    Shuffle,
    Skip,
    SkipTo,
    SourceFailed,
    Started,
    Stop,
    TakenOver,
    TrackFailed,
    VoiceFailed,
)
from ryzen.player.state import Entry, Loop, Media, Phase, Player, Track

RADIO = Track("radio:x", "R", "radio", "https://radio.example")
seconds = st.floats(0.0, 200.0)
places = st.integers(-1, 5)
tracks = st.sampled_from([A, B, RADIO])
media = st.sampled_from(
    [
        Media("/known", duration=90.0),
        Media("/unknown"),
        Media("/fetched", duration=90.0, fetched=True),
        Media("/live", fetched=True, live=True),
    ]
)

wishes = st.one_of(
    st.builds(Play, st.lists(tracks, min_size=1, max_size=4).map(tuple), st.just(ANN)),
    st.builds(PlayNow, st.lists(tracks, min_size=1, max_size=3).map(tuple), st.just(ANN)),
    st.builds(PlayNext, st.lists(tracks, min_size=1, max_size=3).map(tuple), st.just(ANN)),
    st.sampled_from([Pause(), Resume(), Previous(), Stop(), Replay(), Clear(), Restore()]),
    st.builds(Skip, places),
    st.builds(SkipTo, places),
    st.builds(Seek, seconds),
    st.builds(SeekBy, st.floats(-200.0, 200.0)),
    st.builds(SetLoop, st.sampled_from(Loop), st.none() | places),
    st.builds(Shuffle, st.integers()),
    st.builds(Move, places, places),
    st.builds(Remove, places),
)
crises = st.builds(VoiceFailed, st.just("lost")) | st.builds(Recovered, st.integers(0, 4))
lines = st.lists(st.builds(Entry, st.integers(1, 9), tracks, st.just(ANN)), max_size=3).map(tuple)
restarts = st.builds(TakenOver, st.booleans()) | st.builds(Recollected, lines)
ages = st.sampled_from([0, 0, 0, -1])  #: epochs are counted from the player's, once it is known
facts = st.one_of(
    st.builds(Resolved, ages, media),
    st.builds(Started, ages),
    st.builds(Positioned, ages, st.floats(-1.0, 200.0)),
    st.builds(Ended, ages),
    st.builds(TrackFailed, ages, st.just("broken")),
    st.builds(TrackFailed, ages, st.sampled_from(["cut-short", "missing"]), st.none() | seconds),
    st.builds(SourceFailed, ages, st.just("tube"), st.just("down")),
)
expected = st.none()  #: what the player waits for
kinds = st.sampled_from([expected] * 8 + [wishes] * 8 + [facts] * 3 + [crises, restarts])
evenings = st.lists(st.tuples(seconds, kinds.flatmap(lambda kind: kind)), min_size=20, max_size=80)


def settle(event: PlayerEvent | None, player: Player) -> PlayerEvent:
    match event:
        case None if player.current is None:
            return Play((A, RADIO), ANN)
        case None if player.media is None:
            return Resolved(player.epoch, Media("/known", duration=90.0))
        case None:
            return Started(player.epoch)
        case Resolved() | Started() | Positioned() | Ended() | TrackFailed() | SourceFailed():
            return attrs.evolve(event, epoch=player.epoch + event.epoch)
        case _:
            return event


@given(evenings, st.integers(0, 4))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_time_is_kept_through_a_long_evening(
    evening: list[tuple[float, PlayerEvent | None]], limit: int
) -> None:
    stage = Stage(limit=limit)
    for passed, drawn in evening:
        stage.now += passed
        position, before = stage.position, stage.player
        event = settle(drawn, before)
        effects = stage.do(event)
        after = stage.player

        assert stage.position >= 0.0
        assert after.duration is None or stage.position <= after.duration
        if after.phase is not Phase.PLAYING:
            assert after.position(stage.now + 99.0) == stage.position
        elif after.duration is None:
            assert after.position(stage.now + 99.0) == pytest.approx(stage.position + 99.0)
        match event, effects:
            case ((Pause() | Resume()), (Answer(Answered.PAUSED | Answered.RESUMED), *_)):
                assert stage.position == position
            case _, (Answer(Answered.SOUGHT, seconds=landed), *_):
                assert after.offset == landed
            case _, (Refuse(), *_):
                assert stage.position == position
            case ((Recovered(0 | 1) | TakenOver(False)), _) if before.current is not None:
                assert (after.current, after.offset) == (before.current, position)
            case Positioned(told_epoch, told), _ if (
                told_epoch == before.epoch and Phase.PLAYING is after.phase
            ):
                assert after.offset == max(0.0, told)
        if after.current != before.current:
            assert stage.position == 0.0
        assert all(effect.offset >= 0.0 for effect in effects if isinstance(effect, Load))


HABITS: dict[str, PlayerEvent] = {
    "skip": Skip(),
    "back": Previous(),
    "now": PlayNow((A,), ANN),
    "lose": VoiceFailed("lost"),
    "kill": TakenOver(hopeless=True),
    "next": PlayNext((B,), ANN),
    "ring": SetLoop(Loop.QUEUE),
}


@given(st.lists(st.sampled_from(sorted(HABITS)), max_size=300))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_no_habit_grows_a_line_without_end(habits: list[str]) -> None:
    """What comes back may exceed the limit, but never without bound: see ``check``."""
    stage = Stage(limit=2)
    for habit in habits:
        stage.do(HABITS[habit])


@pytest.mark.parametrize("habit", ["back", "lose", "kill"])
def test_play_now_over_and_over_ends_at_the_limit(habit: str) -> None:
    stage = Stage(limit=3)
    for _ in range(200):
        stage.do(HABITS["now"])
        stage.do(HABITS[habit])
    assert len(stage.player.queue) == 4
