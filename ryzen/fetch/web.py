"""Our own client for servers of others: small answers, looks at links, and bodies of any size as they come.

Every request goes by the egress door (``egress.py``); redirects are followed here, each one checked. Cookies
are not kept, and nothing of the machine's proxy settings or netrc counts.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from json import dumps, loads
from typing import Any

import aiohttp
import anyio
import attrs
from yarl import URL

from ryzen.errors import WebError, WebForbidden
from ryzen.fetch.egress import MARK, Egress
from ryzen.fetch.trust import trust
from ryzen.fetch.unpack import ACCEPTED
from ryzen.fetch.web_answer import WebAnswer
from ryzen.fetch.web_request import REDIRECTS, Request
from ryzen.origins import Peek
from ryzen.outside import Outside

_REDIRECTS = 5
_HEAD = 4096


@attrs.frozen
class Patience:
    """In seconds. ``answer`` until the head of an answer is there, redirects included; ``chunk`` from one
    piece of a body to the next."""

    answer: float = 30.0
    chunk: float = 15.0


class WebClient:
    """``getting.Getter``, ``origins.Web`` and ``origins.Peeker``. See ``serve``."""

    def __init__(
        self, session: aiohttp.ClientSession, egress: Egress, tls: ssl.SSLContext, patience: Patience
    ) -> None:
        self._session, self._egress, self._tls, self._patience = session, egress, tls, patience

    @asynccontextmanager
    async def get(
        self, url: str, *, headers: Sequence[tuple[str, str]] = (), proxied: bool = False
    ) -> AsyncIterator[WebAnswer]:
        async with self._answer(Request.make("GET", url, headers), proxied=proxied) as answer:
            yield answer

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
        fields = [("accept", "application/json"), *(headers or {}).items()]
        if body is None:
            request = Request.make("GET", url, fields, params=params)
        else:
            fields.append(("content-type", "application/json"))
            request = Request.make("POST", url, fields, params=params, body=dumps(body).encode())
        text = await self._small(request, within, most)
        try:
            return loads(text)
        except (ValueError, RecursionError) as error:  # numbers of too many digits are plain ValueErrors
            raise WebError(f"{request.host} has not answered in JSON") from error

    async def text(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        within: float = 10.0,
        most: int = 2 << 20,
    ) -> str:
        request = Request.make("GET", url, (headers or {}).items(), params=params)
        return await self._small(request, within, most)

    async def peek(self, url: str, *, within: float = 10.0) -> Peek:
        request = Request.make("GET", url)
        with _within(within, request.host):
            async with self._answer(request) as answer:
                _expect_good(answer)
                head = await answer.head(_HEAD)
                return Peek(answer.url, answer.kind, answer.size, head, answer.headers)

    async def _small(self, request: Request, within: float, most: int) -> str:
        with _within(within, request.host):
            async with self._answer(request.accepting(ACCEPTED)) as answer:
                _expect_good(answer)
                return answer.text(await answer.body(most))

    @asynccontextmanager
    async def _answer(self, request: Request, *, proxied: bool = False) -> AsyncIterator[WebAnswer]:
        with _within(self._patience.answer, request.host):
            response = await self._followed(request, proxied)
        try:
            yield WebAnswer(response)
        finally:
            response.close()

    async def _followed(self, request: Request, proxied: bool) -> aiohttp.ClientResponse:
        for _ in range(_REDIRECTS + 1):
            response = await self._sent(request, proxied)
            location = response.headers.get("location")
            if response.status not in REDIRECTS or location is None:
                return response
            response.close()
            request = request.redirected(response.status, location)
        raise WebError(f"{request.host} redirects on and on")

    async def _sent(self, request: Request, proxied: bool) -> aiohttp.ClientResponse:
        url = _as_aiohttp_takes_it(request.url)
        try:
            response = await self._session.request(
                request.method,
                url,
                headers=request.fields,
                data=request.body,
                allow_redirects=False,
                proxy=self._egress.url(proxied=proxied),
                ssl=self._tls,
            )
        except aiohttp.ClientHttpProxyError as error:
            raise _from_the_door(error.status, error.message, request.host) from error
        except aiohttp.ClientConnectorCertificateError as error:
            raise WebError(f"the certificate of {request.host} is not to be trusted") from error
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is one
            raise WebError(f"{request.host} does not answer") from error
        if (response.reason or "").startswith(MARK):
            response.close()
            raise _from_the_door(response.status, response.reason or "", request.host)
        return response


@asynccontextmanager
async def serve(
    egress: Egress, outside: Outside, *, patience: Patience | None = None
) -> AsyncIterator[WebClient]:
    """Connections are kept and shared for as long as the block runs."""
    patience = patience or Patience()
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),  # the door counts
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_read=patience.chunk),
        auto_decompress=False,
        trust_env=False,
    ) as session:
        yield WebClient(session, egress, trust(outside), patience)


def _as_aiohttp_takes_it(url: str) -> URL:
    """It reads names out of punycode, on the way and in the answer, and there are some that say nothing.

    Raises WebForbidden.
    """
    taken = URL(url, encoded=True)
    try:
        assert taken.host is not None
    except UnicodeError as error:
        raise WebForbidden("this link names no possible host") from error
    return taken


def _from_the_door(status: int, reason: str, host: str) -> WebError:
    sentence = reason.removeprefix(MARK)
    if status == 403:
        return WebForbidden(sentence)
    return WebError(sentence if reason.startswith(MARK) else f"{host} does not answer")


def _expect_good(answer: WebAnswer) -> None:
    if answer.status >= 400:
        raise WebError(f"{answer.host} answers {answer.status}", answer.status)


@contextmanager
def _within(seconds: float, host: str) -> Iterator[None]:
    try:
        with anyio.fail_after(seconds):
            yield
    except TimeoutError as error:
        raise WebError(f"{host} has not answered within {seconds:g} s") from error
