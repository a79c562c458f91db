"""The way to the internet: the one seam where the sandbox puts an internet of its own."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Protocol

import attrs

#: Names that are looked up at once. Each takes a thread, for half a minute if its name server is silent.
_LOOKUPS = 32

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Network(Protocol):
    """Names and connections, without any judgement: that is the egress guard's."""

    async def lookup(self, host: str, port: int) -> tuple[str, ...]:
        """The addresses of a host, as text. Raises OSError."""
        ...

    async def connect(self, address: str, port: int) -> Stream:
        """To this very address; nothing is looked up. Raises OSError."""
        ...


class RealNetwork:
    """The machine's own.

    Names are looked up in threads of their own: the few that all of asyncio shares could be taken up by names
    whose servers are silent, and then nobody would be found.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_LOOKUPS, thread_name_prefix="lookup")

    async def lookup(self, host: str, port: int) -> tuple[str, ...]:
        look = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look)
        return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))

    async def connect(self, address: str, port: int) -> Stream:
        return await asyncio.open_connection(address, port)


@attrs.frozen
class Outside:
    """``authorities``: a PEM file of certificate authorities that count beside the usual ones."""

    network: Network = attrs.Factory(RealNetwork)
    authorities: Path | None = None
