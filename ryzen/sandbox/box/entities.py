"""What Telegram itself marks in a text: commands, mentions, links. Offsets are UTF-16 units."""

from __future__ import annotations

import re
from typing import Final

from ryzen.sandbox.box.tl import T, Tl

_KINDS: Final = (
    (re.compile(r"(?<![\w/])/\w{1,64}(?:@\w{3,32})?(?![\w/])", re.ASCII), T.MessageEntityBotCommand),
    (re.compile(r"(?<![\w@])@[A-Za-z]\w{3,31}(?!\w)", re.ASCII), T.MessageEntityMention),
    (re.compile(r"https?://[^\s<>\"]+"), T.MessageEntityUrl),
)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def marked(text: str, given: list[Tl] | None) -> list[Tl]:
    """The entities a client gave, and those found where it gave none; in order of their offsets."""
    entities = list(given or ())
    for pattern, kind in _KINDS:
        for match in pattern.finditer(text):
            start, length = _units(text[: match.start()]), _units(match.group())
            if not any(e.offset < start + length and start < e.offset + e.length for e in entities):
                entities.append(kind(offset=start, length=length))
    return sorted(entities, key=lambda entity: entity.offset)
