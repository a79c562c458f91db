"""Flights and the room there is: limits, a budget, a full disk (a real one of 2 MiB)."""

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import attrs
import pytest
from fetch_stage import Stage
from loguru import logger
from media_stage import KIB, MIB, Deck, deck, fetched, flying, heard, noise, remote, until

from ryzen.errors import TrackError, TrackTrouble
from ryzen.fetch.sink import Windows
from ryzen.growing import GrowingFile
from ryzen.origins import Origin, Remote

pytestmark = pytest.mark.anyio
SONG = noise(4 * MIB)
SMALL = Windows(last_resort=512 * KIB, air=MIB)


@pytest.fixture
async def here(tmp_path: Path, stage: Stage) -> AsyncIterator[Deck]:
    async with deck(tmp_path / "cache", stage) as opened:
        yield opened


@pytest.fixture
async def full(tmp_path: Path, stage: Stage) -> AsyncIterator[Deck]:
    """On a disk of 2 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if (await anyio.run_process(mount, check=False)).returncode != 0:
        pytest.skip("only root can mount a small disk")
    async with deck(folder / "cache", stage) as opened:
        yield opened
    subprocess.run(["umount", str(folder)], check=True)


async def trouble_of(here: Deck, origin: Origin, **how: object) -> TrackTrouble:
    async with here.cache(**how) as cache:  # type: ignore[arg-type]
        with pytest.raises(TrackError) as failed:
            await fetched(cache, origin)
        assert here.names() == []
        assert cache.stats().claimed == 0
        return failed.value.trouble


async def test_what_says_that_it_is_too_big_is_not_begun(here: Deck) -> None:
    url = here.host.put("/song", SONG, hold=1)  # its head is all that ever comes
    assert await trouble_of(here, remote(url), most=3 * MIB) is TrackTrouble.TOO_BIG
    assert await trouble_of(here, remote(url), budget=3 * MIB) is TrackTrouble.TOO_BIG
    async with here.cache(most=3 * MIB) as cache:
        with pytest.raises(TrackError, match="too-big"):
            cache.begin("t", Origin("t", Remote(url, size=4 * MIB)), None)  # type: ignore[arg-type]


async def test_an_endless_body_ends_at_the_limit_and_nothing_of_it_stays(here: Deck) -> None:
    url = here.host.put("/song", noise(64 * KIB), endless=True)
    assert await trouble_of(here, remote(url), most=3 * MIB) is TrackTrouble.TOO_BIG


async def test_a_flight_claims_its_length_before_the_bytes_are_there(here: Deck) -> None:
    url = here.host.put("/song", SONG, hold=16 * KIB)
    async with here.cache() as cache, flying(cache, remote(url)) as flight:
        await flight.ready()
        assert cache.stats().claimed == len(SONG)


async def test_of_unknown_length_the_claim_grows_and_is_within_the_budget(here: Deck) -> None:
    url = here.host.put("/song", SONG, chunked=True)
    async with here.cache(budget=5 * MIB) as cache:
        async with flying(cache, remote(url)) as flight:
            media = await flight.ready()
            while not (stats := cache.stats()).files:
                assert stats.claimed <= 5 * MIB
                await anyio.sleep(0.001)
        assert (stats.bytes, stats.claimed) == (len(SONG), 0)
        assert await heard(media.path) == SONG


async def test_a_budget_taken_by_flights_lets_the_next_be_heard_but_not_kept(here: Deck) -> None:
    """It takes its last resort, and fetches no faster than it is played."""
    first = here.host.put("/first", SONG, hold=16 * KIB)
    second = here.host.put("/second", SONG[:3_000_000])
    async with (
        here.cache(budget=5 * MIB, windows=SMALL) as cache,
        flying(cache, remote(first, "a:1")) as one,
        flying(cache, remote(second, "a:2", duration=30.0)) as two,
    ):
        await one.ready()
        await two.ready()
        await until(lambda: cache.stats().flights == 1)
        assert cache.get("a:2") is None
        assert cache.stats().claimed == len(SONG)
    assert max(here.pauses.made) < 30.0
    assert len(here.pauses.made) > 10


async def test_when_there_is_no_room_at_all_it_is_said_at_once(here: Deck) -> None:
    url = here.host.put("/song", SONG, hold=16 * KIB)
    async with (
        here.cache(budget=4 * MIB, windows=SMALL) as cache,
        flying(cache, remote(url, "a:1")) as flight,
    ):
        await flight.ready()
        with pytest.raises(TrackError) as refused:
            cache.begin("a:2", remote(url, "a:2"), None)  # type: ignore[arg-type]
        assert refused.value.trouble is TrackTrouble.DISK_FULL


# -- a disk that is full
async def test_on_a_full_disk_old_recordings_make_way(full: Deck) -> None:
    async with full.cache() as cache:
        for number in range(3):
            url = full.host.put(f"/{number}", noise(600 * KIB, str(number)))
            full.now += 1000
            await fetched(cache, remote(url, f"a:{number}"))
        said: list[str] = []
        sink = logger.add(said.append, level="ERROR", format="{message}")
        await fetched(cache, remote(full.host.put("/new", noise(900 * KIB)), "a:new"))
        logger.remove(sink)
        assert [cache.get(f"a:{name}") is not None for name in (0, 1, 2, "new")] == [False, False, True, True]
        assert len(said) == 1
        assert "full" in said[0]
        assert cache.condition(0.0) is None, "there is room for it now"


async def test_on_a_disk_that_stays_full_it_is_played_and_not_kept(full: Deck) -> None:
    url = full.host.put("/song", SONG, hold=3 * MIB)
    async with full.cache(windows=SMALL) as cache, flying(cache, remote(url)) as flight:
        path = Path((await flight.ready()).path)
        with GrowingFile(path) as file:
            await until(lambda: file.available() == 3 * MIB)
            file.seek(3 * MIB - 500 * KIB)
            assert file.read(500 * KIB) == SONG[3 * MIB - 500 * KIB : 3 * MIB]
            full.host.files["/song"].go.set()
            await until(lambda: cache.stats().flights == 0)
            file.seek(4 * MIB - 500 * KIB)
            assert file.read() == SONG[-500 * KIB :]
            assert file.read() == b""
        assert cache.get("tube:song") is None
        assert "disk is full" in (cache.condition(0.0) or "")
    assert full.names() == []


async def test_if_not_even_that_helps_it_fails_and_leaves_the_disk_free(full: Deck) -> None:
    windows = attrs.evolve(SMALL, last_resort=3 * MIB)
    origin = remote(full.host.put("/song", SONG))
    assert await trouble_of(full, origin, windows=windows) is TrackTrouble.DISK_FULL


async def test_a_disk_full_of_what_is_not_ours_is_told(full: Deck) -> None:
    (full.folder.parent / "other").write_bytes(bytes(2 * MIB - 8 * KIB))
    with (full.folder.parent / "more").open("wb", buffering=0) as more:
        while more.write(bytes(4 * KIB + 1)) > 4 * KIB:
            pass
    assert await trouble_of(full, remote(full.host.put("/song", SONG))) is TrackTrouble.DISK_FULL
    assert (full.folder.parent / "other").exists()
