"""LRC, the format of lyrics with time stamps, as it is met in the world. Pure.

``[01:02.50]words`` is sung from 62.5 s on; a line may have several stamps, and is sung at each.
``[offset:250]`` moves everything 250 ms ahead. Other tags, and lines without a stamp that can be read, are
passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ryzen.origins import Line
from ryzen.sources.links import cut

#: No song has more lines, and no line more signs.
LINES, SIGNS = 2000, 300

_STAMP = re.compile(r"\s*\[(\d{1,4}):(\d{1,2}(?:[.:]\d{1,3})?)\]")
_OFFSET = re.compile(r"\s*\[offset:\s*([+-]?\d{1,7})\s*\]", re.IGNORECASE)
#: Stamps of single words, which we have no use for.
_WITHIN = re.compile(r"<\d{1,4}:\d{1,2}(?:[.:]\d{1,3})?>")


def timed(text: str) -> tuple[Line, ...]:
    """In the order in which they are sung; an empty line says that nothing is sung from there on.

    Nothing if no line with words has a stamp.
    """
    offset = next((int(found[1]) / 1000 for line in _lines(text) if (found := _OFFSET.match(line))), 0.0)
    lines = [Line(words, max(0.0, at - offset)) for line in _lines(text) for at, words in _stamped(line)]
    if not any(line.text for line in lines):
        return ()
    lines.sort(key=lambda line: line.at or 0.0)
    return tuple(lines[:LINES])


def plain(text: str) -> tuple[Line, ...]:
    """Lines without stamps; between verses, one empty line."""
    lines: list[Line] = []
    for line in _lines(text):
        words = cut(line, SIGNS)
        if words or (lines and lines[-1].text):
            lines.append(Line(words))
    while lines and not lines[-1].text:
        lines.pop()
    return tuple(lines)


def _lines(text: str) -> list[str]:
    return text.splitlines()[:LINES]


def _stamped(line: str) -> Iterator[tuple[float, str]]:
    stamps = []
    end = 0
    while stamp := _STAMP.match(line, end):
        end = stamp.end()
        stamps.append(int(stamp[1]) * 60 + float(stamp[2].replace(":", ".")))
    words = cut(_WITHIN.sub("", line[end:]), SIGNS)
    yield from ((at, words) for at in stamps)
