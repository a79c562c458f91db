"""Commands that start, stop and move the music."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ryzen.actors.ref import Request
from ryzen.bot import show
from ryzen.bot.desk import Desk, Order, Reply
from ryzen.bot.table import Handler
from ryzen.bot.words import Html, Words
from ryzen.errors import Refusal
from ryzen.messages import Command, Find, Look, Redraw, View
from ryzen.player.effects import Answer, Answered, Refused
from ryzen.player.events import Play, Wish
from ryzen.player.state import Asker, Phase, Track

R = TypeVar("R")

#: Seconds for a search and for a chat's answer; together less than a command's time on its lane, so that the
#: listener is told which of them was slow.
FIND_WITHIN, CHAT_WITHIN = 6.0, 3.0


def last_in_line(tracks: tuple[Track, ...], asker: Asker) -> Wish:
    """What ``/play`` wishes for."""
    return Play(tracks, asker)


def playing(wish: Callable[[tuple[Track, ...], Asker], Wish]) -> Handler:
    """A command that searches for its words and wishes for the first hit.

    What starts is not answered in words: the card appears at once, and says it all.
    """

    async def handler(desk: Desk, order: Order) -> Reply | None:
        if not order.args:
            return Reply(desk.words("play.help"))
        found = await desk.download.ask(Find(order.args, limit=1), within=FIND_WITHIN)
        if not found.tracks:
            return Reply(desk.words("play.nothing-found", words=show.cut(order.args, show.TITLE)))
        return await play(desk, order, found.tracks[0], wish)

    return handler


async def play(
    desk: Desk, order: Order, track: Track, wish: Callable[[tuple[Track, ...], Asker], Wish] = last_in_line
) -> Reply | None:
    """Wish for a track, if it is not too long. What starts is not answered in words (see ``playing``)."""
    if desk.duration_limit and (track.duration or 0.0) > desk.duration_limit:
        limit = show.clock(desk.duration_limit)
        return Reply(desk.words("play.too-long", track=show.title(track), limit=limit))
    answer = await desk.chats.open(order.chat_id).ask(
        Command(wish((track,), order.asker)), within=CHAT_WITHIN
    )
    return None if answer.code is Answered.STARTING else Reply(granted(desk.words, answer, track))


def wishing(read: Callable[[str], Wish]) -> Handler:
    """A command whose arguments are read into a wish of the chat's player."""

    async def handler(desk: Desk, order: Order) -> Reply:
        return Reply(granted(desk.words, await grant(desk, order.chat_id, read(order.args))))

    return handler


async def grant(desk: Desk, chat_id: int, wish: Wish) -> Answer:
    """Ask the chat's player. Raises what ``ask`` raises."""
    return await ask(desk, chat_id, Command(wish))


async def ask(desk: Desk, chat_id: int, request: Request[R]) -> R:
    """Ask the chat. Raises what ``Ref.ask`` raises; a chat that has never played refuses."""
    if (chat := desk.chats.get(chat_id)) is None:
        raise Refusal(Refused.NOTHING_PLAYING)
    return await chat.ask(request, within=CHAT_WITHIN)


async def look(desk: Desk, chat_id: int) -> View | None:
    """None if this chat has no player."""
    chat = desk.chats.get(chat_id)
    return None if chat is None else await chat.ask(Look(), within=CHAT_WITHIN)


async def now_playing(desk: Desk, order: Order) -> Reply | None:
    """Draw the card afresh: it is the answer."""
    chat = desk.chats.get(order.chat_id)
    if chat is None or (await chat.ask(Look(), within=CHAT_WITHIN)).player.phase is Phase.IDLE:
        raise Refusal(Refused.NOTHING_PLAYING)
    chat.tell(Redraw())
    return None


def granted(words: Words, answer: Answer, wished: Track | None = None) -> Html:
    """The sentence of an answer; ``wished`` is the track it is about, if the answer names none."""
    track = answer.track or wished
    if answer.code is Answered.SKIPPED and track is None:
        return words("answer.skipped-last")
    return words(
        f"answer.{answer.code}",
        track="" if track is None else show.title(track),
        number=answer.number,
        seconds=show.clock(answer.seconds or 0.0),
    )
