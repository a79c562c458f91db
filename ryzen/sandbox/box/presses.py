"""Presses of inline buttons that wait for their bot's answer."""

from __future__ import annotations

import random

import anyio
import attrs

from ryzen.sandbox.box.faults import RequestError
from ryzen.sandbox.box.records import Message, User
from ryzen.sandbox.box.tl import T, Tl
from ryzen.sandbox.box.transcript import Kind, Transcript
from ryzen.sandbox.box.updates import Updates


@attrs.define(eq=False)
class _Press:
    bot: User
    presser: User
    message: Message
    answered: anyio.Event = attrs.field(factory=anyio.Event)
    answer: Tl = None


class Presses:
    """``patience`` is how many seconds a bot has to answer; Telegram gives it about ten."""

    def __init__(self, updates: Updates, transcript: Transcript, patience: float) -> None:
        self.patience = patience
        self._updates, self._transcript = updates, transcript
        self._waiting: dict[int, _Press] = {}

    async def press(self, message: Message, presser: User, data: bytes) -> Tl:
        """A messages.BotCallbackAnswer. Raises RequestError BOT_RESPONSE_TIMEOUT."""
        if not message.sender.bot:
            raise RequestError(400, "MESSAGE_ID_INVALID")
        if data not in (one for _, one in message.callbacks):
            raise RequestError(400, "DATA_INVALID")
        press_id = random.getrandbits(62)
        press = self._waiting[press_id] = _Press(message.sender, presser, message)
        try:
            self._tell_bot(press_id, press, data)
            with anyio.fail_after(self.patience):
                await press.answered.wait()
        except TimeoutError:
            raise RequestError(400, "BOT_RESPONSE_TIMEOUT") from None
        finally:
            del self._waiting[press_id]
        return press.answer

    def _tell_bot(self, press_id: int, press: _Press, data: bytes) -> None:
        chat = press.message.chat
        update = T.UpdateBotCallbackQuery(
            query_id=press_id,
            user_id=press.presser.id,
            peer=chat.peer_for(press.bot),
            msg_id=press.message.id,
            chat_instance=chat.chat_id,
            data=data,
        )
        self._updates.tell([press.bot], lambda _: [update], about={press.presser, press.bot}, chat=chat)

    def answer(self, query: Tl, bot: User) -> None:
        """What the bot says to the presser. Raises RequestError if nobody waits for it."""
        press = self._waiting.get(query.query_id)
        if press is None or press.bot is not bot or press.answered.is_set():
            raise RequestError(400, "QUERY_ID_INVALID")
        press.answer = T.messages.BotCallbackAnswer(
            message=query.message, alert=query.alert, url=query.url, cache_time=query.cache_time
        )
        press.answered.set()
        if query.message:
            self._transcript.note(
                Kind.ALERT,
                press.message.chat.chat_id,
                press.presser.name,
                query.message,
                message_id=press.message.id,
            )
