"""The operator's own proxy (PROXY_URL), on the way to an address that the guard has allowed."""

from __future__ import annotations

import ssl

from python_socks import ProxyConnectionError, ProxyError
from python_socks.async_.asyncio.v2 import Proxy

from ryzen.outside import Stream

#: The same on the wire once it is the guard that looks names up; python-socks knows but these three.
_SCHEMES = {"http": "http", "https": "http", "socks4": "socks4", "socks4a": "socks4"} | {
    "socks5": "socks5",
    "socks5h": "socks5",
}


class Upstream:
    """``url`` is ``scheme://user:password@host:port``. It may well be on a private address: it is the
    operator's. Raises ValueError."""

    def __init__(self, url: str) -> None:
        scheme, _, rest = url.partition("://")
        if scheme not in _SCHEMES:
            raise ValueError("a proxy is http, https, socks4 or socks5")
        self._url = f"{_SCHEMES[scheme]}://{rest}"
        self._tls = ssl.create_default_context() if scheme == "https" else None
        self._proxy()

    async def connect(self, address: str, port: int) -> Stream:
        """Raises OSError. Who calls sets the limit of time."""
        try:
            stream = await self._proxy().connect(address, port)
        except ProxyConnectionError:
            raise
        except ProxyError as error:
            raise OSError("the proxy of this bot does not get there") from error
        return stream.reader, stream.writer

    def _proxy(self) -> Proxy:
        return Proxy.from_url(self._url, proxy_ssl=self._tls)
