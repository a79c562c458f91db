"""Reading JSON and pages of others: what is not of the expected form is not there. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any

from ryzen.sources.infos import number
from ryzen.sources.links import cut

Told = Mapping[str, Any]

_ISO_LENGTH = re.compile(r"P(?:(\d{1,4})D)?T?(?:(\d{1,4})H)?(?:(\d{1,5})M)?(?:(\d{1,6}(?:\.\d{1,6})?)S)?")


def at(value: object, *path: str | int) -> Any:
    """What lies there, None if nothing does."""
    for step in path:
        if isinstance(step, int):
            if not isinstance(value, list) or step >= len(value):
                return None
            value = value[step]
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
    return value


def each(value: object, *path: str | int) -> tuple[Told, ...]:
    """The objects in the list that lies there; what is none is left out."""
    there = at(value, *path)
    return tuple(one for one in there if isinstance(one, Mapping)) if isinstance(there, list) else ()


def line(value: object, *path: str | int) -> str:
    """The text that lies there, on one line and not too long; a number as text; else empty."""
    there = at(value, *path)
    if isinstance(there, int) and not isinstance(there, bool):
        return str(there)
    return cut(there) if isinstance(there, str) else ""


def seconds(value: object, *path: str | int, unit: float = 1.0) -> float | None:
    """A length in so many seconds a piece, or as ISO 8601 has it; None if it is none, or not above zero."""
    there = at(value, *path)
    if isinstance(there, str) and (parts := _ISO_LENGTH.fullmatch(there)):
        days, hours, minutes, rest = (float(part or 0) for part in parts.groups())
        return number(((days * 24 + hours) * 60 + minutes) * 60 + rest)
    length = number(there)
    return None if length is None else length * unit


class Page(HTMLParser):
    """The scripts and ``meta`` tags of a page, and its title. ``scripts`` are (attributes, text)."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.scripts: list[tuple[dict[str, str], str]] = []
        self.metas: dict[str, str] = {}
        self._in_script = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "script":
            self._in_script = True
            self.scripts.append((said, ""))
        elif tag == "meta":
            name = said.get("property") or said.get("name") or ""
            self.metas.setdefault(name, said.get("content", ""))

    def handle_endtag(self, tag: str) -> None:
        self._in_script = self._in_script and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._in_script:
            said, text = self.scripts[-1]
            self.scripts[-1] = said, text + data

    def data(self, **wanted: str) -> Iterator[Any]:
        """The JSON in scripts with these attributes; what cannot be read is passed over."""
        for said, text in self.scripts:
            if all(said.get(name) == value for name, value in wanted.items()):
                try:
                    yield json.loads(text)
                except (ValueError, RecursionError):
                    continue
