"""The two slow things of a chat, each in a lane of its own: being in the call, and drawing the card.

A lane holds what is wanted *now*, not a list of what was once wanted: the newest wish wins, nothing piles up
behind a slow network, and the actor that wishes never waits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable

import anyio

from ryzen.messages import View
from ryzen.player.effects import Notice
from ryzen.ports import Call, Deck, Screen

#: Notices waiting to be said; an older one is dropped for a newer one.
NOTICES = 16


class CallLane:
    """Brings the call to where the chat wants it: in or out, moving or held, heard or muted.

    Raises VoiceError out of ``run`` if the call cannot be had; whoever runs the lane decides what that means.
    """

    def __init__(self, call: Call, deck: Deck, admit: Callable[[], Awaitable[None]]) -> None:
        self._call, self._deck, self._admit = call, deck, admit
        self._wanted = self._joined = False
        self._hold = self._held = False
        self._mute = False
        self._muted: bool | None = None  # not known after a join: the call may be one that a crash left muted
        self._changed = anyio.Event()
        self._joining: anyio.CancelScope | None = None

    def want(self, wanted: bool) -> None:
        self._wanted = wanted
        if not wanted and self._joining is not None:
            self._joining.cancel()  # a join may take 15 s; who says stop does not wait for it
        self._watch_deck()
        self._changed.set()

    def hold(self, hold: bool) -> None:
        self._hold = hold
        self._watch_deck()
        self._changed.set()

    def mute(self, mute: bool) -> None:
        self._mute = mute
        self._changed.set()

    @property
    def mutes(self) -> bool:
        """Whether it is to be muted, be it so already or not."""
        return self._mute

    async def run(self) -> None:
        while True:
            await self._changed.wait()
            self._changed = anyio.Event()
            if self._wanted and not self._joined:
                await self._join()
            elif self._joined and not self._wanted:
                self._joined = self._held = False
                await self._call.leave()
            if self._joined and self._held is not self._hold:
                self._held = self._hold
                await (self._call.pause() if self._held else self._call.resume())
            if self._joined and self._muted is not self._mute:
                self._muted = self._mute
                await self._call.mute(self._muted)

    def again(self) -> None:
        """Try once more what has failed, if it is wanted still."""
        self._changed.set()

    async def leave(self) -> None:
        """For the end of the actor; a failed or unfinished join is left as well."""
        self._wanted = self._joined = False
        await self._call.leave()

    async def release(self) -> None:
        """For the end of the process: be silent, and let the next one join over what Telegram still shows."""
        self._wanted = self._joined = False
        await self._call.release()

    async def _join(self) -> None:
        try:
            with anyio.CancelScope() as self._joining:
                await self._admit()
                await self._call.join(self._deck)
                self._joined, self._held, self._muted = True, False, None
                self._watch_deck()
        finally:
            self._joining = None

    def _watch_deck(self) -> None:
        """A deck that stands still is sick only while we are in a call to stay, and not held."""
        self._deck.hold(self._hold or not (self._wanted and self._joined))


class CardLane:
    """Draws the newest view of the chat, and says its notices. ``on_drawn`` is called for each drawing."""

    def __init__(self, screen: Screen, view: Callable[[], View], on_drawn: Callable[[], None]) -> None:
        self._screen, self._view, self._on_drawn = screen, view, on_drawn
        self._notices: deque[Notice] = deque(maxlen=NOTICES)
        self._stale = self._fresh = False
        self._discarded: list[int] = []
        self._changed = anyio.Event()

    def discard(self, message: int) -> None:
        """It is not ours."""
        self._discarded.append(message)
        self._changed.set()

    def redraw(self, fresh: bool = False) -> None:
        self._stale, self._fresh = True, self._fresh or fresh
        self._changed.set()

    def notify(self, notice: Notice) -> None:
        self._notices.append(notice)
        self._changed.set()

    async def run(self) -> None:
        while True:
            await self._changed.wait()
            self._changed = anyio.Event()
            while self._notices:
                await self._screen.notify(self._notices.popleft())
            if self._stale:
                fresh, self._stale, self._fresh = self._fresh, False, False
                await self._screen.show(self._view(), fresh, self._on_drawn)
                self._on_drawn()
            while self._discarded:
                await self._screen.discard(self._discarded.pop())
