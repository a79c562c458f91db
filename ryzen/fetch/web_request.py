"""A request of our own client: checked, and what becomes of it on a redirect."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlencode, urljoin, urlsplit

import attrs

from ryzen.errors import WebForbidden
from ryzen.fetch.guard import check_url

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_DEFAULTS = {"accept": "*/*", "accept-encoding": "identity", "user-agent": "Ryzen (a music bot)"}
#: What may go along to another host; whatever else a caller sends may be a secret of the first.
_HARMLESS = frozenset({"accept", "accept-encoding", "accept-language", "icy-metadata", "range", "user-agent"})
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")


@attrs.frozen
class Request:
    """``url`` is as ``check_url`` gives it; names in ``fields`` are lower case."""

    method: str
    url: str = attrs.field(repr=False)
    fields: Mapping[str, str] = attrs.field(repr=False)
    body: bytes | None = attrs.field(default=None, repr=False)

    @classmethod
    def make(
        cls,
        method: str,
        url: str,
        headers: Iterable[tuple[str, str]] = (),
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Request:
        """Raises WebForbidden."""
        fields = _DEFAULTS | {name.lower(): value for name, value in headers}
        if not all(_NAME.fullmatch(name) and _VALUE.fullmatch(value) for name, value in fields.items()):
            raise WebForbidden("a header with control characters in it is not sent")
        url = check_url(url)
        if params:
            url = check_url(url + ("&" if "?" in url else "?") + urlencode(params))
        return cls(method, url, fields, body)

    @property
    def host(self) -> str:
        """For people."""
        return urlsplit(self.url).hostname or ""

    def accepting(self, encoding: str) -> Request:
        return attrs.evolve(self, fields={**self.fields, "accept-encoding": encoding})

    def redirected(self, status: int, location: str) -> Request:
        """The request that follows. Raises WebForbidden."""
        try:
            url = check_url(urljoin(self.url, location.strip().replace(" ", "%20")))
        except ValueError as error:
            raise WebForbidden(f"{self.host} redirects to what is no link") from error
        there = attrs.evolve(self, url=url)
        if self.body is not None and status not in (307, 308):
            kept = {name: value for name, value in self.fields.items() if name != "content-type"}
            there = attrs.evolve(there, method="GET", body=None, fields=kept)
        if urlsplit(url)[:2] == urlsplit(self.url)[:2]:
            return there
        if there.body is not None:
            raise WebForbidden(f"{self.host} sends what it was told on to another host")
        kept = {name: value for name, value in there.fields.items() if name in _HARMLESS}
        return attrs.evolve(there, fields=kept)
