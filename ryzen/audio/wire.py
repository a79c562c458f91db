"""What the bot, the nursery and the audio worker say to one another.

JSON packets on SOCK_SEQPACKET: each arrives whole or not at all, together with the descriptors that
belong to it. (On a byte stream, descriptors come loose from their line.)
"""

from __future__ import annotations

import json
import math
import socket
from collections.abc import Sequence

import attrs
from attrs.validators import and_, deep_iterable, instance_of, optional

_LARGEST = 1 << 16
_MOST_DESCRIPTORS = 2


def _finite(_: object, attribute: attrs.Attribute[float], value: float) -> None:
    if not math.isfinite(value):
        raise ValueError(f"{attribute.name} is no number")


def _pairs(value: Sequence[Sequence[float]]) -> tuple[tuple[float, float], ...]:
    return tuple((start, end) for start, end in value)


_whole = instance_of(int)
_number = and_(instance_of((int, float)), _finite)
_yes_or_no = instance_of(bool)


# -- bot to nursery
@attrs.frozen
class Fork:
    """Make a worker. With it come the worker's end of its socket, and its ledger."""


@attrs.frozen
class Measure:
    """Find out how loud this file is, in a process that answers (Measured) on the socket which comes with it,
    and ends when that is closed. It is nobody's worker: neither Forked nor Died is told of it."""

    path: str = attrs.field(validator=instance_of(str), repr=False)


@attrs.frozen
class Kill:
    """Kill this worker, if it is still there."""

    pid: int = attrs.field(validator=_whole)


# -- nursery to bot
@attrs.frozen
class Forked:
    pid: int = attrs.field(validator=_whole)


@attrs.frozen
class Died:
    """``status`` is the exit code, or minus the signal's number."""

    pid: int = attrs.field(validator=_whole)
    status: int = attrs.field(validator=_whole)


# -- bot to worker
@attrs.frozen
class PutTape:
    """This deck goes on in a new file, which comes with it; ``lead`` is in bytes."""

    deck: int = attrs.field(validator=_whole)
    tape: int = attrs.field(validator=_whole)
    lead: int = attrs.field(validator=_whole)


@attrs.frozen
class PutReader:
    """The engine has opened the file: with this comes a descriptor that shares its offset."""

    deck: int = attrs.field(validator=_whole)
    tape: int = attrs.field(validator=_whole)


@attrs.frozen
class Load:
    """Write this track: from byte ``at`` or, if the reader is past it or None is given, from the reader.

    ``turn`` grows with each load and silence of a deck. ``offset`` and ``stated`` (its length) in seconds.
    ``fetched``: it may be growing still. ``live``: it is entered where it is, and never too short.
    ``skips``: pairs of seconds, in order, to be left out. ``gain`` in dB.
    """

    deck: int = attrs.field(validator=_whole)
    turn: int = attrs.field(validator=_whole)
    path: str = attrs.field(validator=instance_of(str), repr=False)
    offset: float = attrs.field(validator=_number)
    stated: float | None = attrs.field(validator=optional(_number))
    at: int | None = attrs.field(validator=optional(_whole))
    fetched: bool = attrs.field(default=False, validator=_yes_or_no)
    live: bool = attrs.field(default=False, validator=_yes_or_no)
    skips: tuple[tuple[float, float], ...] = attrs.field(
        default=(), converter=_pairs, validator=deep_iterable(deep_iterable(_number))
    )
    gain: float = attrs.field(default=0.0, validator=_number)


@attrs.frozen
class Silence:
    """Take back what has not been read."""

    deck: int = attrs.field(validator=_whole)
    turn: int = attrs.field(validator=_whole)


@attrs.frozen
class Drop:
    """The deck is no more."""

    deck: int = attrs.field(validator=_whole)


# -- worker to bot
@attrs.frozen
class Laid:
    """From byte ``start`` on the tape is this turn's track, from ``offset`` seconds on."""

    deck: int = attrs.field(validator=_whole)
    tape: int = attrs.field(validator=_whole)
    turn: int = attrs.field(validator=_whole)
    start: int = attrs.field(validator=_whole)
    offset: float = attrs.field(validator=_number)


@attrs.frozen
class Starved:
    """The reader has come to byte ``start``, and there is no more of this turn's track: silence, until the
    next Laid."""

    deck: int = attrs.field(validator=_whole)
    tape: int = attrs.field(validator=_whole)
    turn: int = attrs.field(validator=_whole)
    start: int = attrs.field(validator=_whole)


@attrs.frozen
class Over:
    """The track is written to its last sample, before byte ``end``; ``played`` is its true length.

    ``trouble`` is an ``errors.TrackTrouble`` if this was not how it should have ended.
    """

    deck: int = attrs.field(validator=_whole)
    tape: int = attrs.field(validator=_whole)
    turn: int = attrs.field(validator=_whole)
    end: int = attrs.field(validator=_whole)
    played: float = attrs.field(validator=_number)
    trouble: str | None = attrs.field(validator=optional(instance_of(str)))


@attrs.frozen
class Failed:
    """Nothing of this turn's track can be played."""

    deck: int = attrs.field(validator=_whole)
    turn: int = attrs.field(validator=_whole)
    trouble: str = attrs.field(validator=instance_of(str))
    detail: str = attrs.field(validator=instance_of(str))


@attrs.frozen
class Beat:
    """The worker is well; ``cpu`` is the processor time it has used, in seconds.

    Not an answer to a question: a bot whose own loop was blocked finds beats waiting, and knows.
    """

    cpu: float = attrs.field(validator=_number)


# -- measurer to bot
@attrs.frozen
class Measured:
    """What must be done to make it as loud as the others, in dB; None if nobody can say."""

    gain: float | None = attrs.field(validator=optional(_number))


ToNursery = Fork | Measure | Kill
FromNursery = Forked | Died
ToWorker = PutTape | PutReader | Load | Silence | Drop
FromWorker = Laid | Starved | Over | Failed | Beat
Message = ToNursery | FromNursery | ToWorker | FromWorker | Measured

_KINDS: dict[str, type[Message]] = {
    kind.__name__: kind
    for kind in (
        *(Fork, Measure, Kill, Forked, Died),
        *(PutTape, PutReader, Load, Silence, Drop),
        *(Laid, Starved, Over, Failed, Beat, Measured),
    )
}


class Garbled(Exception):
    """The other end has said what cannot be understood."""


class Gone(Exception):
    """The other end has closed."""


def send(sock: socket.socket, message: Message, descriptors: tuple[int, ...] = ()) -> None:
    """Raises BlockingIOError on a full non-blocking socket, Gone if nobody is there to read."""
    packet = json.dumps({"kind": type(message).__name__, **attrs.asdict(message)}).encode()
    try:
        socket.send_fds(sock, [packet], list(descriptors))
    except (BrokenPipeError, ConnectionResetError) as error:
        raise Gone from error


def receive(sock: socket.socket) -> tuple[Message, tuple[int, ...]]:
    """The next message and the descriptors that came with it, which are now the caller's to close.

    Raises BlockingIOError if there is none yet on a non-blocking socket, Gone at the end, Garbled.
    """
    try:
        packet, descriptors, _, _ = socket.recv_fds(sock, _LARGEST, _MOST_DESCRIPTORS)
    except ConnectionResetError as error:
        raise Gone from error
    if not packet:
        raise Gone
    try:
        fields = json.loads(packet)
        return _KINDS[fields.pop("kind")](**fields), tuple(descriptors)
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise Garbled(f"not a message: {packet[:80]!r}") from error
