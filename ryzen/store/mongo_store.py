"""``ports.Store`` in terms of a document database: what is asked for, and what is made of the answers.

No driver here: ``mongo.py`` has it, as a ``mongo_shape.Server``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from anyio import to_thread
from loguru import logger

from ryzen.errors import StoreRefused
from ryzen.player.state import Track
from ryzen.records import (
    Batch,
    Broadcast,
    Chart,
    ChatSettings,
    LiveChat,
    Member,
    Play,
    Playlist,
    Ranked,
    Roll,
    Row,
    Served,
    Top,
)
from ryzen.store import documents, schema
from ryzen.store.mongo_ops import ops_of
from ryzen.store.mongo_shape import Document, Found, Op, Query, Server, put
from ryzen.store.schema import TABLES, Table

R = TypeVar("R")

#: Seconds, for all that a method does, the wait for a place in the pool included. A listener waits for a
#: read, and rather hears «later» than nothing. What is written waits in the store's actor, where time is
#: cheap: long enough for a new primary to be elected, short enough to stop within twenty seconds.
PING, READ, WRITE = 2.0, 3.0, 8.0
#: Rows that are read or written at once. Players may have a few hundred kilobytes each.
PAGE = 1000
#: More changes than these are made into documents in a thread: the loop plays music meanwhile.
MANY = 50
#: Seconds in which the server looks through its files.
CHECK = 300.0
#: Sentences that ``check`` gives at most.
SENTENCES = 50


class MongoStore:
    """See ``ports.Store``."""

    name = "MongoDB"

    def __init__(self, server: Server) -> None:
        self._server = server

    async def apply(self, batch: Batch) -> None:
        try:
            if len(batch.changes) > MANY:
                ops = await to_thread.run_sync(ops_of, batch)
            else:
                ops = ops_of(batch)
        except (ValueError, OverflowError) as error:
            raise StoreRefused("a number or a moment in it is none that can be stored") from error
        async with self._server.within(WRITE):
            await self._server.write(ops)

    # -- what chats have chosen, who is who
    async def settings(self, chat_id: int) -> ChatSettings:
        rows = await self._find(Query(schema.CHAT_SETTINGS, {"chat_id": chat_id}, (("chat_id", 1),)))
        return documents.read_settings((str(row["name"]), str(row["value"])) for row in rows)

    async def roll(self, roll: Roll, scope: int = 0) -> tuple[Member, ...]:
        order = (("at", 1), ("id", 1))
        rows = await self._find(Query(schema.ROLLS, {"roll": roll.value, "scope": scope}, order))
        return tuple(_read(schema.ROLLS, documents.read_member, rows))

    async def chats(self, after: int | None = None, limit: int = PAGE) -> tuple[Served, ...]:
        return await self._served(schema.CHATS, after, limit)

    async def users(self, after: int | None = None, limit: int = PAGE) -> tuple[Served, ...]:
        return await self._served(schema.USERS, after, limit)

    async def user(self, user_id: int) -> Served | None:
        rows = await self._find(Query(schema.USERS, {"_id": user_id}))
        return next(_read(schema.USERS, documents.read_served, rows), None)

    async def _served(self, table: Table, after: int | None, limit: int) -> tuple[Served, ...]:
        rows = await self._find(Query(table, {} if after is None else {"_id": {"$gt": after}}, limit=limit))
        return tuple(_read(table, documents.read_served, rows))

    # -- music
    async def playlists(self, user_id: int) -> tuple[Playlist, ...]:
        rows = await self._find(Query(schema.PLAYLIST_ITEMS, {"user_id": user_id}, (("playlist", 1),)))
        return tuple(
            Playlist(*each) for each in sorted(Counter(str(row["playlist"]) for row in rows).items())
        )

    async def playlist(self, user_id: int, name: str) -> tuple[Track, ...]:
        query = Query(
            schema.PLAYLIST_ITEMS, {"user_id": user_id, "playlist": name}, (("at", 1), ("track_id", 1))
        )
        async with self._server.within(READ):
            rows = await self._server.find(query)
            tracks = await self._tracks(rows)
        return tuple(tracks[key] for row in rows if (key := _text(row, "track_id")) in tracks)

    async def history(self, chat_id: int, limit: int = 20) -> tuple[Play, ...]:
        query = Query(schema.PLAYS, {"chat_id": chat_id}, (("at", -1), ("id", 1)), limit)
        async with self._server.within(READ):
            rows = await self._server.find(query)
            tracks = await self._tracks(rows)
        known = [row for row in rows if _text(row, "track_id") in tracks]
        return tuple(
            _read(schema.PLAYS, lambda row: documents.read_play(row, tracks[row["track_id"]]), known)
        )

    async def top(self, top: Top) -> tuple[Ranked, ...]:
        chart, scope, day = documents.chart_of(top)
        query = Query(
            schema.COUNTERS,
            {"chart": chart, "scope": scope, "day": day},
            (("plays", -1), ("key", 1)),
            top.limit,
        )
        async with self._server.within(READ):
            rows = [row for row in await self._server.find(query) if _counts(row, top.chart)]
            if top.chart is Chart.TRACKS:
                tracks = await self._tracks(rows, "key")
                labels: Mapping[object, str] = {key: track.title for key, track in tracks.items()}
            else:
                tracks = {}
                labels = await self._names(schema.CHATS if top.chart is Chart.CHATS else schema.USERS, rows)
        return tuple(
            Ranked(str(key), labels.get(key, ""), int(plays), tracks.get(key))
            for key, plays in ((row["key"], row["plays"]) for row in rows)
        )

    async def _tracks(self, rows: Iterable[Found], field: str = "track_id") -> dict[object, Track]:
        ids = sorted({key for row in rows if (key := _text(row, field)) is not None})
        found = await self._server.find(Query(schema.TRACKS, {"_id": {"$in": ids}})) if ids else []
        return {track.id: track for track in _read(schema.TRACKS, documents.read_track, found)}

    async def _names(self, table: Table, rows: Iterable[Found]) -> dict[object, str]:
        """By the id as a text, as counters have it."""
        ids = [int(str(row["key"])) for row in rows]
        found = await self._server.find(Query(table, {"_id": {"$in": ids}})) if ids else []
        return {str(row["id"]): str(row["name"]) for row in found}

    # -- the bot's own
    async def assistants(self) -> Mapping[int, int]:
        rows = await self._find(Query(schema.ASSISTANTS))
        return {int(row["chat_id"]): int(row["assistant_id"]) for row in rows}

    async def broadcasts(self) -> tuple[Broadcast, ...]:
        rows = await self._find(Query(schema.BROADCASTS, {"over": 0}, (("at", 1), ("id", 1))))
        return tuple(_read(schema.BROADCASTS, documents.read_broadcast, rows))

    async def live(self, chat_id: int | None = None) -> tuple[LiveChat, ...]:
        if chat_id is not None:
            rows = await self._find(Query(schema.LIVE, {"_id": chat_id}))
        else:
            rows = await self._find(Query(schema.LIVE), WRITE)
        # Sorted here: an index for it would have to be written at each change of each chat.
        read = _read(schema.LIVE, documents.read_live, rows)
        return tuple(sorted(read, key=lambda live: (-live.saved_at, live.chat_id)))

    async def beats(self) -> Mapping[str, float]:
        return {str(row["process"]): float(row["at"]) for row in await self._find(Query(schema.BEATS))}

    async def flags(self) -> Mapping[str, str]:
        return {str(row["name"]): str(row["value"]) for row in await self._find(Query(schema.FLAGS))}

    # -- for the operator
    async def ping(self) -> None:
        async with self._server.within(PING):
            await self._server.ping()

    async def sizes(self) -> Mapping[str, int]:
        async with self._server.within(READ):
            return await self._server.sizes()

    async def check(self) -> tuple[str, ...]:
        async with self._server.within(CHECK):
            wrong = await self._server.faults()
        tracks = set[object]()
        for table in TABLES:
            async for page in self._pages(table):
                for row in page:
                    wrong += _wrong(table, row, tracks)
                if len(wrong) > SENTENCES:
                    return (*wrong[:SENTENCES], "and more")
        return tuple(wrong)

    async def dump(self) -> AsyncIterator[Row]:
        """Page by page while others write: a track that is new since comes before what refers to it."""
        known = set[object]()
        for table in TABLES:
            async for page in self._pages(table):
                if table is schema.TRACKS:
                    known.update(_text(row, "id") for row in page)
                elif "track_id" in table.names:
                    for track in await self._late_tracks(page, known):
                        yield schema.TRACKS.name, documents.track_fields(track)
                for row in page:
                    yield table.name, {name: value for name, value in row.items() if name != "_id"}

    async def _late_tracks(self, page: Iterable[Found], known: set[object]) -> Iterable[Track]:
        late = [row for row in page if _text(row, "track_id") not in known]
        async with self._server.within(READ):
            found = await self._tracks(late)
        known.update(found)
        return found.values()

    async def _pages(self, table: Table) -> AsyncIterator[Sequence[Found]]:
        """With ``_id``. Each page is a question of its own, so that a new primary is no end of it."""
        filter: Document = {}
        while page := await self._find(Query(table, filter, limit=PAGE, keyed=True), WRITE):
            yield page
            filter = {"_id": {"$gt": page[-1]["_id"]}}

    async def load(self, rows: Sequence[Row]) -> None:
        for start in range(0, len(rows), PAGE):
            ops: dict[Table, list[Op]] = {}
            try:
                for name, fields in rows[start : start + PAGE]:
                    ops.setdefault(_TABLES[name], []).append(put(_TABLES[name], fields))
            except (KeyError, ValueError, OverflowError) as error:
                raise StoreRefused("there is a row that is none of ours") from error
            async with self._server.within(WRITE):
                await self._server.write(ops)

    async def clear(self) -> None:
        async with self._server.within(WRITE):
            await self._server.clear()

    async def _find(self, query: Query, seconds: float = READ) -> Sequence[Found]:
        async with self._server.within(seconds):
            return await self._server.find(query)


_TABLES = {table.name: table for table in TABLES}

#: How a row is read, where it becomes a record.
_READERS: Mapping[Table, Callable[[Found], object]] = {
    schema.TRACKS: documents.read_track,
    schema.ROLLS: documents.read_member,
    schema.CHATS: documents.read_served,
    schema.USERS: documents.read_served,
    schema.BROADCASTS: documents.read_broadcast,
    schema.LIVE: documents.read_live,
}


def _read(table: Table, reader: Callable[[Found], R], rows: Iterable[Found]) -> Iterator[R]:
    """What cannot be read is logged, and left as it is."""
    for row in rows:
        try:
            yield reader(row)
        except (ValueError, KeyError) as error:
            logger.warning("{} {} cannot be read: {}", table.name, _key(table, row), type(error).__name__)


def _text(row: Found, field: str) -> str | None:
    """None if it is none, or not there."""
    value = row.get(field)
    return value if isinstance(value, str) else None


def _key(table: Table, row: Found) -> object:
    """By which whoever has to mend it finds it."""
    return row.get("_id", ":".join(str(row.get(field.name, "?")) for field in table.key))


def _counts(row: Found, chart: Chart) -> bool:
    """Whether this is a counter: somebody else may have had a hand in it."""
    if not isinstance(row.get("plays"), int | float):
        return False
    key = _text(row, "key")
    return key is not None and (chart is Chart.TRACKS or _is_id(key))


def _is_id(text: str) -> bool:
    """Whether it is a whole number of 64 bits."""
    try:
        return -(2**63) <= int(text) < 2**63
    except ValueError:
        return False


def _wrong(table: Table, row: Found, tracks: set[object]) -> Iterator[str]:
    """What is wrong with this row; ``tracks`` collects those that are there."""
    if table is schema.TRACKS and (id := _text(row, "id")) is not None:
        tracks.add(id)
    if "track_id" in table.names and _text(row, "track_id") not in tracks:
        yield f"{table.name} {_key(table, row)} names a track that is not there"
    reader = _READERS.get(table)
    try:
        if reader is not None:
            reader(row)
    except (ValueError, KeyError):
        yield f"{table.name} {_key(table, row)} cannot be read"
