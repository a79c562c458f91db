"""What is left of yt-dlp's information: all that a source may need, and nothing that is large or odd."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

#: Large, and nobody here wants them.
_DROPPED = frozenset(
    (
        *(
            "subtitles",
            "automatic_captions",
            "requested_subtitles",
            "requested_downloads",
            "requested_entries",
        ),
        *("heatmap", "comments", "fragments", "hls_media_playlist_data", "_version", "_format_sort_fields"),
    )
)
#: The longest lists, of what the last are the best.
_LISTS = {"thumbnails": 20, "formats": 200, "tags": 50, "categories": 50, "chapters": 500}
#: Characters; a longer one is text for reading, and cut, or else nonsense, and left out.
_LONGEST = 16_384
_FOR_READING = frozenset(("title", "fulltitle", "alt_title", "description"))


def prune(info: Mapping[str, Any], limit: int | None = None) -> dict[str, Any]:
    """Of sanitized information. Entries beyond ``limit`` are cut.

    ``left_out`` says, of a playlist with a limit, how many more there are, as far as is known.
    """
    kept: dict[str, Any] = {}
    for key, value in info.items():
        if key in _DROPPED or key.startswith("__"):
            continue
        if key == "entries":
            kept[key] = [prune(entry, limit) for entry in value[:limit] if isinstance(entry, Mapping)]
        elif (plain := _plain(value, key)) is not None:
            kept[key] = plain
    if limit is not None and "entries" in kept:
        kept["left_out"] = max(0, (info.get("playlist_count") or len(info["entries"])) - limit)
    return kept


def _plain(value: object, key: str) -> object:
    """None for what JSON has no word for, or what is too long."""
    match value:
        case bool():
            return value
        case int():
            return value if abs(value) < 1 << 63 else None
        case float():
            return value if math.isfinite(value) else None
        case str() if len(value) > _LONGEST and key not in _FOR_READING:
            return None
        case str():
            return value[:_LONGEST].encode("utf-8", "replace").decode()  # half a surrogate pair has no bytes
        case list():
            plain = (_plain(item, key) for item in value[-_LISTS.get(key, 1000) :])
            return [item for item in plain if item is not None]
        case Mapping():
            return prune(value)
        case _:
            return None
