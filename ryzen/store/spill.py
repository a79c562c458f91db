"""A file for the changes that the database could not take before the end; the next process brings them to it.

A heading with the SHA-256 of the rest, then one line of JSON for each batch. The batches keep their ids: a
play that was counted before its answer was lost, or before the file was removed, is not counted again.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from collections.abc import Sequence
from pathlib import Path

import cattrs
from anyio import to_thread
from cattrs.strategies import configure_tagged_union, configure_union_passthrough
from loguru import logger

from ryzen.records import Batch, Change, Value
from ryzen.store.whole_file import WholeFile

FORMAT = "ryzen-spill"
#: Grows when an older Ryzen could no longer read it.
VERSION = 1


class Spill:
    """The file ``path``; there is none while all is well. Only its owner may read it.

    Nothing here raises: what cannot be read is kept aside and logged, what cannot be written is logged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    async def read(self) -> tuple[Batch, ...]:
        """What the process before has left, in order. The file stays until ``clear``, or ``write``."""
        return await to_thread.run_sync(self._read)

    async def write(self, batches: Sequence[Batch]) -> None:
        """Durably leave these, and nothing else, to the next process."""
        await to_thread.run_sync(self._write, batches)

    async def clear(self) -> None:
        """All of it is in the database."""
        await to_thread.run_sync(self._clear)

    def _read(self) -> tuple[Batch, ...]:
        try:
            batches = decoded(self._path.read_bytes())
        except FileNotFoundError:
            return ()
        except (OSError, ValueError) as error:
            self._put_aside(error)
            return ()
        logger.info("{} changes of the process before are to be written: {}", _changes(batches), self._path)
        return batches

    def _write(self, batches: Sequence[Batch]) -> None:
        if not batches:
            self._clear()
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with WholeFile(self._path, over=True) as file:
                file.write(encoded(batches))
                file.finish()
        except OSError as error:
            logger.error(
                "{} changes are lost: {} cannot be written: {}", _changes(batches), self._path, error.strerror
            )
        else:
            logger.warning("{} changes are left to the next start in {}", _changes(batches), self._path)

    def _clear(self) -> None:
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            logger.error("{} cannot be removed, do it by hand: {}", self._path, error.strerror)

    def _put_aside(self, error: Exception) -> None:
        """It is never read again by itself, and never written over."""
        numbered = (
            self._path.with_name(f"{self._path.name}.damaged-{number}") for number in itertools.count(1)
        )
        aside = next(path for path in numbered if not os.path.lexists(path))
        try:
            self._path.rename(aside)
        except OSError as stuck:
            logger.error("{} cannot be read ({!r}), nor moved: {}", self._path, error, stuck.strerror)
        else:
            logger.error("what the process before left cannot be read ({!r}); it is kept as {}", error, aside)


def _changes(batches: Sequence[Batch]) -> int:
    return sum(len(batch.changes) for batch in batches)


def encoded(batches: Sequence[Batch]) -> bytes:
    """The whole file."""
    body = "".join(json.dumps(_CONVERTER.unstructure(batch, Batch)) + "\n" for batch in batches).encode()
    return heading(body) + b"\n" + body


def decoded(data: bytes) -> tuple[Batch, ...]:
    """Raises ValueError, which shows nothing of what is in it."""
    said, _, body = data.partition(b"\n")
    if said != heading(body):
        raise ValueError("it was cut or changed, or is of another version")
    try:
        return tuple(_CONVERTER.structure(json.loads(line), Batch) for line in body.splitlines())
    except _UNREADABLE as error:
        raise ValueError(f"{type(error).__name__} in what it says") from error


def heading(body: bytes) -> bytes:
    """The line before it."""
    return f"{FORMAT} {VERSION} {hashlib.sha256(body).hexdigest()}".encode()


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=False)
    configure_union_passthrough(Value, converter)
    configure_tagged_union(Change, converter, tag_name="change")
    return converter


_CONVERTER = _converter()
#: What comes of structuring a JSON value of another shape.
_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError)
