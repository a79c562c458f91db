"""The outside of the download actor, in memory: sources and a cache that promise what the real ones do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio
import attrs

from ryzen.actors.download import DownloadActor, DownloadPolicy
from ryzen.actors.gate import Gate, GatePolicy
from ryzen.actors.policy import RestartPolicy
from ryzen.actors.ref import Ref
from ryzen.errors import RyzenError, TrackError, TrackTrouble, WebError
from ryzen.messages import Fetch, ToDownload
from ryzen.origins import Broadcast, Listing, Lyrics, OnDisk, Origin, Place, Remote, Renew
from ryzen.player.state import Media, Track
from ryzen.supervisor import Supervisor, supervise

QUICK = RestartPolicy(intensity=3, period=60.0, first=0.05, ceiling=0.2, stable_after=30.0)
#: A gate that is in nobody's way until its source refuses.
EASY = GatePolicy(rate=None, misses=3, backoff=RestartPolicy(first=30.0, ceiling=240.0, jitter=0.0))


def web(title: str, duration: float | None = 60.0, source: str = "tube") -> Track:
    """A track that has to be fetched."""
    return Track(f"{source}:{title}", title, source, f"https://{source}.example/{title}", duration=duration)


class FakeSource:
    """Takes its time, and may be told to fail. ``on_disk``: its files are there; what is named ``live`` goes
    on for ever, and what is named ``bad`` is broken."""

    def __init__(self, name: str, *, on_disk: bool = False) -> None:
        self.name, self.on_disk = name, on_disk
        self.takes = 0.02
        self.asked: list[str] = []  # requests that were made: kind and subject
        self.resolved: list[str] = []  # titles that were
        self.cancelled: list[str] = []  # titles that nobody waited for to the end
        self.trouble: Exception | None = None  # of every request
        self.troubles: dict[str, Exception] = {}  # of a subject
        self.hits: dict[str, tuple[Track, ...]] = {}  # by words
        self.lists: dict[str, Listing] = {}  # by link
        self.keys: dict[str, str] = {}  # title -> key of the recording, if it is not its own

    def claims(self, link: str) -> bool:
        return link.startswith(f"https://{self.name}.example/")

    async def search(self, words: str, limit: int) -> tuple[Track, ...]:
        await self._request("search", words)
        return self.hits.get(words, ())[:limit]

    async def expand(self, link: str, limit: int) -> Listing:
        await self._request("expand", link)
        found = self.lists[link]
        return attrs.evolve(found, tracks=found.tracks[:limit], left_out=max(0, len(found.tracks) - limit))

    async def resolve(self, track: Track) -> Origin:
        await self._request("resolve", track.title)
        self.resolved.append(track.title)
        if "bad" in track.title:
            raise TrackError(TrackTrouble.BROKEN)
        return Origin(self.keys.get(track.title, track.title), self._place(track.title), track.duration)

    def _place(self, title: str) -> Place:
        if "live" in title:
            return Broadcast(f"https://cdn.example/{title}")
        return OnDisk(Path(title)) if self.on_disk else Remote(f"https://cdn.example/{title}")

    async def _request(self, kind: str, subject: str) -> None:
        self.asked.append(f"{kind} {subject}")
        try:
            await anyio.sleep(self.takes)
        except anyio.get_cancelled_exc_class():
            self.cancelled.append(subject)
            raise
        if (trouble := self.troubles.get(subject, self.trouble)) is not None:
            raise trouble


class FakeFlight:
    """Ready after a moment, whole later; a test may end it before."""

    def __init__(self, cache: FakeCache, track_id: str, origin: Origin, renew: Renew, *, again: bool) -> None:
        self.key, self.origin, self.renew, self.again = origin.key, origin, renew, again
        self._cache, self._track_id = cache, track_id
        self._ready, self._broken = anyio.Event(), anyio.Event()
        self._error: RyzenError | None = None
        self.flying = False

    @property
    def media(self) -> Media:
        live = isinstance(self.origin.place, Broadcast)
        return Media(self.key, self.origin.duration, fetched=True, live=live)

    async def run(self) -> None:
        self.flying = True
        try:
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._watch, scope)
                    await anyio.sleep(self._cache.ready_takes)
                    self._ready.set()
                    await anyio.sleep(float("inf") if self.media.live else self._cache.whole_takes)
                    self._cache.keep(self._track_id, self.key, self.media)
                    tasks.cancel_scope.cancel()
        finally:
            self.flying = False
            if self.key not in self._cache.whole:
                self._cache.removed.append(self.key)

    async def _watch(self, scope: anyio.CancelScope) -> None:
        await self._broken.wait()
        scope.cancel()

    async def ready(self) -> Media:
        await self._ready.wait()
        if self._error is not None:
            raise self._error
        return self.media

    # what the world does
    def break_off(self, error: RyzenError) -> None:
        self._error = error
        self._ready.set()
        self._broken.set()


class FakeCache:
    def __init__(self) -> None:
        self.whole: dict[str, Media] = {}  # by key, and by track
        self.flights: list[FakeFlight] = []
        self.removed: list[str] = []
        self.used: list[str] = []
        self.led: list[tuple[str, str]] = []
        self.ready_takes, self.whole_takes = 0.05, 10.0
        self.full = False

    def get(self, track_id: str) -> Media | None:
        return self.whole.get(track_id)

    def begin(self, track_id: str, origin: Origin, renew: Renew, *, again: bool = False) -> FakeFlight:
        if self.full:
            raise TrackError(TrackTrouble.DISK_FULL)
        assert all(each.key != origin.key or not each.flying for each in self.flights), (
            "one per key at a time"
        )
        for known in track_id, origin.key:
            self.whole.pop(known, None)
        self.flights.append(FakeFlight(self, track_id, origin, renew, again=again))
        return self.flights[-1]

    def lead(self, track_id: str, key: str) -> None:
        self.led.append((track_id, key))
        if (media := self.whole.get(key)) is not None:
            self.whole[track_id] = media

    def use(self, track_id: str) -> None:
        self.used.append(track_id)

    def keep(self, track_id: str, key: str, media: Media) -> None:
        self.whole[track_id] = self.whole[key] = media

    def begun(self) -> list[str]:
        return [flight.key for flight in self.flights]


class FakeSongbook:
    def __init__(self) -> None:
        self.known: dict[tuple[str, str], Lyrics] = {}
        self.down = False

    async def lyrics(self, title: str, artist: str = "", duration: float | None = None) -> Lyrics | None:
        await anyio.sleep(0.01)
        if self.down:
            raise WebError("503", 503)
        return self.known.get((title, artist))


def find_link(text: str) -> str | None:
    return text if text.startswith("https://") else None


@attrs.frozen
class Fetchers:
    """A download actor, and what is round it."""

    ref: Ref[ToDownload]
    services: Supervisor
    gates: tuple[Gate, ...]
    local: FakeSource
    tube: FakeSource
    cloud: FakeSource
    cache: FakeCache
    songbook: FakeSongbook
    got: list[str] = attrs.Factory(list)

    async def fetch(self, track: Track, listener: int = 1, *, again: bool = False) -> Media:
        return await self.ref.ask(Fetch(track, listener, again), within=60)

    async def note(self, track: Track, listener: int = 1) -> None:
        """Fetch it, and write down when it was had, and by whom."""
        with suppress(RyzenError):
            await self.fetch(track, listener)
            self.got.append(f"{track.title} for {listener}")


@asynccontextmanager
async def fetchers(
    gate: GatePolicy = EASY, policy: DownloadPolicy | None = None, **conditions: str
) -> AsyncIterator[Fetchers]:
    sources = FakeSource("local", on_disk=True), FakeSource("tube"), FakeSource("cloud")
    gates = tuple(Gate(source, gate) for source in sources)
    cache, songbook = FakeCache(), FakeSongbook()

    def make(_: object, __: int) -> DownloadActor:
        return DownloadActor(
            gates,
            cache,
            find_link,
            searched=("local", "tube", "cloud"),
            songbook=songbook,
            policy=policy,
            conditions=[lambda _, said=said: said for said in conditions.values()],  # type: ignore[misc]
        )

    async with supervise("services") as services:
        ref = await services.start("download", make, policy=QUICK)
        yield Fetchers(ref, services, gates, *sources, cache, songbook)
