"""Groups play, and their database goes through all there is: is it heard, and is every play counted once?"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import attrs
from loguru import logger
from rig import Rig, rig, write_tone

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from faults import FaultProxy, Way, fault_proxy
from mongod import Mongod

from ryzen.records import Chart, Top
from ryzen.sandbox.box import Group, Kind
from ryzen.store import open_store

#: Seconds between two skips, or two questions, in one group: Telegram takes 20 messages a minute.
EVERY = 4.0
#: Seconds that a fault lasts.
LASTS = 20.0
SONGS = 6


@attrs.define
class Watch:
    """What was heard in the groups that only listen, second by second."""

    packets: int = 0
    lost: int = 0
    gap: float = 0.0  #: the longest, in seconds
    least: float = 1.0  #: the least share of the right tone in any second
    skips: int = 0

    def hear(self, r: Rig, groups: list[Group]) -> None:
        for group in groups:
            peer = r.stage.peer(group)
            assert peer is not None, f"{group.title} has no call any more"
            heard = peer.hears(seconds=1.0)
            self.packets += heard.packets
            self.lost = max(self.lost, peer.lost)
            self.gap, self.least = max(self.gap, heard.gap), min(self.least, heard.share)


async def outage(groups: int, stop: float) -> bool:
    with (
        tempfile.TemporaryDirectory(prefix="ryzen-outage-") as folder,
        Mongod(Path(folder) / "mongod") as mongod,
    ):
        music = Path(folder) / "music"
        music.mkdir()
        for number in range(groups):
            write_tone(music / f"song {number + 1}.wav", 400 + 100 * number, 600.0)
        async with fault_proxy(mongod.port) as proxy:
            url = proxy.url("outage")
            async with rig(groups, music, DATABASE_URL=url) as r:
                watch = await _play(r, mongod, proxy, stop)
            async with open_store(mongod.url("outage")) as store:
                counted = sum(one.plays for one in await store.top(Top(Chart.TRACKS, limit=1000)))
    expected = groups + watch.skips
    figures = attrs.asdict(watch) | {"plays": counted, "expected": expected}
    print(json.dumps(figures))
    return watch.lost == 0 and counted == expected


async def _play(r: Rig, mongod: Mongod, proxy: FaultProxy, stop: float) -> Watch:
    watch = Watch()
    busy, *quiet = r.stage.groups  # one makes plays; the others listen, and two of them ask
    for number, group in enumerate(r.stage.groups):
        await r.say(f"/play song {number + 1}", group)
        await r.first_rtp(group, 0.0)
    await r.say("/loop queue", busy)
    for number in range(1, min(SONGS, len(r.stage.groups))):
        await r.say(f"/play song {number + 1}", busy)
    await anyio.sleep(3.0)
    steps: list[tuple[str, Callable[[], Awaitable[None]]]] = [
        ("kill -9", lambda: _kill(mongod)),
        ("kill -9 again", lambda: _kill(mongod)),
        (f"stopped for {stop:g} s", lambda: _stop(mongod, stop)),
        (f"a black hole for {LASTS:g} s", lambda: _hole(proxy)),
        (f"200 ms slower for {LASTS:g} s", lambda: _slow(proxy)),
    ]
    for name, step in steps:
        began = time.monotonic()
        seen = Watch()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_listen, r, quiet, seen)
            tasks.start_soon(_skip, r, busy, watch)
            tasks.start_soon(_ask, r, quiet[0])
            await step()
            back = await _recovered(r, quiet[1])
            tasks.cancel_scope.cancel()
        row = {
            "fault": name,
            "lasted_s": round(time.monotonic() - began, 1),
            "well_again_after_s": round(back, 1),
        }
        print(json.dumps(row | attrs.asdict(seen, filter=lambda field, _: field.name != "skips")), flush=True)
        watch.packets += seen.packets
        watch.lost, watch.gap = max(watch.lost, seen.lost), max(watch.gap, seen.gap)
        watch.least = min(watch.least, seen.least)
    await anyio.sleep(2.0)
    return watch


async def _kill(mongod: Mongod) -> None:
    await anyio.sleep(3.0)
    mongod.kill()
    mongod.spawn()
    await anyio.to_thread.run_sync(mongod.wait)


async def _stop(mongod: Mongod, seconds: float) -> None:
    await anyio.to_thread.run_sync(mongod.stop)
    await anyio.sleep(seconds)
    mongod.spawn()
    await anyio.to_thread.run_sync(mongod.wait)


async def _hole(proxy: FaultProxy) -> None:
    proxy.way = Way.HOLE
    await anyio.sleep(LASTS)
    proxy.way = Way.PASS


async def _slow(proxy: FaultProxy) -> None:
    proxy.delay = 0.2
    await anyio.sleep(LASTS)
    proxy.delay = 0.0


async def _listen(r: Rig, groups: list[Group], watch: Watch) -> None:
    while True:
        await anyio.sleep(1.0)
        watch.hear(r, groups)


async def _skip(r: Rig, group: Group, watch: Watch) -> None:
    """Each skip begins another song: one more play."""
    while True:
        said = await r.say("/skip", group)
        with anyio.CancelScope(shield=True):  # one that was said must have its sound before the next step
            await r.new_tone(group, said)
            watch.skips += 1
        await anyio.sleep(EVERY)


async def _ask(r: Rig, group: Group) -> None:
    """Questions that need the database: each is answered, whatever it is."""
    while True:
        await anyio.sleep(EVERY)
        asked = await r.say("/history", group)
        await _reply(r, group, asked, 10.0)


async def _recovered(r: Rig, group: Group) -> float:
    """Seconds until /stats says DEGRADED no longer."""
    began = time.monotonic()
    while True:
        asked = await r.say("/stats", group)
        if "DEGRADED" not in await _reply(r, group, asked, 10.0, "actors"):
            return time.monotonic() - began
        await anyio.sleep(EVERY)


async def _reply(r: Rig, group: Group, asked: float, within: float, words: str = "") -> str:
    with anyio.fail_after(within):
        while True:
            for entry in r.stage.box.transcript.of(group.chat_id):
                if entry.at > asked and entry.kind is Kind.MESSAGE and words in entry.text:
                    return str(entry.text)
            await anyio.sleep(0.02)


if __name__ == "__main__":
    parser = argparse.ArgumentParser("scripts/soak outage", description=__doc__)
    parser.add_argument("--groups", type=int, default=4)
    parser.add_argument("--stop", type=float, default=60.0, help="seconds for which mongod is stopped")
    given = parser.parse_args()
    logger.remove()
    logger.add(sys.stderr, level="WARNING")
    sys.exit(0 if anyio.run(outage, given.groups, given.stop) else 1)
