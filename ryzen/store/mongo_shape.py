"""What is asked of MongoDB and what it is told, as plain values: no driver.

Each table of ``schema`` is a collection, each row a document with its key as ``_id`` and its fields beside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import attrs

from ryzen.records import Value
from ryzen.store import documents, schema
from ryzen.store.documents import Fields
from ryzen.store.schema import Table

#: What BSON calls a document; made of plain values.
Document = dict[str, object]
#: The names of the fields, and 1 or -1 for each.
Keys = tuple[tuple[str, int], ...]
#: A row as the server has it: of our shape, unless somebody else has had a hand in it.
Found = Mapping[str, Any]

#: Writes that go on one connection, if the order is nothing to them: a server has more than one core.
PART = 250


@attrs.frozen
class Index:
    keys: Keys
    only: Document = attrs.Factory(dict)  #: documents of which this holds

    @property
    def name(self) -> str:
        """As MongoDB would call it too."""
        return "_".join(f"{field}_{direction}" for field, direction in self.keys)


#: The order of a list is the order of its index, so that nothing is sorted and nothing is read in vain.
INDEXES: Mapping[Table, tuple[Index, ...]] = {
    schema.CHAT_SETTINGS: (Index((("chat_id", 1),)),),
    schema.ROLLS: (Index((("roll", 1), ("scope", 1), ("at", 1), ("id", 1))),),
    schema.PLAYLIST_ITEMS: (Index((("user_id", 1), ("playlist", 1), ("at", 1), ("track_id", 1))),),
    schema.PLAYS: (Index((("chat_id", 1), ("at", -1), ("id", 1))), Index((("at", 1),))),
    schema.COUNTERS: (
        Index((("chart", 1), ("scope", 1), ("day", 1), ("plays", -1), ("key", 1))),
        Index((("day", 1),), {"day": {"$gt": ""}}),
    ),
    schema.BROADCASTS: (Index((("over", 1), ("at", 1), ("id", 1))),),
    # A chat that plays is saved at each change: it is in no index but that of its id.
    schema.LIVE: (Index((("saved_at", 1),), {"busy": 0}),),
    schema.BEATS: (Index((("at", 1),)),),
}


@attrs.frozen
class Put:
    """Change the document with this ``_id``, or make it."""

    id: Value
    update: Document | list[Document]  #: operators, or an aggregation pipeline
    make: bool = True  #: if there is none


@attrs.frozen
class Drop:
    """Remove every document of which this holds."""

    filter: Document


Op = Put | Drop


@attrs.frozen
class Run:
    """Writes on one collection that go there together."""

    ops: Sequence[Op]
    ordered: bool


def id_of(table: Table, fields: Mapping[str, object]) -> Value:
    """``_id``: the key itself, or its parts with colons between; colons in the parts are written otherwise.

    Raises OverflowError for a whole number beyond 64 bits, which a text would not refuse.
    """
    parts = [fields[field.name] for field in table.key]
    for part in parts:
        if isinstance(part, int) and not -(2**63) <= part < 2**63:
            raise OverflowError("a number beyond 64 bits")
    if len(parts) == 1:
        (only,) = parts
        assert isinstance(only, str | int)
        return only
    return ":".join(str(part).replace("%", "%25").replace(":", "%3A") for part in parts)


def row_of(table: Table, fields: Mapping[str, Value]) -> Fields:
    """All the fields of a row and no others. Raises ValueError for one that is none of this table's."""
    row: Fields = {}
    for field in table.fields:
        value = fields.get(field.name)
        if not (field.optional if value is None else isinstance(value, _TYPES[field.kind])):
            raise ValueError(f"{table.name}.{field.name} cannot be {type(value).__name__}")
        if field.kind == "REAL" and isinstance(value, int | float):
            value = documents.finite(float(value))
        row[field.name] = value
    return row


def put(table: Table, fields: Mapping[str, Value], *, anew: bool = True) -> Put:
    """The row as it is, over what is there; unless ``anew``, one that is there already stays."""
    row = row_of(table, fields)
    return Put(id_of(table, row), {"$set" if anew else "$setOnInsert": row})


_TYPES: Mapping[schema.Kind, tuple[type, ...]] = {"TEXT": (str,), "INTEGER": (int,), "REAL": (int, float)}


def runs(ops: Sequence[Op]) -> Iterator[Run]:
    """All of these, in runs that may go at the same time; if any two could meet, one that keeps the order."""
    ids = {op.id for op in ops if isinstance(op, Put)}
    ordered = len(ids) < len(ops)
    size = len(ops) if ordered else PART
    for start in range(0, len(ops), size):
        yield Run(ops[start : start + size], ordered)


@attrs.frozen
class Query:
    """Documents of which this holds, in this order; the fields are those of the table."""

    table: Table
    filter: Document = attrs.Factory(dict)
    order: Keys = (("_id", 1),)
    limit: int | None = None
    keyed: bool = False  #: with ``_id``, which may be another than the fields say


class Server(Protocol):
    """All its methods are called in ``within``."""

    def within(self, seconds: float) -> AbstractAsyncContextManager[None]:
        """The block ends in time. In it, what goes wrong with the database is raised as a StoreError.

        Makes sure, once, that the database is ours, of this version, and has its indexes.
        """
        ...

    async def find(self, query: Query) -> Sequence[Found]:
        """What could not be stored, as half a character, is not found."""
        ...

    async def write(self, ops: Mapping[Table, Sequence[Op]]) -> None:
        """Durable on return. Raises StoreRefused before anything is written."""
        ...

    async def sizes(self) -> dict[str, int]:
        """Documents in each table; not exact for a while after the server has been killed."""
        ...

    async def clear(self) -> None: ...

    async def ping(self) -> None: ...

    async def faults(self) -> list[str]:
        """What the server says against its own files, and which indexes are missing."""
        ...
