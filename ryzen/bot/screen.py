"""What a chat shows of its player: one card, edited and never stacked, and notices of one line."""

from __future__ import annotations

from collections.abc import Callable

from loguru import logger

from ryzen.bot import card, show
from ryzen.bot.words import Html, Words
from ryzen.errors import MessageGone, SendError
from ryzen.messages import View
from ryzen.player.effects import Notice, Noticed
from ryzen.ports import Card, Outbox, Rows

#: Where the sentences for the reasons of a notice are.
_TROUBLES = {Noticed.NO_CALL: "voice", Noticed.SOURCE_AWAY: "source"}


class CardScreen:
    """The screen of one chat (``ports.Screen``). What Telegram refuses is logged, and never hurts the player.

    It outlives the crashes of its chat's actor, so that the next incarnation edits the same card.
    """

    def __init__(self, outbox: Outbox, words: Words, chat_id: int) -> None:
        self._outbox, self._words, self._chat_id = outbox, words, chat_id
        self._card: Card | None = None
        self._closed: int | None = None  # the entry whose card somebody has closed
        self._refused = ""  # Telegram's last word, so that a chat which is closed to us is logged once

    @property
    def card(self) -> Card | None:
        return self._card

    def adopt(self, card: Card) -> None:
        self._card = card

    async def show(self, view: View, fresh: bool = False, drawn: Callable[[], None] | None = None) -> None:
        """Edit the card of the same track; a new message for a new one, and the old one goes."""
        entry = view.player.current
        if entry is None:
            await self.remove()
            return
        if entry.id == self._closed and not fresh:
            return
        text, rows = card.text(self._words, view, entry), card.rows(self._words, view.player)
        try:
            if fresh or not await self._edit(entry.id, text, rows):
                await self._renew(entry.id, text, rows, drawn)
            self._refused = ""
        except SendError as error:
            self._complain(error)

    async def _edit(self, entry: int, text: Html, rows: Rows) -> bool:
        """Whether there was a card of this entry to edit. Raises SendError."""
        if self._card is None or self._card.entry != entry:
            return False
        try:
            await self._outbox.edit(self._chat_id, self._card.message, text.markup, rows)
        except MessageGone:  # an admin has deleted it, perhaps while we were down
            self._card = None
            return False
        return True

    async def _renew(self, entry: int, text: Html, rows: Rows, drawn: Callable[[], None] | None) -> None:
        """A new card, then the old one goes: for a moment there are two. Raises SendError."""
        message = await self._outbox.send(self._chat_id, text.markup, rows)
        old, self._card, self._closed = self._card, Card(message, entry), None
        if drawn is not None:
            drawn()
        if old is not None:
            await self._outbox.delete(self._chat_id, old.message)

    async def notify(self, notice: Notice) -> None:
        try:
            await self._outbox.send(self._chat_id, told(self._words, notice).markup)
        except SendError as error:
            self._complain(error)

    async def close(self) -> None:
        """Take the card away until the next track, or until somebody asks for it."""
        closed = None if self._card is None else self._card.entry
        await self.remove()
        self._closed = closed

    async def remove(self) -> None:
        """Take the card away: nothing plays any more."""
        old, self._card, self._closed = self._card, None, None
        if old is not None:
            await self.discard(old.message)

    async def discard(self, message: int) -> None:
        try:
            await self._outbox.delete(self._chat_id, message)
        except SendError as error:
            self._complain(error)

    def _complain(self, error: SendError) -> None:
        if error.reason != self._refused:
            logger.warning("the card of {} was refused: {}", self._chat_id, error.reason)
        self._refused = error.reason


class Screens:
    """The screens of all chats, for the actors which draw and for the buttons which must know the card."""

    def __init__(self, outbox: Outbox, words: Words) -> None:
        self._outbox, self._words = outbox, words
        self._screens: dict[int, CardScreen] = {}

    def of(self, chat_id: int) -> CardScreen:
        """The screen of this chat, the same one for as long as the bot runs."""
        if (screen := self._screens.get(chat_id)) is None:
            screen = self._screens[chat_id] = CardScreen(self._outbox, self._words, chat_id)
        return screen

    def shows(self, chat_id: int, message_id: int) -> bool:
        """Whether this message is the card of the chat."""
        screen = self._screens.get(chat_id)
        return screen is not None and screen.card is not None and screen.card.message == message_id


def told(words: Words, notice: Notice) -> Html:
    """The sentence of a notice."""
    track = "" if notice.track is None else show.title(notice.track)
    seconds = show.clock(notice.seconds or 0.0)
    reason: Html | str = ""
    if notice.reason is not None:
        troubles = _TROUBLES.get(notice.code, "track")
        reason = words(f"{troubles}.{notice.reason}", source=notice.source)
    return words(f"notice.{notice.code}", track=track, reason=reason, number=notice.number, seconds=seconds)
