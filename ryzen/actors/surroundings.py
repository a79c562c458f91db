"""What a chat's actor is given when it is made."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from ryzen.actors.ref import Ref
from ryzen.messages import ToAssistant, ToDownload
from ryzen.ports import Calls, Card, Decks, Screen


@attrs.frozen
class Inherited:
    """How to take over from an earlier process: the card it drew, and whether there is hope left."""

    card: Card | None = None
    hopeless: bool = False


@attrs.frozen
class Surroundings:
    """What every chat is given. Seconds throughout."""

    decks: Decks
    calls: Calls
    download: Ref[ToDownload]
    assistants: Ref[ToAssistant]
    screen: Callable[[int], Screen]
    queue_limit: int = 50
    card_interval: float = 10.0  #: between two drawings of the progress row
    linger: float = 300.0  #: a chat with nothing to do retires after this
    fetch_within: float = 60.0
    admit_within: float = 25.0
    leave_at_stop: bool = (
        False  #: leave the calls when the bot stops, rather than have the next one join over
    )
