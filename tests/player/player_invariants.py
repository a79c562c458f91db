"""What holds at every step of every player, whatever happened before. ``check`` says which law is broken."""

from __future__ import annotations

import attrs

from ryzen.player.effects import (
    Answer,
    Card,
    Connect,
    Effect,
    Hush,
    Leave,
    Load,
    Notice,
    Prefetch,
    Refuse,
    Resolve,
    Silence,
    Unhush,
)
from ryzen.player.events import (
    Clear,
    Ended,
    Pause,
    Play,
    PlayerEvent,
    PlayNext,
    PlayNow,
    Positioned,
    Recollected,
    Recovered,
    Remove,
    Resume,
    Seek,
    SeekBy,
    Stop,
    TakenOver,
    TrackFailed,
    Wish,
)
from ryzen.player.lineup import current
from ryzen.player.reduce import reduce
from ryzen.player.state import CUTS, MEMORY, PATIENCE, Entry, Loop, Media, Phase, Player

ORDER = (
    (Answer, Refuse),
    (Connect,),
    (Silence,),
    (Hush, Unhush),
    (Resolve, Load),
    (Card,),
    (Notice,),
    (Prefetch,),
    (Leave,),
)
Fresh = Recovered | TakenOver  #: a new incarnation, which trusts nothing that was done before it


def check(before: Player, event: PlayerEvent, at: float, after: Player, effects: tuple[Effect, ...]) -> None:
    a_player_is_in_one_piece(after)
    effects_come_in_order(effects)
    a_wish_is_answered_once(before, event, after, effects)
    a_stale_fact_changes_nothing(before, event, after, effects)
    an_epoch_names_one_stream(before, event, after)
    entries_are_neither_lost_nor_doubled(before, event, after)
    a_new_process_takes_over_all_there_was(before, event, at, after, effects)
    what_turns_up_late_only_waits_for_restore(before, event, after, effects)
    the_world_follows(before, event, after, effects)
    the_card_shows_what_is(before, event, after, effects)
    the_next_is_fetched_ahead(before, after, effects)
    no_fact_starts_sound_in_a_paused_chat(before, event, after)


def a_player_is_in_one_piece(player: Player) -> None:
    phase, media = player.phase, player.media
    assert (player.current is None) == (phase is Phase.IDLE)
    assert (player.since is not None) == (phase is Phase.PLAYING)
    assert media is None or phase in (Phase.STARTING, Phase.PLAYING, Phase.PAUSED)
    assert media is not None or phase in (Phase.IDLE, Phase.RESOLVING, Phase.PAUSED)
    assert player.offset >= 0.0
    assert player.offset == 0.0 or player.current is not None
    assert 0 <= player.failures < PATIENCE
    assert player.failures == 0 or phase is not Phase.IDLE
    assert 0 <= player.cuts <= CUTS
    assert player.cuts == 0 or phase is not Phase.IDLE
    assert not player.anew or (player.cuts > 0 and media is None)
    assert player.loops_left is None or (player.loop is Loop.TRACK and player.loops_left > 0)
    assert len(player.history) <= MEMORY
    # Previous and a lost call bring back what had its place before, even over the limit
    assert player.limit == 0 or len(player.queue) <= player.limit + MEMORY + 1


def effects_come_in_order(effects: tuple[Effect, ...]) -> None:
    ranks = [next(rank for rank, kinds in enumerate(ORDER) if isinstance(e, kinds)) for e in effects]
    assert ranks == sorted(ranks)
    once = [rank for rank in ranks if ORDER[rank] != (Notice,)]
    assert len(once) == len(set(once))


def a_wish_is_answered_once(
    before: Player, event: PlayerEvent, after: Player, effects: tuple[Effect, ...]
) -> None:
    replies = [e for e in effects if isinstance(e, Answer | Refuse)]
    assert len(replies) == isinstance(event, Wish)
    if any(isinstance(reply, Refuse) for reply in replies):
        assert len(effects) == 1
        assert after == before
    if isinstance(event, Wish):
        assert not any(isinstance(e, Notice) for e in effects)


def a_stale_fact_changes_nothing(
    before: Player, event: PlayerEvent, after: Player, effects: tuple[Effect, ...]
) -> None:
    if getattr(event, "epoch", before.epoch) != before.epoch:
        assert (after, effects) == (before, ())


def an_epoch_names_one_stream(before: Player, event: PlayerEvent, after: Player) -> None:
    assert after.epoch in (before.epoch, before.epoch + 1)
    if isinstance(event, Fresh):
        assert after.epoch == before.epoch + 1
    if after.epoch == before.epoch:
        assert after.current == before.current
        assert before.media in (None, after.media)


def entries_are_neither_lost_nor_doubled(before: Player, event: PlayerEvent, after: Player) -> None:
    places = _ids(after.current, *after.queue, *after.cleared)
    past = _ids(*after.history)
    assert len(places) == len(set(places))
    assert len(past) == len(set(past))
    assert after.current is None or after.current.id not in past
    assert (
        after.loop is Loop.QUEUE or before.loop is Loop.QUEUE or not set(past) & set(places) - _both(before)
    )

    known, kept = _all(before), _all(after)
    made = kept - known
    assert made == set(range(before.next_id, after.next_id))
    assert isinstance(event, Play | PlayNow | PlayNext | Recollected) or not made

    lost = known - kept
    if isinstance(event, Remove | TrackFailed):
        assert len(lost) <= 1
    elif isinstance(event, Clear | Stop):
        assert lost <= set(_ids(*before.cleared))
    elif isinstance(event, TakenOver | Recollected):
        assert not lost
    else:
        assert not lost or len(after.history) == MEMORY


def a_new_process_takes_over_all_there_was(
    before: Player, event: PlayerEvent, at: float, after: Player, effects: tuple[Effect, ...]
) -> None:
    """The position too, unless it is hopeless. What a store does not keep makes no difference."""
    if not isinstance(event, TakenOver):
        return
    assert reduce(standing(before, at), event, at) == (after, effects)
    line = (*current(before), *before.queue)
    assert (*current(after), *after.queue) == line
    if event.hopeless:
        assert after.phase is Phase.IDLE
    else:
        assert (after.current, after.offset) == (before.current, before.position(at))
    for kept in "history", "cleared", "loop", "loops_left", "next_id":
        assert getattr(after, kept) == getattr(before, kept)


def standing(player: Player, at: float) -> Player:
    """As a store keeps it: where it was, without the stream."""
    return attrs.evolve(player, offset=player.position(at), since=None, media=None)


def what_turns_up_late_only_waits_for_restore(
    before: Player, event: PlayerEvent, after: Player, effects: tuple[Effect, ...]
) -> None:
    if not isinstance(event, Recollected):
        return
    old, found = after.cleared[: len(before.cleared)], after.cleared[len(before.cleared) :]
    assert old == before.cleared
    assert [(e.track, e.asker) for e in found] == [(e.track, e.asker) for e in event.line]
    assert attrs.evolve(after, cleared=old, next_id=before.next_id) == before
    assert [type(effect) for effect in effects] == ([Notice] if found else [])


def _ids(*entries: Entry | None) -> list[int]:
    return [entry.id for entry in entries if entry is not None]


def _all(player: Player) -> set[int]:
    return set(_ids(player.current, *player.queue, *player.history, *player.cleared))


def _both(player: Player) -> set[int]:
    """Remembered, and waiting again because of a queue loop."""
    return set(_ids(*player.history)) & set(_ids(*player.queue, *player.cleared))


@attrs.frozen
class World:
    """What the engine and the source were told; None where nobody can know."""

    connected: bool | None = False
    held: bool | None = False
    asked: tuple[int, Entry] | None = None  #: the source, for the current stream
    loaded: tuple[int, Media] | None = None  #: on the deck

    @classmethod
    def of(cls, player: Player) -> World:
        """What it must have been told for this player to be true."""
        if player.current is None:
            return cls()
        stream = player.epoch, player.current
        return cls(
            connected=True,
            held=player.phase is Phase.PAUSED,
            asked=stream if player.media is None else None,
            loaded=(player.epoch, player.media) if player.media is not None else None,
        )

    def told(self, effect: Effect) -> World:
        """Every effect must tell something new."""
        match effect:
            case Connect():
                assert not self.connected
                held = self.held if self.connected is None else False
                return attrs.evolve(self, connected=True, held=held)
            case Leave():
                assert self.connected is not False
                return World()
            case Hush() | Unhush():
                assert self.connected
                assert self.held is not isinstance(effect, Hush)
                return attrs.evolve(self, held=isinstance(effect, Hush))
            case Silence():
                assert self.loaded is not None
                return attrs.evolve(self, loaded=None)
            case Resolve(epoch, entry, _):
                assert self.loaded is None, "the old track is still heard"
                return attrs.evolve(self, asked=(epoch, entry))
            case Load(epoch, media, _):
                assert self.loaded is None or self.loaded[0] < epoch
                return attrs.evolve(self, asked=None, loaded=(epoch, media))
            case _:
                return self


def the_world_follows(before: Player, event: PlayerEvent, after: Player, effects: tuple[Effect, ...]) -> None:
    """What was done to the call, the deck and the source is what the player after it needs, and no more."""
    world = World.of(before)
    if isinstance(event, Fresh):
        world = World() if before.current is None else World(connected=None, held=None)
    elif isinstance(event, Ended | TrackFailed) and event.epoch == before.epoch:
        world = attrs.evolve(world, loaded=None if after.epoch != before.epoch else world.loaded)
    for effect in effects:
        world = world.told(effect)
        if isinstance(effect, Resolve | Load):
            assert effect.epoch == after.epoch
        if isinstance(effect, Load):
            assert effect.offset == after.offset
    assert world == World.of(after)


def the_card_shows_what_is(
    before: Player, event: PlayerEvent, after: Player, effects: tuple[Effect, ...]
) -> None:
    def seen(player: Player) -> tuple[object, ...]:
        where = player.offset, player.since, player.duration
        line = len(player.queue), player.queue[:1], player.loop, player.loops_left
        return player.current, player.phase, where, line

    changed = seen(before) != seen(after) and not isinstance(event, Positioned)
    assert (Card() in effects) == (changed or isinstance(event, TakenOver))


def the_next_is_fetched_ahead(before: Player, after: Player, effects: tuple[Effect, ...]) -> None:
    def following(player: Player) -> Entry | None:
        if player.media is None or player.phase not in (Phase.PLAYING, Phase.PAUSED):
            return None
        return None if player.loop is Loop.TRACK or not player.queue else player.queue[0]

    fetched = [e.entry for e in effects if isinstance(e, Prefetch)]
    due = following(after)
    assert fetched == ([due] if due is not None and due != following(before) else [])


def no_fact_starts_sound_in_a_paused_chat(before: Player, event: PlayerEvent, after: Player) -> None:
    if before.phase is Phase.PAUSED and not isinstance(event, Wish):
        assert after.phase in (Phase.PAUSED, Phase.IDLE)
    if isinstance(event, Seek | SeekBy) and before.phase is Phase.PAUSED:
        assert after.phase is Phase.PAUSED
    if before.phase is not Phase.PAUSED and after.phase is Phase.PAUSED:
        assert isinstance(event, Pause)
    if isinstance(event, Resume):
        assert after.phase is not Phase.PAUSED
