"""The settings, from the environment and a ``.env`` file. Every error is reported at once, by name."""

from __future__ import annotations

import base64
import binascii
import difflib
import re
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import attrs
from dotenv import dotenv_values

from ryzen.errors import ConfigError

#: Variables of later parts: recognised, so that nobody is told they are misspelt, and not used yet.
LATER = frozenset(
    (
        "LOG_GROUP_ID",
        "LOGGER_ID",
        "SUPPORT_GROUP",
        "SUPPORT_CHAT",
        "SUPPORT_CHANNEL",
        "SPOTIFY_CLIENT_ID",
        "SPOTIFY_CLIENT_SECRET",
        "GENIUS_API_TOKEN",
        "YOUTUBE_API_KEY",
        "COOKIES_FILE",
        "PROXY_URL",
        "AUTO_LEAVING_ASSISTANT",
        "ASSISTANT_LEAVE_TIME",
        "PLAYLIST_FETCH_LIMIT",
        "VIDEO_STREAM_LIMIT",
        "CLEANMODE_MINS",
        "TG_AUDIO_FILESIZE_LIMIT",
        "TG_VIDEO_FILESIZE_LIMIT",
        "LANG_CODE",
        "SET_CMDS",
        "PRIVATE_BOT_MODE",
        "START_IMG_URL",
        "HEROKU_APP_NAME",
        "HEROKU_API_KEY",
        "UPSTREAM_REPO",
        "UPSTREAM_BRANCH",
    )
)
_LEVELS = ("TRACE", "DEBUG", "INFO", "SUCCESS", "WARNING", "ERROR", "CRITICAL")
_SESSION = re.compile(r"(?:STRING_SESSION|STRING|SESSION)\d{0,3}")
#: What a session string holds in kurigram 2.2.26: dc, api id, test, key, user id, is a bot.
_SESSION_FORMAT = struct.Struct(">BI?256sQ?")
#: The forms it had before, still read: dc, test, key, user id, is a bot.
_OLD_FORMATS = (struct.Struct(">B?256sI?"), struct.Struct(">B?256sQ?"))
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
#: How alike (0..1) two names must be for one to be taken for the other, misspelt.
_ALIKE = 0.85


@attrs.frozen(repr=False)
class Secret:
    """Something that must not be seen in a log, an error or a ``repr``."""

    _value: str

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__


class _UnreadableError(ValueError):
    """What a value must be; never the value itself, which may be a secret."""


@attrs.frozen
class Field:
    """One setting: the variable, the attribute, how it is read, other names for it, what it is without."""

    name: str
    attribute: str
    read: Callable[[str], object]
    aliases: tuple[str, ...] = ()
    required: bool = False


@attrs.frozen
class Settings:
    """What an operator may decide. Durations in seconds; a limit of 0 is none."""

    api_id: int
    api_hash: Secret
    bot_token: Secret
    owner_id: int
    sessions: tuple[Secret, ...]
    sudoers: frozenset[int] = frozenset()
    music_dir: Path | None = None
    state_dir: Path = Path("state")
    duration_limit: float = 3600.0
    queue_limit: int = 50
    playlist_limit: int = 100
    card_interval: float = 10.0
    audio_lead: float = 0.5
    #: the URL of the database: without one, a SQLite file beside the bot's other files
    database: Secret = attrs.Factory(lambda self: _own_database(self.state_dir), takes_self=True)
    flush_interval: float = 0.2
    flush_size: int = 500  #: changes
    resume_rate: float = 5.0  #: chats a second
    leave_at_stop: bool = False
    person_rate: tuple[int, float] = (5, 10.0)  #: so many commands in so many seconds
    chat_rate: tuple[int, float] = (20, 10.0)
    command_prefixes: str = "/"
    log_level: str = "INFO"

    @classmethod
    def load(cls, environ: Mapping[str, str], dotenv_path: Path) -> Settings:
        """Read both; ``environ`` wins. A ``.env`` that is not there is empty. Raises ConfigError."""
        written = _dotenv(dotenv_path)
        values = _filled(written) | _filled(environ)
        problems: list[str] = []
        found: dict[str, object] = {}
        for field in FIELDS:
            _read(field, values, found, problems)
        found["sessions"] = _sessions(values, problems)
        problems += _misspelt(values, frozenset(written))
        if problems:
            raise ConfigError(tuple(problems))
        return cls(**found)  # type: ignore[arg-type]  # each field's reader gives what its attribute takes


def database_url(environ: Mapping[str, str], dotenv_path: Path) -> Secret:
    """Where the data are, for the commands that need nothing else. Raises ConfigError."""
    values = _filled(_dotenv(dotenv_path)) | _filled(environ)
    found: dict[str, object] = {}
    problems: list[str] = []
    for field in FIELDS:
        if field.attribute in ("database", "state_dir"):
            _read(field, values, found, problems)
    if problems:
        raise ConfigError(tuple(problems))
    state_dir = found.get("state_dir", attrs.fields(Settings).state_dir.default)
    return cast("Secret", found.get("database", _own_database(cast("Path", state_dir))))


def known(name: str) -> bool:
    """Whether this variable means something to us, today or in a later part."""
    return name in _NAMES or _SESSION.fullmatch(name) is not None


def _read(field: Field, values: Mapping[str, str], found: dict[str, object], problems: list[str]) -> None:
    name = next((name for name in (field.name, *field.aliases) if name in values), None)
    if name is not None:
        try:
            found[field.attribute] = field.read(values[name])
        except _UnreadableError as error:
            problems.append(f"{name} {error}")
    elif field.required:
        problems.append(f"{field.name} is missing: {_MISSING[field.name]}")


def _own_database(state_dir: Path) -> Secret:
    return Secret(f"sqlite:///{state_dir / 'ryzen.db'}")


# -- readers: text -> value, or _UnreadableError
def _whole(least: int = 0, most: int = 2**63) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,19}", text) or not least <= int(text) <= most:
            upto = f" up to {most}" if most < 2**63 else ""
            raise _UnreadableError(f"must be a whole number from {least}{upto}.")
        return int(text)

    return read


def _number(least: float, most: float, unit: str, scale: float = 1.0) -> Callable[[str], float]:
    def read(text: str) -> float:
        if not re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{1,6})?", text) or not least <= float(text) <= most:
            raise _UnreadableError(f"must be a number of {unit} from {least:g} to {most:g}.")
        return float(text) * scale

    return read


def _minutes(text: str) -> float:
    minutes = _whole()(text)
    if minutes > 1000:
        raise _UnreadableError(
            f"is {minutes}, but it counts minutes (some other bots count seconds): did you mean "
            f"{max(1, minutes // 60)}? 1000 is the most, 0 is no limit."
        )
    return minutes * 60.0


def _api_hash(text: str) -> Secret:
    if not re.fullmatch(r"[0-9a-fA-F]{32}", text):
        raise _UnreadableError("must be the 32 hexadecimal digits that https://my.telegram.org shows.")
    return Secret(text)


def _token(text: str) -> Secret:
    if not re.fullmatch(r"[0-9]{1,20}:[A-Za-z0-9_-]{20,100}", text):
        raise _UnreadableError("must look like 123456789:AAE…, as @BotFather gives it.")
    return Secret(text)


def _ids(text: str) -> frozenset[int]:
    parts = re.split(r"[\s,]+", text)
    if not all(re.fullmatch(r"[1-9][0-9]{0,18}", part) for part in parts if part):
        raise _UnreadableError("must be Telegram user ids (numbers) with spaces or commas between them.")
    return frozenset(int(part) for part in parts if part)


def _path(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError as error:  # ~somebody, who is not there
        raise _UnreadableError("must be a path; there is no such home folder.") from error


def _folder(text: str) -> Path:
    path = _path(text)
    try:
        if path.is_dir():
            return path
    except (OSError, ValueError):  # too long, a loop of links, not a name at all
        pass
    raise _UnreadableError("must name a folder that exists.")


def _rate(text: str) -> tuple[int, float]:
    if text == "0":
        return 0, 1.0
    if not (match := re.fullmatch(r"([0-9]{1,4})/([0-9]{1,4})", text)) or not int(match[2]):
        raise _UnreadableError("must be commands/seconds, like 5/10, or 0 for no limit.")
    return int(match[1]), float(match[2])


def _prefixes(text: str) -> str:
    characters = "".join(dict.fromkeys(re.sub(r"[\s,]+", "", text)))
    if not characters or not set(characters) <= set("/!.?;:#$%&*+-=~^"):
        raise _UnreadableError("must be punctuation such as / ! . with spaces between.")
    return characters


def _database(text: str) -> Secret:
    if not re.match(r"(?:sqlite:///|mongodb://|mongodb\+srv://)\S", text):
        raise _UnreadableError(
            "must begin with sqlite:/// (sqlite:///state/ryzen.db), mongodb:// or mongodb+srv://."
        )
    return Secret(text)


def _yes_no(text: str) -> bool:
    answer = {"yes": True, "true": True, "on": True, "1": True}.get(text.lower())
    if answer is None and text.lower() not in ("no", "false", "off", "0"):
        raise _UnreadableError("must be yes or no.")
    return answer or False


def _level(text: str) -> str:
    level = {"WARN": "WARNING", "FATAL": "CRITICAL"}.get(text.upper(), text.upper())
    if level not in _LEVELS:
        raise _UnreadableError(f"must be one of {', '.join(_LEVELS)}.")
    return level


FIELDS = (
    Field("API_ID", "api_id", _whole(1, 2**31 - 1), required=True),
    Field("API_HASH", "api_hash", _api_hash, required=True),
    Field("BOT_TOKEN", "bot_token", _token, aliases=("TOKEN",), required=True),
    Field("OWNER_ID", "owner_id", _whole(1), required=True),
    Field("SUDOERS", "sudoers", _ids, aliases=("SUDO_USERS",)),
    Field("MUSIC_DIR", "music_dir", _folder),
    Field("STATE_DIR", "state_dir", _path),
    Field("DURATION_LIMIT", "duration_limit", _minutes),
    Field("QUEUE_LIMIT", "queue_limit", _whole(0, 10_000)),
    Field("SERVER_PLAYLIST_LIMIT", "playlist_limit", _whole(0, 10_000)),
    Field("CARD_INTERVAL", "card_interval", _number(1, 600, "seconds")),
    Field("AUDIO_LEAD", "audio_lead", _number(200, 2000, "milliseconds", scale=0.001)),
    Field("PERSON_RATE", "person_rate", _rate),
    Field("CHAT_RATE", "chat_rate", _rate),
    Field("DATABASE_URL", "database", _database, aliases=("MONGO_DB_URI", "MONGO_URL", "MONGO_URI")),
    Field("STORE_FLUSH_INTERVAL", "flush_interval", _number(10, 10_000, "milliseconds", scale=0.001)),
    Field("STORE_FLUSH_SIZE", "flush_size", _whole(1, 10_000)),
    Field("RESUME_RATE", "resume_rate", _number(0.1, 50, "chats a second")),
    Field("LEAVE_CALLS_ON_STOP", "leave_at_stop", _yes_no),
    Field("COMMAND_PREFIXES", "command_prefixes", _prefixes),
    Field("LOG_LEVEL", "log_level", _level),
)
_MISSING = {
    "API_ID": "get it at https://my.telegram.org (API development tools).",
    "API_HASH": "get it at https://my.telegram.org (API development tools).",
    "BOT_TOKEN": "get one from @BotFather in Telegram.",
    "OWNER_ID": "set it to your own Telegram user id; @userinfobot tells it.",
}
_NAMES = (
    frozenset(name for field in FIELDS for name in (field.name, *field.aliases)) | LATER | {"STRING_SESSIONS"}
)
#: Those that a variable of the environment may be a misspelling of; it may as well be another program's.
_TODAY = sorted((_NAMES - LATER) | {"SESSION", "STRING_SESSION"})


# -- sessions
def _sessions(values: Mapping[str, str], problems: list[str]) -> tuple[Secret, ...]:
    """The assistants' session strings, each once, in the order of their names."""
    texts: dict[str, str] = {}  # text -> where it was found
    for name in sorted((name for name in values if _SESSION.fullmatch(name)), key=_numbered):
        texts.setdefault(values[name], name)
    for text in re.split(r"[\s,]+", values.get("STRING_SESSIONS", "")):
        if text:
            texts.setdefault(text, "STRING_SESSIONS")
    if not texts:
        problems.append(
            "SESSION is missing: the assistant needs an account of its own; scripts/session-gen.py makes it."
        )
    for text, name in texts.items():
        if problem := _session_problem(text):
            problems.append(f"{name} {problem}")
    return tuple(Secret(text) for text in texts)


def _numbered(name: str) -> tuple[str, int]:
    word = name.rstrip("0123456789")
    return word, int(name[len(word) :] or 0)


def _session_problem(text: str) -> str | None:
    remedy = "make a new one with scripts/session-gen.py."
    wrong = f"is no session string of this kind (it may be cut off, or another library's): {remedy}"
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return wrong
    form = next((each for each in (_SESSION_FORMAT, *_OLD_FORMATS) if each.size == len(packed)), None)
    if form is None:
        return wrong
    if form.unpack(packed)[-1]:
        return f"belongs to a bot, and bots cannot join voice chats: log in with a user account, {remedy}"
    return None


# -- names
def _dotenv(path: Path) -> dict[str, str]:
    """What the file says, without a look at the environment: a token may have a ``$`` in it."""
    return {name: text or "" for name, text in dotenv_values(path, interpolate=False).items()}


def _filled(values: Mapping[str, str]) -> dict[str, str]:
    return {name: text.strip() for name, text in values.items() if text.strip()}


def _misspelt(values: Mapping[str, str], written: frozenset[str]) -> list[str]:
    """Names that mean nothing: all of those in ``.env``; of the environment, only those like one of ours."""
    problems = []
    for name in sorted({*values, *written}):
        if known(name):
            continue
        if not _NAME.fullmatch(name):
            if name in written:  # and is not repeated here: it may be a secret without its name
                problems.append("A line in .env is not of the form NAME=value.")
            continue
        candidates = [*_TODAY, *LATER] if name in written else _TODAY
        close = difflib.get_close_matches(name.upper(), candidates, n=1, cutoff=_ALIKE)
        if close and close[0] not in values:
            problems.append(f"{name} is not known: did you mean {close[0]}?")
        elif name in written:
            problems.append(f"{name} in .env is not known: take it out, or see .env.example for the names.")
    return problems
