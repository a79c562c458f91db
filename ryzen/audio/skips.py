"""What is left out of a track while it plays. Strangers say so: the spans are made harmless first."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ryzen.player.state import Span

#: Nothing shorter is left out, and nothing shorter is left between two spans or behind the last, in seconds.
_LEAST = 0.2
#: A track of which less would be left is played whole, in seconds.
_LEAST_TRACK = 1.0
#: Beyond this there is no music: eleven days, in seconds.
_LONGEST = 1e6
#: More spans than this are not looked at.
_MOST = 100


def tidy(spans: Iterable[Span], length: float | None) -> tuple[Span, ...]:
    """In order, apart from one another and within the track, whose ``length`` is in seconds.

    What makes no sense is dropped: no numbers, nothing, more than there is; and all of it, if hardly
    anything would be left to hear. A span up to the end ends at ``length`` exactly.
    """
    end = _LONGEST if length is None else length
    apart: list[Span] = []
    sane = (_clip(span, end) for span in spans if _is_sane(span, end))
    for span in sorted(sane, key=lambda span: span.start):
        if span.end - span.start < _LEAST or len(apart) >= _MOST:
            continue
        if apart and span.start - apart[-1].end < _LEAST:
            apart[-1] = Span(apart[-1].start, max(apart[-1].end, span.end))
        else:
            apart.append(span)
    left = end - sum(span.end - span.start for span in apart)
    return tuple(apart) if left >= _LEAST_TRACK else ()


def past(spans: tuple[Span, ...], offset: float) -> float:
    """Where to begin if one wants to begin at ``offset``: at the end of a span that it lies in."""
    return next((span.end for span in spans if span.start <= offset < span.end), offset)


def _is_sane(span: Span, end: float) -> bool:
    return math.isfinite(span.start) and math.isfinite(span.end) and span.end - span.start <= end


def _clip(span: Span, end: float) -> Span:
    return Span(max(0.0, span.start), end if end - span.end < _LEAST else span.end)
