"""Pointing a real client at the box."""

from __future__ import annotations

import ipaddress
from typing import Any

from pyrogram.connection import Connection as ClientConnection


def require_loopback(host: str) -> str:
    """The address itself. Raises ValueError for anything that other machines can reach."""
    if not ipaddress.ip_address(host).is_loopback:
        raise ValueError(f"the local Telegram lives on loopback only, not on {host}")
    return host


def local_connection(host: str, port: int) -> type[Any]:
    """For kurigram's ``Client(connection_factory=…)``: every data centre becomes the box at this address.

    The box may live in another process. Raises ValueError if the address is not loopback.
    """
    require_loopback(host)

    class LocalConnection(ClientConnection):  # type: ignore[misc]  # kurigram has no types
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.server_address, self.port, self.ipv6 = host, port, ":" in host

    return LocalConnection
