"""The libraries' own logging goes through loguru: quieter, and without secrets."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable

from loguru import logger

SECRETS = re.compile(
    r"\b\d{6,12}:[A-Za-z0-9_-]{30,}"  # a bot's token
    r"|(?<![\w-])[A-Za-z0-9_-]{320,}={0,2}"  # a session string
)
HIDDEN = "…"
LOUDEST = logging.WARNING  #: for library lines without an exception: a retry is not our error
LIBRARIES = ("pyrogram", "pytgcalls", "ntgcalls")  #: at DEBUG kurigram writes every request, the login too
TWICE_SAID = "pyrogram.connection.transport"  #: says everything once more that pyrogram.connection says


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without tokens and session strings, by their looks and by name."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, HIDDEN)
    return SECRETS.sub(HIDDEN, text)


class ThroughLoguru(logging.Handler):
    """Hands standard logging's lines to loguru, redacted; a traceback is kept for real exceptions."""

    def __init__(self, secrets: Iterable[str] = (), level: int = logging.WARNING) -> None:
        super().__init__(level)
        self._secrets = tuple(secrets)

    def emit(self, record: logging.LogRecord) -> None:
        text = redact(record.getMessage(), self._secrets)
        if record.exc_info and record.exc_info[1] is not None:
            # not the traceback itself: its lines may show arguments
            error = record.exc_info[1]
            text = f"{text.rstrip(':')}: {type(error).__name__}: {redact(str(error), self._secrets)}"
            level = record.levelname
        else:
            level = logging.getLevelName(min(record.levelno, LOUDEST))
        logger.log(level, "{}: {}", record.name, text)

    @classmethod
    def install(cls, secrets: Iterable[str] = (), level: int = logging.WARNING) -> None:
        """All of standard logging, at ``level`` and above; what was set up before is replaced."""
        logging.basicConfig(handlers=[cls(secrets, level)], level=level, force=True)
        for library in LIBRARIES:
            logging.getLogger(library).setLevel(max(level, logging.INFO))
        logging.getLogger(TWICE_SAID).setLevel(logging.CRITICAL)
