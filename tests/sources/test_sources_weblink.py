"""Links to sound itself, on an internet of our own, through the guard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from aiohttp import web as aiohttp_web
from hypothesis import given
from hypothesis import strategies as st

from ryzen.errors import TrackError, TrackTrouble, WebError
from ryzen.fetch import egress, web
from ryzen.origins import Broadcast, Listing, Origin, Peek, Remote, Segmented
from ryzen.player.state import Track
from ryzen.sandbox.internet import Internet
from ryzen.sandbox.internet.media import Manners, Shelf
from ryzen.sources.weblink import WebLinkSource

pytestmark = pytest.mark.anyio

MP3 = b"ID3\x04" + bytes(8000)
HLS = "application/vnd.apple.mpegurl"
MEDIA = b"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n0.ts\n"
WHOLE = MEDIA + b"#EXT-X-ENDLIST\n"
MASTER = b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n%s\n"
HOST = "files.example"


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


def shelf() -> Shelf:
    files = Shelf(HOST)
    files.put("/My%20song.mp3", MP3)
    files.put("/My song.mp3", MP3)
    files.put("/plain", MP3, "application/octet-stream")
    files.put("/film.mp4", b"\0\0\0\x20ftypisom" + bytes(8000), "video/mp4")
    files.put("/empty.mp3", b"")
    files.put("/image.png", b"\x89PNG\r\n\x1a\n" + bytes(100), "image/png")
    files.put("/page.html", b"<html>", "text/html")
    files.put("/words", b"just words", "text/plain")
    files.put("/chunked.flac", b"fLaC" + bytes(8000), "audio/flac", Manners(chunked=True))
    # playlists
    files.put("/whole.m3u8", WHOLE, HLS)
    files.put("/live.m3u8", MEDIA, HLS)
    files.put("/untyped.m3u8", WHOLE, "text/plain")
    files.put("/typed", WHOLE, HLS)
    files.put("/master.m3u8", MASTER % b"whole.m3u8", HLS)
    files.put("/live-master.m3u8", MASTER % b"live.m3u8", HLS)
    files.put("/file-master.m3u8", MASTER % b"file:///etc/passwd", HLS)
    files.put("/no-master.m3u8", b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n", HLS)
    files.put("/long.m3u8", MEDIA + b"#EXTINF:4,\n0.ts\n" * 2000 + b"#EXT-X-ENDLIST\n", HLS)
    # a playlist under another name
    files.put("/song.mp3", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n")
    files.put("/hidden", WHOLE, "application/octet-stream")
    files.put("/hidden.ogg", b"\xef\xbb\xbf\n#EXTM3U\n", "audio/ogg")
    # lists that name a station
    files.put("/one.m3u", b"#EXTM3U\n#EXTINF:-1,Local FM\nhttps://files.example/station\n", "audio/x-mpegurl")
    files.put("/bare.m3u", b"station\n", "audio/x-mpegurl")
    files.put("/one.pls", b"[playlist]\nFile1=https://files.example/station\nTitle1=FM\n", "audio/x-scpls")
    files.put("/none.pls", b"[playlist]\nNumberOfEntries=0\n", "audio/x-scpls")
    files.put("/local.m3u", b"/etc/passwd\nfile:///etc/passwd\n", "audio/x-mpegurl")
    files.put("/disk.m3u", b"file:///etc/passwd\n", "audio/x-mpegurl")
    files.put("/inner.m3u", b"http://127.0.0.1/secret\n", "audio/x-mpegurl")
    files.put("/round.m3u", b"https://files.example/round.m3u\n", "audio/x-mpegurl")
    files.redirect("/moved", "https://files.example/My%20song.mp3")
    files.redirect("/inside", "http://169.254.169.254/latest/meta-data")

    async def station(request: aiohttp_web.Request) -> aiohttp_web.StreamResponse:
        headers = {"Content-Type": "audio/mpeg", "icy-name": "Local FM"} if request.path == "/station" else {}
        response = aiohttp_web.StreamResponse(headers={"Content-Type": "audio/aacp"} | headers)
        await response.prepare(request)
        await response.write(MP3)
        return response

    async def named(request: aiohttp_web.Request) -> aiohttp_web.StreamResponse:
        disposition = "attachment; filename*=UTF-8''..%2F..%2F%D0%BF%D0%B5%D1%81%D0%BD%D1%8F.mp3"
        return aiohttp_web.Response(body=MP3, headers={"Content-Disposition": disposition})

    files.serve("/station", station)
    files.serve("/nameless", station)
    files.serve("/named", named)
    return files


@pytest.fixture(scope="module")
async def scene() -> AsyncIterator[tuple[Internet, web.WebClient]]:
    async with AsyncExitStack() as stack:
        internet = await stack.enter_async_context(Internet.serve([shelf()]))
        door = await stack.enter_async_context(egress.serve(internet.outside))
        yield internet, await stack.enter_async_context(web.serve(door, internet.outside))


@pytest.fixture
def source(scene: tuple[Internet, web.WebClient]) -> WebLinkSource:
    scene[0].hits.clear()
    return WebLinkSource(scene[1], scene[1])


def at(path: str) -> str:
    return f"https://{HOST}{path}"


PLACES = [
    ("/My%20song.mp3", Remote(at("/My%20song.mp3"), size=len(MP3))),
    ("/plain", Remote(at("/plain"), size=len(MP3))),
    ("/film.mp4", Remote(at("/film.mp4"), size=8012)),
    ("/moved", Remote(at("/My%20song.mp3"), size=len(MP3))),
    ("/chunked.flac", Remote(at("/chunked.flac"))),
    ("/whole.m3u8", Segmented(at("/whole.m3u8"))),
    ("/live.m3u8", Segmented(at("/live.m3u8"), live=True)),
    ("/untyped.m3u8", Segmented(at("/untyped.m3u8"))),
    ("/typed", Segmented(at("/typed"))),
    ("/master.m3u8", Segmented(at("/master.m3u8"))),
    ("/live-master.m3u8", Segmented(at("/live-master.m3u8"), live=True)),
    ("/long.m3u8", Segmented(at("/long.m3u8"))),
    ("/station", Broadcast(at("/station"))),
    ("/nameless", Broadcast(at("/nameless"))),
    ("/one.m3u", Broadcast(at("/station"))),
    ("/bare.m3u", Broadcast(at("/station"))),
    ("/one.pls", Broadcast(at("/station"))),
]


@pytest.mark.parametrize(("path", "place"), PLACES)
async def test_a_link_leads_to_sound(source: WebLinkSource, path: str, place: object) -> None:
    assert await source.place(at(path)) == place


REFUSED = [
    (at("/empty.mp3"), TrackTrouble.BROKEN),
    (at("/image.png"), TrackTrouble.UNSUPPORTED),
    (at("/words"), TrackTrouble.UNSUPPORTED),
    (at("/page.html"), TrackTrouble.NO_SOURCE),
    (at("/gone.mp3"), TrackTrouble.MISSING),
    (at("/song.mp3"), TrackTrouble.FORBIDDEN),
    (at("/hidden"), TrackTrouble.FORBIDDEN),
    (at("/hidden.ogg"), TrackTrouble.FORBIDDEN),
    (at("/file-master.m3u8"), TrackTrouble.FORBIDDEN),
    (at("/no-master.m3u8"), TrackTrouble.BROKEN),
    (at("/local.m3u"), TrackTrouble.MISSING),  # https://files.example/etc/passwd, and nothing nearer
    (at("/disk.m3u"), TrackTrouble.FORBIDDEN),
    (at("/inner.m3u"), TrackTrouble.FORBIDDEN),
    (at("/round.m3u"), TrackTrouble.FORBIDDEN),
    (at("/none.pls"), TrackTrouble.EMPTY),
    (at("/inside"), TrackTrouble.FORBIDDEN),
    ("http://127.0.0.1:8080/x.mp3", TrackTrouble.FORBIDDEN),
    ("http://[::1]/x.mp3", TrackTrouble.FORBIDDEN),
    ("http://2130706433/x.mp3", TrackTrouble.FORBIDDEN),
    ("http://10.0.0.1/x.mp3", TrackTrouble.FORBIDDEN),
    ("https://user:secret@files.example/song.mp3", TrackTrouble.FORBIDDEN),
    ("https://nowhere.example/x.mp3", TrackTrouble.UNREACHABLE),
]


@pytest.mark.parametrize(("link", "trouble"), REFUSED)
async def test_what_is_no_sound_or_nobodys_business_is_refused(
    source: WebLinkSource, link: str, trouble: TrackTrouble
) -> None:
    with pytest.raises(TrackError) as refused:
        await source.expand(link, 1)
    assert refused.value.trouble is trouble
    assert "secret" not in str(refused.value)


async def test_a_list_that_goes_round_is_not_followed_for_ever(
    source: WebLinkSource, scene: tuple[Internet, web.WebClient]
) -> None:
    with pytest.raises(TrackError):
        await source.place(at("/round.m3u"))
    assert len(scene[0].hits) < 12


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/My%20song.mp3", "My song"),
        ("/station", "Local FM"),
        ("/named", "песня"),
        ("/master.m3u8", "master"),
    ],
)
async def test_a_track_is_called_what_its_server_or_its_link_says(
    source: WebLinkSource, path: str, title: str
) -> None:
    listing = await source.expand(at(path), 1)
    (track,) = listing.tracks
    assert (track.title, track.source, track.ref, track.link) == (title, "web", at(path), at(path))
    assert track.id == WebLinkSource.ident(at(path))
    assert listing.linked


async def test_what_was_looked_at_is_played_without_another_look(
    source: WebLinkSource, scene: tuple[Internet, web.WebClient]
) -> None:
    (track,) = (await source.expand(at("/plain"), 1)).tracks
    first = await source.resolve(track)
    assert len(scene[0].hits) == 1
    assert await source.resolve(track) == first == Origin(track.id, Remote(at("/plain"), size=len(MP3)))
    assert len(scene[0].hits) == 2


async def test_a_page_is_looked_into_only_if_the_owner_wants_that(
    scene: tuple[Internet, web.WebClient],
) -> None:
    page = Track("page:1", "In the page", "page", at("/page.html"))

    class Anywhere:
        name = "page"

        def claims(self, link: str) -> bool:
            return False

        async def search(self, words: str, limit: int) -> tuple[Track, ...]:
            return ()

        async def expand(self, link: str, limit: int) -> Listing:
            assert link == page.ref
            return Listing((page,), linked=True)

        async def resolve(self, track: Track) -> Origin:
            raise AssertionError("not this one")

    source = WebLinkSource(scene[1], scene[1], pages=Anywhere())
    assert (await source.expand(at("/page.html"), 1)).tracks == (page,)
    assert (await source.expand(at("/plain"), 1)).tracks[0].source == "web"


async def test_words_find_nothing(source: WebLinkSource) -> None:
    assert await source.search("song", 5) == ()
    assert source.claims("https://anything.example/")
    assert not source.claims("file:///etc/passwd")


class Said:
    """A server that says this."""

    def __init__(self, peek: Peek) -> None:
        self._peek = peek

    async def peek(self, url: str, *, within: float = 10.0) -> Peek:
        return self._peek

    async def json(self, url: str, **_: object) -> object:
        raise WebError("none")

    async def text(self, url: str, **_: object) -> str:
        return self._peek.head.decode("utf-8", "replace")


async def test_a_negative_length_is_nothing_to_play() -> None:
    said = Said(Peek(at("/x.mp3"), "audio/mpeg", -5, MP3))
    with pytest.raises(TrackError) as refused:
        await WebLinkSource(said, said).place(at("/x.mp3"))
    assert refused.value.trouble is TrackTrouble.BROKEN


@given(
    kind=st.sampled_from(["", "audio/mpeg", "text/plain", HLS, "audio/x-scpls", "application/octet-stream"]),
    head=st.binary(max_size=80) | st.builds(lambda tail: b"#EXTM3U\n" + tail, st.binary(max_size=80)),
    size=st.none() | st.integers(-3, 100),
    name=st.sampled_from(["/a.mp3", "/a.m3u8", "/a.pls", "/a"]),
    disposition=st.text(max_size=60),
)
async def test_whatever_a_server_says_it_is_a_place_on_the_web_or_a_refusal(
    kind: str, head: bytes, size: int | None, name: str, disposition: str
) -> None:
    said = Said(Peek(at(name), kind, size, head, {"content-disposition": disposition}))
    source = WebLinkSource(said, said)
    try:
        (track,) = (await source.expand(at(name), 1)).tracks
        place = (await source.resolve(track)).place
    except TrackError:
        return
    assert isinstance(place, Remote | Segmented | Broadcast)
    assert place.url == at(name)
    assert "/" not in track.title
    assert 0 < len(track.title) <= 200
