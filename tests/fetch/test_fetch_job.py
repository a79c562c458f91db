"""What one job does with the real yt-dlp: its options, its answer."""

import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from ytdlp_stage import Stage, fetching

from ryzen.errors import SourceAway, SourceTrouble, TrackError, TrackTrouble
from ryzen.fetch.client import YtDlp
from ryzen.fetch.prune import prune
from ryzen.fetch.wire import Request
from ryzen.origins import Job

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with Stage().up() as stage:
        yield stage


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fetching")


@pytest.fixture(scope="module")
def cookies(folder: Path) -> Path:
    file = folder / "cookies.txt"
    file.write_text("# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\tvisitor\tvalue\n")
    return file


@pytest.fixture(scope="module")
async def ytdlp(folder: Path, cookies: Path) -> AsyncIterator[YtDlp]:
    async with fetching(folder, cookies=cookies) as ytdlp:
        yield ytdlp


async def refused(ytdlp: YtDlp, job: Job) -> TrackError | SourceAway:
    with pytest.raises((TrackError, SourceAway)) as caught:
        await ytdlp.extract(job, within=20)
    assert isinstance(caught.value, TrackError | SourceAway)
    return caught.value


# -- which extractors
async def test_the_generic_extractor_is_asked_only_by_name(stage: Stage, ytdlp: YtDlp) -> None:
    link = f"{stage.base}/cookies.mp3"
    error = await refused(ytdlp, stage.job(link))
    assert isinstance(error, TrackError)
    assert error.trouble is TrackTrouble.NO_SOURCE
    assert link not in error.detail
    assert (await ytdlp.extract(stage.job(link, extractors=("generic",)), within=20))["url"] == link


async def test_half_a_character_is_no_link_and_no_crash(ytdlp: YtDlp) -> None:
    error = await refused(ytdlp, Job("https://host.invalid/\ud83d"))
    assert error.trouble is TrackTrouble.NO_SOURCE


async def test_an_extractor_that_is_not_allowed_takes_nothing(stage: Stage, ytdlp: YtDlp) -> None:
    error = await refused(ytdlp, stage.job("stage:song", extractors=("youtube.*",)))
    assert isinstance(error, TrackError)
    assert error.trouble is TrackTrouble.NO_SOURCE
    assert await ytdlp.extract(stage.job("stage:song", extractors=("Stage",)), within=20)


@pytest.mark.parametrize(
    "link", ["file:///etc/passwd", "ftp://127.0.0.1:1/x.mp3", "/etc/passwd", "data:,x", ""]
)
async def test_only_the_web_is_looked_at(stage: Stage, ytdlp: YtDlp, link: str) -> None:
    for extractors in ((), ("generic", "default")):
        assert isinstance(await refused(ytdlp, stage.job(link, extractors=extractors)), TrackError)


# -- lists
async def test_a_list_is_cut_at_the_limit_and_tells_what_is_left_out(stage: Stage, ytdlp: YtDlp) -> None:
    info = await ytdlp.extract(stage.job("stagelist:5000", flat=True, limit=7), within=20)
    assert [entry["title"] for entry in info["entries"]] == [f"Entry {n}" for n in range(7)]
    assert info["left_out"] == 4993
    assert info["title"] == "A list"


async def test_a_list_that_fits_leaves_nothing_out(stage: Stage, ytdlp: YtDlp) -> None:
    info = await ytdlp.extract(stage.job("stagelist:4", flat=True, limit=4), within=20)
    assert len(info["entries"]) == 4
    assert info["left_out"] == 0


async def test_one_bad_entry_does_not_cost_the_others(stage: Stage, ytdlp: YtDlp) -> None:
    job = stage.job("stagelist:3", limit=10, arguments={"text": ("Private video",)})
    info = await ytdlp.extract(job, within=20)
    assert [entry["id"] for entry in info["entries"]] == ["e0", "e2"]


async def test_a_single_track_that_fails_fails_with_a_limit_too(stage: Stage, ytdlp: YtDlp) -> None:
    error = await refused(ytdlp, stage.job("stage:say", limit=5, arguments={"text": ("Private video",)}))
    assert isinstance(error, TrackError)
    assert error.trouble is TrackTrouble.PRIVATE


# -- errors
async def test_a_source_that_takes_us_for_a_robot_is_away_and_no_track_is_at_fault(
    stage: Stage, ytdlp: YtDlp
) -> None:
    text = "Sign in to confirm you’re not a bot. Use --cookies"
    error = await refused(ytdlp, stage.job("stage:say", arguments={"text": (text,)}))
    assert isinstance(error, SourceAway)
    assert error.trouble is SourceTrouble.BOT_CHECK


@pytest.mark.parametrize(
    ("warning", "trouble"),
    [
        ("Unable to download API page: HTTP Error 429: Too Many Requests", SourceTrouble.RATE_LIMITED),
        ("Unable to download API page: HTTP Error 503: Service Unavailable", TrackTrouble.UNREACHABLE),
        (
            "OSError('502 ryzen-guard: a.b is not known')",
            TrackTrouble.UNREACHABLE,
        ),
        ("Unable to download API page: Read timed out. (caused by X())", TrackTrouble.UNREACHABLE),
        ("Something else", TrackTrouble.UNAVAILABLE),
    ],
)
async def test_of_a_player_that_answers_nobody_the_last_warning_says_why(
    stage: Stage, ytdlp: YtDlp, warning: str, trouble: SourceTrouble | TrackTrouble
) -> None:
    error = await refused(ytdlp, stage.job("stage:warn", arguments={"text": (warning,)}))
    assert error.trouble is trouble


async def test_a_server_that_refuses_the_connection_is_unreachable(stage: Stage, ytdlp: YtDlp) -> None:
    error = await refused(ytdlp, stage.job("http://127.0.0.1:1/x.mp3", extractors=("generic",)))
    assert isinstance(error, TrackError)
    assert error.trouble is TrackTrouble.UNREACHABLE


# -- JavaScript
async def test_a_job_has_a_javascript_runtime_which_its_limits_let_live(stage: Stage, ytdlp: YtDlp) -> None:
    info = await ytdlp.extract(stage.job("stage:solve"), within=20)
    assert (info["supported"], info["answer"]) == (True, "42")


# -- cookies
async def test_cookies_go_with_the_jobs_that_want_them_and_the_file_stays_as_it_is(
    stage: Stage, ytdlp: YtDlp, cookies: Path
) -> None:
    before = cookies.read_bytes()
    link = f"{stage.base}/cookies.mp3"
    assert await ytdlp.extract(stage.job(link, extractors=("generic",)), within=20)
    assert "visitor" not in "".join(stage.cookies)
    assert await ytdlp.extract(stage.job(link, extractors=("generic",), cookies=True), within=20)
    assert "visitor=value" in stage.cookies[-1]
    assert (await ytdlp.extract(stage.job("stage:tell", cookies=True), within=20))["jar"] == ["visitor"]
    assert cookies.read_bytes() == before


async def test_a_cookies_file_that_is_gone_is_told_and_not_passed_over(
    stage: Stage, ytdlp: YtDlp, cookies: Path
) -> None:
    hidden = cookies.rename(cookies.with_suffix(".hidden"))
    error = await refused(ytdlp, stage.job("stage:song", cookies=True))
    hidden.rename(cookies)
    assert isinstance(error, SourceAway)
    assert error.trouble is SourceTrouble.SIGN_IN
    assert "cookies file" in error.detail


async def test_nobody_else_may_look_into_the_folders(ytdlp: YtDlp, folder: Path) -> None:
    for name in ("work", "cache"):
        mode = (folder / "state" / "yt-dlp" / name).stat().st_mode
        assert stat.S_IMODE(mode) == 0o700


# -- the answer
async def test_what_nobody_needs_or_nobody_can_read_is_left_out(stage: Stage, ytdlp: YtDlp) -> None:
    info = await ytdlp.extract(stage.job("stage:odd"), within=20)
    assert info["title"].startswith("half a pair ?, and long")
    assert len(info["title"]) == 16_384
    assert {"nonsense", "endless", "huge", "blob", "subtitles", "heatmap", "fragments"}.isdisjoint(info)
    assert [thumbnail["id"] for thumbnail in info["thumbnails"]] == [str(n) for n in range(50, 70)]


@pytest.mark.parametrize(
    ("info", "left_out"),
    [
        ({"entries": [{"id": "a"}, {"id": "b"}, {"id": "c"}]}, 1),
        ({"entries": [{"id": "a"}, {"id": "b"}], "playlist_count": 50_000}, 49_998),
        ({"entries": [{"id": "a"}, None], "playlist_count": 1}, 0),
    ],
)
def test_left_out_is_what_is_beyond_the_limit(info: dict[str, Any], left_out: int) -> None:
    assert prune(info, 2)["left_out"] == left_out


def test_a_request_arrives_as_it_was_sent() -> None:
    arguments = {"youtube": {"player_client": ("visionos",), "player_skip": ("webpage", "configs")}}
    job = Job("ytsearch5:«words»", True, 5, "ba", ("youtube", "youtube:search"), arguments, True, True)
    request = Request(job, "http://direct:secret@127.0.0.1:1", "/somewhere/cookies.txt")
    assert Request.load(request.dump()) == request
    assert "secret" not in repr(request)
