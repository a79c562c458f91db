"""Links in what people type: which word is one, and in which form all who mean the same write it. Pure.

What is not a link is words, whatever is in it: dollar signs, quotes, ``../``. Nothing here is ever run,
opened or filled in.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from ryzen.sources.fold import clean

#: Hosts that people write without ``https://``; a path must follow.
_BARE = re.compile(
    r"(?:www\.|(?:(?:m|music)\.)?youtube\.com/|youtu\.be/|open\.spotify\.com/|spotify\.link/|music\.apple\.com/"
    r"|(?:[\w-]+\.)?soundcloud\.com/|[\w-]+\.bandcamp\.com/|(?:www\.)?deezer\.com/|link\.deezer\.com/"
    r"|(?:m\.|clips\.)?twitch\.tv/|mixcloud\.com/|audiomack\.com/|jiosaavn\.com/|odysee\.com/|archive\.org/)\S",
    re.IGNORECASE,
)
_SPOTIFY = re.compile(r"spotify:(track|album|artist|playlist|episode|show):([0-9A-Za-z]{22})", re.IGNORECASE)
_OPENING = "<([{\"'«“‘„"
_CLOSING = {">": "<", ")": "(", "]": "[", "}": "{"}
_TRAILING = ".,;:!?\"'»”’…"

#: Parameters that say where somebody came from, and nothing of what is meant.
_TRACKING = re.compile(r"utm_\w+|fbclid|gclid|dclid|igshid|mc_[ce]id|yclid|msclkid", re.IGNORECASE)
#: The same, with a meaning elsewhere: by the end of the host's name.
_TRACKING_OF = {
    "youtube.com": {"si", "feature", "pp", "ab_channel", "app", "themeRefresh", "cbrd", "ucbcb"},
    "youtu.be": {"si", "feature", "pp"},
    "spotify.com": {"si", "nd", "context", "pi", "dlsi", "_branch_match_id", "_branch_referrer"},
    "soundcloud.com": {"si", "ref", "p", "c", "in", "in_system_playlist", "share"},
    "deezer.com": {"deferredFl", "universal_link", "referrer"},
    "apple.com": {"at", "ct", "itscg", "itsct", "ls", "app"},
    "bandcamp.com": {"from", "search_item_id", "search_item_type", "search_match_part", "search_page_id"},
    "twitch.tv": {"tt_content", "tt_medium", "sr"},
}
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)*|[0-9a-f.]*:[0-9a-f:.]*(?:%\w+)?")
#: Turn all that follows around, beyond the title.
_OVERRIDES = dict.fromkeys(map(ord, "\u202d\u202e"))
#: Sites whose fragments are a part of the name.
_FRAGMENTS_COUNT = ("odysee.com", "lbry.tv")
_MOBILE = {
    "m.youtube.com": "www.youtube.com",
    "youtube.com": "www.youtube.com",
    "www.youtu.be": "youtu.be",
    "m.soundcloud.com": "soundcloud.com",
    "www.soundcloud.com": "soundcloud.com",
    "m.twitch.tv": "www.twitch.tv",
    "twitch.tv": "www.twitch.tv",
    "m.mixcloud.com": "www.mixcloud.com",
    "m.bandcamp.com": "bandcamp.com",
    "m.deezer.com": "www.deezer.com",
}
#: Left as they are when the rest is percent-encoded.
_KEPT = "%/:=&?~#+!$,;@()*[].-_'"


def find_link(text: str) -> str | None:
    """The first link in a text, normalised; None if there is none. Links of other protocols are none."""
    return next(filter(None, map(read_link, _candidates(text))), None)


def read_link(word: str) -> str | None:
    """This word as a link, normalised; None if it is none, or malformed.

    One recording has many links: what tracks people, the mobile hosts and the fragment (which servers never
    see) are taken off. The order of what is left, and its encoding, stay: some links are signed.
    """
    if uri := _SPOTIFY.fullmatch(word):
        return f"https://open.spotify.com/{uri[1].lower()}/{uri[2]}"
    if not re.match(r"https?://", word, re.IGNORECASE):
        if not _BARE.match(word):
            return None
        word = f"https://{word}"
    try:
        parts = urlsplit(word)
        host = (parts.hostname or "").rstrip(".")
        if not host.isascii():
            host = host.encode("idna").decode()
        place = _place(parts, host)
    except ValueError:  # brackets that do not match, a port that is no number, a name with empty labels
        return None
    if not _HOST.fullmatch(host):
        return None
    fragment = parts.fragment if ends_with(host, _FRAGMENTS_COUNT) else ""
    encoded = [quote(part, safe=_KEPT) for part in (parts.path, _query(parts.query, host), fragment)]
    return urlunsplit((parts.scheme.lower(), place, *encoded))


def host_of(link: str) -> str:
    """Lower case; empty if there is none."""
    try:
        return urlsplit(link).hostname or ""
    except ValueError:
        return ""


def ends_with(host: str, domains: Sequence[str]) -> bool:
    """Whether this host is one of these, or below one of them."""
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def title_of(link: str) -> str:
    """The last part of a link's path as a title: ``…/My%20song.mp3`` → ``My song``; the host if there is
    none. At most 200 characters, on one line, and never a path."""
    path = unquote(urlsplit(link).path, errors="replace").rstrip("/")
    return as_title(path.rpartition("/")[2]) or host_of(link)


def as_title(name: str) -> str:
    """A file's name as a title: without folders, extension, and what cannot be shown."""
    name = clean(name.replace("\\", "/")).rpartition("/")[2].strip()
    suffix = PurePosixPath(name).suffix
    if re.fullmatch(r"\.[A-Za-z0-9]{2,4}", suffix):
        name = name.removesuffix(suffix)
    return cut(name.replace("_", " ").strip(" ."))


def cut(text: str, most: int = 200) -> str:
    """One line of at most so many characters."""
    text = clean(text.translate(_OVERRIDES))
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _candidates(text: str) -> Iterator[str]:
    """The words, without what people put around a link, or write behind it."""
    for word in text.split():
        # Marks that cannot be seen come with what is copied out of chats: left-to-right, zero width …
        visible = "".join(sign for sign in word if unicodedata.category(sign) not in ("Cf", "Cc"))
        yield _unwrapped(visible.lstrip(_OPENING))


def _unwrapped(word: str) -> str:
    while word and (word[-1] in _TRAILING or _unopened(word)):
        word = word[:-1]
    return word


def _unopened(word: str) -> bool:
    """Whether it ends with a bracket that was not opened in it."""
    opening = _CLOSING.get(word[-1])
    return opening is not None and word.count(word[-1]) > word.count(opening)


def _place(parts: SplitResult, host: str) -> str:
    """Who, where and which port. A name and a password stay: the egress guard is to see and refuse them."""
    who, at, _ = parts.netloc.rpartition("@")
    name = _MOBILE.get(host, host)
    name = f"[{name}]" if ":" in name else name
    port = parts.port
    usual = port is None or port == {"http": 80, "https": 443}[parts.scheme.lower()]
    return f"{quote(who, safe=':%')}{at}{name}" + ("" if usual else f":{port}")


def _query(query: str, host: str) -> str:
    theirs = {name for end, names in _TRACKING_OF.items() if ends_with(host, (end,)) for name in names}
    kept = []
    for pair in query.split("&"):
        name = pair.partition("=")[0]
        if pair and name not in theirs and not _TRACKING.fullmatch(name):
            kept.append(pair)
    return "&".join(kept)
