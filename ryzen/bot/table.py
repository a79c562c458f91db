"""The form of the command table, and how a message is found in it."""

from __future__ import annotations

import enum
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator

import attrs

from ryzen.bot.desk import Desk, Order, Reply
from ryzen.bot.guard import Who

Handler = Callable[[Desk, Order], Awaitable[Reply | None]]

_COMMAND = re.compile(r"([A-Za-z0-9_]{1,64})(?:@(\w{1,64}))?(?:\s+(.*))?", re.DOTALL)


class Where(enum.Enum):
    GROUP = "group"
    PRIVATE = "private"
    BOTH = "both"


@attrs.frozen
class Row:
    """One command: its names, who may, where, and what is done."""

    name: str
    handler: Handler
    who: Who = Who.EVERYONE
    where: Where = Where.GROUP
    aliases: tuple[str, ...] = ()

    @property
    def usage(self) -> str:
        """The key of the line which says how to use it."""
        return f"usage.{self.name}"


@attrs.frozen
class Typed:
    """A message that looks like a command to us. ``row`` is None if there is no such command."""

    row: Row | None
    args: str


class Table:
    """All commands. Names and aliases are unique."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = tuple(rows)
        self._by_name: dict[str, Row] = {}
        for row in self._rows:
            for name in (row.name, *row.aliases):
                if name in self._by_name:
                    raise ValueError(f"two commands are called {name}")
                self._by_name[name] = row

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    def read(self, text: str, prefixes: str, username: str) -> Typed | None:
        """None if this is no command, or one for another bot; ``username`` is ours, without the ``@``."""
        if not text or text[0] not in prefixes:
            return None
        match = _COMMAND.fullmatch(text[1:].rstrip())
        if match is None:
            return None
        name, addressee, args = match.groups()
        if addressee is not None and addressee.casefold() != username.casefold():
            return None
        return Typed(self._by_name.get(name.lower()), args or "")
