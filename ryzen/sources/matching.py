"""Which of these is the song that was meant? Better no song than a wrong one.

A song known by name (from Spotify, Apple, Deezer, …) is looked for where it can be played, and what comes
back is judged by one number between 0 and 1:

    score = title × artists × length × versions

title     the part of the wanted name's words that are there, and of the words there that are accounted for;
          a word counts for less in brackets, and hardly after a bar; numbers (No. 5, Part 2) must agree.
artists   the wanted artists found among those of the candidate, in any order, or weaker in its title; a guest
          whom nobody asked for counts against it.
length    nothing is lost within a tolerance that grows with the length; from there on it falls.
versions  live, remix, slowed, karaoke, …: a factor for each that only one of the two is, and one if the
          words around it (whose remix, live where) do not agree; the album may tell of one, too.

The same ISRC is the same recording, whatever else is written. All the numbers are in ``weights``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

import attrs
from rapidfuzz import fuzz

from ryzen.player.state import Track
from ryzen.sources import weights
from ryzen.sources.artists import Name, name_of, presence
from ryzen.sources.fold import clean
from ryzen.sources.titles import Place, Title, Version, is_small, read

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

    @classmethod
    def of(cls, track: Track) -> Candidate:
        return cls(track.title, (track.artist,) if track.artist else (), track.duration)


def best(wanted: Wanted, found: Sequence[T], seen_as: Callable[[T], Candidate]) -> T | None:
    """The one with the highest score, of equals the first; None if none is good enough."""
    return next(iter(ranked(wanted, found, seen_as)), None)


def ranked(wanted: Wanted, found: Sequence[T], seen_as: Callable[[T], Candidate]) -> tuple[T, ...]:
    """Those that are good enough, best first; equals stay in order."""
    wish = _Wish.read(wanted)
    scored = [(_score(wish, seen_as(one)), one) for one in found]
    scored.sort(key=lambda pair: -pair[0])
    return tuple(one for points, one in scored if points >= weights.ENOUGH)


def score(wanted: Wanted, candidate: Candidate) -> float:
    """How surely this is the recording wanted: 0 to 1."""
    return _score(_Wish.read(wanted), candidate)


@attrs.frozen
class _Wish:
    """What is wanted, taken apart once for all candidates. ``album`` are the versions that it tells of."""

    wanted: Wanted
    artists: tuple[Name, ...]
    title: Title
    album: frozenset[Version]

    @classmethod
    def read(cls, wanted: Wanted) -> _Wish:
        album = frozenset(read(wanted.album).versions())
        return cls(wanted, tuple(map(name_of, wanted.artists)), read(wanted.title), album)


def _score(wish: _Wish, candidate: Candidate) -> float:
    wanted, artists, ours = wish.wanted, wish.artists, wish.title
    theirs = read(candidate.title, (name.words for name in artists))
    points = (
        _title(ours, theirs, artists)
        * presence(artists, candidate.artists, ours, theirs)
        * _length(wanted.duration, candidate.duration, film=theirs.film)
        * _versions(ours, theirs, wish.album)
    )
    if "lyrics" in theirs.words and "lyrics" not in ours.words:
        points *= weights.LYRICS
    if wanted.isrc and candidate.isrc and wanted.isrc.upper() == candidate.isrc.upper():
        points = max(points, weights.SAME_ISRC)
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
    around, script = _around(theirs, ours), {_is_latin(word) for word, _ in wanted}
    over = [
        # The same in another script, as a service to those who read that.
        (word, weight * (weights.AROUND if word in around or _is_latin(word) not in script else 1))
        for word, weight in there
        if not _take(used, word) and word not in names
    ]
    recall = hit / sum(weight for _, weight in wanted)
    # The wanted name may stand in brackets over there: what was found counts as much as the name itself.
    precision = hit / (hit + sum(weight for _, weight in over))
    points = recall * (weights.WORDY + (1 - weights.WORDY) * precision)
    others = any(_is_number(word) for word, _ in over) and any(_is_number(word) for word in missed)
    return points * (weights.OTHER_NUMBER if others else 1.0)


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
        place = weights.PLACE[part.place]
        weighed += ((word, place * _importance(word)) for word in (*part.words, *plain))
    return weighed


def _around(title: Title, ours: Title) -> frozenset[str]:
    """Words of the parts beside the one that has all of the wanted name: the opera, the film, the cycle."""
    name = {word for part in ours.parts if part.place is Place.NAME for word in part.words}
    whole = next((part for part in title.parts if name and name <= set(part.words)), None)
    if whole is None or whole.place not in (Place.NAME, Place.DASH):
        return frozenset()
    others = (part for part in title.parts if part is not whole and not part.said)
    return frozenset(word for part in others for word in part.words)


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


def _is_latin(word: str) -> bool:
    return word.isascii()


def _importance(word: str) -> float:
    if _is_number(word):
        return weights.NUMBER
    return weights.SMALL_WORD if is_small(word) else 1.0


def _find(word: str, among: Counter[str]) -> str | None:
    if among[word] > 0:
        return word
    if len(word) < weights.ALIKE_FROM or word.isdigit():
        return None
    likely = ((fuzz.ratio(word, other), other) for other, count in among.items() if count > 0)
    ratio, other = max(likely, default=(0.0, ""))
    return other if ratio >= weights.ALIKE else None


def _take(words: Counter[str], word: str) -> bool:
    if words[word] <= 0:
        return False
    words[word] -= 1
    return True


# -- length
def _length(wanted: float | None, there: float | None, *, film: bool) -> float:
    if not wanted or not there:
        return weights.UNKNOWN_LENGTH
    tolerance = weights.TOLERANCE + weights.TOLERANCE_PART * max(wanted, there)
    away = abs(wanted - there) / tolerance
    left = weights.FILM if film and 0 < there - wanted < weights.LONGEST_FILM else weights.FAR_OFF
    return 1.0 - (1.0 - left) * min(max(away - 1.0, 0.0) / (weights.FAR - 1.0), 1.0)


# -- versions
def _versions(ours: Title, theirs: Title, album: frozenset[Version]) -> float:
    """Words in the wanted name itself allow a version, and do not ask for it: they are words of the title.

    So do those of the album ("MTV Unplugged"), if not quite: it may be called "Live Through This".
    """
    may, must, is_ = ours.versions(), ours.versions(Place.DASH, Place.BRACKET), theirs.versions()
    factor = 1.0
    for version in may.keys() | is_.keys():
        if is_[version] > may[version] or (must[version] and is_[version] < may[version]):
            lost = weights.VERSION.get(version, weights.OTHER_RECORDING)
            factor *= max(lost, weights.ON_ALBUM) if version in album and not must[version] else lost
    if must and is_:
        factor *= _closer(ours.closer, theirs.closer)
    return factor


def _closer(ours: frozenset[str], theirs: frozenset[str]) -> float:
    if not ours and not theirs:
        return 1.0
    if not ours or not theirs:
        return weights.UNTOLD
    shared = sum(1 for word in ours if _find(word, Counter(theirs)))
    return 1.0 if 2 * shared >= min(len(ours), len(theirs)) else weights.OTHER_CLOSER


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
    return clean(" ".join((*wanted.artists[:2], *title)))[: weights.LONGEST_QUERY]
