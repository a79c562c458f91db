"""The fetch server on a machine that is full, or tidied up under its feet."""

import errno
import os
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from ytdlp_stage import Stage, fetching, folders_of_jobs, until

from ryzen.errors import SourceAway, SourceTrouble, TrackError, TrackTrouble
from ryzen.fetch import client, installed, process

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with Stage().up() as stage:
        yield stage


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_PAUSES", (0.0, 0.02))


async def tidy_away(tmp_path: Path) -> Path:
    """The folder that was. The server removes that of a job a moment after its answer: not both at once."""
    work = tmp_path / "state" / "yt-dlp" / "work"
    await until(lambda: not folders_of_jobs(tmp_path))
    shutil.rmtree(work)
    return work


async def test_folders_that_were_tidied_away_are_made_again(stage: Stage, tmp_path: Path) -> None:
    async with fetching(tmp_path) as ytdlp:
        assert await ytdlp.extract(stage.job("stage:song"), within=20)
        await tidy_away(tmp_path)
        assert await ytdlp.extract(stage.job("stage:song"), within=20)
        assert ytdlp.stats().deaths == 0
        assert ytdlp.pid
        await tidy_away(tmp_path)
        os.kill(ytdlp.pid, signal.SIGKILL)
        await until(lambda: ytdlp.stats().deaths == 1)
        assert await ytdlp.extract(stage.job("stage:song"), within=20)


async def test_a_job_for_which_there_is_no_room_costs_no_other_job(stage: Stage, tmp_path: Path) -> None:
    async with fetching(tmp_path) as ytdlp:
        assert await ytdlp.extract(stage.job("stage:song"), within=20)
        (work,) = (tmp_path / "state" / "yt-dlp" / "work").iterdir()
        await until(lambda: not folders_of_jobs(tmp_path))
        work.rmdir()
        work.write_text("in the way")
        with pytest.raises(TrackError) as refused:
            await ytdlp.extract(stage.job("stage:song"), within=20)
        assert refused.value.trouble is TrackTrouble.DISK_FULL
        work.unlink()
        assert await ytdlp.extract(stage.job("stage:song"), within=20)
        assert ytdlp.stats().deaths == 0


async def test_a_server_for_which_there_is_no_room_is_tried_again_and_the_bot_lives(
    stage: Stage, tmp_path: Path
) -> None:
    newer = tmp_path / "state" / "yt-dlp" / "2126.1.2"
    newer.mkdir(parents=True)
    installed.switch(tmp_path / "state", newer)  # an empty folder: it is the shipped one that answers
    async with fetching(tmp_path) as ytdlp:
        assert await ytdlp.extract(stage.job("stage:song"), within=20)
        work = await tidy_away(tmp_path)
        work.write_text("in the way")
        assert ytdlp.pid
        os.kill(ytdlp.pid, signal.SIGKILL)
        with pytest.raises(SourceAway) as away:
            await ytdlp.extract(stage.job("stage:song"), within=0.5)
        assert away.value.trouble is SourceTrouble.DOWN
        work.unlink()
        assert await ytdlp.extract(stage.job("stage:song"), within=20)
        assert ytdlp._packages() == newer, "no fault of the newer yt-dlp"


async def test_without_a_descriptor_left_it_is_this_job_that_fails(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left() -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    async with fetching(tmp_path) as ytdlp:
        assert await ytdlp.extract(stage.job("stage:song"), within=20)
        with monkeypatch.context() as patch:
            patch.setattr(process.socket, "socketpair", none_left)
            with pytest.raises(TrackError, match="Too many open files") as refused:
                await ytdlp.extract(stage.job("stage:song"), within=20)
        assert refused.value.trouble is TrackTrouble.DISK_FULL
        assert await ytdlp.extract(stage.job("stage:song"), within=20)
        assert ytdlp.stats().deaths == 0


def test_a_pointer_that_cannot_be_read_points_to_nothing(tmp_path: Path) -> None:
    home = tmp_path / "yt-dlp"
    home.mkdir()
    (home / "current").write_bytes(b"\xff\xfe")
    assert installed.current(tmp_path) is None
    (home / "current").unlink()
    (home / "current").mkdir()
    assert installed.current(tmp_path) is None
