"""Flights without ranges: radio stations, and files that come in pieces."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fetch_stage import Stage
from media_stage import KIB, MIB, Deck, deck, fetched, flying, heard, never, noise, renewing, until

from ryzen.errors import TrackError, TrackTrouble, WebError
from ryzen.fetch.sink import Windows
from ryzen.growing import GrowingFile
from ryzen.origins import Broadcast, Origin, Pieces

pytestmark = pytest.mark.anyio
SONG = noise(MIB)


@pytest.fixture
async def here(tmp_path: Path, stage: Stage) -> AsyncIterator[Deck]:
    async with deck(tmp_path / "cache", stage) as opened:
        yield opened


# -- a station
async def test_a_station_is_live_goes_on_over_drops_and_leaves_nothing(here: Deck) -> None:
    url = here.host.put("/radio", noise(100 * KIB), chunked=True)  # each connection ends
    async with here.cache() as cache, flying(cache, Origin("radio:1", Broadcast(url, ()))) as flight:
        media = await flight.ready()
        assert (media.live, media.fetched, media.duration) == (True, True, None)
        with GrowingFile(Path(media.path)) as file:
            await until(lambda: file.available() >= 300 * KIB)
    assert here.host.ranges("/radio")[:3] == [None, None, None]
    assert here.names() == []


async def test_a_station_takes_no_more_room_than_its_window(here: Deck) -> None:
    url = here.host.put("/radio", noise(MIB), endless=True)
    windows = Windows(air=MIB)
    async with (
        here.cache(budget=2 * MIB, windows=windows) as cache,
        flying(cache, Origin("radio:1", Broadcast(url))) as flight,
    ):
        path = Path((await flight.ready()).path)
        with GrowingFile(path) as file:
            await until(lambda: file.available() > 8 * MIB)
        assert path.stat().st_blocks * 512 <= 2 * MIB
        assert cache.stats().claimed <= 2 * MIB


async def test_a_station_that_has_gone_is_unreachable(here: Deck) -> None:
    url = here.host.put("/radio", b"")
    async with here.cache() as cache:
        with pytest.raises(TrackError) as failed:
            await fetched(cache, Origin("radio:1", Broadcast(url)))
    assert failed.value.trouble is TrackTrouble.UNREACHABLE


async def test_a_station_that_has_moved_is_followed(here: Deck) -> None:
    old = here.host.put("/old", b"", denials=[(404, {})])
    new = here.host.put("/new", noise(MIB), endless=True)
    renew = renewing(Origin("radio:1", Broadcast(new)))
    async with here.cache() as cache, flying(cache, Origin("radio:1", Broadcast(old)), renew) as flight:
        assert (await flight.ready()).live


# -- pieces
class Sender:
    """Hands out ``SONG`` from an offset on, 64 KiB a piece, and breaks off as told."""

    def __init__(self, *breaks: Exception | None, stop_after: int = 3, size: int = MIB) -> None:
        self.breaks, self.stop_after, self.size = list(breaks), stop_after, size
        self.offsets: list[int] = []
        self.closed = 0

    def origin(self) -> Origin:
        return Origin("file:1", Pieces(self.size, self.read))

    async def read(self, offset: int) -> AsyncIterator[bytes]:
        self.offsets.append(offset)
        try:
            for number, at in enumerate(range(offset, len(SONG), 64 * KIB)):
                if self.breaks and number == self.stop_after:
                    if (error := self.breaks.pop(0)) is None:
                        return
                    raise error
                yield SONG[at : at + 64 * KIB]
        finally:
            self.closed += 1


async def test_pieces_are_asked_for_again_where_they_broke_off(here: Deck) -> None:
    sender = Sender(WebError("gone"), ConnectionResetError("reset"), TimeoutError("late"), None)
    async with here.cache() as cache:
        async with flying(cache, sender.origin()) as flight:
            assert await heard((await flight.ready()).path) == SONG
        assert cache.get("file:1") is not None
    assert sender.offsets == [192 * KIB * number for number in range(5)]
    assert sender.closed == 5


async def test_a_sender_that_sends_nothing_is_given_up(here: Deck) -> None:
    sender = Sender(*[None] * 9, stop_after=0)
    async with here.cache() as cache:
        with pytest.raises(TrackError) as failed:
            await fetched(cache, sender.origin())
    assert failed.value.trouble is TrackTrouble.UNREACHABLE
    assert len(sender.offsets) == 7
    assert here.names() == []


async def test_no_more_than_the_announced_bytes_are_taken(here: Deck) -> None:
    sender = Sender(size=100 * KIB)
    async with here.cache() as cache:
        async with flying(cache, sender.origin()) as flight:
            assert await heard((await flight.ready()).path) == SONG[: 100 * KIB]
        await until(lambda: sender.closed == 1)


async def test_what_was_cut_is_read_on_from_where_it_ends(here: Deck) -> None:
    async with here.cache() as cache:
        await fetched(cache, Sender(size=100 * KIB).origin(), track="file:1")
        sender = Sender()
        await fetched(cache, sender.origin(), track="file:1", again=True)
        media = cache.get("file:1")
        assert media is not None
        assert await heard(media.path) == SONG
        assert sender.offsets == [100 * KIB]
        whole = Sender()
        await fetched(cache, whole.origin(), never, track="file:1", again=True)
        assert whole.offsets == [0], "there is no more of it: all of it anew"
    assert here.names() == ["json", "media"]
