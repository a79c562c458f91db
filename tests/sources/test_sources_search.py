"""What people type, and what they find."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ryzen.sources.fold import clean, fold
from ryzen.sources.folder import Stamp
from ryzen.sources.index import Index, Song

STAMP = Stamp(1, 1)
SONGS = (
    ("tone 4400", ""),
    ("tone 440", ""),
    ("tone 440 and its echo", ""),
    ("tone 880", ""),
    ("Frère Jacques", "Traditional"),
    ("Ode to Joy", "Ludwig van Beethoven"),
    ("Señorita, don’t go", "José Łukasz"),
    ("Joy", "Ode"),
    ("夜に駆ける", "YOASOBI"),
    ("Ёлочка", "Хор"),
    ("Straße", "Øystein"),
)


def song(title: str, artist: str = "", path: str = "") -> Song:
    return Song(path or f"{artist} {title}.mp3", title, artist, 1.0)


def fill(index: Index, songs: tuple[Song, ...]) -> Index:
    index.put({each.path: (STAMP, each) for each in songs})
    return index


@pytest.fixture(scope="module")
def index() -> Iterator[Index]:
    index = fill(Index(None), tuple(song(*names) for names in SONGS))
    yield index
    index.close()


def titles(index: Index, text: str, limit: int = 10) -> list[str]:
    return [found.title for found in index.search(text, limit)]


@pytest.mark.parametrize("text", ["tone 440", "TONE 440", "  Tone — 440! ", "440 tone", "töne 440"])
def test_the_exact_title_comes_first(index: Index, text: str) -> None:
    assert titles(index, text)[:2] == ["tone 440", "tone 440 and its echo"]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("frere jacques", "Frère Jacques"),
        ("FRÈRE JACQUES", "Frère Jacques"),
        ("jacques traditional", "Frère Jacques"),
        ("beethoven ode", "Ode to Joy"),
        ("joy to ode beethoven van ludwig", "Ode to Joy"),
        ("senorita dont go", "Señorita, don’t go"),
        ("lukasz don't", "Señorita, don’t go"),
        ("夜に", "夜に駆ける"),
        ("елочка", "Ёлочка"),
        ("strasse", "Straße"),
        ("oystein", "Straße"),
    ],
)
def test_case_accents_marks_and_order_do_not_matter(index: Index, text: str, title: str) -> None:
    assert titles(index, text)[0] == title


def test_the_last_word_may_be_cut_short(index: Index) -> None:
    assert titles(index, "frère jac") == ["Frère Jacques"]
    assert titles(index, "to beeth") == ["Ode to Joy"]
    assert set(titles(index, "tone 88")) == {"tone 880"}


def test_whole_words_come_before_beginnings_of_words(index: Index) -> None:
    assert titles(index, "440")[-1] == "tone 4400"
    assert len(titles(index, "440")) == 3


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("beethowen", "Ode to Joy"),
        ("frere jaques", "Frère Jacques"),
        ("ode to joy by beethoven", "Ode to Joy"),
    ],
)
def test_slips_are_forgiven_when_nothing_else_is_found(index: Index, text: str, title: str) -> None:
    assert titles(index, text)[0] == title


def test_another_number_is_no_slip(index: Index) -> None:
    assert titles(index, "tone 441") == []
    assert titles(index, "tone 8800") == []


@pytest.mark.parametrize(
    "text", ["", " ", "xyzzy", "qq", "🎉🎉", "\x00", "\ud800", "-", "''", "the quick brown fox"]
)
def test_nothing_found_is_nothing(index: Index, text: str) -> None:
    assert titles(index, text) == []


@pytest.mark.parametrize(
    "text",
    [
        'tone" OR "frere',
        '"tone',
        "tone*",
        "tone NEAR(440, 2)",
        "title : tone",
        "tone AND NOT 440",
        "^tone + 440",
        "tone'); DROP TABLE songs; --",
        "{title artist}: tone",
        "tone " * 800,
        "a" * 4000,
        "🎉" * 4000,
        "tone \x00 440 \ud800",
        "%_tone",
    ],
)
def test_what_is_typed_is_data(index: Index, text: str) -> None:
    index.search(text, 10)
    assert titles(index, "tone 440")[0] == "tone 440"


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(), max_size=300))
def test_any_text_is_answered(index: Index, text: str) -> None:
    index.search(text, 3)


def test_the_limit_holds(index: Index) -> None:
    assert len(titles(index, "tone", 2)) == 2
    assert titles(index, "tone", 0) == []


def test_the_exact_title_is_found_among_very_many_like_it() -> None:
    crowd = tuple(song(f"love {number} love love", path=f"{number}.mp3") for number in range(500))
    index = fill(
        Index(None), (*crowd, song("Love", "Somebody", path="love.mp3"), song("Lovely", path="lovely.mp3"))
    )
    assert titles(index, "love")[0] == "Love"
    index.close()


def test_what_was_replaced_or_removed_is_not_found() -> None:
    index = fill(Index(None), (song("old name", path="a.mp3"), song("other", path="b.mp3")))
    index.put({"a.mp3": (Stamp(2, 2), song("new name", path="a.mp3"))})
    index.remove(["b.mp3", "never.mp3"])
    assert titles(index, "name") == ["new name"]
    assert titles(index, "old name") == []
    assert titles(index, "other") == []
    assert titles(index, "otherr") == []
    assert index.stamps() == {"a.mp3": Stamp(2, 2)}
    index.close()


def test_a_file_that_cannot_be_read_is_remembered_and_never_found() -> None:
    index = Index(None)
    index.put({"broken.mp3": (STAMP, None)})
    assert index.stamps() == {"broken.mp3": STAMP}
    assert titles(index, "broken") == []
    index.close()


def test_the_index_outlives_its_process(tmp_path: Path) -> None:
    file = tmp_path / "music.sqlite3"
    fill(Index(file), (song("Joy"),)).close()
    again = Index(file)
    assert titles(again, "joy") == ["Joy"]
    again.close()


@pytest.mark.parametrize("damage", ["nonsense", "older", "scratched"])
def test_an_index_that_cannot_be_used_is_begun_again(tmp_path: Path, damage: str) -> None:
    file = tmp_path / "music.sqlite3"
    fill(Index(file), tuple(song(f"joy {number}") for number in range(300))).close()
    if damage == "nonsense":
        file.write_bytes(b"not a database, whatever its name says" * 100)
    elif damage == "older":
        with sqlite3.connect(file) as db:
            db.execute("PRAGMA user_version = 99")
        db.close()
    else:
        data = bytearray(file.read_bytes())
        data[8192:40960] = b"\xaa" * 32768
        file.write_bytes(data)
    again = Index(file)
    assert again.stamps() == {}
    fill(again, (song("Joy"),))
    assert titles(again, "joy") == ["Joy"]
    again.close()


def test_an_index_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        Index(tmp_path / "nowhere" / "music.sqlite3")


def test_what_is_most_like_the_question_comes_first() -> None:
    """The index itself would prefer a short text that says the same part of a word again and again."""
    crowd = tuple(song(f"number {number}") for number in range(20))
    wordy = song("Greensleeves, " + "played on a very old harp one evening in the garden " * 4)
    index = fill(Index(None), (*crowd, song("Sleeves sleeves sleeves"), wordy))
    assert titles(index, "grensleeves") == [wordy.title, "Sleeves sleeves sleeves"]
    index.close()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don’t — Señorita!", ("dont", "senorita")),
        ("STRASSE Straße", ("strasse", "strasse")),
        ("Łódź, Øystein, Æther", ("lodz", "oystein", "aether")),
        ("Ёлочка Йод", ("елочка", "иод")),
        ("AC/DC: T.N.T. (1975)", ("ac", "dc", "t", "n", "t", "1975")),
        ("हिन्दी गाना", ("हिनदी", "गाना")),
        ("ﬁne ①", ("fine", "1")),
        ("🎉", ()),
    ],
)
def test_folding(text: str, words: tuple[str, ...]) -> None:
    assert fold(text) == words


@given(st.text())
def test_folding_leaves_words_that_fold_to_themselves(text: str) -> None:
    words = fold(text)
    assert fold(" ".join(words)) == words
    assert all(word and not word.isspace() and '"' not in word for word in words)


def test_a_tag_is_cleaned_to_one_line() -> None:
    assert clean("a\nb\t\x00 c\ud800 👩‍🎤") == "a b c 👩‍🎤"
