"""Which part of what people type is a link, and what it is without its clutter."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ryzen.sources.links import as_title, cut, ends_with, find_link, host_of, read_link, title_of

WATCH = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"

FOUND = [
    # schemes, and what stands around a link
    (WATCH, WATCH),
    (f"play this: {WATCH} now", WATCH),
    (f"<{WATCH}>", WATCH),
    (f"({WATCH})", WATCH),
    (f'"{WATCH}"', WATCH),
    (f"«{WATCH}»", WATCH),
    (f"{WATCH}, please", WATCH),
    (f"{WATCH}!?", WATCH),
    (f"[song]({WATCH})", None),
    (f"\u200e{WATCH}\u200e", WATCH),
    (f"\u2068{WATCH}\u2069", WATCH),
    (f"first\n{WATCH}\nlast", WATCH),
    (f"{WATCH} https://example.com/second", WATCH),
    ("HTTPS://WWW.YOUTUBE.COM/watch?v=dQw4w9WgXcQ", WATCH),
    ("http://example.com/a", "http://example.com/a"),
    ("www.example.com/a.mp3", "https://www.example.com/a.mp3"),
    ("https://example.com", "https://example.com"),
    ("https://example.com./a", "https://example.com/a"),
    ("https://en.wikipedia.org/wiki/Song_(disambiguation)", "https://en.wikipedia.org/wiki/Song_(disambiguation)"),
    ("(see https://example.com/a_(b))", "https://example.com/a_(b)"),
    # hosts that are written without a scheme
    ("youtu.be/dQw4w9WgXcQ", "https://youtu.be/dQw4w9WgXcQ"),
    ("youtube.com/watch?v=dQw4w9WgXcQ", WATCH),
    ("music.youtube.com/watch?v=dQw4w9WgXcQ", "https://music.youtube.com/watch?v=dQw4w9WgXcQ"),
    ("open.spotify.com/track/4uLU6hMCjMI75M1A2tKUQC", "https://open.spotify.com/track/4uLU6hMCjMI75M1A2tKUQC"),
    ("soundcloud.com/a/b", "https://soundcloud.com/a/b"),
    ("on.soundcloud.com/xyz", "https://on.soundcloud.com/xyz"),
    ("artist.bandcamp.com/track/song", "https://artist.bandcamp.com/track/song"),
    ("twitch.tv/somebody", "https://www.twitch.tv/somebody"),
    ("youtu.be", None),
    ("youtube.com is a site", None),
    ("notyoutube.com/watch", None),
    ("soundcloud.community/a", None),
    # Spotify's own names
    ("spotify:track:4uLU6hMCjMI75M1A2tKUQC", "https://open.spotify.com/track/4uLU6hMCjMI75M1A2tKUQC"),
    ("spotify:album:4uLU6hMCjMI75M1A2tKUQC", "https://open.spotify.com/album/4uLU6hMCjMI75M1A2tKUQC"),
    ("spotify:user:somebody", None),
    ("spotify:track:short", None),
    # clutter
    (f"{WATCH}&si=abc", WATCH),
    (f"{WATCH}&feature=share&pp=ygUF", WATCH),
    (f"{WATCH}&t=42s", f"{WATCH}&t=42s"),
    (f"{WATCH}#t=42", WATCH),
    (f"{WATCH}&utm_source=x&fbclid=y", WATCH),
    ("https://youtu.be/dQw4w9WgXcQ?si=abc", "https://youtu.be/dQw4w9WgXcQ"),
    ("https://m.youtube.com/watch?v=dQw4w9WgXcQ", WATCH),
    ("https://youtube.com/watch?v=dQw4w9WgXcQ", WATCH),
    ("https://www.youtube.com/watch?si=a&v=dQw4w9WgXcQ", WATCH),
    ("https://open.spotify.com/track/x?si=1", "https://open.spotify.com/track/x"),
    ("https://m.soundcloud.com/a/b?si=1&utm_medium=text", "https://soundcloud.com/a/b"),
    ("https://soundcloud.com/a/b/s-TOKEN?in=x/sets/y", "https://soundcloud.com/a/b/s-TOKEN"),
    ("https://example.com/f?si=keep", "https://example.com/f?si=keep"),
    ("https://example.com/f?sig=a%2Bb&e=1", "https://example.com/f?sig=a%2Bb&e=1"),
    ("https://odysee.com/@chan#1/song#2", "https://odysee.com/@chan#1/song#2"),
    ("https://a.bandcamp.com/track/b?from=search", "https://a.bandcamp.com/track/b"),
    ("https://example.com:443/a", "https://example.com/a"),
    ("https://example.com:8443/a", "https://example.com:8443/a"),
    # names of other scripts
    ("https://münchen.example/lied", "https://xn--mnchen-3ya.example/lied"),
    ("https://example.com/песня.mp3", "https://example.com/%D0%BF%D0%B5%D1%81%D0%BD%D1%8F.mp3"),
    # hostile, and data all the same
    ("https://example.com/$BOT_TOKEN", "https://example.com/$BOT_TOKEN"),
    ("https://example.com/${BOT_TOKEN}.mp3", "https://example.com/$%7BBOT_TOKEN%7D.mp3"),
    ("https://example.com/`id`;x", "https://example.com/%60id%60;x"),
    ("https://example.com/a\"b'c", "https://example.com/a%22b'c"),
    ("https://example.com/../../etc/passwd", "https://example.com/../../etc/passwd"),
    ("https://example.com/\u202egnp.exe", "https://example.com/gnp.exe"),
    ("https://example.com/a\x00b", "https://example.com/ab"),
    ("https://youtube.com@example.com/x", "https://youtube.com@example.com/x"),
    ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080/x"),
    ("http://[::1]/x", "http://[::1]/x"),
    ("http://2130706433/x", "http://2130706433/x"),
    ("http://[::1", None),
    ("http://:80/", None),
    ("https://", None),
    ("https:///path", None),
    ("https://example.com:port/", None),
    ("https://exa%mple.com/", None),
    ("https://example..com/", None),
    ("file:///etc/passwd", None),
    ("ftp://example.com/a.mp3", None),
    ("javascript:alert(1)", None),
    ("$BOT_TOKEN", None),
    ("../../etc/passwd", None),
    ("never gonna give you up", None),
    ("AC/DC - T.N.T.", None),
    ("", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "link"), FOUND)
def test_a_link_is_found_in_what_people_type(text: str, link: str | None) -> None:
    assert find_link(text) == link


def test_the_table_has_no_row_twice() -> None:
    assert len({text for text, _ in FOUND}) == len(FOUND) >= 60


@given(st.text(max_size=60) | st.text("htps:/.[]@#?=&%$\"'()<>wyoutube\u202e\n ", max_size=60))
def test_whatever_is_typed_a_link_is_well_formed_and_stays_what_it_is(text: str) -> None:
    link = find_link(f"{text} https://{text}")
    if link is not None:
        assert link.startswith(("http://", "https://"))
        assert link.isascii()
        assert link.isprintable()
        assert " " not in link
        assert urlsplit(link).hostname
        assert read_link(link) == link


def test_four_thousand_characters_are_a_link_too() -> None:
    link = "https://example.com/" + "a" * 4000
    assert find_link(link) == link
    assert len(title_of(link)) == 200
    assert find_link("a" * 4000) is None


@pytest.mark.parametrize(
    ("link", "title"),
    [
        ("https://example.com/music/My%20song.mp3", "My song"),
        ("https://example.com/My_song_2.flac?x=1", "My song 2"),
        ("https://example.com/..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("https://example.com/..%5C..%5Cboot.ini", "boot"),
        ("https://example.com/a%00b%0Ac.mp3", "a b c"),
        ("https://example.com/%E2%80%AEgnp.mp3", "gnp"),
        ("https://example.com/Vol.%2010", "Vol. 10"),
        ("https://example.com/", "example.com"),
        ("https://example.com/..", "example.com"),
        ("https://example.com/%FF%FE.mp3", "��"),
    ],
)
def test_a_link_without_a_title_has_its_last_part_for_one(link: str, title: str) -> None:
    assert title_of(link) == title


@given(st.text(max_size=400))
def test_a_title_is_one_short_line_and_never_a_path(name: str) -> None:
    title = as_title(name)
    assert len(title) <= 200
    assert "/" not in title
    assert "\\" not in title
    assert len(title.splitlines()) <= 1


def test_what_is_too_long_is_cut_and_says_so() -> None:
    assert cut("a b" * 100, 10) == "a ba ba b…"
    assert cut(" a\n b ") == "a b"


def test_a_host_is_of_a_domain_if_it_ends_with_it_at_a_dot() -> None:
    assert ends_with("m.youtube.com", ("youtube.com",))
    assert ends_with("youtube.com", ("youtube.com",))
    assert not ends_with("notyoutube.com", ("youtube.com",))
    assert not ends_with("youtube.com.evil.example", ("youtube.com",))
    assert host_of("https://youtube.com@evil.example/") == "evil.example"
    assert host_of("http://[::1") == ""
