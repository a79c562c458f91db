"""What everyone in the room could see, in order."""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Iterator

import attrs


class Kind(enum.StrEnum):
    MESSAGE = "message"
    EDIT = "edit"
    DELETE = "delete"
    ALERT = "alert"  #: the answer to a press; ``text`` is what the presser reads
    JOIN = "join"
    LEAVE = "leave"
    VOICE = "voice"  #: ``text``: opened, closed, joined, left


@attrs.frozen
class Entry:
    at: float  #: time.monotonic()
    kind: Kind
    chat: int  #: as client libraries have it: -100… for a group, the person's id for a private chat
    sender: str  #: first name
    text: str = ""
    buttons: tuple[str, ...] = ()  #: labels, row by row
    message_id: int = 0
    media: str = ""  #: photo, document or nothing


Listener = Callable[[Entry], None]


class Transcript:
    """All entries since the box was made. Listeners are called at once and must not wait."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._listeners: list[Listener] = []

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Hear every entry from now on; returns what ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def of(self, chat: int, kind: Kind | None = None) -> list[Entry]:
        return [one for one in self.entries if one.chat == chat and kind in (None, one.kind)]

    def note(
        self,
        kind: Kind,
        chat: int,
        sender: str,
        text: str = "",
        *,
        buttons: tuple[str, ...] = (),
        message_id: int = 0,
        media: str = "",
    ) -> None:
        entry = Entry(time.monotonic(), kind, chat, sender, text, buttons, message_id, media)
        self.entries.append(entry)
        for listener in tuple(self._listeners):
            listener(entry)
