"""What the cache keeps: by key and by track, over restarts and kills, by the byte."""

import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from fetch_stage import Stage
from loguru import logger
from media_stage import KIB, MIB, Deck, deck, fetched, heard, noise, remote, until

from ryzen.errors import ConfigError, TrackError, TrackTrouble
from ryzen.fetch.cache import CacheStats, TeeCache

pytestmark = pytest.mark.anyio
SONG = noise(300 * KIB)


@pytest.fixture
async def here(tmp_path: Path, stage: Stage) -> AsyncIterator[Deck]:
    async with deck(tmp_path / "cache", stage) as opened:
        yield opened


async def put(here: Deck, cache: TeeCache, *keys: str, size: int = 300 * KIB) -> None:
    """A minute between one and the next."""
    for key in keys:
        here.now += 60
        await fetched(cache, remote(here.host.put(f"/{key}", noise(size, key)), key), track=key)


def there(cache: TeeCache, *keys: str) -> str:
    """Those that are; without their being used."""
    return "".join(key for key in keys if cache._shelf.find(key) is not None)


# -- names
async def test_it_is_found_by_its_key_and_by_every_track_that_led_to_it(here: Deck) -> None:
    async with here.cache() as cache:
        await fetched(cache, remote(here.host.put("/s", SONG), "tube:1"), track="spot:1")
        cache.lead("deez:1", "tube:1")
        found = {cache.get(name) for name in ("tube:1", "spot:1", "deez:1")}
        assert len(found) == 1
        assert None not in found
        assert cache.get("spot:2") is None
        sidecar = next(here.folder.glob("*.json"))
        await until(lambda: b"deez:1" in sidecar.read_bytes())
    async with here.cache() as cache:
        assert {cache.get(name) for name in ("tube:1", "spot:1", "deez:1")} == found


async def test_a_track_that_leads_to_what_is_on_its_way_is_remembered_too(here: Deck) -> None:
    url = here.host.put("/s", SONG, hold=20 * KIB)
    async with here.cache() as cache, anyio.create_task_group() as group:
        flight = cache.begin("spot:1", remote(url, "tube:1"), None)  # type: ignore[arg-type]
        group.start_soon(flight.run)
        await flight.ready()
        cache.lead("deez:1", "tube:1")
        here.host.files["/s"].go.set()
        await until(lambda: cache.get("deez:1") is not None)


async def test_what_is_put_out_is_not_found_by_any_name(here: Deck) -> None:
    async with here.cache(budget=700 * KIB) as cache:
        await fetched(cache, remote(here.host.put("/s", SONG), "tube:1"), track="spot:1")
        await put(here, cache, "b", "c")
        assert cache.get("tube:1") is cache.get("spot:1") is None


async def test_keys_and_titles_never_become_file_names(here: Deck) -> None:
    nasty = "../../etc/" + "x" * 4000 + "\0$BOT_TOKEN'\""
    async with here.cache() as cache:
        await fetched(cache, remote(here.host.put("/s", SONG), nasty), track=nasty)
        assert cache.get(nasty) is not None
    assert here.names() == ["json", "media"]
    assert all(len(file.name) < 60 for file in here.folder.iterdir())


async def test_fetched_anew_it_takes_the_place_of_the_old_which_can_still_be_read(here: Deck) -> None:
    async with here.cache() as cache:
        await put(here, cache, "a")
        old = cache.get("a")
        assert old is not None
        with Path(old.path).open("rb", buffering=0) as file:
            await fetched(cache, remote(here.host.put("/new", SONG), "a"))
            assert file.read() == noise(300 * KIB, "a")
        new = cache.get("a")
        assert new is not None
        assert await heard(new.path) == SONG
    assert here.names() == ["json", "media"]


# -- room
async def test_the_least_recently_used_goes_first(here: Deck) -> None:
    async with here.cache(budget=1000 * KIB) as cache:
        await put(here, cache, "a", "b", "c")
        here.now += 60
        assert cache.get("a") is not None
        here.now += 60
        cache.use("b")
        await put(here, cache, "d")
        assert there(cache, *"abcd") == "abd"
        assert cache.stats() == CacheStats(3, 900 * KIB, 1000 * KIB, 0, 0, 1)
    assert here.names() == ["json"] * 3 + ["media"] * 3


async def test_last_use_outlives_a_restart(here: Deck) -> None:
    async with here.cache(budget=1000 * KIB) as cache:
        await put(here, cache, "a", "b", "c")
        here.now += 60
        cache.use("a")
    async with here.cache(budget=1000 * KIB) as cache:
        await put(here, cache, "d")
        assert there(cache, *"abcd") == "acd"


async def test_what_somebody_removed_by_hand_is_fetched_again(here: Deck) -> None:
    async with here.cache() as cache:
        await put(here, cache, "a", "b")
        for file in here.folder.glob("*.media"):
            file.unlink()
        assert cache.get("a") is None
        cache.use("b")
        assert cache.stats().files == 0


# -- tidying up
async def test_a_smaller_budget_is_kept_to_from_the_start(here: Deck) -> None:
    async with here.cache() as cache:
        await put(here, cache, "a", "b", "c")
    async with here.cache(budget=700 * KIB) as cache:
        assert there(cache, *"abc") == "bc"
    assert here.names() == ["json", "json", "media", "media"]


@pytest.mark.parametrize(
    "harm", ["shorter", "no sidecar", "page", "torn", "other version", "of a wrong shape"]
)
async def test_what_is_not_whole_goes_and_what_is_not_ours_stays(here: Deck, harm: str) -> None:
    async with here.cache() as cache:
        await put(here, cache, "a", "b")
    (here.folder / "holiday.jpg").write_bytes(b"a stranger's")
    (here.folder / "notes.json").write_bytes(b"{}")
    async with here.cache() as cache:
        media = cache.get("a")
        assert media is not None
        path = Path(media.path)
    sidecar = path.with_suffix(".json")
    said = json.loads(sidecar.read_bytes())
    match harm:
        case "shorter":
            path.write_bytes(b"cut")
        case "no sidecar":
            sidecar.unlink()
        case "page":
            path.with_name(path.name + ".growing").write_bytes(b"")
        case "torn":
            sidecar.write_bytes(sidecar.read_bytes()[:-9])
        case "other version":
            sidecar.write_text(json.dumps(said | {"version": 99}))
        case _:
            sidecar.write_text(json.dumps(said | {"skips": [1]}))
    async with here.cache() as cache:
        assert there(cache, "a", "b") == "b"
    assert here.names() == ["jpg", "json", "json", "media"]


KILLED = """
import sys, anyio
from contextlib import asynccontextmanager
from pathlib import Path
from ryzen.fetch.cache import TeeCache
from ryzen.origins import Origin, Remote

class Answer:
    status, url, headers = 200, "http://x/", {"content-length": "10000000"}
    async def chunks(self):
        for _ in range(40):
            yield b"x" * 65536
        print("now", flush=True)
        await anyio.sleep_forever()

class Getter:
    @asynccontextmanager
    async def get(self, url, *, headers=(), proxied=False):
        yield Answer()

async def main():
    async with TeeCache.open(Path(sys.argv[1]), Getter(), budget=1 << 30, most_per_file=1 << 30) as cache:
        await cache.begin("a", Origin("a", Remote("http://x/")), None).run()

anyio.run(main)
"""


async def test_a_kill_in_the_middle_leaves_nothing_that_counts_as_whole(here: Deck) -> None:
    def kill() -> None:
        command = [sys.executable, "-c", KILLED, str(here.folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"now\n"
            process.send_signal(signal.SIGKILL)

    await anyio.to_thread.run_sync(kill)
    assert here.names() == ["media", "media.growing"]
    async with here.cache() as cache:
        assert cache.get("a") is None
    assert here.names() == []


# -- who has the folder
async def test_two_do_not_share_a_folder_and_the_second_is_told_what_to_do(here: Deck) -> None:
    url = here.host.put("/s", SONG, hold=20 * KIB)
    async with here.cache() as cache, anyio.create_task_group() as group:
        flight = cache.begin("a", remote(url, "a"), None)  # type: ignore[arg-type]
        group.start_soon(flight.run)
        media = await flight.ready()
        with pytest.raises(ConfigError, match=r"CACHE_DIR .* is in use by another Ryzen: stop it"):
            async with here.cache():
                raise AssertionError
        here.host.files["/s"].go.set()
        assert await heard(media.path) == SONG, "the second has not tidied it away"
    async with here.cache() as cache:
        assert cache.get("a") is not None


async def test_a_folder_that_cannot_be_used_is_said_to_be_one(here: Deck) -> None:
    here.folder.write_text("not a folder")
    with pytest.raises(ConfigError, match=r"CACHE_DIR .* must be a folder that this user may write to"):
        async with here.cache():
            raise AssertionError


# -- loudness
class Ear:
    """Tells these gains, in turn."""

    def __init__(self, *gains: float | Exception | None) -> None:
        self.gains = list(gains)
        self.heard: list[Path] = []

    async def __call__(self, path: Path) -> float | None:
        self.heard.append(path)
        gain = self.gains.pop(0)
        if isinstance(gain, Exception):
            raise gain
        return gain


def gain_of(cache: TeeCache, key: str) -> float | None:
    media = cache.get(key)
    return None if media is None else media.gain


async def test_loudness_is_measured_once_and_kept(here: Deck) -> None:
    ear = Ear(-7.5)
    async with here.cache(measure=ear) as cache:
        await put(here, cache, "a")
        await until(lambda: gain_of(cache, "a") == -7.5)
        await until(lambda: b"-7.5" in next(here.folder.glob("*.json")).read_bytes())
    async with here.cache(measure=ear) as cache:
        assert gain_of(cache, "a") == -7.5
    assert len(ear.heard) == 1


async def test_a_gain_that_the_source_tells_is_not_measured(here: Deck) -> None:
    ear = Ear()
    async with here.cache(measure=ear) as cache:
        await fetched(cache, remote(here.host.put("/s", SONG), "a", gain=2.0))
        assert gain_of(cache, "a") == 2.0
        await anyio.wait_all_tasks_blocked()
    assert ear.heard == []


@pytest.mark.parametrize("outcome", [TrackError(TrackTrouble.BROKEN), OSError("worker gone"), None])
async def test_what_cannot_be_measured_is_not_tried_again(here: Deck, outcome: Exception | None) -> None:
    ear = Ear(outcome)
    said: list[str] = []
    sink = logger.add(said.append, level="WARNING", format="{message}")
    async with here.cache(measure=ear) as cache:
        await put(here, cache, "a")
        await until(lambda: b'"measured": true' in next(here.folder.glob("*.json")).read_bytes())
        assert gain_of(cache, "a") == 0.0
    logger.remove(sink)
    async with here.cache(measure=ear) as cache:
        assert gain_of(cache, "a") == 0.0
    assert len(ear.heard) == 1
    assert len(said) == (outcome is not None)


async def test_what_was_not_measured_before_the_end_is_measured_when_it_is_used(here: Deck) -> None:
    async with here.cache() as cache:
        await put(here, cache, "a")
    async with here.cache(measure=Ear(1.5)) as cache:
        assert gain_of(cache, "a") == 0.0
        await until(lambda: gain_of(cache, "a") == 1.5)


async def test_stats_tell_what_is_there_and_what_flies(here: Deck) -> None:
    url = here.host.put("/s", noise(MIB), hold=20 * KIB)
    async with here.cache(budget=8 * MIB) as cache, anyio.create_task_group() as group:
        await put(here, cache, "a")
        flight = cache.begin("b", remote(url, "b"), None)  # type: ignore[arg-type]
        group.start_soon(flight.run)
        await flight.ready()
        assert cache.stats() == CacheStats(1, 300 * KIB, 8 * MIB, 1, MIB, 0)
        here.host.files["/s"].go.set()
