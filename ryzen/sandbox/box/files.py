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
        data = self._assembled(media.file)
        document = T.Document(
            mime_type=media.mime_type, size=len(data), attributes=media.attributes, **_ids()
        )
        self._stored[document.id] = document, data
        return document

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
