"""What people type after a command."""

from __future__ import annotations

from contextlib import suppress

import attrs
import pytest
from bot_fakes import track
from hypothesis import given
from hypothesis import strategies as st

from ryzen.bot import arguments, show
from ryzen.bot.arguments import Favourite, Ranking
from ryzen.bot.words import Html
from ryzen.errors import Misread
from ryzen.player.events import Seek, SeekBy, SetLoop
from ryzen.player.state import Loop
from ryzen.records import Chart


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("0", 0),
        ("1:30", 90),
        ("01:05", 65),
        ("1:02:03", 3723),
        ("90s", 90),
        ("1m30s", 90),
        ("1m30", 90),
        ("1m 30s", 90),
        ("2M", 120),
        ("1h", 3600),
        ("1h2m3s", 3723),
    ],
)
def test_times(text: str, seconds: float) -> None:
    assert arguments.seconds(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", " ", "x", "1:", ":30", "1:3", "1:2:3:4", "m", "30m1h", "1.5", "1e3", "inf", "nan", "9" * 30, "--5"],
)
def test_what_is_no_time_shows_how_to_write_one(text: str) -> None:
    with pytest.raises(Misread) as caught:
        arguments.seconds(text)
    assert (caught.value.code, caught.value.details) == ("time", {"given": text})


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("90", Seek(90)),
        ("+15", SeekBy(15)),
        ("-15", SeekBy(-15)),
        ("−1:00", SeekBy(-60)),
        ("–5", SeekBy(-5)),
        (" + 15 ", SeekBy(15)),
    ],
)
def test_a_sign_makes_a_distance(text: str, wish: Seek | SeekBy) -> None:
    assert arguments.seek(text) == wish


def test_a_time_may_be_left_out() -> None:
    assert [arguments.time_or_none(text) for text in ("", " ", "0", " 1:30 ")] == [None, None, 0, 90]


def test_forward_and_backward() -> None:
    assert arguments.forward("15") == arguments.forward("+15") == SeekBy(15)
    assert arguments.forward("-15") == arguments.backward("15") == arguments.backward("-15") == SeekBy(-15)


def test_counts_and_places() -> None:
    assert [arguments.count(text) for text in ("", " ", "1", "12")] == [1, 1, 1, 12]
    assert [arguments.place(text) for text in ("1", "#3", " 7 ")] == [1, 3, 7]
    assert arguments.two_places("5 1") == (5, 1)


@pytest.mark.parametrize("text", ["0", "-1", "x", "1.5", "²", "1 2", "9" * 7])
def test_what_is_no_place(text: str) -> None:
    for read in (arguments.place, arguments.count):
        with pytest.raises(Misread, match="number"):
            read(text)


@pytest.mark.parametrize("text", ["", "1", "1 2 3", "1 x"])
def test_what_is_no_pair_of_places(text: str) -> None:
    with pytest.raises(Misread):
        arguments.two_places(text)


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("off", SetLoop(Loop.OFF)),
        ("0", SetLoop(Loop.OFF)),
        ("Track", SetLoop(Loop.TRACK)),
        ("queue", SetLoop(Loop.QUEUE)),
        ("1", SetLoop(Loop.TRACK, 1)),
        ("10", SetLoop(Loop.TRACK, 10)),
    ],
)
def test_loops(text: str, wish: SetLoop) -> None:
    assert arguments.loop(text) == wish


@pytest.mark.parametrize("text", ["", "11", "-1", "x", "track queue", "²"])
def test_what_is_no_loop(text: str) -> None:
    with pytest.raises(Misread, match="loop"):
        arguments.loop(text)


def test_favourites() -> None:
    assert [arguments.favourite(text) for text in ("", " ", "3", " #3 ", "remove 2", "Remove  #2 ")] == [
        None,
        None,
        Favourite(3),
        Favourite(3),
        Favourite(2, out=True),
        Favourite(2, out=True),
    ]


def test_rankings() -> None:
    assert arguments.ranking("") == arguments.ranking("tracks") == Ranking(Chart.TRACKS)
    assert arguments.ranking("today HERE users") == Ranking(Chart.USERS, here=True, today=True)
    assert arguments.ranking(" chats mine") == Ranking(Chart.CHATS, mine=True)


@given(st.lists(st.sampled_from(["tracks", "chats", "users", "here", "mine", "today"]), max_size=4))
def test_every_ranking_that_is_read_is_one_the_store_can_make(words: list[str]) -> None:
    with suppress(Misread):
        ranking = arguments.ranking(" ".join(words))
        assert len(words) == len(set(words))
        assert not (ranking.here and ranking.mine)
        assert (ranking.chart is Chart.CHATS) + ranking.here < 2
        assert (ranking.chart is Chart.USERS) + ranking.mine < 2


@given(st.text(max_size=12))
def test_whatever_is_typed_is_read_or_misread(text: str) -> None:
    readers = (
        arguments.seconds,
        arguments.time_or_none,
        arguments.seek,
        arguments.forward,
        arguments.backward,
        arguments.count,
        arguments.two_places,
        arguments.loop,
        arguments.favourite,
        arguments.ranking,
    )
    for read in readers:
        with suppress(Misread):
            read(text)


@given(st.integers(0, 99 * 3600))
def test_a_time_as_we_write_it_is_read_back(seconds: int) -> None:
    assert arguments.seconds(show.clock(seconds)) == seconds


# -- how we write
@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "00:00"), (72.9, "01:12"), (3599.9, "59:59"), (3600, "1:00:00"), (-1, "00:00")]
)
def test_clock(seconds: float, text: str) -> None:
    assert show.clock(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (59, "59s"), (725, "12m 5s"), (3600, "1h 0m"), (90061, "1d 1h")]
)
def test_span(seconds: float, text: str) -> None:
    assert show.span(seconds) == text


@given(st.floats(0, 1e5), st.floats(0, 1e5), st.integers(1, 20))
def test_the_bar_has_one_knob_and_its_width(position: float, duration: float, width: int) -> None:
    bar = show.bar(position, duration, width)
    assert len(bar) == width
    assert bar.count("●") == 1


def test_the_knob_goes_from_left_to_right() -> None:
    assert [show.bar(at, 80) for at in (0, 41, 80, 99)] == ["●———————", "————●———", "———————●", "———————●"]


def test_a_track_is_named_with_its_artist_if_it_has_one() -> None:
    assert show.named(track("a<b")) == Html("<b>a&lt;b</b> — Band", "a<b — Band")
    assert show.named(attrs.evolve(track("song"), artist="")) == show.title(track("song"))


@given(st.text(), st.integers(1, 20))
def test_what_is_cut_is_no_longer_than_allowed(text: str, limit: int) -> None:
    cut = show.cut(text, limit)
    assert len(cut) <= limit
    assert cut == text if len(text) <= limit else cut.endswith("…")


@pytest.mark.parametrize("link", [None, "", "/srv/music/x.mp3", "file:///etc/passwd", "tg://user?id=1"])
def test_a_title_links_to_the_web_and_to_nothing_else(link: str | None) -> None:
    assert show.title(track("song", link=link)).markup == "<b>song</b>"
    linked = show.title(track("song", link="https://example.org/"))
    assert linked.markup == '<a href="https://example.org/">song</a>'
