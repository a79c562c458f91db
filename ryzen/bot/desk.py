"""What handlers are given, and what they give back."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

import attrs

from ryzen.actors.health import Health
from ryzen.actors.ref import Ref
from ryzen.bot.guard import Guard
from ryzen.bot.owners import Owners
from ryzen.bot.screen import Screens
from ryzen.bot.words import Html, Words
from ryzen.messages import ToDownload, ToStore
from ryzen.origins import Attachments
from ryzen.player.state import Asker, Track
from ryzen.ports import Chats, Outbox, Person, Pressed, Rows, Said


class Instruments(Protocol):
    """How the bot is doing, read from outside. Times in seconds."""

    def health(self) -> tuple[Health, ...]: ...

    def loop_lag(self) -> float:
        """How late the event loop is with what is due."""
        ...

    def uptime(self) -> float: ...


#: A text that is not there.
NOTHING = Html.of("")


@attrs.frozen
class Desk:
    """What every handler may use.

    ``duration_limit`` is in seconds, ``playlist_limit`` in tracks, 0 for none; ``fetch_limit`` is how many
    are taken of a list behind a link. ``wall`` is Unix time.
    """

    words: Words
    outbox: Outbox
    chats: Chats
    download: Ref[ToDownload]
    store: Ref[ToStore]
    attachments: Attachments
    guard: Guard
    screens: Screens
    instruments: Instruments
    duration_limit: float = 3600.0
    playlist_limit: int = 100
    fetch_limit: int = 50
    wall: Callable[[], float] = time.time
    owners: Owners = attrs.Factory(Owners)


@attrs.frozen
class Order:
    """A command that somebody typed. ``at`` is when it came in, in seconds of ``anyio.current_time``."""

    said: Said
    args: str = attrs.field(repr=False)
    at: float

    @property
    def chat_id(self) -> int:
        return self.said.chat_id

    @property
    def asker(self) -> Asker:
        return asker(self.said.sender)


@attrs.frozen
class Press:
    """A button that somebody may press, and did. ``rest`` is what its data says after the action."""

    pressed: Pressed
    rest: str

    @property
    def chat_id(self) -> int:
        return self.pressed.chat_id


@attrs.frozen
class Reply:
    """A message in answer to a command. Buttons that belong to one person name that ``owner``, and those
    that choose among ``tracks`` these."""

    text: Html
    rows: Rows = ()
    owner: int | None = None
    tracks: tuple[Track, ...] = ()


@attrs.frozen
class Toast:
    """The answer to a press: a line that passes by, or an ``alert`` that wants to be closed."""

    text: Html = NOTHING
    alert: bool = False


def asker(person: Person) -> Asker:
    return Asker(person.id, person.name)


def somebody(person: Person) -> bool:
    """Whether this is a person, and not a group or a channel that somebody speaks for."""
    return not person.anonymous and person.id > 0
