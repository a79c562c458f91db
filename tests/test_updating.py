"""``ryzen update-sources`` with the real pip, and a folder of wheels for an index."""

import fcntl
import importlib.metadata
import os
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from ryzen.errors import RyzenError
from ryzen.fetch import client, installed
from ryzen.fetch.client import serve
from ryzen.updating import UpdateError, update_sources

pytestmark = pytest.mark.anyio

NEW, NEWER, OLD = "2126.1.2", "2126.3.4", "2020.1.1"
Change = Callable[[str, bytes], bytes]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def wheel(folder: Path, name: str, version: str, change: Change = lambda _, data: data) -> None:
    """A wheel of the installed package, made to look like another version; ``change`` may spoil it."""
    dist = importlib.metadata.distribution(name)
    stem = f"{name.replace('-', '_')}-{version}"
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as file:
        for path in dist.files or ():
            if path.parts[0] == name.replace("-", "_") and path.suffix != ".pyc":
                file.writestr(str(path), change(str(path), path.read_binary()))
        about = re.sub(r"(?m)^Version: .*", f"Version: {version}", dist.read_text("METADATA") or "")
        file.writestr(f"{stem}.dist-info/METADATA", change("METADATA", about.encode()))
        file.writestr(
            f"{stem}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{stem}.dist-info/RECORD", "")


def calls_itself(version: str, also: Change = lambda _, data: data) -> Change:
    def change(path: str, data: bytes) -> bytes:
        if path == "yt_dlp/version.py":
            data = re.sub(rb"__version__ = .*", f"__version__ = '{version}'".encode(), data)
        return also(path, data)

    return change


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("wheels")
    made = {}
    for version in (OLD, NEW, NEWER):
        wheel(folder, "yt-dlp", version, calls_itself(version))
        made[version] = folder / f"yt_dlp-{version}-py3-none-any.whl"
    return made


@pytest.fixture(autouse=True)
def no_pip_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where pip looks, and nowhere else."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def left(state: Path) -> list[str]:
    return sorted(path.name for path in (state / "yt-dlp").iterdir() if path.is_dir())


async def test_the_newest_is_put_in_use_and_the_one_before_is_kept(
    tmp_path: Path, index: Path, wheels: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(wheels[NEW], index)
    assert await update_sources(tmp_path) == 0
    assert f"yt-dlp {NEW} is in use now, after {installed.shipped()}" in capsys.readouterr().out
    assert installed.current(tmp_path) == tmp_path / "yt-dlp" / NEW
    shutil.copy(wheels[NEWER], index)
    assert await update_sources(tmp_path) == 0
    assert installed.version(tmp_path) == NEWER
    assert left(tmp_path) == [NEW, NEWER]
    assert await update_sources(tmp_path) == 0
    assert "is the newest" in capsys.readouterr().out


async def test_checking_changes_nothing(
    tmp_path: Path, index: Path, wheels: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(wheels[NEW], index)
    assert await update_sources(tmp_path, check=True) == 0
    assert f"yt-dlp {NEW} is out, {installed.shipped()} is in use" in capsys.readouterr().out
    assert installed.current(tmp_path) is None
    assert left(tmp_path) == []


async def test_an_older_one_is_not_put_in_use(
    tmp_path: Path, index: Path, wheels: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(wheels[OLD], index)
    assert await update_sources(tmp_path) == 0
    assert "is the newest" in capsys.readouterr().out
    assert installed.current(tmp_path) is None


def spoil_import(path: str, data: bytes) -> bytes:
    return b"raise ImportError('spoilt')\n" if path == "yt_dlp/__init__.py" else data


def spoil_extraction(path: str, data: bytes) -> bytes:
    return data.replace(b"def _real_extract", b"def _not_extract") if path.endswith("generic.py") else data


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (calls_itself(NEW, spoil_import), "does not run here"),
        (calls_itself(NEW, spoil_extraction), "fails at the simplest task"),
        (calls_itself("2126.9.9"), "calls itself 2126.9.9"),
    ],
    ids=["import", "extraction", "version"],
)
async def test_one_that_does_not_work_is_removed_and_it_is_said_why(
    tmp_path: Path, index: Path, change: Change, why: str
) -> None:
    wheel(index, "yt-dlp", NEW, change)
    with pytest.raises(UpdateError, match=why):
        await update_sources(tmp_path)
    assert installed.current(tmp_path) is None
    assert left(tmp_path) == []


async def test_the_javascript_part_that_it_asks_for_comes_along(tmp_path: Path, index: Path) -> None:
    def ask(path: str, data: bytes) -> bytes:
        return re.sub(rb"yt-dlp-ejs==[\d.]+", b"yt-dlp-ejs==99.1.0", data) if path == "METADATA" else data

    wheel(index, "yt-dlp", NEW, calls_itself(NEW, ask))
    with pytest.raises(UpdateError, match=r"yt-dlp-ejs==99\.1\.0"):
        await update_sources(tmp_path)
    wheel(index, "yt-dlp-ejs", "99.1.0")
    assert await update_sources(tmp_path) == 0
    folder = installed.current(tmp_path)
    assert folder
    assert (folder / "yt_dlp_ejs").is_dir()


async def test_without_an_index_nothing_is_changed_and_no_password_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://somebody:secret@127.0.0.1:1/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(RyzenError, match="pip could not get it") as caught:
        await update_sources(tmp_path)
    assert "secret" not in str(caught.value)
    assert left(tmp_path) == []


async def test_only_one_update_is_at_work(tmp_path: Path) -> None:
    (tmp_path / "yt-dlp").mkdir()
    with (tmp_path / "yt-dlp" / "update.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(UpdateError, match="another update"):
            await update_sources(tmp_path)


async def test_a_running_bot_changes_over(
    tmp_path: Path, index: Path, wheels: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_LOOK", 0.05)
    shutil.copy(wheels[NEW], index)
    async with serve(egress_url=lambda _: "", cookies=None, authorities=None, state_dir=tmp_path) as ytdlp:
        await update_sources(tmp_path)
        with anyio.fail_after(20):
            while ytdlp.stats().version != NEW:
                await anyio.sleep(0.02)
        assert ytdlp.stats().deaths == 0


async def test_one_with_which_no_server_comes_up_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It passed its test and was damaged afterwards."""
    monkeypatch.setattr(client, "_LOOK", 0.05)
    folder = tmp_path / "yt-dlp" / NEW
    (folder / "yt_dlp").mkdir(parents=True)
    (folder / "yt_dlp" / "__init__.py").write_text("raise ImportError('damaged')\n")
    installed.switch(tmp_path, folder)
    async with serve(egress_url=lambda _: "", cookies=None, authorities=None, state_dir=tmp_path) as ytdlp:
        with anyio.fail_after(20):
            while not ytdlp.pid:
                await anyio.sleep(0.02)
        assert installed.key(ytdlp.stats().version) == installed.key(installed.shipped())


@pytest.mark.parametrize("name", ["", "../elsewhere", "2126.1.2/..", OLD, "2126.9.9"])
def test_a_pointer_to_nothing_newer_counts_for_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "yt-dlp" / OLD).mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "yt-dlp" / "current").write_text(name)
    assert installed.current(tmp_path) is None
