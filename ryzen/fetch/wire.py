"""What the bot and the fetch server say to one another.

The bot starts the server with one end of a SOCK_SEQPACKET pair: its life line. Once it is ready the server
says so there, with the event ``ready`` and yt-dlp's ``version``. For every job the bot makes a stream pair,
hands one end over through the life line, and writes a ``Request`` to its own: one line of JSON. What comes
back are lines of JSON, each an object with an ``event``:

started    ``pid``                                   the job has a process of its own
progress   ``entry``, ``of``                         of a playlist whose entries are looked into
result     ``info``                                  the last; at most ``MOST`` bytes
error      ``kind``, ``status``, ``message``, ``retry_after``    the last
died       ``code``                                  the last: an exit status, or minus the signal's number

Closing a stream kills its job, closing the life line all of them and the server. There is no path to either,
so nobody else can ask for anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs

from ryzen.origins import Job

#: The longest line, in bytes.
MOST = 4 << 20
#: The longest request: a query comes out of a message, whose length has a bound.
MOST_ASKED = 1 << 16


@attrs.frozen
class Setup:
    """What the server and all of its jobs are held to. Paths are absolute."""

    work: str  #: an empty folder: each job gets one in it, removed after the job however that ends
    cache: str  #: yt-dlp's own: what it learnt of YouTube's player
    plugins: tuple[str, ...] = ()  #: folders of yt-dlp plugins; no others are loaded
    authorities: bool = False  #: those of SSL_CERT_FILE count, rather than certifi's
    jobs: int = 4  #: at once; more wait
    memory: int = 1 << 30  #: bytes of data for a process; its address space has no limit (deno dies of one)
    seconds: int = 60  #: of CPU
    file_size: int = 64 << 20  #: bytes

    def dump(self) -> str:
        return json.dumps(attrs.asdict(self))

    @classmethod
    def load(cls, text: str) -> Setup:
        fields = json.loads(text)
        return cls(**fields | {"plugins": tuple(fields["plugins"])})


@attrs.frozen
class Request:
    """A job, and its way out."""

    job: Job
    proxy: str = attrs.field(repr=False)
    cookies: str | None = None  #: a file; the job works on a copy

    def dump(self) -> bytes:
        return json.dumps(attrs.asdict(self), default=dict).encode() + b"\n"

    @classmethod
    def load(cls, line: bytes) -> Request:
        fields = json.loads(line)
        job = fields["job"]
        job["extractors"] = tuple(job["extractors"])
        job["arguments"] = {
            extractor: {name: tuple(values) for name, values in arguments.items()}
            for extractor, arguments in job["arguments"].items()
        }
        return cls(Job(**job), fields["proxy"], fields["cookies"])


def event(name: str, **fields: object) -> bytes:
    """What a text has that is no character (half a surrogate pair) becomes a question mark."""
    return json.dumps({"event": name, **fields}, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def read_event(line: bytes) -> Mapping[str, Any]:
    """Raises ValueError: the process at the other end reads what strangers write, and may not be well."""
    try:
        fields = json.loads(line)
    except RecursionError as error:
        raise ValueError("too deep") from error
    if not isinstance(fields, dict) or not isinstance(fields.get("event"), str):
        raise ValueError("no event")  # noqa: TRY004 - the line is wrong, not a caller
    return fields
