"""Which of these is the song that was meant? Better no song than a wrong one.

A song known by name (from Spotify, Apple, Deezer, …) is looked for where it can be played, and what comes
back is judged by one number between 0 and 1:

    score = title × artists × length × versions

title     the part of the wanted name's words that are there, and of the words there that are accounted for;
          a word counts for less in brackets, and hardly after a bar; numbers (No. 5, Part 2) must agree.
artists   the wanted artists found among those of the candidate, in any order, or weaker in its title. Both
          having somebody whom the other has not is worse than one being less complete.
length    nothing is lost within a tolerance that grows with the length; from there on it falls.
versions  live, remix, slowed, karaoke, …: a factor for each that only one of the two is, and one if the
          words around it (whose remix, live where) do not agree.

The same ISRC is the same recording, whatever else is written. All the numbers are below.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

import attrs
from rapidfuzz import fuzz

from ryzen.player.state import Track
from ryzen.sources.artists import Name, name_of, names_of
from ryzen.sources.fold import clean
from ryzen.sources.titles import Place, Title, Version, Words, is_small, read, words_of

#: Below this nobody should be given it. A right title by somebody else stays at 0.35, a plain one for a
#: remix at 0.3; a right song in a music video with half a minute of film around it has 0.7.
ENOUGH = 0.6
#: What the same ISRC is worth, at least. Not 1: labels have given one to two masters now and then.
SAME_ISRC = 0.98

#: What a word weighs by where it stands. Brackets hold what is said in passing, and sometimes a part of the
#: name: "(I Can't Get No) Satisfaction". Behind bars uploaders list cast, label and genre.
WEIGHT = {Place.NAME: 1.0, Place.DASH: 0.8, Place.BRACKET: 0.5, Place.ASIDE: 0.1}
#: "The" says little, and a number much: "Part 2", "No. 5".
SMALL_WORD, NUMBER = 0.25, 2.0
#: How alike two words must be to count as one with a slip in it, in percent; shorter ones must be equal.
ALIKE, ALIKE_FROM = 84.0, 5
#: What is left if a title has all the wanted words and infinitely many others.
WORDY = 0.35
#: If each has a number that the other has not, it is another part of the work.
OTHER_NUMBER = 0.5

#: What is left if none of the artists is the wanted one; and when nothing is known of them.
NOBODY, UNKNOWN_ARTISTS = 0.35, 0.7
#: The first artist is the one whose song it is; guests are left out here and there.
GUEST = 0.4
#: A name in the title is weaker than one that the place itself gives; a composer's last name too.
IN_TITLE, LAST_NAME = 0.85, 0.8
#: Both have somebody whom the other has not: another orchestra plays the same symphony.
DISAGREE = 0.6

#: Seconds that shops and uploads differ by for the same recording: silence at the ends, and clocks.
TOLERANCE, TOLERANCE_PART = 3.0, 0.02
#: At so many tolerances nothing more is lost: 56 s for a song of 200 s.
FAR = 8.0
#: What is left at that distance, and when a length is not known: less than within tolerance, more than far.
FAR_OFF, UNKNOWN_LENGTH = 0.3, 0.88

#: For each version that only one of the two is. The rest are other recordings, without a doubt: 0.3.
OTHER_RECORDING = 0.3
VERSION = {
    Version.OTHER: 0.5,  # "Album Version" is noise, but "Spanish Version" is not
    Version.EXTENDED: 0.55,  # the length says the rest
    Version.EDIT: 0.85,  # often the very file of the single
    Version.CLEAN: 0.9,
}
#: Somebody else's remix; one of the two tells more of it than the other.
OTHER_CLOSER, UNTOLD = 0.4, 0.85
#: Signs of a question; search pages cut longer ones.
LONGEST_QUERY = 200
#: A lyric video is as good as any; among equals what has less about it is taken.
LYRICS = 0.99

T = TypeVar("T")


@attrs.frozen
class Wanted:
    """A recording as a shop describes it. ``duration`` in seconds."""

    title: str
    artists: tuple[str, ...] = ()
    duration: float | None = None
    isrc: str | None = None
    album: str = ""


@attrs.frozen
class Candidate:
    """Something that can be played. ``artists`` may be no more than the name of a channel."""

    title: str
    artists: tuple[str, ...] = ()
    duration: float | None = None
    isrc: str | None = None
    album: str = ""

    @classmethod
    def of(cls, track: Track) -> Candidate:
        return cls(track.title, (track.artist,) if track.artist else (), track.duration)


def best(wanted: Wanted, found: Sequence[T], seen_as: Callable[[T], Candidate]) -> T | None:
    """The one with the highest score, of equals the first; None if none is good enough."""
    return next(iter(ranked(wanted, found, seen_as)), None)


def ranked(wanted: Wanted, found: Sequence[T], seen_as: Callable[[T], Candidate]) -> tuple[T, ...]:
    """Those that are good enough, best first; equals stay in order."""
    scored = [(score(wanted, seen_as(one)), one) for one in found]
    scored.sort(key=lambda pair: -pair[0])
    return tuple(one for points, one in scored if points >= ENOUGH)


def score(wanted: Wanted, candidate: Candidate) -> float:
    """How surely this is the recording wanted: 0 to 1."""
    artists = tuple(name_of(artist) for artist in wanted.artists)
    ours = read(wanted.title)
    theirs = read(candidate.title, (name.words for name in artists))
    points = (
        _title(ours, theirs, artists)
        * _artists(artists, candidate, ours)
        * _length(wanted.duration, candidate.duration)
        * _versions(ours, theirs)
    )
    if "lyrics" in words_of(candidate.title) and "lyrics" not in words_of(wanted.title):
        points *= LYRICS
    if wanted.isrc and candidate.isrc and wanted.isrc.upper() == candidate.isrc.upper():
        points = max(points, SAME_ISRC)
    return points


# -- title
def _title(ours: Title, theirs: Title, artists: Sequence[Name]) -> float:
    wanted, there = _weighed(ours, ours), _weighed(theirs, ours)
    wanted, there = _joined(wanted, there), _joined(there, wanted)
    left = Counter(word for word, _ in there)
    used: Counter[str] = Counter()
    hit, missed = 0.0, []
    for word, weight in wanted:
        match = _find(word, left)
        if match is None:
            missed.append(word)
            continue
        hit += weight
        left[match] -= 1
        used[match] += 1
    if not hit:
        return 0.0
    names = {word for name in artists for word in name.words}
    over = [(word, weight) for word, weight in there if not _take(used, word) and word not in names]
    recall = hit / sum(weight for _, weight in wanted)
    # The wanted name may stand in brackets over there: what was found counts as much as the name itself.
    precision = hit / (hit + sum(weight for _, weight in over))
    points = recall * (WORDY + (1 - WORDY) * precision)
    others = any(_is_number(word) for word, _ in over) and any(_is_number(word) for word in missed)
    return points * (OTHER_NUMBER if others else 1.0)


def _weighed(title: Title, ours: Title) -> list[tuple[str, float]]:
    """Words and weights. Those that would tell a version are words like others if they are in the wanted
    name itself: "Live Forever", "Piano Man". What is said around a version is for ``_closer``."""
    named = Counter(
        word
        for part in ours.parts
        if part.place is Place.NAME
        for _, said in part.said
        for word in said.split()
    )
    weighed: list[tuple[str, float]] = []
    for part in title.parts:
        said = [word for _, text in part.said for word in text.split()]
        plain = [word for word in said if _take(named, word)]
        if said and not plain and part.place is not Place.NAME:
            continue
        weighed += ((word, WEIGHT[part.place] * _importance(word)) for word in (*part.words, *plain))
    return weighed


def _joined(weighed: list[tuple[str, float]], others: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """Two words in one where the other has them so: Spider-Man, Spiderman."""
    known = {word for word, _ in others}
    result: list[tuple[str, float]] = []
    for word, weight in weighed:
        if result and word not in known and result[-1][0] + word in known:
            before, its = result.pop()
            result.append((before + word, its + weight))
        else:
            result.append((word, weight))
    return result


def _is_number(word: str) -> bool:
    """Not a year, or a work's number in a catalogue."""
    return word.isdigit() and len(word) < 4


def _importance(word: str) -> float:
    if _is_number(word):
        return NUMBER
    return SMALL_WORD if is_small(word) else 1.0


def _find(word: str, among: Counter[str]) -> str | None:
    if among[word] > 0:
        return word
    if len(word) < ALIKE_FROM or word.isdigit():
        return None
    likely = ((fuzz.ratio(word, other), other) for other, count in among.items() if count > 0)
    ratio, other = max(likely, default=(0.0, ""))
    return other if ratio >= ALIKE else None


def _take(words: Counter[str], word: str) -> bool:
    if words[word] <= 0:
        return False
    words[word] -= 1
    return True


# -- artists
def _artists(artists: Sequence[Name], candidate: Candidate, ours: Title) -> float:
    if not artists:
        return UNKNOWN_ARTISTS
    classical = _is_classical(ours)
    there = [name for line in candidate.artists for name in _people(line, artists)]
    text = words_of(candidate.title)
    known = 0
    credit = total = 0.0
    missing = False
    for at, artist in enumerate(artists):
        # A composer may be left out where those who play are named, and a guest where the artist is.
        weight = GUEST if (at == 0) == (classical and len(artists) > 1) else 1.0
        found, same = _presence(artist, there, text, classical)
        known += same
        missing |= not found
        credit += weight * found
        total += weight
    share = credit / total
    if missing and 0 < known < len(there):
        share *= DISAGREE
    return NOBODY + (1 - NOBODY) * share


def _people(line: str, artists: Sequence[Name]) -> tuple[Name, ...]:
    """Who is named there. The line as a whole, if that is one of the wanted: Earth, Wind & Fire."""
    whole, *parts = names_of(line) or (name_of(line),)
    return (whole,) if not parts or any(whole.is_same(artist) for artist in artists) else tuple(parts)


def _presence(artist: Name, there: Sequence[Name], text: Words, classical: bool) -> tuple[float, int]:
    """What it counts for, and how many of those there it is."""
    same = sum(1 for name in there if name.is_same(artist))
    if same:
        return 1.0, same
    if artist.is_in(text) or any(artist.is_in(name.words) for name in there):
        return IN_TITLE, 0
    if classical and artist.last_is_in(text):
        return LAST_NAME, 0
    close = sum(1 for name in there if classical and artist.last_is_in(name.words))
    return (LAST_NAME, close) if close else (0.0, 0)


def _is_classical(title: Title) -> bool:
    """Whether a composer may be named by the last name alone, and whoever plays it is decisive."""
    return any(_CLASSICAL.fullmatch(word) for part in title.parts for word in part.words)


_CLASSICAL = re.compile(
    "op|opus|bwv|k|kv|hwv|rv|woo|sonata|concerto|symphony|sinfonie|symphonie|suite|nocturne|prelude|etude"
    "|requiem|quartet|minor|major|overture|cantata|variations"
)


# -- length
def _length(wanted: float | None, there: float | None) -> float:
    if not wanted or not there:
        return UNKNOWN_LENGTH
    tolerance = TOLERANCE + TOLERANCE_PART * max(wanted, there)
    away = abs(wanted - there) / tolerance
    return 1.0 - (1.0 - FAR_OFF) * min(max(away - 1.0, 0.0) / (FAR - 1.0), 1.0)


# -- versions
def _versions(ours: Title, theirs: Title) -> float:
    """Words in the wanted name itself allow a version, and do not ask for it: they are words of the title."""
    may, must, is_ = ours.versions(), ours.versions(Place.DASH, Place.BRACKET), theirs.versions()
    factor = 1.0
    for version in may.keys() | is_.keys():
        if is_[version] > may[version] or must[version] > is_[version]:
            factor *= VERSION.get(version, OTHER_RECORDING)
    if must and is_:
        factor *= _closer(ours.closer, theirs.closer)
    return factor


def _closer(ours: frozenset[str], theirs: frozenset[str]) -> float:
    if not ours and not theirs:
        return 1.0
    if not ours or not theirs:
        return UNTOLD
    shared = sum(1 for word in ours if _find(word, Counter(theirs)))
    return 1.0 if 2 * shared >= min(len(ours), len(theirs)) else OTHER_CLOSER


# -- search
def wishes(title: str, artist: str, duration: float | None = None) -> tuple[Wanted, ...]:
    """What somebody else's words for a song may mean, the likelier first.

    Who uploads a video often writes the artist into its title, and has a channel of another name.
    """
    plain = Wanted(title, (artist,) if artist else (), duration)
    before, after = (*_DASH.split(title, maxsplit=1), "")[:2]
    return (Wanted(after, (before,), duration), plain) if before and after else (plain,)


_DASH = re.compile(r"\s+[-–—]\s+")


def words_for(wanted: Wanted) -> str:
    """What to search for: the artists, and the name with its version, without noise."""
    parts = read(wanted.title).parts
    title = (word for part in parts for word in (*part.words, *(said for _, said in part.said)))
    return clean(" ".join((*wanted.artists[:2], *title)))[:LONGEST_QUERY]
