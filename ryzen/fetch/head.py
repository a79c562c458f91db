"""The head of a request to the door: read strictly, and written anew for the server."""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import urlsplit

import attrs

from ryzen.errors import WebForbidden
from ryzen.fetch.guard import check_host, check_url

_LINE = re.compile(rb"([A-Z]{3,16}) ([\x21-\x7e]+) HTTP/1\.[01]")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\x80-\xff\t]*?)[ \t]*")
_AUTHORITY = re.compile(r"(?:\[([^\]]+)\]|([^:\[\]]+)):([0-9]{1,5})")
#: Of this connection alone; ``host`` is written anew from the target, for two could differ.
_HOP = frozenset(
    {
        b"connection",
        b"host",
        b"keep-alive",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"upgrade",
    }
)


class BadHead(ValueError):
    """Not a request to a proxy; says what is wrong."""


@attrs.frozen
class Head:
    """``host`` and ``port`` are where to go. ``tunnel``: a CONNECT, the rest is between client and server;
    otherwise ``forward`` is the head for the server, and ``body`` bytes follow it."""

    host: str
    port: int
    tunnel: bool
    body: int = 0
    forward: bytes = attrs.field(default=b"", repr=False)


@attrs.frozen
class Raw:
    """A head as it came, cut into its parts."""

    method: str
    target: str = attrs.field(repr=False)
    fields: tuple[tuple[bytes, bytes], ...] = attrs.field(repr=False)

    @classmethod
    def read(cls, head: bytes) -> Raw:
        """``head`` with its empty line. Raises BadHead."""
        first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
        line = _LINE.fullmatch(first)
        fields = [_FIELD.fullmatch(text) for text in lines]
        if line is None or None in fields:
            raise BadHead("this is not HTTP as a proxy understands it")
        return cls(
            line[1].decode("ascii"),
            line[2].decode("ascii"),
            tuple((field[1], field[2]) for field in fields if field is not None),
        )

    def credentials(self) -> tuple[str, str] | None:
        """User and password of a Basic Proxy-Authorization; None if there is none that can be read."""
        found = self._values(b"proxy-authorization")
        kind, _, text = found[0].partition(b" ") if len(found) == 1 else (b"", b"", b"")
        if kind.lower() != b"basic":
            return None
        try:
            user, _, password = base64.b64decode(text, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return user, password

    def judged(self) -> Head:
        """Raises BadHead, WebForbidden."""
        return self._tunnel() if self.method == "CONNECT" else self._forwarded()

    def _tunnel(self) -> Head:
        place = _AUTHORITY.fullmatch(self.target)
        if place is None:
            raise BadHead("CONNECT names no host and port")
        return Head(check_host(place[1] or place[2]), int(place[3]), tunnel=True)

    def _forwarded(self) -> Head:
        url = urlsplit(check_url(self.target))
        if url.scheme != "http":
            raise WebForbidden("https goes by CONNECT only")
        assert url.hostname is not None
        lengths = set(self._values(b"content-length"))
        length = lengths.pop() if lengths else b"0"
        # With a body whose end is in doubt, a second request could pass for a part of the first.
        if lengths or self._values(b"transfer-encoding") or not re.fullmatch(rb"[0-9]{1,12}", length):
            raise BadHead("the body must come with one Content-Length")
        asked = url.path + (f"?{url.query}" if url.query else "")
        kept = [name + b": " + value for name, value in self.fields if name.lower() not in _HOP]
        lines = [f"{self.method} {asked} HTTP/1.1".encode("ascii"), b"Host: " + url.netloc.encode("ascii")]
        forward = b"\r\n".join([*lines, *kept, b"Connection: close", b"", b""])
        return Head(url.hostname, url.port or 80, tunnel=False, body=int(length), forward=forward)

    def _values(self, name: bytes) -> list[bytes]:
        return [value for field, value in self.fields if field.lower() == name]
