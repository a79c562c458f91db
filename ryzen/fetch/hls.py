"""HLS: the segments of a playlist, one behind the other; while it is live, as they appear in it."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from functools import partial
from itertools import islice

import anyio
import attrs
from anyio import to_thread
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from Cryptodome.Cipher import AES
from Cryptodome.Util.Padding import unpad

from ryzen.beside import beside
from ryzen.errors import RyzenError, TrackError, TrackTrouble
from ryzen.fetch.getting import Getter
from ryzen.fetch.host import Host, Link, Patience, Tries, small
from ryzen.fetch.playlist import MOST_BYTES, Choice, Key, Part, Playlist, Segment, live_edge, read
from ryzen.fetch.ranges import AnotherFile, Reading
from ryzen.fetch.sink import Sink
from ryzen.origins import Renew, Segmented

#: Segments on their way at the same time, and the chunks (of 64 KiB) of each that may wait for their turn.
_AT_ONCE, _WAITING = 3, 32
_BLOCK = 16
#: Looks at a live playlist with nothing new in it, half a segment apart, after which it is given up.
_STILL = 20
#: Segments between us and the newest: RFC 8216, 6.3.3.
_BEHIND = 3

_Coming = MemoryObjectReceiveStream[bytes | RyzenError]


class Hls:
    """One recording or broadcast on its way into a sink."""

    def __init__(
        self, place: Segmented, sink: Sink, getter: Getter, patience: Patience, source: str, renew: Renew
    ) -> None:
        self._place, self._sink = place, sink
        self._getter, self._patience, self._source, self._renew = getter, patience, source, renew
        self._list = self._host(place.url, self._fresh_list)
        self._segments: Sequence[Segment] = ()
        self._renewing = anyio.Lock()
        self._initial: Part | None = None
        self._keys: dict[str, bytes] = {}

    async def fetch(self) -> None:
        """To its end, or as long as it is on the air. Raises TrackError, SourceAway."""
        playlist = await self._find()
        if self._place.live or not playlist.ended:
            await self._sink.go_live()
            await self._follow(playlist)
        else:
            self._segments = playlist.segments
            await self._copy(range(len(playlist.segments)))

    # -- playlists
    async def _find(self) -> Playlist:
        """What is played, one master playlist deep."""
        found = await self._read(self._list)
        if isinstance(found, Choice):
            self._list.link = attrs.evolve(self._list.link, url=found.url)
            found = await self._read(self._list)
        return _played(found)

    async def _read(self, host: Host) -> Playlist | Choice:
        body, url = await small(host, MOST_BYTES)
        return await to_thread.run_sync(read, body, url)  # a long one takes half a second

    async def _fresh_list(self, _: Link) -> Link:
        place = (await self._renew()).place
        if not isinstance(place, Segmented):
            raise AnotherFile
        self._place = place
        top = self._host(place.url)
        found = await self._read(top)
        return attrs.evolve(top.link, url=found.url) if isinstance(found, Choice) else top.link

    async def _fresh_part(self, index: int, initial: bool, old: Link) -> Link:
        """Its place by a playlist of today, which is asked for once for all parts under way."""
        async with self._renewing:
            if _part(self._segments[index], initial).url == old.url:
                self._list.link = await self._fresh_list(old)
                segments = _played(await self._read(self._list)).segments
                if [s.duration for s in segments] != [s.duration for s in self._segments]:
                    raise AnotherFile
                self._segments = segments
        return self._link(_part(self._segments[index], initial).url)

    # -- the air
    async def _follow(self, playlist: Playlist) -> None:
        number = 0 if playlist.ended else live_edge(playlist.segments, _BEHIND * playlist.target)
        still, missed = 0, Tries(self._patience)
        while True:
            asked = anyio.current_time()
            fresh = [segment for segment in playlist.segments if segment.number >= number]
            for segment in fresh:
                self._segments = (segment,)
                try:
                    await self._copy(range(1), renewed=False)
                    missed.got_on()
                except TrackError as error:
                    if error.trouble not in (TrackTrouble.UNAVAILABLE, TrackTrouble.UNREACHABLE):
                        raise
                    await missed.again(error)  # it is no longer on the air: on with the next
                    self._initial = None
                number = segment.number + 1
            if playlist.ended:
                return
            still = 0 if fresh else still + 1
            if still > _STILL:
                raise TrackError(TrackTrouble.UNREACHABLE, "it stands still")
            pause = playlist.target if fresh else playlist.target / 2
            await self._patience.sleep(max(0.0, pause - (anyio.current_time() - asked)))
            playlist = _played(await self._read(self._list))
            if playlist.segments and playlist.segments[-1].number + _BEHIND < number:  # it counts anew
                number = live_edge(playlist.segments, _BEHIND * playlist.target)

    # -- segments
    async def _copy(self, indices: Sequence[int], *, renewed: bool = True) -> None:
        """Into the sink in order. The first comes alone, so that it is here soon."""
        to_come = iter(indices)
        coming: deque[_Coming] = deque()
        at_once = 1
        try:
            async with beside() as tasks:
                while True:
                    for index in islice(to_come, at_once - len(coming)):
                        coming.append(self._begin(tasks, index, renewed))
                    if not coming:
                        return
                    async for item in coming[0]:
                        if isinstance(item, RyzenError):
                            raise item
                        await self._sink.write(item)
                    coming.popleft().close()
                    at_once = _AT_ONCE
        finally:
            for stream in coming:
                stream.close()

    def _begin(self, tasks: TaskGroup, index: int, renewed: bool) -> _Coming:
        segment = self._segments[index]
        parts = [(segment.part, False)]
        if segment.initial is not None and segment.initial != self._initial:
            parts.insert(0, (segment.initial, True))
        self._initial = segment.initial
        send, receive = anyio.create_memory_object_stream[bytes | RyzenError](_WAITING)
        tasks.start_soon(self._load, index, parts, renewed, send)
        return receive

    async def _load(
        self,
        index: int,
        parts: list[tuple[Part, bool]],
        renewed: bool,
        send: MemoryObjectSendStream[bytes | RyzenError],
    ) -> None:
        number = self._segments[index].number
        with send:
            try:
                for part, initial in parts:
                    fresh = partial(self._fresh_part, index, initial) if renewed else None
                    reading = Reading(self._host(part.url, fresh), at=part.at, end=part.end)
                    async with aclosing(self._plain(reading, part.key, number)) as chunks:
                        async for chunk in chunks:
                            await send.send(chunk)
            except RyzenError as error:  # raised where the sink is written to, in its turn
                await send.send(error)

    async def _plain(self, reading: Reading, key: Key | None, number: int) -> AsyncGenerator[bytes, None]:
        async with aclosing(reading.chunks()) as chunks:
            if key is None:
                async for chunk in chunks:
                    yield chunk
            else:
                iv = number.to_bytes(_BLOCK, "big") if key.iv is None else key.iv
                async for chunk in decrypted(chunks, await self._secret(key), iv):
                    yield chunk

    async def _secret(self, key: Key) -> bytes:
        if key.url not in self._keys:
            secret, _ = await small(self._host(key.url), _BLOCK)
            if len(secret) != _BLOCK:
                raise TrackError(TrackTrouble.BROKEN, "its key is none")
            self._keys[key.url] = secret
        return self._keys[key.url]

    def _host(self, url: str, renew: Callable[[Link], Awaitable[Link]] | None = None) -> Host:
        return Host(self._getter, self._link(url), self._patience, self._source, renew)

    def _link(self, url: str) -> Link:
        return Link(url, self._place.headers, self._place.proxied)


async def decrypted(chunks: AsyncIterator[bytes], key: bytes, iv: bytes) -> AsyncIterator[bytes]:
    """AES-128-CBC with PKCS #7, as it comes. Raises TrackError (BROKEN) if it is not."""
    cipher = AES.new(key, AES.MODE_CBC, iv)
    held = b""
    async for chunk in chunks:
        held += chunk
        ready = max(0, len(held) - 1) // _BLOCK * _BLOCK  # the last block has the padding
        if ready:
            yield cipher.decrypt(held[:ready])
            held = held[ready:]
    try:
        yield unpad(cipher.decrypt(held), _BLOCK)
    except ValueError as error:
        raise TrackError(TrackTrouble.BROKEN, "a segment cannot be decrypted") from error


def _part(segment: Segment, initial: bool) -> Part:
    return segment.initial if initial and segment.initial is not None else segment.part


def _played(found: Playlist | Choice) -> Playlist:
    if isinstance(found, Choice):
        raise TrackError(TrackTrouble.UNSUPPORTED, "a playlist of playlists of playlists")
    return found
