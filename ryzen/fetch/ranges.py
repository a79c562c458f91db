"""A body that is read on from where it broke off, in ranges if the host wants them."""

from __future__ import annotations

import re
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from ryzen.errors import TrackError, TrackTrouble, WebError
from ryzen.fetch.getting import Answer, Getter
from ryzen.fetch.host import Host, Link, Patience
from ryzen.fetch.sink import Sink
from ryzen.origins import Remote, Renew

_CONTENT_RANGE = re.compile(r"bytes (?:(\d{1,18})-(\d{1,18})|\*)/(?:(\d{1,18})|\*)")
_NO_END = sys.maxsize
#: Times that a file may turn out to be another one before anybody has heard of it.
_RESTARTS = 3


class AnotherFile(TrackError):
    """The same place, or a fresher link to it, now has a file of another length."""

    def __init__(self) -> None:
        super().__init__(TrackTrouble.BROKEN, "it has become another file on the way")


async def _unheard(total: int) -> None:
    """Nobody wants to know the length."""


class Reading:
    """``at`` is the next byte, ``end`` the one behind the last, None for all there is.

    ``span``: the most bytes to ask for at once. ``announce`` is told the length of the whole as soon as the
    host says it. ``going_on``: what we have is of an earlier day, and is only good if the host has more.
    """

    def __init__(
        self,
        host: Host,
        *,
        at: int = 0,
        end: int | None = None,
        span: int | None = None,
        announce: Callable[[int], Awaitable[None]] = _unheard,
        going_on: bool = False,
    ) -> None:
        self.at = at
        self.total: int | None = None
        self._host, self._end, self._span = host, end, span
        self._announce, self._going_on = announce, going_on
        self._over = False

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Every byte once. Raises TrackError (AnotherFile for one), SourceAway."""
        while not self._over:
            try:
                async with self._host.answer(self._asked()) as answer:
                    skip, until = await self._agree(answer)
                    began = self.at
                    async with aclosing(self._host.chunks(answer)) as chunks:
                        async for chunk in chunks:
                            fresh = chunk[skip : skip + until - self.at]
                            skip = max(0, skip - len(chunk))
                            if fresh:
                                self.at += len(fresh)
                                self._host.got_on()
                                yield fresh
                            if self.at >= until:
                                break
                    self._end_of_body(answer, began, until)
            except WebError as error:
                await self._host.recover(error)

    def _asked(self) -> str | None:
        """As in ``Range``; None for all of it."""
        end = _NO_END if self._end is None else self._end
        if self._span is not None:
            end = min(end, self.at + self._span)
        if end == _NO_END:
            return f"bytes={self.at}-" if self.at else None
        return f"bytes={self.at}-{end - 1}"

    async def _agree(self, answer: Answer) -> tuple[int, int]:
        """How many bytes of the body we have already, and before which byte of the whole it is to end."""
        first, until, total = _told(answer)
        if self._going_on and answer.status != 206:
            raise AnotherFile
        self._going_on = False
        if total is not None:
            if self.total not in (None, total):
                raise AnotherFile
            self.total = total
            await self._announce(total)
        if answer.status == 416:
            if self.total != self.at and (self.total is not None or not self.at):
                raise WebError("it has not the bytes that are missing")
            return 0, self.at
        if first > self.at or (answer.status == 206 and first != self.at):
            raise WebError(f"asked from byte {self.at}, it sends from {first}")
        return self.at - first, min(until, _NO_END if self._end is None else self._end)

    def _end_of_body(self, answer: Answer, began: int, until: int) -> None:
        """It ended as it should, or was left where we had enough."""
        end = self._end if self._end is not None else self.total
        if end is None and answer.status == 206 and self.at < until:
            end = until  # it has not sent what it has promised
        if end is None:  # nobody has told a length: where the body ends, the file does
            self._over = self._span is None or answer.status != 206
        elif self.at >= end:
            self._over = True
        elif self.at == began:
            raise WebError(f"it ends at byte {self.at}, of {end}")


async def fetch_remote(
    place: Remote, sink: Sink, getter: Getter, patience: Patience, source: str, renew: Renew
) -> None:
    """Into the sink, behind what is there already."""

    async def fresh(_: Link) -> Link:
        renewed = (await renew()).place
        if not isinstance(renewed, Remote):
            raise AnotherFile
        return link_of(renewed)

    host = Host(getter, link_of(place), patience, source, fresh)
    for _ in range(_RESTARTS):
        there = sink.size
        reading = Reading(host, at=there, span=place.span, announce=sink.expect, going_on=there > 0)
        try:
            async with aclosing(reading.chunks()) as chunks:
                async for chunk in chunks:
                    await sink.write(chunk)
            if sink.size > there or not there:
                return
        except AnotherFile:
            if sink.given:
                raise
        await sink.restart()
    raise AnotherFile


def link_of(place: Remote) -> Link:
    return Link(place.url, place.headers, place.proxied)


def _told(answer: Answer) -> tuple[int, int, int | None]:
    """Of the body: its first byte, the one behind its last, and the length of the whole."""
    if answer.status == 200:
        length = answer.headers.get("content-length", "")
        total = int(length) if length.isdecimal() and "transfer-encoding" not in answer.headers else None
        return 0, _NO_END if total is None else total, total
    said = _CONTENT_RANGE.fullmatch(answer.headers.get("content-range", "").strip())
    if said is None or (said[1] is None) != (answer.status == 416):
        if answer.status == 416:
            return 0, _NO_END, None
        raise WebError("it does not say which part it sends")
    total = int(said[3]) if said[3] else None
    if said[1] and not int(said[1]) <= int(said[2]) < (_NO_END if total is None else total):
        raise WebError("the part that it says it sends cannot be")
    return (int(said[1]), int(said[2]) + 1, total) if said[1] else (0, _NO_END, total)
