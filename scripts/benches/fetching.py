"""How soon what is fetched is heard, and what fetching costs those who are listening already."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio
import attrs
import cancel
import numpy as np
from rig import LOOK, Rig, rig

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "audio"))

from audio_reader import FakeReader

from ryzen.audio import client as audio
from ryzen.audio.client import AudioEngine
from ryzen.fetch import egress, web
from ryzen.fetch.cache import TeeCache
from ryzen.origins import Flight, Origin, Remote
from ryzen.sandbox.box import Group
from ryzen.sandbox.demo.process import Line
from ryzen.sandbox.internet import Internet
from ryzen.sandbox.internet.media import File, Manners
from ryzen.sandbox.internet.songs import Recording, beep, record
from ryzen.sandbox.internet.world import LONG_SONG, World, make_world
from ryzen.sources.youtube import SPAN

#: Of the servers, in bytes a second: 200 kB/s is a slow one, 1 MB/s a fair one.
SLOW, FAIR = 200_000, 1_000_000
STARTS, PLAYS = 5, 10
EXTRACTIONS, TICKS = 20, 4.0
SHORT_HZ = 440
SHORT_SONG = beep("ShortSong30", "Short Song", "Local Artist", SHORT_HZ, 30)
_NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
#: What the other groups play is of another pitch, and from the local folder.
LISTENED = 880


def measure() -> dict[str, object]:
    with tempfile.TemporaryDirectory(prefix="ryzen-songs-") as folder:
        long, short = record(Path(folder), (LONG_SONG, SHORT_SONG))
    figures: dict[str, object] = {}
    for name, rate in (("200kB", SLOW), ("1MB", FAIR)):
        figures |= anyio.run(_first_pcm, name, long, rate)
    figures |= anyio.run(_plays, short)
    figures |= anyio.run(_extractions, short)
    return figures | cancel.measure()


# -- from an origin to sound
@attrs.frozen
class _Parts:
    """What there is between a media server and the voice engine, without Telegram."""

    cache: TeeCache
    engine: AudioEngine


async def _first_pcm(name: str, long: Recording, rate: float) -> dict[str, object]:
    """Milliseconds from a resolved track to its first sample at the engine's reader: the file played while it
    comes, and once all of it has come."""
    copies = [long.called(f"LongRoad{number:03}") for number in range(2 * STARTS)]
    world = make_world(copies, Manners(rate=rate))
    async with _parts(world) as parts, anyio.create_task_group() as tasks:
        growing: list[float] = []
        for copy in copies[:STARTS]:
            started = time.monotonic()
            flight = _begin(parts, world, copy)
            tasks.start_soon(flight.run)
            growing.append(await _first_sample(parts, flight) - started)
        tasks.cancel_scope.cancel()
    whole: list[float] = []
    async with _parts(world) as parts, anyio.create_task_group() as tasks:

        async def download_first(copy: Recording) -> None:
            started = time.monotonic()
            flight = _begin(parts, world, copy)
            await flight.run()
            whole.append(await _first_sample(parts, flight) - started)

        for copy in copies[STARTS:]:
            tasks.start_soon(download_first, copy)
    return {f"first_pcm_{name}_ms": {"growing": _median(growing), "download_first": _median(whole)}}


@asynccontextmanager
async def _parts(world: World) -> AsyncIterator[_Parts]:
    with tempfile.TemporaryDirectory(prefix="ryzen-bench-") as folder:
        async with (
            audio.serve() as engine,
            Internet.serve(world.sites) as internet,
            egress.serve(internet.outside, None) as door,
            web.serve(door, internet.outside) as browser,
            TeeCache.open(Path(folder), browser, budget=1 << 30, most_per_file=1 << 30) as cache,
        ):
            yield _Parts(cache, engine)


def _begin(parts: _Parts, world: World, copy: Recording) -> Flight:
    """As if it had just been resolved."""
    file = world.youtube.file(copy.song.id)

    async def renew() -> Origin:
        return _origin(copy, file)

    return parts.cache.begin(f"youtube:{copy.song.id}", _origin(copy, file), renew)


def _origin(copy: Recording, file: File) -> Origin:
    place = Remote(file.link(), size=len(file.body), span=SPAN)
    return Origin(f"youtube:{copy.song.id}", place, duration=copy.seconds)


async def _first_sample(parts: _Parts, flight: Flight) -> float:
    """When the engine's reader was given the first sound of it."""
    deck = parts.engine.open(hash(flight.key), lambda _: None)
    reader = FakeReader(deck.renew())
    try:
        deck.load(1, await flight.ready(), 0.0)
        with anyio.fail_after(30):
            while not reader.heard.strip(b"\0"):
                await anyio.sleep(LOOK)
        return time.monotonic()
    finally:
        deck.close()
        await anyio.to_thread.run_sync(reader.close)


# -- from a command to sound
async def _plays(short: Recording) -> dict[str, object]:
    """Milliseconds from `/play` in a group to its sound, by words and by a link, and by words for what is in
    the cache, from a slow server; the assistant is a member already."""
    kinds = {kind: [_copy(short, kind, number) for number in range(PLAYS)] for kind in ("Words", "Links")}
    world = make_world([copy for copies in kinds.values() for copy in copies], Manners(rate=SLOW))
    async with rig(sites=world.sites) as r:
        await r.say("/play tone 880")
        await r.heard(LISTENED, r.group, 0.0)
        words = [await _play(r, copy.song.title) for copy in kinds["Words"]]
        links = [await _play(r, f"https://youtu.be/{copy.song.id}") for copy in kinds["Links"]]
        cached = [await _play(r, copy.song.title) for copy in kinds["Words"]]
    return {"play_heard_ms": {"words": _median(words), "link": _median(links), "cached": _median(cached)}}


def _copy(short: Recording, kind: str, number: int) -> Recording:
    """Another song of the same sound, which words can find."""
    return short.called(f"{kind}Song{number:02}", title=f"{kind} {_NUMBERS[number]}")


async def _play(r: Rig, what: str) -> float:
    await r.quiet()
    await anyio.sleep(3.0)  # what was fetched is whole by then
    said = await r.say(f"/play {what}")
    return await r.heard(SHORT_HZ, r.group, said) - said


# -- what others notice
async def _extractions(short: Recording) -> dict[str, object]:
    """Twenty groups search, or play another link each, all at once, while one listens: how late the bot's
    event loop is with a tick every 10 ms, how much of that is its own work (milliseconds), what the listeners
    miss, and when those who play are heard themselves (milliseconds); who is told to try again is not."""
    copies = [short.called(f"Asked{number:06}") for number in range(EXTRACTIONS)]
    searches = [f"/search song {number}" for number in range(EXTRACTIONS)]
    plays = [f"/play https://youtu.be/{copy.song.id}" for copy in copies]
    async with rig(1 + EXTRACTIONS, sites=make_world(copies).sites, FETCH_JOBS=str(EXTRACTIONS)) as r:
        said = await r.say("/play tone 880")
        await r.heard(LISTENED, r.group, said)
        await anyio.sleep(3.0)
        idle = await r.ticks(TICKS)
        began = time.monotonic()
        searching = await _while(r, searches)
        playing = await _while(r, plays)
        listener = r.stage.peer(r.group)
        assert listener is not None
        heard = listener.hears(began)
        waits = await _waits(r, began + TICKS)
    missed = {"lost": heard.lost, "gap_s": round(heard.gap, 3), "share": round(heard.share, 3)}
    return {
        **{
            f"loop_{name}_ms": {"late": ticks["late"], "own": ticks["own"]}
            for name, ticks in (("idle", idle), ("searching", searching), ("playing", playing))
        },
        "listeners_meanwhile": missed,
        "playing_heard": {"of_20": len(waits), **_median(waits)},
    }


async def _while(r: Rig, commands: Sequence[str]) -> Line:
    async with anyio.create_task_group() as tasks:
        for group, command in zip(r.stage.groups[1:], commands, strict=True):
            tasks.start_soon(r.say, command, group)
        return await r.ticks(TICKS)


async def _waits(r: Rig, said: float) -> list[float]:
    waits: list[float] = []

    async def wait(group: Group) -> None:
        with suppress(TimeoutError):
            waits.append(await r.heard(SHORT_HZ, group, said) - said)

    async with anyio.create_task_group() as tasks:
        for group in r.stage.groups[1:]:
            tasks.start_soon(wait, group)
    return waits


def _median(seconds: Sequence[float]) -> dict[str, float]:
    """And the worst, in milliseconds."""
    return {"p50": round(float(np.median(seconds)) * 1000), "max": round(max(seconds) * 1000)}
