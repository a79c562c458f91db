"""What one chat's player knows: a frozen value, replaced at each event."""

from __future__ import annotations

import enum

import attrs

#: Tracks failing in a row before the player stops trying: of a playlist of which half is gone, three in a row
#: are found every fourteen tracks, five every sixty.
PATIENCE = 5
#: Entries remembered for ``Previous``.
MEMORY = 50
#: Times in a row that a track which breaks off is asked for again, and the seconds that must be heard of it
#: for the next time to be a first one.
CUTS, PROGRESS = 3, 5.0


@attrs.frozen
class Track:
    """Something that can be played, as its source knows it.

    ``id`` is stable over restarts and unique over sources (``local:…``); ``ref`` is what the source
    needs to find it again (a path, a link); ``duration`` is in seconds, None if unknown or endless.
    """

    id: str
    title: str
    source: str
    ref: str = attrs.field(repr=False)
    artist: str = ""
    duration: float | None = None
    link: str | None = None


@attrs.frozen
class Span:
    """From ``start`` up to ``end``, in seconds of a track."""

    start: float
    end: float


@attrs.frozen
class Chapter:
    """A part of a track that has a name; it lasts until the next one. ``start`` in seconds."""

    start: float
    title: str


@attrs.frozen
class Media:
    """A resolved track: a file that can be decoded now. ``duration`` in seconds, None if unknown or endless.

    ``fetched``: it comes from outside, and may still be growing (``ryzen.growing``) or have been put out of
    the cache; asking for it once more brings it back. ``live``: it is what is on the air now, and has no
    positions to go to. ``skips`` are left out while playing. ``gain`` in dB makes it as loud as the others.
    """

    path: str = attrs.field(repr=False)
    duration: float | None = None
    fetched: bool = False
    live: bool = False
    skips: tuple[Span, ...] = ()
    gain: float = 0.0
    chapters: tuple[Chapter, ...] = attrs.field(default=(), repr=False)
    artwork: str | None = attrs.field(default=None, repr=False)


@attrs.frozen
class Asker:
    """Who asked. ``id`` is Telegram's; an anonymous admin has the id of the group."""

    id: int
    name: str


@attrs.frozen
class Entry:
    """One place in the line. ``id`` is unique within the chat and grows."""

    id: int
    track: Track
    asker: Asker


class Phase(enum.Enum):
    IDLE = "idle"  #: nothing is current; entries may wait all the same (a rest)
    RESOLVING = "resolving"  #: the source has been asked for the media
    STARTING = "starting"  #: the deck has been told, nothing is heard yet
    PLAYING = "playing"
    PAUSED = "paused"


class Loop(enum.StrEnum):
    OFF = "off"
    TRACK = "track"  #: the current track, until told otherwise, or ``loops_left`` more times
    QUEUE = "queue"  #: what has been played goes to the end of the line


@attrs.frozen
class Player:
    """One chat's player. Times are seconds of one steady clock, positions seconds into the track."""

    limit: int = 50  #: entries that may wait; 0 = no limit
    phase: Phase = Phase.IDLE
    current: Entry | None = None
    queue: tuple[Entry, ...] = ()
    history: tuple[Entry, ...] = ()  #: newest last, at most MEMORY
    cleared: tuple[Entry, ...] = ()  #: for Restore: what the last Clear or Stop took away, or turned up late
    loop: Loop = Loop.OFF
    loops_left: int | None = None  #: with Loop.TRACK: how many more times; None = for ever
    epoch: int = 0  #: grows with each stream; an answer that names an older one is stale
    offset: float = 0.0  #: position when it last stood still
    since: float | None = None  #: moving since this moment, or None
    media: Media | None = None
    failures: int = 0  #: tracks that failed in a row
    cuts: int = 0  #: times in a row that the current track broke off
    cut_at: float = 0.0  #: the position at which it did so last
    anew: bool = False  #: what was fetched of it is not to be trusted
    next_id: int = 1

    def position(self, now: float) -> float:
        """Seconds into the current track, never past its known end."""
        moved = 0.0 if self.since is None else now - self.since
        position = max(0.0, self.offset + moved)
        duration = self.duration
        return position if duration is None else min(position, duration)

    @property
    def duration(self) -> float | None:
        """Seconds; what the file says beats what the source said."""
        if self.media is not None and self.media.duration is not None:
            return self.media.duration
        return self.current.track.duration if self.current is not None else None
