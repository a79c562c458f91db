"""Every state that a small player can reach, and every event in each of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import get_args

import attrs
import pytest
from player_invariants import check

from ryzen.player.effects import Answer, Answered, Effect, Notice, Noticed, Refuse, Refused
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
from ryzen.player.lineup import current
from ryzen.player.reduce import reduce
from ryzen.player.state import CUTS, Asker, Entry, Loop, Media, Phase, Player, Track

ANN = Asker(7, "Ann")
SHORT = Track("local:short", "Short", "local", "/short", duration=2.0)
UNKNOWN = Track("local:unknown", "Unknown", "local", "/unknown")
MEDIA = Media("/media", duration=2.0)

Code = Answered | Refused | Noticed
Said = tuple[type[Code], Code]


def alphabet(player: Player) -> Iterator[PlayerEvent]:
    """Every event worth trying in a state."""
    yield from (Play((SHORT,), ANN), Play((UNKNOWN,), ANN), Play((SHORT, UNKNOWN), ANN))
    yield from (PlayNow((SHORT,), ANN), PlayNext((UNKNOWN,), ANN))
    yield from (Pause(), Resume(), Previous(), Stop(), Replay(), Clear(), Restore(), Shuffle(seed=1))
    yield from (Skip(0), Skip(1), Skip(2), Skip(9), SkipTo(1), SkipTo(2), SkipTo(9))
    yield from (Seek(1.0), SeekBy(-1.0), Seek(1.0 if player.duration is None else 2.0))
    yield from (SetLoop(Loop.OFF), SetLoop(Loop.TRACK), SetLoop(Loop.TRACK, 1), SetLoop(Loop.QUEUE))
    yield from (Move(1, 2), Move(1, 9), Remove(1), Remove(9))
    for epoch in (player.epoch - 1, player.epoch):
        yield from (Resolved(epoch, MEDIA), Started(epoch), Positioned(epoch, 1.0))
        yield from (Ended(epoch), TrackFailed(epoch, "broken"))
    yield VoiceFailed("lost")
    yield from (Recovered(1), Recovered(2), Recovered(3), TakenOver(), TakenOver(hopeless=True))
    yield from (Recollected(()), Recollected((Entry(1, SHORT, ANN), Entry(2, UNKNOWN, ANN))))


FETCHED = (
    Media("/fetched", duration=2.0, fetched=True),
    Media("/live", fetched=True, live=True),
)


def fetching(player: Player) -> Iterator[PlayerEvent]:
    """What matters where media is fetched, or live."""
    yield from (Play((SHORT,), ANN), PlayNow((SHORT,), ANN), Pause(), Resume(), Skip(1))
    yield from (Seek(1.0), SeekBy(-1.0), Replay(), SetLoop(Loop.TRACK))
    for epoch in (player.epoch - 1, player.epoch):
        yield from (Resolved(epoch, media) for media in FETCHED)
        yield from (Started(epoch), Ended(epoch), SourceFailed(epoch, "tube", "down"))
        yield from (TrackFailed(epoch, "cut-short", at) for at in (None, 9.0))
        yield TrackFailed(epoch, "missing")
    yield from (VoiceFailed("lost"), Recovered(1), TakenOver())


def canonical(player: Player) -> Player:
    """The same player with everything forgotten that no rule looks at.

    Ids and epochs count from the start, of the past and of the cleared one entry is left, and only the
    current track and the next keep their names. What is left is finite, and every one of it a good player.
    """
    past, cleared = player.history[-1:], player.cleared[:1]
    line = (*current(player), *player.queue, *past, *cleared)
    number = {id: n for n, id in enumerate(dict.fromkeys(entry.id for entry in line), 1)}
    told_apart = {entry.id for entry in (*current(player), *player.queue[:1])}

    def plain(entries: Iterable[Entry]) -> tuple[Entry, ...]:
        return tuple(
            Entry(number[entry.id], entry.track if entry.id in told_apart else SHORT, ANN)
            for entry in entries
        )

    return attrs.evolve(
        player,
        epoch=0,
        next_id=len(number) + 1,
        current=next(iter(plain(current(player))), None),
        queue=plain(player.queue),
        history=plain(past),
        cleared=plain(cleared),
    )


def codes(these: Iterable[Code]) -> set[Said]:
    """With their types: an answer and a notice of the same name are equal as texts, and not the same."""
    return {(type(code), code) for code in these}


def walk(
    start: Player, events: Callable[[Player], Iterable[PlayerEvent]]
) -> tuple[set[Player], set[type[Effect]], set[Said]]:
    """Every state from there on, what was done, and what was said."""
    seen, ahead, steps = {start}, deque([start]), 0
    done: set[type[Effect]] = set()
    said: set[Said] = set()
    while ahead:
        player = ahead.popleft()
        for event in events(player):
            after, effects = reduce(player, event, 0.0)
            check(player, event, 0.0, after, effects)
            steps += 1
            done.update(type(effect) for effect in effects)
            said |= codes(effect.code for effect in effects if isinstance(effect, Answer | Refuse | Notice))
            if (found := canonical(after)) not in seen:
                seen.add(found)
                ahead.append(found)
    print(f"{len(seen)} states, {steps} steps")
    return seen, done, said


@pytest.mark.timeout(300)
def test_every_event_in_every_state_keeps_every_law() -> None:
    """9,156 states, 448,644 steps; between them all that a player can say or do is said and done, but for
    what needs the world outside."""
    seen, done, said = walk(Player(limit=2), alphabet)
    assert {player.phase for player in seen} == set(Phase)
    assert done == set(get_args(Effect))
    of_fetching = (Noticed.SOURCE_AWAY, Refused.NOT_SEEKABLE)
    its_chats = (Noticed.FELL_OVER, Noticed.MUST_WAIT, Refused.ALREADY_MUTED, Refused.NOT_MUTED)
    assert said == codes((*Answered, *Refused, *Noticed)) - codes((*its_chats, *of_fetching))


@pytest.mark.timeout(300)
def test_every_event_in_every_state_keeps_every_law_where_media_is_fetched() -> None:
    seen, _, said = walk(Player(limit=1), fetching)
    assert {player.cuts for player in seen} == set(range(CUTS + 1))
    assert said >= codes((Noticed.SOURCE_AWAY, Refused.NOT_SEEKABLE))
