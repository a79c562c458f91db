"""TL objects. The classes are the client library's own, so both ends always speak one layer."""

from __future__ import annotations

import functools
import inspect
from io import BytesIO
from typing import Any, Final

from pyrogram import raw
from pyrogram.raw.core import TLObject
from pyrogram.raw.core.primitives import Bool, Vector

Tl = Any  #: a TL object: the library's classes carry no types that mypy could use

T: Final = raw.types
F: Final = raw.functions

_NEUTRAL = {"int": 0, "str": "", "bool": False, "float": 0.0, "bytes": b""}
_ENVELOPES = (
    F.InvokeWithLayer,
    F.InitConnection,
    F.InvokeWithoutUpdates,
    F.InvokeWithTakeout,
    F.InvokeAfterMsg,
)


class Encoded(bytes):
    """A TL object which is serialised already; it goes wherever a TL object goes."""

    def write(self, *_: object) -> bytes:
        return self


def encoded(thing: Tl) -> Encoded:
    return Encoded(thing.write())


def encode_result(result: Tl) -> bytes:
    """What a handler returned, as the body of an rpc_result."""
    if isinstance(result, bool):
        return bytes(Bool(result))
    if isinstance(result, list):
        return bytes(Vector(result))
    return bytes(result.write())


@functools.cache
def _required(cls: type) -> dict[str, str]:
    """The arguments without a default: name -> its annotation as text."""
    required = {}
    for parameter in inspect.signature(cls).parameters.values():
        if parameter.default is parameter.empty:
            kind = parameter.annotation
            required[parameter.name] = kind.__name__ if isinstance(kind, type) else str(kind).strip("'\"")
    return required


def filled(cls: Any, **known: Tl) -> Tl:
    """A TL object whose required fields get a neutral value where none is given."""
    for name, kind in _required(cls).items():
        if name not in known:
            known[name] = [] if kind.lower().startswith("list[") else _NEUTRAL.get(kind)
    return cls(**known)


def unwrapped(query: Tl) -> Tl:
    """The request inside invokeWithLayer and its like."""
    while isinstance(query, _ENVELOPES):
        query = query.query
    return query


def repaired(query: Tl) -> Tl:
    """Undo a misreading of kurigram 2.2.26's ``Vector.read``.

    It tells bare numbers by the size of what is left, so a trailing vector of 4- or 8-byte objects
    (``[InputUserSelf]``, ``[InputMessageID, …]``) arrives as a list of numbers.
    """
    for name in query.__slots__:
        value = getattr(query, name)
        if isinstance(value, list) and value and all(type(item) is int for item in value):
            blobs = [_as_sent(item) for item in value]
            if all(int.from_bytes(blob[:4], "little") in raw.all.objects for blob in blobs):
                setattr(query, name, [TLObject.read(BytesIO(blob)) for blob in blobs])
    return query


def _as_sent(number: int) -> bytes:
    size = 4 if -(2**31) <= number < 2**31 else 8
    return number.to_bytes(size, "little", signed=True)
