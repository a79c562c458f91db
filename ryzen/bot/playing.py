"""Commands that start, stop and move the music."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ryzen.actors.ref import Request
from ryzen.bot import arguments, show
from ryzen.bot.desk import Desk, Order, Reply
from ryzen.bot.table import Handler
from ryzen.bot.words import Html, Words
from ryzen.errors import Refusal
from ryzen.messages import Command, Find, Look, Redraw, View
from ryzen.origins import Listing
from ryzen.player.effects import Answer, Answered, Refused
from ryzen.player.events import Play, Wish
from ryzen.player.state import Asker, Phase, Track

R = TypeVar("R")

#: What to wish for, of one track or of several.
Wishes = Callable[[tuple[Track, ...], Asker], Wish]

#: Seconds for a search and for a chat's answer; together less than a command's time on its lane, so that the
#: listener is told which of them was slow.
FIND_WITHIN, CHAT_WITHIN = 6.0, 3.0


def last_in_line(tracks: tuple[Track, ...], asker: Asker) -> Wish:
    """What ``/play`` wishes for."""
    return Play(tracks, asker)


def playing(wishes: Wishes) -> Handler:
    """A command that wishes for the first hit for its words, for all that is behind its link, for the file
    that it is written under, or for the one that it replies to.

    What starts is not answered in words: the card appears at once, and says it all.
    """

    async def handler(desk: Desk, order: Order) -> Reply | None:
        if order.args and not order.said.holds_file:
            return await find_and_play(desk, order, order.args, wishes)
        if (track := await _attached(desk, order)) is not None:
            return await play(desk, order, track, wishes)
        return Reply(desk.words("play.help"))

    return handler


def streaming(wishes: Wishes) -> Handler:
    """The same for links alone."""

    async def handler(desk: Desk, order: Order) -> Reply | None:
        return await find_and_play(desk, order, arguments.link(order.args), wishes)

    return handler


async def _attached(desk: Desk, order: Order) -> Track | None:
    """What can be played of the command's own message, or of the one that it replies to."""
    said = order.said
    message_id = said.message_id if said.holds_file else said.reply_to
    return None if message_id is None else await desk.attachments.attached(said.chat_id, message_id)


async def find_and_play(desk: Desk, order: Order, text: str, wishes: Wishes) -> Reply | None:
    found = await desk.download.ask(Find(text, limit=1, most=desk.fetch_limit), within=FIND_WITHIN)
    if not found.tracks:
        return Reply(nothing_found(desk.words, text))
    if found.linked and len(found.tracks) + found.left_out > 1:
        return await _play_all(desk, order, found, wishes)
    return await play(desk, order, found.tracks[0], wishes)


def nothing_found(words: Words, text: str) -> Html:
    return words("play.nothing-found", words=show.cut(text, show.TITLE))


async def play(desk: Desk, order: Order, track: Track, wishes: Wishes = last_in_line) -> Reply | None:
    """Wish for a track, if it is not too long. What starts is not answered in words (see ``playing``)."""
    said = await put_on(desk, order.chat_id, order.asker, track, wishes)
    return None if said is None else Reply(said)


async def put_on(
    desk: Desk, chat_id: int, asker: Asker, track: Track, wishes: Wishes = last_in_line
) -> Html | None:
    """Wish for a track, if it is not too long. Returns what there is to say; None if it starts."""
    if _too_long(desk, track):
        limit = show.clock(desk.duration_limit)
        return desk.words("play.too-long", track=show.title(track), limit=limit)
    answer = await _wish(desk, chat_id, wishes((track,), asker))
    return None if answer.code is Answered.STARTING else granted(desk.words, answer, track)


async def _play_all(desk: Desk, order: Order, found: Listing, wishes: Wishes) -> Reply:
    """Wish for all of a list that is not too long; what was left out is told, and why."""
    words, whole = desk.words, len(found.tracks) + found.left_out
    fitting = tuple(track for track in found.tracks if not _too_long(desk, track))
    limit = show.clock(desk.duration_limit)
    if not fitting:
        return Reply(words("play.all-too-long", limit=limit))
    answer = await _wish(desk, order.chat_id, wishes(fitting, order.asker))
    taken = 1 if answer.code is Answered.QUEUED else answer.number or len(fitting)
    title = show.cut(found.title, show.TITLE) if found.title else words("play.list")
    lines = [words("play.many", title=title, number=taken, whole=whole)]
    if found.left_out:
        lines.append(words("play.left-out", limit=len(found.tracks)))
    if too_long := len(found.tracks) - len(fitting):
        lines.append(words("play.left-long", number=too_long, limit=limit))
    if no_place := len(fitting) - taken:
        lines.append(words("play.left-full", number=no_place))
    return Reply(Html.lines(lines))


def _too_long(desk: Desk, track: Track) -> bool:
    """What is live, or of unknown length, is not."""
    return bool(desk.duration_limit) and (track.duration or 0.0) > desk.duration_limit


async def _wish(desk: Desk, chat_id: int, wish: Wish) -> Answer:
    return await desk.chats.open(chat_id).ask(Command(wish), within=CHAT_WITHIN)


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
