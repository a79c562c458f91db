"""Who wants which track, and how badly."""

from __future__ import annotations

from ryzen.origins import Urgency


class Wants:
    """By the id of a track: its listeners, each with its urgency."""

    def __init__(self) -> None:
        self._wants: dict[str, dict[int, Urgency]] = {}

    def add(self, track_id: str, listener: int, urgency: Urgency) -> None:
        """Who waits already is not made less urgent."""
        listeners = self._wants.setdefault(track_id, {})
        listeners[listener] = min(urgency, listeners.get(listener, urgency))

    def remove(self, track_id: str, listener: int) -> None:
        listeners = self._wants.get(track_id, {})
        listeners.pop(listener, None)
        if not listeners:
            self._wants.pop(track_id, None)

    def of(self, listener: int) -> tuple[str, ...]:
        """The tracks that this one wants."""
        return tuple(track_id for track_id, listeners in self._wants.items() if listener in listeners)

    def wanted(self, track_id: str, listener: int | None = None) -> bool:
        """By this listener; None: by anybody."""
        listeners = self._wants.get(track_id, {})
        return bool(listeners) if listener is None else listener in listeners

    def urgency(self, track_id: str) -> Urgency:
        """That of the most urgent."""
        return min(self._wants.get(track_id, {}).values(), default=Urgency.KEEPSAKE)
