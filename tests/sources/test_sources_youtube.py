"""The real yt-dlp, in its server and through the guard, on a YouTube of our own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import anyio
import pytest
from sources_stage import Stage, stage

from ryzen.errors import SourceAway, SourceTrouble, TrackError, TrackTrouble, WebError
from ryzen.origins import Remote, Segmented
from ryzen.player.state import Chapter, Span, Track
from ryzen.sandbox.internet.catalogue import Echoes
from ryzen.sandbox.internet.innertube import Block, Json, State, Video, missing
from ryzen.sandbox.internet.songs import beep, record
from ryzen.sandbox.internet.youtube import YouTube
from ryzen.sources.youtube import SPAN, YouTubeSource

pytestmark = pytest.mark.anyio

CHAPTERS = ((0.0, "Dawn"), (20.0, "Day"), (40.0, "Dusk"))
SONG, LIVE = "tone0000001", "tone0000002"
REFUSED = {
    State.PRIVATE: TrackTrouble.PRIVATE,
    State.AGE: TrackTrouble.AGE,
    State.REGION: TrackTrouble.REGION,
    State.MEMBERS: TrackTrouble.PAID,
    State.REMOVED: TrackTrouble.UNAVAILABLE,
    State.SCHEDULED: TrackTrouble.NOT_YET,
}


class Choosy(YouTube):
    """``hidden``: there are no videos for clients whose name begins so; None: for all there are."""

    hidden: str | None = None

    def _player(self, asked: Json) -> Json:
        client = asked["context"]["client"]["clientName"]
        if self.hidden is None or not client.startswith(self.hidden):
            return super()._player(asked)
        self.played.append((client, asked["videoId"]))
        return missing(asked["videoId"])


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Stage, Choosy]]:
    folder = tmp_path_factory.mktemp("youtube")
    song = beep(SONG, "Local Artist - Blue Sky (Official Video)", "Local Artist", 440, 60, chapters=CHAPTERS)
    (recording,) = await anyio.to_thread.run_sync(record, folder / "songs", [song])
    youtube = Choosy([recording])
    youtube.add(recording.called(LIVE, title="On the air"), State.LIVE)
    for number, state in enumerate(REFUSED):
        youtube.add(recording.called(f"refused{number:04}", title=state), state)
    cookies = folder / "cookies.txt"
    cookies.write_text("# Netscape HTTP Cookie File\n.youtube.com\tTRUE\t/\tTRUE\t0\tVISITOR\tx\n")
    async with stage([youtube], folder / "state", cookies) as staged:
        yield staged, youtube


@pytest.fixture
def here(scene: tuple[Stage, Choosy]) -> Iterator[Stage]:
    staged, youtube = scene
    staged.internet.hits.clear()
    youtube.played.clear()
    yield staged
    youtube.block(None)
    youtube.hidden = None


@pytest.fixture
def youtube(scene: tuple[Stage, Choosy]) -> Choosy:
    return scene[1]


@pytest.fixture
def source(here: Stage) -> YouTubeSource:
    return YouTubeSource(here.extractor)


def track(ident: str = SONG) -> Track:
    return Track(f"youtube:{ident}", "?", "youtube", ident)


def paths(here: Stage) -> list[str]:
    return [hit.path for hit in here.internet.hits]


async def refusal(source: YouTubeSource, ident: str = SONG) -> TrackError | SourceAway:
    with pytest.raises((TrackError, SourceAway)) as refused:
        await source.resolve(track(ident))
    return refused.value


# -- whose it is
async def test_a_bare_link_says_whose_the_video_is(here: Stage, youtube: YouTube) -> None:
    recording = youtube.catalogue.find(SONG)
    assert recording is not None
    youtube.add(recording.recording.called("untold00001", title="Green Hill", artist="Quiet Band - Topic"))
    found = await YouTubeSource(here.extractor, web=here.web).expand("https://youtu.be/untold00001", 1)
    assert [(each.title, each.artist) for each in found.tracks] == [("Green Hill", "Quiet Band")]
    assert paths(here).count("/oembed") == 1


# -- what is found
async def test_a_search_is_one_request_and_knows_titles_artists_and_lengths(
    here: Stage, source: YouTubeSource
) -> None:
    (hit,) = await source.search("blue sky", 5)
    assert hit == Track(
        f"youtube:{SONG}", "Blue Sky", "youtube", SONG, "Local Artist", 60.0, f"https://youtu.be/{SONG}"
    )
    assert paths(here) == ["/youtubei/v1/search"]


async def test_no_more_hits_than_are_wanted(here: Stage, source: YouTubeSource, youtube: YouTube) -> None:
    recording = youtube.catalogue.find(SONG)
    assert recording is not None
    for number in range(30):
        youtube.add(recording.recording.called(f"plenty{number:05}", title=f"Plenty {number}"))
    assert len(await source.search("plenty", 3)) == 3
    assert paths(here) == ["/youtubei/v1/search"]


@pytest.mark.parametrize("words", ["", "   ", "nothing like this at all"])
async def test_nothing_is_found_for_nothing(source: YouTubeSource, words: str) -> None:
    assert await source.search(words, 5) == ()


@pytest.mark.parametrize(
    "words", ["$BOT_TOKEN", "a" * 400, '"; rm -rf / #', "../../etc", "ytsearch9:x", "\u202eabc"]
)
async def test_words_are_data_whatever_is_in_them(here: Stage, source: YouTubeSource, words: str) -> None:
    assert await source.search(words, 2) == ()
    assert paths(here) == ["/youtubei/v1/search"]


@pytest.mark.parametrize(
    "link",
    [
        f"https://www.youtube.com/watch?v={SONG}",
        f"https://youtu.be/{SONG}",
        f"https://www.youtube.com/shorts/{SONG}",
        f"https://www.youtube.com/watch?v={SONG}&list=PLtwelve000001",
        f"https://music.youtube.com/watch?v={SONG}",
    ],
)
async def test_a_link_to_a_video_is_that_video(here: Stage, source: YouTubeSource, link: str) -> None:
    listing = await source.expand(link, 50)
    (found,) = listing.tracks
    assert (found.id, found.title, found.artist, found.duration) == (
        f"youtube:{SONG}",
        "Blue Sky",
        "Local Artist",
        60.0,
    )
    assert (listing.linked, listing.left_out) == (True, 0)
    assert paths(here) == ["/youtubei/v1/player"]


async def test_playing_what_was_looked_at_asks_nobody_again_but_asking_twice_does(
    here: Stage, source: YouTubeSource
) -> None:
    (found,) = (await source.expand(f"https://youtu.be/{SONG}", 1)).tracks
    first = await source.resolve(found)
    assert len(here.internet.hits) == 1
    second = await source.resolve(found)
    assert len(here.internet.hits) == 2
    assert first.key == second.key
    assert first.place != second.place  # another link: the first one has failed


async def test_a_playlist_of_120_is_taken_in_order_up_to_the_limit(
    source: YouTubeSource, youtube: YouTube
) -> None:
    videos = echoes(youtube, "list", 120)
    link = youtube.playlist("PLonehundredtwenty", "Long evening", videos)
    listing = await source.expand(link, 50)
    assert [each.ref for each in listing.tracks] == [video.id for video in videos[:50]]
    assert (listing.title, listing.left_out, listing.linked) == ("Long evening", 70, True)
    whole = await source.expand(link, 200)
    assert [each.ref for each in whole.tracks] == [video.id for video in videos]
    assert whole.left_out == 0
    assert {each.duration for each in whole.tracks} == {60.0}


async def test_of_50000_entries_no_more_pages_are_read_than_are_wanted(
    here: Stage, source: YouTubeSource, youtube: YouTube
) -> None:
    link = youtube.playlist("PLfiftythousand00", "Everything", echoes(youtube, "echo", 50_000))
    listing = await source.expand(link, 100)
    assert (len(listing.tracks), listing.left_out) == (100, 49_900)
    assert paths(here).count("/youtubei/v1/browse") <= 2
    assert len(here.internet.hits) <= 4


async def test_a_mix_begins_with_its_video_and_is_taken_up_to_the_limit(source: YouTubeSource) -> None:
    for link in (
        f"https://www.youtube.com/watch?v={SONG}&list=RD{SONG}&start_radio=1",
        f"https://www.youtube.com/playlist?list=RD{SONG}",
    ):
        listing = await source.expand(link, 5)
        assert listing.tracks[0].ref == SONG
        assert len({each.ref for each in listing.tracks}) == 5


async def test_an_empty_playlist_and_one_that_is_not_there_are_said_to_be(
    source: YouTubeSource, youtube: YouTube
) -> None:
    with pytest.raises(TrackError) as empty:
        await source.expand(youtube.playlist("PLemptyempty0000", "Empty", []), 5)
    assert empty.value.trouble is TrackTrouble.EMPTY
    with pytest.raises(TrackError) as missing:
        await source.expand("https://www.youtube.com/playlist?list=PLnowhere0000000", 5)
    assert missing.value.trouble in (TrackTrouble.UNAVAILABLE, TrackTrouble.EMPTY)


async def test_a_link_that_is_neither_is_refused_without_asking(here: Stage, source: YouTubeSource) -> None:
    with pytest.raises(TrackError) as refused:
        await source.expand("https://www.youtube.com/feed/subscriptions", 5)
    assert refused.value.trouble is TrackTrouble.NO_SOURCE
    with pytest.raises(TrackError) as odd:
        await source.resolve(track("../../../etc"))
    assert odd.value.trouble is TrackTrouble.MISSING
    assert not here.internet.hits


# -- where its bytes are
async def test_a_video_is_opus_in_webm_with_chapters_and_a_cover(here: Stage, source: YouTubeSource) -> None:
    origin = await source.resolve(track())
    assert isinstance(origin.place, Remote)
    assert "itag=251" in origin.place.url
    assert origin.place.span == SPAN
    assert origin.place.size is not None
    assert origin.place.size > 500_000
    assert not origin.place.proxied
    assert (origin.key, origin.duration) == (f"youtube:{SONG}", 60.0)
    assert origin.artwork is not None
    assert "720" in origin.artwork or "maxres" in origin.artwork
    assert "User-Agent" in dict(origin.place.headers)
    assert paths(here) == ["/youtubei/v1/player"]
    assert origin.chapters == tuple(Chapter(at, title) for at, title in CHAPTERS)


async def test_what_is_on_the_air_is_hls_without_an_end(source: YouTubeSource) -> None:
    origin = await source.resolve(track(LIVE))
    assert isinstance(origin.place, Segmented)
    assert origin.place.live
    assert origin.duration is None
    assert origin.skips == ()


@pytest.mark.parametrize(("number", "state"), list(enumerate(REFUSED)), ids=str)
async def test_a_refusal_of_one_video_is_told_as_what_it_is(
    source: YouTubeSource, number: int, state: State
) -> None:
    error = await refusal(source, f"refused{number:04}")
    assert isinstance(error, TrackError)
    assert error.trouble is REFUSED[state]


# -- the ladder
async def test_what_the_first_client_may_not_play_another_may(source: YouTubeSource, youtube: Choosy) -> None:
    youtube.hidden = "VISIONOS"
    origin = await source.resolve(track())
    assert isinstance(origin.place, Remote)
    clients = [client for client, _ in youtube.played]
    assert clients[0] == "VISIONOS"
    assert len(set(clients)) > 1


async def test_what_no_client_may_play_is_asked_for_in_every_way_and_refused(
    source: YouTubeSource, youtube: Choosy
) -> None:
    youtube.hidden = ""
    error = await refusal(source)
    assert isinstance(error, TrackError)
    assert error.trouble is TrackTrouble.UNAVAILABLE
    assert len({client for client, _ in youtube.played}) > 1


@pytest.mark.parametrize(
    ("block", "trouble"),
    [
        (Block.BOT_CHECK, SourceTrouble.BOT_CHECK),
        (Block.RATE_LIMIT, SourceTrouble.RATE_LIMITED),
        (Block.TOO_MANY, SourceTrouble.RATE_LIMITED),
    ],
)
async def test_who_is_refused_altogether_does_not_ask_again(
    here: Stage, source: YouTubeSource, youtube: YouTube, block: Block, trouble: SourceTrouble
) -> None:
    youtube.block(block)
    error = await refusal(source)
    assert isinstance(error, SourceAway)
    assert (error.source, error.trouble) == ("youtube", trouble)
    assert paths(here) == ["/youtubei/v1/player"]


async def test_a_search_is_refused_in_the_name_of_the_source(source: YouTubeSource, youtube: YouTube) -> None:
    youtube.block(Block.TOO_MANY)
    with pytest.raises(SourceAway) as away:
        await source.search("blue sky", 5)
    assert (away.value.source, away.value.trouble) == ("youtube", SourceTrouble.RATE_LIMITED)


async def test_the_operators_cookies_are_the_last_step_against_a_bot_check(
    here: Stage, youtube: YouTube
) -> None:
    source = YouTubeSource(here.extractor, cookies=True)
    youtube.block(Block.BOT_CHECK, clients=("VISIONOS",))
    origin = await source.resolve(track())
    assert isinstance(origin.place, Remote)
    with_cookies = [hit for hit in here.internet.hits if "VISITOR=x" in hit.headers.get("Cookie", "")]
    assert with_cookies
    assert here.internet.hits[0] not in with_cookies


# -- what is left out of it
async def test_segments_to_skip_come_along(here: Stage) -> None:
    asked = []

    async def skips(video_id: str, duration: float | None) -> tuple[Span, ...]:
        asked.append((video_id, duration))
        return (Span(0, 5),)

    source = YouTubeSource(here.extractor, skips=skips)
    (hit,) = await source.search("blue sky", 1)
    assert (await source.resolve(hit)).skips == (Span(0, 5),)
    assert (await source.resolve(track(LIVE))).skips == ()
    assert asked == [(SONG, 60.0), (LIVE, None)]


async def test_music_waits_neither_for_slow_nor_for_broken_skips(here: Stage) -> None:
    left = anyio.Event()

    async def slow(video_id: str, duration: float | None) -> tuple[Span, ...]:
        try:
            await anyio.sleep_forever()
        finally:
            left.set()
        return ()

    async def broken(video_id: str, duration: float | None) -> tuple[Span, ...]:
        raise WebError("down")

    assert (await YouTubeSource(here.extractor, skips=slow).resolve(track())).skips == ()
    assert left.is_set()
    assert (await YouTubeSource(here.extractor, skips=broken).resolve(track())).skips == ()


async def test_a_refusal_ends_the_look_for_skips(here: Stage) -> None:
    left = anyio.Event()

    async def slow(video_id: str, duration: float | None) -> tuple[Span, ...]:
        try:
            await anyio.sleep_forever()
        finally:
            left.set()
        return ()

    error = await refusal(YouTubeSource(here.extractor, skips=slow), "refused0000")
    assert isinstance(error, TrackError)
    assert left.is_set()


def echoes(youtube: YouTube, prefix: str, count: int) -> Echoes:
    return Echoes(found(youtube, SONG).recording, prefix, count)


def found(youtube: YouTube, ident: str) -> Video:
    video = youtube.catalogue.find(ident)
    assert video is not None
    return video
