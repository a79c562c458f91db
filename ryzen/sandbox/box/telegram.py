"""What a Telegram is made of, whoever acts in it: its clients' requests, or people server-side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ryzen.sandbox.box.faults import Faults
from ryzen.sandbox.box.files import Files
from ryzen.sandbox.box.presses import Presses
from ryzen.sandbox.box.sessions import Sessions
from ryzen.sandbox.box.transcript import Transcript
from ryzen.sandbox.box.updates import Updates
from ryzen.sandbox.box.world import World

if TYPE_CHECKING:
    from ryzen.sandbox.media import MediaServer


class Telegram:
    """The state of the box. ``patience`` is how many seconds a bot has to answer a press."""

    def __init__(self, media: MediaServer | None, patience: float) -> None:
        self.host, self.port = "", 0
        self.media = media
        self.world = World()
        self.files = Files()
        self.faults = Faults()
        self.transcript = Transcript()
        self.sessions = Sessions()
        self.updates = Updates(self.sessions)
        self.presses = Presses(self.updates, self.transcript, patience)
