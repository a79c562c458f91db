"""What MongoDB is told to do for a batch.

Each write is atomic on one document, and the same batch makes the same writes, so that none harms when made
twice: a player looks at the revision that is there, a count at the tokens of the batches that it has counted.
The updates do so and not the queries: a query by ``_id`` alone is the fastest, and if two make a document at
the same time, the server does the second one again by itself.
"""

from __future__ import annotations

import hashlib
from collections import Counter

import attrs

from ryzen.records import (
    AddToPlaylist,
    AssignAssistant,
    Batch,
    Beat,
    Change,
    DropPlaylist,
    Enlist,
    LiveChat,
    LostChat,
    Play,
    Played,
    Prune,
    ResetSettings,
    SaveBroadcast,
    SaveLive,
    SawChat,
    SawUser,
    SetFlag,
    SetLanguage,
    SetSetting,
    Strike,
    TakeFromPlaylist,
    Value,
)
from ryzen.store import documents, schema
from ryzen.store.documents import Fields
from ryzen.store.mongo_shape import Document, Drop, Op, Put, id_of, put, row_of
from ryzen.store.schema import Table

#: Tokens that a counter remembers. A batch is made again before any other; a few more come from a write which
#: arrives late, out of a network that held it, and from other callers at the same time. Eleven bytes each.
TOKENS = 32


def ops_of(batch: Batch) -> dict[Table, list[Op]]:
    """What is to be done in each collection, in this order.

    Raises ValueError or OverflowError for what cannot be stored.
    """
    plan = _Plan(batch.id)
    for change in batch.changes:
        plan.add(change)
    plan.settle()
    return plan.ops


class _Plan:
    """Changes become writes. Players and counts are merged, up to what removes some of them."""

    def __init__(self, batch_id: str) -> None:
        self.ops: dict[Table, list[Op]] = {}
        self._batch_id = batch_id
        self._settled = 0
        self._counts: Counter[documents.Counter] = Counter()
        self._live: dict[int, LiveChat] = {}

    def settle(self) -> None:
        """Write down what has been merged so far."""
        token = _token(f"{self._batch_id}:{self._settled}")
        for key, plays in self._counts.items():
            self._op(schema.COUNTERS, _count(key, plays, token))
        for live in self._live.values():
            self._op(schema.LIVE, _save(live))
        self._settled += 1
        self._counts.clear()
        self._live.clear()

    def add(self, change: Change) -> None:
        match change:
            case SaveLive(live):
                known = self._live.get(live.chat_id)
                if known is None or known.revision < live.revision:
                    self._live[live.chat_id] = live
            case Beat(process, at):
                self._beat(process, at)
            case Played(play):
                self._played(play)
            case SawChat(chat_id, title, at):
                self._seen(schema.CHATS, chat_id, title, at, {})
            case SawUser(user_id, name, at):
                self._seen(schema.USERS, user_id, name, at, {"language": None})
            case LostChat(chat_id):
                self._remove(schema.CHATS, {"id": chat_id})
            case SetLanguage(user_id, language):
                key = id_of(schema.USERS, {"id": user_id})
                self._op(schema.USERS, Put(key, {"$set": {"language": language}}, make=False))
            case Prune(before):
                self._prune(before)
            case _:
                self._choose(change)

    def _choose(
        self,
        change: SetSetting
        | ResetSettings
        | Enlist
        | Strike
        | AddToPlaylist
        | TakeFromPlaylist
        | DropPlaylist
        | AssignAssistant
        | SaveBroadcast
        | SetFlag,
    ) -> None:
        """What people have asked for."""
        match change:
            case SetSetting(chat_id, name, value):
                text = documents.encode_setting(value)
                self._put(schema.CHAT_SETTINGS, {"chat_id": chat_id, "name": name, "value": text})
            case ResetSettings(chat_id):
                self._op(schema.CHAT_SETTINGS, Drop({"chat_id": chat_id}))
            case Enlist(roll, member, scope):
                self._put(schema.ROLLS, {"roll": roll.value, "scope": scope, **attrs.asdict(member)})
            case Strike(roll, id, scope):
                self._remove(schema.ROLLS, {"roll": roll.value, "scope": scope, "id": id})
            case AddToPlaylist(user_id, playlist, track, at):
                self._put(schema.TRACKS, documents.track_fields(track))
                row: Fields = {"user_id": user_id, "playlist": playlist, "track_id": track.id, "at": at}
                self._put(schema.PLAYLIST_ITEMS, row, anew=False)
            case TakeFromPlaylist(user_id, playlist, track_id):
                self._remove(
                    schema.PLAYLIST_ITEMS, {"user_id": user_id, "playlist": playlist, "track_id": track_id}
                )
            case DropPlaylist(user_id, playlist):
                self._op(schema.PLAYLIST_ITEMS, Drop({"user_id": user_id, "playlist": playlist}))
            case AssignAssistant(chat_id, None):
                self._remove(schema.ASSISTANTS, {"chat_id": chat_id})
            case AssignAssistant(chat_id, assistant_id):
                self._put(schema.ASSISTANTS, {"chat_id": chat_id, "assistant_id": assistant_id})
            case SaveBroadcast(broadcast):
                self._put(schema.BROADCASTS, documents.broadcast_fields(broadcast))
            case SetFlag(name, None):
                self._remove(schema.FLAGS, {"name": name})
            case SetFlag(name, value):
                self._put(schema.FLAGS, {"name": name, "value": value})

    def _op(self, table: Table, op: Op) -> None:
        self.ops.setdefault(table, []).append(op)

    def _put(self, table: Table, fields: Fields, *, anew: bool = True) -> None:
        """The row as it is; unless ``anew``, one that is there already stays."""
        self._op(table, put(table, fields, anew=anew))

    def _remove(self, table: Table, key: Fields) -> None:
        self._op(table, Drop({"_id": id_of(table, key)}))

    def _beat(self, process: str, at: float) -> None:
        update: Document = {"$set": {"process": process}, "$max": {"at": documents.finite(at)}}
        self._op(schema.BEATS, Put(process, update))

    def _seen(self, table: Table, id: int, name: str, at: float, more: Fields) -> None:
        at = documents.finite(at)
        update: Document = {
            "$set": {"id": id, "name": name, "last": at},
            "$setOnInsert": {"first": at, **more},
        }
        self._op(table, Put(id_of(table, {"id": id}), update))

    def _played(self, play: Play) -> None:
        self._put(schema.TRACKS, documents.track_fields(play.track))
        self._put(schema.PLAYS, documents.play_fields(play))
        asker = play.asker
        user: Fields = {
            "id": asker.id,
            "name": asker.name,
            "first": play.at,
            "last": play.at,
            "language": None,
        }
        self._put(schema.USERS, user, anew=False)
        self._counts.update(documents.counters_of(play))

    def _prune(self, before: float) -> None:
        self.settle()
        before, day = documents.finite(before), documents.day_of(before)
        self._op(schema.PLAYS, Drop({"at": {"$lt": before}}))
        self._op(schema.COUNTERS, Drop({"day": {"$gt": "", "$lt": day}}))
        self._op(schema.BEATS, Drop({"at": {"$lt": before}}))
        self._op(schema.LIVE, Drop({"saved_at": {"$lt": before}, "busy": 0}))


def _save(live: LiveChat) -> Put:
    row = row_of(schema.LIVE, documents.live_fields(live))
    return _unless({"$gte": ["$revision", live.revision]}, {"$literal": row}, id_of(schema.LIVE, row))


def _count(key: documents.Counter, plays: int, token: int) -> Put:
    fields = dict(zip(("chart", "scope", "day", "key"), key, strict=True))
    known: Document = {"$ifNull": ["$batches", []]}
    grown = {
        "plays": {"$add": [{"$ifNull": ["$plays", 0]}, plays]},
        "batches": {"$slice": [{"$concatArrays": [known, [token]]}, -TOKENS]},
    }
    document: Document = {"$mergeObjects": ["$$ROOT", {"$literal": fields}, grown]}
    return _unless({"$in": [token, known]}, document, id_of(schema.COUNTERS, fields))


def _unless(holds: Document, document: Document, id: Value) -> Put:
    """This document, unless something holds of the one that is there."""
    return Put(id, [{"$replaceWith": {"$cond": [holds, "$$ROOT", document]}}])


def _token(text: str) -> int:
    """64 bits in the place of a name that may be long."""
    digest = hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
