"""What the buttons do. Their data names an action and nothing else, and is believed no more than any text."""

from __future__ import annotations

import enum
import re
from collections.abc import Awaitable, Callable

import attrs

from ryzen.bot import favourites, searching
from ryzen.bot.desk import Desk, Press, Toast
from ryzen.bot.guard import Verdict, Who
from ryzen.bot.playing import grant, granted, look
from ryzen.bot.queueing import page
from ryzen.bot.words import Html
from ryzen.errors import Refusal
from ryzen.player.effects import Refused
from ryzen.player.events import Pause, Previous, Resume, SeekBy, SetLoop, Skip, Stop, Wish
from ryzen.player.state import Loop
from ryzen.ports import Pressed

#: Seconds that the two seek buttons move.
STEP = 15.0

_NEXT_LOOP = {Loop.OFF: Loop.TRACK, Loop.TRACK: Loop.QUEUE, Loop.QUEUE: Loop.OFF}


class On(enum.Enum):
    """Where a press counts."""

    CARD = enum.auto()  #: on the card which the chat shows now, as an older one is about another track
    OWN = enum.auto()  #: under the answer to whoever presses
    ANY = enum.auto()


@attrs.frozen
class Action:
    who: Who
    run: Callable[[Desk, Press], Awaitable[Toast]]
    on: On = On.CARD


async def press(desk: Desk, pressed: Pressed) -> Toast:
    """Do what the button says, if this person may, in the chat of the message.

    Raises what ``Ref.ask`` raises, and SendError.
    """
    name, _, rest = pressed.data.partition("=")
    if (action := ACTIONS.get(name)) is None:
        return Toast(desk.words("press.unknown"), alert=True)
    verdict = await desk.guard.may(action.who, pressed.sender, pressed.chat_id)
    if verdict is not Verdict.YES:
        return Toast(desk.words(f"denied.{verdict}"), alert=True)
    if (wrong := _misplaced(desk, action.on, pressed)) is not None:
        return Toast(wrong, alert=True)
    return await action.run(desk, Press(pressed, rest))


def _misplaced(desk: Desk, on: On, pressed: Pressed) -> Html | None:
    """What is wrong with this message, for this person; None if it is the right one."""
    if on is On.CARD and not desk.screens.shows(pressed.chat_id, pressed.message_id):
        return desk.words("press.old-card")
    if on is On.OWN:
        owner = desk.owners.of(pressed.chat_id, pressed.message_id)
        if owner is None:
            return desk.words("press.forgotten")
        if owner != pressed.sender.id:
            return desk.words("press.not-yours")
    return None


def _wishing(wish: Wish) -> Action:
    async def run(desk: Desk, press: Press) -> Toast:
        return Toast(granted(desk.words, await grant(desk, press.chat_id, wish)))

    return Action(Who.ADMIN, run)


async def _loop(desk: Desk, press: Press) -> Toast:
    """Off, track, queue, and off again."""
    if (view := await look(desk, press.chat_id)) is None:
        raise Refusal(Refused.NOTHING_PLAYING)
    wish = SetLoop(_NEXT_LOOP[view.player.loop])
    return Toast(granted(desk.words, await grant(desk, press.chat_id, wish)))


async def _queue(desk: Desk, press: Press) -> Toast:
    """The queue, as a message of its own."""
    reply = page(desk.words, await look(desk, press.chat_id), 0)
    await desk.outbox.send(press.chat_id, reply.text.markup, reply.rows)
    return Toast()


async def _turn(desk: Desk, press: Press) -> Toast:
    """Another page of the queue, in the same message."""
    if not re.fullmatch(r"[0-9]{1,4}", press.rest):
        return Toast(desk.words("press.unknown"), alert=True)
    reply = page(desk.words, await look(desk, press.chat_id), int(press.rest))
    await desk.outbox.edit(press.chat_id, press.pressed.message_id, reply.text.markup, reply.rows)
    return Toast()


async def _close(desk: Desk, press: Press) -> Toast:
    await desk.screens.of(press.chat_id).close()
    return Toast(desk.words("press.closed"))


ACTIONS = {
    "p:pause": _wishing(Pause()),
    "p:resume": _wishing(Resume()),
    "p:skip": _wishing(Skip()),
    "p:back": _wishing(Previous()),
    "p:stop": _wishing(Stop()),
    "p:rewind": _wishing(SeekBy(-STEP)),
    "p:forward": _wishing(SeekBy(STEP)),
    "p:loop": Action(Who.ADMIN, _loop),
    "c:queue": Action(Who.EVERYONE, _queue, On.ANY),
    "c:close": Action(Who.ADMIN, _close),
    "q:page": Action(Who.EVERYONE, _turn, On.ANY),
    "f:keep": Action(Who.EVERYONE, favourites.keep),
    "f:page": Action(Who.EVERYONE, favourites.turn, On.OWN),
    "s:play": Action(Who.EVERYONE, searching.choose, On.OWN),
}
