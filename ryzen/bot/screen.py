"""What a chat shows of its player: one card, edited and never stacked, and notices of one line."""

from __future__ import annotations

from loguru import logger

from ryzen.bot import card, show
from ryzen.bot.words import Html, Words
from ryzen.errors import SendError
from ryzen.messages import View
from ryzen.player.effects import Notice, Noticed
from ryzen.ports import Outbox


class CardScreen:
    """The screen of one chat (``ports.Screen``). What Telegram refuses is logged, and never hurts the player.

    It outlives the crashes of its chat's actor, so that the next incarnation edits the same card.
    """

    def __init__(self, outbox: Outbox, words: Words, chat_id: int) -> None:
        self._outbox, self._words, self._chat_id = outbox, words, chat_id
        self._message: int | None = None
        self._entry: int | None = None  # what the card shows, or showed before it was closed
        self._refused = ""  # Telegram's last word, so that a chat which is closed to us is logged once

    @property
    def message(self) -> int | None:
        """The message id of the card, if there is one."""
        return self._message

    async def show(self, view: View, fresh: bool = False) -> None:
        """Edit the card of the same track; a new message for a new one, and the old one goes."""
        entry = view.player.current
        if entry is None:
            await self.remove()
            return
        if entry.id == self._entry and not fresh and self._message is None:
            return  # somebody closed the card of this track
        text, rows = card.text(self._words, view, entry), card.rows(self._words, view.player)
        try:
            if entry.id == self._entry and not fresh and self._message is not None:
                await self._outbox.edit(self._chat_id, self._message, text.markup, rows)
            else:
                old, self._message = self._message, await self._outbox.send(self._chat_id, text.markup, rows)
                self._entry = entry.id
                if old is not None:
                    await self._outbox.delete(self._chat_id, old)
            self._refused = ""
        except SendError as error:
            self._complain(error)

    async def notify(self, notice: Notice) -> None:
        try:
            await self._outbox.send(self._chat_id, told(self._words, notice).markup)
        except SendError as error:
            self._complain(error)

    async def close(self) -> None:
        """Take the card away until the next track, or until somebody asks for it."""
        entry = self._entry
        await self.remove()
        self._entry = entry

    async def remove(self) -> None:
        """Take the card away: nothing plays any more."""
        old, self._message, self._entry = self._message, None, None
        if old is None:
            return
        try:
            await self._outbox.delete(self._chat_id, old)
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
        return screen is not None and screen.message == message_id


def told(words: Words, notice: Notice) -> Html:
    """The sentence of a notice."""
    track = "" if notice.track is None else show.title(notice.track)
    reason: Html | str = ""
    if notice.reason is not None:
        troubles = "voice" if notice.code is Noticed.NO_CALL else "track"
        reason = words(f"{troubles}.{notice.reason}")
    return words(f"notice.{notice.code}", track=track, reason=reason)
