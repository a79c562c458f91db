"""What the now-playing card says. Pure."""

from __future__ import annotations

from ryzen.bot import show
from ryzen.bot.words import Html, Words
from ryzen.messages import View
from ryzen.player.state import Entry, Loop, Phase, Player
from ryzen.ports import Button, Rows

_PHASES = {
    Phase.RESOLVING: "card.loading",
    Phase.STARTING: "card.loading",
    Phase.PLAYING: "card.playing",
    Phase.PAUSED: "card.paused",
}


def text(words: Words, view: View, entry: Entry) -> Html:
    """The card of ``entry``, which is what plays."""
    player = view.player
    lines = [_title(words, entry), *_chapter(words, view), _asked(words, player, entry), _progress(view)]
    lines.append(_state(words, view))
    if player.queue:
        coming = show.title(player.queue[0].track)
        lines.append(words("card.next", track=coming, number=len(player.queue)))
    return Html.lines(lines)


def rows(words: Words, player: Player) -> Rows:
    def button(name: str, data: str) -> Button:
        return Button(words(name).plain, data)

    paused = player.phase is Phase.PAUSED
    return (
        (
            button("button.back", "p:back"),
            button("button.resume", "p:resume") if paused else button("button.pause", "p:pause"),
            button("button.skip", "p:skip"),
            button("button.stop", "p:stop"),
        ),
        (
            button("button.rewind", "p:rewind"),
            button("button.loop", "p:loop"),
            button("button.forward", "p:forward"),
        ),
        (
            button("button.keep", "f:keep"),
            button("button.queue", "c:queue"),
            button("button.close", "c:close"),
        ),
    )


def _title(words: Words, entry: Entry) -> Html:
    track = show.title(entry.track)
    if entry.track.artist:
        return words("card.title-by", track=track, artist=show.cut(entry.track.artist, show.TITLE))
    return words("card.title", track=track)


def _chapter(words: Words, view: View) -> list[Html]:
    """The one that is heard, if the track has any."""
    media = view.player.media
    begun = [each for each in media.chapters if each.start <= view.position] if media is not None else []
    return [words("card.chapter", chapter=show.cut(begun[-1].title, show.TITLE))] if begun else []


def _asked(words: Words, player: Player, entry: Entry) -> Html:
    name, source = show.cut(entry.asker.name, show.NAME), entry.track.source
    if player.duration is None:
        live = player.media is not None and player.media.live  # else nobody has told how long it is
        return words("card.asked-live" if live else "card.asked-unknown", name=name, source=source)
    return words("card.asked", length=show.clock(player.duration), name=name, source=source)


def _progress(view: View) -> Html:
    duration = view.player.duration
    if duration is None:
        return Html.of(show.clock(view.position))
    line = show.bar(view.position, duration)
    return Html.of(f"{show.clock(view.position)} {line} {show.clock(duration)}")


def _state(words: Words, view: View) -> Html:
    player, state = view.player, words(_PHASES[view.player.phase])
    if view.muted:
        state = words("card.muted", state=state)
    match player.loop:
        case Loop.QUEUE:
            return words("card.loop-queue", state=state)
        case Loop.TRACK if player.loops_left is not None:
            return words("card.loop-times", state=state, number=player.loops_left)
        case Loop.TRACK:
            return words("card.loop-track", state=state)
    return state
