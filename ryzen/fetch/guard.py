"""The egress guard: where the bot may go in the internet, judged by the address that it would connect to.

A name says nothing: it is looked up once, every answer must be public, and the connection is made to one of
these very addresses. So neither a spelling of 127.0.0.1 nor a name server that changes its mind gets us to
the machine's own services or to those beside it.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable
from urllib.parse import SplitResult, quote, urlsplit

import anyio

from ryzen.errors import WebError, WebForbidden
from ryzen.outside import Network, Stream

_LONGEST = 8192
#: A name server may answer with dozens; who is not reached at this many is not reached.
_TRIES = 4
#: Everything that may stand in a URL (RFC 3986); the rest is percent-encoded, as UTF-8.
_LEGAL = "%:/?[]@!$&'()*+,;=-._~"
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_UNSEEN = re.compile(r"[\s\\\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_UNFINISHED = re.compile(r"%(?![0-9A-Fa-f]{2})")

#: The only part of IPv6 that is given out; what is local, reserved or a wrapping of IPv4 lies elsewhere.
_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
#: Public to Python 3.11 all the same.
_NOT_PUBLIC = (
    ipaddress.ip_network("2002::/16"),  # 6to4: a tunnel to an IPv4 address of the sender's choice
    ipaddress.ip_network("192.88.99.0/24"),  # its other end
    ipaddress.ip_network("192.0.0.0/24"),  # kept for protocols
    ipaddress.ip_network("3fff::/20"),  # documentation
)

#: Databases, queues and desktops, which listen above 1023. Music is not served there, and some of them
#: obey lines of text, whatever stands around these. Below 1024 only 80 and 443 are open.
_SERVICES = frozenset(
    {
        1433,  # SQL Server
        1521,  # Oracle
        2049,  # NFS
        2375,  # Docker
        2376,
        2379,  # etcd
        3306,  # MySQL
        3389,  # RDP
        5432,  # PostgreSQL
        5672,  # AMQP
        5900,  # VNC
        5984,  # CouchDB
        6379,  # Redis
        6667,  # IRC
        9042,  # Cassandra
        9200,  # Elasticsearch
        9300,
        10250,  # a Kubernetes node
        11211,  # memcached
        27017,  # MongoDB
        27018,
        27019,
    }
)

Connect = Callable[[str, int], Awaitable[Stream]]


def check_url(url: str) -> str:
    """The very URL to ask for: percent-encoded, with its host as the system reads it, without a fragment.

    Nothing else in it is touched: what is encoded stays as it is, for signatures are made over that. Raises
    WebForbidden.
    """
    if len(url) > _LONGEST:
        raise WebForbidden("this link is too long")
    if _UNSEEN.search(url):
        raise WebForbidden("this link has spaces or unseen characters in it")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise WebForbidden("this link is malformed") from error
    if parts.scheme not in ("http", "https"):
        raise WebForbidden("only http and https links are fetched")
    if "@" in parts.netloc:
        raise WebForbidden("links with a user name or password in them are not fetched")
    if "[" in parts.netloc and ":" not in (parts.hostname or ""):
        raise WebForbidden("this link is malformed")
    host = check_host(parts.hostname or "")
    check_port(_port(parts, port))
    place = f"[{host}]" if ":" in host else host
    if port is not None:
        place += f":{port}"
    asked = _encoded(parts.path) or "/"
    if parts.query:
        asked += "?" + _encoded(parts.query)
    if len(asked) > _LONGEST:
        raise WebForbidden("this link is too long")
    return f"{parts.scheme}://{place}{asked}"


def check_host(host: str) -> str:
    """A host as the system reads it: ``2130706433``, ``0177.1`` and ``127.0.0.1`` are one and the same.

    Raises WebForbidden if it is no host, or an address that is not public.
    """
    if not host:
        raise WebForbidden("this link names no host")
    address = _literal(host)
    if address is not None:
        if not is_public(address):
            raise WebForbidden(f"{address} is not a public address")
        return address
    try:
        name = host.encode("idna").decode("ascii").lower().removesuffix(".")
    except UnicodeError as error:
        raise WebForbidden("this link names no possible host") from error
    if name != host.lower() and _literal(name):  # digits of another script, a full stop at the end
        return check_host(name)
    # A name cannot end in a number, so this would be one more spelling of an address.
    if not _HOST.fullmatch(name) or _NUMBER.fullmatch(name.rpartition(".")[2]):
        raise WebForbidden("this link names no possible host")
    return name


def check_port(port: int) -> None:
    """Raises WebForbidden."""
    if port not in (80, 443) and (not 1024 <= port <= 65535 or port in _SERVICES):
        raise WebForbidden(f"port {port} is not one for the web")


def is_public(address: str) -> bool:
    """Whether this address, as text, is one that anybody in the internet may reach; False if it is none.

    ``ipaddress.is_global`` alone is not enough: it is true for multicast, and for IPv6 that wraps IPv4.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        if found.scope_id is not None:
            return False
        if found in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)))
        if found.ipv4_mapped is not None:
            return is_public(str(found.ipv4_mapped))
        if found not in _UNICAST:
            return False
    return found.is_global and not found.is_multicast and not any(found in net for net in _NOT_PUBLIC)


class Guard:
    """Opens connections to public addresses; to no others.

    ``lookup`` is for a name, ``connect`` for all addresses of a host together; both in seconds.
    """

    def __init__(self, network: Network, *, lookup: float = 5.0, connect: float = 8.0) -> None:
        self._network = network
        self._lookup, self._connect = lookup, connect

    async def open(self, host: str, port: int, connect: Connect | None = None) -> Stream:
        """``connect`` goes another way to an address than the network's own.

        Raises WebForbidden, or WebError if nobody answers.
        """
        addresses = await self.check(host, port)
        tries = addresses[:_TRIES]
        end = anyio.current_time() + self._connect
        for number, address in enumerate(tries):
            share = (end - anyio.current_time()) / (len(tries) - number)
            with anyio.move_on_after(share):
                try:
                    return await (connect or self._network.connect)(address, port)
                except OSError:
                    continue
        raise WebError(f"{host} does not answer")

    async def check(self, host: str, port: int) -> tuple[str, ...]:
        """The addresses of a host, looked up once, all of them public. Raises WebForbidden, WebError."""
        host = check_host(host)
        check_port(port)
        if _literal(host) is not None:
            return (host,)
        try:
            with anyio.fail_after(self._lookup):
                addresses = await self._network.lookup(host, port)
        except OSError as error:  # TimeoutError is one
            raise WebError(f"{host} is not known") from error
        # One private answer among public ones is no accident: none of them is trusted.
        if not all(is_public(address) for address in addresses):
            raise WebForbidden(f"{host} is not on the public internet")
        if not addresses:
            raise WebError(f"{host} is not known")
        return addresses


def _literal(host: str) -> str | None:
    """The address that this spells for the system's resolver, in its plain form; None if it is a name."""
    if ":" in host:
        try:
            found = ipaddress.IPv6Address(host)
        except ValueError as error:
            raise WebForbidden("this link names no possible host") from error
        return str(found.ipv4_mapped or found)
    if not host.isascii():
        return None
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None


def _port(parts: SplitResult, port: int | None) -> int:
    return port if port is not None else {"http": 80, "https": 443}[parts.scheme]


def _encoded(text: str) -> str:
    return _UNFINISHED.sub("%25", quote(text, safe=_LEGAL))
