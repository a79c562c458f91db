"""Everything that is written into chats: ``ports.Outbox`` on raw requests, under the governor."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from pyrogram import raw
from pyrogram.enums import ParseMode
from pyrogram.errors import (
    Flood,
    MessageAuthorRequired,
    MessageEditTimeExpired,
    MessageIdInvalid,
    MessageNotModified,
    MsgIdInvalid,
    QueryIdInvalid,
    RPCError,
)
from pyrogram.parser import Parser

from ryzen.errors import MessageGone, SendError
from ryzen.ports import Rows
from ryzen.telegram.client import Account
from ryzen.telegram.governor import FloodError, Governor, Limits, Traffic
from ryzen.telegram.line import reason_of

R = TypeVar("R")
T, F = raw.types, raw.functions

WRITE_WITHIN = 30.0  #: seconds for one request, reconnections included
NOT_THERE = (MessageIdInvalid, MsgIdInvalid)
NOT_FOR_US = (MessageAuthorRequired, MessageEditTimeExpired)  #: perhaps another bot's: the token was changed
ANSWER_WITHIN = 10.0  #: seconds; Telegram stops waiting for the answer to a press soon after


class BotOutbox:
    """The bot's writing hand."""

    def __init__(self, account: Account, limits: Limits | None = None) -> None:
        self._account, self._governor = account, Governor(limits)
        self._parser = Parser(None)

    @property
    def traffic(self) -> Traffic:
        return self._governor.traffic

    async def send(self, chat_id: int, text: str, rows: Rows = (), reply_to: int | None = None) -> int:
        """The id of the new message. Sent once, however often the connection breaks."""
        message, entities = await self._parse(text)
        random_id = secrets.randbits(63)
        reply = T.InputReplyToMessage(reply_to_msg_id=reply_to) if reply_to is not None else None

        async def work() -> int:
            answer = await self._ask(
                F.messages.SendMessage(
                    peer=await self._account.peer(chat_id),
                    message=message,
                    entities=entities,
                    random_id=random_id,
                    reply_to=reply,
                    reply_markup=_keyboard(rows),
                    no_webpage=True,
                )
            )
            return _sent_id(answer, random_id)

        sent = await self._governor.go(chat_id, "send", lambda: _in_our_words(work))
        assert sent is not None, "only edits give way"
        return sent

    async def edit(self, chat_id: int, message_id: int, text: str, rows: Rows = ()) -> None:
        message, entities = await self._parse(text)

        async def work() -> None:
            query = F.messages.EditMessage(
                peer=await self._account.peer(chat_id),
                id=message_id,
                message=message,
                entities=entities,
                reply_markup=_keyboard(rows),
                no_webpage=True,
            )
            try:
                await self._ask(query)
            except MessageNotModified:
                return
            except (*NOT_THERE, *NOT_FOR_US) as error:
                raise MessageGone(reason_of(error)) from error

        await self._governor.go(chat_id, "edit", lambda: _in_our_words(work), about=message_id, newest=True)

    async def delete(self, chat_id: int, message_id: int) -> None:
        async def work() -> None:
            peer = await self._account.peer(chat_id)
            query = F.messages.DeleteMessages(id=[message_id], revoke=True)
            if isinstance(peer, T.InputPeerChannel):
                channel = T.InputChannel(channel_id=peer.channel_id, access_hash=peer.access_hash)
                query = F.channels.DeleteMessages(channel=channel, id=[message_id])
            with contextlib.suppress(*NOT_THERE):
                await self._ask(query)

        await self._governor.go(chat_id, "delete", lambda: _in_our_words(work), about=message_id, paced=False)

    async def answer(self, press_id: int, text: str = "", alert: bool = False) -> None:
        """Not held back by anything; an answer that comes too late is no error."""
        query = F.messages.SetBotCallbackAnswer(
            query_id=press_id, cache_time=0, alert=alert or None, message=text or None
        )
        try:
            with contextlib.suppress(QueryIdInvalid):
                await self._account.call(query, within=ANSWER_WITHIN)
        except RPCError as error:
            raise SendError(reason_of(error)) from error

    async def _ask(self, query: Any) -> Any:
        return await self._account.call(query, within=WRITE_WITHIN)

    async def _parse(self, html: str) -> tuple[str, Any]:
        if "<" not in html and "&" not in html:
            return html, None
        parsed = await self._parser.parse(html, ParseMode.HTML)
        return parsed["message"], parsed["entities"]


async def _in_our_words(work: Callable[[], Awaitable[R]]) -> R:
    """kurigram's errors become ours; ValueError is its word for an id that can be no peer."""
    try:
        return await work()
    except Flood as error:
        raise FloodError(float(error.value or 1), reason_of(error)) from error
    except RPCError as error:
        raise SendError(reason_of(error)) from error
    except ValueError as error:
        raise SendError("PEER_ID_INVALID") from error


def _keyboard(rows: Rows) -> Any:
    if not rows:
        return None
    return T.ReplyInlineMarkup(
        rows=[
            T.KeyboardInlineButtonRow(
                buttons=[
                    T.KeyboardInlineButton(
                        text=button.label, type=T.InlineButtonTypeCallback(data=button.data.encode())
                    )
                    for button in row
                ]
            )
            for row in rows
        ]
    )


def _sent_id(answer: Any, random_id: int) -> int:
    if isinstance(answer, T.UpdateShortSentMessage):
        return int(answer.id)
    for update in answer.updates:
        if isinstance(update, T.UpdateMessageID) and update.random_id == random_id:
            return int(update.id)
    raise SendError("the message was sent, but Telegram did not say under which id")
