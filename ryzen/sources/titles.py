"""What the title of a song says: its name, its guests, and which version of it this is.

Shops write ``Song (feat. Guest) - Remastered 2011``, people ``ARTIST【Song】Official Video HD | Lyrics``.
Both are taken apart into the same pieces, so that they can be compared.
"""

from __future__ import annotations

import enum
import re
from collections import Counter
from collections.abc import Iterable, Iterator

import attrs

from ryzen.sources.fold import fold

Words = tuple[str, ...]

#: Signs of a title that are looked at: the longest real ones have 250.
LONGEST = 300


class Place(enum.Enum):
    """Where in a title a part stands."""

    NAME = enum.auto()
    DASH = enum.auto()  #: after `` - ``: shops put versions there, classical ones the movement
    BRACKET = enum.auto()
    ASIDE = enum.auto()  #: after a bar: cast, label, genre


class Version(enum.Enum):
    """What makes it another recording than the plain one."""

    LIVE = enum.auto()
    REMIX = enum.auto()
    COVER = enum.auto()
    KARAOKE = enum.auto()
    INSTRUMENTAL = enum.auto()
    ACOUSTIC = enum.auto()
    TEMPO = enum.auto()  #: slowed, sped up, nightcore
    EFFECT = enum.auto()  #: 8d, bass boosted
    LOFI = enum.auto()
    DEMO = enum.auto()
    TRIBUTE = enum.auto()
    PLAYED = enum.auto()  #: on an instrument
    MASHUP = enum.auto()
    ABOUT = enum.auto()  #: talk about the song: reactions, lessons, trailers
    LOOP = enum.auto()
    WHOLE = enum.auto()  #: an album or a collection in one
    OTHER = enum.auto()  #: "… Version": in another language, by the artist again
    EXTENDED = enum.auto()
    EDIT = enum.auto()
    CLEAN = enum.auto()


_VERSIONS = {
    Version.KARAOKE: r"karaoke|sing ?along|in the style of|made (?:famous|popular) by|backing track|minus one"
    r"|originally performed by|カラオケ|караоке",
    Version.WHOLE: r"full (?:album|concert|ep|show)|greatest hits|best of|playlist|compilation|non ?stop"
    r"|(?:audio )?jukebox|top \d+|all songs",
    Version.ABOUT: r"reaction|reacts?|reacting|tutorial|lesson|how to (?:play|sing)|explained|making of"
    r"|behind the scenes|interview|trailer|teaser|preview|snippet|commentary|chords|review|analysis"
    r"|documentary|ringtone|parody|dance (?:practice|cover)|choreography|vocal coach|podcast",
    Version.LOOP: r"(?:\d+|one|ten) ?(?:hours?|hrs?|h|horas?|stunden)|hours? (?:loop|version)|loop(?:ed)?"
    r"|\d+ ?min(?:ute)?s? loop|1時間|час(?:а|ов)? подряд",
    Version.TEMPO: r"slowed(?: down)?|reverb(?:ed)?|sp(?:ed|eed|eeded) ?up|nightcore|daycore|chopped|screwed"
    r"|fast(?:er)? version|slow(?:er)? version|замедлен(?:о|ная)|ускорен(?:о|ная)",
    Version.EFFECT: r"(?:8|9|16)d|3d audio|bass boosted",
    Version.LOFI: r"lo ?fi",
    Version.TRIBUTE: r"tribute|homage|as performed by",
    Version.COVER: r"cover(?:s|ed)?|covering|кавер|歌ってみた|弾いてみた",
    Version.INSTRUMENTAL: r"instrumental(?:es)?|inst|off vocal|(?:no|without) vocals?|минусовка",
    Version.ACOUSTIC: r"acoustic|acustic[oa]|akustik|acoustique|stripped|акустика",
    Version.DEMO: r"demos?|outtake|(?:alternate|early) (?:take|version)|rehearsals?|work in progress",
    Version.MASHUP: r"mash ?up|medley|megamix",
    Version.PLAYED: r"piano|violin|guitar|cello|flute|harp|music box|ukulele|sax(?:ophone)?|drums?|8 ?bit"
    r"|marimba|string quartet|orchestral|lullaby|choir|a ?cappella",
    Version.LIVE: r"(?:recorded )?live|en vivo|ao vivo|en directo|dal vivo|unplugged|in concert|вживую"
    r"|концерт|ライブ",
    Version.EXTENDED: r"extended(?: (?:mix|version|edit|play))?|12 (?:inch|mix|version)|club mix",
    Version.EDIT: r"(?:radio|single|video|short|album) edit|radio (?:version|mix)|edit|edited|cut|tv size"
    r"|short version",
    Version.REMIX: r"remix(?:ed)?|rmx|bootleg|flip|rework(?:ed)?|refix|mix|dub|ремикс",
    Version.CLEAN: r"clean|censored",
    Version.OTHER: r"version|versao|versione|ver|re ?recorded|rerecording|reimagined|revisited|verze|версия",
}
#: Said of the recording, or of the upload, and true of the plain song as well.
_NOISE = (
    r"(?:\d{4} )?(?:digital(?:ly)? )?re ?master(?:ed|izado)?(?: version| edition)?(?: \d{4})?",
    r"official (?:music |lyrics? |hd |4k |audio )*(?:video|audio|visuali[sz]er|clip|mv|song)",
    r"official|oficial|officiel(?:le)?|offizielles?",
    r"(?:lyrics?|lyrical|music|full|hd|4k|original|video) (?:video|song|audio|clip)",
    r"(?:full )?video song|video ?clip(?:e|ip)?|clip officiel|video oficial|audio oficial|musikvideo",
    r"(?:album|single|original|lp|full|studio|main) version|original (?:mix|recording|soundtrack)",
    r"with lyrics|lyrics?(?: in description)?|letra|paroles|текст|sub(?:titulad[oa]|s)?(?: espanol)?",
    r"(?:english|eng|legendado) sub(?:s|titles)?|color coded|romaji|歌詞(?:付き)?",
    r"video|audio|visuali[sz]er|mv|m v|pv|hd|hq|uhd|4k|1080p|720p|high quality|60fps|upscaled",
    r"explicit|mono|stereo|bonus track|deluxe(?: edition)?|(?:expanded|anniversary) edition|ost|topic|vevo",
    r"премьера(?: клипа)?(?: \d{4})?|клип|официальн(?:ый|ое) (?:клип|видео)",
)
#: Shops write Russian names in Latin letters now and then; there are several ways, and mostly they differ by
#: no more than a slip.
_LATIN = str.maketrans(
    dict(zip("абвгдезиклмнопрстуфхыэієґ", "abvgdeziklmnoprstufhyeieg", strict=True))
    | {"ж": "zh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ю": "yu", "я": "ya", "ъ": "", "ь": ""}
)


def _whole_words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\S)(?:{pattern})(?!\S)")


def _folded(pattern: str) -> str:
    """As ``fold`` leaves letters: some of the patterns above have marks that it takes away."""
    letters = ("".join(fold(sign)) if ord(sign) > 127 else sign for sign in pattern)
    return "".join(letters).translate(_LATIN)


_SAID = tuple((version, _whole_words(_folded(pattern))) for version, pattern in _VERSIONS.items())
_SAID_AT_ALL = _whole_words(_folded("|".join(_VERSIONS.values())))
_IDLE = _whole_words(_folded("|".join(_NOISE)))
_FILM = _whole_words(r"video|mv|m v|clip|videoclip|musikvideo|klip")
_LYRICS = frozenset({"lyric", "lyrics", "audio", "letra"})
_GUESTS = _whole_words(r"(?:feat|ft|featuring)")
_MAKERS = _whole_words(r"(?:prod|produced)(?: by)?")

_OPEN, _CLOSE = "([{【〔（［", ")]}】〕）］"
_BREAK = re.compile(r"\s+[-–—―~]+\s+|(?<=[^\s\d])[-–—]\s+|\s*[|｜•·]\s*|\s+//+\s+|\s*:\s+")
_BAR = re.compile(r"[|｜•·]|//")
#: Where scripts without spaces begin and end: ``晴天Sunny`` is two words.
_SEAM = re.compile(r"(?<=[぀-ヿ㐀-鿿가-힯])(?=[A-Za-z0-9])|(?<=[A-Za-z0-9])(?=[぀-ヿ㐀-鿿가-힯])")
_INITIALS = re.compile(r"(?<=\b\w)\.(?=\w\b)")
_ROMAN = {"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9"}
_MOVEMENT = re.compile(r"(?<!\w)([ivx]+)\.(?=\s)", re.IGNORECASE)
_SIGNS = str.maketrans({"&": " and ", "+": " and ", "$": "s", "「": " ", "」": " ", "『": " ", "』": " "})
_JOINERS = frozenset({"and", "x", "vs", "feat", "ft", "with", "by", "of"})


@attrs.frozen
class Part:
    """``words`` without those that tell a version or nothing; ``said`` are the former."""

    words: Words
    place: Place
    said: tuple[tuple[Version, str], ...] = ()


@attrs.frozen
class Title:
    """``words`` are all of them, as they stand there."""

    parts: tuple[Part, ...]
    guests: Words = ()  #: all that follows "feat."
    words: Words = ()

    @property
    def film(self) -> bool:
        """Whether it says that it is a music video, with pictures of its own."""
        return not _LYRICS.intersection(self.words) and bool(_FILM.search(" ".join(self.words)))

    def versions(self, *places: Place) -> Counter[Version]:
        """In how many parts each is said: a live recording of a song called "Live" says it in two."""
        parts = (part for part in self.parts if not places or part.place in places)
        return Counter(version for part in parts for version in {version for version, _ in part.said})

    @property
    def closer(self) -> frozenset[str]:
        """What is said of the version: by whom the remix, where it was live."""
        return frozenset(
            word
            for part in self.parts
            if part.said and part.place in (Place.DASH, Place.BRACKET)
            for word in part.words
            if not is_small(word)
        )


_SMALL = re.compile("an?|and|at|by|del?|der|des|die|das|el|en|from|in|la|las|les?|los|of|on|s|the|to|und|x|y")


def is_small(word: str) -> bool:
    """Whether nearly every title may have this word."""
    return _SMALL.fullmatch(word) is not None


def words_of(text: str) -> Words:
    """Folded words; ``&`` is "and", ``A$AP`` is "asap", ``M.A.A.D`` "maad"; Roman numbers are Arabic,
    Cyrillic letters Latin; other scripts stay."""
    text = _MOVEMENT.sub(lambda found: f"{_number(found[1].lower())} ", text[:LONGEST])
    text = _INITIALS.sub("", _SEAM.sub(" ", text.translate(_SIGNS)))
    words = (word.translate(_LATIN) for word in fold(text))
    return tuple(_ROMAN.get(word, "and" if word == "n" else word) for word in words)


def read(title: str, artists: Iterable[Words] = ()) -> Title:
    """``artists``: names (folded) that may stand at the edges of the song's own, and are no part of it.

    What would leave nothing at all is not taken away: there are songs called "Video" and "Iron Maiden".
    """
    names = sorted(artists, key=len, reverse=True)
    pieces = [(words_of(text), place) for text, place in _pieces(title[:LONGEST])]
    pieces = _without(names, [(words, place) for words, place in pieces if words])
    guests: list[str] = []
    parts = []
    for words, place in pieces:
        part, found = _part(words, place)
        guests += found
        if part.words or part.said:
            parts.append(part)
    if not any(part.words or part.place is Place.NAME for part in parts):
        # Nothing but noise: then the first of it is the name.
        parts = [Part(words, Place.NAME) for words, _ in pieces[:1]] + parts
    return Title(tuple(parts), tuple(guests), words_of(title))


def _pieces(title: str) -> Iterator[tuple[str, Place]]:
    """The title cut at brackets, dashes and bars; the first piece outside of brackets is the name."""
    outside, inside, depth = [], [""], 0
    for sign in title:
        if sign in _OPEN:
            depth += 1
            outside.append(" ")
            inside.append("")
        elif sign in _CLOSE and depth:
            depth -= 1
        elif depth:
            inside[-1] += sign
        else:
            outside.append(sign)
    text, place, at = "".join(outside), Place.NAME, 0
    for gap in _BREAK.finditer(text):
        if text[at : gap.start()].strip():
            yield text[at : gap.start()], place
            place = Place.DASH
        place = Place.ASIDE if _BAR.search(gap[0]) and place is not Place.NAME else place
        at = gap.end()
    yield text[at:], place
    yield from ((text, Place.BRACKET) for text in inside)


def _without(names: list[Words], pieces: list[tuple[Words, Place]]) -> list[tuple[Words, Place]]:
    """Each name is taken away once, from the edge of a piece; the next piece moves up if one is used up."""
    for name in names:
        for at, (words, place) in enumerate(pieces):
            rest = _strip(words, name)
            if rest is None or not (rest or len(pieces) > 1):
                continue
            if rest and place is not Place.NAME and _tells(words):
                continue  # it tells whose remix it is
            if rest:
                pieces[at] = (rest, place)
            elif any(other is not Place.BRACKET and not _idle(left) for left, other in _others(pieces, at)):
                del pieces[at]
            else:
                continue
            break
    if pieces and all(place is not Place.NAME for _, place in pieces):
        pieces[0] = (pieces[0][0], Place.NAME)
    return pieces


def _others(pieces: list[tuple[Words, Place]], at: int) -> list[tuple[Words, Place]]:
    return pieces[:at] + pieces[at + 1 :]


def _idle(words: Words) -> bool:
    return not _IDLE.sub("", " ".join(words)).strip()


def _tells(words: Words) -> bool:
    return _SAID_AT_ALL.search(" ".join(words)) is not None


def _strip(words: Words, name: Words) -> Words | None:
    """None if the name stands at neither edge."""
    if not name:
        return None
    if words[: len(name)] == name:
        rest = words[len(name) :]
    elif words[-len(name) :] == name:
        rest = words[: -len(name)]
    else:
        return None
    while rest and rest[0] in _JOINERS:
        rest = rest[1:]
    while rest and rest[-1] in _JOINERS:
        rest = rest[:-1]
    return rest


def _part(words: Words, place: Place) -> tuple[Part, Words]:
    """The part, and who else is said to be in it."""
    text = _IDLE.sub(" ", " ".join(words))
    said: list[tuple[Version, str]] = []
    for version, pattern in _SAID if _SAID_AT_ALL.search(text) else ():
        said += ((version, found[0]) for found in pattern.finditer(text))
        text = pattern.sub(" ", text)
    if place is Place.BRACKET and words[0] in ("with", "w"):
        return Part((), place, tuple(said)), tuple(text.split()[1:])
    if place is Place.BRACKET and words[0] in ("from", "aus", "de") and not said:
        place = Place.ASIDE  # a film, an album
    if made := _MAKERS.search(text):
        text = text[: made.start()]
    text, _, guests = _GUESTS.sub("\n", text, count=1).partition("\n")
    return Part(tuple(text.split()), place, tuple(said)), tuple(guests.split())


def _number(roman: str) -> str:
    values = {"i": 1, "v": 5, "x": 10}
    numbers = [values[sign] for sign in roman]
    pairs = zip(numbers, [*numbers[1:], 0], strict=True)
    return str(sum(-one if one < after else one for one, after in pairs))
