"""Uploaded files: put together from their parts, kept as photos and documents, read in pieces."""

from __future__ import annotations

import random
import struct
from typing import Final

from ryzen.sandbox.box.faults import RequestError
from ryzen.sandbox.box.keys import DC_ID
from ryzen.sandbox.box.records import now
from ryzen.sandbox.box.tl import T, Tl, filled

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8"
#: A read begins at a multiple of a step and stays within one piece; https://core.telegram.org/api/files
_STEP, _PIECE = 4096, 1 << 20


class Files:
    """Everything that was uploaded. In memory: this is a sandbox, keep to small files."""

    def __init__(self) -> None:
        self._parts: dict[int, dict[int, bytes]] = {}  # upload id -> parts
        self._stored: dict[int, tuple[Tl, bytes]] = {}  # photo or document id -> its TL, its bytes

    def save_part(self, upload_id: int, number: int, data: bytes) -> None:
        self._parts.setdefault(upload_id, {})[number] = data

    def read(self, location: Tl, offset: int, limit: int) -> bytes:
        """A piece of a stored file, from an InputFileLocation."""
        stored = self._stored.get(getattr(location, "id", 0))
        if stored is None or stored[0].access_hash != location.access_hash:
            raise RequestError(400, "LOCATION_INVALID")
        if stored[0].file_reference != location.file_reference:
            raise RequestError(400, "FILE_REFERENCE_EXPIRED")
        if (
            offset % _STEP
            or limit % _STEP
            or _PIECE % limit
            or offset // _PIECE != (offset + limit - 1) // _PIECE
        ):
            raise RequestError(400, "LIMIT_INVALID")
        return stored[1][offset : offset + limit]

    def from_input(self, media: Tl) -> Tl:
        """A MessageMedia from an InputMedia: what was just uploaded, or what is here already."""
        match media:
            case T.InputMediaUploadedPhoto():
                return T.MessageMediaPhoto(photo=self._photo(self._assembled(media.file)))
            case T.InputMediaUploadedDocument():
                return T.MessageMediaDocument(document=self._document(media))
            case T.InputMediaPhoto() if media.id.id in self._stored:
                return T.MessageMediaPhoto(photo=self._stored[media.id.id][0])
            case T.InputMediaDocument() if media.id.id in self._stored:
                return T.MessageMediaDocument(document=self._stored[media.id.id][0])
        raise RequestError(400, "MEDIA_INVALID")

    def _assembled(self, file: Tl) -> bytes:
        parts = self._parts.pop(file.id, {})
        if sorted(parts) != list(range(file.parts)):
            raise RequestError(400, "FILE_PARTS_INVALID")
        return b"".join(parts[i] for i in range(file.parts))

    def _document(self, media: Tl) -> Tl:
        return self.keep(self._assembled(media.file), media.mime_type, media.attributes)

    def keep(self, data: bytes, mime_type: str, attributes: list[Tl]) -> Tl:
        """A document that somebody has uploaded."""
        document = T.Document(mime_type=mime_type, size=len(data), attributes=attributes, **_ids())
        self._stored[document.id] = document, data
        return document

    def expire(self) -> None:
        """Every reference that anybody holds is too old now; messages that are read again have new ones."""
        for document, _ in self._stored.values():
            document.file_reference = random.randbytes(8)

    def _photo(self, data: bytes) -> Tl:
        """Telegram would scale it; here it keeps its one size."""
        width, height = _dimensions(data)
        photo = filled(T.Photo, sizes=[T.PhotoSize(type="x", w=width, h=height, size=len(data))], **_ids())
        self._stored[photo.id] = photo, data
        return photo


def _ids() -> dict[str, Tl]:
    return {
        "id": random.getrandbits(62),
        "access_hash": random.getrandbits(62),
        "file_reference": b"box",
        "date": now(),
        "dc_id": DC_ID,
    }


def _dimensions(data: bytes) -> tuple[int, int]:
    """Pixels, of a PNG or JPEG."""
    if data.startswith(_PNG) and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return width, height
    if data.startswith(_JPEG):
        at = 2
        while at + 9 <= len(data) and data[at] == 0xFF:
            kind, size = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
            if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):  # a start of frame
                height, width = struct.unpack(">HH", data[at + 5 : at + 9])
                return width, height
            at += 2 + size
    raise RequestError(400, "PHOTO_INVALID_DIMENSIONS")
