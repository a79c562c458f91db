"""What Spotify's own player for other people's pages knows of a track, an album, a playlist or an artist.

It asks for no account. Names, artists and lengths are there, ISRCs are not, and of a long playlist the first
hundred only: how many more there are is not told.
"""

from __future__ import annotations

from ryzen.errors import SourceAway, SourceTrouble, TrackError, TrackTrouble
from ryzen.origins import Listing, Web
from ryzen.player.state import Track
from ryzen.sources.matching import Wanted
from ryzen.sources.named import listing, named
from ryzen.sources.spotify_links import Thing
from ryzen.sources.told import Page, Told, at, each, line, seconds

#: Between the artists of a track in a list: a comma and a space that does not break.
_AND = ",\u00a0"
_MS = 0.001


async def read(web: Web, source: str, thing: Thing, limit: int) -> Listing:
    """Raises WebError; TrackError if it is not public; SourceAway if the page has an unknown form."""
    html = await web.text(f"https://open.spotify.com/embed/{thing.kind}/{thing.id}")
    page = next(Page(html).data(id="__NEXT_DATA__"), None)
    about = at(page, "props", "pageProps")
    if at(about, "status") in (401, 403, 404):
        raise TrackError(TrackTrouble.UNAVAILABLE)
    entity = at(about, "state", "data", "entity")
    name = line(entity, "name") or line(entity, "title")
    if not name:
        raise SourceAway(source, SourceTrouble.DOWN, "its public page has a form that we do not know")
    if thing.kind == "track":
        artists = tuple(line(artist, "name") for artist in each(entity, "artists"))
        wanted = Wanted(name, artists, seconds(entity, "duration", unit=_MS))
        return Listing((named(source, thing.id, wanted, thing.link),), linked=True)
    album = name if thing.kind == "album" else ""
    tracks = [track for entry in each(entity, "trackList") if (track := _track(source, entry, album))]
    return listing(tracks, limit, name)


def _track(source: str, entry: Told, album: str) -> Track | None:
    """None for episodes, and for files of the playlist's owner."""
    kind, _, key = line(entry, "uri").removeprefix("spotify:").partition(":")
    title = line(entry, "title")
    if kind != "track" or not key.isalnum() or not title:
        return None
    artists = tuple(str(at(entry, "subtitle") or "").split(_AND))
    wanted = Wanted(title, artists, seconds(entry, "duration", unit=_MS), album=album)
    return named(source, key, wanted, Thing("track", key).link)
