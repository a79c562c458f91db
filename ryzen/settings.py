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

from ryzen import setting_readers as readers
from ryzen.errors import ConfigError
from ryzen.setting_readers import Secret

#: Variables of later parts: recognised, so that nobody is told they are misspelt, and not used yet.
LATER = frozenset(
    (
        "LOG_GROUP_ID",
        "LOGGER_ID",
        "SUPPORT_GROUP",
        "SUPPORT_CHAT",
        "SUPPORT_CHANNEL",
        "AUTO_LEAVING_ASSISTANT",
        "ASSISTANT_LEAVE_TIME",
        "VIDEO_STREAM_LIMIT",
        "CLEANMODE_MINS",
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
_SESSION = re.compile(r"(?:STRING_SESSION|STRING|SESSION)\d{0,3}")
#: What a session string holds in kurigram 2.2.26: dc, api id, test, key, user id, is a bot.
_SESSION_FORMAT = struct.Struct(">BI?256sQ?")
#: The forms it had before, still read: dc, test, key, user id, is a bot.
_OLD_FORMATS = (struct.Struct(">B?256sI?"), struct.Struct(">B?256sQ?"))
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
#: How alike (0..1) two names must be for one to be taken for the other, misspelt.
_ALIKE = 0.85


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
    cache_dir: Path = attrs.Factory(lambda self: self.state_dir / "cache", takes_self=True)
    cache_size: int = 5 << 30  #: bytes
    file_limit: int = 1 << 30  #: bytes that one track may have
    telegram_audio_limit: int = 200 << 20  #: bytes
    telegram_video_limit: int = 1 << 30  #: bytes
    fetch_limit: int = 50  #: tracks taken of a playlist
    fetch_jobs: int = 4  #: pages looked into at the same time
    sites: tuple[str, ...] = ()  #: more of yt-dlp's sites that may be played from
    any_site: bool = False  #: links to pages that no source knows are searched for media
    skip_sponsors: bool = True
    cookies: Path | None = None
    proxy: Secret | None = None
    spotify_id: str | None = None
    spotify_secret: Secret | None = None
    genius_token: Secret | None = None
    youtube_key: Secret | None = None
    po_token: Secret | None = None  #: as yt-dlp's extractor argument of that name
    plugins: Path | None = None  #: a folder of yt-dlp plugins
    legacy: readers.Legacy | None = None  #: a library that takes links to single videos instead of yt-dlp
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
        if ("spotify_id" in found) != ("spotify_secret" in found):
            problems.append("SPOTIFY_CLIENT_ID and SPOTIFY_CLIENT_SECRET belong together: set both, or none.")
        problems += _misspelt(values, frozenset(written))
        if problems:
            raise ConfigError(tuple(problems))
        return cls(**found)  # type: ignore[arg-type]  # each field's reader gives what its attribute takes

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """All that must be in no log line."""
        own = (getattr(self, field.name) for field in attrs.fields(type(self)))
        return (*(each for each in own if isinstance(each, Secret)), *self.sessions)


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
        except readers.Unreadable as error:
            problems.append(f"{name} {error}")
    elif field.required:
        problems.append(f"{field.name} is missing: {_MISSING[field.name]}")


def _own_database(state_dir: Path) -> Secret:
    return Secret(f"sqlite:///{state_dir / 'ryzen.db'}")


FIELDS = (
    Field("API_ID", "api_id", readers.whole(1, 2**31 - 1), required=True),
    Field("API_HASH", "api_hash", readers.api_hash, required=True),
    Field("BOT_TOKEN", "bot_token", readers.token, aliases=("TOKEN",), required=True),
    Field("OWNER_ID", "owner_id", readers.whole(1), required=True),
    Field("SUDOERS", "sudoers", readers.ids, aliases=("SUDO_USERS",)),
    Field("MUSIC_DIR", "music_dir", readers.folder),
    Field("STATE_DIR", "state_dir", readers.folder_to_be),
    Field("DURATION_LIMIT", "duration_limit", readers.minutes),
    Field("QUEUE_LIMIT", "queue_limit", readers.whole(0, 10_000)),
    Field("SERVER_PLAYLIST_LIMIT", "playlist_limit", readers.whole(0, 10_000)),
    Field("CARD_INTERVAL", "card_interval", readers.number(1, 600, "seconds")),
    Field("AUDIO_LEAD", "audio_lead", readers.number(200, 2000, "milliseconds", scale=0.001)),
    Field("PERSON_RATE", "person_rate", readers.rate),
    Field("CHAT_RATE", "chat_rate", readers.rate),
    Field("DATABASE_URL", "database", readers.database, aliases=("MONGO_DB_URI", "MONGO_URL", "MONGO_URI")),
    Field("STORE_FLUSH_INTERVAL", "flush_interval", readers.number(10, 10_000, "milliseconds", scale=0.001)),
    Field("STORE_FLUSH_SIZE", "flush_size", readers.whole(1, 10_000)),
    Field("CACHE_DIR", "cache_dir", readers.folder_to_be),
    Field("CACHE_SIZE", "cache_size", readers.size),
    Field("CACHE_FILE_LIMIT", "file_limit", readers.size),
    Field("TG_AUDIO_FILESIZE_LIMIT", "telegram_audio_limit", readers.size),
    Field("TG_VIDEO_FILESIZE_LIMIT", "telegram_video_limit", readers.size),
    Field("PLAYLIST_FETCH_LIMIT", "fetch_limit", readers.whole(1, 1000)),
    Field("FETCH_JOBS", "fetch_jobs", readers.whole(1, 64)),
    Field("SITES", "sites", readers.names),
    Field("ANY_SITE", "any_site", readers.yes_no),
    Field("SPONSORBLOCK", "skip_sponsors", readers.yes_no),
    Field("COOKIES_FILE", "cookies", readers.file, aliases=("COOKIES",)),
    Field("PROXY_URL", "proxy", readers.proxy),
    Field("SPOTIFY_CLIENT_ID", "spotify_id", readers.word),
    Field("SPOTIFY_CLIENT_SECRET", "spotify_secret", readers.secret),
    Field("GENIUS_API_TOKEN", "genius_token", readers.secret),
    Field("YOUTUBE_PO_TOKEN", "po_token", readers.secret),
    Field("YTDLP_PLUGINS", "plugins", readers.folder),
    Field("LEGACY_YOUTUBE", "legacy", readers.legacy),
    Field("YOUTUBE_API_KEY", "youtube_key", readers.secret),
    Field("RESUME_RATE", "resume_rate", readers.number(0.1, 50, "chats a second")),
    Field("LEAVE_CALLS_ON_STOP", "leave_at_stop", readers.yes_no),
    Field("COMMAND_PREFIXES", "command_prefixes", readers.prefixes),
    Field("LOG_LEVEL", "log_level", readers.level),
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
