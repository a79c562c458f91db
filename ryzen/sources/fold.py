"""Text as the search sees it: without case, accents, marks and punctuation."""

from __future__ import annotations

import unicodedata

#: Letters that look like others with a mark, and which Unicode does not take apart.
_LOOKALIKES = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"}
)
_APOSTROPHES = frozenset("'’‘ʼ`´")


def fold(text: str) -> tuple[str, ...]:
    """The words of a text: ``"Don’t — Señorita!"`` → ``("dont", "senorita")``.

    Words are runs of letters and digits of any script; an apostrophe joins. Nothing else is left in them.
    """
    plain = unicodedata.normalize("NFKD", text).casefold().translate(_LOOKALIKES)
    return tuple("".join(_folded(sign) for sign in plain).split())


def _folded(sign: str) -> str:
    if sign in _APOSTROPHES:
        return ""
    match unicodedata.category(sign):
        case "Mn" | "Me":  # the accents, now that letters are taken apart
            return ""
        case "Mc":  # vowels, in many scripts of India
            return sign
        case category:
            return sign if category[0] in "LN" else " "


def clean(text: str) -> str:
    """A tag as one line that can be stored and shown: no control characters, no halves of characters."""
    shown = "".join(sign if unicodedata.category(sign) not in ("Cc", "Cs") else " " for sign in text)
    return " ".join(shown.split())
