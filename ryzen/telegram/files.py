"""Audio, voice, video and documents that people have sent: a ``Source`` that streams while it downloads."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import PurePosixPath
from typing import Any

import anyio
import attrs
from loguru import logger
from pyrogram import raw, utils
from pyrogram.errors import FloodPremiumWait, FloodWait, RPCError

from ryzen.errors import SendError, SourceAway, SourceTrouble, TrackError, TrackTrouble
from ryzen.origins import Listing, Origin, Pieces
from ryzen.player.state import Track
from ryzen.telegram.client import Account
from ryzen.telegram.line import NO_ANSWER, reason_of

T, F = raw.types, raw.functions

#: How much is asked for at once: little until there is sound, then as much as Telegram gives evenly. A
#: request begins at a multiple of its size, which divides a piece of 1 MiB (core.telegram.org/api/files).
_FIRST, _MOST = 64 << 10, 512 << 10
#: For one request, in seconds; and the longest that Telegram may ask us to wait before the next.
_WITHIN, _FLOOD_BORNE = 20.0, 30.0
#: References that may turn out too old in one download: each costs reading the message again.
_RENEWALS = 8
_LONGEST_NAME = 200
_SOUNDING = frozenset(
    ".mp3 .m4a .aac .ogg .oga .opus .flac .wav .mp4 .m4v .mkv .webm .mov .ts".split()  # noqa: SIM905
)
_LINK = re.compile(
    r"https?://(?:t|telegram)\.me/(?:c/(?P<id>\d{1,15})|(?P<name>\w{4,32}))/(?P<message>\d{1,10})/?"
)
#: Telegram's ids of messages are 32 bits; the library cannot even write a larger one.
_LAST_MESSAGE = 2**31 - 1
#: Asked too often; the second one comes in mid-file to whoever does not pay.
_FLOODS = (FloodWait, FloodPremiumWait)
_EXPIRED = re.compile(r"FILE_REFERENCE_(?:\d+_)?(?:EXPIRED|INVALID)")


@attrs.frozen
class _File:
    """A file in a message; it can be read as long as its reference is fresh."""

    document: Any
    track: Track
    video: bool


class TelegramFiles:
    """Implements ``origins.Source`` and ``origins.Attachments`` for what the bot can see.

    A track's ``ref`` is ``chat id/message id``, its id that of the file: a song sent on stays the same.
    Limits in bytes, 0 for none.
    """

    name = "telegram"

    def __init__(self, account: Account, *, audio_limit: int = 200 << 20, video_limit: int = 1 << 30) -> None:
        self._account = account
        self._audio_limit, self._video_limit = audio_limit, video_limit

    async def attached(self, chat_id: int, message_id: int) -> Track | None:
        """What can be played of a message, or None. Raises SendError, SourceAway, TrackError (TOO_BIG)."""
        found = await self._find(chat_id, message_id)
        return None if found is None else self._permitted(found).track

    # -- origins.Source
    def claims(self, link: str) -> bool:
        return _LINK.fullmatch(link.partition("?")[0]) is not None

    async def search(self, words: str, limit: int) -> tuple[Track, ...]:  # noqa: ARG002 - bots cannot search
        return ()

    async def expand(self, link: str, limit: int) -> Listing:  # noqa: ARG002 - a message holds one file
        """Of public groups and channels alone: the bot sees more than whoever sends it a link may."""
        match = _LINK.fullmatch(link.partition("?")[0])
        assert match is not None
        if match["id"]:
            raise TrackError(TrackTrouble.PRIVATE, "a link into a private group")
        if int(match["message"]) > _LAST_MESSAGE:
            raise TrackError(TrackTrouble.EMPTY, "there is no such message")
        try:
            track = await self.attached(await self._named(match["name"]), int(match["message"]))
        except SendError as error:
            raise _trouble(error) from error
        if track is None:
            raise TrackError(TrackTrouble.EMPTY, "no file in this message that can be played")
        return Listing((track,), linked=True)

    async def resolve(self, track: Track) -> Origin:
        """The file is found anew by its message, which must still be there."""
        found = self._permitted(await self._again(track))
        reading = _Reading(self, track, found.document)
        return Origin(track.id, Pieces(found.document.size, reading.read), duration=track.duration)

    async def _again(self, track: Track) -> _File:
        chat_id, _, message_id = track.ref.partition("/")
        try:
            found = await self._find(int(chat_id), int(message_id))
        except SendError as error:
            raise _trouble(error) from error
        except ValueError as error:
            raise TrackError(TrackTrouble.MISSING, "no such message") from error
        if found is None or found.track.id != track.id:
            raise TrackError(TrackTrouble.MISSING, "the message is gone")
        return found

    def _permitted(self, found: _File) -> _File:
        limit = self._video_limit if found.video else self._audio_limit
        if limit and found.document.size > limit:
            raise TrackError(TrackTrouble.TOO_BIG, f"{found.document.size} bytes, {limit} are allowed")
        return found

    # -- Telegram
    async def piece(self, document: Any, offset: int, size: int) -> bytes:
        """Raises RPCError, SendError."""
        location = T.InputDocumentFileLocation(
            id=document.id,
            access_hash=document.access_hash,
            file_reference=document.file_reference,
            thumb_size="",
        )
        request = F.upload.GetFile(location=location, offset=offset, limit=size)
        answer = await self._account.call(request, _WITHIN, files_of=document.dc_id)
        return bytes(answer.bytes)

    async def renewed(self, track: Track) -> Any:
        """The document with a fresh reference. Raises TrackError."""
        return (await self._again(track)).document

    async def _find(self, chat_id: int, message_id: int) -> _File | None:
        ids = [T.InputMessageID(id=message_id)]
        try:
            if utils.get_peer_type(chat_id) == "channel":
                peer = await self._account.peer(chat_id)
                channel = T.InputChannel(channel_id=peer.channel_id, access_hash=peer.access_hash)
                answer = await self._account.call(F.channels.GetMessages(channel=channel, id=ids))
            else:
                answer = await self._account.call(F.messages.GetMessages(id=ids))
        except RPCError as error:
            raise _refusal(error) from error
        for message in answer.messages:
            # Outside of channels an id alone names a message of any chat that the bot is in.
            if isinstance(message, T.Message) and message.id == message_id:
                return _playable(message, chat_id) if utils.get_peer_id(message.peer_id) == chat_id else None
        return None

    async def _named(self, username: str) -> int:
        """The group or channel of this name. Raises SendError, SourceAway, TrackError if it is a person."""
        try:
            answer = await self._account.call(F.contacts.ResolveUsername(username=username))
        except RPCError as error:
            raise _refusal(error) from error
        if not isinstance(answer.peer, T.PeerChannel):
            raise TrackError(TrackTrouble.PRIVATE, "a link into a private chat")
        return int(utils.get_peer_id(answer.peer))


class _Reading:
    """One download. Its reference may grow too old while it lasts."""

    def __init__(self, files: TelegramFiles, track: Track, document: Any) -> None:
        self._files, self._track, self._document = files, track, document
        self._renewals = 0

    async def read(self, offset: int) -> AsyncIterator[bytes]:
        """From ``offset`` to the end. Raises TrackError, SourceAway."""
        size: int = self._document.size
        while offset < size:
            span = _FIRST if offset < 4 * _FIRST or offset % _MOST else _MOST
            start = offset // span * span
            data = (await self._piece(start, span))[offset - start :]
            if not data:
                raise TrackError(TrackTrouble.BROKEN, f"Telegram has only {offset} of {size} bytes")
            offset += len(data)
            yield data

    async def _piece(self, offset: int, size: int) -> bytes:
        while True:
            try:
                return await self._files.piece(self._document, offset, size)
            except _FLOODS as wait:
                pause = float(wait.value or 1)
                if pause > _FLOOD_BORNE:
                    raise _refusal(wait) from wait
                logger.info("telegram files: asked to wait {} s", pause)
                await anyio.sleep(pause)
            except RPCError as error:
                if not _EXPIRED.fullmatch(reason_of(error)) or self._renewals >= _RENEWALS:
                    raise TrackError(TrackTrouble.UNAVAILABLE, reason_of(error)) from error
                self._renewals += 1
                self._document = await self._files.renewed(self._track)
            except SendError as error:
                raise TrackError(TrackTrouble.UNREACHABLE, error.reason) from error


def _refusal(error: RPCError) -> SourceAway | SendError:
    """What Telegram's no to a question means."""
    if isinstance(error, _FLOODS):
        wait = float(error.value or 0)
        return SourceAway(TelegramFiles.name, SourceTrouble.RATE_LIMITED, reason_of(error), wait)
    return SendError(reason_of(error))


def _trouble(error: SendError) -> TrackError:
    """Telegram did not answer, or does not let us see it; the second says nothing about other files."""
    unreachable = error.reason == NO_ANSWER
    return TrackError(TrackTrouble.UNREACHABLE if unreachable else TrackTrouble.PRIVATE, error.reason)


def _playable(message: Any, chat_id: int) -> _File | None:
    document = getattr(message.media, "document", None)
    if not isinstance(document, T.Document):
        return None
    kinds = {type(attribute): attribute for attribute in document.attributes}
    audio, video = kinds.get(T.DocumentAttributeAudio), kinds.get(T.DocumentAttributeVideo)
    name = _clean(getattr(kinds.get(T.DocumentAttributeFilename), "file_name", ""))
    path = PurePosixPath(name)
    sounds = document.mime_type.partition("/")[0] in ("audio", "video") or path.suffix.lower() in _SOUNDING
    if audio is None and video is None and not sounds:
        return None
    voice = audio is not None and bool(audio.voice)
    fallback = "Voice message" if voice else "Video" if video is not None else "Audio file"
    title = _clean(getattr(audio, "title", None) or "") or path.stem.strip() or fallback
    length = getattr(audio or video, "duration", None)
    track = Track(
        id=f"{TelegramFiles.name}:{document.id}",
        title=title,
        source=TelegramFiles.name,
        ref=f"{chat_id}/{message.id}",
        artist=_clean(getattr(audio, "performer", None) or ""),
        duration=float(length) if length else None,
        link=_link(chat_id, message.id),
    )
    return _File(document, track, video is not None or document.mime_type.startswith("video/"))


def _link(chat_id: int, message_id: int) -> str | None:
    if utils.get_peer_type(chat_id) != "channel":
        return None
    return f"https://t.me/c/{utils.get_raw_peer_id(chat_id)}/{message_id}"


def _clean(text: str) -> str:
    """One line, nothing that cannot be seen, not too long; a file's name may hold anything."""
    seen = "".join(sign if sign.isprintable() else " " for sign in text.replace("/", " "))
    return " ".join(seen.split())[:_LONGEST_NAME].strip()
