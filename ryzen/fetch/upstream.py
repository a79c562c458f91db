"""The operator's own proxy (PROXY_URL), on the way to an address that the guard has allowed."""

from __future__ import annotations

import re
import ssl
from urllib.parse import unquote, urlsplit

from loguru import logger
from python_socks import ProxyConnectionError, ProxyError
from python_socks.async_.asyncio.v2 import Proxy

from ryzen.outside import Stream

#: The same on the wire once it is the guard that looks names up; python-socks knows but these three.
_SCHEMES = {"http": "http", "https": "http", "socks4": "socks4", "socks4a": "socks4"} | {
    "socks5": "socks5",
    "socks5h": "socks5",
}
#: What SOCKS and python-socks 2 have room for, in characters.
_LONGEST_LOGIN = 255
#: How a proxy says in python-socks 2 that it wants to know better who we are: HTTP's 407, SOCKS4's 0x5D, and
#: sentences.
_WHO = (407, 0x5D)
_WHO_SAID = re.compile(r"authentication failure|acceptable authentication|Unexpected SOCKS authentication")
_NO_PROXY = "does not speak as a proxy of this kind should"
#: What comes out of python-socks 2 beside its own: an end too early, and a name in a reply that is no text.
_FAULTS = (ProxyError, OSError, EOFError, ValueError, LookupError)


class Upstream:
    """``url`` is ``scheme://user:password@host:port``. It may well be on a private address: it is the
    operator's. Raises ValueError, whose text may have the password in it."""

    def __init__(self, url: str) -> None:
        scheme, _, rest = url.partition("://")
        if scheme not in _SCHEMES:
            raise ValueError("a proxy is http, https, socks4 or socks5")
        self._url = f"{_SCHEMES[scheme]}://{rest}"
        self._tls = ssl.create_default_context() if scheme == "https" else None
        self._proxy()
        parts = urlsplit(url)
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        if ":" in user or not (user + password).isascii() or max(len(user), len(password)) > _LONGEST_LOGIN:
            raise ValueError("a proxy takes a user name and a password that are short, and ASCII")
        self.host, self.port = str(parts.hostname), int(parts.port or 0)
        self._told: str | None = None  #: of what is wrong with it

    async def connect(self, address: str, port: int) -> Stream:
        """Raises OSError. Who calls sets the limit of time."""
        try:
            stream = await self._proxy().connect(address, port)
        except _FAULTS as error:
            self._tell(_fault(error))
            raise OSError("the proxy of this bot does not get there") from error
        self._tell(None)
        return stream.reader, stream.writer

    def _proxy(self) -> Proxy:
        return Proxy.from_url(self._url, proxy_ssl=self._tls)

    def _tell(self, fault: str | None) -> None:
        """Once, and not for each track."""
        if fault == self._told:
            return
        if fault is None:
            logger.info("the proxy {}:{} (PROXY_URL) is well again", self.host, self.port)
        else:
            said = "the proxy {}:{} (PROXY_URL) {}: what goes by way of it is not reached"
            logger.error(said, self.host, self.port, fault)
        self._told = fault


def _fault(error: Exception) -> str | None:
    """In words for the operator; None if it is well, and only does not get to that address."""
    if isinstance(error, ProxyConnectionError):
        return "does not answer"
    if isinstance(error, OSError | EOFError):
        return "breaks off, or does not speak TLS as it should"
    if not isinstance(error, ProxyError):
        return _NO_PROXY
    if error.error_code in _WHO or _WHO_SAID.search(str(error)):
        return "refuses its user name or password"
    return _NO_PROXY if error.error_code is None else None
