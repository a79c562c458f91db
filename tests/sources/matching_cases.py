"""Songs as shops describe them, and what a search for them finds: which one is it?

``matching/*.txt`` holds a block for each: title, artists and length as the shop has them, then what was
found, worst first, so that the right one (``=``) never wins by its place; ``+`` would do as well, and a block
without either has none. Titles, channels and lengths have the forms that they have in the world. They were
written down before the rule was tried on them. Those in ``afterwards.txt`` were when it stood already: of 45,
eight were wrong at first sight (nothing was found for seven), and the rule has learnt from them since.
"""

from __future__ import annotations

from pathlib import Path

import attrs

from ryzen.sources.matching import Candidate, Wanted

_TABLES = Path(__file__).with_name("matching")


@attrs.frozen
class Case:
    wanted: Wanted
    found: tuple[Candidate, ...]
    right: tuple[Candidate, ...]  #: none of them if there is none

    @property
    def name(self) -> str:
        return f"{', '.join(self.wanted.artists)} - {self.wanted.title}"

    @property
    def decoys(self) -> tuple[Candidate, ...]:
        return tuple(one for one in self.found if one not in self.right)


def cases(table: str) -> tuple[Case, ...]:
    text = (_TABLES / f"{table}.txt").read_text(encoding="utf-8")
    return tuple(_case(block.splitlines()) for block in text.strip().split("\n\n"))


def _case(lines: list[str]) -> Case:
    title, artists, length = lines[0].split(" ¦ ")
    marked = [(line[2], _candidate(line[4:])) for line in lines[1:]]
    return Case(
        Wanted(title, tuple(artists.split("; ")), _seconds(length)),
        tuple(one for _, one in marked),
        tuple(one for mark, one in marked if mark in "=+"),
    )


def _candidate(line: str) -> Candidate:
    title, artist, length = line.split(" ¦ ")
    return Candidate(title, (artist,), _seconds(length))


def _seconds(length: str) -> float:
    total = 0
    for part in length.split(":"):
        total = total * 60 + int(part)
    return float(total)


TABLES = {name: cases(name) for name in ("spotify", "apple", "deezer", "afterwards")}
CASES = tuple(case for table in TABLES.values() for case in table)
