"""Inline keyboards: a press goes to the bot, its answer goes back."""

from __future__ import annotations

from collections.abc import Awaitable

from ryzen.sandbox.box.requests.messages import message_of
from ryzen.sandbox.box.rpc import Rpc, on
from ryzen.sandbox.box.tl import F, Tl


@on(F.messages.GetBotCallbackAnswer, bots=False)
def press(rpc: Rpc) -> Awaitable[Tl]:
    chat = rpc.box.world.chat(rpc.query.peer, rpc.me)
    message = message_of(rpc, chat, rpc.query.msg_id)
    return rpc.box.presses.press(message, rpc.me, rpc.query.data)


@on(F.messages.SetBotCallbackAnswer)
def answer(rpc: Rpc) -> Tl:
    rpc.box.presses.answer(rpc.query, rpc.me)
    return True
