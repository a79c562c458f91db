"""A server that has what we want: asked again, waited for and asked by a fresher link, until it is no use."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import anyio
import attrs

from ryzen.errors import SourceAway, SourceTrouble, TrackError, TrackTrouble, WebError, WebForbidden
from ryzen.fetch.getting import Answer, Getter
from ryzen.fetch.trouble import LONGEST_AWAY

#: Links of large hosts say until when they hold (``expire=1790000000``, ``/expire/1790000000/``).
_EXPIRY = re.compile(r"[?&/]expires?[=/](\d{10})(?!\d)", re.IGNORECASE)
#: What a host says of a link that it no longer takes.
_REFUSED = (401, 403, 404, 410)


@attrs.frozen
class Patience:
    """How long a fetch goes on trying. Times in seconds; ``now`` is the wall clock."""

    tries: int = 6  #: in a row without one new byte
    pause: float = 0.1  #: after the first; it doubles with each
    longest: float = 8.0
    renewals: int = 3  #: fresh links in a row without one new byte
    all_renewals: int = 30  #: each of them costs an extraction
    wait: float = 20.0  #: the most that a host may ask us to wait
    drip: float = 60.0  #: spent waiting for bytes, in which at least ``least`` of them must have come
    least: int = 16 << 10  #: far less than any sound takes
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time


@attrs.frozen
class Link:
    url: str = attrs.field(repr=False)
    headers: tuple[tuple[str, str], ...] = attrs.field(default=(), repr=False)
    proxied: bool = False

    def expired(self, now: float) -> bool:
        said = _EXPIRY.search(self.url)
        return said is not None and int(said[1]) <= now


class Denied(WebError):
    """An answer without what was asked for. ``wait``: seconds until it may be asked again, if it says so."""

    def __init__(self, status: int, wait: float | None = None) -> None:
        super().__init__(f"HTTP {status}", status)
        self.wait = wait


class Tries:
    """Counts those that were in vain, and makes a pause after each."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._failed = 0

    @property
    def spent(self) -> bool:
        return self._failed >= self._patience.tries

    def got_on(self) -> None:
        """There was a new byte."""
        self._failed = 0

    async def again(self, error: Exception, at_least: float = 0.0) -> None:
        """Returns when it is time for another try. Raises TrackError (UNREACHABLE) if it was the last."""
        if self.spent:
            raise TrackError(TrackTrouble.UNREACHABLE, str(error)) from error
        pause = min(self._patience.longest, self._patience.pause * 2**self._failed)
        self._failed += 1
        await self._patience.sleep(max(pause, at_least))


class Host:
    """``renew`` is given a link that has aged, and returns a fresh one; None if there can be none.

    ``source`` is what a SourceAway names.
    """

    def __init__(
        self,
        getter: Getter,
        link: Link,
        patience: Patience,
        source: str,
        renew: Callable[[Link], Awaitable[Link]] | None = None,
    ) -> None:
        self.link = link
        self._getter, self._patience, self._source, self._renew = getter, patience, source, renew
        self._tries = Tries(patience)
        self._waited, self._came = 0.0, 0
        self._renewed = self._renewed_ever = 0

    @asynccontextmanager
    async def answer(self, span: str | None = None) -> AsyncIterator[Answer]:
        """200, or with ``span`` (as in ``Range``) also 206 and 416. Raises WebError, TrackError."""
        if self._renew is not None and not self._renewed and self.link.expired(self._patience.now()):
            raise Denied(410)  # as it would say itself
        headers = self.link.headers if span is None else (*self.link.headers, ("Range", span))
        async with self._getter.get(self.link.url, headers=headers, proxied=self.link.proxied) as answer:
            if answer.status != 200 and (span is None or answer.status not in (206, 416)):
                raise Denied(answer.status, _retry_after(answer.headers.get("retry-after"), self._patience))
            if answer.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
                raise TrackError(TrackTrouble.UNSUPPORTED, "packed, though we asked for it as it is")
            yield answer

    async def chunks(self, answer: Answer) -> AsyncGenerator[bytes, None]:
        """Its body. A host that sends a byte now and then is never silent for long, and would hold for ever
        what it has been given of the cache. Raises WebError, TrackError (UNREACHABLE)."""
        patience = self._patience
        since = patience.clock()
        async for chunk in answer.chunks():
            self._waited += patience.clock() - since
            self._came += len(chunk)
            if self._waited >= patience.drip:
                if self._came < patience.least:
                    raise TrackError(TrackTrouble.UNREACHABLE, "it sends next to nothing")
                self._waited, self._came = 0.0, 0
            yield chunk  # whoever takes his time with it does so at no cost of the host's
            since = patience.clock()

    def got_on(self) -> None:
        """There was a new byte."""
        self._tries.got_on()
        self._renewed = 0

    async def recover(self, error: WebError) -> None:
        """Returns when it makes sense to ask again. Raises TrackError or SourceAway if it never will."""
        match error:
            case WebForbidden():
                raise TrackError(TrackTrouble.FORBIDDEN, str(error)) from error
            case Denied(status=status) if status in _REFUSED:
                await self._refresh(error)
            case Denied(status=429 | 503 as status, wait=wait):
                tired = wait is not None and wait > self._patience.wait
                if tired or (status == 429 and self._tries.spent):
                    trouble = SourceTrouble.RATE_LIMITED
                    raise SourceAway(self._source, trouble, str(error), retry_after=wait) from error
                await self._tries.again(error, wait or 0.0)
            case Denied(status=int(status)) if status < 500 and status not in (408, 425):
                raise TrackError(TrackTrouble.UNAVAILABLE, str(error)) from error
            case _:
                await self._tries.again(error)

    async def _refresh(self, error: WebError) -> None:
        spent = self._renewed >= self._patience.renewals or self._renewed_ever >= self._patience.all_renewals
        if self._renew is None or spent:
            raise TrackError(TrackTrouble.UNAVAILABLE, str(error)) from error
        self._renewed += 1
        self._renewed_ever += 1
        self.link = await self._renew(self.link)


async def small(host: Host, most: int) -> tuple[bytes, str]:
    """A body of ``most`` bytes and no more, and where it came from. Raises TrackError, SourceAway."""
    while True:
        body = bytearray()
        try:
            async with host.answer() as answer:
                async with aclosing(host.chunks(answer)) as chunks:
                    async for chunk in chunks:
                        body += chunk
                        if len(body) > most:
                            raise TrackError(TrackTrouble.TOO_BIG, f"more than {most} bytes")
                host.got_on()
                return bytes(body), answer.url
        except WebError as error:
            await host.recover(error)


def _retry_after(said: str | None, patience: Patience) -> float | None:
    """Seconds, or a date (RFC 9110, 10.2.3); whoever says something else has said nothing."""
    if said is None:
        return None
    try:
        wait = float(said) if said.isdecimal() else _until(said).timestamp() - patience.now()
    except (ValueError, OverflowError):
        return None
    return min(max(0.0, wait), LONGEST_AWAY)


def _until(date: str) -> datetime:
    until = parsedate_to_datetime(date)
    return until.replace(tzinfo=until.tzinfo or UTC)
