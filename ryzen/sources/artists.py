"""Names of artists, as shops, listings and channels write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import attrs

from ryzen.sources import weights
from ryzen.sources.titles import LONGEST, Title, Words, words_of

#: What channels have after the artist's name: ``Adele - Topic``, ``AdeleVEVO``.
_CHANNEL = re.compile(r"topic|vevo|official|music|channel|oficial|officiel|records|tv|videos")
#: What some say of a group and others leave out: ``Dave Brubeck``, ``The Dave Brubeck Quartet``.
_GROUP = re.compile(r"band|group|trio|quartet|quintet|sextet|orchestra|ensemble|project")
_BETWEEN = re.compile(
    r"\s*[,;/&•·+]\s*|\s+(?:and|x|vs\.?|feat\.?|ft\.?|featuring|with|и|y|et|und)\s+", re.IGNORECASE
)
#: Names looked at in one line of them.
_MOST = 12


@attrs.frozen
class Name:
    """``lead`` is who comes first, if there is somebody besides: Bob Marley, of him and the Wailers."""

    words: Words
    joined: str
    lead: Words = ()

    def is_same(self, other: Name) -> bool:
        return bool(self.joined) and self.joined == other.joined

    def is_in(self, text: Words) -> bool:
        """Whether the whole name stands somewhere in the text."""
        return _stands_in(self.words, text)

    def lead_is_in(self, text: Words) -> bool:
        return _stands_in(self.lead, text)

    def last_is_in(self, text: Words) -> bool:
        """Whether a last name is, that is long enough to say something: ``Bach``, not ``Li``."""
        return len(self.words) > 1 and len(self.words[-1]) >= 4 and self.words[-1] in text


def _stands_in(name: Words, text: Words) -> bool:
    size = len(name)
    return bool(size) and any(text[at : at + size] == name for at in range(len(text) - size + 1))


def name_of(artist: str) -> Name:
    words = words_of(artist)
    while len(words) > 1 and _CHANNEL.fullmatch(words[-1]):
        words = words[:-1]
    if len(words) > 2 and _GROUP.fullmatch(words[-1]):
        words = words[:-1]
    if len(words) > 1 and words[0] == "the":
        words = words[1:]
    joined = "".join(words)
    if len(joined) > len("vevo"):
        joined = joined.removesuffix("vevo")
    first = _BETWEEN.split(artist[:LONGEST], maxsplit=1)[0]
    return Name(words, joined, words_of(first) if len(first) < len(artist) else ())


def names_of(line: str) -> tuple[Name, ...]:
    """The line as one name, and each of its parts: ``Earth, Wind & Fire`` is one, ``Lady Gaga & Bradley
    Cooper`` are two, and nobody can tell by looking."""
    parts = [part for part in _BETWEEN.split(line[:LONGEST]) if part.strip()][:_MOST]
    names = [name_of(line), *(name_of(part) for part in parts if len(parts) > 1)]
    return tuple(dict.fromkeys(name for name in names if name.joined))


def presence(artists: Sequence[Name], lines: Sequence[str], ours: Title, theirs: Title) -> float:
    """How much of the score is left by who is there: ``lines`` are artists, or a channel."""
    if not artists:
        return weights.UNKNOWN_ARTISTS
    classical = _is_classical(ours)
    there = [name for line in lines for name in _people(line, artists)]
    credit = total = 0.0
    for at, artist in enumerate(artists):
        weight = weights.GUEST if (at == 0) == (classical and len(artists) > 1) else 1.0
        credit += weight * _credit(artist, there, theirs.words, composer=classical and at == 0)
        total += weight
    share = credit / total
    points = weights.NOBODY + (1 - weights.NOBODY) * share
    invited = any(artist.is_in(theirs.guests) for artist in artists) or set(theirs.guests) & set(ours.words)
    return points if invited or not theirs.guests else points * weights.STRANGER


def _people(line: str, artists: Sequence[Name]) -> tuple[Name, ...]:
    """Who is named there. The line as a whole, if that is one of the wanted: Earth, Wind & Fire."""
    whole, *parts = names_of(line) or (name_of(line),)
    return (whole,) if not parts or any(whole.is_same(artist) for artist in artists) else tuple(parts)


def _credit(artist: Name, there: Sequence[Name], text: Words, *, composer: bool) -> float:
    names = [name.words for name in there]
    if any(name.is_same(artist) for name in there):
        return 1.0
    if any(map(artist.is_in, (text, *names))):
        return weights.IN_TITLE
    if any(map(artist.lead_is_in, (text, *names))):
        return weights.LEAD
    return weights.LAST_NAME if composer and any(map(artist.last_is_in, (text, *names))) else 0.0


def _is_classical(title: Title) -> bool:
    """Whether a composer may be named by the last name alone, and whoever plays it is decisive."""
    words = title.words
    numbered = any(one == "no" and other.isdigit() for one, other in pairwise(words))
    return numbered or any(map(_CLASSICAL.fullmatch, words))


_CLASSICAL = re.compile(
    "op|opus|bwv|k|kv|hwv|rv|woo|sonata|concerto|symphony|sinfonie|symphonie|suite|nocturne|prelude|etude"
    "|requiem|quartet|minor|major|overture|cantata|variations"
)
