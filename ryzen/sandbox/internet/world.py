"""The internet of the demo: the songs there are, and the sites that know of them."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from ryzen.sandbox.internet.apple import Apple
from ryzen.sandbox.internet.around import Lrclib, SponsorBlock
from ryzen.sandbox.internet.deezer import Deezer
from ryzen.sandbox.internet.media import GOOD, Manners, Shelf
from ryzen.sandbox.internet.server import Site
from ryzen.sandbox.internet.shop import listed
from ryzen.sandbox.internet.songs import Recording, Segment, Song, beep
from ryzen.sandbox.internet.spotify import Spotify
from ryzen.sandbox.internet.youtube import YouTube
from ryzen.sandbox.tunes import TUNES

_FRERE, _ODE, _GREEN, _CANON = (tune.make for tune in TUNES[:4])

SONGS = (
    Song(
        "FrereJacque",
        "Frère Jacques",
        "Traditional",
        _FRERE,
        album="Rounds",
        isrc="XXSBX2600001",
        lyrics=((0.0, "Frère Jacques, frère Jacques"), (4.0, "Dormez-vous? Dormez-vous?")),
        colour="#16324f",
    ),
    Song(
        "OdeToJoy_01",
        "Ode to Joy",
        "Ludwig van Beethoven",
        _ODE,
        album="Symphony No. 9",
        isrc="XXSBX2600002",
        chapters=((0, "Theme"), (7, "Again"), (14, "Bridge")),
        colour="#5f0f40",
    ),
    Song("Greensleeve", "Greensleeves", "Traditional", _GREEN, album="Ballads", colour="#0b3d2e"),
    Song("CanonInD_01", "Canon in D", "Johann Pachelbel", _CANON, album="Canons", colour="#22223b"),
    beep(
        "BlueSky_440",
        "Blue Sky",
        "Local Artist",
        440,
        60,
        album="Skies",
        isrc="XXSBX2600003",
        lyrics=((1.0, "The sky is blue"), (20.0, "and so is the sea"), (40.0, "all is well")),
    ),
    beep("BlueSky_liv", "Blue Sky (Live)", "Local Artist", 550, 60),
    beep("RedMoon_660", "Red Moon", "Local Artist", 660, 60, segments=(Segment(0.0, 5.0),), colour="#9b2226"),
    beep("GreenSea880", "Green Sea", "Other Artist", 880, 60, album="Seas", colour="#2d6a4f"),
)
#: About 3.7 MB: with 200 kB/s, it takes 18 s to download. Recording it takes 5 s: for benches.
LONG_SONG = beep("LongRoad240", "Long Road", "Local Artist", 440, 240)


@attrs.frozen
class World:
    """``files`` are on ``media.example``: for direct links, streams, radio and whatever a test puts there."""

    youtube: YouTube
    lrclib: Lrclib
    sponsorblock: SponsorBlock
    files: Shelf
    spotify: Spotify
    apple: Apple
    deezer: Deezer

    @property
    def sites(self) -> tuple[Site, ...]:
        shops = (self.spotify, self.apple, self.deezer)
        return (self.youtube, self.lrclib, self.sponsorblock, self.files, *shops)


def make_world(recordings: Iterable[Recording], manners: Manners = GOOD) -> World:
    """``manners`` are those of YouTube's media."""
    known = tuple(recordings)
    songs = tuple(listed(known))
    return World(
        YouTube(known, manners),
        Lrclib(known),
        SponsorBlock(known),
        Shelf("media.example"),
        Spotify(songs),
        Apple(songs),
        Deezer(songs),
    )
