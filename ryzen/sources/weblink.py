"""Links to sound itself: a file, an HLS playlist, a radio station, or a small list that names one."""

from __future__ import annotations

import hashlib
import re
from email.message import Message
from urllib.parse import unquote, urljoin, urlsplit

from ryzen.errors import TrackError, TrackTrouble, WebError, WebForbidden
from ryzen.origins import Broadcast, Listing, Origin, Peek, Peeker, Remote, Segmented, Source, Web
from ryzen.player.state import Track
from ryzen.sources.asking import Fresh
from ryzen.sources.links import as_title, cut, title_of

_HLS = ("application/vnd.apple.mpegurl", "application/x-mpegurl", "audio/mpegurl", "audio/x-mpegurl")
_LISTS = ("audio/x-scpls", "application/pls+xml", "audio/scpls")
_PAGES = ("text/html", "application/xhtml+xml")
#: Types that say nothing: then the first bytes count alone.
_VAGUE = ("", "application/octet-stream", "binary/octet-stream", "text/plain", "application/force-download")
_SOUND = ("audio/", "video/", "application/ogg")
#: What stations send, and files without a length hardly ever.
_STREAMED = (
    "audio/mpeg",
    "audio/mp3",
    "audio/aac",
    "audio/aacp",
    "audio/ogg",
    "application/ogg",
    "audio/x-aac",
)
#: First bytes of what can be decoded.
_MAGIC = re.compile(
    rb"ID3|fLaC|OggS|RIFF....WAVE|FORM....AIFF|\x1aE\xdf\xa3|\xff[\xe2-\xff]|....ftyp", re.DOTALL
)
#: Bytes of a playlist that are read; lists that one leads to after another.
_LIST_SIZE, _LISTS_DEEP = 512 << 10, 3


class WebLinkSource:
    """``Source`` for whatever link leads to sound directly: to be asked after all others.

    A track's ``ref`` is the link; nothing of it is ever a path on this machine. ``pages`` takes web pages, if
    the owner wants that they are searched for media.
    """

    name = "web"

    def __init__(
        self, peeker: Peeker, web: Web, pages: Source | None = None, fresh: Fresh | None = None
    ) -> None:
        self._peeker, self._web, self._pages = peeker, web, pages
        self._fresh = fresh or Fresh()

    @classmethod
    def ident(cls, link: str) -> str:
        """The id of a track, by its link."""
        return f"{cls.name}:{hashlib.sha256(link.encode()).hexdigest()[:16]}"

    def claims(self, link: str) -> bool:
        return link.startswith(("https://", "http://"))

    async def search(self, words: str, limit: int) -> tuple[Track, ...]:  # noqa: ARG002 - the protocol's
        return ()

    async def expand(self, link: str, limit: int) -> Listing:
        """Raises TrackError: NO_SOURCE for a page, FORBIDDEN, BROKEN, UNSUPPORTED, UNREACHABLE."""
        peek = await self._peek(link)
        if self._pages is not None and peek.kind in _PAGES:
            return await self._pages.expand(link, limit)
        ident = self.ident(link)
        place = await self._place(peek)
        self._fresh.keep(ident, Origin(ident, place))
        return Listing((Track(ident, _title(link, peek), self.name, link, link=link),), linked=True)

    async def resolve(self, track: Track) -> Origin:
        kept = self._fresh.take(track.id)
        return kept or Origin(track.id, await self.place(track.ref))

    async def place(self, link: str) -> Remote | Segmented | Broadcast:
        """What is behind a link to sound. Raises TrackError."""
        return await self._place(await self._peek(link))

    async def _peek(self, link: str) -> Peek:
        try:
            return await self._peeker.peek(link)
        except WebForbidden as error:
            raise TrackError(TrackTrouble.FORBIDDEN, str(error)) from error
        except WebError as error:
            raise _unreachable(error) from error

    async def _place(self, peek: Peek, deep: int = 0) -> Remote | Segmented | Broadcast:
        head = peek.head.removeprefix(b"\xef\xbb\xbf").lstrip()
        if _is_station(peek):
            return Broadcast(peek.url)
        if peek.size is not None and peek.size <= 0:
            raise TrackError(TrackTrouble.BROKEN, "it has no bytes")
        if head.startswith((b"#EXTM3U", b"[playlist]")) or peek.kind in (*_HLS, *_LISTS):
            return await self._of_list(peek, deep)
        if peek.kind in _PAGES:
            raise TrackError(TrackTrouble.NO_SOURCE, "a web page")
        if _MAGIC.match(peek.head) or (peek.kind.startswith(_SOUND) and peek.kind not in _VAGUE):
            return Remote(peek.url, size=peek.size)
        raise TrackError(TrackTrouble.UNSUPPORTED, cut(peek.kind or "no type", 60))

    async def _of_list(self, peek: Peek, deep: int) -> Remote | Segmented | Broadcast:
        if not _says_list(peek):
            # A song that is a list names what it likes, files of this machine too: nobody means that.
            raise TrackError(TrackTrouble.FORBIDDEN, "a playlist under the name of a sound file")
        text = await self._text(peek.url)
        if "#EXT-X-" in text:
            return Segmented(peek.url, live=await self._is_live(peek.url, text))
        station = _first_of(text, peek.url)
        if station is None:
            raise TrackError(TrackTrouble.EMPTY)
        if deep >= _LISTS_DEEP:
            raise TrackError(TrackTrouble.FORBIDDEN, "lists that lead to lists, on and on")
        return await self._place(await self._peek(station), deep + 1)

    async def _is_live(self, url: str, text: str) -> bool:
        """Of a master playlist, its first variant tells; wherever that lies, the egress guard has its say."""
        if "#EXT-X-STREAM-INF" not in text:
            return "#EXT-X-ENDLIST" not in text
        variant = _first_of(text, url)
        if variant is None:
            raise TrackError(TrackTrouble.BROKEN, "a playlist of nothing")
        return "#EXT-X-ENDLIST" not in await self._text(variant)

    async def _text(self, url: str) -> str:
        try:
            return await self._web.text(url, most=_LIST_SIZE)
        except WebForbidden as error:
            raise TrackError(TrackTrouble.FORBIDDEN, str(error)) from error
        except WebError as error:
            raise _unreachable(error) from error


def _is_station(peek: Peek) -> bool:
    if any(name.startswith(("icy-", "ice-")) for name in peek.headers):
        return True
    return peek.size is None and peek.kind in _STREAMED and "content-disposition" not in peek.headers


def _says_list(peek: Peek) -> bool:
    """Whether its name or type says so; a type that says nothing leaves it to the name."""
    suffix = urlsplit(peek.url).path.lower().rpartition(".")[2]
    return peek.kind in (*_HLS, *_LISTS) or (
        suffix in ("m3u8", "m3u", "pls") and not peek.kind.startswith(("audio/", "video/"))
    )


def _first_of(text: str, base: str) -> str | None:
    """The first address in an M3U or PLS list."""
    for line in map(str.strip, text.splitlines()):
        if line.lower().startswith("file") and "=" in line:
            return urljoin(base, line.partition("=")[2].strip())
        if line and not line.startswith(("#", "[")) and "=" not in line.partition("?")[0]:
            return urljoin(base, line)
    return None


def _title(link: str, peek: Peek) -> str:
    """What the station calls itself, the name under which the file would be saved, or the link's end."""
    if station := cut(peek.headers.get("icy-name", "")):
        return station
    return as_title(_filename(peek.headers.get("content-disposition", ""))) or title_of(link)


def _filename(disposition: str) -> str:
    """Of a Content-Disposition, in either of its forms (RFC 6266)."""
    message = Message()
    message["Content-Disposition"] = disposition.replace("\r", " ").replace("\n", " ")
    return unquote(message.get_filename("") or "")


def _unreachable(error: WebError) -> TrackError:
    trouble = TrackTrouble.MISSING if error.status in (404, 410) else TrackTrouble.UNREACHABLE
    return TrackError(trouble, str(error))
