"""Every sentence a user can read comes from ``locales``; here they are looked up and filled in."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import attrs
import yaml

LOCALES = Path(__file__).resolve().parent.parent / "locales"

_TAG = re.compile(r"</?[a-z][^<>]*>")


@attrs.frozen
class Html:
    """A piece of text, twice: ``markup`` for messages, ``plain`` for alerts and buttons."""

    markup: str
    plain: str

    @classmethod
    def of(cls, text: str) -> Html:
        return cls(html.escape(text, quote=False), text)

    @classmethod
    def lines(cls, pieces: Iterable[Html]) -> Html:
        each = list(pieces)
        return cls("\n".join(piece.markup for piece in each), "\n".join(piece.plain for piece in each))


class Words:
    """The sentences of one language by key (``answer.queued``), with named blanks.

    The blank ``{assistant}`` may stand in any of them: it is filled with what the assistant is called. What
    fills a blank is escaped, unless it is ``Html``. A key or a blank that does not exist is a KeyError: a bug
    of ours, which the tests find.
    """

    def __init__(self, sentences: Mapping[str, str], assistant: str = "") -> None:
        self.sentences = sentences
        self._standing = {"assistant": assistant}

    @classmethod
    def load(cls, language: str = "en", assistant: str = "") -> Words:
        """Read ``locales/<language>.yml``: groups of sentences. Raises FileNotFoundError."""
        groups = yaml.safe_load((LOCALES / f"{language}.yml").read_text(encoding="utf-8"))
        named = ((f"{group}.{name}", text) for group in groups for name, text in groups[group].items())
        return cls({key: text.strip() for key, text in named}, assistant)

    def __call__(self, key: str, /, **blanks: object) -> Html:
        template = self.sentences[key]
        pieces = {name: _piece(value) for name, value in (self._standing | blanks).items()}
        return Html(
            template.format_map({name: piece.markup for name, piece in pieces.items()}),
            html.unescape(_TAG.sub("", template)).format_map(
                {name: piece.plain for name, piece in pieces.items()}
            ),
        )


def _piece(value: object) -> Html:
    return value if isinstance(value, Html) else Html.of(str(value))
