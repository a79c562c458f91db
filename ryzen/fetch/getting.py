"""How the parts of this folder get bytes from web servers; ``web.py`` does it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol


class Answer(Protocol):
    """An answer whose body has not been read.

    ``url`` is where redirects led to; names in ``headers`` are lower case.
    """

    @property
    def status(self) -> int: ...

    @property
    def url(self) -> str: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes, not unpacked.

        Raises WebError if it breaks off, or nothing comes for too long.
        """
        ...


class Getter(Protocol):
    def get(
        self, url: str, *, headers: Sequence[tuple[str, str]] = (), proxied: bool = False
    ) -> AbstractAsyncContextManager[Answer]:
        """Redirects are followed, each one checked; any final status is an answer, 403 and 503 too.

        Raises WebError (no answer), WebForbidden (the egress guard says no). Leaving the block early closes
        the connection.
        """
        ...
