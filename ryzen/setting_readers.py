"""How the texts of settings are read: each reader returns the value, or raises Unreadable."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import attrs

Legacy = Literal["youtube_dl", "pytube"]

_LEVELS = ("TRACE", "DEBUG", "INFO", "SUCCESS", "WARNING", "ERROR", "CRITICAL")


@attrs.frozen(repr=False)
class Secret:
    """Something that must not be seen in a log, an error or a ``repr``."""

    _value: str

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__


class Unreadable(ValueError):
    """What a value must be; never the value itself, which may be a secret."""


def whole(least: int = 0, most: int = 2**63) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,19}", text) or not least <= int(text) <= most:
            upto = f" up to {most}" if most < 2**63 else ""
            raise Unreadable(f"must be a whole number from {least}{upto}.")
        return int(text)

    return read


def number(least: float, most: float, unit: str, scale: float = 1.0) -> Callable[[str], float]:
    def read(text: str) -> float:
        if not re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{1,6})?", text) or not least <= float(text) <= most:
            raise Unreadable(f"must be a number of {unit} from {least:g} to {most:g}.")
        return float(text) * scale

    return read


def minutes(text: str) -> float:
    minutes = whole()(text)
    if minutes > 1000:
        raise Unreadable(
            f"is {minutes}, but it counts minutes (some other bots count seconds): did you mean "
            f"{max(1, minutes // 60)}? 1000 is the most, 0 is no limit."
        )
    return minutes * 60.0


def api_hash(text: str) -> Secret:
    if not re.fullmatch(r"[0-9a-fA-F]{32}", text):
        raise Unreadable("must be the 32 hexadecimal digits that https://my.telegram.org shows.")
    return Secret(text)


def token(text: str) -> Secret:
    if not re.fullmatch(r"[0-9]{1,20}:[A-Za-z0-9_-]{20,100}", text):
        raise Unreadable("must look like 123456789:AAE…, as @BotFather gives it.")
    return Secret(text)


def ids(text: str) -> frozenset[int]:
    parts = re.split(r"[\s,]+", text)
    if not all(re.fullmatch(r"[1-9][0-9]{0,18}", part) for part in parts if part):
        raise Unreadable("must be Telegram user ids (numbers) with spaces or commas between them.")
    return frozenset(int(part) for part in parts if part)


def folder_to_be(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError as error:  # ~somebody, who is not there
        raise Unreadable("must be a path; there is no such home folder.") from error


def folder(text: str) -> Path:
    path = folder_to_be(text)
    try:
        if path.is_dir():
            return path
    except (OSError, ValueError):  # too long, a loop of links, not a name at all
        pass
    raise Unreadable("must name a folder that exists.")


def rate(text: str) -> tuple[int, float]:
    if text == "0":
        return 0, 1.0
    if not (match := re.fullmatch(r"([0-9]{1,4})/([0-9]{1,4})", text)) or not int(match[2]):
        raise Unreadable("must be commands/seconds, like 5/10, or 0 for no limit.")
    return int(match[1]), float(match[2])


def prefixes(text: str) -> str:
    characters = "".join(dict.fromkeys(re.sub(r"[\s,]+", "", text)))
    if not characters or not set(characters) <= set("/!.?;:#$%&*+-=~^"):
        raise Unreadable("must be punctuation such as / ! . with spaces between.")
    return characters


def database(text: str) -> Secret:
    if not re.match(r"(?:sqlite:///|mongodb://|mongodb\+srv://)\S", text):
        raise Unreadable(
            "must begin with sqlite:/// (sqlite:///state/ryzen.db), mongodb:// or mongodb+srv://."
        )
    return Secret(text)


def yes_no(text: str) -> bool:
    answer = {"yes": True, "true": True, "on": True, "1": True}.get(text.lower())
    if answer is None and text.lower() not in ("no", "false", "off", "0"):
        raise Unreadable("must be yes or no.")
    return answer or False


def size(text: str) -> int:
    match = re.fullmatch(r"([0-9]{1,15})\s*([KMGT]?)(?:i?B)?", text, re.IGNORECASE)
    if match is None:
        raise Unreadable("must be a size such as 200M or 5G.")
    size = int(match[1]) << {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}[match[2].upper()]
    if 0 < size < 1 << 20:
        raise Unreadable(f"is {size} bytes, which no song fits into: write 200M or 5G for more.")
    return size


def file(text: str) -> Path:
    path = folder_to_be(text)
    try:
        with path.open("rb"):
            return path
    except (OSError, ValueError) as error:
        raise Unreadable("must name a file that exists and that this user may read.") from error


def proxy(text: str) -> Secret:
    if not re.fullmatch(r"(?:https?|socks4a?|socks5h?)://(?:[^@\s/]+@)?[^@\s/:]+:[0-9]{1,5}/?", text):
        raise Unreadable(
            "must look like http://user:password@host:3128 or socks5://host:1080, with the port."
        )
    return Secret(text.rstrip("/"))


def secret(text: str) -> Secret:
    if not re.fullmatch(r"[!-~]{8,400}", text):
        raise Unreadable("must be the key as its provider shows it, without spaces.")
    return Secret(text)


def word(text: str) -> str:
    return secret(text).reveal()


def names(text: str) -> tuple[str, ...]:
    parts = tuple(part.lower() for part in re.split(r"[\s,]+", text) if part)
    if not all(re.fullmatch(r"(?:[a-z0-9:_-]+=)?[a-z0-9-]+(?:\.[a-z0-9-]+)+", part) for part in parts):
        raise Unreadable("must be hosts of sites with spaces between, like vimeo.com dailymotion.com.")
    return parts


def legacy(text: str) -> Legacy:
    match text.lower().replace("-", "_"):
        case "youtube_dl":
            return "youtube_dl"
        case "pytube":
            return "pytube"
    raise Unreadable("must be youtube_dl or pytube; without it yt-dlp is used, which is better.")


def level(text: str) -> str:
    level = {"WARN": "WARNING", "FATAL": "CRITICAL"}.get(text.upper(), text.upper())
    if level not in _LEVELS:
        raise Unreadable(f"must be one of {', '.join(_LEVELS)}.")
    return level
