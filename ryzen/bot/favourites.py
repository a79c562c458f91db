"""What somebody wants to hear again: «♥» on the card, and the command that lists it."""

from __future__ import annotations

import re

from ryzen.bot import arguments, paging, show
from ryzen.bot.desk import Desk, Order, Press, Reply, Toast, somebody
from ryzen.bot.keeping import commit, recall
from ryzen.bot.playing import look, play
from ryzen.bot.words import Html, Words
from ryzen.errors import Refusal
from ryzen.messages import Declined, Stored
from ryzen.player.state import Track
from ryzen.records import FAVOURITES, AddToPlaylist, TakeFromPlaylist


async def favourites(desk: Desk, order: Order) -> Reply | None:
    """Show them, play one, or take one out."""
    wanted, person = arguments.favourite(order.args), order.said.sender
    if not somebody(person):
        return Reply(desk.words("favourites.nobody"))
    if wanted is not None and not wanted.out and order.said.private:
        return Reply(desk.words("command.group-only"))
    tracks = await _of(desk, person.id)
    if wanted is None:
        return page(desk.words, tracks, 0, person.id)
    if wanted.place > len(tracks):
        return Reply(desk.words("favourites.no-such-place", number=len(tracks)))
    track = tracks[wanted.place - 1]
    if wanted.out:
        return Reply(await _take(desk, person.id, track))
    return await play(desk, order, track)


def page(words: Words, tracks: tuple[Track, ...], number: int, owner: int) -> Reply:
    """Page ``number``, counted from 0; the last one if there are not that many."""
    if not tracks:
        return Reply(words("favourites.empty"))
    shown = paging.page(tracks, number)
    lines = [words("favourites.head", number=len(tracks))]
    for place, track in shown.places:
        length = paging.length(words, track.duration)
        lines.append(words("favourites.line", place=place, track=show.named(track), length=length))
    if shown.last:
        lines.append(words("favourites.page", page=shown.number + 1, pages=shown.last + 1))
    return Reply(Html.lines(lines), shown.turns(words, "f:page"), owner)


async def turn(desk: Desk, press: Press) -> Toast:
    """Another page, in the same message; the list is that of whoever presses, who is its owner."""
    if not re.fullmatch(r"[0-9]{1,4}", press.rest):
        return Toast(desk.words("press.unknown"), alert=True)
    person = press.pressed.sender.id
    reply = page(desk.words, await _of(desk, person), int(press.rest), person)
    await desk.outbox.edit(press.chat_id, press.pressed.message_id, reply.text.markup, reply.rows)
    return Toast()


async def keep(desk: Desk, press: Press) -> Toast:
    """The track which the card shows: among the favourites of whoever presses, or out of them again.

    While the database is away nobody knows whether it is among them, nor how many there are: then it is
    added, which changes nothing if it is there.
    """
    if (track := await _shown(desk, press.chat_id)) is None:
        return Toast(desk.words("press.old-card"), alert=True)
    person = press.pressed.sender.id
    try:
        kept = await _of(desk, person)
    except Refusal as refusal:
        if refusal.code != Declined.AWAY:
            raise
        kept = ()
    if any(each.id == track.id for each in kept):
        return Toast(await _take(desk, person, track))
    if desk.playlist_limit and len(kept) >= desk.playlist_limit:
        return Toast(desk.words("favourites.full", number=desk.playlist_limit), alert=True)
    stored = await commit(desk, AddToPlaylist(person, FAVOURITES, track, desk.wall()))
    title = show.title(track)
    if stored is Stored.LATER:
        return Toast(desk.words("favourites.kept-later", track=title, later=desk.words("stored.later")))
    return Toast(desk.words("favourites.kept", track=title))


async def _take(desk: Desk, person: int, track: Track) -> Html:
    stored = await commit(desk, TakeFromPlaylist(person, FAVOURITES, track.id))
    title = show.title(track)
    if stored is Stored.LATER:
        return desk.words("favourites.taken-later", track=title, later=desk.words("stored.later"))
    return desk.words("favourites.taken", track=title)


async def _of(desk: Desk, person: int) -> tuple[Track, ...]:
    return await recall(desk, lambda store: store.playlist(person, FAVOURITES))


async def _shown(desk: Desk, chat_id: int) -> Track | None:
    """What the card shows: not always the current track, for the next card comes a moment after that."""
    card = desk.screens.of(chat_id).card
    view = await look(desk, chat_id)
    if card is None or view is None:
        return None
    current = () if view.player.current is None else (view.player.current,)
    entries = (*current, *view.player.history)
    return next((entry.track for entry in entries if entry.id == card.entry), None)
