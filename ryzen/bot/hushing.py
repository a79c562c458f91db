"""Commands that hush the music, for a while or until told otherwise."""

from __future__ import annotations

from ryzen.bot import arguments, show
from ryzen.bot.desk import Desk, Order, Reply
from ryzen.bot.playing import ask, grant, granted
from ryzen.messages import Mute, PauseFor, Unmute
from ryzen.player.events import Pause


async def pause(desk: Desk, order: Order) -> Reply:
    if (seconds := arguments.time_or_none(order.args)) is None:
        return Reply(granted(desk.words, await grant(desk, order.chat_id, Pause())))
    await ask(desk, order.chat_id, PauseFor(seconds))
    return Reply(desk.words("hush.paused-for", time=show.span(seconds)))


async def mute(desk: Desk, order: Order) -> Reply:
    seconds = arguments.time_or_none(order.args)
    await ask(desk, order.chat_id, Mute(seconds))
    if seconds is None:
        return Reply(desk.words("hush.muted"))
    return Reply(desk.words("hush.muted-for", time=show.span(seconds)))


async def unmute(desk: Desk, order: Order) -> Reply:
    await ask(desk, order.chat_id, Unmute())
    return Reply(desk.words("hush.unmuted"))
