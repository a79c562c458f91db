"""Bytes that come without ranges: a radio station, and what somebody hands us in pieces."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from ryzen.errors import TrackError, TrackTrouble, WebError
from ryzen.fetch.getting import Getter
from ryzen.fetch.host import Host, Link, Patience, Tries
from ryzen.fetch.sink import Sink
from ryzen.origins import Broadcast, Pieces, Renew


async def fetch_broadcast(
    place: Broadcast, sink: Sink, getter: Getter, patience: Patience, source: str, renew: Renew
) -> None:
    """What is on the air, for ever; a connection that ends is made anew. Raises TrackError, SourceAway."""

    async def fresh(_: Link) -> Link:
        renewed = (await renew()).place
        if not isinstance(renewed, Broadcast):
            raise TrackError(TrackTrouble.UNAVAILABLE, "it is not on the air any more")
        return Link(renewed.url, renewed.headers)

    host = Host(getter, Link(place.url, place.headers), patience, source, fresh)
    while True:
        end = WebError("it has ended")
        try:
            async with host.answer() as answer, aclosing(host.chunks(answer)) as chunks:
                async for chunk in chunks:
                    host.got_on()
                    await sink.write(chunk)
        except WebError as error:
            end = error
        await host.recover(end)


async def fetch_pieces(place: Pieces, sink: Sink, patience: Patience) -> None:
    """To the end, behind what is there already; opened again where it broke off. Raises TrackError,
    SourceAway."""
    await sink.expect(place.size)
    tries = Tries(patience)
    while sink.size < place.size:
        end: Exception = WebError(f"it ends early, of {place.size} bytes")
        try:
            async with _closing(place.read(sink.size)) as pieces:
                async for piece in pieces:
                    await sink.write(piece[: place.size - sink.size])
                    if piece:
                        tries.got_on()
                    if sink.size >= place.size:
                        return
        except (WebError, OSError) as error:
            end = error
        await tries.again(end)


@asynccontextmanager
async def _closing(pieces: AsyncIterator[bytes]) -> AsyncIterator[AsyncIterator[bytes]]:
    """A generator is closed here and now, and not when it is collected."""
    try:
        yield pieces
    finally:
        if isinstance(pieces, AsyncGenerator):
            await pieces.aclose()
