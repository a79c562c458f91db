"""Lyrics with time stamps, as they are met in the world."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ryzen.origins import Line
from ryzen.sources import lrc


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("[00:12.50]one\n[01:02.00] two", (Line("one", 12.5), Line("two", 62.0))),
        (
            "[00:12]one\n[00:13:50]two\n[00:14.123]three",
            (Line("one", 12), Line("two", 13.5), Line("three", 14.123)),
        ),
        (
            "[00:30.00][00:10.00]again\n[00:20.00]between",
            (Line("again", 10), Line("between", 20), Line("again", 30)),
        ),
        ("[offset:500]\n[00:10.00]sooner", (Line("sooner", 9.5),)),
        ("[offset: -500 ]\n[00:10.00]later", (Line("later", 10.5),)),
        ("[00:10.00]one\n[OFFSET:+2000]\n[00:01.00]first", (Line("first", 0), Line("one", 8))),
        ("[ar:Artist]\n[ti:Title]\n[00:01.00]one", (Line("one", 1),)),
        ("[00:01.00]one\n[00:02.00]\n[00:03.00]two", (Line("one", 1), Line("", 2), Line("two", 3))),
        ("[00:01.00]<00:01.00>one <00:01.50>word", (Line("one word", 1),)),
        ("no stamp\n[0x:1]bad\n[99999:00]bad\n[00:01.00]good\n[00:02.00", (Line("good", 1),)),
        ("\ufeff[00:01.00]one\r\n[00:02.00]two\r\n", (Line("two", 2),)),
        ("only words\nand more", ()),
        ("[00:01.00]\n[00:02.00]   ", ()),
        ("", ()),
    ],
)
def test_a_line_is_sung_when_its_stamp_says(text: str, lines: tuple[Line, ...]) -> None:
    assert lrc.timed(text) == lines


def test_plain_lyrics_keep_their_verses_apart() -> None:
    assert lrc.plain("\n\none\n  two \n\n\n\nthree\n\n") == (
        Line("one"),
        Line("two"),
        Line(""),
        Line("three"),
    )
    assert lrc.plain(" \n\n") == ()


@given(st.text(max_size=400))
def test_whatever_the_text_lines_are_in_order_short_and_on_one_line(text: str) -> None:
    lines = lrc.timed(text)
    times = [line.at for line in lines]
    assert times == sorted(times)
    assert all(line.at >= 0 and "\n" not in line.text for line in lines)


def test_an_endless_text_is_cut() -> None:
    assert len(lrc.timed("[00:01.00]" * 50_000 + "x")) <= lrc.LINES
    assert len(lrc.timed("[00:01.00]x\n" * 50_000)) <= lrc.LINES
    (line,) = lrc.plain("word " * 10_000)
    assert len(line.text) <= lrc.SIGNS
