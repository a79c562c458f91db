"""The bot's way to yt-dlp: keeps a fetch server running, and runs jobs on it."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import attrs
import certifi
from anyio.abc import TaskGroup, TaskStatus
from loguru import logger

from ryzen.beside import beside
from ryzen.errors import SourceAway, SourceTrouble, TrackError, TrackTrouble
from ryzen.fetch import installed, trouble
from ryzen.fetch.process import FetchProcess, GoneError, Launch, NotReadyError, NotStartedError
from ryzen.fetch.wire import Request, Setup
from ryzen.origins import Job

#: Seconds from a death to the next start; the last goes on. After ``_STEADY`` seconds of life it begins anew.
_PAUSES, _STEADY = (0.0, 1.0, 5.0, 30.0), 60.0
#: Seconds between two looks for what ``ryzen update-sources`` may have installed.
_LOOK = 3.0


@attrs.frozen
class FetchStats:
    """``running`` jobs have a process or are about to, ``waiting`` ones have no slot yet.

    The rest are totals; ``deaths`` is of servers.
    """

    version: str
    pid: int | None
    running: int
    waiting: int
    done: int
    failed: int
    deaths: int


@contextlib.asynccontextmanager
async def serve(
    *,
    egress_url: Callable[[bool], str],
    cookies: Path | None,
    authorities: Path | None,
    state_dir: Path,
    jobs: int = 4,
    plugins: Sequence[Path] = (),
    memory: int = 1 << 30,
) -> AsyncIterator[YtDlp]:
    """A fetch server for this block, whatever happens to it; jobs may be asked for at once.

    ``egress_url`` gives the proxy of a job, ``True`` by way of PROXY_URL. ``cookies`` is a file in the format
    of Netscape, ``authorities`` a PEM file that counts beside certifi's. ``plugins`` are folders with yt-dlp
    plugins; ``memory`` is in bytes a job.
    """
    home = installed.home(state_dir)
    bundle = await anyio.to_thread.run_sync(_prepare, home, authorities)
    setup = Setup(
        work="",
        cache=str(home / "cache"),
        plugins=tuple(str(folder.absolute()) for folder in plugins),
        authorities=bundle is not None,
        jobs=jobs,
        memory=memory,
    )
    async with beside() as tasks:
        client = YtDlp(tasks, Launch(setup, authorities=bundle), state_dir, egress_url, cookies)
        tasks.start_soon(client.keep)
        tasks.start_soon(client.follow)
        yield client


class YtDlp:
    """An origins.Extractor."""

    def __init__(
        self,
        tasks: TaskGroup,
        launch: Launch,
        state_dir: Path,
        egress_url: Callable[[bool], str],
        cookies: Path | None,
    ) -> None:
        self._tasks, self._launch, self._state_dir = tasks, launch, state_dir
        self._egress_url, self._cookies = egress_url, cookies
        self._slots = anyio.CapacityLimiter(launch.setup.jobs)
        self._current: FetchProcess | None = None
        self._changed = anyio.Event()  #: ``_current`` has; then there is another
        self._spoilt: set[Path] = set()  #: packages with which no server comes up
        self._done = self._failed = self._deaths = 0

    async def extract(self, job: Job, *, within: float) -> Mapping[str, Any]:
        """yt-dlp's information, pruned (ryzen.fetch.prune). ``within`` counts from when it is the job's turn.

        Cancelling it kills the job's process and all that this has started. A job that loses its server is
        run once more, on the next. Raises TrackError, or SourceAway without a source.
        """
        cookies = str(self._cookies.absolute()) if job.cookies and self._cookies else None
        request = Request(job, self._egress_url(job.proxied), cookies)
        async with self._slots:
            try:
                with anyio.fail_after(within):
                    event = await self._run(request)
            except TimeoutError as error:
                self._failed += 1
                raise self._late(within) from error
        if event["event"] == "result":
            self._done += 1
            return dict(event["info"])
        self._failed += 1
        raise trouble.read(event)

    async def restart(self) -> None:
        """Go on with a new server; jobs on the old one run to their end there.

        Raises NotReadyError, and then all stays as it is.
        """
        await self._begin()

    def stats(self) -> FetchStats:
        slots, current = self._slots.statistics(), self._current
        return FetchStats(
            version=current.version if current else "",
            pid=current.pid if current else None,
            running=slots.borrowed_tokens,
            waiting=slots.tasks_waiting,
            done=self._done,
            failed=self._failed,
            deaths=self._deaths,
        )

    @property
    def pid(self) -> int | None:
        """Of the server; None while there is none."""
        return self._current.pid if self._current else None

    # -- jobs
    async def _run(self, request: Request) -> Mapping[str, Any]:
        lost = None
        for _ in range(2):
            process = await self._other_than(lost)
            try:
                return await process.run(request)
            except GoneError:
                lost = process
            except ValueError as error:
                return {"event": "error", "kind": "Garbled", "message": str(error)}
            except OSError as error:
                logger.error("fetch server: no job can be handed over: {}", error.strerror)
                return {"event": "error", "kind": "NoRoom", "message": error.strerror}
        return {"event": "died", "code": None}

    async def _other_than(self, lost: FetchProcess | None) -> FetchProcess:
        while (current := self._current) is None or current is lost:
            await self._changed.wait()
        return current

    def _late(self, within: float) -> TrackError | SourceAway:
        if self._current is None:
            return SourceAway("", SourceTrouble.DOWN, "no fetch server: see the log, and try `ryzen doctor`")
        return TrackError(TrackTrouble.UNREACHABLE, f"no answer within {within:g} s")

    # -- servers
    async def keep(self) -> None:
        """Have a server, for ever: who dies is followed by another."""
        deaths = 0
        while True:
            await anyio.sleep(_PAUSES[min(deaths, len(_PAUSES) - 1)])
            born = time.monotonic()
            try:
                await self._begin()
            except NotReadyError:
                deaths += 1
                continue
            while self._current:
                await self._changed.wait()
            self._deaths += 1
            deaths = 1 if time.monotonic() - born > _STEADY else deaths + 1
            logger.warning("fetch server: died; the next one is started")

    async def follow(self) -> None:
        """Go on with what ``ryzen update-sources`` has installed, or gone back to."""
        while True:
            await anyio.sleep(_LOOK)
            packages = await anyio.to_thread.run_sync(self._packages)
            if (current := self._current) and current.launch.packages != packages:
                with contextlib.suppress(NotReadyError):  # that has been told, and they count as spoilt now
                    await self.restart()

    async def _begin(self) -> None:
        packages = await anyio.to_thread.run_sync(self._packages)
        try:
            new: FetchProcess = await self._tasks.start(self._live, packages)
        except NotReadyError as error:
            logger.error("{}: does not come up with {}", error, packages or "what came with Ryzen")
            if packages and not isinstance(error, NotStartedError):
                self._spoilt.add(packages)
            raise
        if self._current:
            self._current.retire()
        self._set(new)
        logger.info("fetch server {}: yt-dlp {}", new.pid, new.version)

    async def _live(self, packages: Path | None, *, task_status: TaskStatus[FetchProcess]) -> None:
        """The whole life of one server."""
        home = installed.home(self._state_dir) / "work"
        try:
            work = await anyio.to_thread.run_sync(_folder_in, home)
        except OSError as error:
            raise NotStartedError(f"fetch server: no folder in {home}: {error.strerror}") from error
        launch = attrs.evolve(
            self._launch, packages=packages, setup=attrs.evolve(self._launch.setup, work=work)
        )
        try:
            async with FetchProcess.start(launch) as process:
                task_status.started(process)
                await process.over()
                if self._current is process:
                    self._set(None)
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(lambda: shutil.rmtree(work, ignore_errors=True))

    def _set(self, current: FetchProcess | None) -> None:
        self._current = current
        self._changed.set()
        self._changed = anyio.Event()

    def _packages(self) -> Path | None:
        packages = installed.current(self._state_dir)
        return None if packages in self._spoilt else packages


def _folder_in(home: Path) -> str:
    home.mkdir(mode=0o700, parents=True, exist_ok=True)  # somebody may have tidied up
    return tempfile.mkdtemp(dir=home)


def _prepare(home: Path, authorities: Path | None) -> Path | None:
    """The folders, without what a killed bot left there; and the bundle of authorities, if there is one."""
    home.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(home / "work", ignore_errors=True)
    for folder in (home / "work", home / "cache"):
        folder.mkdir(mode=0o700, exist_ok=True)
    if authorities is None:
        return None
    bundle = home / "authorities.pem"
    bundle.write_bytes(Path(certifi.where()).read_bytes() + b"\n" + authorities.read_bytes())
    return bundle
