"""The bytes of one recording on their way into the cache."""

from __future__ import annotations

import os
from collections.abc import Callable, MutableSet

import attrs
from anyio import CancelScope, to_thread
from loguru import logger

from ryzen.errors import SourceAway, TrackError, TrackTrouble
from ryzen.fetch import sidecar
from ryzen.fetch.getting import Getter
from ryzen.fetch.hls import Hls
from ryzen.fetch.host import Patience
from ryzen.fetch.ranges import fetch_remote
from ryzen.fetch.shelf import Shelf, remove
from ryzen.fetch.sidecar import Recording, told
from ryzen.fetch.sink import Sink
from ryzen.fetch.streams import fetch_broadcast, fetch_pieces
from ryzen.origins import Broadcast, OnDisk, Origin, Pieces, Remote, Renew, Segmented
from ryzen.player.state import Media


class TeeFlight:
    """``origins.Flight``. It is in ``flying`` while it runs; ``landed`` is told of a recording that is
    whole and kept.

    The ``source`` of a SourceAway is what the key begins with, up to its colon.
    """

    def __init__(
        self,
        origin: Origin,
        renew: Renew,
        tracks: tuple[str, ...],
        sink: Sink,
        shelf: Shelf,
        getter: Getter,
        patience: Patience,
        flying: MutableSet[TeeFlight],
        landed: Callable[[Recording], None],
        *,
        again: bool,
    ) -> None:
        self.key = origin.key
        self.tracks = tracks  #: that led to it
        self._origin, self._renew, self._again = origin, renew, again
        self._sink, self._shelf, self._getter, self._patience = sink, shelf, getter, patience
        self._flying, self._landed = flying, landed
        self._over = self._whole = False
        self._error: TrackError | SourceAway = TrackError(TrackTrouble.UNAVAILABLE, "nobody wanted it")

    async def run(self) -> None:
        self._flying.add(self)
        try:
            await self._open()
            await self._fetch()
            await self._land()
        except (TrackError, SourceAway) as error:
            logger.info("{}: not fetched: {}", told(self.key), error)
            self._error = error
        finally:
            self._over = True
            with CancelScope(shield=True):  # to remove a large file takes a while
                await to_thread.run_sync(self._sink.discard)
            self._shelf.release(self._sink)
            self._flying.discard(self)
            self._sink.begin()

    async def ready(self) -> Media:
        await self._sink.begun.wait()
        if self._over and not self._whole:
            raise self._error
        about = Recording.of(self._origin, self._sink.path, 0, 0.0, ()).media
        return attrs.evolve(about, live=self._sink.live)

    async def _open(self) -> None:
        """Where there is a recording that was cut, and more of it can be had: behind that."""
        cut = self._shelf.find(self.key) if self._again else None
        if cut is not None:
            cut = self._shelf.take(self.key) if self._shelf.use(cut) else None
        if cut is None:
            await self._sink.open()
            return
        self.tracks = (*cut.tracks, *self.tracks)
        match self._origin.place:
            case Remote():
                await self._sink.open(cut.path, cut.size)
            case Pieces(size=size) if size > cut.size:
                await self._sink.open(cut.path, cut.size)
            case _:
                await remove(cut.path)
                await self._sink.open()

    async def _fetch(self) -> None:
        sink, getter, patience = self._sink, self._getter, self._patience
        source = self.key.partition(":")[0]
        match self._origin.place:
            case Remote(size=size) as place:
                if size is not None:
                    await sink.reserve(size)  # what the source says; the host knows better
                await fetch_remote(place, sink, getter, patience, source, self._renew)
            case Segmented() as place:
                await Hls(place, sink, getter, patience, source, self._renew).fetch()
            case Broadcast() as place:
                await sink.go_live()
                await fetch_broadcast(place, sink, getter, patience, source, self._renew)
            case Pieces() as place:
                await fetch_pieces(place, sink, patience)
            case OnDisk():
                raise AssertionError("a file that is there needs no flight")

    async def _land(self) -> None:
        """All of it is here."""
        if not self._sink.size:
            raise TrackError(TrackTrouble.BROKEN, "empty")
        self._sink.begin()
        recording: Recording | None = None
        if self._sink.kept:
            try:
                recording = await to_thread.run_sync(self._keep)
            except OSError as error:
                logger.error("{}: it cannot be kept: {}", told(self.key), error.strerror)
        self._sink.finish(kept=recording is not None)
        self._whole = True
        if recording is not None:
            logger.info("{}: whole, {} bytes", told(self.key), recording.size)
            await self._shelf.put(recording, self._sink)
            self._landed(recording)

    def _keep(self) -> Recording:
        """For a thread: on the disk for good. It counts once its page is gone."""
        path, now = self._sink.path, self._patience.now()
        self._sink.flush()
        os.utime(path, (now, now))  # its last use, see Shelf.use
        recording = Recording.of(self._origin, path, self._sink.size, now, self.tracks)
        sidecar.write_sidecar(recording)
        return recording
