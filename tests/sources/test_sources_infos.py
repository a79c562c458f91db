"""yt-dlp's info dicts in our words; and that yt-dlp understands ours."""

from __future__ import annotations

from typing import Any

import pytest
import yt_dlp
from hypothesis import given
from hypothesis import strategies as st

from ryzen.errors import TrackError, TrackTrouble
from ryzen.origins import Remote, Segmented
from ryzen.player.state import Chapter
from ryzen.sources import infos
from ryzen.sources.youtube_ladder import FORMAT

TITLES = [
    # title, artist field, channel → title, artist
    ("Daft Punk - Get Lucky (Official Audio)", "", "Daft Punk", "Get Lucky", "Daft Punk"),
    ("Daft Punk - Get Lucky (Official Video) [4K]", "", "DaftPunkVEVO", "Get Lucky", "Daft Punk"),
    ("Daft Punk – Get Lucky", "Daft Punk", "Label", "Get Lucky", "Daft Punk"),
    ("Get Lucky", "", "Daft Punk - Topic", "Get Lucky", "Daft Punk"),
    ("Get Lucky (Live at Home)", "", "Daft Punk", "Get Lucky (Live at Home)", "Daft Punk"),
    ("Get Lucky [Remix]", "", "Daft Punk", "Get Lucky [Remix]", "Daft Punk"),
    ("Get Lucky (Lyric Video)", "", "Somebody", "Get Lucky", "Somebody"),
    ("Daft Punk - Get Lucky", "", "Somebody Else", "Daft Punk - Get Lucky", "Somebody Else"),
    ("A-ha - Take On Me (Official Video)", "", "a-ha", "Take On Me", "A-ha"),
    ("Beyoncé - Halo", "", "Beyoncé", "Halo", "Beyoncé"),
    ("Some - Thing - Else", "Some", "", "Thing - Else", "Some"),
    ("(Official Video)", "", "Somebody", "(Official Video)", "Somebody"),
    ("X - Y", "", "", "Y", "X"),
    (" - Y", "", "", "- Y", ""),
]


@pytest.mark.parametrize(("title", "artist", "channel", "name", "by"), TITLES)
def test_a_title_is_split_unless_somebody_says_that_it_is_another_artist(
    title: str, artist: str, channel: str, name: str, by: str
) -> None:
    assert infos.names({"title": title, "artist": artist, "channel": channel}) == (name, by)


def test_the_music_metadata_are_believed_first() -> None:
    info = {"title": "x - y", "track": "Song", "artists": ["One", "Two", "One"], "channel": "Label"}
    assert infos.names(info) == ("Song", "One, Two")


def test_a_track_without_a_name_has_its_links() -> None:
    assert infos.names({"webpage_url": "https://example.com/my%20song"}) == ("my song", "")


@pytest.mark.parametrize(
    ("value", "number"),
    [
        *((1, 1.0), (2.5, 2.5), ("3.5", 3.5), (0, None), (-5, None), ("x", None), (None, None), (True, None)),
        *((float("nan"), None), (float("inf"), None), ("1e999", None), ([], None)),
    ],
)
def test_a_number_is_finite_and_above_zero(value: object, number: float | None) -> None:
    assert infos.number(value) == number


def test_what_is_on_the_air_has_no_length() -> None:
    assert infos.duration({"duration": 60}) == 60
    assert infos.duration({"duration": 60, "is_live": True}) is None
    assert infos.duration({"duration": 60, "live_status": "is_live"}) is None
    assert infos.duration({"duration": 60, "live_status": "was_live"}) == 60


def picture(width: int | None, url: str = "") -> dict[str, Any]:
    return {"url": url or f"https://example.com/{width}.jpg", "width": width}


@pytest.mark.parametrize(
    ("widths", "chosen"),
    [
        ((120, 640, 1280, 720), 720),
        ((120, 640), 640),
        ((3840, 1280, 480), 1280),
        ((3840, 480), 480),
        ((1920, 3840), 1920),
    ],
)
def test_a_cover_is_wide_enough_and_never_huge(widths: tuple[int, ...], chosen: int) -> None:
    info = {"thumbnails": [picture(width) for width in widths], "thumbnail": "https://example.com/any.jpg"}
    assert infos.artwork(info) == f"https://example.com/{chosen}.jpg"


def test_a_cover_of_unknown_size_is_better_than_none() -> None:
    unsized = {"thumbnails": [picture(None)], "thumbnail": "https://example.com/any.jpg"}
    assert infos.artwork(unsized) == "https://example.com/any.jpg"
    assert infos.artwork({"thumbnails": [picture(800, "file:///etc/passwd")], "thumbnail": "data:x"}) is None
    assert infos.artwork({}) is None


def test_chapters_are_in_order_and_have_names() -> None:
    told = [
        {"start_time": 60, "title": "Two"},
        {"start_time": 0.0, "title": "One"},
        {"start_time": 90, "title": " "},
        {"start_time": None, "title": "?"},
        {"start_time": float("nan"), "title": "?"},
        "nonsense",
    ]
    assert infos.chapters({"chapters": told}) == (Chapter(0.0, "One"), Chapter(60.0, "Two"))
    assert infos.chapters({"chapters": None}) == ()


DAY = (Chapter(0.0, "Dawn"), Chapter(20.0, "Day: noon"), Chapter(65.0, "Dusk"))


@pytest.mark.parametrize(
    ("description", "chapters"),
    [
        ("Songs:\n0:00 Dawn\n0:20 Day: noon\n1:05 - Dusk\nThanks!", DAY),
        ("[00:00] Dawn\n(00:20) Day: noon\n• 0:01:05 – Dusk\r\n", DAY),
        ("0:00 Dawn\n0:20 Day", ()),
        ("0:05 Dawn\n0:20 Day\n1:05 Dusk", ()),
        ("0:00 Dawn\n1:05 Day\n0:20 Dusk", ()),
        ("0:00 Dawn\n0:05 Day\n1:05 Dusk", ()),
        ("0:00 Dawn\n0:20 Day\n9:05 Dusk", ()),
        ("0:00\n0:20\n1:05", ()),
        ("", ()),
    ],
)
def test_chapters_are_read_in_the_description_by_the_sites_own_rule(
    description: str, chapters: tuple[Chapter, ...]
) -> None:
    assert infos.chapters({"description": description, "duration": 120}) == chapters
    assert infos.chapters({"description": description}) == ()


def test_a_file_and_a_playlist_are_told_apart() -> None:
    headers = {"User-Agent": "x", "Host": "evil", "Range": "bytes=0-", "Accept-Encoding": "gzip"}
    file = {"url": "https://h/a", "protocol": "https", "http_headers": headers, "filesize": 9}
    assert infos.place(file, span=5) == Remote("https://h/a", (("User-Agent", "x"),), 9, 5)
    hls = {"url": "https://h/a.m3u8", "protocol": "m3u8_native", "is_live": True}
    assert infos.place(hls, proxied=True) == Segmented("https://h/a.m3u8", live=True, proxied=True)


@pytest.mark.parametrize(
    "info",
    [
        {},
        {"url": "file:///etc/passwd", "protocol": "https"},
        {"url": "rtmp://h/a", "protocol": "rtmp"},
        {"url": "https://h/a", "protocol": "http_dash_segments"},
        {"url": "https://h/a", "protocol": "mhtml"},
        {"url": "https://h/a", "protocol": "https", "has_drm": True},
    ],
)
def test_what_cannot_be_played_is_said_to_be_so(info: dict[str, Any]) -> None:
    with pytest.raises(TrackError) as refused:
        infos.place(info)
    assert refused.value.trouble is TrackTrouble.UNSUPPORTED


def test_lists_in_lists_are_one_list() -> None:
    tab = {"_type": "playlist", "entries": [{"id": "b"}, None, {"id": "c"}]}
    assert [entry["id"] for entry in infos.entries({"entries": [{"id": "a"}, tab]})] == ["a", "b", "c"]
    assert infos.is_list(tab)
    assert not infos.is_list({"id": "a"})


def test_what_is_left_out_is_counted_as_far_as_it_is_known() -> None:
    assert infos.left_out({"playlist_count": 120}, 100) == 20
    assert infos.left_out({"playlist_count": 3}, 5) == 0
    assert infos.left_out({"left_out": 7}, 5) == 7
    assert infos.left_out({}, 5) == 0


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = (
    *(
        "id",
        "title",
        "track",
        "artist",
        "artists",
        "creators",
        "channel",
        "uploader",
        "duration",
        "thumbnails",
    ),
    *(
        "thumbnail",
        "chapters",
        "webpage_url",
        "url",
        "is_live",
        "entries",
        "playlist_count",
        "left_out",
        "description",
    ),
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, json_like)))
def test_nothing_that_a_site_writes_breaks_us(info: dict[str, Any]) -> None:
    track = infos.track(info, "site", "1", "https://example.com/", None)
    assert len(track.title) <= 200
    assert track.duration is None or track.duration > 0
    infos.artwork(info)
    infos.chapters(info)
    list(infos.entries(info))
    assert infos.left_out(info, 0) >= 0


# -- what yt-dlp makes of our wishes
def chosen(wish: str, *formats: dict[str, Any]) -> str:
    """The format that the real yt-dlp takes."""
    usual = {"url": "https://example.com/x", "protocol": "https", "ext": "webm", "http_headers": {"A": "b"}}
    info = {"id": "x", "title": "x", "extractor": "x", "formats": [usual | one for one in formats]}
    with yt_dlp.YoutubeDL({"quiet": True, "format": wish}) as ydl:
        return str(ydl.process_ie_result(info, download=False)["format_id"])


def sound(format_id: str, acodec: str, abr: float, **more: Any) -> dict[str, Any]:
    return {"format_id": format_id, "acodec": acodec, "vcodec": "none", "abr": abr, **more}


def film(format_id: str, height: int, **more: Any) -> dict[str, Any]:
    return {
        "format_id": format_id,
        "acodec": "mp4a.40.2",
        "vcodec": "avc1",
        "height": height,
        "ext": "mp4",
        **more,
    }


OPUS = [sound("249", "opus", 50), sound("250", "opus", 70), sound("251", "opus", 130)]
M4A = sound("140", "mp4a.40.2", 129.5, ext="m4a")
DUBBED = sound("251-1", "opus", 130, language_preference=-1)
ORIGINAL = sound("251-0", "opus", 120, language_preference=10)
HLS = {"protocol": "m3u8_native"}


@pytest.mark.parametrize(
    ("formats", "format_id"),
    [
        ((*OPUS, M4A, film("18", 360)), "251"),
        ((*OPUS[:2], M4A), "250"),
        ((M4A, film("18", 360)), "140"),
        ((film("18", 360), film("22", 720)), "18"),
        ((*OPUS, sound("774", "opus", 256)), "251"),
        ((DUBBED, ORIGINAL), "251-0"),
        ((sound("251-drc", "opus", 130, quality=2.5), sound("251", "opus", 130, quality=3)), "251"),
        ((film("91", 144, **HLS), film("93", 360, **HLS), film("95", 720, **HLS)), "93"),
        ((film("95", 720, **HLS), film("96", 1080, **HLS)), "95"),
        ((sound("234", "mp4a", 128, **HLS), M4A), "140"),
        ((sound("251", "opus", 130, has_drm=True), film("18", 360)), "18"),
        ((sound("251", "opus", 130, protocol="http_dash_segments"), film("18", 360)), "18"),
    ],
)  # fmt: skip
def test_of_a_video_the_sound_is_taken_that_plays_soonest(
    formats: tuple[dict[str, Any], ...], format_id: str
) -> None:
    assert chosen(FORMAT, *formats) == format_id


@pytest.mark.parametrize(
    ("formats", "format_id"),
    [
        ((sound("128", "mp3", 128), sound("320", "mp3", 320), sound("64", "mp3", 64)), "128"),
        ((sound("256", "mp3", 256), sound("320", "mp3", 320)), "256"),
        ((sound("hls", "opus", 160, **HLS), sound("http", "mp3", 128)), "http"),
        ((sound("hls", "mp3", 128, **HLS), film("f", 360)), "hls"),
        ((film("1080", 1080), film("360", 360)), "360"),
        ((film("1080", 1080, **HLS), film("720", 720, **HLS)), "720"),
        ((sound("rtmp", "mp3", 128, protocol="rtmp"), film("f", 360)), "f"),
        ((sound("preview", "mp3", 128, preference=-10), sound("whole", "mp3", 64)), "whole"),
        ((sound("plain", "mp3", 128), {"format_id": "unknown", "ext": "mp3", "vcodec": "none"}), "plain"),
    ],
)
def test_of_a_site_the_sound_is_taken_without_the_picture(
    formats: tuple[dict[str, Any], ...], format_id: str
) -> None:
    assert chosen(infos.SOUND, *formats) == format_id


@pytest.mark.parametrize("wish", [FORMAT, infos.SOUND])
def test_without_a_format_that_can_be_played_yt_dlp_says_so(wish: str) -> None:
    with pytest.raises(yt_dlp.utils.ExtractorError, match="Requested format is not available"):
        chosen(wish, sound("rtmp", "mp3", 128, protocol="rtmp"))
