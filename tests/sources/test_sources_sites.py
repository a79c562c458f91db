"""Sites by their real extractors, on an internet of our own; the others by what yt-dlp has on its list."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator

import pytest
from sources_stage import Stage, stage
from yt_dlp.extractor import gen_extractor_classes

from ryzen.errors import SourceAway, SourceTrouble, TrackError, TrackTrouble
from ryzen.origins import Remote
from ryzen.player.state import Track
from ryzen.sandbox.internet import Pages
from ryzen.sandbox.internet.archive import Archive, Item
from ryzen.sandbox.internet.bandcamp import Bandcamp, Piece
from ryzen.sandbox.internet.jiosaavn import Geet, JioSaavn
from ryzen.sandbox.internet.media import Shelf
from ryzen.sandbox.internet.soundcloud import SoundCloud, Tune
from ryzen.sources.links import find_link
from ryzen.sources.sites import ANYWHERE, SITES, Site, SiteSource, allowed

pytestmark = pytest.mark.anyio

BY_NAME = {site.name: site for site in SITES}
EXTRACTORS = {extractor.IE_NAME: extractor for extractor in gen_extractor_classes()}

#: A link, the site that takes it, and the extractor of yt-dlp's that has to be allowed for it.
ROUTES = [
    ("https://soundcloud.com/artist/song", "soundcloud", "soundcloud"),
    ("https://m.soundcloud.com/artist/song?si=1", "soundcloud", "soundcloud"),
    ("https://soundcloud.com/artist/sets/evening", "soundcloud", "soundcloud:set"),
    ("https://soundcloud.com/artist", "soundcloud", "soundcloud:user"),
    ("https://artist.bandcamp.com/track/song", "bandcamp", "Bandcamp"),
    ("https://artist.bandcamp.com/album/evening", "bandcamp", "Bandcamp:album"),
    ("https://www.mixcloud.com/artist/show/", "mixcloud", "mixcloud"),
    ("https://www.mixcloud.com/artist/playlists/shows/", "mixcloud", "mixcloud:playlist"),
    ("https://audiomack.com/artist/song/name", "audiomack", "audiomack"),
    ("https://audiomack.com/artist/album/name", "audiomack", "audiomack:album"),
    ("https://www.jiosaavn.com/song/leja-re/OQsEfQFVUXk", "jiosaavn", "jiosaavn:song"),
    ("https://www.jiosaavn.com/album/96/buIOjYZDrNA_", "jiosaavn", "jiosaavn:album"),
    ("https://odysee.com/@artist:1/song:2", "odysee", "lbry"),
    ("https://odysee.com/@artist#1/song#2", "odysee", "lbry"),
    ("https://odysee.com/@artist:1", "odysee", "lbry:channel"),
    ("https://archive.org/details/item", "archive", "archive.org"),
    ("https://www.twitch.tv/somebody", "twitch", "twitch:stream"),
    ("https://m.twitch.tv/somebody", "twitch", "twitch:stream"),
    ("https://www.twitch.tv/videos/123456", "twitch", "twitch:vod"),
    ("https://clips.twitch.tv/FaintLightGullWholeWheat", "twitch", "twitch:clips"),
]

TUNES = [
    Tune(1, "artist/blue-sky", "Blue Sky", "Local Artist", 61.5),
    Tune(2, "artist/blue-moon", "Local Artist - Blue Moon (Official Audio)", "Local Artist", 30),
    *(Tune(number, f"artist/tune-{number}", f"Tune {number}", "Local Artist", 10) for number in range(3, 10)),
]
PIECES = [
    Piece(11, "first-light", "First Light", 100.5),
    Piece(12, "second-thoughts", "Second Thoughts", 90),
    Piece(13, "not-out-yet", "Not Out Yet", 0),
]
GEET = [
    Geet("aaa", "TOKENaaa", "Pehla Geet", "Gayak", 200),
    Geet("bbb", "TOKENbbb", "Dusra Geet", "Gayak", 210),
]
ITEM = Item("concert1977", "Concert", "The Band", {"a.flac": ("Opener", 120.0), "b.flac": ("Closer", 240.5)})
SINGLE = Item("single1950", "Single", "The Singer", {"only.flac": ("Only Song", 180.0)})


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Stage, SoundCloud]]:
    soundcloud = SoundCloud(TUNES)
    soundcloud.sets["artist/sets/evening"] = "Evening", tuple(range(1, 10))
    soundcloud.short = {
        "/abc": "https://soundcloud.com/artist/blue-sky?utm_source=x",
        "/bad": "https://page.example/song.mp3",
    }
    jiosaavn = JioSaavn(GEET)
    jiosaavn.albums["ALBUM_"] = "Do Geet", ("aaa", "bbb")
    shelf = Shelf("page.example")
    shelf.put("/song.mp3", b"ID3" + bytes(4000))
    page = '<title>A page</title><audio src="/song.mp3"></audio>'
    pages = Pages(
        ("words.example",), {"/": page.replace("/song", "https://page.example/song"), "/none": "<p>Hi</p>"}
    )
    sites = [
        soundcloud,
        Bandcamp("The Band", PIECES, "Mornings"),
        Archive(ITEM, SINGLE),
        jiosaavn,
        shelf,
        pages,
    ]
    async with stage(sites, tmp_path_factory.mktemp("sites")) as staged:
        yield staged, soundcloud


@pytest.fixture
def here(scene: tuple[Stage, SoundCloud]) -> Iterator[Stage]:
    staged, soundcloud = scene
    staged.internet.hits.clear()
    yield staged
    soundcloud.refuses = False


@pytest.fixture
def soundcloud(scene: tuple[Stage, SoundCloud]) -> SoundCloud:
    return scene[1]


def source(here: Stage, name: str) -> SiteSource:
    return SiteSource(BY_NAME[name], here.extractor, here.web)


# -- the table
@pytest.mark.parametrize(("typed", "name", "extractor"), ROUTES)
def test_a_link_goes_to_its_site_and_to_an_extractor_that_is_allowed(
    typed: str, name: str, extractor: str
) -> None:
    link = find_link(typed)
    assert link is not None
    takers = [site for site in SITES if SiteSource(site, NOBODY).claims(link)]
    assert [site.name for site in takers] == [name]
    assert EXTRACTORS[extractor].suitable(link)
    assert any(re.fullmatch(allowed, extractor, re.IGNORECASE) for allowed in takers[0].extractors)


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.name)
def test_every_extractor_that_is_named_is_on_yt_dlps_list(site: Site) -> None:
    names = [name.lower() for name in EXTRACTORS]
    for pattern in site.extractors:
        for alternative in spelled_out(pattern):
            assert any(re.fullmatch(alternative, name, re.IGNORECASE) for name in names), alternative


def test_every_search_prefix_is_one_of_yt_dlps() -> None:
    prefixes = {getattr(extractor, "_SEARCH_KEY", None) for extractor in gen_extractor_classes()}
    assert {site.search for site in SITES if site.search} <= prefixes


@pytest.mark.parametrize(
    "link", ["https://soundcloud.com.evil.example/a/b", "https://evil.example/soundcloud.com"]
)
def test_no_site_takes_what_only_looks_like_its_own(link: str) -> None:
    assert not any(SiteSource(site, NOBODY).claims(link) for site in SITES)


def test_the_owner_adds_sites_by_host_or_by_yt_dlps_name_and_host() -> None:
    vimeo, named = allowed(["Vimeo.com", "dailymotion=dailymotion.com", " "])
    assert (vimeo.name, vimeo.hosts, vimeo.extractors) == ("vimeo-com", ("vimeo.com",), ())
    assert (named.name, named.hosts) == ("dailymotion", ("dailymotion.com",))
    assert any(
        re.fullmatch(named.extractors[0], name) for name in EXTRACTORS if name.startswith("dailymotion")
    )


# -- SoundCloud
async def test_soundcloud_is_searched(here: Stage) -> None:
    sky, moon = await source(here, "soundcloud").search("blue", 5)
    assert (sky.id, sky.title, sky.artist, sky.duration) == ("soundcloud:1", "Blue Sky", "Local Artist", 61.5)
    assert (moon.title, moon.artist) == ("Blue Moon", "Local Artist")
    assert sky.link == "https://soundcloud.com/artist/blue-sky"
    assert await source(here, "soundcloud").search("nothing of the kind", 5) == ()
    assert len(await source(here, "soundcloud").search("tune", 3)) == 3


async def test_what_soundcloud_finds_can_be_played_as_a_file_without_a_picture(here: Stage) -> None:
    soundcloud = source(here, "soundcloud")
    (hit,) = await soundcloud.search("sky", 1)
    origin = await soundcloud.resolve(hit)
    assert isinstance(origin.place, Remote)
    assert origin.place.url == "https://cf-media.sndcdn.com/1.128.mp3"
    assert (origin.key, origin.duration) == ("soundcloud:1", 61.5)


async def test_a_set_is_listed_in_order_with_what_is_known_of_each(here: Stage) -> None:
    listing = await source(here, "soundcloud").expand("https://soundcloud.com/artist/sets/evening", 7)
    assert (listing.title, listing.left_out, listing.linked) == ("Evening", 2, True)
    assert [track.title for track in listing.tracks] == [
        *("blue sky", "blue moon", "tune 3", "tune 4", "tune 5"),  # by their links
        *("Evening · 6", "Evening · 7"),
    ]
    origin = await source(here, "soundcloud").resolve(listing.tracks[6])
    assert isinstance(origin.place, Remote)
    assert origin.place.url == "https://cf-media.sndcdn.com/7.128.mp3"


async def test_a_short_link_leads_to_the_track_and_nowhere_else(here: Stage) -> None:
    listing = await source(here, "soundcloud").expand("https://on.soundcloud.com/abc", 5)
    assert [track.title for track in listing.tracks] == ["Blue Sky"]
    with pytest.raises(TrackError) as refused:
        await source(here, "soundcloud").expand("https://on.soundcloud.com/bad", 5)
    assert refused.value.trouble is TrackTrouble.NO_SOURCE


async def test_a_site_that_is_asked_too_often_is_away_under_its_own_name(
    here: Stage, soundcloud: SoundCloud
) -> None:
    soundcloud.refuses = True
    with pytest.raises(SourceAway) as away:
        await source(here, "soundcloud").search("blue", 5)
    assert (away.value.source, away.value.trouble) == ("soundcloud", SourceTrouble.RATE_LIMITED)


async def test_a_track_that_is_gone_is_no_fault_of_the_site(here: Stage) -> None:
    with pytest.raises(TrackError):
        await source(here, "soundcloud").expand("https://soundcloud.com/artist/gone", 5)


# -- Bandcamp
async def test_a_bandcamp_track_is_played_without_asking_twice(here: Stage) -> None:
    bandcamp = source(here, "bandcamp")
    (track,) = (await bandcamp.expand("https://theband.bandcamp.com/track/first-light", 5)).tracks
    assert (track.id, track.title, track.artist, track.duration) == (
        "bandcamp:11",
        "First Light",
        "The Band",
        100.5,
    )
    asked = len(here.internet.hits)
    origin = await bandcamp.resolve(track)
    assert len(here.internet.hits) == asked
    assert isinstance(origin.place, Remote)
    assert origin.place.url == "https://t4.bcbits.com/stream/11/mp3-128"
    assert (await bandcamp.resolve(track)).place == origin.place
    assert len(here.internet.hits) > asked


async def test_a_bandcamp_album_has_what_can_be_heard(here: Stage) -> None:
    listing = await source(here, "bandcamp").expand("https://theband.bandcamp.com/album/mornings", 10)
    assert [track.title for track in listing.tracks] == ["First Light", "Second Thoughts"]
    assert (listing.title, listing.left_out) == ("Mornings", 0)
    assert len(here.internet.hits) == 1
    origin = await source(here, "bandcamp").resolve(listing.tracks[1])
    assert origin.key == "bandcamp:12"


# -- archive.org
async def test_an_item_of_the_archive_is_one_track_or_several(here: Stage) -> None:
    archive = source(here, "archive")
    listing = await archive.expand("https://archive.org/details/concert1977", 10)
    assert [(track.title, track.duration) for track in listing.tracks] == [
        ("Opener", 120.0),
        ("Closer", 240.5),
    ]
    assert listing.title == "Concert"
    (single,) = (await archive.expand("https://archive.org/details/single1950", 10)).tracks
    assert (single.title, single.artist) == ("Only Song", "The Singer")
    for track, name in ((listing.tracks[1], "b"), (single, "only")):
        origin = await archive.resolve(track)
        assert isinstance(origin.place, Remote)
        assert f"/{name}." in origin.place.url


# -- JioSaavn
async def test_jiosaavn_songs_and_albums(here: Stage) -> None:
    jiosaavn = source(here, "jiosaavn")
    (song,) = (await jiosaavn.expand("https://www.jiosaavn.com/song/pehla-geet/TOKENaaa", 5)).tracks
    assert (song.id, song.title, song.artist, song.duration) == ("jiosaavn:aaa", "Pehla Geet", "Gayak", 200.0)
    listing = await jiosaavn.expand("https://www.jiosaavn.com/album/do-geet/ALBUM_", 5)
    assert [track.title for track in listing.tracks] == ["Pehla Geet", "Dusra Geet"]
    assert listing.tracks[0].id == song.id
    assert all("#" not in track.ref for track in listing.tracks)
    origin = await jiosaavn.resolve(listing.tracks[1])
    assert isinstance(origin.place, Remote)
    assert origin.place.url == "https://web.saavncdn.com/sealedbbb_128.mp4"
    assert (origin.duration, origin.artwork is None) == (210.0, False)


# -- anywhere
async def test_any_page_may_have_a_song_if_the_owner_wants_that(here: Stage) -> None:
    anywhere = SiteSource(ANYWHERE, here.extractor)
    (track,) = (await anywhere.expand("https://words.example/", 5)).tracks
    origin = await anywhere.resolve(track)
    assert isinstance(origin.place, Remote)
    assert origin.place.url == "https://page.example/song.mp3"
    with pytest.raises(TrackError) as refused:
        await anywhere.expand("https://words.example/none", 5)
    assert refused.value.trouble is TrackTrouble.NO_SOURCE


async def test_a_site_is_not_tricked_into_anothers_extractor(here: Stage) -> None:
    odd = Track("bandcamp:1", "?", "bandcamp", "https://words.example/")
    with pytest.raises(TrackError):
        await source(here, "bandcamp").resolve(odd)
    assert not here.internet.hits
    with pytest.raises(TrackError) as refused:
        await source(here, "bandcamp").resolve(Track("bandcamp:2", "?", "bandcamp", "../../etc/passwd"))
    assert refused.value.trouble is TrackTrouble.MISSING


async def test_what_yt_dlp_writes_to_itself_is_no_part_of_a_link() -> None:
    entry = {"_type": "url", "title": "x", "url": "https://www.mixcloud.com/a/b/#__youtubedl_smuggle=%7B%7D"}

    class Says:
        async def extract(self, job: object, *, within: float) -> dict[str, object]:
            return {"_type": "playlist", "entries": [entry]}

    (track,) = (await SiteSource(BY_NAME["mixcloud"], Says()).expand("https://www.mixcloud.com/a/", 5)).tracks
    assert track.ref == track.link == "https://www.mixcloud.com/a/b/"


class Nobody:
    async def extract(self, job: object, *, within: float) -> dict[str, object]:
        raise AssertionError("nobody is asked")


NOBODY = Nobody()


def spelled_out(pattern: str) -> list[str]:
    """``a(?:b|c(?::d)?)`` → ab, ac, ac:d: as far as the table goes."""
    if optional := re.search(r"\(\?:([^()|]*)\)\?", pattern):
        return [
            one
            for part in ("", optional[1])
            for one in spelled_out(pattern[: optional.start()] + part + pattern[optional.end() :])
        ]
    if choice := re.search(r"\(\?:([^()]*)\)", pattern):
        return [
            one
            for part in choice[1].split("|")
            for one in spelled_out(pattern[: choice.start()] + part + pattern[choice.end() :])
        ]
    return [pattern]
