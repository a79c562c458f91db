"""Names and connections of the local internet: what ``outside.RealNetwork`` is for the real one."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import ipaddress
import os
import socket
from collections.abc import Iterable, Mapping
from typing import Any

from ryzen.outside import Stream

LOOPBACK = "127.0.0.1"
#: Where our hosts live: addresses that count as public, and that nobody here is ever routed to.
NEIGHBOURHOOD = ipaddress.IPv4Network("11.0.0.0/8")


def matches(host: str, pattern: str) -> bool:
    """``*.example.com`` is any host below it, at any depth, but not ``example.com`` itself."""
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1
    return host == pattern


class LocalNetwork:
    """An ``outside.Network`` whose only hosts are ours.

    ``point`` gives a host other addresses than its own, one answer after another: the last one stays. Such
    addresses can be connected to as well, whatever they are, so that a guard which lets one through is found
    out: ``connected`` is every (address, port) that was tried.
    """

    def __init__(self, hosts: Iterable[str], tls: int, plain: int) -> None:
        self._hosts = tuple(hosts)
        self._ports = {443: tls, 80: plain}
        self._pointed: dict[str, list[tuple[str, ...]]] = {}
        self._led_to: set[str] = set()
        self.connected: list[tuple[str, int]] = []

    # -- as a Network
    async def lookup(self, host: str, port: int) -> tuple[str, ...]:  # noqa: ARG002 - the protocol's
        host = host.lower().rstrip(".")
        if (literal := _literal(host)) is not None:
            return (literal,)
        if answers := self._pointed.get(host):
            return answers.pop(0) if len(answers) > 1 else answers[0]
        if self.knows(host):
            return (address_of(host),)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async def connect(self, address: str, port: int) -> Stream:
        self.connected.append((address, port))
        if address not in self._led_to and not _is_near(address):
            raise OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))
        if port not in self._ports:
            raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        return await asyncio.open_connection(LOOPBACK, self._ports[port])

    # -- staging
    def knows(self, host: str) -> bool:
        return any(matches(host, pattern) for pattern in self._hosts)

    def point(self, host: str, *answers: Iterable[str]) -> None:
        """``point("a.example", ["11.0.0.1"], ["127.0.0.1"])``: fair at first, then it changes its mind."""
        self._pointed[host] = [tuple(answer) for answer in answers]
        self._led_to.update(address for answer in self._pointed[host] for address in answer)

    def describe(self) -> dict[str, Any]:
        """All of it as JSON; the other side counts its own connections and answers."""
        return {"hosts": list(self._hosts), "ports": dict(self._ports), "pointed": dict(self._pointed)}

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> LocalNetwork:
        ports = {int(port): int(ours) for port, ours in description["ports"].items()}
        network = cls(description["hosts"], ports[443], ports[80])
        for host, answers in description["pointed"].items():
            network.point(host, *answers)
        return network


def address_of(host: str) -> str:
    """The same host, the same address, in every process."""
    digest = hashlib.blake2s(host.encode(), digest_size=3).digest()
    return str(NEIGHBOURHOOD[int.from_bytes(digest)])


def _is_near(address: str) -> bool:
    try:
        return ipaddress.ip_address(address) in NEIGHBOURHOOD
    except ValueError:
        return False


def _literal(host: str) -> str | None:
    """What getaddrinfo reads as an address without asking anybody: ``2130706433`` and ``0x7f.1`` too."""
    try:
        return str(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None
