"""Flights of files on web servers: real HTTP, by way of the egress door."""

import re
from collections.abc import AsyncIterator
from itertools import accumulate, pairwise
from pathlib import Path

import anyio
import attrs
import pytest
from anyio import to_thread
from fetch_stage import Stage
from media_stage import (
    HOST,
    KIB,
    MIB,
    Deck,
    deck,
    fetched,
    flying,
    heard,
    noise,
    remote,
    renewing,
    until,
)

from ryzen.errors import SourceAway, SourceTrouble, TrackError, TrackTrouble
from ryzen.growing import CutOff, GrowingFile
from ryzen.origins import OnDisk, Origin, Remote
from ryzen.player.state import Chapter, Span

pytestmark = pytest.mark.anyio
SONG = noise(4 * MIB)


@pytest.fixture
async def here(tmp_path: Path, stage: Stage) -> AsyncIterator[Deck]:
    async with deck(tmp_path / "cache", stage) as opened:
        yield opened


async def trouble_of(here: Deck, origin: Origin, *renewed: Origin) -> TrackTrouble:
    """Fails, leaves nothing, and says why."""
    async with here.cache() as cache:
        with pytest.raises(TrackError) as failed:
            await fetched(cache, origin, renewing(*renewed))
        assert here.names() == []
        assert cache.stats().claimed == cache.stats().flights == 0
        return failed.value.trouble


# -- one flight, many readers
async def test_three_readers_of_one_flight_cost_one_request_and_hear_the_same(here: Deck) -> None:
    url = here.host.put("/song", SONG, hold=100 * KIB)
    heard_by: list[bytes] = []

    async def listen(path: str) -> None:
        heard_by.append(await heard(path))

    async with (
        here.cache() as cache,
        flying(cache, remote(url)) as flight,
        anyio.create_task_group() as group,
    ):
        for _ in range(3):
            group.start_soon(listen, (await flight.ready()).path)
        here.host.files["/song"].go.set()
    assert heard_by == [SONG] * 3
    assert here.host.asked == [("/song", None)]


async def test_it_is_ready_with_the_first_bytes_and_kept_when_whole(here: Deck) -> None:
    url = here.host.put("/song", SONG, hold=16 * KIB)
    origin = remote(
        url,
        duration=12.5,
        skips=(Span(1, 2),),
        chapters=(Chapter(0, "intro"),),
        artwork="https://a/b",
        gain=-3.0,
    )
    async with here.cache() as cache:
        async with flying(cache, origin) as flight:
            media = await flight.ready()
            assert here.names() == ["media", "media.growing"]
            assert cache.get("tube:song") is None, "it is not whole"
            assert cache.stats().flights == 1
            here.host.files["/song"].go.set()
            assert await heard(media.path) == SONG
            await until(lambda: cache.get("tube:song") is not None)
        assert cache.get("tube:song") == media
        assert (media.duration, media.fetched, media.live, media.gain) == (12.5, True, False, -3.0)
        assert (media.skips, media.chapters, media.artwork) == (origin.skips, origin.chapters, origin.artwork)
        assert here.names() == ["json", "media"]
    async with here.cache() as cache:
        assert cache.get("tube:song") == media, "after a restart as well"


async def test_a_flight_that_is_cancelled_leaves_nothing_and_tells_who_reads(here: Deck) -> None:
    url = here.host.put("/song", SONG, hold=100 * KIB)
    async with here.cache() as cache:
        async with flying(cache, remote(url)) as flight:
            file = GrowingFile(Path((await flight.ready()).path))
        with file, pytest.raises(CutOff):
            await to_thread.run_sync(file.readall)
        assert here.names() == []
        assert cache.stats().claimed == 0
        with pytest.raises(TrackError):
            await flight.ready()


# -- drops
@pytest.mark.parametrize("ranges", [True, False])
async def test_a_cut_connection_is_resumed_and_no_byte_is_heard_twice(here: Deck, ranges: bool) -> None:
    """Without ranges, what has been sent before is skipped: here each answer gets further than the last."""
    url = here.host.put("/song", SONG, ranges=ranges, cut=1_200_000)
    async with here.cache() as cache, flying(cache, remote(url)) as flight:
        media = await flight.ready()
        if not ranges:
            here.host.files["/song"].cut = None
        assert await heard(media.path) == SONG
    assert all(spans is None or re.fullmatch(r"bytes=\d+-", spans) for spans in here.host.ranges("/song"))
    assert len(here.host.asked) == (4 if ranges else 2)


async def test_a_host_that_cuts_at_the_same_place_for_ever_is_given_up_with_growing_pauses(
    here: Deck,
) -> None:
    url = here.host.put("/song", SONG, ranges=False, cut=MIB)
    assert await trouble_of(here, remote(url)) is TrackTrouble.UNREACHABLE
    assert here.pauses.made == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2])


async def test_a_host_that_cuts_again_and_again_is_borne_as_long_as_it_sends_something(here: Deck) -> None:
    url = here.host.put("/song", SONG, cut=300_000)
    async with here.cache() as cache:
        await fetched(cache, remote(url))
    assert len(here.host.asked) == 14
    assert set(here.pauses.made) == {0.1}


@pytest.mark.parametrize(("short", "enough"), [(300_000, True), (0, False)])
async def test_an_answer_that_ends_well_but_early_is_read_on(here: Deck, short: int, enough: bool) -> None:
    url = here.host.put("/song", SONG, short=short)
    origin = Origin("tube:song", Remote(url, span=MIB))
    if enough:
        async with here.cache() as cache:
            await fetched(cache, origin)
            media = cache.get("tube:song")
            assert media is not None
            assert await heard(media.path) == SONG
    else:
        assert await trouble_of(here, origin) is TrackTrouble.UNREACHABLE
        assert len(here.host.asked) == 7


async def test_a_dead_host_is_unreachable(here: Deck) -> None:
    assert await trouble_of(here, remote("https://nobody.example/song")) is TrackTrouble.UNREACHABLE


async def test_a_private_address_is_forbidden(here: Deck) -> None:
    assert await trouble_of(here, remote("http://127.0.0.1:9/song")) is TrackTrouble.FORBIDDEN
    assert await trouble_of(here, remote("file:///etc/passwd")) is TrackTrouble.FORBIDDEN


# -- links that age
async def test_a_403_in_the_middle_costs_a_fresh_link_and_no_byte_comes_twice(here: Deck) -> None:
    old = here.host.put("/old", SONG, cut=MIB)
    new = here.host.put("/new", SONG)
    async with here.cache() as cache, flying(cache, remote(old), renewing(remote(new))) as flight:
        media = await flight.ready()
        here.host.files["/old"].denials = [(403, {})]
        assert await heard(media.path) == SONG
    assert here.host.ranges("/new") == [f"bytes={MIB}-"]


async def test_a_link_that_says_it_is_over_is_not_even_asked(here: Deck) -> None:
    new = here.host.put("/new", SONG)
    old = f"https://{HOST}/old?expire={int(here.now) - 1}"
    async with here.cache() as cache:
        await fetched(cache, remote(old), renewing(remote(new)))
    assert here.host.asked == [("/new", None)]


async def test_fresh_links_that_are_refused_too_are_not_asked_for_for_ever(here: Deck) -> None:
    refused = remote(f"https://{HOST}/gone")
    assert await trouble_of(here, refused, refused, refused, refused) is TrackTrouble.UNAVAILABLE
    assert len(here.host.asked) == 4


async def test_a_fresh_link_to_another_file_is_no_continuation(here: Deck) -> None:
    old = here.host.put("/old", SONG, cut=MIB)
    new = here.host.put("/new", SONG + b"more")
    async with here.cache() as cache, flying(cache, remote(old), renewing(remote(new))) as flight:
        media = await flight.ready()
        here.host.files["/old"].denials = [(403, {})]
        with pytest.raises(CutOff):
            await heard(media.path)
        with pytest.raises(TrackError, match="another file"):
            await flight.ready()
    assert here.names() == []


async def test_as_long_as_nobody_has_a_byte_another_file_is_begun_afresh(here: Deck) -> None:
    other = noise(MIB, "other")
    old = here.host.put("/old", SONG, cut=KIB)
    new = here.host.put("/new", other)
    async with here.cache() as cache:
        flight = cache.begin("tube:song", remote(old), renewing(remote(new)))
        async with anyio.create_task_group() as group:
            group.start_soon(flight.run)
            await until(lambda: len(here.host.asked) == 1)
            here.host.files["/old"].denials = [(404, {})]
            assert await heard((await flight.ready()).path) == other
    assert here.names() == ["json", "media"]


# -- what hosts say
async def test_a_host_that_wants_spans_gets_them(here: Deck) -> None:
    url = here.host.put("/song", SONG)
    async with here.cache() as cache:
        await fetched(cache, Origin("tube:song", Remote(url, span=MIB + 1)))
        media = cache.get("tube:song")
        assert media is not None
        assert await heard(media.path) == SONG
    edges = [0, *accumulate([MIB + 1] * 4)]
    assert here.host.ranges("/song") == [f"bytes={a}-{b - 1}" for a, b in pairwise(edges)]


@pytest.mark.parametrize("cut", [None, MIB])
async def test_a_body_without_a_length_ends_where_it_ends(here: Deck, cut: int | None) -> None:
    url = here.host.put("/song", SONG, chunked=True, cut=cut)
    async with here.cache() as cache:
        await fetched(cache, remote(url))
        media = cache.get("tube:song")
        assert media is not None
        assert await heard(media.path) == SONG


async def test_a_length_that_is_a_lie_does_not_make_a_short_file_whole(here: Deck) -> None:
    url = here.host.put("/song", SONG, ranges=False, said=len(SONG) + 5, cut=len(SONG))
    assert await trouble_of(here, remote(url)) is TrackTrouble.UNREACHABLE


async def test_a_host_that_asks_to_wait_a_little_is_waited_for(here: Deck) -> None:
    url = here.host.put("/song", SONG, denials=[(503, {"Retry-After": "7"}), (429, {}), (500, {})])
    async with here.cache() as cache:
        await fetched(cache, remote(url))
    assert here.pauses.made == pytest.approx([7, 0.2, 0.4])


async def test_a_host_that_asks_to_wait_long_is_away(here: Deck) -> None:
    url = here.host.put("/song", SONG, denials=[(429, {"Retry-After": "3600"})])
    async with here.cache() as cache:
        with pytest.raises(SourceAway) as away:
            await fetched(cache, remote(url))
    assert attrs.astuple(_Away.of(away.value)) == ("tube", SourceTrouble.RATE_LIMITED, 3600)


@attrs.frozen
class _Away:
    source: str
    trouble: SourceTrouble
    retry_after: float | None

    @classmethod
    def of(cls, away: SourceAway) -> "_Away":
        return cls(away.source, away.trouble, away.retry_after)


async def test_a_host_that_has_had_enough_of_us_is_away_too(here: Deck) -> None:
    url = here.host.put("/song", SONG, denials=[(429, {})] * 9)
    async with here.cache() as cache:
        with pytest.raises(SourceAway):
            await fetched(cache, remote(url))
    assert len(here.host.asked) == 7


@pytest.mark.parametrize(
    ("status", "trouble"), [(400, "unavailable"), (451, "unavailable"), (502, "unreachable")]
)
async def test_other_refusals_are_told_apart(here: Deck, status: int, trouble: str) -> None:
    url = here.host.put("/song", SONG, denials=[(status, {})] * 9)
    assert await trouble_of(here, remote(url)) == trouble


# -- what is no music
@pytest.mark.parametrize(
    "body",
    [b"<html>please sign in", b"\n <!DOCTYPE html>", b"\xef\xbb\xbf<HTML>", b"#EXTM3U\nfile:///etc/passwd\n"],
)
async def test_a_page_or_a_playlist_in_place_of_a_song_fails_at_once(here: Deck, body: bytes) -> None:
    url = here.host.put("/song.mp3", body + SONG, hold=len(body))  # it never goes on
    assert await trouble_of(here, remote(url)) is TrackTrouble.UNSUPPORTED


async def test_nothing_at_all_is_broken(here: Deck) -> None:
    assert await trouble_of(here, remote(here.host.put("/song", b""))) is TrackTrouble.BROKEN
    spanned = Origin("tube:song", Remote(f"https://{HOST}/song", span=MIB))
    assert await trouble_of(here, spanned) is TrackTrouble.BROKEN


async def test_a_packed_body_is_not_taken_for_sound(here: Deck) -> None:
    url = here.host.put("/song", SONG, headers={"Content-Encoding": "gzip"})
    assert await trouble_of(here, remote(url)) is TrackTrouble.UNSUPPORTED


async def test_a_song_shorter_than_the_first_bytes_is_ready_at_its_end(here: Deck) -> None:
    async with here.cache() as cache:
        await fetched(cache, remote(here.host.put("/song", b"short")))
        assert cache.get("tube:song") is not None


async def test_a_file_that_is_there_needs_no_flight(here: Deck) -> None:
    async with here.cache() as cache:
        with pytest.raises(TypeError):
            cache.begin("local:x", Origin("local:x", OnDisk(Path("/x"))), renewing())


# -- once more
async def test_a_recording_that_was_cut_goes_on_where_it_ends(here: Deck) -> None:
    url = here.host.put("/song", SONG[:MIB], chunked=True)
    async with here.cache() as cache:
        await fetched(cache, remote(url), track="spot:1")
        url = here.host.put("/song", SONG)
        await fetched(cache, remote(url), again=True)
        media = cache.get("spot:1")
        assert media is not None
        assert await heard(media.path) == SONG
    assert here.host.ranges("/song") == [None, f"bytes={MIB}-"]
    assert here.names() == ["json", "media"]


@pytest.mark.parametrize(("ranges", "size"), [(False, 4 * MIB), (True, MIB), (True, KIB)])
async def test_if_the_host_has_no_more_or_no_ranges_it_is_begun_anew(
    here: Deck, ranges: bool, size: int
) -> None:
    url = here.host.put("/song", noise(MIB, "cut"), chunked=True)
    async with here.cache() as cache:
        await fetched(cache, remote(url))
        url = here.host.put("/song", SONG[:size], ranges=ranges)
        await fetched(cache, remote(url), again=True)
        media = cache.get("tube:song")
        assert media is not None
        assert await heard(media.path) == SONG[:size]
    assert here.names() == ["json", "media"]


async def test_a_recording_that_cannot_be_mended_is_not_left_for_nobody(here: Deck) -> None:
    url = here.host.put("/song", SONG[:MIB])
    async with here.cache() as cache:
        await fetched(cache, remote(url))
        (path,) = here.folder.glob("*.media")
        in_the_way = path.with_name(path.name + ".growing.new")
        in_the_way.mkdir()
        with pytest.raises(TrackError):
            await fetched(cache, remote(url), again=True)
        in_the_way.rmdir()
        assert here.names() == []


async def test_a_recording_being_mended_does_not_count_as_whole(here: Deck) -> None:
    url = here.host.put("/song", SONG[:MIB])
    async with here.cache() as cache:
        await fetched(cache, remote(url))
        url = here.host.put("/song", SONG, hold=MIB)
        async with flying(cache, remote(url), again=True) as flight:
            await flight.ready()
            assert cache.get("tube:song") is None
            assert "media.growing" in here.names()
        assert here.names() == []
