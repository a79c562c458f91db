"""What yt-dlp says went wrong, in our words.

It has no codes for that, only sentences: its own, those of YouTube's player and of other sites. The patterns
are for texts of yt-dlp 2026.10.26 and of its issues, which tests/fetch/test_fetch_job_trouble.py has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from ryzen.errors import SourceAway, SourceTrouble, TrackError, TrackTrouble

#: Nobody closes a source for longer than this, in seconds, whatever he says.
LONGEST_AWAY = 3600.0

T = TypeVar("T", SourceTrouble, TrackTrouble)

#: The egress proxy's own answers (ryzen.fetch.egress): what it has forbidden has the status 403.
_GUARD = re.compile(
    r"(?P<status>\d{3})\W+ryzen-guard: (?P<why>[^'\"\\\n)>]*?)(?= \(caused by|['\"\\\n)>]|\Z)"
)
#: How a sentence begins and ends that is for somebody at a command line.
_HEAD = re.compile(
    r"(?:ERROR: )?(?:\[(?P<extractor>[\w:.+-]+)\] (?:[^\s:]{1,80}: )?)?(?:query \".*?\" page \d+: )?",
    re.DOTALL,
)
_TAIL = re.compile(
    r"(?:[.;]? +(?:please report this issue on|Use --|See  http|Also see  http|You might want to use a VPN"
    r"|It is recommended to use)| \(caused by ).*",
    re.DOTALL,
)
_LINK = re.compile(r"\b\w+://\S+")

#: By the innermost exception. The last three are of ryzen.fetch.job, .client and .server.
_KINDS: Mapping[str, TrackTrouble] = {
    "GeoRestrictedError": TrackTrouble.REGION,
    "UnsupportedError": TrackTrouble.NO_SOURCE,
    "NoSupportingHandlers": TrackTrouble.NO_SOURCE,
    "UserNotLive": TrackTrouble.NOT_YET,
    "TransportError": TrackTrouble.UNREACHABLE,
    "IncompleteRead": TrackTrouble.UNREACHABLE,
    "SSLError": TrackTrouble.UNREACHABLE,
    "CertificateVerifyError": TrackTrouble.UNREACHABLE,
    "ProxyError": TrackTrouble.UNREACHABLE,
    "MemoryError": TrackTrouble.TOO_BIG,
    "TooMuch": TrackTrouble.TOO_BIG,
    "Garbled": TrackTrouble.BROKEN,
    "NoRoom": TrackTrouble.DISK_FULL,
}
#: Whatever else the sentence may mention.
_CERTAIN = frozenset(
    ("GeoRestrictedError", "UnsupportedError", "UserNotLive", "MemoryError", "TooMuch", "NoRoom")
)

#: What is true of all that the source is asked. A text about one video is none of these: it would close the
#: source for every group.
_SOURCE = (
    (SourceTrouble.BOT_CHECK, r"not a bot|captcha|unusual traffic"),
    (
        SourceTrouble.RATE_LIMITED,
        r"HTTP Error 429|too many requests|rate.limit|this content isn't available, try again later",
    ),
    (
        SourceTrouble.SIGN_IN,
        r"\A(?:please )?(?:sign|log) in(?: to continue)?[.!]?\Z|cookies are no longer valid",
    ),
)
_TRACK = (
    (TrackTrouble.AGE, r"\bage\b|age.(?:restrict|verif|check|limit|gate)|adult|nsfw|inappropriate for some"),
    (
        TrackTrouble.PAID,
        r"members?.only|(?:for|channel's) (?:\w+ )?members|premium|subscri(?:be|ption)|purchase"
        r"|\bpa(?:y|id|yment)\b|\brent(?:al|ed)?\b|for supporters|ticket",
    ),
    (
        TrackTrouble.REGION,
        r"(?:your|this) (?:country|region|location)|countries|geo.?(?:restrict|block)|outside (?:of )?the",
    ),
    (
        TrackTrouble.PRIVATE,
        r"\bprivate\b|\b(?:log|sign)(?:ged)?.?in\b|registered users|password|authenticat|approved",
    ),
    (
        TrackTrouble.NOT_YET,
        r"(?:premieres?|begins?|starts?) in\b|will begin|upcoming|\b(?:is|been) offline"
        r"|not (?:yet |currently )?(?:started|begun|live)\b|not (?:yet available|available yet)",
    ),
    (
        TrackTrouble.NO_SOURCE,
        r"unsupported url|no suitable extractor|not a valid url|url scheme|enable-file-urls"
        r"|site is known to use DRM|quote the url",
    ),
    (
        TrackTrouble.UNSUPPORTED,
        r"\bDRM\b|requested format is not available|no video formats found|not contain (?:a video or )?audio",
    ),
    (
        TrackTrouble.UNREACHABLE,
        r"timed? ?out|connection (?:refused|reset|aborted|broken)|unable to connect|remote end closed"
        r"|HTTP Error 5\d\d|bytes read",
    ),
)


def read(event: Mapping[str, Any]) -> TrackError | SourceAway:
    """Of an ``error`` or a ``died`` event (ryzen.fetch.wire). The caller fills in a SourceAway's source.

    A text that means nothing to us is UNAVAILABLE: the track is skipped, and the source stays open.
    """
    if event["event"] == "died":
        return TrackError(TrackTrouble.BROKEN, f"its extraction died ({event.get('code')})")
    kind, text = str(event.get("kind")), str(event.get("message")).replace("’", "'")
    if guard := _GUARD.search(text):
        trouble = TrackTrouble.FORBIDDEN if guard["status"] == "403" else TrackTrouble.UNREACHABLE
        return TrackError(trouble, guard["why"])
    extractor, said = _without_frills(text)
    detail = _LINK.sub("…", said)[:200]
    if kind == "CookieLoadError":
        return SourceAway("", SourceTrouble.SIGN_IN, detail)
    if kind in _CERTAIN:
        return TrackError(_KINDS[kind], detail)
    if extractor != "generic" and (away := _first(_SOURCE, said)):  # anybody's site may say anything
        wait = event.get("retry_after")
        return SourceAway("", away, detail, None if wait is None else min(wait, LONGEST_AWAY))
    return TrackError(_first(_TRACK, said) or _KINDS.get(kind, TrackTrouble.UNAVAILABLE), detail)


def _without_frills(text: str) -> tuple[str | None, str]:
    head = _HEAD.match(text)
    assert head  # all of it is optional
    return head["extractor"], _TAIL.sub("", text[head.end() :]).strip()


def _first(patterns: tuple[tuple[T, str], ...], said: str) -> T | None:
    return next((each for each, pattern in patterns if re.search(pattern, said, re.IGNORECASE)), None)
