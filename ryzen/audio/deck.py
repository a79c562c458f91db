"""One call's deck, as the bot has it: what is loaded, what lies where on the tape, who reads it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Protocol

import attrs
from loguru import logger

from ryzen.audio import pcm
from ryzen.audio.gain import sane
from ryzen.audio.skips import tidy
from ryzen.audio.tape import Tape
from ryzen.audio.wire import Drop, Failed, Laid, Load, Over, PutReader, PutTape, Silence, Starved, ToWorker
from ryzen.errors import RyzenError, TrackTrouble
from ryzen.player.state import Media
from ryzen.ports import SoundEnded, SoundEvent, SoundFailed, SoundStalled, SoundStarted

#: How long before its last sample is read the end of a track is told, in bytes.
_NOTICE = pcm.size(0.3)
#: A fresh worker takes over this far ahead of the reader: what its predecessor wrote lasts longer.
_TAKE_OVER = 2 * pcm.CHUNK
#: Workers that may die over one track before it is the track's fault; one more for a track that has been
#: heard, for it may just have been in hand beside the guilty one.
_STRIKES = 2
#: Spans kept: the reader is in the last or, after a load, in the one before. A track has one more for each
#: part that is left out, and each time it starves.
_SPANS = 16


class Post(Protocol):
    """Sends to the worker, if there is one just now; it is told everything anew otherwise."""

    def __call__(self, message: ToWorker, *descriptors: int) -> None: ...


@attrs.define
class Loaded:
    """A track from the moment it is asked for. ``turn`` is our own count; two loads may share an epoch."""

    turn: int
    epoch: int
    media: Media
    skips: tuple[tuple[float, float], ...]
    offset: float
    at: int | None
    over: Over | None = None
    started: bool = False  #: the listener has been told
    ended: bool = False  #: likewise
    strikes: int = 0


@attrs.frozen
class Span:
    """From byte ``start`` up to ``end`` is a track, from ``offset`` seconds on."""

    turn: int
    epoch: int
    start: int
    offset: float
    end: int | None = None

    def second(self, byte: int) -> float:
        """How far into its track this byte is."""
        last = byte if self.end is None else min(byte, self.end)
        return self.offset + pcm.seconds(last - self.start)


class TapeDeck:
    """Implements ``ports.Deck``; what each method promises is said there."""

    def __init__(
        self,
        ident: int,
        lead: float,
        stalled_after: float,
        serials: itertools.count[int],
        post: Post,
        on_event: Callable[[SoundEvent], None],
        on_close: Callable[[TapeDeck], None],
    ) -> None:
        self.id = ident
        self._lead = pcm.size(lead)
        self._stalled_after = stalled_after
        self._serials = serials
        self._post = post
        self._on_event = on_event
        self._on_close = on_close
        self._closed = False
        self._turn = 0
        self._loaded: Loaded | None = None
        self._spans: tuple[Span, ...] = ()
        self._tail: int | None = None  #: where the last track that ended ends: nothing is written over that
        self._held = self._stalled = False
        self._last_read = 0
        self._moved_at: float | None = None  #: None: the clock starts at the next look
        self._tape = Tape(next(serials))
        self._put_tape()

    # -- ports.Deck
    def renew(self) -> str:
        if not self._tape.handed_out:
            return self._tape.hand_out()
        here = self.position()
        self._tape.close()
        self._tape = Tape(next(self._serials))
        self._tail, self._last_read, self._moved_at = None, 0, None
        self._put_tape()
        loaded = self._loaded
        if loaded is not None and not loaded.ended:
            if self._spans_of(loaded) and here is not None and here[0] == loaded.epoch:
                loaded.offset = here[1]
            self._turn += 1
            loaded.turn, loaded.at, loaded.over = self._turn, None, None
            self._post(self._load(loaded))
        self._spans = ()
        return self._tape.hand_out()

    def load(self, epoch: int, media: Media, offset: float) -> None:
        self.bytes_read()  # if the engine has just begun to read, the worker must know it now
        self._turn += 1
        skips = tuple((skip.start, skip.end) for skip in tidy(media.skips, media.duration))
        self._loaded = Loaded(self._turn, epoch, media, skips, offset, self._tail)
        self._post(self._load(self._loaded))

    def silence(self) -> None:
        self._turn += 1
        self._loaded, self._spans, self._tail = None, (), None
        self._post(Silence(self.id, self._turn))

    def hold(self, held: bool) -> None:
        self._held = held
        self._stalled, self._moved_at = False, None

    def position(self) -> tuple[int, float] | None:
        here = self.bytes_read()
        for span in reversed(self._spans):
            if span.start <= here and here > 0:
                return span.epoch, span.second(here)
        return None

    def bytes_read(self) -> int:
        if self._closed:
            return 0
        if self._tape.reader is None and self._tape.find_reader():
            self._put_reader()
        return self._tape.bytes_read()

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._loaded, self._spans = None, ()
            self._post(Drop(self.id))
            self._tape.close()
            self._on_close(self)

    # -- the reader
    def look(self, now: float) -> None:
        """Where is the reader, and what does that mean? To be asked a few times per chunk."""
        here = self.bytes_read()
        self._watch(here, now)
        loaded = self._loaded
        if loaded is None or loaded.ended or not any(s.start < here for s in self._spans_of(loaded)):
            return
        if not loaded.started:
            loaded.started = True
            self._tell(SoundStarted(loaded.epoch))
        over = loaded.over
        if loaded is self._loaded and over is not None and here >= over.end - _NOTICE:
            loaded.ended, self._tail = True, over.end
            if over.trouble is None:
                self._tell(SoundEnded(loaded.epoch, over.played))
            else:
                self._tell(SoundFailed(loaded.epoch, over.trouble, over.played))

    def _watch(self, here: int, now: float) -> None:
        """Tell once when a reader that has moved stands still without being held."""
        if here != self._last_read or self._moved_at is None:
            self._last_read, self._moved_at, self._stalled = here, now, False
        still = now - self._moved_at
        if here and not self._held and not self._stalled and still >= self._stalled_after:
            self._stalled = True
            self._tell(SoundStalled(still))

    def _spans_of(self, loaded: Loaded) -> tuple[Span, ...]:
        return tuple(span for span in self._spans if span.turn == loaded.turn)

    # -- the worker
    def heed(self, fact: Laid | Starved | Over | Failed) -> None:
        """What the worker has done. Facts of an older turn or tape say nothing any more."""
        loaded = self._loaded
        if loaded is None or fact.turn != loaded.turn:
            return
        match fact:
            case Failed():
                logger.info("deck {}: cannot play: {} {}", self.id, fact.trouble, fact.detail)
                self._fail(fact.trouble)
            case Laid() if fact.tape == self._tape.serial:
                before = (_cut(span, fact.start) for span in self._spans if span.start < fact.start)
                span = Span(loaded.turn, loaded.epoch, fact.start, fact.offset)
                self._spans = (*before, span)[-_SPANS:]
            case Starved() if fact.tape == self._tape.serial:
                self._spans = (*self._spans[:-1], _cut(self._spans[-1], fact.start))
            case Over() if fact.tape == self._tape.serial:
                loaded.over = fact
                self._spans = (*self._spans[:-1], _cut(self._spans[-1], fact.end))

    def blame(self, in_hand: frozenset[tuple[int, int]]) -> None:
        """The worker has died with these (deck, turn) in hand. Who is met there too often is given up."""
        loaded = self._loaded
        if loaded is None or (self.id, loaded.turn) not in in_hand:
            return
        loaded.strikes += 1
        if loaded.strikes >= _STRIKES + bool(self._spans_of(loaded)):
            logger.warning("deck {}: its track has killed {} workers", self.id, loaded.strikes)
            self._fail(TrackTrouble.BROKEN)

    def replay(self) -> None:
        """Tell a fresh worker all it must know to go on where the other left off."""
        self._put_tape()
        if self._tape.reader is not None:
            self._put_reader()
        loaded = self._loaded
        if loaded is None:
            self._post(Silence(self.id, self._turn))
        elif loaded.over is None:
            self._post(self._load(loaded))

    def _load(self, loaded: Loaded) -> Load:
        offset, at = loaded.offset, loaded.at
        spans = self._spans_of(loaded)
        if spans:  # it is on the tape already, as far as the last worker came
            here = self.bytes_read()
            at = max(spans[-1].start, here + _TAKE_OVER if here else 0)
            offset = spans[-1].second(at)
        media = loaded.media
        return Load(
            self.id,
            loaded.turn,
            media.path,
            0.0 if media.live else offset,
            None if media.live else media.duration,
            at,
            fetched=media.fetched,
            live=media.live,
            skips=() if media.live else loaded.skips,
            gain=sane(media.gain),
        )

    def _put_tape(self) -> None:
        self._post(PutTape(self.id, self._tape.serial, self._lead), self._tape.descriptor)

    def _put_reader(self) -> None:
        assert self._tape.reader is not None
        self._post(PutReader(self.id, self._tape.serial), self._tape.reader)

    def _fail(self, trouble: str) -> None:
        assert self._loaded is not None
        here = self.position()
        epoch, self._loaded = self._loaded.epoch, None
        self._tell(SoundFailed(epoch, trouble, None if here is None or here[0] != epoch else here[1]))

    def _tell(self, event: SoundEvent) -> None:
        try:
            self._on_event(event)
        except RyzenError as error:  # whoever listened is busy or gone; the others must hear on
            logger.warning("deck {}: nobody took {}: {!r}", self.id, event, error)


def _cut(span: Span, end: int) -> Span:
    return attrs.evolve(span, end=end if span.end is None else min(end, span.end))
