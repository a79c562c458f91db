"""What may happen to a player: wishes of listeners (imperative) and facts of the world (past tense).

Every fact about a stream names its epoch; the reducer ignores those which name an old one.
"""

from __future__ import annotations

import attrs

from ryzen.player.state import Asker, Entry, Loop, Media, Track


# -- wishes
@attrs.frozen
class Play:
    """At the end of the line, or at once if nothing plays. At least one track."""

    tracks: tuple[Track, ...] = attrs.field(validator=attrs.validators.min_len(1))
    asker: Asker


@attrs.frozen
class PlayNow:
    """Instead of the current track; further tracks come next, and the line behind them."""

    tracks: tuple[Track, ...] = attrs.field(validator=attrs.validators.min_len(1))
    asker: Asker


@attrs.frozen
class PlayNext:
    """First in the line, in this order."""

    tracks: tuple[Track, ...] = attrs.field(validator=attrs.validators.min_len(1))
    asker: Asker


@attrs.frozen
class Pause: ...


@attrs.frozen
class Resume:
    """Go on after a pause; after a rest, begin with the first in the line."""


@attrs.frozen
class Skip:
    """``count`` tracks forward, the current one included: 1 is the next."""

    count: int = 1


@attrs.frozen
class SkipTo:
    """To this place in the line: 1 is the next."""

    place: int


@attrs.frozen
class Previous:
    """Back to the last one played; the current one goes first in the line."""


@attrs.frozen
class Stop:
    """End it and empty the line; Restore brings the line back."""


@attrs.frozen
class Seek:
    """To this position, in seconds from the start."""

    position: float


@attrs.frozen
class SeekBy:
    """By this many seconds, backwards if negative. Never before the start."""

    seconds: float


@attrs.frozen
class Replay:
    """From the start."""


@attrs.frozen
class SetLoop:
    """``times`` only with Loop.TRACK: how many more times; None = until told otherwise."""

    loop: Loop
    times: int | None = None


@attrs.frozen
class Shuffle:
    """The line in another order; the same seed gives the same order."""

    seed: int


@attrs.frozen
class Move:
    """From one place in the line to another; 1 is the next."""

    place: int
    to: int


@attrs.frozen
class Remove:
    place: int


@attrs.frozen
class Clear:
    """Empty the line; what plays goes on."""


@attrs.frozen
class Restore:
    """Put back, at the end of the line, what the last Clear or Stop took away, or what was Recollected."""


# -- facts
@attrs.frozen
class Resolved:
    epoch: int
    media: Media


@attrs.frozen
class Started:
    """The first sample of this epoch has been read by the voice engine."""

    epoch: int


@attrs.frozen
class Positioned:
    """Where the voice engine truly is."""

    epoch: int
    position: float


@attrs.frozen
class Ended:
    epoch: int


@attrs.frozen
class TrackFailed:
    """``position``: it can be heard up to there, in seconds; None if that is not known."""

    epoch: int
    trouble: str  #: an ``errors.TrackTrouble``
    position: float | None = None


@attrs.frozen
class SourceFailed:
    """The source refuses everything, which is no track's fault. The player rests; the line is kept."""

    epoch: int
    source: str
    trouble: str  #: an ``errors.SourceTrouble``


@attrs.frozen
class VoiceFailed:
    """There is no call, and trying again at once is no use. The player rests; the line is kept."""

    trouble: str  #: an ``errors.VoiceTrouble``


@attrs.frozen
class Recovered:
    """A fresh incarnation takes over from the last good state; ``attempt`` is 1 for the first crash."""

    attempt: int


@attrs.frozen
class TakenOver:
    """A new process takes over from what an earlier one kept; the player stands still where it was.

    ``hopeless``: it was tried too often already, so the player rests and the current entry waits again.
    """

    hopeless: bool = False


@attrs.frozen
class Recollected:
    """What an earlier process kept turns up late, when this chat has begun anew: the entries of its line."""

    line: tuple[Entry, ...]


Wish = (
    Play
    | PlayNow
    | PlayNext
    | Pause
    | Resume
    | Skip
    | SkipTo
    | Previous
    | Stop
    | Seek
    | SeekBy
    | Replay
    | SetLoop
    | Shuffle
    | Move
    | Remove
    | Clear
    | Restore
)
Fact = (
    Resolved
    | Started
    | Positioned
    | Ended
    | TrackFailed
    | SourceFailed
    | VoiceFailed
    | Recovered
    | TakenOver
    | Recollected
)
PlayerEvent = Wish | Fact
