"""Which of these is the song that was meant?"""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matching_cases import CASES, TABLES, Case

from ryzen.player.state import Track
from ryzen.sources.matching import Candidate, Wanted, best, score, wishes, words_for
from ryzen.sources.weights import ENOUGH, SAME_ISRC

#: Words that are neither noise nor versions, nor small.
WORDS = st.sampled_from(
    [
        "amber",
        "basket",
        "copper",
        "dune",
        "ember",
        "forest",
        "glacier",
        "harbour",
        "indigo",
        "jungle",
        "kettle",
    ]
)
TITLES = st.lists(WORDS, min_size=1, max_size=4, unique=True).map(" ".join)
ARTISTS = st.lists(
    st.sampled_from(["Miriam Zed", "Quartz", "The Onlookers", "Ypsilon Trio"]),
    min_size=1,
    max_size=3,
    unique=True,
).map(tuple)
LENGTHS = st.floats(20, 1200)
NOISE = st.sampled_from(
    [
        "(Official Video)",
        "[HD]",
        "(Lyrics)",
        "| Official Audio",
        "- Remastered 2011",
        "(Official Music Video) [4K]",
    ]
)
OTHER_VERSIONS = """
Live, Remix, Cover, Karaoke Version, Instrumental, Acoustic, Slowed + Reverb, Sped Up, Nightcore, 8D Audio,
Extended Mix, Demo, Tribute, Piano Version, Mashup, Reaction, 1 Hour, Spanish Version, Full Album
"""
VERSIONS = st.sampled_from([version.strip() for version in OTHER_VERSIONS.split(",")])


def chosen(case: Case) -> Candidate | None:
    return best(case.wanted, case.found, lambda one: one)


def is_right(case: Case) -> bool:
    return chosen(case) in (case.right or (None,))


@pytest.mark.parametrize("table", TABLES)
def test_nineteen_of_twenty_songs_are_found_among_their_decoys(table: str) -> None:
    wrong = [f"{case.name}: {chosen(case)}" for case in TABLES[table] if not is_right(case)]
    print("wrong:", *wrong, sep="\n  ")
    assert len(wrong) <= 0.05 * len(TABLES[table]), wrong


def test_a_wrong_song_is_worse_than_none() -> None:
    """Without the right one among them, none of the decoys may pass."""
    passing = [case.name for case in CASES if best(case.wanted, case.decoys, lambda one: one) is not None]
    print("passing:", *passing, sep="\n  ")
    assert len(passing) <= 0.05 * len(CASES), passing


def test_the_table_is_long_enough_to_say_something() -> None:
    assert len(CASES) >= 60
    assert all(len(case.decoys) >= 3 for case in CASES)
    assert sum(not case.right for case in CASES) >= 4


@given(TITLES, ARTISTS, LENGTHS)
def test_the_same_song_is_certain(title: str, artists: tuple[str, ...], length: float) -> None:
    assert score(Wanted(title, artists, length), Candidate(title, artists, length)) == pytest.approx(1)


@given(TITLES, ARTISTS, LENGTHS, st.randoms())
def test_the_order_of_the_artists_does_not_matter(title, artists, length, random) -> None:
    turned = list(artists)
    random.shuffle(turned)
    assert score(
        Wanted(title, artists, length), Candidate(title, (" & ".join(turned),), length)
    ) == pytest.approx(1)


@given(TITLES, TITLES, ARTISTS, LENGTHS, NOISE)
def test_noise_never_raises_the_score(wanted, title, artists, length, noise) -> None:
    wish = Wanted(wanted, artists, length)
    clean = score(wish, Candidate(title, artists, length))
    noisy = score(wish, Candidate(f"{title} {noise}", artists, length))
    assert clean * 0.98 <= noisy <= clean + 1e-9


@given(TITLES, TITLES, WORDS, ARTISTS, LENGTHS)
def test_a_word_too_many_never_raises_the_score(wanted, title, word, artists, length) -> None:
    wish = Wanted(wanted, artists, length)
    if word not in wanted.split():
        more = score(wish, Candidate(f"{title} {word}", artists, length))
        assert more <= score(wish, Candidate(title, artists, length)) + 1e-9


@given(TITLES, ARTISTS, LENGTHS, VERSIONS)
def test_another_version_does_not_pass_for_the_plain_song_nor_the_other_way(
    title, artists, length, version
) -> None:
    plain, other = title, f"{title} ({version})"
    assert score(Wanted(plain, artists, length), Candidate(other, artists, length)) < ENOUGH
    assert score(Wanted(other, artists, length), Candidate(plain, artists, length)) < ENOUGH
    assert score(Wanted(other, artists, length), Candidate(other, artists, length)) == pytest.approx(1)


@given(TITLES, ARTISTS, LENGTHS, LENGTHS, st.floats(0, 300))
def test_the_further_off_the_length_the_lower_the_score_and_both_ways_alike(
    title, artists, ours, theirs, more
) -> None:
    near = score(Wanted(title, artists, ours), Candidate(title, artists, theirs))
    assert near == pytest.approx(score(Wanted(title, artists, theirs), Candidate(title, artists, ours)))
    farther = theirs + more if theirs >= ours else max(0.1, theirs - more)
    assert score(Wanted(title, artists, ours), Candidate(title, artists, farther)) <= near + 1e-9


@given(TITLES, ARTISTS)
def test_somebody_elses_song_of_that_name_does_not_pass(title, artists) -> None:
    assert score(Wanted(title, artists, 200), Candidate(title, ("Nobody Known",), 200)) < ENOUGH


@given(st.text(max_size=60), st.text(max_size=30), st.text(max_size=60), st.text(max_size=30))
def test_whatever_is_written_there_the_score_is_a_score(title, artist, other, somebody) -> None:
    assert 0 <= score(Wanted(title, (artist,), 100), Candidate(other, (somebody,), 100)) <= 1


@pytest.mark.parametrize(
    "hostile",
    ["a " * 2000, "(" * 4000, "feat. " * 800, "../" * 1000, "'\"<script>" * 400, "live " * 800, "\0\ud800"],
)
def test_hostile_titles_are_read_as_far_as_real_ones_go(hostile: str) -> None:
    assert 0 <= score(Wanted(hostile, (hostile,) * 50, 1), Candidate(hostile, (hostile,) * 50, 1)) <= 1


def test_the_same_isrc_is_the_same_recording_whatever_is_written() -> None:
    wanted = Wanted("Amber", ("Quartz",), 200, isrc="GBAYE0601498")
    assert score(wanted, Candidate("Jungle (Live)", ("Nobody",), 90, isrc="gbaye0601498")) >= SAME_ISRC
    assert score(wanted, Candidate("Jungle (Live)", ("Nobody",), 90, isrc="GBAYE0000000")) < 0.2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Señorita", "SENORITA"),
        ("Don't Stop", "Dont Stop"),
        ("Rock 'n' Roll", "Rock & Roll"),
        ("Rock and Roll", "Rock + Roll"),
        ("M.A.A.D City", "MAAD City"),
        ("Part II", "Part 2"),
        ("Song (feat. Somebody)", "Song ft. Somebody"),
        ("Song – Remastered 2011", "Song (2011 Remaster)"),
        ("Группа крови", "Gruppa krovi"),
        ("Spider-Man", "Spiderman"),
        ("Song (prod. by Maker)", "Song"),
    ],
)
def test_what_is_the_same_for_a_listener_is_the_same(one: str, other: str) -> None:
    for ours, theirs in ((one, other), (other, one)):
        assert score(Wanted(ours, ("Quartz",), 200), Candidate(theirs, ("Quartz",), 200)) == pytest.approx(
            1
        ), ours


@pytest.mark.parametrize(
    "channel", ["Quartz - Topic", "QuartzVEVO", "Quartz Official", "Quartz Music", "The Quartz", "quartz"]
)
def test_a_channel_named_after_the_artist_is_the_artist(channel: str) -> None:
    assert score(Wanted("Amber", ("Quartz",), 200), Candidate("Amber", (channel,), 200)) == pytest.approx(1)


def test_of_equals_the_first_is_taken() -> None:
    hits = [Track(str(at), "Amber", "any", "", "Quartz", 200) for at in range(3)]
    assert best(Wanted("Amber", ("Quartz",), 200), hits, Candidate.of) is hits[0]
    assert best(Wanted("Amber", ("Quartz",), 200), [], Candidate.of) is None


def test_a_remix_by_somebody_else_is_another_one() -> None:
    wanted = Wanted("Amber (Onlookers Remix)", ("Quartz",), 300)
    assert score(wanted, Candidate("Amber (Onlookers Remix)", ("Quartz",), 300)) > 0.9
    assert score(wanted, Candidate("Amber (Ypsilon Remix)", ("Quartz",), 300)) < ENOUGH
    assert score(wanted, Candidate("Amber (Remix)", ("Quartz",), 300)) > ENOUGH


def test_a_guest_may_be_left_out_and_may_not_come_uninvited() -> None:
    alone, invited = ("Amber", ("Quartz",), 200), ("Amber (feat. Miriam Zed)", ("Quartz", "Miriam Zed"), 200)
    assert score(Wanted(*invited), Candidate(*alone)) > 0.7
    assert score(Wanted(*alone), Candidate("Amber (feat. Miriam Zed)", ("Quartz",), 200)) < 0.85
    assert score(Wanted(*invited), Candidate("Amber ft. Miriam Zed", ("Quartz",), 200)) > 0.9


def test_another_number_is_another_work_however_much_else_is_the_same() -> None:
    title = "Piano Concerto No. {} in E-Flat Major, Op. 73 Emperor: II. Adagio un poco mosso"
    artists, wanted = (
        ("Ludwig van Beethoven", "Ypsilon Trio"),
        Wanted(title.format(5), ("Ypsilon Trio",), 400),
    )
    assert score(wanted, Candidate(title.format(5), artists, 400)) > 0.9
    assert score(wanted, Candidate(title.format(4), artists, 400)) < ENOUGH
    assert score(wanted, Candidate(title.format(5).replace("II.", "III."), artists, 400)) < ENOUGH


def test_a_live_recording_of_a_song_called_live_says_it_twice() -> None:
    plain, live = Candidate("Live Amber", ("Quartz",), 200), Candidate("Live Amber (Live)", ("Quartz",), 200)
    assert score(Wanted("Live Amber", ("Quartz",), 200), plain) > 0.9
    assert score(Wanted("Live Amber", ("Quartz",), 200), live) < ENOUGH
    assert score(Wanted("Live Amber (Live)", ("Quartz",), 200), plain) < ENOUGH
    assert score(Wanted("Live Amber (Live)", ("Quartz",), 200), live) > 0.9


def test_an_album_may_tell_that_it_was_live() -> None:
    plain, live = Candidate("Amber", ("Quartz",), 230), Candidate("Amber (Live)", ("Quartz",), 260)
    unplugged = Wanted("Amber", ("Quartz",), 260, album="MTV Unplugged in New York")
    assert best(unplugged, (plain, live), lambda one: one) is live
    assert best(attrs.evolve(unplugged, album="Colours"), (plain, live), lambda one: one) is plain
    through = Wanted("Amber", ("Quartz",), 230, album="Live Through This")
    assert best(through, (attrs.evolve(live, duration=230), plain), lambda one: one) is plain


def test_a_music_video_may_be_longer_and_a_recording_may_not() -> None:
    wanted = Wanted("Amber", ("Quartz",), 180)
    assert score(wanted, Candidate("Quartz - Amber (Official Video)", ("QuartzVEVO",), 240)) > ENOUGH
    assert score(wanted, Candidate("Quartz - Amber (Official Audio)", ("QuartzVEVO",), 240)) < ENOUGH
    assert score(wanted, Candidate("Quartz - Amber (Official Video)", ("QuartzVEVO",), 120)) < ENOUGH
    assert score(wanted, Candidate("Quartz - Amber (Official Video)", ("QuartzVEVO",), 900)) < ENOUGH


def test_the_words_of_an_upload_may_name_the_artist() -> None:
    assert wishes("Quartz - Amber", "Label", 200) == (
        Wanted("Amber", ("Quartz",), 200),
        Wanted("Quartz - Amber", ("Label",), 200),
    )
    assert wishes("Amber", "") == (Wanted("Amber"),)
    assert wishes(" - ", "Label") == (Wanted(" - ", ("Label",)),)


def test_what_is_searched_for_has_no_noise_in_it() -> None:
    wanted = Wanted("Amber (feat. Zed) - 2011 Remaster", ("Quartz", "Zed"), 200)
    assert words_for(wanted) == "Quartz Zed amber"
    assert words_for(Wanted("Amber (Live)", ("Quartz",))) == "Quartz amber live"
    assert len(words_for(Wanted("long " * 900, ("a" * 900,)))) <= 200
