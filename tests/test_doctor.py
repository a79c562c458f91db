"""``ryzen doctor``: a line for each thing, with what to do, and never a secret."""

import datetime
import stat
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import anyio
import anyio.abc
import pytest

from ryzen import doctor
from ryzen.doctor import Mark
from ryzen.fetch import installed, runtime
from ryzen.store import open_store

pytestmark = pytest.mark.anyio
SECRET = "not-for-the-screen"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def test_it_says_a_line_for_each_thing_and_ends_with_1_if_one_is_bad(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await doctor.doctor_says({"COOKIES_FILE": "missing.txt"}) == 1
    lines = capsys.readouterr().out.splitlines()
    assert all(line[0] in "✔✖–" for line in lines[:-1])
    things = list(dict.fromkeys(line[2:].partition(" ")[0].rstrip(":") for line in lines[:-1]))
    assert " ".join(things) == (
        "Python packages yt-dlp JavaScript settings cookies proxy ffmpeg disk database music"
    )
    assert sum(line.startswith("✖ settings: BOT_TOKEN is missing") for line in lines) == 1
    assert any(line.startswith("✖ cookies: missing.txt") for line in lines)
    assert not (here / "state").exists()


# -- what Ryzen is made of
def test_the_machine_that_runs_the_tests_has_all_that_is_needed() -> None:
    assert doctor.python().mark is Mark.GOOD
    assert doctor.packages().mark is Mark.GOOD
    assert doctor.javascript().mark is Mark.GOOD


def test_an_old_python_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 4, "final", 0))
    assert str(doctor.python()) == "✖ Python 3.10.4: Ryzen needs >=3.11"


@pytest.mark.parametrize(
    ("pins", "says"),
    [
        (["attrs==1.2.3"], "attrs is "),
        (["attrs>=9999"], "should be >=9999"),
        (["no-such-thing"], "no-such-thing is missing"),
        (["no-such-thing>=1"], "no-such-thing is missing"),
    ],
)
def test_a_package_that_differs_from_its_pin_is_named(
    monkeypatch: pytest.MonkeyPatch, pins: list[str], says: str
) -> None:
    monkeypatch.setattr(metadata, "requires", lambda _: pins)
    finding = doctor.packages()
    assert finding.mark is Mark.BAD
    assert says in finding.text


def test_extras_are_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "requires", lambda _: ["no-such-thing; extra == 'demo'", "attrs>=1"])
    assert doctor.packages().mark is Mark.GOOD


def test_the_age_of_yt_dlp_is_told_and_what_to_do(tmp_path: Path) -> None:
    made = datetime.date(*installed.key(installed.shipped())[:3])
    assert doctor.yt_dlp(tmp_path, made + datetime.timedelta(days=59)).mark is Mark.GOOD
    finding = doctor.yt_dlp(tmp_path, made + datetime.timedelta(days=61))
    assert finding.mark is Mark.BAD
    assert "61 days old" in finding.text
    assert "ryzen update-sources" in finding.text


@pytest.mark.parametrize("body", [None, "#!/bin/sh\nexit 1\n", "#!/bin/sh\necho 43\n", "no program"])
def test_a_javascript_runtime_that_does_not_run_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str | None
) -> None:
    program = tmp_path / "deno"
    if body:
        program.write_text(body)
        program.chmod(0o755)
    monkeypatch.setattr(runtime, "deno", lambda: program if body else None)
    finding = doctor.javascript()
    assert finding.mark is Mark.BAD
    assert "pip install" in finding.text


@pytest.mark.parametrize(
    ("body", "mark", "says"),
    [
        (None, Mark.OPEN, "only video needs it"),
        ("#!/bin/sh\necho ffmpeg version 7.1 of somebody\n", Mark.GOOD, "ffmpeg 7.1"),
        ("#!/bin/sh\nexit 1\n", Mark.OPEN, "does not run"),
    ],
)
def test_ffmpeg_is_told_with_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str | None, mark: Mark, says: str
) -> None:
    if body:
        (tmp_path / "ffmpeg").write_text(body)
        (tmp_path / "ffmpeg").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    finding = doctor.ffmpeg()
    assert finding.mark is mark
    assert says in finding.text


# -- what the operator has set
def line(name: str, expires: int) -> str:
    return f".host.invalid\tTRUE\t/\tTRUE\t{expires}\t{name}\t{SECRET}\n"


HEAD = "# Netscape HTTP Cookie File\n"


@pytest.mark.parametrize(
    ("text", "mark", "says"),
    [
        (HEAD + line("SID", 2000) + line("session", 0), Mark.GOOD, "2 in"),
        (HEAD + line("SID", 500) + line("HSID", 2000), Mark.OPEN, "expired are SID"),
        (HEAD + "".join(line(f"c{n}", 500) for n in range(9)), Mark.BAD, "c0, c1, c2, c3, c4 and 4 more"),
        (HEAD, Mark.BAD, "has none in it"),
        (f'[{{"name": "SID", "value": "{SECRET}"}}]', Mark.BAD, "is JSON"),
        (SECRET, Mark.BAD, "not in Netscape's format"),
        ("", Mark.BAD, "not in Netscape's format"),
    ],
)
def test_a_cookies_file_is_read_and_no_value_is_printed(
    tmp_path: Path, text: str, mark: Mark, says: str
) -> None:
    file = tmp_path / "cookies.txt"
    file.write_text(text)
    finding = doctor.cookies(str(file), now=1000)
    assert finding.mark is mark
    assert says in finding.text
    assert SECRET not in finding.text


def test_cookies_that_are_no_text_or_not_there_are_told(tmp_path: Path) -> None:
    (tmp_path / "cookies").write_bytes(b"\xff\xfe\x00")
    assert "no text" in doctor.cookies(str(tmp_path / "cookies"), 0).text
    assert "No such file" in doctor.cookies(str(tmp_path / "missing"), 0).text
    assert doctor.cookies("", 0).mark is Mark.OPEN


@pytest.mark.parametrize(
    "url",
    [
        f"gopher://a:{SECRET}@host:1",
        f"http://a:{SECRET}@",
        f"socks5://a:{SECRET}@host:x",
        f"http://ä:{SECRET}@h:1",
    ],
)
async def test_a_proxy_that_cannot_be_read_is_told_without_its_password(url: str) -> None:
    finding = await doctor.proxy(url)
    assert finding.mark is Mark.BAD
    assert SECRET not in finding.text


async def test_a_proxy_is_knocked_at_and_told_without_its_password() -> None:
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    url = f"socks5://a:{SECRET}@127.0.0.1:{port}"
    async with listener:
        finding = await doctor.proxy(url)
    assert str(finding) == f"✔ proxy: 127.0.0.1:{port} (socks5) answers"
    finding = await doctor.proxy(url)
    assert finding.mark is Mark.BAD
    assert f"127.0.0.1:{port} (socks5) does not answer" in finding.text
    assert SECRET not in finding.text
    assert (await doctor.proxy("")).mark is Mark.OPEN


@pytest.mark.parametrize(
    ("free", "mark"), [(100 << 20, Mark.BAD), (1 << 30, Mark.OPEN), (9 << 30, Mark.GOOD)]
)
def test_the_room_on_the_disk_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, mark: Mark
) -> None:
    class Usage:
        def __init__(self, _: object) -> None:
            self.free = free

    monkeypatch.setattr("shutil.disk_usage", Usage)
    assert doctor.disk(tmp_path / "state" / "not" / "yet").mark is mark
    assert not (tmp_path / "state").exists()


async def test_a_database_is_read_and_not_made(here: Path) -> None:
    finding = await doctor.database({})
    assert finding.mark is Mark.OPEN
    assert not (here / "state").exists()
    async with open_store(f"sqlite:///{here}/kept.db"):
        pass
    finding = await doctor.database({"DATABASE_URL": f"sqlite:///{here}/kept.db"})
    assert finding.mark is Mark.GOOD
    assert "rows" in finding.text


async def test_a_database_that_is_none_is_told(here: Path) -> None:
    (here / "kept.db").write_text("something else " * 100)
    finding = await doctor.database({"DATABASE_URL": f"sqlite:///{here}/kept.db"})
    assert finding.mark is Mark.BAD
    assert "ryzen db check" in finding.text


def test_the_music_folder_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.music("").mark is Mark.OPEN
    assert doctor.music(str(tmp_path)).mark is Mark.GOOD
    assert doctor.music(str(tmp_path / "missing")).mark is Mark.BAD
    refuse: Callable[..., bool] = lambda *_: False  # noqa: E731 - root may read whatever it likes
    monkeypatch.setattr("os.access", refuse)
    assert doctor.music(str(tmp_path)).mark is Mark.BAD
    assert doctor.disk(tmp_path).mark is Mark.BAD
    assert stat.S_ISDIR(tmp_path.stat().st_mode)
