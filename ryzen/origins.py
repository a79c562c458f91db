"""Where music comes from, in our words: what sources say of a track, and the ports between the folders that
find it (``sources``), have it extracted and fetched (``fetch``) and ask for it (``actors/download.py``).

Source      sources/*.py, telegram/files.py   search, what is behind a link, where a track's bytes are
Attachments telegram/files.py                 what can be played of a message
Extractor   fetch/client.py                   yt-dlp, in a process of its own
Web         fetch/web.py                      small answers from servers of others, through the egress guard
Cache       fetch/cache.py                    the bytes, playable while they come
"""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import attrs

from ryzen.player.state import Chapter, Media, Span, Track


# -- what a source says
@attrs.frozen
class Listing:
    """What was found for words, or what is behind a link.

    ``left_out`` is how many more there are than were asked for, as far as is known. ``title`` is that of a
    playlist, an album or the like; empty for hits and for a single track.
    """

    tracks: tuple[Track, ...]
    title: str = ""
    left_out: int = 0
    linked: bool = False  #: behind a link: all of it is meant, and not the best hit alone


@attrs.frozen
class OnDisk:
    """A file that is there, whole; not ours to keep or to remove."""

    path: Path


@attrs.frozen
class Remote:
    """A file on a web server. ``span`` is the most bytes the host gives at once, None for no limit."""

    url: str = attrs.field(repr=False)
    headers: tuple[tuple[str, str], ...] = attrs.field(default=(), repr=False)
    size: int | None = None
    span: int | None = None
    proxied: bool = False  #: by way of PROXY_URL: some hosts bind a link to the address that asked for it


@attrs.frozen
class Segmented:
    """An HLS playlist, master or media. ``live``: it goes on, and is never kept."""

    url: str = attrs.field(repr=False)
    headers: tuple[tuple[str, str], ...] = attrs.field(default=(), repr=False)
    live: bool = False
    proxied: bool = False


@attrs.frozen
class Broadcast:
    """An endless answer: a radio station. Never kept."""

    url: str = attrs.field(repr=False)
    headers: tuple[tuple[str, str], ...] = attrs.field(default=(), repr=False)


@attrs.frozen
class Pieces:
    """Bytes that somebody hands us from any offset on: a file in Telegram. ``size`` in bytes."""

    size: int
    read: Callable[[int], AsyncIterator[bytes]] = attrs.field(repr=False)


Place = OnDisk | Remote | Segmented | Broadcast | Pieces


@attrs.frozen
class Origin:
    """A resolved track: where its bytes are, and what is known of it.

    ``key`` names the recording in the cache: tracks of several sources may lead to the same one.
    ``duration`` in seconds; ``gain`` in dB if the source tells it, None if it has to be measured.
    """

    key: str
    place: Place
    duration: float | None = None
    skips: tuple[Span, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    artwork: str | None = None
    gain: float | None = None


class Source(Protocol):
    """One module a source. Raises TrackError for a track or link, SourceAway if it refuses everything."""

    name: str  #: as in ``Track.source``

    def claims(self, link: str) -> bool:
        """Whether this link (http or https, well formed) is one of its own. Pure, and quick."""
        ...

    async def search(self, words: str, limit: int) -> tuple[Track, ...]:
        """The best first; empty if there is nothing, or if it has no search."""
        ...

    async def expand(self, link: str, limit: int) -> Listing:
        """What is behind a link: a track, or the first ``limit`` of a playlist. Never more requests than
        that needs."""
        ...

    async def resolve(self, track: Track) -> Origin:
        """Where the bytes of the track are, now. Links age: it may be asked again."""
        ...


class Attachments(Protocol):
    async def attached(self, chat_id: int, message_id: int) -> Track | None:
        """What can be played of a message's file; None if there is nothing.

        Raises SendError, SourceAway, TrackError (TOO_BIG).
        """
        ...


# -- what sources need of the outside
@attrs.frozen
class Job:
    """What yt-dlp is to do. ``query`` is a link or one of its searches (``ytsearch5:words``).

    ``flat``: list entries without looking into each. ``extractors``: only these may take the link (names as
    in yt-dlp's ``allowed_extractors``). ``arguments`` are its ``extractor_args``.
    """

    query: str
    flat: bool = False
    limit: int | None = None
    format: str | None = None
    extractors: tuple[str, ...] = ()
    arguments: Mapping[str, Mapping[str, tuple[str, ...]]] = attrs.field(factory=dict)
    cookies: bool = False  #: with the operator's cookies
    proxied: bool = False  #: by way of PROXY_URL


class Extractor(Protocol):
    async def extract(self, job: Job, *, within: float) -> Mapping[str, Any]:
        """yt-dlp's info as JSON. Cancelling it kills the job at once. Raises TrackError, SourceAway (whose
        ``source`` the caller fills in)."""
        ...


class Web(Protocol):
    """Small answers from servers of others. Raises WebError; WebForbidden if the guard says no."""

    async def json(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: object = None,
        within: float = 10.0,
        most: int = 2 << 20,
    ) -> Any:
        """GET, or POST if there is a ``body``, which is sent as JSON. ``most`` bytes, unpacked."""
        ...

    async def text(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        within: float = 10.0,
        most: int = 2 << 20,
    ) -> str: ...


@attrs.frozen
class Peek:
    """How a link answers: after redirects, with the first bytes of it."""

    url: str = attrs.field(repr=False)
    kind: str  #: Content-Type, lower case, without parameters
    size: int | None
    head: bytes = attrs.field(repr=False)  #: 4 KiB at most
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)  #: lower-case names (``icy-name``, …)


class Peeker(Protocol):
    async def peek(self, url: str, *, within: float = 10.0) -> Peek:
        """Raises WebError, WebForbidden."""
        ...


# -- the cache
Renew = Callable[[], Awaitable[Origin]]


class Flight(Protocol):
    """The bytes of one recording on their way here."""

    key: str

    async def run(self) -> None:
        """Fetch to the end.

        Errors are told to whoever waits in ``ready`` and to whoever reads the file; none of ours is raised.
        Cancelled, or failed: nothing of it is left on the disk.
        """
        ...

    async def ready(self) -> Media:
        """As soon as decoding can begin. Raises TrackError or SourceAway."""
        ...


class Cache(Protocol):
    """What has been fetched, by the byte, least recently used out. Nothing partial is ever taken for
    whole."""

    def get(self, track_id: str) -> Media | None:
        """A recording that is whole, by its key or the id of a track that led to it; it counts as used."""
        ...

    def begin(self, track_id: str, origin: Origin, renew: Renew, *, again: bool = False) -> Flight:
        """A new flight; the caller runs it, one per key at a time. ``renew`` is asked for a fresh origin when
        a link has aged. ``again``: what is there was cut; go on from where it ends, or begin anew.

        Raises TrackError if there is no room for it at all.
        """
        ...

    def lead(self, track_id: str, key: str) -> None:
        """This track is that recording too, whole or on its way: from now on it is found by its id."""
        ...

    def use(self, track_id: str) -> None:
        """It is being listened to: the last to be put out."""
        ...


class Urgency(enum.IntEnum):
    """Who waits goes first."""

    LISTENER = 0
    AHEAD = 1  #: the next in a line
    KEEPSAKE = 2  #: somebody wants the file


# -- around a track
@attrs.frozen
class Line:
    """One line of a song; ``at`` in seconds, None in lyrics without time stamps."""

    text: str
    at: float | None = None


@attrs.frozen
class Lyrics:
    """Without a line it is an instrumental. An empty line with a time: nothing is sung from there on."""

    lines: tuple[Line, ...]
    source: str  #: for people: who has them

    @property
    def timed(self) -> bool:
        return any(line.at is not None for line in self.lines)


class Songbook(Protocol):
    async def lyrics(self, title: str, artist: str = "", duration: float | None = None) -> Lyrics | None:
        """None if nobody has them. Raises WebError."""
        ...
