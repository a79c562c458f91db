"""Names of artists, as shops, listings and channels write them."""

from __future__ import annotations

import re

import attrs

from ryzen.sources.titles import LONGEST, Words, words_of

#: What channels have after the artist's name: ``Adele - Topic``, ``AdeleVEVO``.
_CHANNEL = re.compile(r"topic|vevo|official|music|channel|oficial|officiel|records|band|tv|videos")
_BETWEEN = re.compile(
    r"\s*[,;/&•·+]\s*|\s+(?:and|x|vs\.?|feat\.?|ft\.?|featuring|with|и|y|et|und)\s+", re.IGNORECASE
)
#: Names looked at in one line of them.
_MOST = 12


@attrs.frozen
class Name:
    words: Words
    joined: str

    def is_same(self, other: Name) -> bool:
        return bool(self.joined) and self.joined == other.joined

    def is_in(self, text: Words) -> bool:
        """Whether the whole name stands somewhere in the text."""
        size = len(self.words)
        return bool(size) and any(text[at : at + size] == self.words for at in range(len(text) - size + 1))

    def last_is_in(self, text: Words) -> bool:
        """Whether a last name is, that is long enough to say something: ``Bach``, not ``Li``."""
        return len(self.words) > 1 and len(self.words[-1]) >= 4 and self.words[-1] in text


def name_of(artist: str) -> Name:
    words = words_of(artist)
    while len(words) > 1 and _CHANNEL.fullmatch(words[-1]):
        words = words[:-1]
    if len(words) > 1 and words[0] == "the":
        words = words[1:]
    joined = "".join(words)
    if len(joined) > len("vevo"):
        joined = joined.removesuffix("vevo")
    return Name(words, joined)


def names_of(line: str) -> tuple[Name, ...]:
    """The line as one name, and each of its parts: ``Earth, Wind & Fire`` is one, ``Lady Gaga & Bradley
    Cooper`` are two, and nobody can tell by looking."""
    parts = [part for part in _BETWEEN.split(line[:LONGEST]) if part.strip()][:_MOST]
    names = [name_of(line), *(name_of(part) for part in parts if len(parts) > 1)]
    return tuple(dict.fromkeys(name for name in names if name.joined))
