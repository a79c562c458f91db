"""Photos and documents, up and down."""

from __future__ import annotations

from ryzen.sandbox.box.records import now
from ryzen.sandbox.box.rpc import Rpc, on
from ryzen.sandbox.box.tl import F, T, Tl


@on(F.upload.SaveFilePart, F.upload.SaveBigFilePart)
def save_part(rpc: Rpc) -> Tl:
    rpc.box.files.save_part(rpc.query.file_id, rpc.query.file_part, rpc.query.bytes)
    return True


@on(F.upload.GetFile)
def get_file(rpc: Rpc) -> Tl:
    piece = rpc.box.files.read(rpc.query.location, rpc.query.offset, rpc.query.limit)
    return T.upload.File(type=T.storage.FileUnknown(), mtime=now(), bytes=piece)
