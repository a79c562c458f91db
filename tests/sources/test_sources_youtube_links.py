"""What YouTube's links mean."""

from __future__ import annotations

import pytest

from ryzen.sources.links import find_link
from ryzen.sources.youtube_links import Several, Video, is_video, read

V = "dQw4w9WgXcQ"
L = "PLrAXtmErZgOeiKm4sgNOknGvNjby9efdf"
UC = "UC" + "x" * 22


def listed(list_id: str) -> Several:
    return Several(f"https://www.youtube.com/playlist?list={list_id}")


def channel(name: str, tab: str = "videos") -> Several:
    return Several(f"https://www.youtube.com/{name}/{tab}")


MEANT = [
    (f"https://www.youtube.com/watch?v={V}", Video(V)),
    (f"https://m.youtube.com/watch?v={V}&t=10", Video(V)),
    (f"https://music.youtube.com/watch?v={V}&si=x", Video(V)),
    (f"https://youtu.be/{V}", Video(V)),
    (f"https://youtu.be/{V}?list={L}", Video(V)),
    (f"https://www.youtube.com/shorts/{V}", Video(V)),
    (f"https://www.youtube.com/shorts/{V}?feature=share", Video(V)),
    (f"https://www.youtube.com/embed/{V}", Video(V)),
    (f"https://www.youtube-nocookie.com/embed/{V}?rel=0", Video(V)),
    (f"https://www.youtube.com/live/{V}", Video(V)),
    (f"https://www.youtube.com/v/{V}", Video(V)),
    (f"https://www.youtube.com/watch/{V}", Video(V)),
    # a video within a list is the video …
    (f"https://www.youtube.com/watch?v={V}&list={L}&index=3", Video(V)),
    (f"https://www.youtube.com/watch?v={V}&list=RD{V}", Video(V)),
    (f"https://music.youtube.com/watch?v={V}&list=RDAMVM{V}", Video(V)),
    # … unless the link says that it starts one
    (f"https://www.youtube.com/watch?v={V}&list={L}&playnext=1", listed(L)),
    (
        f"https://www.youtube.com/watch?v={V}&list=RD{V}&start_radio=1",
        Several(f"https://www.youtube.com/watch?v={V}&list=RD{V}"),
    ),
    (f"https://www.youtube.com/playlist?list={L}", listed(L)),
    (f"https://music.youtube.com/playlist?list=OLAK5uy_{'m' * 33}", listed(f"OLAK5uy_{'m' * 33}")),
    (f"https://www.youtube.com/embed/videoseries?list={L}", listed(L)),
    (f"https://www.youtube.com/watch?list={L}", listed(L)),
    (
        f"https://www.youtube.com/playlist?list=RD{V}",
        Several(f"https://www.youtube.com/watch?v={V}&list=RD{V}"),
    ),
    (f"https://music.youtube.com/playlist?list=RDCLAK5uy_{'k' * 33}", listed(f"RDCLAK5uy_{'k' * 33}")),
    (f"https://www.youtube.com/playlist?list=UU{'x' * 22}", listed(f"UU{'x' * 22}")),
    # channels are their uploads
    ("https://www.youtube.com/@somebody", channel("@somebody")),
    ("https://www.youtube.com/@somebody/", channel("@somebody")),
    ("https://www.youtube.com/@somebody/featured", channel("@somebody")),
    ("https://www.youtube.com/@somebody/shorts", channel("@somebody", "shorts")),
    ("https://www.youtube.com/@somebody/live", channel("@somebody", "live")),
    ("https://www.youtube.com/@кто-то", channel("@%D0%BA%D1%82%D0%BE-%D1%82%D0%BE")),
    (f"https://www.youtube.com/channel/{UC}", channel(f"channel/{UC}")),
    ("https://www.youtube.com/c/Somebody/videos", channel("c/Somebody")),
    ("https://www.youtube.com/user/somebody", channel("user/somebody")),
    (f"https://music.youtube.com/channel/{UC}", channel(f"channel/{UC}")),
    (
        "https://music.youtube.com/browse/MPREb_0123456789a",
        Several("https://music.youtube.com/browse/MPREb_0123456789a"),
    ),
    (f"https://music.youtube.com/browse/VL{L}", listed(L)),
    # neither
    ("https://www.youtube.com/", None),
    ("https://www.youtube.com/watch?v=short", None),
    (f"https://www.youtube.com/watch?v={V}x", None),
    ("https://www.youtube.com/watch?v=../../../etc", None),
    ("https://www.youtube.com/watch?v=$BOT_TOKEN-", None),
    ("https://youtu.be/", None),
    ("https://www.youtube.com/feed/subscriptions", None),
    ("https://www.youtube.com/results?search_query=song", None),
    ("https://www.youtube.com/channel/UCshort", None),
    (f"https://youtube.com.evil.example/watch?v={V}", None),
    (f"https://evil.example/?https://www.youtube.com/watch?v={V}", None),
]


@pytest.mark.parametrize(("typed", "meant"), MEANT)
def test_a_link_means_a_video_or_several(typed: str, meant: Video | Several | None) -> None:
    link = find_link(typed)
    assert link is not None
    assert read(link) == meant


def test_an_id_is_eleven_signs_and_nothing_else() -> None:
    assert is_video(V)
    for wrong in ("", V + "x", V[:-1], "dQw4w9WgXc/", "dQw4w9WgXcQ\n", "ыыыыыыыыыыы"):
        assert not is_video(wrong)


def test_a_video_has_a_short_link_for_people_and_a_plain_one_for_yt_dlp() -> None:
    assert Video(V).link == f"https://youtu.be/{V}"
    assert Video(V).page == f"https://www.youtube.com/watch?v={V}"
    assert read(Video(V).page) == read(Video(V).link) == Video(V)
