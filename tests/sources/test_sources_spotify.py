"""Real spotipy, and the public pages, on a local Spotify."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import attrs
import pytest
from aiohttp import web
from named_stage import SONGS, Playable, Stage, stage, video

from ryzen.errors import SourceAway, SourceTrouble, TrackError, TrackTrouble
from ryzen.sandbox.internet.shop import List, Listed, Many
from ryzen.sandbox.internet.spotify import Spotify, key
from ryzen.sources.matching import Wanted
from ryzen.sources.named import wanted_of
from ryzen.sources.spotify import SpotifySource, client
from ryzen.sources.threads import Threads

pytestmark = pytest.mark.anyio

ALBUM, OWN, LONG, PUBLIC, EMPTY = 50, 60, 61, 62, 63
API, PAGES = "api.spotify.com", "open.spotify.com"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def site() -> Spotify:
    return Spotify(
        SONGS,
        albums=[List(ALBUM, "Skies", SONGS)],
        own=[
            List(OWN, "Mine", Many(120)),
            List(LONG, "All there is", Many(50_000)),
            List(EMPTY, "Empty", ()),
        ],
        public=[List(PUBLIC, "Somebody's", Many(50_000))],
    )


def link(kind: str, number: int) -> str:
    return f"https://open.spotify.com/{kind}/{key(number)}"


@attrs.frozen
class Scene:
    site: Spotify
    stage: Stage
    place: Playable
    source: SpotifySource

    def asked(self, host: str) -> list[str]:
        return [hit.path for hit in self.stage.internet.asked(host)]


@asynccontextmanager
async def scene(*, secret: str | None = "secret", place: Playable | None = None) -> AsyncIterator[Scene]:
    place, spotify = place or Playable(), site()
    async with stage(spotify) as there:
        api = None if secret is None else client("id", secret, there.session)
        source = SpotifySource(there.web, there.web, place.search, place.resolve, api)
        yield Scene(spotify, there, place, source)


# -- by the API
async def test_a_track_is_known_with_artists_length_and_isrc() -> None:
    async with scene() as at:
        found = await at.source.expand(link("track", 1), 10)
        (track,) = found.tracks
        assert found.linked
        assert track.id == f"spotify:{key(1)}"
        assert track.link == link("track", 1)
        assert (track.title, track.artist, track.duration) == (SONGS[0].title, "Local Artist, Guest", 201)
        assert wanted_of(track) == Wanted(
            SONGS[0].title, ("Local Artist", "Guest"), 201, "XXSBX2600003", "Skies"
        )
        assert at.asked(PAGES) == []


async def test_it_is_played_from_where_it_is_found_by_name() -> None:
    decoys = (
        video("live", "Blue Sky (Live)", "Local Artist", 201),
        video("cover", "Blue Sky", "Nobody", 201),
    )
    place = Playable(
        *decoys, video("right", "Local Artist - Blue Sky (Official Video)", "LocalArtistVEVO", 203)
    )
    async with scene(place=place) as at:
        (track,) = (await at.source.expand(link("track", 1), 10)).tracks
        assert (await at.source.resolve(track)).key == "youtube:right"


async def test_a_token_is_fetched_once_and_no_file_is_written(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with scene() as at:
        for number in (1, 2, 3):
            await at.source.expand(link("track", number), 10)
        assert at.asked("accounts.spotify.com") == ["/api/token"]
    assert list(tmp_path.iterdir()) == []


async def test_an_album_has_its_name_and_its_tracks() -> None:
    async with scene() as at:
        found = await at.source.expand(link("album", ALBUM), 10)
        assert found.title == "Skies"
        assert [track.title for track in found.tracks] == [song.title for song in SONGS]
        assert wanted_of(found.tracks[2]).artists == ("Earth, Wind & Sea",)
        assert wanted_of(found.tracks[0]).album == "Skies"
        assert len(at.asked(API)) == 1


@pytest.mark.parametrize("old", [False, True], ids=["item", "track"])
async def test_a_playlist_of_the_owners_is_read_to_its_end(old: bool) -> None:
    async with scene() as at:
        at.site.old = old
        found = await at.source.expand(link("playlist", OWN), 500)
        assert found.title == "Mine"
        assert [track.title for track in found.tracks] == [f"Song {number}" for number in range(1, 121)]
        assert found.left_out == 0
        assert len(at.asked(API)) == 2
        assert wanted_of(found.tracks[7]).isrc == "XXSBX0000007"


@pytest.mark.parametrize(("limit", "requests"), [(1, 1), (25, 1), (100, 1), (101, 2), (250, 3)])
async def test_of_fifty_thousand_tracks_only_what_the_limit_needs_is_read(limit: int, requests: int) -> None:
    async with scene() as at:
        found = await at.source.expand(link("playlist", LONG), limit)
        assert len(found.tracks) == limit
        assert found.left_out == 50_000 - limit
        assert len(at.asked(API)) == requests


async def test_a_list_of_what_cannot_be_played_is_not_read_for_ever() -> None:
    class Silent(Many):
        def __getitem__(self, index):
            songs = super().__getitem__(index)
            return [attrs.evolve(song, title="") for song in songs] if isinstance(index, slice) else songs

    async with scene() as at:
        at.site.own[key(LONG)] = List(LONG, "Silence", Silent(50_000))
        with pytest.raises(TrackError) as refused:
            await at.source.expand(link("playlist", LONG), 50)
        assert refused.value.trouble is TrackTrouble.EMPTY
        assert len(at.asked(API)) < 5


async def test_an_empty_playlist_is_told_to_be_empty() -> None:
    async with scene() as at:
        with pytest.raises(TrackError) as refused:
            await at.source.expand(link("playlist", EMPTY), 50)
        assert refused.value.trouble is TrackTrouble.EMPTY
        assert at.asked(PAGES) == []


async def test_too_many_questions_are_the_sources_trouble_and_it_says_until_when() -> None:
    async with scene() as at:
        at.site.refusing, at.site.retry_after = 429, 37
        with pytest.raises(SourceAway) as away:
            await at.source.expand(link("track", 1), 10)
        assert (away.value.source, away.value.trouble) == ("spotify", SourceTrouble.RATE_LIMITED)
        assert away.value.retry_after == 37
        assert len(at.asked(API)) == 1, "asked again at once"


async def test_the_token_is_not_taken_elsewhere() -> None:
    class Leading(Spotify):
        def _page(self, *arguments, **named):
            return super()._page(*arguments, **named) | {"next": "https://open.spotify.com/embed/next"}

    async with stage(Leading(SONGS, own=[List(OWN, "Mine", Many(120))])) as there:
        place, api = Playable(), client("id", "secret", there.session)
        source = SpotifySource(there.web, there.web, place.search, place.resolve, api)
        found = await source.expand(link("playlist", OWN), 500)
        assert (len(found.tracks), found.left_out) == (100, 20)
        assert there.internet.asked(PAGES) == []


async def test_an_api_that_answers_nonsense_is_away() -> None:
    class Nonsense(Spotify):
        def _api(self, request, path):
            return web.json_response(["what?"], status=400)

    async with stage(Nonsense(SONGS)) as there:
        place, api = Playable(), client("id", "secret", there.session)
        source = SpotifySource(there.web, there.web, place.search, place.resolve, api)
        with pytest.raises(SourceAway) as away:
            await source.expand(link("track", 1), 10)
        assert away.value.trouble is SourceTrouble.DOWN
        assert there.internet.asked(PAGES) == []


async def test_an_api_that_hangs_is_not_waited_for() -> None:
    class Hanging(Spotify):
        async def answer(self, request: web.Request) -> web.StreamResponse:
            await anyio.sleep_forever()

    async with stage(Hanging(SONGS)) as there:
        place, api = Playable(), client("id", "secret", there.session)
        threads = Threads(within=0.1)
        source = SpotifySource(there.web, there.web, place.search, place.resolve, api, threads)
        with anyio.fail_after(5), pytest.raises(SourceAway) as away:
            await source.expand(link("track", 1), 10)
        assert away.value.trouble is SourceTrouble.DOWN


# -- by the public page
@pytest.mark.parametrize("status", [401, 403, 404, 500, 503])
async def test_what_the_api_does_not_tell_the_public_page_does(status: int) -> None:
    async with scene() as at:
        at.site.refusing = status
        (track,) = (await at.source.expand(link("track", 1), 10)).tracks
        assert wanted_of(track) == Wanted(SONGS[0].title, ("Local Artist", "Guest"), 201)
        assert at.asked(PAGES) == [f"/embed/track/{key(1)}"]


async def test_a_playlist_of_somebody_elses_is_read_from_its_page() -> None:
    async with scene() as at:
        found = await at.source.expand(link("playlist", PUBLIC), 30)
        assert found.title == "Somebody's"
        assert len(found.tracks) == 30
        assert found.left_out == 70, "as far as the page knows"
        assert wanted_of(found.tracks[0]) == Wanted("Song 1", ("Local Artist", "Guest"), 180)


@pytest.mark.parametrize("secret", [None, "wrong"], ids=["no app", "a refused app"])
async def test_without_an_app_the_pages_are_enough(secret: str | None) -> None:
    async with scene(secret=secret) as at:
        for kind, number in (("track", 1), ("album", ALBUM), ("playlist", OWN), ("artist", 1)):
            assert (await at.source.expand(link(kind, number), 5)).tracks
        assert at.asked(API) == []


async def test_an_artist_is_what_is_best_known_of_them() -> None:
    async with scene() as at:
        found = await at.source.expand(link("artist", 9), 2)
        assert found.title == "Local Artist"
        assert [track.title for track in found.tracks] == [song.title for song in SONGS[:2]]
        assert at.asked(API) == []


async def test_an_artist_without_a_page_is_read_album_by_album() -> None:
    async with scene() as at:
        at.site.embedding = False
        found = await at.source.expand(link("artist", 9), 2)
        assert [track.title for track in found.tracks] == [song.title for song in SONGS[:2]]


async def test_what_nobody_tells_of_is_unavailable() -> None:
    async with scene() as at:
        with pytest.raises(TrackError) as refused:
            await at.source.expand(link("track", 999), 10)
        assert refused.value.trouble is TrackTrouble.UNAVAILABLE


async def test_a_page_in_another_form_is_nobodys_track_at_fault() -> None:
    class Changed(Spotify):
        def _embed(self, kind, ident):
            broken = '<script id="__NEXT_DATA__">{"props": [1, 2</script>'
            return web.Response(text=broken, content_type="text/html")

    async with stage(Changed(SONGS)) as there:
        place = Playable()
        source = SpotifySource(there.web, there.web, place.search, place.resolve)
        with pytest.raises(SourceAway) as away:
            await source.expand(link("track", 1), 10)
        assert away.value.trouble is SourceTrouble.DOWN


async def test_hostile_titles_pass_through_as_text() -> None:
    hostile = "</script><script>alert(1)</script> ../../etc/passwd \"' $BOT_TOKEN " * 60
    async with scene(secret=None) as at:
        at.site.songs[key(7)] = Listed(7, hostile, (hostile, "Guest"), 100)
        (track,) = (await at.source.expand(link("track", 7), 10)).tracks
        assert track.title.startswith("</script><script>alert(1)</script> ../../etc/passwd \"' $BOT_TOKEN")
        assert len(track.title) == 200
        with pytest.raises(TrackError, match="no-match"):
            await at.source.resolve(track)


# -- links
async def test_a_short_link_is_followed() -> None:
    async with scene() as at:
        at.site.short["/abc"] = link("track", 2) + "?si=1"
        (track,) = (await at.source.expand("https://spotify.link/abc", 10)).tracks
        assert track.title == "Red Moon"


async def test_a_short_link_to_somewhere_else_is_not() -> None:
    async with scene() as at:
        at.site.short["/evil"] = "http://169.254.169.254/latest"
        with pytest.raises(TrackError) as refused:
            await at.source.expand("https://spotify.link/evil", 10)
        assert refused.value.trouble is TrackTrouble.FORBIDDEN
        with pytest.raises(TrackError) as refused:
            await at.source.expand("https://spotify.link/gone", 10)
        assert refused.value.trouble is TrackTrouble.UNAVAILABLE


@pytest.mark.parametrize(
    "path", ["episode/" + key(1), "show/" + key(1), "user/somebody", "search/x", "", "track/1"]
)
async def test_what_is_no_music_is_refused_without_asking(path: str) -> None:
    async with scene() as at:
        with pytest.raises(TrackError) as refused:
            await at.source.expand(f"https://open.spotify.com/{path}", 10)
        assert refused.value.trouble is TrackTrouble.NO_SOURCE
        assert at.stage.internet.hits == []


@pytest.mark.parametrize(
    "form",
    [
        "intl-de/track/{}",
        "intl-pt-BR/track/{}".lower(),
        "embed/track/{}",
        "track/{}/",
        "track/{}?si=x&context=y",
    ],
)
async def test_the_forms_that_links_have_lead_to_the_same(form: str) -> None:
    async with scene() as at:
        (track,) = (await at.source.expand("https://open.spotify.com/" + form.format(key(2)), 10)).tracks
        assert track.title == "Red Moon"


@pytest.mark.parametrize(
    ("address", "claimed"),
    [
        ("https://open.spotify.com/track/x", True),
        ("https://spotify.link/x", True),
        ("https://open.spotify.com.evil.example/track/x", False),
        ("https://evilspotify.link/x", False),
        ("https://www.youtube.com/open.spotify.com", False),
        ("", False),
    ],
)
async def test_it_claims_its_own_links_alone(address: str, claimed: bool) -> None:
    assert SpotifySource(None, None, None, None).claims(address) is claimed


async def test_words_are_left_to_those_who_can_play() -> None:
    assert await SpotifySource(None, None, None, None).search("anything", 5) == ()
