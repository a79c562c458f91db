"""Sessions for libraries that fetch in threads with a client of their own: the door, limits and all.

Whatever such a library asks for itself, its requests go by the door, certificates are checked, an answer has
limits in time and bytes (the door's ``most`` is for a connection, and these are kept), and nothing of the
machine's proxy settings or netrc counts. It sees the errors of ``requests`` and ``httpx``, with the door's
sentence in them.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterable, Mapping
from ssl import SSLContext
from typing import Any

import attrs
import httpx
import requests
import requests.adapters
import urllib3.exceptions

from ryzen.errors import WebError
from ryzen.fetch.egress import MARK, Egress
from ryzen.fetch.trust import trust
from ryzen.fetch.unpack import ACCEPTED, Unpacker
from ryzen.outside import Outside


@attrs.frozen
class AnswerLimits:
    """``silence`` to connect and from one piece to the next, ``whole`` for all of an answer, in seconds;
    ``most`` bytes, unpacked."""

    silence: float = 10.0
    whole: float = 30.0
    most: int = 8 << 20


class _TooLong(Exception):
    pass


def requests_session(
    egress: Egress, outside: Outside, *, proxied: bool = False, limits: AnswerLimits | None = None
) -> requests.Session:
    """The caller closes it. Every answer is read at once, streams too."""
    proxy = egress.url(proxied=proxied)
    adapter = _Adapter(proxy, trust(outside), limits or AnswerLimits())
    session = requests.Session()
    session.trust_env = False
    session.proxies = {"http": proxy, "https": proxy}
    session.headers["Accept-Encoding"] = ACCEPTED
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def httpx_client(
    egress: Egress, outside: Outside, *, proxied: bool = False, limits: AnswerLimits | None = None
) -> httpx.Client:
    """The caller closes it. Every answer is read at once, streams too."""
    way = httpx.HTTPTransport(verify=trust(outside), proxy=egress.url(proxied=proxied), trust_env=False)
    return httpx.Client(
        transport=_Transport(way, limits or AnswerLimits()),
        headers={"accept-encoding": ACCEPTED},
        trust_env=False,
    )


class _Adapter(requests.adapters.HTTPAdapter):
    def __init__(self, proxy: str, tls: SSLContext, limits: AnswerLimits) -> None:
        self._proxies = {"http": proxy, "https": proxy}
        self._tls, self._limits = tls, limits
        super().__init__()

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        return super().proxy_manager_for(proxy, ssl_context=self._tls, **proxy_kwargs)

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002
        timeout: Any = None,
        verify: bool | str = True,  # noqa: ARG002
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002
    ) -> requests.Response:
        """What the library says of time, trust and ways is not asked, but for a shorter time."""
        silence = self._limits.silence
        if isinstance(timeout, (int, float)):
            silence = min(silence, timeout)
        response = super().send(request, stream=True, timeout=silence, cert=cert, proxies=self._proxies)
        try:
            if (response.reason or "").startswith(MARK):
                raise requests.exceptions.ProxyError(response.reason, request=request)
            chunks = response.raw.stream(1 << 16, decode_content=False)
            body = _body(chunks, response.headers.get("content-encoding", ""), self._limits)
        except WebError as error:
            raise requests.exceptions.ContentDecodingError(str(error), request=request) from error
        except _TooLong as error:
            raise requests.exceptions.ReadTimeout(str(error), request=request) from error
        except urllib3.exceptions.ReadTimeoutError as error:
            raise requests.exceptions.ReadTimeout(error, request=request) from error
        except urllib3.exceptions.HTTPError as error:
            raise requests.exceptions.ConnectionError(error, request=request) from error
        finally:
            response.raw.close()
        response.headers.pop("content-encoding", None)
        response.raw = io.BytesIO(body)
        return response


class _Transport(httpx.BaseTransport):
    def __init__(self, way: httpx.HTTPTransport, limits: AnswerLimits) -> None:
        self._way, self._limits = way, limits

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        wanted = request.extensions.get("timeout") or {}
        silence = self._limits.silence
        request.extensions["timeout"] = {
            kind: min(silence, wanted.get(kind) or silence) for kind in ("connect", "read", "write", "pool")
        }
        response = self._way.handle_request(request)
        try:
            reason = response.reason_phrase
            if reason.startswith(MARK):
                raise httpx.ProxyError(reason, request=request)
            chunks = response.iter_raw()
            body = _body(chunks, response.headers.get("content-encoding", ""), self._limits)
        except WebError as error:
            raise httpx.DecodingError(str(error), request=request) from error
        except _TooLong as error:
            raise httpx.ReadTimeout(str(error), request=request) from error
        finally:
            response.close()
        told = ("content-encoding", "content-length", "transfer-encoding")
        headers = [(name, value) for name, value in response.headers.multi_items() if name not in told]
        return httpx.Response(
            response.status_code,
            headers=headers,
            content=body,
            request=request,
            extensions={"reason_phrase": reason.encode("ascii", "replace")},
        )

    def close(self) -> None:
        self._way.close()


def _body(chunks: Iterable[bytes], encoding: str, limits: AnswerLimits) -> bytes:
    """Raises WebError, _TooLong."""
    unpacker = Unpacker(encoding, limits.most)
    end = time.monotonic() + limits.whole
    body = bytearray()
    for chunk in chunks:
        body += unpacker.feed(chunk)
        if time.monotonic() > end:
            raise _TooLong(f"the answer takes longer than {limits.whole:g} s")
    unpacker.end()
    return bytes(body)
