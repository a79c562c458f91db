"""The local YouTube is what the real yt-dlp takes for YouTube."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from internet_stage import NO_PAGES, QUICK, Stage, recordings, set_stage
from yt_dlp.utils import DownloadError

from ryzen.sandbox.internet.catalogue import Echoes
from ryzen.sandbox.internet.innertube import State
from ryzen.sandbox.internet.media import Manners
from ryzen.sandbox.internet.songs import Recording
from ryzen.sandbox.internet.youtube import YouTube

pytestmark = pytest.mark.anyio

WATCH = "https://www.youtube.com/watch?v="


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recording, ...]:
    return recordings(tmp_path_factory.mktemp("songs"))


@pytest.fixture
def youtube(songs: tuple[Recording, ...]) -> YouTube:
    return YouTube(songs)


@pytest.fixture
async def stage(youtube: YouTube, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    async with set_stage(youtube) as stage:
        monkeypatch.setenv("SSL_CERT_FILE", str(stage.internet.authorities))
        yield stage


def paths(stage: Stage) -> list[str]:
    return [hit.path.removeprefix("/youtubei/v1") for hit in stage.internet.hits]


# -- search
async def test_a_search_is_one_request_and_ranks_by_words(stage: Stage) -> None:
    found = await stage.yt_dlp("ytsearch5:red moon sky", extract_flat=True, extractor_args=NO_PAGES)
    assert [entry["id"] for entry in found["entries"]] == ["RedMoon_660", "BlueSky_440", "BlueSky_liv"]
    first = found["entries"][0]
    assert (first["title"], first["channel"], first["duration"]) == ("Red Moon", "Other Artist", 4)
    assert paths(stage) == ["/search"]


async def test_a_search_for_what_is_not_there_finds_nothing(stage: Stage) -> None:
    found = await stage.yt_dlp("ytsearch5:zebra", extract_flat=True, extractor_args=NO_PAGES)
    assert found["entries"] == []


async def test_a_search_goes_on_from_page_to_page(stage: Stage, youtube: YouTube) -> None:
    for video in Echoes(next(iter(youtube.catalogue)).recording, "page", 45):
        youtube.add(video.recording)
    found = await stage.yt_dlp("ytsearch47:blue sky", extract_flat=True, extractor_args=NO_PAGES)
    assert len({entry["id"] for entry in found["entries"]}) == 47
    assert paths(stage) == ["/search"] * 3


# -- videos
@pytest.mark.parametrize("link", [WATCH, "https://www.youtube.com/shorts/", "https://youtu.be/"])
async def test_a_video_is_one_request_and_its_media_can_be_had(
    stage: Stage, songs: tuple[Recording, ...], link: str
) -> None:
    info = await stage.yt_dlp(f"{link}BlueSky_440", extractor_args=QUICK, format="251")
    assert (info["id"], info["title"], info["duration"]) == ("BlueSky_440", "Blue Sky", 6)
    assert (info["acodec"], info["vcodec"], info["filesize"]) == ("opus", "none", len(songs[0].webm))
    assert info["description"] == "0:00 First\n0:02 Second\n0:04 Third"
    assert paths(stage) == ["/player"]
    assert await stage.get(info["url"]) == (200, songs[0].webm)
    status, picture = await stage.get(info["thumbnail"])
    assert (status, picture[:2]) == (200, b"\xff\xd8")


async def test_m4a_is_there_as_well(stage: Stage, songs: tuple[Recording, ...]) -> None:
    info = await stage.yt_dlp(f"{WATCH}BlueSky_440", extractor_args=QUICK, format="140")
    assert (info["ext"], info["acodec"]) == ("m4a", "mp4a.40.2")
    assert await stage.get(info["url"], {"Range": "bytes=4-11"}) == (206, songs[0].m4a[4:12])


async def test_pages_tell_more_than_the_player(stage: Stage) -> None:
    slow = {"youtube": {"player_client": ["tv_samsung"]}}
    info = await stage.yt_dlp(f"{WATCH}BlueSky_440", extractor_args=slow)
    assert info["channel"] == "Local Artist"
    assert [chapter["title"] for chapter in info["chapters"]] == ["First", "Second", "Third"]
    assert paths(stage) == ["/watch", "/player"]


async def test_each_look_gives_a_new_link_and_an_old_one_can_be_revoked(
    stage: Stage, youtube: YouTube
) -> None:
    first = await stage.yt_dlp(f"{WATCH}BlueSky_440", extractor_args=QUICK, format="251")
    youtube.file("BlueSky_440").revoke()
    second = await stage.yt_dlp(f"{WATCH}BlueSky_440", extractor_args=QUICK, format="251")
    assert (await stage.get(first["url"]))[0] == 403
    assert (await stage.get(second["url"]))[0] == 200


async def test_all_media_may_change_their_manners_at_once(stage: Stage, youtube: YouTube) -> None:
    before = await stage.yt_dlp(f"{WATCH}BlueSky_440", extractor_args=QUICK, format="251")
    youtube.behave(Manners(status=503))
    after = await stage.yt_dlp(f"{WATCH}RedMoon_660", extractor_args=QUICK, format="251")
    assert [(await stage.get(info["url"]))[0] for info in (before, after)] == [503, 503]


async def test_a_live_stream_is_hls_that_goes_on(
    stage: Stage, youtube: YouTube, songs: tuple[Recording, ...]
) -> None:
    youtube.add(songs[0].called("LiveNow_440", title="Live Now"), State.LIVE)
    info = await stage.yt_dlp(f"{WATCH}LiveNow_440", extractor_args=QUICK)
    assert (info["live_status"], info["protocol"]) == ("is_live", "m3u8_native")
    status, body = await stage.get(info["url"])
    assert status == 200
    assert b"#EXT-X-ENDLIST" not in body
    segment = next(line for line in body.decode().splitlines() if line.endswith(".ts"))
    status, sound = await stage.get(info["url"].rpartition("/")[0] + "/" + segment)
    assert (status, sound[0]) == (200, 0x47)  # MPEG-TS packets begin so


# -- lists
async def test_a_playlist_of_120_goes_on_after_100(stage: Stage, youtube: YouTube) -> None:
    first = next(iter(youtube.catalogue)).recording
    link = youtube.playlist("PLsandbox_one_hundred_20", "Long", Echoes(first, "echo", 120))
    found = await stage.yt_dlp(link, extract_flat=True, extractor_args=NO_PAGES)
    assert (found["title"], found["playlist_count"]) == ("Long", 120)
    assert [entry["id"] for entry in found["entries"]] == [f"echo{number:07}" for number in range(120)]
    assert found["entries"][119]["title"] == "Blue Sky 120"
    assert paths(stage).count("/browse") == 3  # yt-dlp asks twice for the first page


@pytest.mark.parametrize("arguments", [NO_PAGES, {}], ids=["api", "pages"])
async def test_of_50_000_entries_no_more_are_made_than_are_looked_at(
    stage: Stage, youtube: YouTube, arguments: dict[str, dict[str, list[str]]]
) -> None:
    made = []

    class Counted(Echoes):
        def __getitem__(self, index: Any) -> Any:
            made.append(index)
            return super().__getitem__(index)

    first = next(iter(youtube.catalogue)).recording
    link = youtube.playlist("PLsandbox_fifty_thousand", "Endless", Counted(first, "echo", 50_000))
    found = await stage.yt_dlp(link, extract_flat=True, extractor_args=arguments, playlistend=10)
    assert (len(found["entries"]), found["playlist_count"]) == (10, 50_000)
    assert {index for index in made if isinstance(index, int)} == set(range(100))


async def test_an_entry_of_a_long_playlist_can_be_played(
    stage: Stage, youtube: YouTube, songs: tuple[Recording, ...]
) -> None:
    youtube.playlist("PLsandbox_fifty_thousand", "Endless", Echoes(songs[0], "echo", 50_000))
    info = await stage.yt_dlp(f"{WATCH}echo0049999", extractor_args=QUICK, format="251")
    assert info["title"] == "Blue Sky 50000"
    assert await stage.get(info["url"]) == (200, songs[0].webm)
    with pytest.raises(DownloadError, match="unavailable"):
        await stage.yt_dlp(f"{WATCH}echo0050000", extractor_args=QUICK)


@pytest.mark.parametrize("arguments", [NO_PAGES, {}], ids=["api", "pages"])
async def test_a_mix_begins_with_its_seed(stage: Stage, arguments: dict[str, dict[str, list[str]]]) -> None:
    link = f"{WATCH}RedMoon_660&list=RDRedMoon_660"
    found = await stage.yt_dlp(link, extract_flat=True, extractor_args=arguments)
    assert found["title"] == "Mix - Red Moon"
    assert [entry["id"] for entry in found["entries"]] == ["RedMoon_660", "BlueSky_440", "BlueSky_liv"]


async def test_a_long_mix_goes_on_where_a_page_ends(stage: Stage, youtube: YouTube) -> None:
    for video in Echoes(next(iter(youtube.catalogue)).recording, "mix", 60):
        youtube.add(video.recording)
    link = f"{WATCH}BlueSky_440&list=RDBlueSky_440"
    found = await stage.yt_dlp(link, extract_flat=True, extractor_args=NO_PAGES, playlistend=55)
    assert len({entry["id"] for entry in found["entries"]}) == len(found["entries"]) == 55


async def test_a_playlist_that_is_not_there_is_said_to_be_so(stage: Stage) -> None:
    with pytest.raises(DownloadError, match="The playlist does not exist"):
        await stage.yt_dlp(
            "https://www.youtube.com/playlist?list=PLnobody_has_ever_seen", extractor_args=NO_PAGES
        )


# -- refusals
@pytest.mark.parametrize(
    ("state", "words"),
    [
        (State.PRIVATE, "Private video"),
        (State.AGE, "Sign in to confirm your age"),
        (State.REGION, "not made this video available in your country"),
        (State.MEMBERS, "Join this channel to get access to members-only content"),
        (State.REMOVED, "Video unavailable"),
        (State.SCHEDULED, "This live event will begin in"),
    ],
)
async def test_a_video_in_trouble_says_which(
    stage: Stage, youtube: YouTube, songs: tuple[Recording, ...], state: State, words: str
) -> None:
    youtube.add(songs[0], state)
    with pytest.raises(DownloadError, match=words):
        await stage.yt_dlp(f"{WATCH}BlueSky_440", extractor_args=QUICK)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("bot-check", "Sign in to confirm you’re not a bot"),
        ("rate-limit", "rate-limited by YouTube"),
        ("sign-in", "Please sign in"),
        ("429", "Failed to extract any player response"),
    ],
)
async def test_a_block_refuses_every_video_until_it_is_lifted(
    stage: Stage, youtube: YouTube, kind: str, words: str
) -> None:
    youtube.block(kind, after=1)
    await stage.yt_dlp(f"{WATCH}BlueSky_440", extractor_args=QUICK)
    for video in ("BlueSky_440", "RedMoon_660"):
        with pytest.raises(DownloadError, match=words):
            await stage.yt_dlp(f"{WATCH}{video}", extractor_args=QUICK)
    youtube.block(None)
    await stage.yt_dlp(f"{WATCH}BlueSky_440", extractor_args=QUICK)


async def test_a_block_of_one_client_lets_another_through(stage: Stage, youtube: YouTube) -> None:
    youtube.block("bot-check", clients=["VISIONOS"])
    with pytest.raises(DownloadError, match="not a bot"):
        await stage.yt_dlp(f"{WATCH}BlueSky_440", extractor_args=QUICK)
    other = {"youtube": {"player_client": ["tv_samsung"]}}
    assert (await stage.yt_dlp(f"{WATCH}BlueSky_440", extractor_args=other))["title"] == "Blue Sky"
    clients = [client for client, _ in youtube.played]
    assert clients[0] == "VISIONOS"
    assert "VISIONOS" not in clients[1:]


async def test_too_many_requests_refuse_a_search_too(stage: Stage, youtube: YouTube) -> None:
    youtube.block("429")
    with pytest.raises(DownloadError, match="429"):
        await stage.yt_dlp("ytsearch5:blue", extract_flat=True, extractor_args=NO_PAGES)
