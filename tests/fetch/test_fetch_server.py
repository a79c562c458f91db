"""The fetch server: a process a job, and nothing of it left when the job is over, however that ends."""

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from ytdlp_stage import SECRET, Stage, fetching, folders_of_jobs, is_there, until, vanish

from ryzen.errors import SourceAway, SourceTrouble, TrackError, TrackTrouble
from ryzen.fetch import process

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with Stage().up() as stage:
        yield stage


# -- cancelling
@pytest.mark.parametrize("what", ["hang", "burn"])
async def test_a_cancelled_job_is_killed_whatever_it_is_doing(
    stage: Stage, tmp_path: Path, what: str
) -> None:
    async with fetching(tmp_path) as ytdlp, anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: ytdlp.extract(stage.job(f"stage:{what}"), within=60))
        job = (await stage.report())["pid"]
        assert is_there(job)
        tasks.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            await vanish(job)
            await until(lambda: not folders_of_jobs(tmp_path))
            assert ytdlp.stats().running == 0


async def test_what_a_job_has_started_dies_with_it(stage: Stage, tmp_path: Path) -> None:
    async with fetching(tmp_path) as ytdlp, anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: ytdlp.extract(stage.job("stage:parent"), within=60))
        report = await stage.report()
        assert folders_of_jobs(tmp_path)
        tasks.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            await vanish(report["pid"], report["child"])
            await until(lambda: not folders_of_jobs(tmp_path))


async def test_what_a_job_has_started_dies_when_the_job_is_done(stage: Stage, tmp_path: Path) -> None:
    async with fetching(tmp_path) as ytdlp:
        assert await ytdlp.extract(stage.job("stage:careless"), within=20)
        await vanish((await stage.report())["child"])


async def test_a_job_that_takes_too_long_is_killed_and_the_server_is_well(
    stage: Stage, tmp_path: Path
) -> None:
    async with fetching(tmp_path) as ytdlp:
        await ytdlp.extract(stage.job("stage:song"), within=20)
        server = ytdlp.pid
        with pytest.raises(TrackError, match=r"no answer within 0\.5 s") as caught:
            await ytdlp.extract(stage.job("stage:burn"), within=0.5)
        assert caught.value.trouble is TrackTrouble.UNREACHABLE
        await vanish((await stage.report())["pid"])
        assert await ytdlp.extract(stage.job("stage:song"), within=20)
        assert ytdlp.pid == server


async def test_leaving_the_block_leaves_no_process_and_no_folder(stage: Stage, tmp_path: Path) -> None:
    async with anyio.create_task_group() as tasks:
        async with fetching(tmp_path) as ytdlp:
            with anyio.CancelScope(shield=True):
                tasks.start_soon(lambda: ytdlp.extract(stage.job("stage:burn"), within=60))
                job, server = (await stage.report())["pid"], ytdlp.pid
        assert server
        assert not is_there(server)
        assert not is_there(job)
        assert not list((tmp_path / "state" / "yt-dlp" / "work").iterdir())
        tasks.cancel_scope.cancel()


async def test_a_server_whose_bot_is_gone_ends(stage: Stage, tmp_path: Path) -> None:
    """The bot may be killed, and can tell nobody: then its end of the line closes."""
    async with fetching(tmp_path) as ytdlp, anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: ytdlp.extract(stage.job("stage:parent"), within=60))
        report, current = await stage.report(), ytdlp._current
        assert current
        stage.gate.set()
        current._life.shutdown(2)
        await until(lambda: ytdlp.pid not in (None, current.pid))
        await vanish(report["pid"], report["child"], current.pid)
        tasks.cancel_scope.cancel()


# -- limits
@pytest.mark.parametrize(
    ("what", "trouble"),
    [
        ("hog", TrackTrouble.TOO_BIG),
        ("bulky", TrackTrouble.TOO_BIG),
        ("crash", TrackTrouble.BROKEN),
        ("spin", TrackTrouble.BROKEN),
        ("write", TrackTrouble.UNAVAILABLE),
    ],
)
async def test_a_job_has_limits_and_harms_nobody(
    stage: Stage, tmp_path: Path, what: str, trouble: TrackTrouble
) -> None:
    async with fetching(tmp_path, memory=300 << 20) as ytdlp, anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: ytdlp.extract(stage.job("stage:gate"), within=60))
        await stage.report()
        server = ytdlp.pid
        with pytest.raises(TrackError) as caught:
            await ytdlp.extract(stage.job(f"stage:{what}"), within=30)
        assert caught.value.trouble is trouble
        stage.gate.set()
    assert ytdlp.stats().done == 1
    assert ytdlp.stats().failed == 1
    assert server
    assert ytdlp.stats().deaths == 0


async def test_a_bomb_of_zeros_takes_a_job_with_it_and_nothing_else(stage: Stage, tmp_path: Path) -> None:
    async with fetching(tmp_path, memory=300 << 20) as ytdlp:
        with pytest.raises(TrackError) as caught:
            await ytdlp.extract(stage.job(f"{stage.base}/bomb", extractors=("generic",)), within=90)
        assert caught.value.trouble is TrackTrouble.TOO_BIG
        assert await ytdlp.extract(stage.job("stage:song"), within=20)


async def test_a_job_knows_its_limits_and_none_of_the_bots_secrets(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOT_TOKEN", SECRET)
    monkeypatch.setenv("PYTHONSTARTUP", SECRET)
    async with fetching(tmp_path) as ytdlp, anyio.create_task_group() as tasks:
        told = await ytdlp.extract(stage.job("stage:tell"), within=20)
        tasks.start_soon(lambda: ytdlp.extract(stage.job("stage:gate"), within=60))
        job = (await stage.report())["pid"]
        for pid in (ytdlp.pid, job):
            environment = Path(f"/proc/{pid}/environ").read_bytes()
            assert b"PYTHONPATH=" in environment
            assert SECRET.encode() not in environment
            assert SECRET.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
            assert Path(f"/proc/{pid}/comm").read_text() == "ryzen-fetch\n"
        assert os.getpgid(job) == job
        stage.gate.set()
    assert SECRET not in str(told["environment"])
    assert told["environment"]["HOME"] == told["folder"]
    assert told["files"] == []
    assert told["limits"] == {
        "RLIMIT_DATA": 1 << 30,
        "RLIMIT_CPU": 60,
        "RLIMIT_FSIZE": 64 << 20,
        "RLIMIT_CORE": 0,
        "RLIMIT_AS": -1,
    }
    assert told["descriptors"] <= 5  # the usual three, its line, and the folder that it is just listing


async def test_a_job_prints_nothing(stage: Stage, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async with fetching(tmp_path) as ytdlp:
        assert await ytdlp.extract(stage.job("stage:loud", arguments={"secret": (SECRET,)}), within=20)
    printed = capfd.readouterr()
    assert SECRET not in printed.out + printed.err


async def test_no_more_jobs_than_allowed_run_at_once_and_each_has_its_turn(
    stage: Stage, tmp_path: Path
) -> None:
    async with fetching(tmp_path, jobs=2) as ytdlp:
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(lambda: ytdlp.extract(stage.job("stage:gate"), within=20))
            first = [(await stage.report())["pid"] for _ in range(2)]
            assert ytdlp.stats().running == 2
            assert ytdlp.stats().waiting == 3
            assert len(set(first)) == 2
            assert len(folders_of_jobs(tmp_path)) == 2
            stage.gate.set()
        assert ytdlp.stats().done == 5
        await until(lambda: not folders_of_jobs(tmp_path))


# -- lives
async def test_a_job_whose_server_is_killed_is_run_again_on_the_next(stage: Stage, tmp_path: Path) -> None:
    async with fetching(tmp_path) as ytdlp:
        async with anyio.create_task_group() as tasks:
            found = []

            async def ask() -> None:
                found.append(await ytdlp.extract(stage.job("stage:gate"), within=30))

            tasks.start_soon(ask)
            first, server = await stage.report(), ytdlp.pid
            assert server
            os.kill(server, signal.SIGKILL)
            second = await stage.report()
            stage.gate.set()
        assert found[0]["title"] == "Title of gate"
        await vanish(first["pid"], second["pid"], server)
        assert ytdlp.stats().deaths == 1
        assert ytdlp.pid != server


async def test_what_a_job_has_started_dies_with_a_server_that_is_killed(stage: Stage, tmp_path: Path) -> None:
    async with fetching(tmp_path) as ytdlp, anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: ytdlp.extract(stage.job("stage:parent"), within=30))
        report = await stage.report()
        assert ytdlp.pid
        os.kill(ytdlp.pid, signal.SIGKILL)
        await vanish(report["pid"], report["child"])
        tasks.cancel_scope.cancel()


async def test_a_server_that_hangs_is_replaced(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with fetching(tmp_path) as ytdlp:
        assert await ytdlp.extract(stage.job("stage:song"), within=20)
        server = ytdlp.pid
        assert server
        os.kill(server, signal.SIGSTOP)
        monkeypatch.setattr(process, "_TO_FORK", 0.5)
        assert await ytdlp.extract(stage.job("stage:song"), within=30)
        await vanish(server)


async def test_a_restart_takes_nothing_from_who_is_being_served(stage: Stage, tmp_path: Path) -> None:
    async with fetching(tmp_path) as ytdlp:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: ytdlp.extract(stage.job("stage:gate"), within=30))
            await stage.report()
            old = ytdlp.pid
            await ytdlp.restart()
            assert ytdlp.pid != old
            assert old
            assert is_there(old)
            assert await ytdlp.extract(stage.job("stage:song"), within=20)
            stage.gate.set()
        await vanish(old)
        assert ytdlp.stats().done == 2
        assert ytdlp.stats().deaths == 0


async def test_two_servers_run_side_by_side(stage: Stage, tmp_path: Path) -> None:
    async with fetching(tmp_path / "a") as one, fetching(tmp_path / "b") as other:
        assert await one.extract(stage.job("stage:song"), within=20)
        assert await other.extract(stage.job("stage:song"), within=20)
        assert one.pid
        os.kill(one.pid, signal.SIGKILL)
        assert await other.extract(stage.job("stage:song"), within=20)
        assert other.stats().deaths == 0
        assert await one.extract(stage.job("stage:song"), within=20)


async def test_without_a_server_it_is_the_source_that_is_away(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    async with fetching(tmp_path) as ytdlp:
        with pytest.raises(SourceAway, match="doctor") as caught:
            await ytdlp.extract(stage.job("stage:song"), within=0.5)
        assert caught.value.trouble is SourceTrouble.DOWN
        assert ytdlp.stats().pid is None


async def test_what_a_killed_bot_has_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / "state" / "yt-dlp" / "work" / "server" / "job" / "cookies.txt"
    left.parent.mkdir(parents=True)
    left.write_text("secret")
    async with fetching(tmp_path):
        assert not left.exists()
