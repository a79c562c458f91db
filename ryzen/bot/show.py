"""How times, tracks and progress are written. Pure."""

from __future__ import annotations

import html

from ryzen.bot.words import Html
from ryzen.player.state import Track

#: Characters of a title or a name that a message shows.
TITLE, NAME = 64, 32
#: Telegram's limits, in characters: of a message, and of the answer to a pressed button.
MESSAGE, TOAST = 4096, 200


def clock(seconds: float) -> str:
    """``03:40``, or ``1:02:03`` from an hour on."""
    minutes, second = divmod(int(max(0.0, seconds)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute:02}:{second:02}"


def span(seconds: float) -> str:
    """How long something has lasted, to two units: ``3d 4h``, ``12m 5s``."""
    rest = int(max(0.0, seconds))
    parts: list[str] = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        if count or parts or unit == "s":
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2])


def cut(text: str, limit: int) -> str:
    """At most ``limit`` characters, the last one an ellipsis if something is missing."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def bar(position: float, duration: float, width: int = 8) -> str:
    """``——●—————``: ``width`` characters."""
    done = 0 if duration <= 0 else int(min(1.0, max(0.0, position / duration)) * width)
    done = min(done, width - 1)
    return "—" * done + "●" + "—" * (width - 1 - done)


def title(track: Track) -> Html:
    """The title of a track; in messages a link, if the track has one on the web."""
    text = Html.of(cut(track.title, TITLE))
    if track.link is None or not track.link.startswith(("https://", "http://")):
        return Html(f"<b>{text.markup}</b>", text.plain)
    return Html(f'<a href="{html.escape(track.link)}">{text.markup}</a>', text.plain)


def named(track: Track) -> Html:
    """The title of a track, and whose it is."""
    if not track.artist:
        return title(track)
    whole, artist = title(track), Html.of(f" — {cut(track.artist, NAME)}")
    return Html(whole.markup + artist.markup, whole.plain + artist.plain)
