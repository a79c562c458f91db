"""Taking over what another bot has kept in MongoDB. Its database is read and nothing else.

What Ryzen has already stays as it is, but for a number of plays, which is raised to theirs: so to do it once
more gives the same, and later once more brings what has come since. Neither who plays in which assistant's
call (they number session strings) nor how many votes skip a track (ours is a part of the listeners) can be
taken over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import attrs

from ryzen.errors import StoreRefused, StoreUnusable
from ryzen.ports import Store
from ryzen.records import Chart, Row
from ryzen.store import schema
from ryzen.store.imports import anon, yukki
from ryzen.store.imports.parts import Part, Plays, Reader, Strange, Unread, counter_row, track_row
from ryzen.store.mongo_reading import Document, Foreign, Server

#: Bot -> the database that it writes to, whatever its address says.
BOTS: Mapping[str, str] = {"yukki": "Yukki", "anon": "Anon"}

#: Collection -> how it is read. An AnonXMusic that was updated has collections of both kinds, so both are
#: read of both bots; languages first, for a user's is in the user's row.
READERS: Mapping[str, Reader] = {**anon.READERS, **yukki.READERS, "chats": anon.old_and_new_chats}
_ORDER = ("language", "lang", *(name for name in READERS if name not in ("language", "lang")))

_CHUNK = 500


@attrs.frozen
class Imported:
    """What was found there. ``added`` and ``there`` by kind, ``strange`` and ``others`` by collection."""

    database: str
    added: Mapping[str, int]
    there: Mapping[str, int]  #: what Ryzen had already
    strange: Mapping[str, int]  #: documents, or parts of them, of no shape that we know
    others: Mapping[str, int]  #: documents in collections that are not read


async def find_database(server: Server, bot: str, named: str | None = None) -> Foreign:
    """The one that is ``named``, or else that of the usual name, or the only one that looks like it.

    Raises StoreUnusable.
    """
    if named is not None:
        database = server.database(named)
        if await _is_known(database):
            return database
        raise StoreUnusable(f"the database «{named}» has nothing of such a bot: name another with --database")
    usual = server.database(BOTS[bot])
    if await _is_known(usual):
        return usual
    names = await server.databases()
    found = [name for name in names if await _is_known(server.database(name))]
    if len(found) == 1:
        return server.database(found[0])
    seen = "several look like it" if found else "none looks like it"
    raise StoreUnusable(
        f"there is no database «{usual.name}» on that server, and of the others {seen}"
        f" ({', '.join(found or names) or 'none can be seen'}): name it with --database"
    )


async def _is_known(database: Foreign) -> bool:
    """«chats» and «users» alone are anybody's, ours too."""
    return bool((await database.collections()).keys() & (READERS.keys() - {"chats", "users"}))


async def import_from(database: Foreign, store: Store, *, dry: bool = False) -> Imported:
    """Read all of it into ``store``; ``dry``: only count. Raises StoreError; then do it again."""
    taking = _Taking(store, dry)
    await taking.look()
    collections = await database.collections()
    for collection in _ORDER:
        if collection in collections:
            async for document in database.documents(collection):
                await taking.take(collection, document)
    await taking.finish()
    others = {name: size for name, size in collections.items() if name not in READERS and size}
    return Imported(database.name, taking.added, taking.there, taking.strange, others)


class _Taking:
    """One import on its way."""

    def __init__(self, store: Store, dry: bool) -> None:
        self.added, self.there, self.strange = Counter[str](), Counter[str](), Counter[str]()
        self._store, self._dry = store, dry
        # Key of a row -> its plays, or 0: of what we had and has not come up yet, and of what has.
        self._ours: dict[tuple[object, ...], int] = {}
        self._seen: dict[tuple[object, ...], int] = {}
        self._rows: list[Row] = []
        self._sums = Counter[tuple[Chart, str]]()  # charts of everything

    async def look(self) -> None:
        """What is in our store of all that may come."""
        async for table, fields in self._store.dump():
            if table in _KEYS:
                self._ours[_key(table, fields)] = _plays(fields)

    async def take(self, collection: str, document: Document) -> None:
        try:
            parts: Sequence[Part] = list(READERS[collection](document))
        except Strange:
            parts = [Unread()]
        for part in parts:
            match part:
                case Unread():
                    self.strange[collection] += 1
                case Plays():
                    self._count(part)
                case _:
                    self._add(part)
        if len(self._rows) >= _CHUNK:
            await self._load()

    async def finish(self) -> None:
        for (chart, key), plays in self._sums.items():
            self._add(counter_row(chart, "", key, plays))
        await self._load()

    def _count(self, part: Plays) -> None:
        self._add(track_row(part.track))
        self._add(counter_row(Chart.TRACKS, part.scope, part.track.id, part.plays))
        kind, _, whose = part.scope.partition(":")
        if kind == "chat":  # those of users are the same plays once more
            self._sums[Chart.TRACKS, part.track.id] += part.plays
            self._sums[Chart.CHATS, whose] += part.plays
        else:
            self._sums[Chart.USERS, whose] += part.plays

    def _add(self, row: Row) -> None:
        """Of what comes up more than once, the first is taken; of plays, the most."""
        key, plays = _key(*row), _plays(row[1])
        before = self._seen.get(key)
        if before is None:
            before = self._ours.pop(key, -1)
            (self.added if plays > before else self.there)[_kind(row)] += 1
        if plays > before:
            self._rows.append(row)
        self._seen[key] = max(plays, before)

    async def _load(self) -> None:
        rows, self._rows = self._rows, []
        if self._dry:
            return
        for start in range(0, len(rows), _CHUNK):
            chunk = rows[start : start + _CHUNK]
            try:
                await self._store.load(chunk)
            except StoreRefused:
                await self._load_singly(chunk)

    async def _load_singly(self, rows: list[Row]) -> None:
        for row in rows:
            try:
                await self._store.load([row])
            except StoreRefused:
                self.added[_kind(row)] -= 1
                self.strange[row[0]] += 1


#: The tables that get rows from here, and what tells these apart.
_KEYS = {
    table.name: tuple(field.name for field in table.key)
    for table in (
        schema.TRACKS,
        schema.CHAT_SETTINGS,
        schema.ROLLS,
        schema.CHATS,
        schema.USERS,
        schema.PLAYLIST_ITEMS,
        schema.COUNTERS,
    )
}


def _key(table: str, fields: Mapping[str, object]) -> tuple[object, ...]:
    return (table, *(fields[name] for name in _KEYS[table]))


def _plays(fields: Mapping[str, object]) -> int:
    plays = fields.get("plays", 0)
    return plays if isinstance(plays, int) else 0


def _kind(row: Row) -> str:
    """A table, or one of the rolls."""
    table, fields = row
    return str(fields["roll"]) if table == schema.ROLLS.name else table
